//! Every schedule of a scenario: a few callers, a sign-out, an alarm, and a number of faults, in every order and with
//! each fault at every step.
//!
//! From each state every move that is possible is made, each on a copy of the world. Four things keep that finite, and
//! leave out nothing that could break a rule:
//!
//! - **Equal states are explored once.** A world's fingerprint covers Box's ledger, storage, KV, every call under way,
//!   who still waits, the time, what the rules remember, and of each instance the storage it was loaded from and its
//!   events in order. A keeper is a function of those (it has no clock and no randomness), so two schedules with equal
//!   fingerprints go on in exactly the same ways. They meet whenever two moves that do not touch the same part come in
//!   either order. (Fingerprints have 64 bits: among ten million states two are mistaken for each other with a chance
//!   of 3 in a million.) How many schedules the states stand for is counted along the way.
//! - **Nothing comes between a write of the serving instance and its being durable.** A keeper cannot see whether its
//!   block is durable yet, and what waits for the block stays inside: so what comes between might as well come before
//!   or after, unless the instance dies there; and those are [`Move::FailSave`] and [`Move::CrashSaved`].
//! - **A call arrives as soon as it is sent**, unless a fault comes first. Its instance cannot see when it arrives. Where
//!   it arrives it can only be told by a call that touches the same grant or the same key (`Cargo::meets`): one
//!   instance has no two of those under way, but for what a sign-out brings about. So where a replaced instance or a
//!   lost call may be met, every order is followed; and where a sign-out can still come, two are: before all that it
//!   brings about, and after.
//! - **Time stands still until it matters.** The clock moves only by [`Move::Pass`], to the next thing that is due: when
//!   nothing else can happen while somebody waits, or while nothing but one slow call is under way. That a call is
//!   slow is a fault: it may arrive and return at any time until its limit.
//!
//! Two things are bounds, and are left to `random`: the answers to calls that end something (a revocation, a delete)
//! come at once unless they are slow or lost, and at most one call of a schedule is slow at a time.
//!
//! What may happen or not (an instance that was replaced computes on, a call without receiver arrives after all) is
//! followed both ways: after each such move the schedule may also end.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    rc::Rc,
};

use crate::{
    coda::Outcome,
    law::{Concession, Rule, Violation},
    ledger::Rotation,
    moves::{CallName, Move, Want},
    stage::Stage,
    twist::Twist,
    world::{Cargo, Flight, Rest, World},
};

/// Where a scenario begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nobody has signed in yet.
    Unopened,
    /// A session whose access token has ten minutes left: it must be refreshed, and would still do.
    Aging,
    /// A session whose access token has ended.
    Over,
    /// A session just opened, whose copy KV did not take.
    Owed,
}

/// Who comes, and how much goes wrong.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// How Box rotates.
    pub rotation: Rotation,
    /// Where it begins.
    pub start: Start,
    /// Each of these happens once, at any time: calls and rings of the alarm.
    pub actors: Vec<Move>,
    /// How many faults there are at most.
    pub faults: u32,
    /// A deliberate mistake.
    pub twist: Twist,
}

