//! The runtime, as strict as workerd: what can happen next, and what comes of it.
//!
//! - Changes are written in atomic blocks; an output gate holds back what leaves (`instance`).
//! - After a crash, a failed save or a replacement nothing later of that instance happens. A replaced instance may go
//!   on computing; its first access to storage ends it. What it had started before may still land.
//! - A new instance starts from storage. The alarm is delivered at least once.
//! - KV shows what was replaced for up to a minute, and any call to it may fail, before or after it has acted.
//! - An answer of Box can be lost before Box acts or after.

use core::hash::{Hash, Hasher};
use std::{collections::BTreeMap, hash::DefaultHasher, rc::Rc};

use keyhole_core::{
    box_api::Unreachable,
    keeper::{Event, message::End},
};

use crate::{
    asked::{Asked, Said},
    instance::Instance,
    kv::Kv,
    law::{Violation, Watch},
    ledger::Ledger,
    moves::{CallName, Move, Oddity, Want},
    stage::{START_MS, Stage},
    storage::Storage,
};

mod callers;
mod calls;
mod ends;
mod steps;
mod time;
mod turn_of_caller;

/// What was sent and has no receiver any more may still arrive at Box for this long ...
const LATE_BOX_MS: u64 = 60_000;
/// ... and at KV for this long.
const LATE_KV_MS: u64 = 30_000;

/// What a call carries.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Cargo {
    Box(Asked),
    Put(Rc<[u8]>, u64),
    Delete,
    Read,
}

impl Cargo {
    /// Whether it takes something away, at Box or in KV.
    pub(crate) const fn ends_something(&self) -> bool {
        matches!(self, Self::Box(Asked::Revoke(_)) | Self::Delete)
    }

    /// Whether it takes a narrowed token away: that touches no other token.
    pub(crate) fn ends_child(&self) -> bool {
        matches!(self, Self::Box(Asked::Revoke(token)) if Ledger::is_child(token))
    }

    pub(crate) const fn is_kv(&self) -> bool {
        !matches!(self, Self::Box(_))
    }

    /// Whether it matters which of the two arrives first.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.is_kv() == other.is_kv() && !self.ends_child() && !other.ends_child()
    }
}

/// What came of it.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Done {
    Said(Said),
    Wrote,
    Value(Option<Rc<[u8]>>),
}

/// A call under way.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Flight {
    pub(crate) cargo: Cargo,
    sent_at: u64,
    limit_at: u64,
    pub(crate) done: Option<Done>,
    /// Nobody waits for its answer any more.
    pub(crate) ghost: bool,
    /// Its instance let it go by itself.
    pub(crate) let_go: bool,
}

/// What a caller has heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Token(String),
    Session,
    Items,
    Closed,
    Unopened,
    AlreadyOpened,
    Ended(End),
    /// To come again in so many seconds, if that was said.
    Fault(Option<u64>),
    /// Its instance is gone.
    Broken,
}

/// Somebody who asked.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) want: Want,
    pub(crate) asked_at: u64,
    instance: u64,
    /// It came when the owner had already been told that the session is over.
    pub(crate) after_end: bool,
    /// It came when there was a session.
    pub(crate) finds_open: bool,
    pub(crate) heard: Option<Heard>,
}

/// See the module. A copy goes on by itself.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) stage: Rc<Stage>,
    pub(crate) now: u64,
    pub(crate) ledger: Ledger,
    pub(crate) storage: Storage,
    pub(crate) kv: Kv,
    pub(crate) watch: Watch,
    pub(crate) instances: Vec<Instance>,
    pub(crate) flights: BTreeMap<CallName, Flight>,
    pub(crate) callers: Vec<Caller>,
    born: u64,
    /// How much has been due at this one instant.
    standing: u32,
    /// Steps of keepers so far.
    pub(crate) steps: u64,
    /// What happens, in words, if somebody wants to read it.
    pub(crate) story: Option<Vec<String>>,
}

/// A world at rest: no instance, no call under way.
#[derive(Clone)]
pub(crate) struct Rest {
    now: u64,
    ledger: Ledger,
    storage: Storage,
    kv: Kv,
    watch: Watch,
    born: u64,
}

type Lawful<T> = Result<T, Violation>;

impl World {
    /// Nothing has happened yet.
    pub(crate) fn new(stage: &Rc<Stage>) -> Self {
        let rest = Rest {
            now: START_MS,
            ledger: Ledger::new(stage.rotation, stage.refresh_seconds),
            storage: Storage::default(),
            kv: Kv::default(),
            watch: Watch::default(),
            born: 0,
        };
        Self::resume(stage, &rest)
    }

    /// Goes on where a world was at rest.
    pub(crate) fn resume(stage: &Rc<Stage>, rest: &Rest) -> Self {
        let rest = rest.clone();
        Self {
            stage: Rc::clone(stage),
            now: rest.now,
            ledger: rest.ledger,
            storage: rest.storage,
            kv: rest.kv,
            watch: rest.watch,
            instances: Vec::new(),
            flights: BTreeMap::new(),
            callers: Vec::new(),
            born: rest.born,
            standing: 0,
            steps: 0,
            story: None,
        }
    }

    /// What is left when every instance has gone to sleep.
    pub(crate) fn rest(&self) -> Rest {
        Rest {
            now: self.now,
            ledger: self.ledger.clone(),
            storage: self.storage.clone(),
            kv: self.kv.clone(),
            watch: self.watch.clone(),
            born: self.born,
        }
    }

