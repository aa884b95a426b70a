//! Tokens that live for seconds, asked for at any time of their lives, and a Box whose clock jumps by hours: what the
//! Worker believes alive is dead. workerd's own clock cannot be moved.

use std::ops::RangeInclusive;
use std::time::Duration;

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::sleep;

use super::{Plan, SERVES_WITHIN, Turn, heed};
use crate::failure::Outcome;
use crate::line::Tally;
use crate::session::Told;
use crate::stage::Stage;

/// A keeper takes a refused access token for a reason to rotate three times in five minutes.
const JUMPS: usize = 3;
const HOUR: u64 = 60 * 60;
const LIVES_SECONDS: RangeInclusive<u64> = 3..=8;
/// These are asked for while lives are short, the others where the clock jumps.
const FILES_BY_DAY: usize = 5;

pub(super) async fn run(plan: &Plan, turn: Turn) -> Outcome<Tally> {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut stage = Stage::set(&plan.parts, plan.mode, plan.seed, *LIVES_SECONDS.end()).await?;
    let mut sessions = stage.sign_in_all(plan.sessions).await?;
    let mut tally = Tally { sessions: plan.sessions, ..Tally::default() };
    for round in 0..plan.rounds / plan.sessions.max(1) {
        stage.set_life(random.random_range(LIVES_SECONDS))?;
        let pauses = sessions.iter().map(|_| Duration::from_millis(random.random_range(0..9_000)));
        let pauses: Vec<Duration> = pauses.collect();
        let asks = sessions.iter().zip(pauses).map(|(session, pause)| {
            let file = stage.file(round % FILES_BY_DAY);
            async move {
                sleep(pause).await;
                session.ask(file).await
            }
        });
        for told in join_all(asks).await {
            tally.rounds += 1;
            if !matches!(told, Told::Served(_)) {
                tally.errors_seen += 1;
            }
        }
    }
    drop(turn);
    stage.set_life(2 * HOUR)?;
    for jump in 0..=JUMPS {
        // Each time another file: a token that the Worker holds is served, dead or alive. The page says if it is dead.
        for session in &mut sessions {
            tally.rounds += 1;
            let file = stage.file(FILES_BY_DAY + jump);
            let at_last = stage.ask_until(session, file, SERVES_WITHIN, &mut tally).await;
            heed(&stage, session, None, &at_last, &mut tally)?;
        }
        if jump < JUMPS {
            stage.local_box.advance(random.random_range(3 * HOUR..100 * HOUR))?;
            tally.count("jumps", 1);
        }
    }
    if tally.errors_seen > 0 {
        tally.broken("an expiry was seen by a caller");
    }
    tally.refreshes = stage.local_box.refreshes();
    Ok(tally)
}
