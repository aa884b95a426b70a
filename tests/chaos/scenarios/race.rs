//! Callers at the instant of expiry cost one rotation, and nobody fails.

use futures_util::future::join_all;

use super::{Plan, Turn};
use crate::failure::Outcome;
use crate::line::Tally;
use crate::session::Told;
use crate::stage::Stage;

const CALLERS: usize = 50;
/// More than a round takes on a busy machine: a token that ends meanwhile would be a second rotation.
const LIFE_SECONDS: u64 = 12;

pub(super) async fn run(plan: &Plan, turn: Turn) -> Outcome<Tally> {
    let stage = Stage::set(&plan.parts, plan.mode, plan.seed, LIFE_SECONDS).await?;
    let mut tally = Tally { rounds: plan.rounds, sessions: plan.sessions, ..Tally::default() };
    let mut sessions = stage.sign_in_all(plan.sessions).await?;
    for round in 0..plan.rounds {
        let index = round % plan.sessions;
        let Some(session) = sessions.get_mut(index) else { continue };
        session.due().await;
        let before = stage.local_box.refreshes();
        let callers = (0..CALLERS).map(|caller| session.ask(stage.file(caller)));
        for told in join_all(callers).await {
            if !matches!(told, Told::Served(_)) {
                tally.errors_seen += 1;
                tally.broken(format!("round {round}: a caller failed: {told:?}"));
            }
        }
        session.renewed(stage.life);
        let rotations = stage.local_box.refreshes() - before;
        if rotations != 1 {
            tally.broken(format!("round {round}: {rotations} rotations where one was due"));
        }
        tally.refreshes += rotations;
    }
    drop(turn);
    Ok(tally)
}
