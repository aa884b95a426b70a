//! What prose says of the code is so: every number that `tests/security.md` claims has a test that carries it, and
//! every setting is explained where people look for it.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use keyhole_core::config::Config;

/// What this release claims; the list must say the same.
fn claimed() -> BTreeSet<u32> {
    (1..=7).chain(9..=36).chain(38..=42).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The numbers of the list: its headings are `## 7. …`.
fn listed() -> BTreeSet<u32> {
    let list = fs::read_to_string(root().join("tests/security.md")).unwrap();
    list.lines().filter_map(|line| line.strip_prefix("## ")?.split_once(". ")?.0.parse().ok()).collect()
}

/// The numbers that tests carry: `fn s07_…` in Rust, `'s07 …'` in the browser's tests.
fn proven() -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    for folder in ["src", "tests", "www", "xtask"] {
        visit(&root().join(folder), &mut |text| {
            for before in ["fn s", "'s", "\"s", "`s"] {
                let found = text.split(before).skip(1).filter_map(|after| after.get(..3));
                numbers.extend(
                    found
                        .filter(|word| word.ends_with(['_', ' ']))
                        .filter_map(|word| word.get(..2)?.parse::<u32>().ok()),
                );
            }
        });
    }
    numbers
}

fn visit(folder: &Path, read: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if !matches!(&*name, "node_modules" | "build" | "dist" | "target" | "sample") {
                visit(&path, read);
            }
        } else if [".rs", ".ts", ".js", ".mjs"].iter().any(|end| name.ends_with(end)) {
            read(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn the_list_claims_what_this_release_promises() {
    assert_eq!(listed(), claimed());
}

#[test]
fn every_claimed_number_has_a_test() {
    let proven = proven();
    let missing: Vec<u32> = listed().into_iter().filter(|number| !proven.contains(number)).collect();
    assert!(missing.is_empty(), "no test carries {missing:?}");
}

/// The last column of the table names, for each instant and mode, the tests that hold it.
#[test]
fn every_test_that_the_crash_table_names_is_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table = text.split("## The crash table").nth(1).unwrap().split("\n## ").next().unwrap();
    let named: BTreeSet<&str> =
        table.split('`').filter(|word| word.starts_with("lazy_") || word.starts_with("strict_")).collect();
    let tests = fs::read_to_string(root().join("tests/explore/crash_table.rs")).unwrap();
    let there: BTreeSet<&str> = tests
        .split("#[test]\nfn ")
        .skip(1)
        .filter_map(|after| after.split('(').next())
        .filter(|name| name.starts_with("lazy_") || name.starts_with("strict_"))
        .collect();
    assert!(there.len() > 20, "{there:?}");
    assert_eq!(named, there);
}

#[track_caller]
fn readme_says(words: &[&str]) {
    let readme = fs::read_to_string(root().join("README.md")).unwrap().to_lowercase();
    let missing: Vec<&&str> = words.iter().filter(|word| !readme.contains(**word)).collect();
    assert!(missing.is_empty(), "README.md does not speak of {missing:?}");
}

#[test]
fn s33_the_readme_says_what_a_hostile_script_in_the_page_could_still_do() {
    readme_says(&["a script running in the page", "xss"]);
}

#[test]
fn s34_the_readme_says_when_a_full_proxy_is_the_better_choice() {
    readme_says(&["when a full proxy is the better choice"]);
}

/// Every variable that is looked for.
fn variables() -> BTreeSet<String> {
    let asked = RefCell::new(BTreeSet::new());
    let faults = Config::parse(|name| {
        asked.borrow_mut().insert(name.to_owned());
        None
    });
    assert!(faults.is_err());
    asked.into_inner()
}

#[test]
fn every_setting_is_explained_in_the_readme_and_beside_its_parser() {
    let variables = variables();
    assert!(variables.len() > 15, "{variables:?}");
    for place in ["README.md", "src/core/config.rs"] {
        let text = fs::read_to_string(root().join(place)).unwrap();
        let missing: Vec<&String> =
            variables.iter().filter(|name| !text.contains(&format!("`{name}`"))).collect();
        assert!(missing.is_empty(), "{place} does not explain {missing:?}");
    }
}
