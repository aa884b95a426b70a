//! The runtime, as strict as workerd: what can happen next, and what comes of it.
//!
//! - Changes are written in atomic blocks; an output gate holds back what leaves (`instance`).
//! - After a crash, a failed save or a replacement nothing later of that instance happens. A replaced instance may go
//!   on computing; its first access to storage ends it. What it had started before may still land.
//! - A new instance starts from storage. The alarm is delivered at least once.
//! - KV shows what was replaced for up to a minute, and any call to it may fail, before or after it has acted.
//! - An answer of Box can be lost before Box acts or after.

use core::{hash::Hash, hash::Hasher};
use std::{collections::BTreeMap, hash::DefaultHasher, rc::Rc};

use keyhole_core::{
    box_api::{PageAsk, Unreachable},
    item::{Item, Scopes},
    keeper::{
        CallId, CallerId, Change, Effect, Event, Keeper, KvSilent, Timer,
        message::{Ask, End, Message, Reply, TokensAsk},
    },
    secret::{AuthorizationCode, Digest, PkceVerifier, SessionSecret},
    time::Timestamp,
};

use crate::{
    asked::{Asked, Said},
    eye::{Held, Stands},
    instance::{Gated, Instance},
    kv::Kv,
    law::{Rule, Violation, Watch},
    ledger::Ledger,
    moves::{CallName, Move, Oddity, Want},
    stage::{START_MS, Stage},
    storage::Storage,
    twist::{self, Twist},
};

