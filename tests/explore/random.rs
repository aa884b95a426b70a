//! Schedules beyond what can be enumerated: more callers, more faults in a row, and days in which access tokens,
//! refresh tokens and sessions end. Each follows from a seed and its own number.

use std::{collections::BTreeMap, ops::AddAssign, rc::Rc};

use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};

use crate::{
    coda::Outcome,
    law::{Concession, Rule, Violation},
    ledger::Rotation,
    moves::{Move, Oddity, Want},
    search::{Found, Told},
    stage::{START_MS, Stage},
    twist::Twist,
    world::{Cargo, Rest, World},
};

/// Which schedules.
#[derive(Clone, Copy, Debug)]
pub struct Dice {
    /// All follows from this, and from a schedule's number.
    pub seed: u64,
    /// How Box rotates; `None` for both in turn.
    pub mode: Option<Rotation>,
    /// A deliberate mistake.
    pub twist: Twist,
}

/// What came of some schedules.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many there were.
    pub schedules: u64,
    /// How many steps keepers took.
    pub steps: u64,
    /// In how many a session was opened.
    pub sessions: u64,
    /// How many pairs Box gave out after the first.
    pub rotations: u64,
    /// How many faults there were.
    pub faults: u64,
    /// How many sessions were lost in the one window.
    pub lost_in_window: u64,
    /// How the schedules ended.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// What had to be conceded, in how many of them.
    pub conceded: BTreeMap<Concession, u64>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.steps += other.steps;
        self.sessions += other.sessions;
        self.rotations += other.rotations;
        self.faults += other.faults;
        self.lost_in_window += other.lost_in_window;
        for (word, count) in other.outcomes {
            *self.outcomes.entry(word).or_default() += count;
        }
        for (concession, count) in other.conceded {
            *self.conceded.entry(concession).or_default() += count;
        }
    }
}

/// A random schedule that breaks a rule.
#[derive(Clone, Debug)]
pub struct FoundAtRandom {
    /// Its number.
    pub number: u64,
    /// The rule, and the schedule without what it does not need.
    pub shortest: Found,
}

impl FoundAtRandom {
    /// It breaks before any schedule has begun.
    #[must_use]
    pub const fn at_the_start(violation: Violation) -> Self {
        Self { number: 0, shortest: Found { violation, schedule: Vec::new() } }
    }
}

/// How long an exploration lives in steps of its own; most are shorter.
const MOVES_MAX: u32 = 120;
/// How far time jumps, in seconds: from what a call takes to what ends a session.
const JUMPS: [u32; 12] = [1, 3, 10, 30, 90, 600, 1_800, 3_000, 3_700, 20_000, 90_000, 500_000];

