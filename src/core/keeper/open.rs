//! Opening: a login's code becomes a session, once.
//!
//! The row `opening` is written first, so that a second callback with the same `state` finds the keeper taken. Then
//! the code goes to Box at once (it lives 30 seconds), the pair is saved as generation 1, and only then Box is asked
//! whose it is; if that fails, it costs the name and not the session.

use super::{
    CallerId, Flight, Keeper, Turn, Wants,
    log::Act,
    message::{End, KeeperFault, Reply},
    plan,
    record::{Debt, Grant, Owed, Row, Status},
};
use crate::{
    box_api::{self, BoxAnswer, BoxFault, Refusal, Unreachable},
    secret::{AuthorizationCode, PkceVerifier, SessionSecret},
    time::Timestamp,
};

impl Keeper {
    pub(super) fn open(
        &mut self,
        caller: CallerId,
        secret: SessionSecret,
        code: &AuthorizationCode,
        verifier: &PkceVerifier,
        turn: &mut Turn,
    ) {
        // Until the code is redeemed this row lives no longer than any login could.
        self.row = Some(Row::opening(&secret.hash(), turn.now, turn.now.plus(plan::OPENING_LIFE)));
        turn.row_changed = true;
        let request = box_api::redeem_code(&self.settings.app, code, verifier, &self.settings.device);
        self.secret = Some(secret);
        self.ask_box(Flight::Code { caller, asked_at: turn.now }, request, turn);
        self.wait(caller, Wants::Opening, turn);
    }

    pub(super) fn code_answered(
        &mut self,
        caller: CallerId,
        asked_at: Timestamp,
        answer: Result<BoxAnswer, Unreachable>,
        turn: &mut Turn,
    ) {
        let pair = match box_api::judge_pair(answer) {
            Ok(pair) => pair,
            Err(fault) => {
                turn.log(Act::Refused { asked: "authorization_code", error: super::refresh::word(&fault) });
                let reply = Reply::Fault(match fault {
                    BoxFault::Refused(Refusal::InvalidGrant) => KeeperFault::CodeRefused,
                    fault => super::refresh::caller_fault(&fault),
                });
                if self.callers.remove(&caller).is_some() {
                    turn.reply(caller, reply);
                }
                return;
            }
        };
        let expires_at = turn.now.plus(self.settings.session_absolute);
        let grant = Grant {
            access_expires_at: asked_at.plus(pair.life),
            access_life: pair.life,
            access: pair.access,
            refresh: pair.refresh,
            previous: None,
            opened_at: turn.now,
            expires_at,
            seen_at: turn.now,
            user: None,
        };
        let sealed = self.seal_grant(&grant, 1, turn);
        let Some(row) = &mut self.row else { return };
        row.status = Status::Open;
        row.opened_at = turn.now;
        row.seen_at = turn.now;
        row.expires_at = expires_at;
        row.generation = 1;
        row.grant = sealed;
        row.kv = Some(Debt::new(Owed::Put, turn.now));
        turn.row_changed = true;
        turn.log(Act::Opened);
        let request = box_api::current_user(&self.settings.app, &grant.access);
        let refresh = grant.refresh.clone();
        self.grant = Some(grant);
        if !self.callers.contains_key(&caller) {
            // Its caller has left without the cookie: nobody can ever use this session.
            self.end(End::SignedOut, turn);
            return;
        }
        // Should this instance be lost before the cookie leaves, the alarm sees to the pair.
        let due = turn.now.plus(plan::OPENING_GRACE);
        let number = self.revoke_at(due, refresh.expose(), plan::REFRESH_TOKEN_LIFE, true, turn);
        self.unclaimed = Some(number);
        self.ask_box(Flight::User { caller }, request, turn);
    }

    /// The session is open, and its caller is told: from here on a browser has the cookie.
    pub(super) fn opened(&mut self, caller: CallerId, turn: &mut Turn) {
        if let Some(number) = self.unclaimed.take() {
            self.drop_outbox(number, turn);
        }
        let reply = self.session_view().map_or(Reply::Unopened, Reply::Session);
        turn.reply(caller, reply);
    }

    pub(super) fn user_answered(
        &mut self,
        caller: CallerId,
        answer: Result<BoxAnswer, Unreachable>,
        turn: &mut Turn,
    ) {
        if self.row.as_ref().is_none_or(|row| row.status != Status::Open) {
            return;
        }
        match box_api::judge_user(answer) {
            Ok(user) => {
                if let Some(grant) = &mut self.grant {
                    grant.user = Some(user);
                }
                self.reseal(turn);
            }
            Err(fault) => turn.log(Act::Refused { asked: "users/me", error: super::refresh::word(&fault) }),
        }
        self.copy_grant(turn);
        if self.callers.remove(&caller).is_some() {
            self.opened(caller, turn);
        }
    }
}
