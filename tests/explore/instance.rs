//! An instance of the object: a keeper in memory, behind an output gate.
//!
//! What an instance writes is durable only when the runtime confirms it; what leaves the object waits until every
//! block written before it is durable, and never leaves if the instance is gone by then.

use core::{
    hash::{Hash, Hasher},
    time::Duration,
};
use std::{
    collections::{BTreeSet, VecDeque},
    hash::DefaultHasher,
};

use keyhole_core::{
    keeper::{CallerId, Change, Effect, Event, Keeper, Timer, record::Kind},
    secret::Entropy,
    time::Timestamp,
};

use crate::moves::CallName;

/// What is held back, in order.
#[derive(Clone)]
pub(crate) enum Gated {
    /// A block that is not durable yet, and whether a browser had brought the cookie when it was written.
    Block(Vec<Change>, bool),
    /// What waits for the blocks before it.
    Out(Effect),
}

/// See the module.
#[derive(Clone)]
pub(crate) struct Instance {
    pub(crate) number: u64,
    machine: Keeper,
    /// Another instance took its place, at this time.
    pub(crate) replaced_at: Option<u64>,
    pub(crate) gate: VecDeque<Gated>,
    /// When what is due, and in which order it was asked for.
    pub(crate) timers: Vec<(u64, u64, Timer)>,
    /// The alarm was delivered, and what came of it is not durable yet.
    pub(crate) ringing: bool,
    /// Tokens that reached it.
    pub(crate) knows: BTreeSet<String>,
    /// A browser has brought the cookie.
    pub(crate) has_cookie: bool,
    /// The session row as this instance wrote or read it last.
    pub(crate) row: Option<String>,
    /// Who brought the refresh about that is in flight.
    pub(crate) refresher: Option<(CallerId, CallName)>,
    /// A hash of all that has happened to it: two with the same are in the same state, because a keeper is a function
    /// of its storage and its events.
    history: DefaultHasher,
    steps: u64,
}

impl Instance {
    pub(crate) fn new(number: u64, machine: Keeper, row: Option<&str>, loaded: &impl Hash) -> Self {
        let mut history = DefaultHasher::new();
        (number, loaded).hash(&mut history);
        Self {
            number,
            machine,
            replaced_at: None,
            gate: VecDeque::new(),
            timers: Vec::new(),
            ringing: false,
            knows: BTreeSet::new(),
            has_cookie: false,
            row: row.map(str::to_owned),
            refresher: None,
            history,
            steps: 0,
        }
    }

    /// One event, one step.
    pub(crate) fn step(&mut self, event: Event, now: u64) -> Vec<Effect> {
        self.note(&event, now);
        self.steps += 1;
        let mut seed = [0; 32];
        let number = self.number.to_be_bytes().into_iter().chain(self.steps.to_be_bytes());
        seed.iter_mut().zip(number).for_each(|(byte, drawn)| *byte = drawn);
        self.machine.step(event, Timestamp::from_millis(now), Entropy::new(seed))
    }

    fn note(&mut self, event: &Event, now: u64) {
        let history = &mut self.history;
        now.hash(history);
        match event {
            Event::Called(caller, message) => (0, caller.0, message.encode()).hash(history),
            Event::BoxAnswered(call, answer) => {
                let told = answer.as_ref().map(|answer| (answer.status().as_u16(), answer.body()));
                (1, call.0, told.map_err(|fault| format!("{fault:?}"))).hash(history);
            }
            Event::KvWrote(call, wrote) => (2, call.0, wrote).hash(history),
            Event::KvRead(call, value) => (3, call.0, value.as_ref().ok()).hash(history),
            Event::Waited(timer) => (4, format!("{timer:?}")).hash(history),
            Event::Alarm => 5.hash(history),
        }
    }

    /// A number for all that has happened to it.
    pub(crate) fn history(&self) -> u64 {
        self.history.finish()
    }

    pub(crate) fn write(&mut self, changes: Vec<Change>) {
        for change in &changes {
            match change {
                Change::Put(record) if record.kind == Kind::Session => self.row = Some(record.body.clone()),
                Change::Forget => self.row = None,
                _ => {}
            }
        }
        self.gate.push_back(Gated::Block(changes, self.has_cookie));
    }

    pub(crate) fn set_timer(&mut self, timer: Timer, span: Duration, now: u64) {
        let due = now.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        self.timers.push((due, self.steps, timer));
        self.timers.sort_by_key(|(due, order, _)| (*due, *order));
    }

    /// Whether it has written what is not durable yet.
    pub(crate) fn is_saving(&self) -> bool {
        !self.gate.is_empty()
    }
}
