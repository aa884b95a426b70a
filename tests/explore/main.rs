//! `keyhole-explore`: explores the keeper at random, from a seed. `cargo xtask explore` builds and starts it.

use std::{
    process::ExitCode,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use clap::{Parser, ValueEnum};
use keyhole_explore::{
    Dice, FoundAtRandom, Grounds, Rotation, Tally, Twist, Violation, scenarios, search, written,
};

/// Explores the keeper: every order of events that can be enumerated, and many that cannot
#[derive(Parser)]
#[command(name = "cargo xtask explore")]
struct Arguments {
    /// How many random schedules
    #[arg(long, default_value_t = 1_000_000)]
    schedules: u64,
    /// All that is random follows from it; drawn and printed if it is not given
    #[arg(long)]
    seed: Option<u64>,
    /// How Box rotates; both in turn if it is not given
    #[arg(long)]
    mode: Option<Mode>,
    /// Tell the story of the schedule with this number, event by event, and explore nothing
    #[arg(long, value_name = "NUMBER")]
    replay: Option<u64>,
    /// Every order of events of the scenarios that can be enumerated, and nothing at random
    #[arg(long)]
    every_order: bool,
    /// A deliberate mistake, to see what is found
    #[arg(long, default_value = "none", hide_default_value = true)]
    mistake: Twist,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    Strict,
    Lazy,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let explored = if arguments.every_order { every_order(arguments.mistake) } else { at_random(&arguments) };
    match explored {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("{words}");
            ExitCode::FAILURE
        }
    }
}

fn every_order(mistake: Twist) -> Result<(), String> {
    for (name, scenario) in scenarios() {
        let report = search(&keyhole_explore::Scenario { twist: mistake, ..scenario })
            .map_err(|found| format!("{name}: {}\n  {}", found.violation, written(&found.schedule)))?;
        println!("explore: {name}: schedules={} states={}", report.schedules, report.states);
    }
    Ok(())
}

fn at_random(arguments: &Arguments) -> Result<(), String> {
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => getrandom::u64().map_err(|fault| fault.to_string())?,
    };
    let mode = arguments.mode.map(|mode| match mode {
        Mode::Strict => Rotation::Strict,
        Mode::Lazy => Rotation::Lazy,
    });
    let dice = Dice { seed, mode, twist: arguments.mistake };
    if let Some(number) = arguments.replay {
        return replay(dice, number);
    }
    println!("explore: {} schedules from seed {seed}", arguments.schedules);
    match on_every_core(dice, arguments.schedules) {
        Ok(tally) => {
            println!("{}", line(&tally, seed));
            Ok(())
        }
        Err(found) => Err(complaint(&found, arguments, seed)),
    }
}

fn replay(dice: Dice, number: u64) -> Result<(), String> {
    let grounds = Grounds::lay(dice).map_err(|violation| violation.to_string())?;
    let (story, ended) = grounds.tell(number);
    for line in story {
        println!("{line}");
    }
    let outcome = ended.map_err(|violation| format!("broken: {violation}"))?;
    println!("it ends: {}", outcome.word());
    Ok(())
}

/// How many schedules a core takes at a time.
const PORTION: u64 = 500;

fn on_every_core(dice: Dice, schedules: u64) -> Result<Tally, FoundAtRandom> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(0);
    let (sender, done) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..cores {
            let (next, sender) = (&next, sender.clone());
            scope.spawn(move || {
                let grounds = match Grounds::lay(dice) {
                    Ok(grounds) => grounds,
                    Err(violation) => return drop(sender.send(Err(FoundAtRandom::at_the_start(violation)))),
                };
                loop {
                    let from = next.fetch_add(PORTION, Ordering::Relaxed);
                    let ran = grounds.run(from..schedules.min(from + PORTION)).map_err(|found| *found);
                    let over = from >= schedules || ran.is_err();
                    if sender.send(ran).is_err() || over {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut tally = Tally::default();
        let (step, mut told) = ((schedules / 20).max(1), 0);
        for portion in done {
            match portion {
                Ok(portion) => tally += portion,
                Err(found) => {
                    // The others stop with their portion.
                    next.store(schedules, Ordering::Relaxed);
                    return Err(found);
                }
            }
            if tally.schedules / step > told && tally.schedules < schedules {
                told = tally.schedules / step;
                println!("  … {} schedules, {} rotations", tally.schedules, tally.rotations);
            }
        }
        Ok(tally)
    })
}

fn line(tally: &Tally, seed: u64) -> String {
    let outcomes: Vec<String> =
        tally.outcomes.iter().map(|(word, count)| format!("{word}={count}")).collect();
    format!(
        "explore: schedules={} steps={} sessions={} rotations={} faults={} lost_in_window={} lost=0 ended: {} seed={seed}",
        tally.schedules,
        tally.steps,
        tally.sessions,
        tally.rotations,
        tally.faults,
        tally.lost_in_window,
        outcomes.join(" "),
    )
}

fn complaint(found: &FoundAtRandom, arguments: &Arguments, seed: u64) -> String {
    let mode = match arguments.mode {
        Some(Mode::Strict) => " --mode strict",
        Some(Mode::Lazy) => " --mode lazy",
        None => "",
    };
    let mistake = match arguments.mistake {
        Twist::None => String::new(),
        mistake => format!(" --mistake {}", mistake.name()),
    };
    let violation: &Violation = &found.shortest.violation;
    format!(
        "explore: broken: {violation}\n  at its shortest: {}\n  its story: cargo xtask explore{mode}{mistake} --seed {seed} --replay {}",
        written(&found.shortest.schedule),
        found.number,
    )
}
