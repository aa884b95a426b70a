//! Box commits and its answer is lost on the way, or the question was: nobody dies, and the Worker has seen its call
//! fail.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;

use super::{Plan, SERVES_WITHIN, Turn, heed};
use crate::failure::Outcome;
use crate::line::Tally;
use crate::local_box::{Asked, BoxFault, Trouble};
use crate::session::Session;
use crate::stage::{AtLast, Stage};

/// After a lost answer Box is left alone for 5 s, and the pair that it then brings again must still have life to serve
/// with: else a rotation follows, whose first answer is lost as well.
const LIFE_SECONDS: u64 = 16;

pub(super) async fn run(plan: &Plan, turn: Turn) -> Outcome<Tally> {
    let stage = Stage::set(&plan.parts, plan.mode, plan.seed, LIFE_SECONDS).await?;
    let sessions = stage.sign_in_all(plan.sessions).await?;
    let answers_lost = Arc::new(AtomicU64::new(0));
    stage.local_box.set_trouble(Some(trouble(Arc::clone(&answers_lost))));
    let rounds = plan.rounds / plan.sessions.max(1);
    let parts = join_all(sessions.into_iter().map(|session| live(&stage, session, rounds))).await;
    drop(turn);
    let mut tally = Tally { sessions: plan.sessions, ..Tally::default() };
    for part in parts {
        tally.add(part?);
    }
    tally.refreshes = stage.local_box.refreshes();
    tally.count("answers_lost", answers_lost.load(Ordering::Relaxed));
    Ok(tally)
}

/// The first exchange with each refresh token is lost: of four, three after Box has committed.
fn trouble(lost: Arc<AtomicU64>) -> Trouble {
    let mut known = BTreeSet::new();
    Box::new(move |asked, body| {
        let token = form_urlencoded::parse(body).find(|(name, _)| name == "refresh_token")?.1.into_owned();
        let first = asked == Asked::Refresh && known.insert(token);
        first.then(|| BoxFault::Dropped { processed: lost.fetch_add(1, Ordering::Relaxed) % 4 != 3 })
    })
}

/// One person's day.
async fn live(stage: &Stage, mut session: Session, rounds: usize) -> Outcome<Tally> {
    let mut tally = Tally::default();
    for round in 0..rounds {
        tally.rounds += 1;
        session.due().await;
        let at_last = stage.ask_until(&mut session, stage.file(round), SERVES_WITHIN, &mut tally).await;
        if at_last != AtLast::Served {
            heed(stage, &session, None, &at_last, &mut tally)?;
            session = stage.sign_in().await?;
        }
    }
    Ok(tally)
}
