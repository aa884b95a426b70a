//! `cargo xtask chaos`: breaks the Worker on real workerd and counts what was lost. `tests/chaos` does it; here it gets
//! what it needs.

use std::process::{Command, ExitCode};

use crate::count::Tally;
use crate::failure::{Outcome, said};
use crate::setup::cargo;
use crate::{build, place, process, say};

/// Break the Worker on real workerd, at every instant of a rotation, and count what was lost
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// One of race, kill, lost-answer, flaky, kv-down, sign-out-while-refreshing, clock, panic; all otherwise
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// How often; by itself each scenario knows how often a full run is
    #[arg(long)]
    rounds: Option<usize>,
    /// Brings the schedule of an earlier run again: the lines say theirs
    #[arg(long)]
    seed: Option<u64>,
    /// Box's rotation: lazy, strict or both
    #[arg(long, value_name = "MODE", default_value = "both")]
    mode: String,
}

/// A full run, or the part that was asked for.
pub(crate) fn chaos(options: &Options) -> Outcome<ExitCode> {
    let mut harness = harness()?;
    harness.arg("--mode").arg(&options.mode);
    if let Some(scenario) = &options.scenario {
        harness.arg("--scenario").arg(scenario);
    }
    if let Some(rounds) = options.rounds {
        harness.arg("--rounds").arg(rounds.to_string());
    }
    if let Some(seed) = options.seed {
        harness.arg("--seed").arg(seed.to_string());
    }
    let tally = run(&mut harness)?;
    Ok(if tally.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A few rounds of each scenario in both modes; each of those is a test.
pub(crate) fn short() -> Outcome<Tally> {
    let mut harness = harness()?;
    say::step(
        "a few rounds of each scenario (three minutes: what is in doubt may take two and a half to be told)",
    );
    run(harness.arg("--short"))
}

/// The harness, with all it needs.
fn harness() -> Outcome<Command> {
    build::build()?;
    let panicking = build::panicking_worker()?;
    process::run("cargo build", cargo().args(["build", "--quiet", "-p", "keyhole-chaos"]))?;
    let mut harness = Command::new(place::target().join("debug/keyhole-chaos"));
    harness.arg("--root").arg(place::root()).arg("--panicking").arg(panicking);
    Ok(harness)
}

fn run(harness: &mut Command) -> Outcome<Tally> {
    let mut tally = None;
    let status = process::run_reading("the chaos harness", harness, |line| {
        println!("{line}");
        tally = tally.or_else(|| total(line));
    })?;
    match tally {
        Some(tally) if status.success() == (tally.failed == 0) => Ok(tally),
        _ => said(format!("the chaos harness failed ({status}), see above")),
    }
}

/// `chaos: 16 passed, 0 failed`, its last line.
fn total(line: &str) -> Option<Tally> {
    let (passed, failed) = line.strip_prefix("chaos: ")?.strip_suffix(" failed")?.split_once(" passed, ")?;
    Some(Tally { passed: passed.parse().ok()?, failed: failed.parse().ok()?, skipped: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_counted_and_no_other() {
        let counted = total("chaos: 15 passed, 1 failed");
        assert_eq!(counted, Some(Tally { passed: 15, failed: 1, skipped: 0 }));
        for other in ["chaos kill: mode=lazy rounds=1 lost=0", "chaos: none", "15 passed, 1 failed", ""] {
            assert_eq!(total(other), None, "{other}");
        }
    }
}
