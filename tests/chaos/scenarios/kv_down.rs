//! KV is slow, answers 429, fails before or after it wrote, answers stale, and workerd dies on top of that: no session
//! depends on KV being up, a failing read is never a miss, an object that lost its storage comes back from its copy, what is owed is paid later, and no stale read brings back
//! who has signed out.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{InDoubt, Plan, SERVES_WITHIN, Turn, heed, resolve, see_revoked};
use crate::clock::eventually;
use crate::failure::{OrSaid as _, Outcome};
use crate::line::Tally;
use crate::local_kv::{GetMood, Mood, PutMood};
use crate::moments::{Fates, Moment, Trap};
use crate::schedule::{self, KvDay};
use crate::session::{Session, Told};
use crate::stage::{AtLast, Stage};
use crate::stored::Row;

const LIFE_SECONDS: u64 = 6;
const CALLERS: usize = 3;
const CAUGHT_WITHIN: Duration = Duration::from_secs(3);
const DUST_SETTLES: Duration = Duration::from_millis(300);
/// How long KV stays down after a death, while somebody asks.
const STAYS_DOWN: Duration = Duration::from_secs(2);
/// Sessions that nobody comes back to for a while after their object died.
const LEFT_ALONE: usize = 3;
/// A debt is due 30 s after it was made.
const DEBTS_ARE_DUE: Duration = Duration::from_secs(40);
/// And a minute later should that fail.
const PAID_WITHIN: Duration = Duration::from_secs(150);

pub(super) async fn run(plan: &Plan, turn: Turn) -> Outcome<Tally> {
    let stage = Stage::set(&plan.parts, plan.mode, plan.seed, LIFE_SECONDS).await?;
    let mut tally = Tally { rounds: plan.rounds, sessions: plan.sessions, ..Tally::default() };
    let mut sessions = stage.sign_in_all(plan.sessions).await?;
    let mut in_doubt = Vec::new();
    for day in schedule::kv_days(plan.seed, plan.rounds, plan.sessions) {
        let session = sessions.get_mut(day.session).or_said("a session that is not there")?;
        session.due().await;
        match one_day(&stage, session, &day, &mut tally).await? {
            After::GoesOn => continue,
            After::Gone => {}
            After::InDoubt(doubt) => in_doubt.push(*doubt),
        }
        *session = stage.sign_in().await?;
    }
    let left = leave_alone(&stage, &mut tally).await?;
    drop(turn);
    see_unburied(&stage, left, &mut tally).await?;
    resolve(&stage, in_doubt, &mut tally).await?;
    see_paid(&stage, &sessions, &mut tally).await?;
    sign_out_all(&stage, &mut sessions, &mut tally).await?;
    tally.refreshes = stage.local_box.refreshes();
    Ok(tally)
}

/// What became of a session on a bad day.
enum After {
    GoesOn,
    Gone,
    InDoubt(Box<InDoubt>),
}

/// A rotation on a bad day.
async fn one_day(stage: &Stage, session: &mut Session, day: &KvDay, tally: &mut Tally) -> Outcome<After> {
    stage.kv.set_mood(Mood { put: day.put, get: GetMood::Good });
    stage.moments.begin();
    let (mut row, mut died_at) = (None, Instant::now());
    if let Some(moment) = day.death {
        let callers;
        (row, callers) = dies_at(stage, session, moment, tally).await?;
        died_at = Instant::now();
        if day.wiped {
            tally.count("wiped", 1);
            stage.reader.wipe(session)?;
            row = None;
        }
        stage.kv.set_mood(Mood { put: day.put, get: day.get });
        lives_on(stage, callers, tally).await?;
        let meanwhile = stage.ask_until(session, stage.file(0), STAYS_DOWN, tally).await;
        if let AtLast::Ended(reason) = &meanwhile {
            tally.broken(format!("{day:?}: ended as {reason} while KV was down"));
        }
    } else {
        // Nobody died: whoever asks is served while KV is down.
        let at_last = stage.ask_until(session, stage.file(0), SERVES_WITHIN, tally).await;
        heed(stage, session, None, &at_last, tally)?;
        if at_last != AtLast::Served {
            return Ok(After::Gone);
        }
    }
    stage.kv.set_mood(Mood::GOOD);
    if stage.is_excused(session, row.as_ref())? {
        let doubt = InDoubt { session: session.clone(), row, died_at };
        return Ok(After::InDoubt(Box::new(doubt)));
    }
    let at_last = stage.ask_until(session, stage.file(0), SERVES_WITHIN, tally).await;
    heed(stage, session, row.as_ref(), &at_last, tally)?;
    Ok(if at_last == AtLast::Served { After::GoesOn } else { After::Gone })
}

