//! Sign-out at every instant of a rotation, and death right after it: nobody is served any more, and nothing that Box
//! ever issued stays alive.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::{Plan, SERVES_WITHIN, Turn, see_revoked};
use crate::failure::Outcome;
use crate::line::Tally;
use crate::moments::{Fates, Moment, Trap};
use crate::schedule;
use crate::session::{Session, Told};
use crate::stage::{AtLast, Stage};

const LIFE_SECONDS: u64 = 6;
const CALLERS: usize = 3;
const CAUGHT_WITHIN: Duration = Duration::from_secs(5);
const DUST_SETTLES: Duration = Duration::from_millis(300);

pub(super) async fn run(plan: &Plan, turn: Turn) -> Outcome<Tally> {
    let stage = Stage::set(&plan.parts, plan.mode, plan.seed, LIFE_SECONDS).await?;
    let mut tally = Tally { rounds: plan.rounds, sessions: plan.rounds, ..Tally::default() };
    let sessions = stage.sign_in_all(plan.rounds).await?;
    let deeds = schedule::moments(plan.seed, plan.rounds);
    let (mut lived, mut killed) = (Vec::new(), Vec::new());
    for (mut session, (moment, dies)) in sessions.into_iter().zip(deeds) {
        session.due().await;
        round(&stage, &mut session, moment, dies, &mut tally).await?;
        if dies { killed.push(session) } else { lived.push(session) }
    }
    drop(turn);
    see_revoked(&stage, &lived, &killed, &mut tally).await;
    tally.refreshes = stage.local_box.refreshes();
    Ok(tally)
}

async fn round(
    stage: &Stage,
    session: &mut Session,
    moment: Moment,
    dies: bool,
    tally: &mut Tally,
) -> Outcome {
    stage.moments.begin();
    let caught = stage.moments.set(Trap { moment, keeper: session.keeper.clone(), pause: Duration::ZERO });
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (session, file) = (session.clone(), stage.file(0).to_owned());
        callers.spawn(async move { (session.ask(&file).await, Instant::now()) });
    }
    let held = timeout(CAUGHT_WITHIN, caught).await.ok().and_then(Result::ok);
    if held.is_none() {
        tally.broken(format!("{moment:?} did not come"));
    }
    if !session.sign_out().await {
        tally.broken(format!("{moment:?}: the sign-out was not confirmed"));
    }
    let signed_out_at = Instant::now();
    if dies {
        tally.count("killed", 1);
        stage.workerd.kill()?;
        stage.moments.died(Fates::ALL_FINISH);
        drop(held);
        stage.moments.settled(DUST_SETTLES).await;
        stage.moments.begin();
        stage.workerd.restart()?;
    } else {
        drop(held);
    }
    while let Some(told) = callers.join_next().await {
        match told {
            Ok((Told::Ended(reason), _)) if reason == "signed_out" => {}
            Ok((Told::Wait(_), _)) if dies => tally.errors_seen += 1,
            // On a machine that stalls, the rotation may have gone on before the sign-out came.
            Ok((Told::Served(_), at)) if at < signed_out_at => tally.count("served_before", 1),
            told => tally.broken(format!("{moment:?}: a caller was told {told:?} after the sign-out")),
        }
    }
    let at_last = stage.ask_until(session, stage.file(0), SERVES_WITHIN, tally).await;
    if at_last != AtLast::Ended("signed_out".to_owned()) {
        tally.broken(format!("{moment:?}: a session that was signed out: {at_last:?}"));
    }
    Ok(())
}
