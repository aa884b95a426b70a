//! How many tests passed and failed, read from what the runners say.

use std::ops::AddAssign;

use serde_json::Value;

use crate::failure::{Outcome, While};

/// Tests of a suite, by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Not run, and so not counted as anything. The project has none; here they would show.
    pub(crate) skipped: u64,
}

impl Tally {
    /// One check that is a test by itself.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed), skipped: 0 }
    }

    /// A suite that proves nothing has failed.
    pub(crate) fn or_failed_if_nothing_ran(self) -> Self {
        if self.passed == 0 && self.failed == 0 { Self { failed: 1, ..self } } else { self }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// What a line of `cargo test` adds, such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`. Each test binary
/// writes one.
pub(crate) fn cargo_test_line(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut tally = Tally::default();
    for count in counts.split("; ") {
        match count.trim().split_once(' ') {
            Some((number, "passed")) => tally.passed = number.parse().ok()?,
            Some((number, "failed")) => tally.failed = number.parse().ok()?,
            Some((number, "ignored")) => tally.skipped = number.parse().ok()?,
            _ => {}
        }
    }
    Some(tally)
}

/// What Playwright's JSON report says. A test that passed only when tried again is a failed test.
///
/// # Errors
/// It is no report.
pub(crate) fn playwright_report(report: &str) -> Outcome<Tally> {
    let report: Value = serde_json::from_str(report).or_say(|| "reading Playwright's report".to_owned())?;
    let count = |field: &str| report.pointer(&format!("/stats/{field}")).and_then(Value::as_u64).unwrap_or(0);
    let broken = report.get("errors").and_then(Value::as_array).map_or(0, Vec::len);
    let broken = u64::try_from(broken).unwrap_or(u64::MAX);
    Ok(Tally {
        passed: count("expected"),
        failed: count("unexpected") + count("flaky") + broken,
        skipped: count("skipped"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_line_of_cargo_test_is_counted() {
        let line = "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        assert_eq!(cargo_test_line(line), Some(Tally { passed: 12, failed: 2, skipped: 1 }));
        let line =
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(cargo_test_line(line), Some(Tally::default()));
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in ["", "running 3 tests", "test a_test ... ok", "  test result: ok. 1 passed"] {
            assert_eq!(cargo_test_line(line), None, "{line}");
        }
    }

    #[test]
    fn a_playwright_report_is_counted_and_a_flaky_test_has_failed() {
        let report = r#"{"stats":{"expected":5,"unexpected":1,"flaky":2,"skipped":4},"errors":[]}"#;
        assert_eq!(playwright_report(report).unwrap(), Tally { passed: 5, failed: 3, skipped: 4 });
    }

    #[test]
    fn a_playwright_run_that_broke_has_failed() {
        let report =
            r#"{"stats":{"expected":0,"unexpected":0,"flaky":0,"skipped":0},"errors":[{"message":"no"}]}"#;
        assert_eq!(playwright_report(report).unwrap().failed, 1);
        assert!(playwright_report("").is_err());
    }

    #[test]
    fn a_suite_that_runs_nothing_has_failed() {
        assert_eq!(Tally::default().or_failed_if_nothing_ran().failed, 1);
        assert_eq!(Tally::one(true).or_failed_if_nothing_ran(), Tally::one(true));
        let skipped = Tally { skipped: 3, ..Tally::default() };
        assert_eq!(skipped.or_failed_if_nothing_ran().failed, 1);
    }
}