    /// What must happen for the serving instance to come to rest. While a block is being saved that is all: nobody can
    /// see the difference between what happens before and after, except by a fault at just that point.
    pub(crate) fn required(&self) -> Vec<Move> {
        let Some(serving) = self.serving() else { return Vec::new() };
        if serving.is_saving() {
            return vec![Move::Confirm(serving.number)];
        }
        self.flight_moves(|name, flight| name.0 == serving.number && !flight.ghost)
    }

    /// What may happen or not: of instances that were replaced, and of calls whose instance is gone.
    pub(crate) fn optional(&self) -> Vec<Move> {
        let serving = self.serving().map(|instance| instance.number);
        let mut moves = self.flight_moves(|name, flight| flight.ghost || Some(name.0) != serving);
        let saving = self.instances.iter().filter(|old| Some(old.number) != serving && old.is_saving());
        moves.extend(saving.map(|old| Move::Confirm(old.number)));
        moves
    }

    fn flight_moves(&self, which: impl Fn(&CallName, &Flight) -> bool) -> Vec<Move> {
        let moves = self.flights.iter().filter(|(name, flight)| which(name, flight));
        moves.filter_map(|(name, flight)| self.next_of(*name, flight)).collect()
    }

    fn next_of(&self, name: CallName, flight: &Flight) -> Option<Move> {
        if flight.done.is_some() {
            return (!flight.ghost).then_some(Move::Return(name));
        }
        let late = match flight.cargo {
            Cargo::Box(_) => LATE_BOX_MS,
            _ => LATE_KV_MS,
        };
        (self.now <= flight.sent_at + late).then_some(Move::Reach(name))
    }

    /// What can go wrong just now, each in its own way.
    pub(crate) fn faults(&self) -> Vec<Move> {
        let Some(serving) = self.serving() else { return Vec::new() };
        let number = serving.number;
        if serving.is_saving() {
            return vec![Move::FailSave(number), Move::CrashSaved(number)];
        }
        let mut faults = vec![Move::Crash, Move::Replace];
        for (name, flight) in self.flights.iter().filter(|(name, flight)| name.0 == number && !flight.ghost) {
            faults.push(Move::Lose(*name));
            if matches!(flight.cargo, Cargo::Box(_)) && flight.done.is_none() {
                faults.extend([Oddity::Down, Oddity::Throttled].map(|oddity| Move::Odd(*name, oddity)));
            }
            if matches!(flight.cargo, Cargo::Read) && flight.done.is_none() {
                let seen = self.kv.newest(self.now);
                let older = (1..=3_u8).filter(|behind| {
                    self.kv.read(usize::from(*behind), self.now).is_some_and(|value| value != seen)
                });
                faults.extend(older.map(|behind| Move::Stale(*name, behind)));
            }
        }
        faults
    }

    /// Whether somebody waits for an answer.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.callers.iter().any(|caller| caller.heard.is_none())
    }

    pub(crate) fn serving(&self) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.replaced_at.is_none())
    }

    pub(crate) fn instance(&mut self, number: u64) -> Option<&mut Instance> {
        self.instances.iter_mut().find(|instance| instance.number == number)
    }

    /// Makes one move; `false` if it cannot be made now.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(crate) fn make(&mut self, next: Move) -> Lawful<bool> {
        self.tell(|| format!("* {next}"));
        let made = match next {
            Move::Call(want) => self.call(want)?,
            Move::Ring => {
                let number = self.load()?;
                self.feed(number, Event::Alarm)?;
                true
            }
            Move::Confirm(number) => self.confirm(number)?,
            Move::Reach(name) => self.reach(name, None)?,
            Move::Stale(name, behind) => self.reach(name, Some(usize::from(behind)))?,
            Move::Return(name) => self.give_back(name)?,
            Move::Lose(name) => self.lose(name, Unreachable::Broken)?,
            Move::Odd(name, oddity) => self.odd(name, oddity),
            Move::Pass => self.pass(u64::MAX)?,
            Move::Wait(seconds) => self.wait(u64::from(seconds) * 1000)?,
            Move::Crash => self.crash(),
            Move::FailSave(number) => self.fail_save(number),
            Move::CrashSaved(number) => self.crash_saved(number)?,
            Move::Replace => self.replace(),
            Move::Disown => {
                self.ledger.disown();
                true
            }
            Move::Empty => self.empty(),
        };
        self.judge_custody()?;
        Ok(made)
    }

    /// A number for the whole state: two worlds with the same go on in the same ways. It hashes what each part is, and
    /// for an instance what has happened to it.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.now, &self.ledger, &self.storage, &self.kv, &self.watch).hash(&mut hasher);
        for instance in &self.instances {
            let gate = instance.gate.len();
            (instance.number, instance.history(), instance.replaced_at, gate).hash(&mut hasher);
        }
        self.flights.hash(&mut hasher);
        self.born.hash(&mut hasher);
        for caller in &self.callers {
            (caller.want, caller.heard.is_none(), caller.after_end, caller.finds_open).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// The same for what is left when every instance sleeps.
    pub(crate) fn rest_fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.now, &self.ledger, &self.storage, &self.kv, &self.watch).hash(&mut hasher);
        hasher.finish()
    }

    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        let after = self.now - START_MS;
        if let Some(story) = &mut self.story {
            let (seconds, millis) = (after / 1000, after % 1000);
            story.push(format!("{seconds:>8}.{millis:03}  {}", line()));
        }
    }
}
