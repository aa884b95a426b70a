//! `cargo xtask deny`: what we depend on, and what is known against it.
//!
//! Not part of `cargo xtask test`: its tool takes minutes to compile and its advisories need the internet.

use std::process::Command;

use crate::failure::{Outcome, said};
use crate::tools::{self, CARGO_DENY};
use crate::{place, process, say, setup};

const VERSION: &str = "0.20.2";

/// Checks bans, licenses and sources; advisories where the network lets us have them.
///
/// # Errors
/// A check fails.
pub(crate) fn deny() -> Outcome {
    let program = tools::installed(&CARGO_DENY, VERSION)?;
    let check = |what: &[&str]| {
        let mut deny = Command::new(&program);
        setup::forget_our_cargo(&mut deny);
        deny.current_dir(place::root()).args(["--all-features", "check"]).args(what);
        deny
    };
    process::run("cargo deny", &mut check(&["bans", "licenses", "sources"]))?;

    let mut output = String::new();
    let status = process::run_reading("cargo deny", &mut check(&["advisories"]), |line| {
        output.push_str(line);
        output.push('\n');
    })?;
    print!("{output}");
    if status.success() {
        Ok(())
    } else if is_out_of_reach(&output) {
        say::step("the advisory database cannot be reached from here: advisories were not checked");
        Ok(())
    } else {
        said("cargo deny check advisories failed, see above")
    }
}

/// The check could not even begin.
fn is_out_of_reach(output: &str) -> bool {
    output.contains("failed to fetch advisory database") || output.contains("failed to clone")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advisory_is_not_mistaken_for_a_missing_network() {
        assert!(!is_out_of_reach("error[vulnerability]: a buffer overflow\nadvisories FAILED"));
        assert!(is_out_of_reach(
            "[ERROR] failed to fetch advisory database https://github.com/rustsec/advisory-db"
        ));
    }
}
