//! Ends: of instances, and of what they held.

use keyhole_core::time::Timestamp;

use super::{Heard, Lawful, World};
use crate::{
    eye::{Held, Stands},
    instance::Gated,
    moves::CallName,
};

/// An alarm whose handler was lost rings again after this.
const RETRY_MS: u64 = 2_000;

impl World {
    pub(super) fn crash(&mut self) -> bool {
        let Some(number) = self.serving().map(|instance| instance.number) else { return false };
        self.bury(number);
        true
    }

    pub(super) fn fail_save(&mut self, number: u64) -> bool {
        let saving = self.instances.iter().any(|one| one.number == number && one.is_saving());
        if saving {
            self.bury(number);
        }
        saving
    }

    pub(super) fn crash_saved(&mut self, number: u64) -> Lawful<bool> {
        let Some(instance) = self.instance(number) else { return Ok(false) };
        let Some(Gated::Block(changes, has_cookie)) = instance.gate.pop_front() else { return Ok(false) };
        self.save(&changes, has_cookie)?;
        self.bury(number);
        Ok(true)
    }

    pub(super) fn replace(&mut self) -> bool {
        let now = self.now;
        let serving = self.instances.iter_mut().find(|instance| instance.replaced_at.is_none());
        let Some(serving) = serving.filter(|serving| !serving.is_saving()) else { return false };
        serving.replaced_at = Some(now);
        true
    }

    /// An instance is gone: its callers hear so, its calls have no receiver, what it held back never leaves.
    pub(crate) fn bury(&mut self, number: u64) {
        let Some(index) = self.instances.iter().position(|instance| instance.number == number) else {
            return;
        };
        let instance = self.instances.remove(index);
        self.tell(|| format!("  instance {number} is gone"));
        for token in &instance.knows {
            if !self.watch.durable.contains(token) {
                self.watch.fate(token).lost = true;
            }
        }
        if instance.ringing {
            let again = Timestamp::from_millis(self.now + RETRY_MS);
            self.storage.alarm = Some(self.storage.alarm.map_or(again, |at| at.min(again)));
        }
        let names: Vec<CallName> = self.flights.keys().filter(|name| name.0 == number).copied().collect();
        for name in names {
            self.make_ghost(name);
        }
        for caller in self.callers.iter_mut().filter(|caller| caller.instance == number) {
            caller.heard.get_or_insert(Heard::Broken);
        }
    }

    /// Instances that were replaced go, and what is still on its way for nobody never arrives.
    pub(crate) fn bury_the_past(&mut self) {
        let old = self.instances.iter().filter(|instance| instance.replaced_at.is_some());
        for number in old.map(|instance| instance.number).collect::<Vec<_>>() {
            self.bury(number);
        }
        self.flights.retain(|_, flight| !flight.ghost);
    }

    /// Every instance goes to sleep; nothing is under way.
    pub(crate) fn sleep(&mut self) {
        for number in self.instances.iter().map(|instance| instance.number).collect::<Vec<_>>() {
            self.bury(number);
        }
    }

    pub(super) fn empty(&mut self) -> bool {
        // Only once KV shows the same to everybody: a copy that nobody can read yet saves nobody.
        let open = self.watch.held.stands == Stands::Open;
        if self.serving().is_some() || !open || !self.kv.is_settled(self.now) {
            return false;
        }
        self.storage.clear();
        self.watch.held = Held::default();
        self.watch.emptied = true;
        true
    }
}
