//! `cargo xtask test`: every suite, or one.

use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;

use crate::count::Tally;
use crate::failure::{Failure, Outcome};
use crate::say::{self, Stopwatch};
use crate::suites;

/// Run every test, or one suite
#[derive(clap::Args)]
pub(crate) struct Options {
    /// One suite, for people in a hurry
    suite: Option<Suite>,
    /// For the suites in Chromium: the address of a real build of Box's preview library, in place of the stand-in
    #[arg(long, value_name = "URL")]
    pub(crate) preview_library: Option<String>,
    /// For `unit`, `edge` and the suites in Chromium: passed to the test runner, for example a part of a test's name
    #[arg(last = true, requires = "suite")]
    pub(crate) runner_arguments: Vec<String>,
}

/// What is proven, in the order in which it fails fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Format, clippy for the host and for wasm32, documentation, types: no warnings
    Lint,
    /// Native tests, nothing running beside them
    Unit,
    /// Box's own SDKs against the Box emulator
    Conformance,
    /// The build, that a second one has nothing to do, and the package for npm
    Build,
    /// `wrangler deploy --dry-run` from a fresh clone, and the size budgets
    Deploy,
    /// The Worker over HTTP, on workerd
    Edge,
    /// The Worker on workerd, killed and wiped and let down in the midst of rotations
    Chaos,
    /// The browser module on pages of all kinds, in Chromium
    Browser,
    /// The demo page in Chromium
    Page,
    /// The examples, and Box's own components, in Chromium
    Samples,
    /// The emulator's console in Chromium
    Console,
}

impl Suite {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Unit => "unit",
            Self::Conformance => "conformance",
            Self::Build => "build",
            Self::Deploy => "deploy",
            Self::Edge => "edge",
            Self::Chaos => "chaos",
            Self::Browser => "browser",
            Self::Page => "page",
            Self::Samples => "samples",
            Self::Console => "console",
        }
    }
}

struct Report {
    suite: Suite,
    tally: Tally,
    took: Duration,
}

/// Runs what was asked for; a suite that fails does not keep the others from running.
pub(crate) fn test(options: &Options) -> Outcome<ExitCode> {
    let chosen = options.suite.map_or_else(|| Suite::value_variants().to_vec(), |suite| vec![suite]);
    let mut reports = Vec::new();
    for suite in chosen {
        say::heading(suite.name());
        let watch = Stopwatch::start();
        let tally = match suites::run(suite, options) {
            Ok(tally) => tally.or_failed_if_nothing_ran(),
            Err(Failure::Interrupted) => return Err(Failure::Interrupted),
            Err(Failure::Said(text)) => {
                say::failure(&text);
                Tally::one(false)
            }
        };
        reports.push(Report { suite, tally, took: watch.elapsed() });
    }
    println!("\n{}", summary(&reports));
    let failed = reports.iter().any(|report| report.tally.failed > 0);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One line per suite; last, and alone on its line, the total.
fn summary(reports: &[Report]) -> String {
    let mut text = String::new();
    let mut total = Tally::default();
    for Report { suite, tally, took } in reports {
        let skipped = if tally.skipped > 0 { format!(", {} skipped", tally.skipped) } else { String::new() };
        let time = say::minutes(*took);
        text += &format!(
            "{:<11} {:>5}  {} passed, {} failed{skipped}\n",
            suite.name(),
            time,
            tally.passed,
            tally.failed
        );
        total += *tally;
    }
    text + &format!("\n{} passed, {} failed", total.passed, total.failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(suite: Suite, passed: u64, failed: u64, seconds: u64) -> Report {
        Report { suite, tally: Tally { passed, failed, skipped: 0 }, took: Duration::from_secs(seconds) }
    }

    #[test]
    fn the_summary_has_a_line_per_suite_and_ends_with_the_total() {
        let text = summary(&[report(Suite::Lint, 4, 0, 65), report(Suite::Unit, 100, 2, 5)]);
        let lines: Vec<_> = text.lines().collect();
        let expected = [
            "lint         1:05  4 passed, 0 failed",
            "unit         0:05  100 passed, 2 failed",
            "",
            "104 passed, 2 failed",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn skipped_tests_show_and_count_as_nothing() {
        let tally = Tally { passed: 1, failed: 0, skipped: 2 };
        let text = summary(&[Report { suite: Suite::Edge, tally, took: Duration::ZERO }]);
        assert!(text.starts_with("edge         0:00  1 passed, 0 failed, 2 skipped\n"), "{text}");
        assert!(text.ends_with("\n1 passed, 0 failed"), "{text}");
    }

    #[test]
    fn without_a_name_every_suite_runs() {
        let names: Vec<_> = Suite::value_variants().iter().map(|suite| suite.name()).collect();
        assert_eq!(
            names,
            [
                "lint",
                "unit",
                "conformance",
                "build",
                "deploy",
                "edge",
                "chaos",
                "browser",
                "page",
                "samples",
                "console",
            ]
        );
    }
}
