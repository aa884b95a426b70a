//! `tests/conformance/cases.toml`: which SDKs there are, and what each of them must do.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use crate::failure::{Outcome, While, said};

/// Fewer would be no conformance.
const CASES_MIN: usize = 20;
const RULES_MIN: usize = 10;

/// The whole table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    #[serde(rename = "sdk")]
    pub(crate) sdks: Vec<Sdk>,
    #[serde(rename = "case")]
    pub(crate) cases: Vec<Case>,
}

/// One of Box's SDKs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sdk {
    /// The directory of its pins.
    pub(crate) name: String,
    /// Its name in its registry.
    pub(crate) package: String,
    /// The program that runs the cases, from `tests/conformance`.
    pub(crate) driver: PathBuf,
}

/// Something that every SDK must do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) about: String,
    /// The rule of the emulator without which it must fail.
    holds: Option<String>,
    #[serde(default)]
    na: Vec<NotApplicable>,
}

/// Who cannot run a case, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NotApplicable {
    sdks: Vec<String>,
    why: String,
}

impl Table {
    /// # Errors
    /// It cannot be read, or contradicts itself.
    pub(crate) fn of_this_clone() -> Outcome<Self> {
        let path = super::home().join("cases.toml");
        let text = fs::read_to_string(&path).or_say(|| format!("reading {}", path.display()))?;
        Self::read(&text)
    }

    fn read(text: &str) -> Outcome<Self> {
        let table: Self = toml::from_str(text).or_say(|| "reading cases.toml".to_owned())?;
        let fault = table.fault();
        fault.map_or(Ok(table), |fault| said(format!("cases.toml: {fault}")))
    }

    fn fault(&self) -> Option<String> {
        let sdks: BTreeSet<_> = self.sdks.iter().map(|sdk| &sdk.name).collect();
        let names: BTreeSet<_> = self.cases.iter().map(|case| &case.name).collect();
        if names.len() != self.cases.len() || sdks.len() != self.sdks.len() {
            return Some("a name is given twice".to_owned());
        }
        if names.len() < CASES_MIN || self.rules().len() < RULES_MIN {
            return Some(format!("there are fewer than {CASES_MIN} cases or {RULES_MIN} rules"));
        }
        for case in &self.cases {
            let named: Vec<_> = case.na.iter().flat_map(|na| &na.sdks).collect();
            let distinct: BTreeSet<_> = named.iter().copied().collect();
            if distinct.len() != named.len() || !distinct.is_subset(&sdks) {
                return Some(format!("{} is not applicable to an unknown SDK, or twice to one", case.name));
            }
            if distinct == sdks {
                return Some(format!("nobody runs {}", case.name));
            }
            if case.na.iter().any(|na| na.why.is_empty()) || case.about.is_empty() {
                return Some(format!(
                    "{} does not say what it is about, or why it is not applicable",
                    case.name
                ));
            }
        }
        None
    }

    /// Each rule that a case holds, once.
    pub(crate) fn rules(&self) -> BTreeSet<&str> {
        self.cases.iter().filter_map(|case| case.holds.as_deref()).collect()
    }
}

impl Case {
    /// Why `sdk` cannot run it; `None`: it can.
    pub(crate) fn not_applicable(&self, sdk: &Sdk) -> Option<&str> {
        self.na.iter().find(|na| na.sdks.contains(&sdk.name)).map(|na| na.why.as_str())
    }

    /// Whether it must fail without that rule.
    pub(crate) fn holds(&self, rule: &str) -> bool {
        self.holds.as_deref() == Some(rule)
    }
}

impl Sdk {
    /// Where its versions are pinned.
    pub(crate) fn pins(&self) -> PathBuf {
        super::home().join("sdks").join(&self.name)
    }

    pub(crate) fn is_python(&self) -> bool {
        self.driver.extension().is_some_and(|extension| extension == "py")
    }

