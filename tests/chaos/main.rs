//! Breaks the Worker on real workerd, at instants of its choosing, and counts what was lost.
//!
//! `cargo xtask chaos` builds what this needs and starts it. The harness is Box (the emulator's library) and KV
//! (workerd's binding speaks HTTP to a service) and all callers, so it knows how far a rotation has come, and kills
//! workerd there. What was lost is judged by Box's ledger, the object's SQLite file and the copies in KV.
//!
//! One line for each scenario and mode, then one with the total. A session lost without an excuse, one that does not
//! serve again, or any other promise that is not kept ends it with a failure.

mod caller;
mod clock;
mod failure;
mod line;
mod local_box;
mod local_kv;
mod moments;
mod scenarios;
mod schedule;
mod serve;
mod session;
mod stage;
mod stored;
mod window;
mod workerd;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use crate::failure::{Failure, Outcome, While as _};
use crate::line::line;
use crate::scenarios::{Plan, Scenario};
use crate::stage::Parts;
use crate::window::Mode;

/// Breaks the Worker and counts what was lost.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only this one; all of them otherwise
    #[arg(long, value_enum)]
    scenario: Option<Scenario>,
    /// How often; each scenario knows by itself otherwise
    #[arg(long)]
    rounds: Option<usize>,
    /// Brings the same schedule again; a random one otherwise
    #[arg(long)]
    seed: Option<u64>,
    /// Box's rotation
    #[arg(long, value_enum, default_value_t = Modes::Both)]
    mode: Modes,
    /// Few rounds each, as part of the tests
    #[arg(long)]
    short: bool,
    /// The clone
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
    /// The build that panics when asked to
    #[arg(long, value_name = "DIR")]
    panicking: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Modes {
    Lazy,
    Strict,
    Both,
}

impl Modes {
    const fn list(self) -> &'static [Mode] {
        match self {
            Self::Lazy => &[Mode::Lazy],
            Self::Strict => &[Mode::Strict],
            Self::Both => &[Mode::Lazy, Mode::Strict],
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // Scenarios share one thread; Box and KV have theirs.
    match LocalSet::new().run_until(perform(&Arguments::parse())).await {
        Ok(failed) => ExitCode::from(u8::from(failed > 0)),
        Err(Failure(words)) => {
            eprintln!("error: {words}");
            ExitCode::from(2)
        }
    }
}

/// Runs what was asked for; how many runs failed.
async fn perform(arguments: &Arguments) -> Outcome<usize> {
    let plans = plans(arguments)?;
    let total = plans.len();
    let mut runs = JoinSet::new();
    // One scenario of each mode keeps the machine busy; those that only wait do so beside it.
    let (lazy, strict) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(1)));
    for plan in plans {
        let turns = Arc::clone(if plan.mode == Mode::Lazy { &lazy } else { &strict });
        runs.spawn_local(async move {
            let turn = turns.acquire_owned().await.or_say("waiting for a turn");
            let began = Instant::now();
            let mut outcome = match turn {
                Ok(turn) => scenarios::run(&plan, turn).await,
                Err(failure) => Err(failure),
            };
            if let Ok(tally) = &mut outcome {
                tally.count("seconds", began.elapsed().as_secs());
            }
            (plan, outcome)
        });
    }
    let mut failed = 0;
    while let Some(run) = runs.join_next().await {
        let (plan, outcome) = run.or_say("running a scenario")?;
        failed += usize::from(!told(&plan, outcome));
    }
    println!("chaos: {} passed, {failed} failed", total - failed);
    Ok(failed)
}

/// Says how a run went; whether it went well.
fn told(plan: &Plan, outcome: Outcome<line::Tally>) -> bool {
    let (name, mode) = (plan.scenario.name(), plan.mode.name());
    match outcome {
        Ok(tally) => {
            println!("{}", line(name, plan.mode, plan.seed, &tally));
            for words in &tally.broken {
                println!("  not kept: {words}");
            }
            if !tally.passed() {
                let (rounds, seed) = (plan.rounds, plan.seed);
                println!(
                    "  again: cargo xtask chaos --scenario {name} --mode {mode} --rounds {rounds} --seed {seed}"
                );
            }
            tally.passed()
        }
        Err(Failure(words)) => {
            println!("chaos {name}: mode={mode} seed={} could not be run: {words}", plan.seed);
            false
        }
    }
}

fn plans(arguments: &Arguments) -> Outcome<Vec<Plan>> {
    let seed = match arguments.seed {
        Some(seed) => seed,
        // Short enough to be typed again.
        None => u64::from(getrandom::u32().or_say("asking the system for randomness")?),
    };
    let root = &arguments.root;
    let parts = Parts {
        workerd: root.join("node_modules/workerd/bin/workerd"),
        build: root.join("build"),
        assets: root.join("www/dist"),
        wrangler: root.join("wrangler.toml"),
    };
    let scenarios = arguments.scenario.map_or_else(|| Scenario::value_variants().to_vec(), |one| vec![one]);
    let mut plans = Vec::new();
    for scenario in scenarios {
        for &mode in arguments.mode.list() {
            let (rounds, sessions) = if arguments.short { scenario.short() } else { scenario.full() };
            let rounds = arguments.rounds.unwrap_or(rounds);
            // A round of a panic takes several sessions, of any other scenario one.
            let sessions = if scenario == Scenario::Panic { sessions } else { sessions.min(rounds).max(1) };
            let panicking = arguments.panicking.clone();
            plans.push(Plan { scenario, mode, rounds, sessions, seed, parts: parts.clone(), panicking });
        }
    }
    Ok(plans)
}