/// Every scenario that is enumerated, by its name: in both modes, with at most one fault where three come, and with two
/// where one comes.
#[must_use]
pub fn scenarios() -> Vec<(String, Scenario)> {
    use Want::{Open as SignIn, Session, SignOut, Token};
    let table: [(&str, Start, &[Want], bool, u32); 15] = [
        ("one caller, three faults", Start::Over, &[Token(1)], false, 3),
        ("two callers for one item", Start::Over, &[Token(1), Token(1)], false, 1),
        ("two callers for two items", Start::Aging, &[Token(1), Token(2)], false, 1),
        ("two callers, the token over", Start::Over, &[Token(1), Token(2)], false, 1),
        ("three callers for one item", Start::Over, &[Token(1), Token(1), Token(1)], false, 1),
        ("three callers for two items", Start::Aging, &[Token(1), Token(1), Token(2)], false, 1),
        ("a caller and a sign-out, two faults", Start::Over, &[Token(1), SignOut], false, 2),
        ("two callers and a sign-out", Start::Over, &[Token(1), Token(1), SignOut], false, 1),
        ("two callers for two items and a sign-out", Start::Aging, &[Token(1), Token(2), SignOut], false, 1),
        ("three callers and a sign-out", Start::Over, &[Token(1), Token(1), Token(2), SignOut], false, 0),
        ("two callers, a sign-out and the alarm", Start::Over, &[Token(1), Token(2), SignOut], true, 0),
        ("two callers and the alarm", Start::Owed, &[Token(1), Token(2)], true, 1),
        ("a caller, a sign-out and the alarm", Start::Aging, &[Token(1), SignOut], true, 1),
        ("a sign-in", Start::Unopened, &[SignIn], true, 2),
        (
            "two callbacks for one sign-in, and a caller",
            Start::Unopened,
            &[SignIn, SignIn, Session],
            false,
            1,
        ),
    ];
    let both = |row: &(&str, Start, &[Want], bool, u32)| {
        let (name, start, wants, rings, faults) = *row;
        let mut actors: Vec<Move> = wants.iter().map(|want| Move::Call(*want)).collect();
        actors.extend(rings.then_some(Move::Ring));
        [Rotation::Lazy, Rotation::Strict].map(|rotation| {
            let word = if rotation == Rotation::Lazy { "lazy" } else { "strict" };
            let actors = actors.clone();
            let scenario = Scenario { rotation, start, actors, faults, twist: Twist::None };
            (format!("{word}: {name}"), scenario)
        })
    };
    table.iter().flat_map(both).collect()
}

/// What came of a search.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many different schedules the states stand for.
    pub schedules: u128,
    /// How many different states there are.
    pub states: u64,
    /// How many schedules were run to their end.
    pub runs: u64,
    /// How many steps keepers took.
    pub steps: u64,
    /// How many rotations there were at most.
    pub rotations: u64,
    /// How the schedules that were run ended.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// What had to be conceded, in how many of them.
    pub conceded: BTreeMap<Concession, u64>,
}

/// A schedule that breaks a rule.
#[derive(Clone, Debug)]
pub struct Found {
    /// The rule, and how.
    pub violation: Violation,
    /// The schedule.
    pub schedule: Vec<Move>,
}

/// Explores a scenario; stops at the first schedule that breaks a rule, one as short as any it has met.
///
/// # Errors
/// That schedule. Or the scenario cannot be set up; then the schedule is empty.
pub fn search(scenario: &Scenario) -> Result<Report, Box<Found>> {
    let (stage, rest) = set_up(scenario)?;
    let world = World::resume(&stage, &rest);
    let mut search = Search { seen: HashMap::new(), put_away: HashSet::new(), report: Report::default() };
    let (actors, faults) = (scenario.actors.clone(), scenario.faults);
    let open = Open { actors, faults, slow: None, held_up: BTreeSet::new() };
    let mut path = Vec::new();
    match search.explore(world, open, &mut path) {
        Ok(schedules) => {
            search.report.schedules = schedules;
            Ok(search.report)
        }
        Err(violation) => Err(Box::new(Found { violation, schedule: path })),
    }
}

/// A story, event by event, and how it ended or what it broke.
pub type Told = (Vec<String>, Result<Outcome, Violation>);

/// Runs one schedule of a scenario and tells its story; with what it broke, or how it ended.
///
/// # Errors
/// The scenario cannot be set up.
pub fn told(scenario: &Scenario, schedule: &[Move]) -> Result<Told, Box<Found>> {
    let (stage, rest) = set_up(scenario)?;
    let mut world = World::resume(&stage, &rest);
    world.story = Some(Vec::new());
    let made = schedule.iter().try_for_each(|next| world.make(*next).map(drop));
    let ended = made.and_then(|()| world.finish());
    Ok((world.story.take().unwrap_or_default(), ended))
}

