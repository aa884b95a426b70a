//! Holds what happens against the law, as it happens.

use keyhole_core::keeper::{
    Change,
    message::{KeeperFault, Reply},
    plan,
};

use crate::{
    asked::{Asked, Said},
    eye::Stands,
    law::{Concession, Rule, Violation},
    ledger::Rotation,
    moves::Want,
    world::{Caller, Cargo, Done, Heard, World},
};

type Lawful<T> = Result<T, Violation>;

/// A keeper counts a token's life from before it asked: it may think it older than Box does, by what a call takes.
const CALL_MS_MAX: u64 = 60_000;

impl World {
    /// Something is asked of Box.
    pub(crate) fn judge_asked(&self, number: u64, asked: &Asked) -> Lawful<()> {
        if let Some(token) = asked.token().filter(|token| !self.watch.durable.contains(*token)) {
            return broken(Rule::SavedBeforeUsed, format!("{token} goes to Box, and was never saved"));
        }
        if !asked.is_refresh() {
            return Ok(());
        }
        let refreshing = self.flights.iter().any(|(name, flight)| {
            let refresh = matches!(&flight.cargo, Cargo::Box(other) if other.is_refresh());
            name.0 == number && refresh && !flight.ghost
        });
        if refreshing {
            return broken(Rule::OneRefresh, format!("instance {number} asks for a second one"));
        }
        let Some(grant) = &self.watch.held.grant else { return Ok(()) };
        let good_for = self.ledger.access_lives(&grant.access, self.now).unwrap_or_default();
        let margin = u64::try_from(plan::REFRESH_MARGIN.as_millis()).unwrap_or(u64::MAX);
        let good = good_for >= margin + CALL_MS_MAX && !self.watch.refused.contains(&grant.access);
        if good && !self.watch.emptied {
            return broken(Rule::NoNeedlessRefresh, format!("{} is good for {good_for} ms", grant.access));
        }
        Ok(())
    }

    /// Box has acted, or has said what it likes. `lost`: nobody waits for this answer.
    pub(crate) fn note_said(&mut self, asked: &Asked, said: &Said, lost: bool) {
        if let Some(token) = said.brings() {
            self.watch.fate(token).lost |= lost;
        }
        let uses_access = matches!(asked, Asked::Narrow { .. } | Asked::Read { .. });
        if let Some(token) = asked.token()
            && uses_access
            && matches!(said, Said::Unauthorized | Said::InvalidGrant)
        {
            self.watch.refused.insert(token.to_owned());
        }
    }

    /// A block has become durable.
    pub(crate) fn judge_saved(&mut self, changes: &[Change], has_cookie: bool) -> Lawful<()> {
        let before = self.watch.held.clone();
        self.stage.eye().follow(&mut self.watch.held, changes);
        let tokens: Vec<String> = self.watch.held.tokens().map(str::to_owned).collect();
        self.watch.durable.extend(tokens);
        if before.stands != Stands::Ended && self.watch.held.stands == Stands::Ended {
            self.watch.ended_at = Some(self.now);
            self.watch.end.clone_from(&self.watch.held.end);
            self.judge_end(self.watch.end.as_deref().unwrap_or_default())?;
        }
        let gone: Vec<String> = before
            .tokens()
            .filter(|token| !self.watch.held.holds(token) && !self.is_over(token))
            .map(str::to_owned)
            .collect();
        for token in gone {
            self.judge_gone(&token, has_cookie)?;
        }
        Ok(())
    }

    /// Whether the token is of no use to anybody, or comes and goes with another that is held.
    fn is_over(&self, token: &str) -> bool {
        if !self.ledger.is_alive(token, self.now + CALL_MS_MAX) || self.watch.is_conceded(token) {
            return true;
        }
        // An access token goes with its refresh token, and a refresh token with any other of its grant that is held.
        let is_refresh = self.ledger.redeemable(self.now).any(|other| other == token);
        let is_child = self.ledger.children(self.now).any(|other| other == token);
        !is_child
            && (!is_refresh || self.ledger.redeemable(self.now).any(|other| self.watch.held.holds(other)))
    }

    /// A token that is alive at Box is in storage no more.
    fn judge_gone(&mut self, token: &str, has_cookie: bool) -> Lawful<()> {
        let ended_by_time = matches!(self.watch.held.end.as_deref(), Some("idle" | "expired"));
        if self.watch.held.stands == Stands::Ended && ended_by_time && !has_cookie {
            self.watch.concede(Concession::Shredded, token);
            return Ok(());
        }
        broken(Rule::NothingForgotten, format!("{token} lives, and was deleted"))
    }

