//! Ends: the session dies here at once, and at Box as soon as Box confirms.
//!
//! One write lays the tombstone and owes the rest: each child, then the pair, to be revoked from an outbox, and the
//! KV copy to be deleted. What arrives from Box after the end goes to the outbox too. The one alarm is always the
//! least of what is due.

use core::time::Duration;

use super::{
    Change, Flight, Keeper, Turn, Wants,
    copy::Leftover,
    log::Act,
    message::{End, Reply},
    plan,
    record::{Debt, Kind, OutboxRow, Owed, Record, SealedText, SealedToken, Status, Unreadable},
    refresh::word,
};
use crate::{
    box_api::{self, BoxAnswer, BoxFault, Unreachable},
    seal::Purpose,
    time::Timestamp,
};

impl Keeper {
    /// Ends the session for everybody, now. Takes no turn: an exchange under way goes on, and its fruit is revoked.
    pub(super) fn end(&mut self, why: End, turn: &mut Turn) {
        let children = core::mem::take(&mut self.children);
        let now = turn.now;
        for child in children.values().filter(|child| child.expires_at > now) {
            self.revoke_later(child.token.expose(), turn.now.until(child.expires_at), false, turn);
        }
        // Those that were left to die by themselves.
        for number in self.numbers(|row| !row.pair && row.tries == 0 && row.due > now) {
            if let Some(mut row) = self.outbox.get(&number).cloned() {
                row.due = now;
                self.put_outbox(number, row, turn);
            }
        }
        if let Some(grant) = self.grant.take()
            && !matches!(why, End::Revoked | End::RotationLost | End::Superseded)
        {
            // Until the new access token has worked, the pair before it may be alive as well.
            for token in [Some(&grant.refresh), grant.previous.as_ref()].into_iter().flatten() {
                self.revoke_later(token.expose(), plan::REFRESH_TOKEN_LIFE, true, turn);
            }
        }
        for key in core::mem::take(&mut self.sealed_children).keys() {
            turn.changes.push(Change::Delete(Kind::Child, key.name()));
        }
        // An instance before this one may have put a later pair into KV, which nobody else holds.
        let secret = self.secret.take().filter(|_| self.refreshing.is_recovering());
        if let Some(row) = &mut self.row {
            self.leftover = secret.map(|secret| Leftover { secret, held: row.generation });
            row.status = Status::Ended;
            row.end = Some(why);
            row.grant = None;
            row.kv = Some(Debt::new(Owed::Delete, turn.now));
            turn.row_changed = true;
        }
        self.clear_copy(turn);
        self.revokes_left = plan::REVOKES_PER_ALARM;
        for (caller, wants) in core::mem::take(&mut self.callers) {
            let reply = if matches!(wants, Wants::Opening) { Reply::Unopened } else { Reply::Ended(why) };
            turn.reply(caller, reply);
        }
        turn.log(Act::Ended { why });
    }

    /// Writes a token into the outbox, sealed under the master key alone: no cookie will come for it.
    pub(super) fn revoke_later(&mut self, token: &str, remains: Duration, pair: bool, turn: &mut Turn) {
        self.revoke_at(turn.now, token, remains, pair, turn);
    }

    /// The same, not before `due`; returns the number of its row.
    pub(super) fn revoke_at(
        &mut self,
        due: Timestamp,
        token: &str,
        remains: Duration,
        pair: bool,
        turn: &mut Turn,
    ) -> u64 {
        // Never used twice: an answer that is still under way must not settle another row.
        self.outbox_numbers = self.outbox_numbers.saturating_add(1);
        let number = self.outbox_numbers;
        let token = SealedToken::new(&self.seal_outbox(number, token, turn), turn.now.plus(remains));
        self.put_outbox(number, OutboxRow::new(token, due, pair), turn);
        number
    }

    fn seal_outbox(&self, number: u64, token: &str, turn: &mut Turn) -> Vec<u8> {
        let name = number.to_string();
        let place = self.place(Purpose::Outbox, 0, &name);
        self.settings.seal_keys.seal(&place, None, turn.entropy.draw(), token.as_bytes())
    }

    fn open_outbox(&self, number: u64, row: &OutboxRow) -> Result<String, Unreadable> {
        let name = number.to_string();
        let place = self.place(Purpose::Outbox, 0, &name);
        let token = self.settings.seal_keys.open(&place, None, &row.token.sealed.bytes()?)?;
        String::from_utf8(token).map_err(|_| Unreadable::Form)
    }

    fn put_outbox(&mut self, number: u64, row: OutboxRow, turn: &mut Turn) {
        let record = Record { kind: Kind::Outbox, name: number.to_string(), body: row.encode() };
        turn.changes.push(Change::Put(record));
        self.outbox.insert(number, row);
    }

    pub(super) fn drop_outbox(&mut self, number: u64, turn: &mut Turn) {
        if self.outbox.remove(&number).is_some() {
            turn.changes.push(Change::Delete(Kind::Outbox, number.to_string()));
        }
    }

    /// Sends what is due, children before the pair, six at once.
    pub(super) fn pump_outbox(&mut self, turn: &mut Turn) {
        let gone: Vec<u64> = self.numbers(|row| row.token.expires_at <= turn.now);
        for number in gone {
            self.drop_outbox(number, turn);
        }
        if self.throttled(turn.now).is_some() {
            return;
        }
        for number in self.numbers(|row| row.due <= turn.now) {
            let in_flight =
                self.flights.values().filter(|flight| matches!(flight, Flight::Revoke { .. })).count();
            if in_flight >= plan::SHARED_CALLS_MAX || self.revokes_left == 0 {
                return;
            }
            if !self.revoking(number) && self.may_go(number) {
                self.revoke(number, turn);
            }
        }
    }