/// A KV call takes no longer; then its caller hears that it failed.
const KV_LIMIT_MS: u64 = 5_000;
/// What was sent and has no receiver any more may still arrive at Box for this long ...
const LATE_BOX_MS: u64 = 60_000;
/// ... and at KV for this long.
const LATE_KV_MS: u64 = 30_000;
/// A replaced instance is given this long.
const REPLACED_MS: u64 = 30_000;
/// An alarm whose handler was lost rings again after this.
const RETRY_MS: u64 = 2_000;
/// What every token is asked for.
const SCOPES: &str = "base_preview item_preview";

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

    // Callers.

    fn call(&mut self, want: Want) -> Lawful<bool> {
        let number = self.load()?;
        let caller = CallerId(u64::try_from(self.callers.len()).unwrap_or(u64::MAX));
        let message = self.message(want);
        if want != Want::Stranger {
            self.watch.closed |= want == Want::SignOut;
            if let Some(instance) = self.instance(number) {
                instance.has_cookie = true;
            }
        }
        let after_end = self.watch.told_end;
        let finds_open = self.watch.held.stands == Stands::Open;
        let asked_at = self.now;
        self.callers.push(Caller { want, asked_at, instance: number, after_end, finds_open, heard: None });
        self.feed(number, Event::Called(caller, message))?;
        Ok(true)
    }

    fn message(&mut self, want: Want) -> Message {
        let secret = match want {
            Want::Stranger => SessionSecret::new([8; 32]),
            _ => self.stage.secret.clone(),
        };
        let ask = match want {
            Want::Open => {
                let code = self.ledger.sign_in(self.now);
                if self.watch.held.stands == Stands::Nowhere {
                    self.watch.opened_at = self.now;
                }
                let verifier = PkceVerifier::new("verifier");
                Ask::Open { code: AuthorizationCode::new(code), verifier }
            }
            Want::Session => Ask::Session,
            Want::SignOut => Ask::Close(End::SignedOut),
            Want::Items => match Item::folder("0") {
                Some(folder) => Ask::Items { folder, page: PageAsk { offset: 0, limit: 10 } },
                None => Ask::Session,
            },
            Want::Token(file) | Want::Refused(file) => self.tokens(file, matches!(want, Want::Refused(_))),
            Want::Stranger => self.tokens(1, false),
        };
        Message { secret, ask }
    }

    fn tokens(&self, file: u8, refused: bool) -> Ask {
        let held = self.watch.held.children.get(&format!("file_{file} {SCOPES}"));
        let refused = held.filter(|_| refused).map(|token| Digest::of(token)).into_iter().collect();
        let items = Item::parse(&format!("file_{file}")).into_iter().collect();
        let scopes = Scopes::parse(SCOPES).unwrap_or_default();
        Ask::Tokens(TokensAsk { items, scopes, refused })
    }

    /// The instance that serves; a new one starts from storage.
    fn load(&mut self) -> Lawful<u64> {
        if let Some(serving) = self.serving() {
            return Ok(serving.number);
        }
        self.forget_early();
        let mut records = self.storage.records();
        if self.stage.twist == Twist::RefusalBelieved {
            for record in records.iter_mut().filter(|record| record.name.is_empty()) {
                record.body = twist::without_attempt(&record.body);
            }
        }
        let (name, settings) = (self.stage.name.clone(), Rc::clone(&self.stage.settings));
        let machine = Keeper::load(name, settings, &records, self.storage.alarm)
            .map_err(|fault| Violation::of(Rule::ServesAgain, fault.to_string()))?;
        self.born += 1;
        let number = self.born;
        self.tell(|| format!("  instance {number} starts from storage"));
        self.instances.push(Instance::new(number, machine, self.storage.row(), &self.storage));
        Ok(number)
    }

    fn forget_early(&mut self) {
        const DAY_MS: u64 = 86_400_000;
        let over = self.watch.ended_at.is_some_and(|at| self.now >= at + DAY_MS);
        if over && self.stage.twist == Twist::OneDayTombstone {
            self.storage.clear();
            self.watch.held = Held::default();
        }
    }

    // Steps.

    /// One event for an instance, and what follows. An instance that is gone hears nothing.
    fn feed(&mut self, number: u64, event: Event) -> Lawful<()> {
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

    fn perform_all(&mut self, number: u64, effects: Vec<Effect>) -> Lawful<()> {
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
    fn leave(&mut self, number: u64, effect: Effect) -> Lawful<()> {
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

    fn answer(&mut self, caller: CallerId, reply: &Reply) -> Lawful<()> {
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

    fn confirm(&mut self, number: u64) -> Lawful<bool> {
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

    fn save(&mut self, changes: &[Change], has_cookie: bool) -> Lawful<()> {
        self.storage.apply(changes);
        self.judge_saved(changes, has_cookie)
    }

    // Calls.

    fn reach(&mut self, name: CallName, behind: Option<usize>) -> Lawful<bool> {
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

    fn give_back(&mut self, name: CallName) -> Lawful<bool> {
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
    fn lose(&mut self, name: CallName, why: Unreachable) -> Lawful<bool> {
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
    fn make_ghost(&mut self, name: CallName) {
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

    fn odd(&mut self, name: CallName, oddity: Oddity) -> bool {
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

    // Time.

    /// Goes on to the next thing that is due by then, and lets it happen.
    fn pass(&mut self, until: u64) -> Lawful<bool> {
        if self.instances.iter().any(Instance::is_saving) {
            return Ok(false);
        }
        let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= until) else { return Ok(false) };
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

    fn wait(&mut self, span_ms: u64) -> Lawful<bool> {
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

    // Ends of instances.

    fn crash(&mut self) -> bool {
        let Some(number) = self.serving().map(|instance| instance.number) else { return false };
        self.bury(number);
        true
    }

    fn fail_save(&mut self, number: u64) -> bool {
        let saving = self.instances.iter().any(|one| one.number == number && one.is_saving());
        if saving {
            self.bury(number);
        }
        saving
    }

    fn crash_saved(&mut self, number: u64) -> Lawful<bool> {
        let Some(instance) = self.instance(number) else { return Ok(false) };
        let Some(Gated::Block(changes, has_cookie)) = instance.gate.pop_front() else { return Ok(false) };
        self.save(&changes, has_cookie)?;
        self.bury(number);
        Ok(true)
    }

    fn replace(&mut self) -> bool {
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

    fn empty(&mut self) -> bool {
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

    // The caller that takes its refresh along: a deliberate mistake.

    fn note_refresher(&mut self, number: u64, caller: CallerId) {
        let refresh = |(name, flight): (&CallName, &Flight)| match &flight.cargo {
            Cargo::Box(asked) if name.0 == number && asked.is_refresh() && !flight.ghost => Some(*name),
            _ => None,
        };
        let gated = |effect: &Gated| match effect {
            Gated::Out(Effect::AskBox { call, request, .. }) => Asked::read(request)
                .is_some_and(|asked| asked.is_refresh())
                .then_some(CallName(number, call.0)),
            _ => None,
        };
        let flying = self.flights.iter().find_map(refresh);
        if let Some(instance) = self.instance(number)
            && instance.refresher.is_none()
        {
            let found = flying.or_else(|| instance.gate.iter().find_map(gated));
            instance.refresher = found.map(|name| (caller, name));
        }
    }

    fn let_go(&mut self, number: u64, caller: CallerId) -> Lawful<()> {
        if self.stage.twist != Twist::TurnHeldByCaller {
            return Ok(());
        }
        let held = self.instance(number).and_then(|instance| instance.refresher);
        if let Some((_, name)) = held.filter(|(owner, _)| *owner == caller)
            && let Some(flight) = self.flights.get_mut(&name)
        {
            flight.let_go = true;
            self.lose(name, Unreachable::Broken)?;
        }
        Ok(())
    }

    // What is seen from outside.

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

/// What comes next by itself.
enum Due {
    Timer(u64, Timer),
    Limit(CallName),
    Alarm,
    Burial(u64),
}

/// Changes in words, without what is sealed.
fn describe(changes: &[Change]) -> String {
    let words = changes.iter().map(|change| match change {
        Change::Put(record) if record.name.is_empty() => {
            let mut row: serde_json::Value = serde_json::from_str(&record.body).unwrap_or_default();
            row["grant"] = row["grant"].is_string().into();
            let seen = ["status", "generation", "grant", "attempt", "kv", "end"];
            let parts = seen.map(|name| format!("{name}={}", row[name]));
            format!("row({})", parts.join(" "))
        }
        Change::Put(record) => format!("{}({})", record.kind.name(), record.name),
        Change::Delete(kind, name) => format!("no {}({name})", kind.name()),
        Change::Forget => "nothing at all".to_owned(),
        Change::Alarm(at) => format!("alarm({:?})", at.map(|at| at.millis() - START_MS)),
    });
    words.collect::<Vec<_>>().join(", ")
}
