//! Every order of events that can be enumerated breaks no rule.

use crate::{
    ledger::Rotation,
    search::{Report, scenarios, search, told},
};

/// Explores every scenario in which `which` holds of the name.
#[track_caller]
fn explored(which: impl Fn(&str) -> bool) -> Vec<Report> {
    let chosen: Vec<_> = scenarios().into_iter().filter(|(name, _)| which(name)).collect();
    assert!(!chosen.is_empty(), "there is such a scenario");
    let report = |(name, scenario)| {
        let report = search(&scenario).unwrap_or_else(|found| {
            let story = told(&scenario, &found.schedule).map(|(story, _)| story).unwrap_or_default();
            panic!("{name}: {}\n{}", found.violation, story.join("\n"))
        });
        println!("{name}: schedules={} states={} {:?}", report.schedules, report.states, report.outcomes);
        // Lazy rotation loses nothing, and without a fault there is one rotation whoever comes.
        let lost = report.outcomes.contains_key("rotation_lost");
        assert!(scenario.rotation == Rotation::Strict || !lost, "{name}: {:?}", report.outcomes);
        assert!(scenario.faults > 0 || report.rotations <= 1, "{name}: {} rotations", report.rotations);
        report
    };
    chosen.into_iter().map(report).collect()
}

#[test]
fn one_caller_and_any_three_faults() {
    explored(|name| name.contains("one caller"));
}

#[test]
fn two_callers_and_any_fault() {
    let reports = explored(|name| name.contains("two callers") && !name.contains("sign-out"));
    // The window is met: else it would not have been looked into.
    assert!(reports.iter().any(|report| report.outcomes.contains_key("rotation_lost")));
}

#[test]
fn three_callers_and_any_fault() {
    explored(|name| name.contains("three callers"));
}

#[test]
fn a_caller_a_sign_out_and_any_two_faults_lazy() {
    explored(|name| name.starts_with("lazy: a caller"));
}

#[test]
fn a_caller_a_sign_out_and_any_two_faults_strict() {
    explored(|name| name.starts_with("strict: a caller"));
}

#[test]
fn two_callers_a_sign_out_and_any_fault_lazy() {
    explored(|name| name.starts_with("lazy: two callers") && name.contains("sign-out"));
}

#[test]
fn two_callers_a_sign_out_and_any_fault_strict() {
    explored(|name| name.starts_with("strict: two callers") && name.contains("sign-out"));
}

#[test]
fn a_sign_in_and_any_two_faults() {
    explored(|name| name.contains("sign-in"));
}

#[test]
fn without_a_fault_n_callers_make_one_rotation() {
    for (name, scenario) in scenarios() {
        let calm = crate::search::Scenario { faults: 0, ..scenario };
        let report = search(&calm).unwrap_or_else(|found| panic!("{name}: {}", found.violation));
        assert!(report.rotations <= 1 && report.conceded.is_empty(), "{name}: {report:?}");
    }
}