    /// The reason of an end, when it is written.
    fn judge_end(&self, why: &str) -> Lawful<()> {
        let settings = &self.stage.settings;
        let millis = |span: core::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let dead = self.ledger.redeemable(self.now).next().is_none();
        // "Last seen" is kept by the sixteenth of the limit.
        let idle = millis(settings.session_idle - settings.session_idle / 16);
        let opened_late = self.callers.iter().any(|caller| caller.want == Want::Open);
        let true_reason = match why {
            "signed_out" => self.watch.closed || opened_late,
            // KV may be behind with "last seen", too.
            "idle" => self.watch.emptied || self.now.saturating_sub(self.watch.used_at) >= idle,
            "expired" => self.now >= self.watch.opened_at + millis(settings.session_absolute),
            "revoked" => dead,
            "rotation_lost" => dead || self.watch.window() || self.watch.emptied,
            "superseded" => self.watch.emptied,
            _ => false,
        };
        if true_reason {
            return Ok(());
        }
        let alive: Vec<&str> = self.ledger.redeemable(self.now).collect();
        broken(Rule::EndsForItsReason, format!("it ends as {why}; Box would take {alive:?}"))
    }

    /// A caller is answered.
    pub(crate) fn judge_reply(&mut self, caller: &Caller, reply: &Reply) -> Lawful<Heard> {
        if caller.want == Want::Stranger {
            let harmless = matches!(reply, Reply::Unopened | Reply::Fault(_));
            return if harmless {
                Ok(Heard::Unopened)
            } else {
                broken(Rule::RightToken, format!("a stranger is answered {reply:?}"))
            };
        }
        let heard = match reply {
            Reply::Tokens(answers) => match answers.iter().next() {
                Some((item, Ok(handed))) => {
                    let token = handed.token.expose();
                    self.judge_handed(&item.to_string(), token)?;
                    Heard::Token(token.to_owned())
                }
                Some((_, Err(fault))) => self.judge_fault(fault)?,
                None => Heard::Fault(None),
            },
            Reply::Session(_) => Heard::Session,
            Reply::Items(_) => Heard::Items,
            Reply::Closed => Heard::Closed,
            Reply::AlreadyOpened => Heard::AlreadyOpened,
            Reply::Unopened => Heard::Unopened,
            Reply::Ended(why) => Heard::Ended(*why),
            Reply::Fault(fault) => self.judge_fault(fault)?,
            Reply::Skewed => Heard::Fault(None),
        };
        let gives = matches!(heard, Heard::Token(_) | Heard::Session | Heard::Items);
        if caller.after_end && gives {
            return broken(Rule::EndIsFinal, format!("{:?} after the end: {heard:?}", caller.want));
        }
        self.judge_words(caller, &heard)?;
        self.watch.claimed |= caller.want == Want::Open && heard == Heard::Session;
        if !matches!(heard, Heard::Fault(_)) {
            self.watch.used_at = self.watch.used_at.max(caller.asked_at);
        }
        self.watch.told_end |= matches!(heard, Heard::Closed | Heard::Ended(_));
        Ok(heard)
    }

    fn judge_handed(&self, item: &str, token: &str) -> Lawful<()> {
        if !self.watch.durable.contains(token) {
            return broken(Rule::SavedBeforeUsed, format!("{token} is handed out, and was never saved"));
        }
        // A narrowed token's name says what it is for: see `ledger`.
        if token.split('.').nth(1) != Some(item) {
            return broken(Rule::RightToken, format!("{token} for {item}"));
        }
        Ok(())
    }