    /// What a line of the report calls it: package, major and minor version.
    ///
    /// # Errors
    /// The pins do not name one version.
    pub(crate) fn label(&self) -> Outcome<String> {
        let file = self.pins().join(if self.is_python() { "requirements.txt" } else { "package.json" });
        let text = fs::read_to_string(&file).or_say(|| format!("reading {}", file.display()))?;
        let version = if self.is_python() { self.python_version(&text) } else { self.npm_version(&text) };
        let minor = version.as_deref().and_then(|version| version.rsplit_once('.'));
        match minor {
            Some((minor, _)) => Ok(format!("{}-{minor}", self.package)),
            None => said(format!("{} pins no version of {}", file.display(), self.package)),
        }
    }

    /// `boxsdk[jwt]==10.18.0`.
    fn python_version(&self, requirements: &str) -> Option<String> {
        let versions = requirements.lines().filter_map(|line| line.split_once("=="));
        let mut ours = versions.filter(|(name, _)| name.split('[').next() == Some(self.package.as_str()));
        ours.next().map(|(_, version)| version.trim().to_owned())
    }

    fn npm_version(&self, package: &str) -> Option<String> {
        let package: serde_json::Value = serde_json::from_str(package).ok()?;
        let version = package.get("dependencies")?.get(&self.package)?.as_str()?;
        version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
    }
}

/// The table of this clone.
#[cfg(test)]
pub(crate) fn example() -> Table {
    Table::of_this_clone().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place;

    #[test]
    fn the_table_of_this_clone_has_no_fault_and_every_sdk_has_a_pinned_version_and_a_driver() {
        let table = example();
        for sdk in &table.sdks {
            let label = sdk.label().unwrap();
            assert!(label.starts_with(&format!("{}.", sdk.name)), "{label} of {}", sdk.name);
        }
        assert!(table.sdks.iter().all(|sdk| super::super::home().join(&sdk.driver).is_file()));
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        let good = fs::read_to_string(super::super::home().join("cases.toml")).unwrap();
        assert!(Table::read(&good).is_ok());
        for (was, becomes) in [
            ("name = \"code_exchange\"", "name = \"users_me\""),
            ("sdks = [\"box-node-sdk-3\"]", "sdks = [\"box-node-sdk-4\"]"),
            ("why = \"its exchange takes no actor\"", "why = \"\""),
            ("holds = \"", "hold = \""),
        ] {
            let changed = good.replace(was, becomes);
            assert_ne!(changed, good, "{was}");
            assert!(Table::read(&changed).is_err(), "{becomes}");
        }
    }

    #[test]
    fn the_emulators_readme_points_sdks_at_it_with_the_lines_of_the_drivers() {
        let readme = fs::read_to_string(place::root().join("tests/box-emulator/README.md")).unwrap();
        let (_, section) = readme.split_once("\n## Box's own SDKs\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let fences = section.split("\n```").skip(1).step_by(2);
        // Those that bear a driver's name; the others are whole programs.
        let is_of_a_driver = |fence: &&str| fence.lines().next().is_some_and(|name| name.contains('.'));
        let fences: Vec<_> = fences.filter(is_of_a_driver).collect();
        assert_eq!(fences.len(), 4);
        for fence in fences {
            let (driver, lines) = fence.split_once('\n').unwrap();
            let language = if driver.ends_with("py") { "python" } else { "node" };
            let driver = fs::read_to_string(super::super::home().join(language).join(driver)).unwrap();
            for line in lines.lines() {
                assert!(driver.lines().any(|of_driver| of_driver.trim() == line), "{line}");
            }
        }
    }

    #[test]
    fn every_case_is_a_function_of_the_drivers_that_run_it() {
        let table = example();
        let read = |path: &str| fs::read_to_string(super::super::home().join(path)).unwrap();
        let (python, node) = (read("python/cases.py"), read("node/cases.mjs"));
        for case in &table.cases {
            for sdk in table.sdks.iter().filter(|sdk| case.not_applicable(sdk).is_none()) {
                let (text, function) = match sdk.is_python() {
                    true => (&python, format!("\ndef {}(box, sdk):", case.name)),
                    false => (&node, format!("\n  async {}(box, sdk) {{", case.name)),
                };
                assert!(text.contains(&function), "{} of {}", case.name, sdk.name);
            }
        }
    }
}
