//! `cargo xtask keys`: a new key for `SEAL_KEYS`, and whether an old one is still needed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use clap::Args;
use serde_json::Value;
use time::OffsetDateTime;

use crate::failure::{Outcome, While, said};
use crate::place;
use crate::setup::{self, npm_program};
use crate::stamp::hex;

/// What `cargo xtask keys` is told.
#[derive(Args)]
pub(crate) struct Options {
    /// Count in the KV of the deployed Worker (wrangler must be logged in), not in that of `cargo xtask dev`
    #[arg(long)]
    remote: bool,
    /// Count in the state that a local Worker keeps here
    #[arg(long, value_name = "DIR", conflicts_with = "remote")]
    state: Option<PathBuf>,
}

/// Bytes of a sealing key.
const KEY_BYTES: usize = 32;

/// Prints a key with a name of its own, and says which keys the copies in KV still bear. The key is the first line
/// on standard output, for a program to read; what is said of keys is on standard error.
///
/// # Errors
/// No randomness, or wrangler cannot list KV.
pub(crate) fn keys(options: &Options) -> Outcome {
    let name: [u8; 3] = random()?;
    println!("{}", entry(&format!("k{}", hex(&name)))?);
    eprintln!(
        "That is a new key. Add it at the end of SEAL_KEYS and deploy; then move it to the front and deploy again."
    );
    eprintln!("\nKeys that sessions are sealed with, by their copies in KV:");
    let copies = read_listing(&list(options)?)?;
    eprint!("{}", report(&copies));
    Ok(())
}

/// `name:key`, as `SEAL_KEYS` holds it.
///
/// # Errors
/// The system has no randomness to give.
pub(crate) fn entry(name: &str) -> Outcome<String> {
    let key: [u8; KEY_BYTES] = random()?;
    Ok(format!("{name}:{}", BASE64_URL_SAFE_NO_PAD.encode(key)))
}

fn random<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).or_say(|| "asking the system for random bytes".to_owned())?;
    Ok(bytes)
}

/// The copies of grants, as wrangler lists them: JSON.
fn list(options: &Options) -> Outcome<String> {
    setup::setup()?;
    let mut wrangler = npm_program("wrangler")?;
    wrangler.args(["kv", "key", "list", "--binding", "STORE", "--prefix", "grant:", "--config"]);
    wrangler.arg(place::root().join("wrangler.toml"));
    if options.remote {
        wrangler.arg("--remote");
    } else {
        let state = options.state.clone().unwrap_or_else(|| place::local_state().join("state"));
        wrangler.arg("--local").arg("--persist-to").arg(state);
    }
    let listed = wrangler.stdin(Stdio::null()).output().or_say(|| "starting wrangler".to_owned())?;
    if !listed.status.success() {
        return said(format!("wrangler kv key list failed:\n{}", String::from_utf8_lossy(&listed.stderr)));
    }
    String::from_utf8(listed.stdout).or_say(|| "reading what wrangler listed".to_owned())
}

/// A copy's label, as the Worker put it beside the copy.
#[derive(Debug, PartialEq, Eq)]
struct Copy {
    /// Unknown for a copy without a label.
    key: Option<String>,
    /// When KV forgets it, in seconds since the epoch.
    expires_at: Option<i64>,
}

fn read_listing(listing: &str) -> Outcome<Vec<Copy>> {
    let doing = || "reading what wrangler listed".to_owned();
    let entries: Vec<Value> = serde_json::from_str(listing.trim()).or_say(doing)?;
    let copy = |entry: Value| Copy {
        key: entry.pointer("/metadata/key").and_then(Value::as_str).map(str::to_owned),
        expires_at: entry.get("expiration").and_then(Value::as_i64),
    };
    Ok(entries.into_iter().map(copy).collect())
}

/// How many copies bear each key, and from when on each may be dropped if it no longer seals.
fn report(copies: &[Copy]) -> String {
    if copies.is_empty() {
        return "  none: there is no session. A key that does not seal any more may be dropped after an hour.\n".to_owned();
    }
    let mut by_key: BTreeMap<&str, (usize, Option<i64>)> = BTreeMap::new();
    for copy in copies {
        let (count, last) = by_key.entry(copy.key.as_deref().unwrap_or("unknown")).or_default();
        *count += 1;
        *last = (*last).max(copy.expires_at);
    }
    let lines = by_key.into_iter().map(|(key, (count, last))| {
        let copies = if count == 1 { "1 copy".to_owned() } else { format!("{count} copies") };
        let until =
            last.and_then(day_after).map_or_else(|| "an unknown day".to_owned(), |day| day.to_string());
        format!("  {key}: {copies}; once it does not seal any more, it may be dropped from {until} on\n")
    });
    let sooner = "Sooner, when this counts none of it: a session is sealed anew when it is used, and its copy goes \
                  when it ends.\nA key that no copy bears may be dropped an hour after it sealed last.\n";
    lines.chain([sooner.to_owned()]).collect()
}

/// The day, in UTC, at whose beginning this second has passed.
fn day_after(second: i64) -> Option<time::Date> {
    OffsetDateTime::from_unix_timestamp(second).ok()?.date().next_day()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(key: Option<&str>, expires_at: i64) -> Copy {
        Copy { key: key.map(str::to_owned), expires_at: Some(expires_at) }
    }

    #[test]
    fn a_key_has_a_name_and_32_bytes() {
        let entry = entry("k1").unwrap();
        let (name, key) = entry.split_once(':').unwrap();
        assert_eq!(name, "k1");
        assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(key).unwrap().len(), 32);
    }

    #[test]
    fn no_two_keys_are_alike() {
        assert_ne!(entry("k1").unwrap(), entry("k1").unwrap());
    }

    #[test]
    fn a_listing_is_read_and_a_copy_without_a_label_is_not_overlooked() {
        let listing = r#"[
            {"name": "grant:a", "expiration": 1800453176, "metadata": {"key": "k1", "generation": 2}},
            {"name": "grant:b", "expiration": 1800453176}
        ]"#;
        assert_eq!(
            read_listing(listing).unwrap(),
            [copy(Some("k1"), 1_800_453_176), copy(None, 1_800_453_176)]
        );
        assert!(read_listing("Not logged in.").is_err());
    }

    #[test]
    fn each_key_is_counted_and_may_go_when_its_last_copy_has_gone() {
        let report = report(&[
            copy(Some("k1"), 1_800_000_000),
            copy(Some("k2"), 1_800_000_000),
            copy(Some("k1"), 1_800_453_176),
            copy(None, 1_800_000_000),
        ]);
        let lines: Vec<&str> = report.lines().collect();
        assert!(
            lines[0].starts_with("  k1: 2 copies;") && lines[0].ends_with("from 2027-01-21 on"),
            "{report}"
        );
        assert!(
            lines[1].starts_with("  k2: 1 copy;") && lines[1].ends_with("from 2027-01-16 on"),
            "{report}"
        );
        assert!(lines[2].starts_with("  unknown: 1 copy;"), "{report}");
    }

    #[test]
    fn without_sessions_no_key_is_needed() {
        assert!(report(&[]).contains("none"));
    }
}