    /// What a caller is told of the session is what is stored of it.
    fn judge_words(&self, caller: &Caller, heard: &Heard) -> Lawful<()> {
        let held = &self.watch.held;
        match heard {
            Heard::Ended(why) if held.end.as_deref() != Some(why.word()) => {
                broken(Rule::EndsForItsReason, format!("{why:?} is said, {:?} is stored", held.end))
            }
            Heard::Closed if held.stands != Stands::Ended => {
                broken(Rule::EndIsFinal, "closed is said, and no tombstone is stored".to_owned())
            }
            Heard::Unopened if caller.finds_open && held.stands == Stands::Open => {
                broken(Rule::NeverSilent, "the row is open".to_owned())
            }
            Heard::Unopened
                if self.watch.emptied
                    && !self.watch.read_too_early
                    && self.watch.ended_at.is_none()
                    && self.kv.newest(self.now).is_some() =>
            {
                broken(Rule::NeverSilent, "KV has the session".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn judge_fault(&self, fault: &KeeperFault) -> Lawful<Heard> {
        Ok(Heard::Fault(match fault {
            KeeperFault::BoxUnavailable { retry_after }
            | KeeperFault::RateLimited { retry_after }
            | KeeperFault::Busy { retry_after }
            | KeeperFault::Recovering { retry_after } => Some(*retry_after),
            KeeperFault::CodeRefused => None,
            KeeperFault::ItemNotFound
            | KeeperFault::Forbidden
            | KeeperFault::TokenTooWide
            | KeeperFault::Misconfigured => {
                return broken(Rule::ServesAgain, format!("{fault:?}, and nothing of that kind is wrong"));
            }
        }))
    }

    /// An open session can go on: a refresh token that Box would take lies in the row or in KV, or is on its way to an
    /// instance or to KV. If not, that is the one window, or a loss.
    pub(crate) fn judge_custody(&mut self) -> Lawful<()> {
        if self.watch.held.stands != Stands::Open || self.watch.window() || self.watch.emptied {
            return Ok(());
        }
        let Some(token) = self.ledger.redeemable(self.now).next().map(str::to_owned) else { return Ok(()) };
        if self.is_in_custody() {
            return Ok(());
        }
        let fate = *self.watch.fate(&token);
        let in_window = if fate.delivered { fate.copied } else { fate.lost };
        if self.stage.rotation == Rotation::Strict && in_window {
            self.tell(|| format!("  the one window: nobody holds {token}"));
            self.watch.concede(Concession::Window, &token);
            return Ok(());
        }
        broken(Rule::NothingLost, format!("nobody holds {token}: {fate:?}"))
    }

    fn is_in_custody(&self) -> bool {
        let redeemable: Vec<&str> = self.ledger.redeemable(self.now).collect();
        let good = |token: &str| redeemable.contains(&token);
        let row = self.watch.held.grant.as_ref();
        if row.is_some_and(|row| good(&row.refresh) || row.previous.as_deref().is_some_and(good)) {
            return true;
        }
        let copy_is_good =
            |value: &[u8]| self.stage.eye().copy(value).is_some_and(|copy| good(&copy.refresh));
        if self.kv.newest(self.now).is_some_and(|value| copy_is_good(&value)) {
            return true;
        }
        let known = self.instances.iter().any(|instance| instance.knows.iter().any(|token| good(token)));
        known
            || self.flights.values().any(|flight| match (&flight.cargo, &flight.done) {
                (Cargo::Put(value, _), None) => copy_is_good(value),
                (Cargo::Box(_), Some(Done::Said(said))) => !flight.ghost && said.refresh().is_some_and(good),
                _ => false,
            })
    }

    /// Nobody waits longer than the limit, and what held its call up.
    pub(crate) fn judge_waiting(&self) -> Lawful<()> {
        let limit = plan::CALLER_LIMIT + plan::ESCROW_LIMIT;
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let late = |caller: &&Caller| caller.heard.is_none() && self.now > caller.asked_at + limit;
        match self.callers.iter().find(late) {
            Some(caller) => broken(Rule::EveryCallerAnswered, format!("{:?} still waits", caller.want)),
            None => Ok(()),
        }
    }

    /// Nothing lives at Box that nobody holds. Only when nothing is under way.
    pub(crate) fn judge_rest(&mut self) -> Lawful<()> {
        let held = self.watch.held.clone();
        let refreshes: Vec<String> = self.ledger.redeemable(self.now).map(str::to_owned).collect();
        if !refreshes.iter().any(|token| held.holds(token)) {
            for token in &refreshes {
                self.judge_unheld(token, Concession::UnopenedPair)?;
            }
        }
        let children: Vec<String> = self.ledger.children(self.now).map(str::to_owned).collect();
        for token in children.iter().filter(|token| !held.holds(token)) {
            self.judge_unheld(token, Concession::UnknownChild)?;
        }
        Ok(())
    }

    /// A token that lives and that no storage holds: it is conceded, or its answer was lost before it was ever saved.
    fn judge_unheld(&mut self, token: &str, concession: Concession) -> Lawful<()> {
        let copied = self.kv.newest(self.now).and_then(|value| self.stage.eye().copy(&value));
        let over = !self.ledger.is_alive(token, self.now + CALL_MS_MAX);
        if over || self.watch.is_conceded(token) || copied.is_some_and(|copy| copy.refresh == token) {
            return Ok(());
        }
        if self.watch.emptied {
            self.watch.concede(Concession::StorageLost, token);
            return Ok(());
        }
        let fate = *self.watch.fate(token);
        if fate.lost && !self.watch.durable.contains(token) {
            self.watch.concede(concession, token);
            return Ok(());
        }
        broken(Rule::NothingForgotten, format!("nobody holds {token}: {fate:?}"))
    }
}

fn broken<T>(rule: Rule, how: String) -> Lawful<T> {
    Err(Violation::of(rule, how))
}
