//! The copy in KV: it outlives the object. Written after each change of the pair, read when an attempt was cut off or
//! when the object's storage is empty. A silent KV is never a miss, and what KV holds is judged by its sealed times.

use super::{
    CallId, CallerId, CopyLabel, Effect, Flight, Keeper, KvSilent, Turn, Wants,
    log::Act,
    message::{Ask, KeeperFault, Reply},
    plan,
    record::{Attempt, Copy, Debt, Grant, Owed, Row, SealedText, Status, Unreadable},
};
use crate::{seal, secret::SessionSecret, time::Timestamp};

/// Opens what KV may still hold of a session that has ended, until the copy is deleted for good.
#[derive(Clone)]
pub(super) struct Leftover {
    pub(super) secret: SessionSecret,
    /// What is of a later generation than this is in nobody's hands.
    pub(super) held: u64,
}

impl Keeper {
    /// Puts the row's sealed grant into KV.
    pub(super) fn copy_grant(&mut self, turn: &mut Turn) {
        let Some(row) = &self.row else { return };
        let Some(sealed) = row.grant.clone() else { return };
        self.put_copy(row.generation, sealed, turn);
    }

    /// Starts the put of this generation.
    pub(super) fn put_copy(
        &mut self,
        generation: u64,
        sealed: SealedText,
        turn: &mut Turn,
    ) -> Option<CallId> {
        let row = self.row.as_ref()?;
        let (opened_at, expires_at) = (row.opened_at, row.expires_at);
        let key = sealed.bytes().ok().and_then(|sealed| seal::key_of(&sealed));
        let label = CopyLabel { key, generation, opened_at, put_at: turn.now };
        let value = Copy::new(generation, sealed).encode();
        let call = self.take_off(Flight::CopyGrant { generation });
        turn.then.push(Effect::PutKv { call, value, label, expires_at });
        Some(call)
    }

    /// The copy in KV is behind: it will be put before long.
    pub(super) fn owe_copy(&mut self, turn: &mut Turn) {
        if let Some(row) = &mut self.row
            && row.kv.is_none()
        {
            row.kv = Some(Debt::new(Owed::Put, turn.now));
            turn.row_changed = true;
        }
    }

    /// Deletes the copy of a session that has ended; what it may hold of a pair that nobody else has is read first.
    pub(super) fn clear_copy(&mut self, turn: &mut Turn) {
        if self.leftover.is_some() {
            self.read_copy(turn);
        } else {
            self.delete_copy(turn);
        }
    }

    /// A later pair in KV than the ended row ever held is revoked with the rest.
    fn revoke_leftover(&mut self, value: &[u8], turn: &mut Turn) {
        let Some(Leftover { secret, held }) = self.leftover.clone() else { return };
        if let Some(Ok((copy, grant))) = self.later_copy(value, held, &secret) {
            self.leftover = Some(Leftover { secret, held: copy.generation });
            self.revoke_later(grant.refresh.expose(), plan::REFRESH_TOKEN_LIFE, true, turn);
        }
    }

    pub(super) fn delete_copy(&mut self, turn: &mut Turn) {
        let call = self.take_off(Flight::DeleteCopy);
        turn.then.push(Effect::DeleteKv(call));
    }

    /// Pays what KV is owed, if it is due and not on its way.
    pub(super) fn pay_copy(&mut self, turn: &mut Turn) {
        let Some(debt) = self.row.as_ref().and_then(|row| row.kv).filter(|debt| debt.due <= turn.now) else {
            return;
        };
        let flying = |flight: &Flight| matches!(flight, Flight::CopyGrant { .. } | Flight::DeleteCopy);
        if self.flights.values().any(flying) {
            return;
        }
        // While an attempt is open, KV may hold a later pair than this row, or be about to: a dead instance's last act.
        let may_bury = debt.what == Owed::Put && self.row.as_ref().is_some_and(|row| row.attempt.is_some());
        // Due again should this try, or this instance, be lost.
        if let Some(row) = &mut self.row {
            let tries = debt.tries.saturating_add(u32::from(may_bury || self.leftover.is_some()));
            row.kv = Some(Debt { due: turn.now.plus(plan::backoff(debt.tries)), tries, ..debt });
            turn.row_changed = true;
        }
        match debt.what {
            Owed::Put if may_bury => {}
            Owed::Put => self.copy_grant(turn),
            Owed::Delete => self.clear_copy(turn),
        }
    }

    pub(super) fn kv_wrote(&mut self, call: CallId, wrote: bool, turn: &mut Turn) {
        let flight = self.flights.remove(&call);
        if self.escrow_put(call, wrote, turn) {
            return;
        }
        let Some(row) = &mut self.row else { return };
        if row.status == Status::Ended && matches!(flight, Some(Flight::CopyGrant { .. })) {
            // It was slower than the end, and may have landed after the delete.
            row.kv = Some(Debt::new(Owed::Delete, turn.now));
            turn.row_changed = true;
            self.delete_copy(turn);
            return;
        }
        let settles = match (&flight, row.kv.map(|debt| debt.what)) {
            (Some(Flight::CopyGrant { generation }), Some(Owed::Put)) => *generation == row.generation,
            (Some(Flight::DeleteCopy), Some(Owed::Delete)) => true,
            _ => false,
        };
        if let (true, Some(debt)) = (settles, row.kv) {
            let tries = debt.tries.saturating_add(1);
            let later = Debt { due: turn.now.plus(plan::backoff(tries)), tries, ..debt };
            row.kv = (!wrote).then_some(later);
            // What an open attempt's instance was putting may land until then: it is deleted once more.
            let settled = row.attempt.map(|attempt| attempt.deadline.plus(plan::KV_SETTLE));
            if let (true, Owed::Delete, Some(settled)) = (wrote, debt.what, settled) {
                row.attempt = None;
                row.kv = (turn.now < settled).then_some(Debt { due: settled, tries: 0, ..debt });
            }
            turn.row_changed = true;
            self.leftover = self.leftover.take().filter(|_| row.kv.is_some());
        }
        if matches!(flight, Some(Flight::CopyGrant { generation }) if generation < row.generation) {
            // It may have landed after the copy of the present generation.
            self.owe_copy(turn);
        }
    }

