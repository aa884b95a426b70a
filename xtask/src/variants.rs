//! The Workers that end-to-end suites start, as `tests/workers.toml` lists them.

use std::fs;

use toml::{Table, Value};

use crate::failure::{Outcome, While, said};
use crate::place;
use crate::servers;
use crate::vars::Vars;

/// The one that every suite gets, under the plain name.
pub(crate) const MAIN: &str = "main";

/// A Worker under test, and how its settings differ.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) vars: Vars,
    /// Settings it lacks.
    pub(crate) without: Vec<String>,
    pub(crate) login_limit: Option<i64>,
    /// Its configuration, from the root of the clone.
    pub(crate) config: String,
}

impl Variant {
    /// Where a test finds its address.
    pub(crate) fn url_variable(&self) -> String {
        if self.name == MAIN {
            "KEYHOLE_WORKER_URL".to_owned()
        } else {
            format!("KEYHOLE_{}_WORKER_URL", self.name.to_uppercase())
        }
    }

    /// Whose pages embed it, beside its own.
    pub(crate) fn allowed_origins(&self) -> impl Iterator<Item = String> + use<'_> {
        let origins = self.vars.get("ALLOWED_ORIGINS");
        origins.into_iter().flat_map(|origins| origins.split_ascii_whitespace()).map(str::to_owned)
    }
}

/// The Workers of a suite.
///
/// # Errors
/// `tests/workers.toml` cannot be read, or says something that we do not understand.
pub(crate) fn of_suite(suite: &str) -> Outcome<Vec<Variant>> {
    let path = place::root().join("tests/workers.toml");
    let text = fs::read_to_string(&path).or_say(|| format!("reading {}", path.display()))?;
    parse(&text, suite)
}

fn parse(text: &str, suite: &str) -> Outcome<Vec<Variant>> {
    let workers: Table = text.parse().or_say(|| "reading tests/workers.toml".to_owned())?;
    let mut variants = Vec::new();
    for (name, worker) in &workers {
        let Some(worker) = worker.as_table() else {
            return said(format!("tests/workers.toml: {name} is no table"));
        };
        if strings(worker, "suites").iter().any(|wanted| wanted == suite) {
            variants.push(variant(name, worker)?);
        }
    }
    Ok(variants)
}

fn variant(name: &str, worker: &Table) -> Outcome<Variant> {
    let known = ["suites", "vars", "without", "login_limit", "config"];
    if let Some(unknown) = worker.keys().find(|key| !known.contains(&key.as_str())) {
        return said(format!("tests/workers.toml: [{name}] holds {unknown}, which means nothing"));
    }
    let mut vars = Vars::new();
    for (setting, value) in worker.get("vars").and_then(Value::as_table).into_iter().flatten() {
        let Some(value) = value.as_str() else {
            return said(format!("tests/workers.toml: {setting} of [{name}] is no string"));
        };
        vars.insert(setting.clone(), value.to_owned());
    }
    let login_limit = worker.get("login_limit").and_then(Value::as_integer);
    let config = worker.get("config").and_then(Value::as_str).unwrap_or(servers::CONFIG).to_owned();
    Ok(Variant { name: name.to_owned(), vars, without: strings(worker, "without"), login_limit, config })
}

fn strings(table: &Table, key: &str) -> Vec<String> {
    let values = table.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKERS: &str = r#"
        [main]
        suites = ["edge", "browser"]

        [bare]
        suites = ["edge"]
        vars = { ALLOWED_ORIGINS = "https://a.test  https://b.test" }
        without = ["SEAL_KEYS"]
        login_limit = 20
        config = "tests/bare.toml"
    "#;

    #[test]
    fn a_suite_gets_its_workers() {
        let names = |suite| {
            parse(WORKERS, suite).unwrap().into_iter().map(|variant| variant.name).collect::<Vec<_>>()
        };
        assert_eq!(names("edge"), ["bare", "main"]);
        assert_eq!(names("browser"), ["main"]);
    }

    #[test]
    fn a_worker_differs_as_it_says() {
        let [bare, main] = parse(WORKERS, "edge").unwrap().try_into().unwrap();
        assert_eq!((bare.config.as_str(), main.config.as_str()), ("tests/bare.toml", "wrangler.toml"));
        let allowed = "https://a.test  https://b.test".to_owned();
        assert_eq!(bare.vars, Vars::from([("ALLOWED_ORIGINS".to_owned(), allowed)]));
        assert_eq!(bare.allowed_origins().collect::<Vec<_>>(), ["https://a.test", "https://b.test"]);
        assert_eq!(main.allowed_origins().count(), 0);
        assert_eq!((bare.without, bare.login_limit), (vec!["SEAL_KEYS".to_owned()], Some(20)));
    }

    #[test]
    fn tests_find_a_worker_by_its_name() {
        let variables: Vec<_> = parse(WORKERS, "edge").unwrap().iter().map(Variant::url_variable).collect();
        assert_eq!(variables, ["KEYHOLE_BARE_WORKER_URL", "KEYHOLE_WORKER_URL"]);
    }

    #[test]
    fn what_means_nothing_is_an_error() {
        assert!(parse("[main]\nsuites = [\"edge\"]\nvariables = 1", "edge").is_err());
        assert!(parse("[main]\nsuites = [\"edge\"]\nvars = { A = 1 }", "edge").is_err());
    }

    #[test]
    fn every_end_to_end_suite_has_a_main_worker() {
        for suite in ["edge", "browser"] {
            assert!(of_suite(suite).unwrap().iter().any(|variant| variant.name == MAIN), "{suite}");
        }
    }
}
