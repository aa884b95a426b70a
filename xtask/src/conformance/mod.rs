//! `cargo xtask conformance`: Box's own SDKs, unmodified, do one list of cases with the emulator. With `--break` the
//! emulator drops a rule, and exactly the cases that hold it must fail: so they do hold it.

mod install;
mod run;
mod table;

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::count::Tally;
use crate::failure::{Failure, Outcome};
use crate::{place, say, servers, setup};
use install::Installed;
use run::Report;
use table::{Case, Sdk, Table};

/// More at once would only wait for each other's processors.
const AT_ONCE_MAX: usize = 2;
/// The SDK that breaks every rule in `cargo xtask test`: it waits the least between two tries.
const QUICKEST: &str = "box-typescript-sdk-gen-1";
const ALL: &str = "all";

/// Run Box's own SDKs against the emulator
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// One SDK, by its name in the list; all otherwise
    #[arg(long, value_name = "NAME")]
    sdk: Option<String>,
    /// One case; all otherwise
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    /// Drop a rule of the emulator, or each in its turn, and see that exactly the cases that hold it fail
    #[arg(long = "break", value_name = "RULE|all", conflicts_with = "case")]
    rule: Option<String>,
    /// Only show the SDKs, the cases and the rules
    #[arg(long)]
    list: bool,
}

/// Where the drivers, the list and the pins are.
fn home() -> PathBuf {
    place::root().join("tests/conformance")
}

/// What was asked for.
pub(crate) fn conformance(options: &Options) -> Outcome<ExitCode> {
    let table = Table::of_this_clone()?;
    if options.list {
        list(&table)?;
        return Ok(ExitCode::SUCCESS);
    }
    let sdks = chosen(&table.sdks, options.sdk.as_deref(), |sdk| &sdk.name)?;
    let tally = match options.rule.as_deref() {
        Some(rule) => break_rules(&table, &sdks, &chosen_rules(&table, rule)?)?,
        None => conform(&sdks, &chosen(&table.cases, options.case.as_deref(), |case| &case.name)?)?,
    };
    Ok(if tally.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Every SDK, every case; and every rule broken once.
pub(crate) fn suite() -> Outcome<Tally> {
    let table = Table::of_this_clone()?;
    let mut tally = conform(&table.sdks.iter().collect::<Vec<_>>(), &table.cases.iter().collect::<Vec<_>>())?;
    say::step(&format!("each rule of the emulator broken, with {QUICKEST}"));
    let quickest = chosen(&table.sdks, Some(QUICKEST), |sdk| &sdk.name)?;
    tally += break_rules(&table, &quickest, &table.rules().into_iter().collect::<Vec<_>>())?;
    Ok(tally)
}

/// Runs the cases with each SDK; each is a test.
fn conform(sdks: &[&Sdk], cases: &[&Case]) -> Outcome<Tally> {
    let installed = ready(sdks)?;
    say::step(&format!("{} cases with {} SDKs", cases.len(), sdks.len()));
    let mut tally = Tally::default();
    for report in at_once(&installed, |(sdk, installed)| run::run(sdk, installed, cases, None))? {
        tally += told(&report, cases);
    }
    Ok(tally)
}

/// One line, and one more for each case that failed.
fn told(report: &Report, cases: &[&Case]) -> Tally {
    let Report { label, passed, na, failed } = report;
    println!("conformance {label}: passed={passed} failed={} na={na}", failed.len());
    for case in cases {
        if let Some(why) = failed.get(&case.name) {
            println!("  {} failed: {why} (the case: {})", case.name, case.about);
        }
    }
    Tally { passed: *passed, failed: u64::try_from(failed.len()).unwrap_or(u64::MAX), skipped: 0 }
}

/// Runs all cases with each SDK and each rule broken; each pair is a test.
fn break_rules(table: &Table, sdks: &[&Sdk], rules: &[&str]) -> Outcome<Tally> {
    let installed = ready(sdks)?;
    let cases: Vec<&Case> = table.cases.iter().collect();
    let pairs: Vec<_> = rules.iter().flat_map(|rule| installed.iter().map(move |sdk| (*rule, sdk))).collect();
    let reports = at_once(&pairs, |(rule, (sdk, installed))| {
        Ok((*rule, *sdk, run::run(sdk, installed, &cases, Some(rule))?))
    })?;
    let mut tally = Tally::default();
    for (rule, sdk, report) in reports {
        let verdict = verdict(&cases, rule, sdk, &report);
        println!("break {rule} {}: {}", report.label, verdict.as_ref().unwrap_or_else(|fault| fault));
        tally += Tally::one(verdict.is_ok());
    }
    Ok(tally)
}

/// Whether exactly those cases failed that hold the rule.
fn verdict(cases: &[&Case], rule: &str, sdk: &Sdk, report: &Report) -> Result<String, String> {
    let holding = cases.iter().filter(|case| case.holds(rule) && case.not_applicable(sdk).is_none());
    let expected: BTreeSet<&str> = holding.map(|case| case.name.as_str()).collect();
    let failed: BTreeSet<&str> = report.failed.keys().map(String::as_str).collect();
    let names = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(", ");
    if failed == expected {
        return Ok(format!("failed exactly [{}]", names(&expected)));
    }
    let surplus = report.failed.iter().filter(|(name, _)| !expected.contains(name.as_str()));
    let reasons = surplus.map(|(name, why)| format!("\n  {name}: {why}")).collect::<String>();
    Err(format!("WRONG, should have failed [{}] and failed [{}]{reasons}", names(&expected), names(&failed)))
}

/// Each SDK with where it is installed.
fn ready<'a>(sdks: &[&'a Sdk]) -> Outcome<Vec<(&'a Sdk, Installed)>> {
    if sdks.iter().any(|sdk| !sdk.is_python()) {
        setup::npm_packages()?;
    }
    servers::build_emulator()?;
    sdks.iter().map(|sdk| Ok((*sdk, Installed::of(sdk)?))).collect()
}