/// The stage, and the world at rest where a scenario begins.
pub(crate) fn set_up(scenario: &Scenario) -> Result<(Rc<Stage>, Rest), Box<Found>> {
    let fail = |violation| Box::new(Found { violation, schedule: Vec::new() });
    let stage = |twist| {
        let stage = Stage::new(scenario.rotation, twist);
        stage.map(Rc::new).map_err(|how| fail(Violation::of(Rule::ServesAgain, how)))
    };
    // Whatever is wrong, it is wrong from here on.
    let rest = begin(&stage(Twist::None)?, scenario.start).map_err(fail)?;
    Ok((stage(scenario.twist)?, rest))
}

fn begin(stage: &Rc<Stage>, start: Start) -> Result<Rest, Violation> {
    let mut world = World::new(stage);
    match start {
        Start::Unopened => {}
        Start::Owed => {
            world.make(Move::Call(Want::Open))?;
            while let Some(next) = world.required().first().copied() {
                let put = match next {
                    Move::Reach(name) => {
                        world.flights.get(&name).is_some_and(|flight| matches!(flight.cargo, Cargo::Put(..)))
                    }
                    _ => false,
                };
                let Move::Reach(name) = next else {
                    world.make(next)?;
                    continue;
                };
                world.make(if put { Move::Lose(name) } else { next })?;
            }
            world.bury_the_past();
            world.sleep();
            world.now += 31_000;
        }
        Start::Aging | Start::Over => {
            world.ask(Want::Open)?;
            world.let_pass(2_000)?;
            world.ask(Want::Token(9))?;
            world.let_pass(if start == Start::Aging { 1_000 } else { 1_700 })?;
            world.sleep();
        }
    }
    world.flights.clear();
    Ok(world.rest())
}

struct Search {
    /// How many schedules go on from each state that was explored.
    seen: HashMap<(u64, Open), u128>,
    /// From where it has been seen that the end is as it should be.
    put_away: HashSet<(u64, &'static str)>,
    report: Report,
}

impl Search {
    /// Explores all that can follow. On a violation, `path` is the schedule that leads to it.
    fn explore(&mut self, world: World, open: Open, path: &mut Vec<Move>) -> Result<u128, Violation> {
        let key = (world.fingerprint(), open);
        if let Some(schedules) = self.seen.get(&key) {
            return Ok(*schedules);
        }
        let choices = choices(&world, &key.1);
        let mut schedules = 0;
        for (next, open) in &choices {
            let mut world = world.clone();
            if let Some(next) = next {
                path.push(*next);
                let before = world.steps;
                world.make(*next)?;
                self.report.steps += world.steps - before;
            }
            schedules += self.explore(world, open.clone(), path)?;
            if next.is_some() {
                path.pop();
            }
        }
        if key.1.may_end(&world) {
            self.finish(world)?;
            schedules += 1;
        }
        self.report.states += 1;
        self.seen.insert(key, schedules);
        Ok(schedules)
    }

    fn finish(&mut self, mut world: World) -> Result<(), Violation> {
        let before = world.steps;
        self.report.rotations = self.report.rotations.max(world.ledger.rotations());
        let outcome = world.end_well()?;
        if self.put_away.insert((world.rest_fingerprint(), outcome.word())) {
            world.put_away(outcome)?;
        }
        self.report.runs += 1;
        self.report.steps += world.steps - before;
        *self.report.outcomes.entry(outcome.word()).or_default() += 1;
        let kinds: BTreeSet<Concession> =
            world.watch.conceded.iter().map(|(concession, _)| *concession).collect();
        for concession in kinds {
            *self.report.conceded.entry(concession).or_default() += 1;
        }
        Ok(())
    }
}

/// What may still come from outside.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Open {
    actors: Vec<Move>,
    faults: u32,
    /// A call that takes its time: the clock may go on while it is under way.
    slow: Option<CallName>,
    /// Calls that are to arrive only after what the sign-out brings about.
    held_up: BTreeSet<CallName>,
}

impl Open {
    fn may_end(&self, world: &World) -> bool {
        self.actors.is_empty() && world.required().is_empty() && !world.is_waited_for()
    }

    fn is_slow(&self, next: Move) -> bool {
        matches!(next, Move::Reach(name) | Move::Return(name) if self.slow == Some(name))
    }

    fn awaits_sign_out(&self) -> bool {
        self.actors.contains(&Move::Call(Want::SignOut))
    }
}

