//! `.dev.vars`: the Worker's settings and secrets on this machine.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::failure::{Outcome, While};
use crate::{keys, place, say};

/// Settings by name.
pub(crate) type Vars = BTreeMap<String, String>;

/// Readable by its owner only.
const SECRET_FILE_MODE: u32 = 0o600;

/// The settings of this clone's `.dev.vars`, made from `.dev.vars.example` on the first run.
///
/// # Errors
/// One of the two cannot be read, or the first not be written.
pub(crate) fn local() -> Outcome<Vars> {
    let root = place::root();
    let (path, example) = (root.join(".dev.vars"), root.join(".dev.vars.example"));
    let example = fs::read_to_string(&example).or_say(|| format!("reading {}", example.display()))?;
    let present = if path.exists() {
        Some(fs::read_to_string(&path).or_say(|| format!("reading {}", path.display()))?)
    } else {
        None
    };
    let text = completed(present.as_deref(), &example, &keys::entry("k1")?);
    if present.as_ref() != Some(&text) {
        say::step("making .dev.vars, with a sealing key of your own");
        write_secret(&path, &text)?;
    }
    Ok(parse(&text))
}

/// The present text, or else the example, with `SEAL_KEYS` filled in where it was empty or missing. No other line
/// changes, and no value that is there.
fn completed(present: Option<&str>, example: &str, key: &str) -> String {
    let text = present.unwrap_or(example);
    if parse(text).get("SEAL_KEYS").is_some_and(|value| !value.is_empty()) {
        return text.to_owned();
    }
    let filled = format!("SEAL_KEYS={key}");
    let is_empty = |line: &&str| line.split_once('=').is_some_and(|(name, _)| name.trim() == "SEAL_KEYS");
    if text.lines().any(|line| is_empty(&line)) {
        let lines = text.lines().map(|line| if is_empty(&line) { filled.as_str() } else { line });
        return lines.collect::<Vec<_>>().join("\n") + "\n";
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{end}{filled}\n")
}

/// `NAME=value` lines; comments and blank lines are skipped, quotes around a value are not part of it.
fn parse(text: &str) -> Vars {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), unquoted(value.trim()).to_owned())).collect()
}

fn unquoted(value: &str) -> &str {
    let between = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    between('"').or_else(|| between('\'')).unwrap_or(value)
}

/// Writes settings where wrangler looks for them: `.dev.vars` beside a configuration.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(path: &Path, vars: &Vars) -> Outcome {
    let line = |(name, value): (&String, &String)| format!("{name}='{value}'\n");
    write_secret(path, &vars.iter().map(line).collect::<String>())
}

fn write_secret(path: &Path, text: &str) -> Outcome {
    let doing = || format!("writing {}", path.display());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(SECRET_FILE_MODE);
    let mut file = options.open(path).or_say(doing)?;
    // A file that was there keeps its mode otherwise.
    file.set_permissions(fs::Permissions::from_mode(SECRET_FILE_MODE)).or_say(doing)?;
    file.write_all(text.as_bytes()).or_say(doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "# Keys\nSEAL_KEYS=\n\n# Box\nBOX_CLIENT_ID=\n";

    #[test]
    fn the_first_run_copies_the_example_and_fills_in_a_key() {
        assert_eq!(completed(None, EXAMPLE, "k1:new"), "# Keys\nSEAL_KEYS=k1:new\n\n# Box\nBOX_CLIENT_ID=\n");
    }

    #[test]
    fn a_later_run_changes_nothing() {
        let present = "BOX_CLIENT_ID=mine\nSEAL_KEYS = \"k1:old\"\n";
        assert_eq!(completed(Some(present), EXAMPLE, "k1:new"), present);
    }

    #[test]
    fn a_missing_key_is_added_and_the_rest_left_alone() {
        assert_eq!(
            completed(Some("BOX_CLIENT_ID=mine"), EXAMPLE, "k1:new"),
            "BOX_CLIENT_ID=mine\nSEAL_KEYS=k1:new\n"
        );
    }

    #[test]
    fn an_empty_key_is_filled_in_and_the_rest_left_alone() {
        let text = completed(Some("SEAL_KEYS=\nBOX_CLIENT_ID=mine\n"), EXAMPLE, "k1:new");
        assert_eq!(text, "SEAL_KEYS=k1:new\nBOX_CLIENT_ID=mine\n");
    }

    #[test]
    fn values_may_be_quoted_and_comments_are_no_values() {
        let vars = parse("A='1'\nB=\"2\"\n# C=3\n D = 4=5 \n");
        let expected = [("A", "1"), ("B", "2"), ("D", "4=5")];
        assert_eq!(vars, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn what_is_written_is_read_back_and_readable_by_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".dev.vars");
        fs::write(&path, "old").unwrap();
        let vars = Vars::from([("A".to_owned(), "x y#z".to_owned())]);
        write(&path, &vars).unwrap();
        assert_eq!(parse(&fs::read_to_string(&path).unwrap()), vars);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_example_leaves_every_value_empty_for_the_first_run() {
        let example = fs::read_to_string(place::root().join(".dev.vars.example")).unwrap();
        let vars = parse(&example);
        assert_eq!(vars.keys().collect::<Vec<_>>(), ["BOX_CLIENT_ID", "BOX_CLIENT_SECRET", "SEAL_KEYS"]);
        assert!(vars.values().all(String::is_empty));
    }
}
