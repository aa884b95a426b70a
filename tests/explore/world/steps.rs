//! Steps: an event for an instance, and what follows from it, in order.

use std::rc::Rc;

use keyhole_core::keeper::{CallerId, Change, Effect, Event, Timer, message::Reply};

use super::{Cargo, Flight, Lawful, World};
use crate::{
    asked::Asked,
    instance::Gated,
    law::{Rule, Violation},
    moves::CallName,
    stage::START_MS,
    twist::{self, Twist},
};

/// A KV call takes no longer; then its caller hears that it failed.
const KV_LIMIT_MS: u64 = 5_000;

impl World {
    /// One event for an instance, and what follows. An instance that is gone hears nothing.
    pub(super) fn feed(&mut self, number: u64, event: Event) -> Lawful<()> {
        let (now, twist) = (self.now, self.stage.twist);
        if let Event::Waited(Timer::Caller(caller)) = event {
            self.let_go(number, caller)?;
        }
        let called = match event {
            Event::Called(caller, _) => Some(caller),
            _ => None,
        };
        let rings = matches!(event, Event::Alarm);
        let Some(instance) = self.instance(number) else { return Ok(()) };
        let effects = instance.step(event, now);
        let row = instance.row.clone();
        self.steps += 1;
        let mut effects = twist.bend(effects, row.as_deref());
        let late = if twist == Twist::CopyAfterRow { twist::take_escrow(&mut effects) } else { None };
        self.perform_all(number, effects)?;
        if let Some((put, timer)) = late {
            self.feed(number, Event::Waited(timer))?;
            self.perform_all(number, vec![put])?;
        }
        if let Some(caller) = called {
            self.note_refresher(number, caller);
        }
        if let Some(instance) = self.instance(number) {
            instance.ringing = (instance.ringing || rings) && instance.is_saving();
        }
        Ok(())
    }

    pub(super) fn perform_all(&mut self, number: u64, effects: Vec<Effect>) -> Lawful<()> {
        for effect in effects {
            let now = self.now;
            let Some(instance) = self.instance(number) else { return Ok(()) };
            match effect {
                Effect::Write(changes) => {
                    if instance.replaced_at.is_some() {
                        self.tell(|| format!("  instance {number} touches storage and ends"));
                        self.bury(number);
                        return Ok(());
                    }
                    let told = describe(&changes);
                    instance.write(changes);
                    self.tell(|| format!("  instance {number} writes {told}"));
                }
                Effect::Wait(timer, span) => instance.set_timer(timer, span, now),
                Effect::Log(act) => self.tell(|| format!("  instance {number} logs {act:?}")),
                effect if instance.is_saving() => instance.gate.push_back(Gated::Out(effect)),
                effect => self.leave(number, effect)?,
            }
        }
        Ok(())
    }

    /// Something leaves the object.
    pub(super) fn leave(&mut self, number: u64, effect: Effect) -> Lawful<()> {
        self.tell(|| format!("  instance {number} sends {effect:?}"));
        let (call, cargo, limit) = match effect {
            Effect::AskBox { call, request, limit } => {
                let asked = Asked::read(&request).ok_or_else(|| {
                    Violation::of(Rule::RightToken, "Box is asked for what it does not know")
                })?;
                self.tell(|| format!("    to {asked}"));
                self.judge_asked(number, &asked)?;
                (call, Cargo::Box(asked), u64::try_from(limit.as_millis()).unwrap_or(u64::MAX))
            }
            Effect::PutKv { call, value, expires_at, .. } => {
                if let Some(copy) = self.stage.eye().copy(&value) {
                    self.watch.fate(&copy.refresh).copied = true;
                }
                (call, Cargo::Put(Rc::from(value), expires_at.millis()), KV_LIMIT_MS)
            }
            Effect::DeleteKv(call) => (call, Cargo::Delete, KV_LIMIT_MS),
            Effect::ReadKv(call) => (call, Cargo::Read, KV_LIMIT_MS),
            Effect::Reply(caller, reply) => return self.answer(caller, &reply),
            Effect::Write(_) | Effect::Wait(..) | Effect::Log(_) => return Ok(()),
        };
        let (sent_at, limit_at) = (self.now, self.now.saturating_add(limit));
        let flight = Flight { cargo, sent_at, limit_at, done: None, ghost: false, let_go: false };
        self.flights.insert(CallName(number, call.0), flight);
        Ok(())
    }

    pub(super) fn answer(&mut self, caller: CallerId, reply: &Reply) -> Lawful<()> {
        let index = usize::try_from(caller.0).unwrap_or(usize::MAX);
        let Some(caller) = self.callers.get(index).filter(|caller| caller.heard.is_none()).cloned() else {
            return Ok(());
        };
        let heard = self.judge_reply(&caller, reply)?;
        self.tell(|| format!("    caller {index} ({:?}) hears {heard:?}", caller.want));
        if let Some(caller) = self.callers.get_mut(index) {
            caller.heard = Some(heard);
        }
        Ok(())
    }

    pub(super) fn confirm(&mut self, number: u64) -> Lawful<bool> {
        let Some(instance) = self.instance(number) else { return Ok(false) };
        let Some(Gated::Block(changes, has_cookie)) = instance.gate.pop_front() else { return Ok(false) };
        self.save(&changes, has_cookie)?;
        while let Some(instance) = self.instance(number)
            && let Some(Gated::Out(_)) = instance.gate.front()
        {
            if let Some(Gated::Out(effect)) = instance.gate.pop_front() {
                self.leave(number, effect)?;
            }
        }
        if let Some(instance) = self.instance(number) {
            instance.ringing &= instance.is_saving();
        }
        Ok(true)
    }

    pub(super) fn save(&mut self, changes: &[Change], has_cookie: bool) -> Lawful<()> {
        self.storage.apply(changes);
        self.judge_saved(changes, has_cookie)
    }
}

/// Changes in words, without what is sealed.
fn describe(changes: &[Change]) -> String {
    let words = changes.iter().map(|change| match change {
        Change::Put(record) if record.name.is_empty() => {
            let row: serde_json::Value = serde_json::from_str(&record.body).unwrap_or_default();
            let word = |name: &str| match row.get(name) {
                Some(serde_json::Value::String(_)) if name == "grant" => "sealed".to_owned(),
                other => other.cloned().unwrap_or_default().to_string(),
            };
            let seen = ["status", "generation", "grant", "attempt", "kv", "end"];
            let parts = seen.map(|name| format!("{name}={}", word(name)));
            format!("row({})", parts.join(" "))
        }
        Change::Put(record) => format!("{}({})", record.kind.name(), record.name),
        Change::Delete(kind, name) => format!("no {}({name})", kind.name()),
        Change::Forget => "nothing at all".to_owned(),
        Change::Alarm(at) => format!("alarm({:?})", at.map(|at| at.millis() - START_MS)),
    });
    words.collect::<Vec<_>>().join(", ")
}
