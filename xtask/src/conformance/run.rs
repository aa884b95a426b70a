//! One SDK, all its cases, one emulator.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use serde::Deserialize;

use super::install::Installed;
use super::table::{Case, Sdk};
use crate::failure::{Outcome, While, said};
use crate::place;
use crate::process::{self, Server};
use crate::say::{self, Stopwatch};

/// A start takes a moment; a busy machine takes its time.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(20);

/// How an SDK did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) label: String,
    pub(crate) passed: u64,
    pub(crate) na: u64,
    /// The cases that failed, each with a sentence.
    pub(crate) failed: BTreeMap<String, String>,
}

/// Runs `cases` with `sdk`. `broken`: the rule that the emulator does not keep.
///
/// # Errors
/// Something is missing that has nothing to do with any case, or the driver breaks the rules of the house: a case that
/// it was not asked for, an outcome of its own. A driver that breaks down has failed the cases it did not come to.
pub(crate) fn run(
    sdk: &Sdk,
    installed: &Installed,
    cases: &[&Case],
    broken: Option<&str>,
) -> Outcome<Report> {
    let (asked, na): (Vec<&&Case>, Vec<&&Case>) =
        cases.iter().partition(|case| case.not_applicable(sdk).is_none());
    let scratch =
        place::scratch().join("conformance").join(format!("{}-{}", sdk.name, broken.unwrap_or("whole")));
    clear(&scratch)?;
    let (_server, url) = emulator(broken)?;
    let mut driver = installed.driver(sdk)?;
    driver.arg(url).args(asked.iter().map(|case| &case.name));
    // Settings files with private keys are written there, and no proxy stands between.
    driver
        .env("TMPDIR", &scratch)
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("no_proxy", "127.0.0.1,localhost");
    let mut lines = Vec::new();
    let status = process::run_reading(&sdk.name, &mut driver, |line| lines.push(line.to_owned()))?;
    clear(&scratch)?;
    let (outcomes, noise) = Line::sort(lines);
    let mut report = judge(&asked, outcomes).or_else(|fault| said(format!("{}: {fault}", sdk.name)))?;
    if !status.success() {
        let last = noise.last().map_or("nothing", String::as_str);
        say::step(&format!("the driver of {} ended with {status}; it said last: {last}", sdk.name));
        if report.failed.is_empty() {
            return said(format!("the driver of {} failed, though no case did", sdk.name));
        }
    }
    report.label = sdk.label()?;
    report.na = u64::try_from(na.len()).unwrap_or(u64::MAX);
    Ok(report)
}

/// What a driver says of a case.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    case: String,
    outcome: String,
    why: Option<String>,
}

impl Line {
    /// Which lines tell outcomes; the others are what SDKs log.
    fn sort(lines: Vec<String>) -> (Vec<Self>, Vec<String>) {
        let mut outcomes = Vec::new();
        let mut noise = Vec::new();
        for line in lines {
            match serde_json::from_str(&line) {
                Ok(outcome) => outcomes.push(outcome),
                Err(_) => noise.push(line),
            }
        }
        (outcomes, noise)
    }
}

/// Every case that was asked for has passed or failed, once, and no other did. That a case is not applicable is for the
/// table to say.
fn judge(asked: &[&&Case], outcomes: Vec<Line>) -> Result<Report, String> {
    let mut by_name = BTreeMap::new();
    for line in outcomes {
        if !asked.iter().any(|case| case.name == line.case) {
            return Err(format!("it ran {}, which the table does not ask of it", line.case));
        }
        if let Some(before) = by_name.insert(line.case.clone(), line) {
            return Err(format!("it ran {} twice", before.case));
        }
    }
    let mut report = Report::default();
    for case in asked {
        match by_name.remove(&case.name) {
            None => {
                report.failed.insert(case.name.clone(), "the driver ended before it".to_owned());
            }
            Some(line) if line.outcome == "passed" => report.passed += 1,
            Some(line) if line.outcome == "failed" => {
                report
                    .failed
                    .insert(case.name.clone(), line.why.unwrap_or_else(|| "it did not say why".to_owned()));
            }
            Some(line) => return Err(format!("{} ended as {:?}", case.name, line.outcome)),
        }
    }
    Ok(report)
}

/// An emulator with nothing in it, on ports that it finds itself, and its address.
fn emulator(broken: Option<&str>) -> Outcome<(Server, String)> {
    let mut command = Command::new(place::target().join("debug/box-emulator"));
    command.args(["--port", "0", "--content-port", "0"]);
    if let Some(rule) = broken {
        command.args(["--break", rule]);
    }
    let (send, lines) = channel();
    let mut server = process::serve("the Box emulator", &mut command, move |line| {
        let _nobody_listens_any_more = send.send(line.to_owned());
    })?;
    let watch = Stopwatch::start();
    while watch.elapsed() < ANNOUNCED_WITHIN {
        match lines.recv_timeout(GLANCE) {
            Ok(line) => {
                if let Some(url) = line.trim().strip_prefix("API ") {
                    return Ok((server, url.trim().to_owned()));
                }
            }
            Err(RecvTimeoutError::Timeout) => process::check_interrupt()?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
        server.check_alive()?;
    }
    server.check_alive()?;
    said(format!("the Box emulator did not say where it is:\n{}", server.last_lines()))
}

fn clear(directory: &Path) -> Outcome {
    let doing = || format!("clearing {}", directory.display());
    if directory.exists() {
        std::fs::remove_dir_all(directory).or_say(doing)?;
    }
    std::fs::create_dir_all(directory).or_say(doing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::table;

    fn line(case: &str, outcome: &str) -> Line {
        let why = (outcome == "failed").then(|| "a reason".to_owned());
        Line { case: case.to_owned(), outcome: outcome.to_owned(), why }
    }

    #[track_caller]
    fn judged(outcomes: Vec<Line>) -> Result<Report, String> {
        let table = table::example();
        let asked: Vec<&Case> = table
            .cases
            .iter()
            .filter(|case| matches!(case.name.as_str(), "users_me" | "list_root"))
            .collect();
        judge(&asked.iter().collect::<Vec<_>>(), outcomes)
    }

    #[test]
    fn a_case_that_is_missing_has_failed() {
        let report = judged(vec![line("users_me", "passed")]).unwrap();
        assert_eq!(report.passed, 1);
        assert_eq!(report.failed.keys().collect::<Vec<_>>(), ["list_root"]);
    }

    #[test]
    fn a_case_that_failed_says_why() {
        let report = judged(vec![line("users_me", "passed"), line("list_root", "failed")]).unwrap();
        assert_eq!(report.failed["list_root"], "a reason");
    }

    #[test]
    fn a_driver_may_not_run_what_it_was_not_asked_for_nor_twice_nor_declare_anything_not_applicable() {
        assert!(judged(vec![line("refresh_before_the_end", "passed")]).is_err());
        assert!(judged(vec![line("users_me", "passed"), line("users_me", "passed")]).is_err());
        assert!(judged(vec![line("users_me", "na"), line("list_root", "passed")]).is_err());
    }

    #[test]
    fn what_an_sdk_logs_is_no_outcome() {
        let said = "{\"case\": \"users_me\", \"outcome\": \"passed\"}";
        let (outcomes, noise) = Line::sort(vec!["{'error': 'x'}".to_owned(), said.to_owned()]);
        assert_eq!(outcomes, [line("users_me", "passed")]);
        assert_eq!(noise, ["{'error': 'x'}"]);
    }
}
