//! A panic in the isolate wipes every object in it, in the midst of their rotations. Needs a build with the feature
//! `panic-on-request`, which no shipped build has: that is looked at first.

use std::fs;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::{InDoubt, Plan, SERVES_WITHIN, Turn, heed, resolve};
use crate::caller::Manner;
use crate::failure::{Outcome, While as _, said};
use crate::line::Tally;
use crate::moments::{Moment, Trap};
use crate::schedule;
use crate::session::{Session, Told};
use crate::stage::{AtLast, Parts, Stage};
use crate::stored::Row;

const LIFE_SECONDS: u64 = 8;
/// Sessions that rotate when the isolate panics.
const AT_ONCE: usize = 4;
const CAUGHT_WITHIN: Duration = Duration::from_secs(5);
/// What makes the special build panic, and its last words. `src/worker/lib.rs` has both.
const PATH: &str = "/panic-on-request";

pub(super) async fn run(plan: &Plan, turn: Turn) -> Outcome<Tally> {
    let mut tally = Tally { rounds: plan.rounds, sessions: plan.sessions, ..Tally::default() };
    let special = Parts { build: plan.panicking.clone(), ..plan.parts.clone() };
    if !mentions(&special)? {
        return said("the build that is to panic does not: was it built without its feature?");
    }
    if mentions(&plan.parts)? {
        tally.broken("the shipped build can be made to panic by a request");
    }
    let stage = Stage::set(&special, plan.mode, plan.seed, LIFE_SECONDS).await?;
    let mut sessions = stage.sign_in_all(plan.sessions).await?;
    // Most of it is waiting: for tokens to end, and for callers who hang.
    drop(turn);
    let mut in_doubt = Vec::new();
    let group = AT_ONCE.min(plan.sessions).max(1);
    let starts = (0..plan.sessions).step_by(group).cycle();
    let mut callers = JoinSet::new();
    for ((moment, _), start) in schedule::moments(plan.seed, plan.rounds).into_iter().zip(starts) {
        let mut several: Vec<&mut Session> = sessions.iter_mut().skip(start).take(group).collect();
        for session in &several {
            session.due().await;
        }
        panic_at(&stage, &several, moment, &mut callers, &mut tally).await;
        let died_at = Instant::now();
        let answers = join_all(several.iter_mut().map(|session| recover(&stage, session))).await;
        for (session, answer) in several.into_iter().zip(answers) {
            let answer = answer?;
            let served = answer.at_last == AtLast::Served;
            in_doubt.extend(answer.heed(&stage, session, died_at, &mut tally)?);
            if !served {
                *session = stage.sign_in().await?;
            }
        }
    }
    // Some of them have hung until the Worker gave their keeper up.
    while let Some(told) = callers.join_next().await {
        tally.errors_seen += u64::from(!matches!(told, Ok(Told::Served(_))));
    }
    resolve(&stage, in_doubt, &mut tally).await?;
    tally.refreshes = stage.local_box.refreshes();
    Ok(tally)
}

/// Whether a build knows the address that makes it panic.
fn mentions(parts: &Parts) -> Outcome<bool> {
    let file = parts.build.join("index_bg.wasm");
    let wasm = fs::read(&file).or_say(&format!("reading {}", file.display()))?;
    Ok(wasm.windows(PATH.len()).any(|bytes| bytes == PATH.as_bytes()))
}

/// Somebody comes for each of these sessions, and the isolate panics when the first call reaches the moment.
async fn panic_at(
    stage: &Stage,
    several: &[&mut Session],
    moment: Moment,
    callers: &mut JoinSet<Told>,
    tally: &mut Tally,
) {
    let Some(first) = several.first() else { return };
    stage.moments.begin();
    let trap = Trap { moment, keeper: first.keeper.clone(), pause: Duration::ZERO };
    let caught = stage.moments.set(trap);
    for session in several {
        let (session, file) = ((*session).clone(), stage.file(0).to_owned());
        callers.spawn(async move { session.ask(&file).await });
    }
    let held = timeout(CAUGHT_WITHIN, caught).await.ok().and_then(Result::ok);
    if held.is_none() {
        tally.broken(format!("{moment:?} did not come"));
    }
    // Whoever asks for it hears nothing of use.
    if let Ok(answer) = stage.site.send("GET", PATH, None, Manner::Navigation).await
        && answer.status < 500
    {
        tally.broken(format!("no panic, but {}", answer.status));
    }
    drop(held);
}

/// What became of a session whose object was wiped.
struct Recovered {
    at_last: AtLast,
    row: Option<Row>,
    excused: bool,
    seen: Tally,
}

impl Recovered {
    /// Counts it; returned is a session whose loss would be excused, and of which nothing is known yet.
    fn heed(
        self,
        stage: &Stage,
        session: &Session,
        died_at: Instant,
        tally: &mut Tally,
    ) -> Outcome<Option<InDoubt>> {
        tally.add(self.seen);
        let doubt = InDoubt { session: session.clone(), row: self.row, died_at };
        match &self.at_last {
            AtLast::Stuck(_) if self.excused => return Ok(Some(doubt)),
            AtLast::Ended(reason) if self.excused => doubt.ended(stage, reason, tally)?,
            _ => heed(stage, session, doubt.row.as_ref(), &self.at_last, tally)?,
        }
        Ok(None)
    }
}

async fn recover(stage: &Stage, session: &mut Session) -> Outcome<Recovered> {
    let mut seen = Tally::default();
    let first = stage.ask_until(session, stage.file(0), Duration::ZERO, &mut seen).await;
    // The process lives: the row is read where it lies.
    let row = stage.reader.row(session)?;
    let excused = stage.is_excused(session, row.as_ref())?;
    let at_last = if matches!(first, AtLast::Stuck(_)) && !excused {
        stage.ask_until(session, stage.file(0), SERVES_WITHIN, &mut seen).await
    } else {
        first
    };
    Ok(Recovered { at_last, row, excused, seen })
}
