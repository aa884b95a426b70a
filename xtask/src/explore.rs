//! `cargo xtask explore`: the keeper in a million schedules, with faults. The program is `tests/explore`.

use crate::failure::Outcome;
use crate::process;
use crate::setup::cargo;

/// Break the keeper in a million schedules, and count what was lost
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// For the explorer: `--schedules N`, `--seed S`, `--mode lazy` or `strict`, `--replay NUMBER`, `--help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    arguments: Vec<String>,
}

/// Builds the explorer to run fast, and runs it. Nothing of the Worker is needed for that.
///
/// # Errors
/// It does not build, or it finds a schedule that breaks a rule; it has said which.
pub(crate) fn explore(options: &Options) -> Outcome {
    let explorer = ["--quiet", "--profile", "explore", "--package", "keyhole-explore"];
    // Built first, so that nobody takes a compiler at work for an explorer that is silent.
    process::run("cargo build", cargo().arg("build").args(explorer))?;
    process::run("the explorer", cargo().arg("run").args(explorer).arg("--").args(&options.arguments))
}
