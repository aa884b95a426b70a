//! Of all calls to Box's token endpoint 5 % each are answered with 429, with 500, not at all, or dropped.

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::{Plan, SERVES_WITHIN, Turn, heed};
use crate::failure::Outcome;
use crate::line::Tally;
use crate::local_box::{Asked, BoxFault, Trouble};
use crate::session::Session;
use crate::stage::{AtLast, Stage};

/// Longer than the 5 s for which a failing Box is left alone.
const LIFE_SECONDS: u64 = 10;
/// One after the other, some exchanges may each take 60 s to fail.
const PATIENCE: u32 = 3;

pub(super) async fn run(plan: &Plan, turn: Turn) -> Outcome<Tally> {
    let stage = Stage::set(&plan.parts, plan.mode, plan.seed, LIFE_SECONDS).await?;
    let sessions = stage.sign_in_all(plan.sessions).await?;
    stage.local_box.set_trouble(Some(trouble(plan.seed)));
    // Most of it is waiting for what does not answer.
    drop(turn);
    let rounds = plan.rounds / plan.sessions.max(1);
    let parts = join_all(sessions.into_iter().map(|session| live(&stage, session, rounds))).await;
    let mut tally = Tally { sessions: plan.sessions, ..Tally::default() };
    for part in parts {
        tally.add(part?);
    }
    tally.refreshes = stage.local_box.refreshes();
    Ok(tally)
}

fn trouble(seed: u64) -> Trouble {
    let mut random = StdRng::seed_from_u64(seed);
    // One exchange runs into the Worker's own limit; if each did, this would mostly wait.
    let mut silent_once = false;
    Box::new(move |asked, _| {
        if asked == Asked::Other {
            return None;
        }
        let processed = random.random();
        match random.random_range(0..20) {
            0 => Some(BoxFault::Throttled),
            1 => Some(BoxFault::Broken),
            2 if !std::mem::replace(&mut silent_once, true) => Some(BoxFault::Silent { processed }),
            2 => Some(BoxFault::Slow { processed }),
            3 => Some(BoxFault::Dropped { processed }),
            _ => None,
        }
    })
}

/// One person's day.
async fn live(stage: &Stage, mut session: Session, rounds: usize) -> Outcome<Tally> {
    let mut tally = Tally::default();
    for round in 0..rounds {
        tally.rounds += 1;
        session.due().await;
        let limit = SERVES_WITHIN * PATIENCE;
        let at_last = stage.ask_until(&mut session, stage.file(round), limit, &mut tally).await;
        if at_last != AtLast::Served {
            heed(stage, &session, None, &at_last, &mut tally)?;
            session = stage.sign_in().await?;
        }
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_a_fifth_of_all_calls_fails_a_quarter_of_that_in_each_way_and_sign_ins_never() {
        let mut trouble = trouble(1);
        let faults: Vec<BoxFault> = (0..4_000).filter_map(|_| trouble(Asked::Exchange, b"")).collect();
        for fits in [
            |fault: &BoxFault| *fault == BoxFault::Throttled,
            |fault: &BoxFault| *fault == BoxFault::Broken,
            |fault: &BoxFault| matches!(fault, BoxFault::Slow { .. } | BoxFault::Silent { .. }),
            |fault: &BoxFault| matches!(fault, BoxFault::Dropped { .. }),
        ] {
            let count = faults.iter().filter(|fault| fits(fault)).count();
            assert!((150..250).contains(&count), "{count}");
        }
        assert!((0..100).all(|_| trouble(Asked::Other, b"").is_none()));
    }
}