    pub(super) fn read_copy(&mut self, turn: &mut Turn) {
        let call = self.take_off(Flight::ReadCopy);
        turn.then.push(Effect::ReadKv(call));
    }

    /// The object's storage is empty: a session may still live in KV.
    pub(super) fn restore(&mut self, caller: CallerId, secret: SessionSecret, ask: Ask, turn: &mut Turn) {
        if !self.flights.values().any(|flight| matches!(flight, Flight::ReadCopy)) {
            self.read_copy(turn);
        }
        self.wait(caller, Wants::Restored(secret, ask), turn);
    }

    pub(super) fn kv_read(
        &mut self,
        call: CallId,
        value: Result<Option<Vec<u8>>, KvSilent>,
        turn: &mut Turn,
    ) {
        if self.flights.remove(&call).is_none() {
            return;
        }
        let waiting: Vec<CallerId> = self.callers.keys().copied().collect();
        for caller in waiting {
            let restored = self.take_wants(caller, |wants| matches!(wants, Wants::Restored(..)));
            if let Some(Wants::Restored(secret, ask)) = restored {
                match self.restored(&secret, &value, turn) {
                    Ok(()) => self.called(caller, super::message::Message { secret, ask }, turn),
                    Err(reply) => turn.reply(caller, reply),
                }
            }
        }
        match self.row.as_ref().map(|row| row.status) {
            Some(Status::Open) => self.recovered(value, turn),
            Some(Status::Ended) if self.leftover.is_some() => {
                // A silent KV still owes the answer, and the delete: the alarm asks again.
                if let Ok(value) = value {
                    self.revoke_leftover(&value.unwrap_or_default(), turn);
                    self.delete_copy(turn);
                }
            }
            _ => {}
        }
    }

    /// Makes the row from KV's copy, if there is one and this secret opens it.
    fn restored(
        &mut self,
        secret: &SessionSecret,
        value: &Result<Option<Vec<u8>>, KvSilent>,
        turn: &mut Turn,
    ) -> Result<(), Reply> {
        if self.row.is_some() {
            return Ok(());
        }
        let value = match value {
            Ok(Some(value)) => value,
            Ok(None) => return Err(Reply::Unopened),
            Err(KvSilent) => return Err(Reply::Fault(KeeperFault::Recovering { retry_after: 5 })),
        };
        let (copy, grant) = self.read(value, secret).map_err(|why| {
            turn.log(Act::unreadable(why));
            Reply::Fault(KeeperFault::Misconfigured)
        })?;
        self.row = Some(restored_row(secret, &copy, &grant, turn.now));
        self.refreshing.begin_restored(turn.now);
        self.secret = Some(secret.clone());
        self.grant = Some(grant);
        turn.row_changed = true;
        Ok(())
    }

    /// An attempt was cut off: a later generation in KV is adopted, a miss or an older one is not.
    fn recovered(&mut self, value: Result<Option<Vec<u8>>, KvSilent>, turn: &mut Turn) {
        let (Some(secret), Some(row)) = (self.secret.clone(), &self.row) else { return };
        // An older copy is not even opened: its key may be gone.
        let later =
            value.map(|value| value.and_then(|bytes| self.later_copy(&bytes, row.generation, &secret)));
        match later {
            Ok(Some(Ok((copy, grant)))) => self.adopt(copy, grant, turn),
            Ok(None) => self.nothing_to_adopt(turn),
            Ok(Some(Err(why))) => {
                turn.log(Act::unreadable(why));
                self.pause_recovery(turn, KeeperFault::Misconfigured);
            }
            Err(KvSilent) => self.pause_recovery(turn, KeeperFault::Recovering { retry_after: 5 }),
        }
    }

    /// What KV holds, if it is of a later generation than `held`.
    fn later_copy(
        &self,
        value: &[u8],
        held: u64,
        secret: &SessionSecret,
    ) -> Option<Result<(Copy, Grant), Unreadable>> {
        match Copy::decode(value) {
            Ok(copy) if copy.generation <= held => None,
            _ => Some(self.read(value, secret)),
        }
    }

    fn read(&self, value: &[u8], secret: &SessionSecret) -> Result<(Copy, Grant), Unreadable> {
        let copy = Copy::decode(value)?;
        let grant = self.open_grant(&copy.grant, copy.generation, secret)?;
        Ok((copy, grant))
    }
}

/// An open row as the sealed copy says; its limits are judged by the call that follows.
fn restored_row(secret: &SessionSecret, copy: &Copy, grant: &Grant, now: Timestamp) -> Row {
    let mut row = Row::opening(&secret.hash(), now, grant.expires_at);
    row.status = Status::Open;
    row.opened_at = grant.opened_at;
    row.seen_at = grant.seen_at;
    row.generation = copy.generation;
    row.grant = Some(copy.grant.clone());
    // For an instance after this one, too: a later pair may still be on its way to KV.
    row.attempt = Some(Attempt { generation: copy.generation, deadline: now });
    row
}
