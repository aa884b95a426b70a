//! Calls to Box and KV: they arrive, they are acted on, their answers come back, or are lost.

use std::rc::Rc;

use keyhole_core::{
    box_api::Unreachable,
    keeper::{CallId, Event, KvSilent},
};

use super::{Cargo, Done, Flight, Lawful, World};
use crate::{
    asked::{Asked, Said},
    moves::{CallName, Oddity},
};

impl World {
    pub(super) fn reach(&mut self, name: CallName, behind: Option<usize>) -> Lawful<bool> {
        let now = self.now;
        let Some(flight) = self.flights.get(&name).filter(|flight| self.next_of(name, flight).is_some())
        else {
            return Ok(false);
        };
        let (cargo, ghost, let_go) = (flight.cargo.clone(), flight.ghost, flight.let_go);
        if flight.done.is_some() || (behind.is_some() && !matches!(cargo, Cargo::Read)) {
            return Ok(false);
        }
        let done = match &cargo {
            Cargo::Box(asked) => {
                let said = self.ledger.act(asked, now);
                self.tell(|| format!("  Box: {asked}: {said}"));
                self.note_said(asked, &said, ghost && !let_go);
                Done::Said(said)
            }
            Cargo::Put(value, expires_at) => {
                self.kv.put(Rc::clone(value), *expires_at, now);
                Done::Wrote
            }
            Cargo::Delete => {
                self.kv.delete(now);
                Done::Wrote
            }
            Cargo::Read => {
                let Some(value) = self.kv.read(behind.unwrap_or(0), now) else { return Ok(false) };
                self.watch.read_too_early = self.kv.newest(now).is_none();
                Done::Value(value)
            }
        };
        if ghost {
            self.flights.remove(&name);
        } else if let Some(flight) = self.flights.get_mut(&name) {
            flight.done = Some(done);
        }
        Ok(true)
    }

    pub(super) fn give_back(&mut self, name: CallName) -> Lawful<bool> {
        let ready = |flight: &&Flight| !flight.ghost && flight.done.is_some();
        if self.flights.get(&name).filter(ready).is_none() {
            return Ok(false);
        }
        let Some(Flight { done: Some(done), .. }) = self.flights.remove(&name) else { return Ok(false) };
        let call = CallId(name.1);
        let event = match done {
            Done::Said(said) => {
                if let Some(token) = said.brings() {
                    self.watch.fate(token).delivered = true;
                    let token = token.to_owned();
                    if let Some(instance) = self.instance(name.0) {
                        instance.knows.insert(token);
                    }
                }
                Event::BoxAnswered(call, Ok(said.answer()))
            }
            Done::Wrote => Event::KvWrote(call, true),
            Done::Value(value) => Event::KvRead(call, Ok(value.map(|value| value.to_vec()))),
        };
        self.feed(name.0, event)?;
        Ok(true)
    }

    /// The answer does not come; what has not arrived may still do so.
    pub(super) fn lose(&mut self, name: CallName, why: Unreachable) -> Lawful<bool> {
        let Some(flight) = self.flights.get(&name).filter(|flight| !flight.ghost).cloned() else {
            return Ok(false);
        };
        self.make_ghost(name);
        let call = CallId(name.1);
        let event = match flight.cargo {
            Cargo::Box(_) => Event::BoxAnswered(call, Err(why)),
            Cargo::Put(..) | Cargo::Delete => Event::KvWrote(call, false),
            Cargo::Read => Event::KvRead(call, Err(KvSilent)),
        };
        self.feed(name.0, event)?;
        Ok(true)
    }

    /// Nobody waits for this call any more.
    pub(super) fn make_ghost(&mut self, name: CallName) {
        let Some(mut flight) = self.flights.remove(&name) else { return };
        match &flight.done {
            Some(Done::Said(said)) => {
                if let Some(token) = said.brings()
                    && !flight.let_go
                {
                    self.watch.fate(token).lost = true;
                }
            }
            None if !matches!(flight.cargo, Cargo::Read) => {
                flight.ghost = true;
                self.flights.insert(name, flight);
            }
            _ => {}
        }
    }

    pub(super) fn odd(&mut self, name: CallName, oddity: Oddity) -> bool {
        let Some(flight) = self.flights.get_mut(&name) else { return false };
        let Cargo::Box(asked) = &flight.cargo else { return false };
        let revokes = matches!(asked, Asked::Revoke(_));
        if flight.done.is_some() || flight.ghost || (revokes && oddity == Oddity::Garbage) {
            return false;
        }
        let said = match oddity {
            Oddity::Down => Said::Down,
            Oddity::Throttled => Said::Throttled,
            Oddity::Unauthorized => Said::Unauthorized,
            Oddity::Garbage => Said::Garbage,
        };
        let asked = asked.clone();
        flight.done = Some(Done::Said(said.clone()));
        self.note_said(&asked, &said, false);
        true
    }
}