type Choice = (Option<Move>, Open);

/// What can be next, and what may still come from outside then.
fn choices(world: &World, open: &Open) -> Vec<Choice> {
    let mut choices = Vec::new();
    if open.faults > 0 {
        let after = Open { faults: open.faults - 1, ..open.clone() };
        choices.extend(world.faults().into_iter().map(|fault| (Some(fault), after.clone())));
        let slow = world.required().into_iter().filter_map(|next| match next {
            Move::Reach(name) | Move::Return(name) => Some(name),
            _ => None,
        });
        choices.extend(slow.map(|name| (None, Open { slow: Some(name), ..after.clone() })));
    }
    let required = world.required();
    if let Some(first) = at_once(world, open) {
        choices.extend(first);
        return choices;
    }
    let held_up = |next: &Move| matches!(next, Move::Reach(name) if open.held_up.contains(name));
    let free = required.iter().filter(|next| !held_up(next)).copied();
    choices.extend(free.chain(world.optional()).map(|next| (Some(next), open.clone())));
    let mut actors = open.actors.clone();
    actors.sort_unstable();
    // Two who want the same are the same.
    actors.dedup();
    for actor in actors {
        let mut left = open.clone();
        if let Some(index) = left.actors.iter().position(|other| *other == actor) {
            left.actors.remove(index);
        }
        choices.push((Some(actor), left));
    }
    let under_way = |name| world.flights.get(&name).is_some_and(|flight| !flight.ghost);
    let is_slow = open.slow.is_some_and(under_way);
    let rests = required.iter().all(|next| open.is_slow(*next));
    if rests && (is_slow || world.is_waited_for()) {
        choices.push((Some(Move::Pass), open.clone()));
    }
    choices
}

/// What may be taken to happen before everything else: see the module.
fn at_once(world: &World, open: &Open) -> Option<Vec<Choice>> {
    let serving = world.serving()?;
    if serving.is_saving() {
        return Some(vec![(Some(Move::Confirm(serving.number)), open.clone())]);
    }
    let one = |next: Move| Some(vec![(Some(next), open.clone())]);
    let own = || {
        let own = world.flights.iter().filter(|(name, flight)| name.0 == serving.number && !flight.ghost);
        own.filter(|(name, _)| open.slow != Some(**name))
    };
    // What takes something away is told at once, and a narrowed token is taken away at once.
    if let Some((name, _)) = own().find(|(_, flight)| flight.done.is_some() && flight.cargo.ends_something())
    {
        return one(Move::Return(*name));
    }
    if let Some((name, _)) = own().find(|(_, flight)| flight.done.is_none() && flight.cargo.ends_child()) {
        return one(Move::Reach(*name));
    }
    let arriving: Vec<(CallName, &Flight)> =
        own().filter(|(_, flight)| flight.done.is_none()).map(|(name, flight)| (*name, flight)).collect();
    let meets = |flight: &Flight| {
        let others = world.flights.iter().filter(|(name, other)| {
            other.done.is_none() && (other.ghost || name.0 != serving.number || open.slow == Some(**name))
        });
        others.into_iter().any(|(_, other)| flight.cargo.meets(&other.cargo))
            || (world.instances.len() > 1 && flight.cargo.is_kv())
    };
    let ends = arriving.iter().find(|(_, flight)| flight.cargo.ends_something());
    for (name, flight) in &arriving {
        if flight.cargo.ends_something() || open.held_up.contains(name) || meets(flight) {
            continue;
        }
        if !open.awaits_sign_out() {
            // Whatever it was to be behind has happened.
            return one(Move::Reach(*name));
        }
        let mut later = open.clone();
        later.held_up.insert(*name);
        return Some(vec![(Some(Move::Reach(*name)), open.clone()), (None, later)]);
    }
    if let Some((name, flight)) = ends {
        return if meets(flight) { None } else { one(Move::Reach(*name)) };
    }
    let held_up = arriving.iter().find(|(name, flight)| open.held_up.contains(name) && !meets(flight));
    held_up.filter(|_| !open.awaits_sign_out()).and_then(|(name, _)| one(Move::Reach(*name)))
}
