//! Time: it passes from one thing that is due to the next.

use keyhole_core::{
    box_api::Unreachable,
    keeper::{Event, Timer},
    time::Timestamp,
};

use super::{Lawful, World};
use crate::{
    instance::Instance,
    law::{Rule, Violation},
    moves::CallName,
};

/// More than this at one instant is a circle.
const STANDING_MAX: u32 = 200;
/// A replaced instance is given this long.
const REPLACED_MS: u64 = 30_000;

impl World {
    /// Goes on to the next thing that is due by then, and lets it happen.
    pub(super) fn pass(&mut self, until: u64) -> Lawful<bool> {
        if self.instances.iter().any(Instance::is_saving) {
            return Ok(false);
        }
        let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= until) else { return Ok(false) };
        self.standing = if at > self.now { 0 } else { self.standing + 1 };
        if self.standing > STANDING_MAX {
            return Err(Violation::of(
                Rule::NothingLeft,
                "something is due without end, and time stands still",
            ));
        }
        self.go_on_to(at);
        match due {
            Due::Timer(number, timer) => {
                self.tell(|| format!("  instance {number} has waited: {timer:?}"));
                if let Some(instance) = self.instance(number) {
                    instance.timers.remove(0);
                }
                self.feed(number, Event::Waited(timer))?;
            }
            Due::Limit(name) => drop(self.lose(name, Unreachable::Slow)?),
            Due::Alarm => {
                self.tell(|| "  the alarm rings".to_owned());
                let number = self.load()?;
                self.storage.alarm = None;
                self.feed(number, Event::Alarm)?;
            }
            Due::Burial(number) => self.bury(number),
        }
        self.judge_waiting()?;
        Ok(true)
    }

    /// Time passes, and what was on its way for too long never arrives.
    fn go_on_to(&mut self, at: u64) {
        self.now = self.now.max(at);
        self.kv.forget(self.now);
        let over = self
            .flights
            .iter()
            .filter(|(name, flight)| flight.ghost && self.next_of(**name, flight).is_none());
        for name in over.map(|(name, _)| *name).collect::<Vec<_>>() {
            self.flights.remove(&name);
        }
    }

    /// The earliest of all that is due, and when.
    fn next_due(&self) -> Option<(u64, Due)> {
        let timers = self.instances.iter().filter_map(|instance| {
            instance.timers.first().map(|(at, _, timer)| (*at, Due::Timer(instance.number, *timer)))
        });
        let burials = self.instances.iter().filter_map(|instance| {
            instance.replaced_at.map(|at| (at + REPLACED_MS, Due::Burial(instance.number)))
        });
        let flying = self.flights.iter().filter(|(_, flight)| !flight.ghost);
        let limits = flying.map(|(name, flight)| (flight.limit_at, Due::Limit(*name)));
        let alarm = self.storage.alarm.map(|at| (at.millis(), Due::Alarm));
        timers.chain(limits).chain(alarm).chain(burials).min_by_key(|(at, _)| *at)
    }

    /// When that is.
    pub(crate) fn next_due_at(&self) -> Option<u64> {
        self.next_due().map(|(at, _)| at)
    }

    pub(super) fn wait(&mut self, span_ms: u64) -> Lawful<bool> {
        if self.instances.iter().any(Instance::is_saving) {
            return Ok(false);
        }
        let until = self.now.saturating_add(span_ms);
        while self.pass(until)? {
            // What is written meanwhile becomes durable at once: time does not stand still for it.
            while let Some(number) = self.instances.iter().find(|one| one.is_saving()).map(|one| one.number) {
                self.confirm(number)?;
            }
        }
        self.go_on_to(until);
        Ok(true)
    }

    /// When the object is to be woken, if it has asked for that.
    pub(crate) fn alarm(&self) -> Option<u64> {
        self.storage.alarm.map(Timestamp::millis)
    }
}

/// What comes next by itself.
enum Due {
    Timer(u64, Timer),
    Limit(CallName),
    Alarm,
    Burial(u64),
}