    fn numbers(&self, which: impl Fn(&OutboxRow) -> bool) -> Vec<u64> {
        self.outbox.iter().filter(|(_, row)| which(row)).map(|(number, _)| *number).collect()
    }

    fn revoking(&self, number: u64) -> bool {
        let ours = |flight: &Flight| matches!(flight, Flight::Revoke { number: flying } if *flying == number);
        self.flights.values().any(ours)
    }

    /// A pair waits until every child has been tried.
    fn may_go(&self, number: u64) -> bool {
        let is_pair = self.outbox.get(&number).is_some_and(|row| row.pair);
        !is_pair || !self.outbox.values().any(|row| !row.pair && row.tries == 0)
    }

    fn revoke(&mut self, number: u64, turn: &mut Turn) {
        let Some(row) = self.outbox.get(&number) else { return };
        match self.open_outbox(number, row) {
            Ok(token) => {
                self.revokes_left = self.revokes_left.saturating_sub(1);
                let request = box_api::revoke(&self.settings.app, &token);
                self.ask_box(Flight::Revoke { number }, request, turn);
            }
            // An operator has to bring the key back; until then it stays, and is tried now and then.
            Err(why) => {
                turn.log(Act::unreadable(why));
                self.try_later(number, None, turn);
            }
        }
    }

    pub(super) fn revoke_answered(
        &mut self,
        number: u64,
        answer: Result<BoxAnswer, Unreachable>,
        turn: &mut Turn,
    ) {
        match box_api::judge_revoke(answer) {
            Ok(()) => {
                self.drop_outbox(number, turn);
                turn.log(Act::Revoked { count: 1 });
            }
            Err(fault) => {
                turn.log(Act::Refused { asked: "revoke", error: word(&fault) });
                self.heed_throttle(&fault, turn);
                let (BoxFault::Throttled { retry_after } | BoxFault::Down { retry_after, .. }) = fault else {
                    return self.try_later(number, None, turn);
                };
                self.try_later(number, retry_after, turn);
            }
        }
    }

    fn try_later(&mut self, number: u64, at_least: Option<Duration>, turn: &mut Turn) {
        if let Some(mut row) = self.outbox.get(&number).cloned() {
            // Under the key that seals now: so an older one can be dropped an hour after it has made way.
            if let Ok(token) = self.open_outbox(number, &row) {
                row.token.sealed = SealedText::new(&self.seal_outbox(number, &token, turn));
            }
            let wait = plan::backoff(row.tries).max(at_least.unwrap_or_default());
            row.tries = row.tries.saturating_add(1);
            row.due = turn.now.plus(wait);
            self.put_outbox(number, row, turn);
        }
    }

    /// The alarm: limits, debts, the outbox (by the pump that follows), and the tombstone's own end.
    pub(super) fn alarmed(&mut self, turn: &mut Turn) {
        self.alarm = None;
        self.revokes_left = plan::REVOKES_PER_ALARM;
        if let Some(end) = self.limit_reached(turn.now) {
            self.end(end, turn);
        }
        self.excuse_delete(turn);
        self.pay_copy(turn);
        let over = self.forget_at().is_some_and(|at| at <= turn.now);
        if over && self.outbox.is_empty() && self.flights.is_empty() {
            self.row = None;
            turn.forgotten = true;
            turn.row_changed = false;
            turn.changes = vec![Change::Forget];
        }
    }

    /// KV has forgotten the copy by itself: nothing is left to delete.
    fn excuse_delete(&mut self, turn: &mut Turn) {
        if let Some(row) = &mut self.row
            && row.status == Status::Ended
            && row.kv.is_some()
            && turn.now >= row.expires_at
        {
            row.kv = None;
            turn.row_changed = true;
        }
    }

    /// When nothing of this keeper needs to be remembered any more.
    fn forget_at(&self) -> Option<Timestamp> {
        let row = self.row.as_ref()?;
        match row.status {
            Status::Open => None,
            Status::Opening => Some(row.expires_at),
            Status::Ended if row.kv.is_some() => None,
            Status::Ended => Some(row.expires_at.plus(plan::TOMBSTONE_SLACK)),
        }
    }

    /// The least of all that is due. What is overdue is under way, or waits for what is: the alarm looks after it in
    /// a while, should this instance be lost. Never in the past, where it would ring without end, and not later with
    /// each step, where it would never ring.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let row = self.row.as_ref()?;
        let limits = (row.status == Status::Open)
            .then(|| row.expires_at.min(row.seen_at.plus(self.settings.session_idle)));
        let outbox = self.outbox.values().map(|row| row.due).min();
        let copy = row.kv.map(|debt| debt.due);
        let forget = self.forget_at().filter(|_| self.outbox.is_empty());
        let soon = now.plus(plan::backoff(0));
        let look_again = self.alarm.filter(|at| *at > now && *at < soon).unwrap_or(soon);
        let due = [limits, outbox, copy, forget].into_iter().flatten();
        due.map(|at| if at > now { at } else { look_again }).min()
    }
}
