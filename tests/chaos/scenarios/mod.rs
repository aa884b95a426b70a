//! What is done to the Worker, and what may not come of it.

mod clock;
mod flaky;
mod kill;
mod kv_down;
mod lost_answer;
mod panic;
mod race;
mod sign_out;

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::clock::eventually;
use crate::failure::Outcome;
use crate::line::Tally;
use crate::session::Session;
use crate::stage::{AtLast, Parts, Stage};
use crate::stored::Row;
use crate::window::Mode;

/// What is done to the Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// workerd is killed at every instant of a rotation, and started again
    Kill,
    /// A panic wipes every object of the isolate, in the midst of rotations
    Panic,
    /// KV is slow, refuses, fails before or after it wrote, answers stale, and workerd dies on top of that
    KvDown,
    /// Box answers with 429 and 500, does not answer, drops connections: 5 % each
    Flaky,
    /// Sign-out at every instant of a rotation
    SignOutWhileRefreshing,
    /// Box commits, and its answer is lost
    LostAnswer,
    /// 50 callers at the instant of expiry
    Race,
    /// Tokens that live for seconds, and a Box whose clock jumps
    Clock,
}

impl Scenario {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Panic => "panic",
            Self::KvDown => "kv-down",
            Self::Flaky => "flaky",
            Self::SignOutWhileRefreshing => "sign-out-while-refreshing",
            Self::LostAnswer => "lost-answer",
            Self::Race => "race",
            Self::Clock => "clock",
        }
    }

    /// Rounds and sessions of a full run.
    pub(crate) const fn full(self) -> (usize, usize) {
        match self {
            Self::Kill => (300, 20),
            Self::Panic => (60, 20),
            Self::KvDown => (40, 20),
            Self::Flaky => (400, 20),
            Self::SignOutWhileRefreshing => (60, 60),
            Self::LostAnswer => (100, 20),
            Self::Race => (200, 20),
            Self::Clock => (200, 20),
        }
    }

    /// Of the short run that is part of the tests.
    pub(crate) const fn short(self) -> (usize, usize) {
        match self {
            Self::Kill => (10, 10),
            Self::Panic => (4, 16),
            Self::KvDown => (8, 8),
            Self::Flaky => (20, 20),
            Self::SignOutWhileRefreshing => (12, 12),
            Self::LostAnswer => (8, 8),
            Self::Race => (10, 10),
            Self::Clock => (20, 10),
        }
    }
}

/// A run of a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) scenario: Scenario,
    pub(crate) mode: Mode,
    pub(crate) rounds: usize,
    pub(crate) sessions: usize,
    pub(crate) seed: u64,
    pub(crate) parts: Parts,
    /// The build that panics when asked to.
    pub(crate) panicking: PathBuf,
}

/// The right to keep the machine busy. Given back as soon as a scenario only waits.
pub(crate) type Turn = OwnedSemaphorePermit;

/// Runs a scenario to its end.
///
/// # Errors
/// The harness cannot go on.
pub(crate) async fn run(plan: &Plan, turn: Turn) -> Outcome<Tally> {
    match plan.scenario {
        Scenario::Kill => kill::run(plan, turn).await,
        Scenario::Panic => panic::run(plan, turn).await,
        Scenario::KvDown => kv_down::run(plan, turn).await,
        Scenario::Flaky => flaky::run(plan, turn).await,
        Scenario::SignOutWhileRefreshing => sign_out::run(plan, turn).await,
        Scenario::LostAnswer => lost_answer::run(plan, turn).await,
        Scenario::Race => race::run(plan, turn).await,
        Scenario::Clock => clock::run(plan, turn).await,
    }
}

/// A session that must serve again serves within this, or is stuck: a limit of the Worker's own (60 s for an exchange)
/// and a pause (15 s) fit into it.
const SERVES_WITHIN: Duration = Duration::from_secs(90);
/// A pair that a dead instance may still be putting into KV is waited for: until 60 s after the deadline of its
/// attempt, which is 90 s after its start. What Box says before that is not to be believed.
const BELIEVED_AFTER: Duration = Duration::from_secs(140);
const ENDS_WITHIN: Duration = Duration::from_secs(200);
/// Alarms ring 30 s after they are set, and once more should that fail.
const REVOKED_WITHIN: Duration = Duration::from_secs(120);

/// Somebody whose session may be lost in the window: the Worker has to say so in words, in its time.
struct InDoubt {
    session: Session,
    /// As death left it.
    row: Option<Row>,
    died_at: Instant,
}

impl InDoubt {
    /// It has ended: in its time?
    fn ended(&self, stage: &Stage, reason: &str, tally: &mut Tally) -> Outcome {
        let after = self.died_at.elapsed();
        if after < BELIEVED_AFTER {
            let seconds = after.as_secs();
            tally
                .broken(format!("a session ended as {reason} {seconds} s after its instance died: too soon"));
        }
        stage.mourn(&self.session, self.row.as_ref(), reason, tally)
    }
}

/// Waits for what is in doubt: each of them serves again, or ends in words.
async fn resolve(stage: &Stage, in_doubt: Vec<InDoubt>, tally: &mut Tally) -> Outcome {
    let waits = in_doubt.into_iter().map(|mut doubt| async move {
        let mut part = Tally::default();
        match stage.ask_until(&mut doubt.session, stage.file(0), ENDS_WITHIN, &mut part).await {
            AtLast::Served => part.count("came_back", 1),
            AtLast::Ended(reason) => doubt.ended(stage, &reason, &mut part)?,
            AtLast::Stuck(words) => {
                part.stuck += 1;
                part.broken(format!("a session neither serves nor ends: {words}"));
            }
        }
        Ok(part)
    });
    for part in futures_util::future::join_all(waits).await {
        tally.add(part?);
    }
    Ok(())
}

/// Everything that Box ever issued for these sessions ends, but for one thing that nobody can know of: the pair whose
/// answer died with the process that a signed-out session was `killed` in, while rotation is strict.
async fn see_revoked(stage: &Stage, signed_out: &[Session], killed: &[Session], tally: &mut Tally) {
    let is_over = |session: &Session| stage.is_over_at_box(session).is_ok_and(|over| over);
    let is_lost = |session: &Session| stage.only_a_lost_pair_lives(session).is_ok_and(|lost| lost);
    let mut alive: Vec<&Session> = signed_out.iter().collect();
    let mut killed: Vec<&Session> = killed.iter().collect();
    let none_alive = eventually(REVOKED_WITHIN, async || {
        alive.retain(|session| !is_over(session));
        killed.retain(|session| !is_over(session));
        (alive.is_empty() && killed.iter().all(|session| is_lost(session))).then_some(())
    });
    if none_alive.await.is_none() {
        let count = alive.len() + killed.iter().filter(|session| !is_lost(session)).count();
        tally.broken(format!("something of {count} sessions that were signed out is still alive at Box"));
    }
    if !killed.is_empty() {
        tally.count("pairs_nobody_knows", u64::try_from(killed.len()).unwrap_or(u64::MAX));
    }
}

/// Counts a session that was asked until it had told.
fn heed(stage: &Stage, session: &Session, row: Option<&Row>, at_last: &AtLast, tally: &mut Tally) -> Outcome {
    match at_last {
        AtLast::Served => {}
        AtLast::Ended(reason) => stage.mourn(session, row, reason, tally)?,
        AtLast::Stuck(words) => {
            tally.stuck += 1;
            tally.broken(format!("a session does not serve again: {words}"));
        }
    }
    Ok(())
}