/// Does the jobs, a few at a time; the results come in the order of the jobs.
fn at_once<'a, J: Sync, R: Send>(
    jobs: &'a [J],
    work: impl Fn(&'a J) -> Outcome<R> + Sync,
) -> Outcome<Vec<R>> {
    let waiting: Mutex<VecDeque<(usize, &J)>> = Mutex::new(jobs.iter().enumerate().collect());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE_MAX.min(jobs.len()) {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((place, job)) = next else { return };
                    let result = work(job);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// All, or the one of that name.
fn chosen<'a, T>(all: &'a [T], name: Option<&str>, name_of: impl Fn(&T) -> &String) -> Outcome<Vec<&'a T>> {
    let chosen: Vec<&T> = all.iter().filter(|one| name.is_none_or(|name| name == name_of(one))).collect();
    match (chosen.is_empty(), name) {
        (true, Some(name)) => unknown(name, all.iter().map(|one| name_of(one).as_str())),
        _ => Ok(chosen),
    }
}

fn chosen_rules<'a>(table: &'a Table, name: &str) -> Outcome<Vec<&'a str>> {
    let rules = table.rules();
    let chosen: Vec<&str> = rules.iter().copied().filter(|rule| name == ALL || name == *rule).collect();
    if chosen.is_empty() { unknown(name, rules.into_iter()) } else { Ok(chosen) }
}

fn unknown<'a, T>(name: &str, known: impl Iterator<Item = &'a str>) -> Outcome<T> {
    Err(Failure::Said(format!("there is no {name}, there are: {}", known.collect::<Vec<_>>().join(", "))))
}

fn list(table: &Table) -> Outcome {
    for sdk in &table.sdks {
        println!("{:<26} {}", sdk.name, sdk.label()?);
    }
    println!();
    for case in &table.cases {
        println!("{:<30} {}", case.name, case.about);
        for sdk in &table.sdks {
            if let Some(why) = case.not_applicable(sdk) {
                println!("{:<30} not {}: {why}", "", sdk.name);
            }
        }
    }
    println!("\nrules: {}", table.rules().into_iter().collect::<Vec<_>>().join(", "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::said;

    fn report(failed: &[&str]) -> Report {
        Report {
            failed: failed.iter().map(|name| ((*name).to_owned(), "so".to_owned())).collect(),
            ..Report::default()
        }
    }

    #[test]
    fn a_broken_rule_must_fail_exactly_its_cases() {
        let table = table::example();
        let cases: Vec<&Case> = table.cases.iter().collect();
        let python = &table.sdks[0];
        let right = report(&["revoke", "revoke_of_a_narrowed_token"]);
        assert!(verdict(&cases, "revoked-token", python, &right).is_ok());
        for wrong in [&["revoke"][..], &["revoke", "revoke_of_a_narrowed_token", "users_me"], &[]] {
            assert!(verdict(&cases, "revoked-token", python, &report(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_case_that_an_sdk_cannot_run_need_not_fail_with_it() {
        let table = table::example();
        let cases: Vec<&Case> = table.cases.iter().collect();
        let of = |name| table.sdks.iter().find(|sdk| sdk.name == name).unwrap();
        assert!(verdict(&cases, "jti-reused", of("box-node-sdk-3"), &report(&[])).is_ok());
        assert!(verdict(&cases, "jti-reused", of("boxsdk-10"), &report(&[])).is_err());
    }

    #[test]
    fn a_name_that_nothing_has_is_an_error_that_says_what_there_is() {
        let table = table::example();
        let Err(Failure::Said(text)) = chosen_rules(&table, "gravity") else { panic!("it was found") };
        assert!(text.contains("gravity") && text.contains("revoked-token"), "{text}");
        assert_eq!(chosen_rules(&table, "scope").unwrap(), ["scope"]);
        assert_eq!(chosen_rules(&table, ALL).unwrap().len(), table.rules().len());
        assert!(chosen(&table.sdks, Some("boxsdk-2"), |sdk| &sdk.name).is_err());
    }

    #[test]
    fn jobs_are_done_a_few_at_a_time_and_told_in_order() {
        let jobs: Vec<usize> = (0..9).collect();
        assert_eq!(at_once(&jobs, |job| Ok(*job)).unwrap(), jobs);
        assert!(at_once(&jobs, |job| if *job == 3 { said("no") } else { Ok(()) }).is_err());
    }
}
