//! Callers: what they bring to the instance that serves, and who that is.

use std::rc::Rc;

use keyhole_core::{
    box_api::PageAsk,
    item::{Item, Scopes},
    keeper::{
        CallerId, Event, Keeper,
        message::{Ask, End, Message, TokensAsk},
    },
    secret::{AuthorizationCode, Digest, PkceVerifier, SessionSecret},
};

use super::{Caller, Lawful, World};
use crate::{
    eye::{Held, Stands},
    instance::Instance,
    law::{Rule, Violation},
    moves::Want,
    twist::{self, Twist},
};

/// What every token is asked for.
const SCOPES: &str = "base_preview item_preview";

impl World {
    pub(super) fn call(&mut self, want: Want) -> Lawful<bool> {
        let number = self.load()?;
        let caller = CallerId(u64::try_from(self.callers.len()).unwrap_or(u64::MAX));
        let message = self.message(want);
        if want != Want::Stranger {
            self.watch.closed |= want == Want::SignOut;
            if let Some(instance) = self.instance(number) {
                instance.has_cookie = true;
            }
        }
        let after_end = self.watch.told_end;
        let finds_open = self.watch.held.stands == Stands::Open;
        let asked_at = self.now;
        self.callers.push(Caller { want, asked_at, instance: number, after_end, finds_open, heard: None });
        self.feed(number, Event::Called(caller, message))?;
        Ok(true)
    }

    pub(super) fn message(&mut self, want: Want) -> Message {
        let secret = match want {
            Want::Stranger => SessionSecret::new([8; 32]),
            _ => self.stage.secret.clone(),
        };
        let ask = match want {
            Want::Open => {
                let code = self.ledger.sign_in(self.now);
                if self.watch.held.stands == Stands::Nowhere {
                    self.watch.opened_at = self.now;
                }
                let verifier = PkceVerifier::new("verifier");
                Ask::Open { code: AuthorizationCode::new(code), verifier }
            }
            Want::Session => Ask::Session,
            Want::SignOut => Ask::Close(End::SignedOut),
            Want::Items => match Item::folder("0") {
                Some(folder) => Ask::Items { folder, page: PageAsk { offset: 0, limit: 10 } },
                None => Ask::Session,
            },
            Want::Token(file) | Want::Refused(file) => self.tokens(file, matches!(want, Want::Refused(_))),
            Want::Stranger => self.tokens(1, false),
        };
        Message { secret, ask }
    }

    pub(super) fn tokens(&self, file: u8, refused: bool) -> Ask {
        let held = self.watch.held.children.get(&format!("file_{file} {SCOPES}"));
        let refused = held.filter(|_| refused).map(|token| Digest::of(token)).into_iter().collect();
        let items = Item::parse(&format!("file_{file}")).into_iter().collect();
        let scopes = Scopes::parse(SCOPES).unwrap_or_default();
        Ask::Tokens(TokensAsk { items, scopes, refused })
    }

    /// The instance that serves; a new one starts from storage.
    pub(super) fn load(&mut self) -> Lawful<u64> {
        if let Some(serving) = self.serving() {
            return Ok(serving.number);
        }
        self.forget_early();
        let mut records = self.storage.records();
        if self.stage.twist == Twist::RefusalBelieved {
            for record in records.iter_mut().filter(|record| record.name.is_empty()) {
                record.body = twist::without_attempt(&record.body);
            }
        }
        let (name, settings) = (self.stage.name.clone(), Rc::clone(&self.stage.settings));
        let machine = Keeper::load(name, settings, &records, self.storage.alarm)
            .map_err(|fault| Violation::of(Rule::ServesAgain, fault.to_string()))?;
        self.born += 1;
        let number = self.born;
        self.tell(|| format!("  instance {number} starts from storage"));
        self.instances.push(Instance::new(number, machine, self.storage.row(), &self.storage));
        Ok(number)
    }

    pub(super) fn forget_early(&mut self) {
        const DAY_MS: u64 = 86_400_000;
        let over = self.watch.ended_at.is_some_and(|at| self.now >= at + DAY_MS);
        if over && self.stage.twist == Twist::OneDayTombstone {
            self.storage.clear();
            self.watch.held = Held::default();
        }
    }
}
