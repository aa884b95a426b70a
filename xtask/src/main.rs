//! One place for every command: `cargo xtask dev` to use Keyhole, `cargo xtask test` to prove it.

mod apt;
mod browser;
mod build;
mod chaos;
mod conformance;
mod count;
mod deny;
mod dev;
mod elements;
mod examples;
mod explore;
mod failure;
mod fresh_clone;
mod keys;
mod package;
mod pin;
mod place;
mod process;
mod say;
mod servers;
mod setup;
mod size;
mod stamp;
mod suites;
mod test;
mod tools;
mod variants;
mod vars;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::{Failure, Outcome};

/// Keyhole's commands. New here? `cargo xtask dev`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run Keyhole on this machine, with a local Box beside it
    Dev(dev::Options),
    /// Run every test, or one suite
    Test(test::Options),
    /// Break the Worker on real workerd, and count what was lost
    Chaos(chaos::Options),
    /// Break the keeper in a million schedules, and count what was lost
    Explore(explore::Options),
    /// Run Box's own SDKs against the Box emulator
    Conformance(conformance::Options),
    /// Build the Worker, the browser module and the page
    Build,
    /// Pack the browser module for npm
    Package,
    /// Install what the other commands need (they do it themselves)
    Setup,
    /// Measure what is downloaded, and refuse what is too big; time a page's first ask for a token
    Size,
    /// Check the dependencies' licenses, sources and advisories
    Deny,
    /// Print a new sealing key for SEAL_KEYS, and say which old ones are still needed
    Keys(keys::Options),
}

fn main() -> ExitCode {
    match perform(Arguments::parse().command) {
        Ok(code) => code,
        Err(Failure::Interrupted) => ExitCode::from(130),
        Err(Failure::Said(text)) => {
            say::failure(&text);
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command) -> Outcome<ExitCode> {
    process::listen_for_interrupts()?;
    match command {
        Command::Dev(options) => dev::dev(&options)?,
        Command::Test(options) => return test::test(&options),
        Command::Chaos(options) => return chaos::chaos(&options),
        Command::Explore(options) => explore::explore(&options)?,
        Command::Conformance(options) => return conformance::conformance(&options),
        Command::Build => build::build().and_then(|_| pin::print())?,
        Command::Package => package::package()?,
        Command::Setup => setup::setup().map(|_| ())?,
        Command::Size => size::size()?,
        Command::Deny => deny::deny()?,
        Command::Keys(options) => keys::keys(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        assert!(Arguments::try_parse_from(["xtask", "explore", "--seed", "1", "--replay", "7"]).is_ok());
        <Arguments as clap::CommandFactory>::command().debug_assert();
        assert!(Arguments::try_parse_from(["xtask", "test", "edge", "--", "a_name"]).is_ok());
        assert!(Arguments::try_parse_from(["xtask", "test", "--", "a_name"]).is_err());
        assert!(
            Arguments::try_parse_from(["xtask", "dev", "--box", "--fresh", "--no-open", "--port", "1"])
                .is_ok()
        );
    }
}