/// How long refresh tokens live, and the settings that differ.
type Limits = (u64, &'static [(&'static str, &'static str)]);

/// Box's and Keyhole's own.
const DEFAULTS: Limits = (60 * 86_400, &[]);
/// Settings under which other limits are met.
const SETTINGS: [Limits; 3] = [
    (60 * 86_400, &[("SESSION_IDLE_SECONDS", "20000"), ("SESSION_ABSOLUTE_SECONDS", "20000")]),
    // Refresh tokens that end before their sessions do.
    (86_400, &[("SESSION_IDLE_SECONDS", "600000")]),
    (60 * 86_400, &[("NEW_ITEMS_PER_MINUTE", "2"), ("NEW_ITEMS_PER_DAY", "6")]),
];

/// Where schedules start: everything that is the same for many of them.
pub struct Grounds {
    dice: Dice,
    first: Ground,
    others: Vec<Ground>,
}

#[derive(Clone)]
struct Ground {
    stage: Rc<Stage>,
    unopened: Rest,
    opened: Rest,
}

impl Grounds {
    /// Signs in once for each kind of start.
    ///
    /// # Errors
    /// Even that breaks a rule.
    pub fn lay(dice: Dice) -> Result<Self, Violation> {
        let (first, second) = match dice.mode {
            Some(rotation) => (rotation, None),
            None => (Rotation::Lazy, Some(Rotation::Strict)),
        };
        let others = second.map(|rotation| Ground::lay(&dice, rotation, &DEFAULTS)).transpose()?;
        let mut others: Vec<Ground> = others.into_iter().collect();
        for settings in &SETTINGS {
            for rotation in [Some(first), second].into_iter().flatten() {
                others.push(Ground::lay(&dice, rotation, settings)?);
            }
        }
        Ok(Self { dice, first: Ground::lay(&dice, first, &DEFAULTS)?, others })
    }

    /// Runs the schedules with these numbers.
    ///
    /// # Errors
    /// The first that breaks a rule.
    pub fn run(&self, numbers: core::ops::Range<u64>) -> Result<Tally, Box<FoundAtRandom>> {
        let mut tally = Tally::default();
        for number in numbers {
            let mut run = self.start(number);
            match run.play() {
                Ok(outcome) => tally += run.tally(outcome),
                Err(violation) => return Err(Box::new(self.shorten(number, violation, run.made))),
            }
        }
        Ok(tally)
    }

    /// One schedule, event by event, and what it broke or how it ended.
    pub fn tell(&self, number: u64) -> Told {
        let mut run = self.start(number);
        run.world.story = Some(Vec::new());
        let ended = run.play();
        (run.world.story.take().unwrap_or_default(), ended)
    }

    /// A schedule that was given, event by event, from where the one with this number starts.
    pub fn retell(&self, number: u64, schedule: &[Move]) -> Told {
        let mut run = self.start(number);
        run.world.story = Some(Vec::new());
        let ended = run.follow(schedule);
        (run.world.story.take().unwrap_or_default(), ended)
    }

    fn start(&self, number: u64) -> Run {
        let mut seed = [0; 32];
        let bytes = self.dice.seed.to_be_bytes().into_iter().chain(number.to_be_bytes());
        seed.iter_mut().zip(bytes).for_each(|(byte, drawn)| *byte = drawn);
        let mut dice = Xoshiro256PlusPlus::from_seed(seed);
        // The first draws of neighbours are alike.
        for _ in 0..8 {
            let _: u64 = dice.random();
        }
        let index = usize::try_from(number).unwrap_or_default() % (self.others.len() + 1);
        let ground = index.checked_sub(1).and_then(|index| self.others.get(index)).unwrap_or(&self.first);
        let rest = if dice.random_range(0..12) == 0 { &ground.unopened } else { &ground.opened };
        Run { world: World::resume(&ground.stage, rest), dice, made: Vec::new() }
    }

    /// Leaves out of a schedule what it can do without.
    fn shorten(&self, number: u64, violation: Violation, schedule: Vec<Move>) -> FoundAtRandom {
        let breaks = |schedule: &[Move]| match self.start(number).follow(schedule) {
            Err(found) if found.rule == violation.rule => Some(found),
            _ => None,
        };
        let mut shortest = Found { violation: violation.clone(), schedule };
        let mut span = shortest.schedule.len().div_ceil(2);
        while span > 0 {
            let mut at = 0;
            while at < shortest.schedule.len() {
                let mut shorter = shortest.schedule.clone();
                shorter.drain(at..(at + span).min(shorter.len()));
                match breaks(&shorter) {
                    Some(violation) => shortest = Found { violation, schedule: shorter },
                    None => at += span,
                }
            }
            span /= 2;
        }
        FoundAtRandom { number, shortest }
    }
}

impl Ground {
    fn lay(dice: &Dice, rotation: Rotation, (refresh_seconds, settings): &Limits) -> Result<Self, Violation> {
        let stage = |twist| {
            let stage = Stage::with(rotation, twist, *refresh_seconds, settings);
            stage.map(Rc::new).map_err(|how| Violation::of(Rule::ServesAgain, how))
        };
        // Whatever is wrong, it is wrong from here on.
        let mut world = World::new(&stage(Twist::None)?);
        let unopened = world.rest();
        world.ask(Want::Open)?;
        world.sleep();
        Ok(Self { stage: stage(dice.twist)?, unopened, opened: world.rest() })
    }
}

/// A schedule under way.
struct Run {
    world: World,
    dice: Xoshiro256PlusPlus,
    made: Vec<Move>,
}

impl Run {
    fn play(&mut self) -> Result<Outcome, Violation> {
        let length = self.dice.random_range(4..MOVES_MAX);
        // Some are calm, some are nothing but trouble.
        let trouble = self.one_of(&[0.0, 0.02, 0.06, 0.2]);
        for _ in 0..length {
            let next = self.next(trouble);
            self.made.push(next);
            self.world.make(next)?;
        }
        self.world.finish()
    }

    fn follow(&mut self, schedule: &[Move]) -> Result<Outcome, Violation> {
        for next in schedule {
            self.world.make(*next)?;
        }
        self.world.finish()
    }

    fn tally(self, outcome: Outcome) -> Tally {
        let watch = &self.world.watch;
        let kinds: std::collections::BTreeSet<Concession> =
            watch.conceded.iter().map(|(concession, _)| *concession).collect();
        let lost = outcome.word() == "rotation_lost" && watch.window();
        Tally {
            schedules: 1,
            steps: self.world.steps,
            sessions: u64::from(outcome != Outcome::NoSession),
            rotations: self.world.ledger.rotations(),
            faults: self.made.iter().filter(|made| made.is_fault()).map(|_| 1).sum(),
            lost_in_window: u64::from(lost),
            outcomes: BTreeMap::from([(outcome.word(), 1)]),
            conceded: kinds.into_iter().map(|concession| (concession, 1)).collect(),
        }
    }

    fn next(&mut self, trouble: f64) -> Move {
        if self.dice.random_bool(trouble)
            && let Some(fault) = self.fault()
        {
            return fault;
        }
        let mut ready = self.world.required();
        ready.extend(self.world.optional());
        let draw = self.dice.random_range(0..100);
        match draw {
            0..70 if !ready.is_empty() => self.one_of(&ready),
            0..86 => Move::Call(self.want()),
            86..93 => Move::Pass,
            93..99 => Move::Wait(self.jump()),
            _ => Move::Ring,
        }
    }

    fn want(&mut self) -> Want {
        if !self.world.watch.claimed {
            // A login's `state` lives for ten minutes; without its answer nobody has the cookie.
            let in_time = self.world.now < START_MS + 600_000;
            return if in_time { Want::Open } else { Want::Stranger };
        }
        match self.dice.random_range(0..100) {
            0..70 => Want::Token(self.dice.random_range(1..=4)),
            70..80 => Want::Session,
            80..88 => Want::Items,
            88..93 => Want::Refused(self.dice.random_range(1..=4)),
            93..96 => Want::Stranger,
            96..98 => Want::SignOut,
            _ if self.world.now < START_MS + 600_000 && !self.world.watch.emptied => Want::Open,
            _ => Want::Session,
        }
    }

    fn fault(&mut self) -> Option<Move> {
        let mut faults = self.world.faults();
        let asked = self.world.flights.iter().filter(|(_, flight)| {
            matches!(flight.cargo, Cargo::Box(_)) && flight.done.is_none() && !flight.ghost
        });
        let odd = [Oddity::Unauthorized, Oddity::Garbage];
        faults.extend(asked.flat_map(|(name, _)| odd.map(|oddity| Move::Odd(*name, oddity))));
        if self.dice.random_range(0..40) == 0 {
            return Some(if self.dice.random() { Move::Disown } else { Move::Empty });
        }
        (!faults.is_empty()).then(|| self.one_of(&faults))
    }

    /// Long ones are rarer.
    fn jump(&mut self) -> u32 {
        self.one_of(&JUMPS).min(self.one_of(&JUMPS))
    }

    /// One of those given, of which there is one at least.
    #[expect(clippy::indexing_slicing, reason = "the index is drawn from the length")]
    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.dice.random_range(0..of.len())]
    }
}