/// workerd dies when a rotation of this session reaches the moment. What the row held then, and the callers.
async fn dies_at(
    stage: &Stage,
    session: &Session,
    moment: Moment,
    tally: &mut Tally,
) -> Outcome<(Option<Row>, JoinSet<Told>)> {
    let trap = Trap { moment, keeper: session.keeper.clone(), pause: Duration::ZERO };
    let caught = stage.moments.set(trap);
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (session, file) = (session.clone(), stage.file(0).to_owned());
        callers.spawn(async move { session.ask(&file).await });
    }
    let held = timeout(CAUGHT_WITHIN, caught).await.ok().and_then(Result::ok);
    if held.is_none() {
        tally.broken(format!("{moment:?} did not come: the order of a rotation is another"));
    }
    stage.workerd.kill()?;
    stage.moments.died(Fates::ALL_FINISH);
    drop(held);
    stage.moments.settled(DUST_SETTLES).await;
    tally.count("killed", 1);
    Ok((stage.reader.row(session)?, callers))
}

/// workerd starts again, and those who were asking are heard.
async fn lives_on(stage: &Stage, mut callers: JoinSet<Told>, tally: &mut Tally) -> Outcome {
    stage.moments.begin();
    stage.workerd.restart()?;
    while let Some(told) = callers.join_next().await {
        tally.errors_seen += u64::from(!matches!(told, Ok(Told::Served(_))));
    }
    Ok(())
}

/// Sessions whose copy is owed from an earlier day, and whose object dies when the copy of its next pair has landed and
/// the row has not been written.
async fn leave_alone(stage: &Stage, tally: &mut Tally) -> Outcome<Vec<(Session, Option<Row>)>> {
    let mut sessions = stage.sign_in_all(LEFT_ALONE).await?;
    stage.kv.set_mood(Mood { put: PutMood::Refused, ..Mood::GOOD });
    for session in &mut sessions {
        session.due().await;
        let at_last = stage.ask_until(session, stage.file(0), SERVES_WITHIN, tally).await;
        heed(stage, session, None, &at_last, tally)?;
    }
    stage.kv.set_mood(Mood::GOOD);
    let mut left = Vec::new();
    for session in sessions {
        session.due().await;
        stage.moments.begin();
        let (row, callers) = dies_at(stage, &session, Moment::PutLanded, tally).await?;
        // Those who were asking have left, too.
        drop(callers);
        lives_on(stage, JoinSet::new(), tally).await?;
        left.push((session, row));
    }
    Ok(left)
}

/// Nobody comes until what was owed is overdue; the alarm that pays it must not bury what the dead left in KV.
async fn see_unburied(stage: &Stage, left: Vec<(Session, Option<Row>)>, tally: &mut Tally) -> Outcome {
    sleep(DEBTS_ARE_DUE).await;
    for (mut session, row) in left {
        let at_last = stage.ask_until(&mut session, stage.file(0), SERVES_WITHIN, tally).await;
        heed(stage, &session, row.as_ref(), &at_last, tally)?;
        tally.count("left_alone", 1);
    }
    Ok(())
}

/// What KV refused is brought later: its copies are as new as the rows.
async fn see_paid(stage: &Stage, sessions: &[Session], tally: &mut Tally) -> Outcome {
    for session in sessions {
        let newest = stage.refresh_tokens(session)?.pop().map(|token| token.value);
        let paid = eventually(PAID_WITHIN, async || {
            let copy = stage.kv.copy(&session.keeper)?;
            let copy = stage.reader.copy(session, &copy).ok()?;
            (Some(copy.refresh) == newest).then_some(copy.generation)
        });
        let Some(copied) = paid.await else {
            tally.broken("KV was never given the copy it was owed");
            continue;
        };
        let row = stage.reader.row(session)?;
        if row.is_none_or(|row| row.generation != copied) {
            tally.broken("KV holds another generation than the row");
        }
        tally.count("copies_current", 1);
    }
    Ok(())
}

/// All sign out while KV answers stale and takes no delete, and workerd dies.
async fn sign_out_all(stage: &Stage, sessions: &mut [Session], tally: &mut Tally) -> Outcome {
    stage.kv.set_mood(Mood { put: PutMood::Refused, get: GetMood::Stale });
    for session in sessions.iter() {
        if !session.sign_out().await {
            tally.broken("a sign-out was not confirmed while KV was down");
        }
    }
    stage.workerd.kill()?;
    stage.workerd.restart()?;
    for session in sessions.iter_mut() {
        let at_last = stage.ask_until(session, stage.file(0), SERVES_WITHIN, tally).await;
        if at_last != AtLast::Ended("signed_out".to_owned()) {
            tally.broken(format!("who had signed out was told {at_last:?}"));
        }
    }
    stage.kv.set_mood(Mood::GOOD);
    sleep(DUST_SETTLES).await;
    see_revoked(stage, sessions, &[], tally).await;
    Ok(())
}
