//! `SEAL_KEYS` changes while people are signed in.

use core::time::Duration;
use std::process::Command;

use crate::harness::{
    Browser, alone, browser::SESSION, eventually, own_worker::OwnWorker, sample_files, stage,
};

const SOON: Duration = Duration::from_secs(10);

/// What `cargo xtask keys` says of this Worker's KV: one line for each key that copies bear.
#[track_caller]
fn counted(own: &OwnWorker) -> Vec<String> {
    let mut keys = Command::new("cargo");
    keys.args(["xtask", "keys", "--state"]).arg(own.state());
    // Cargo's own, of this test: the command finds its place by them.
    keys.env_remove("CARGO_MANIFEST_DIR").current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let output = keys.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let new = String::from_utf8(output.stdout).unwrap();
    assert!(new.lines().next().is_some_and(|line| line.starts_with('k') && line.contains(':')), "{new}");
    let lines = said.lines().filter(|line| line.starts_with("  k"));
    lines.map(|line| line.split(';').next().unwrap().trim().to_owned()).collect()
}

#[test]
fn a_new_key_takes_over_while_people_stay_signed_in_and_the_count_says_when_the_old_one_may_go() {
    let stage = alone();
    let mut own = OwnWorker::start();
    let old = stage::setting("SEAL_KEYS");
    // The last of its 43 characters stands for four bits only, so it stays where it is.
    let (turned, last) = old.split_once(':').unwrap().1.split_at(42);
    let new = format!("k2:{}{last}", turned.chars().rev().collect::<String>());
    let (away, here) = (Browser::signed_in(&own.worker()), Browser::signed_in(&own.worker()));
    assert_eq!(counted(&own), ["k1: 2 copies"]);

    own.kill();
    own.set("SEAL_KEYS", &format!("{new},{old}"));
    own.restart();
    let cookie = here.cookie(SESSION).unwrap();
    assert!(cookie.starts_with("k1."), "{cookie}");
    stage.expire("access");
    here.token(&sample_files()[0]);
    assert!(here.cookie(SESSION).unwrap().starts_with("k2."), "the answer renewed it");
    assert_eq!(counted(&own), ["k1: 1 copy", "k2: 1 copy"]);

    // The old key is dropped too early: who was away is not signed out, and an operator reads which key to bring back.
    own.kill();
    own.set("SEAL_KEYS", &new);
    own.restart();
    assert!(here.get("/api/session").expect(200).json()["session"].is_object());
    let before = away.cookie(SESSION);
    away.get("/api/session").problem(503, "locked");
    assert_eq!(away.cookie(SESSION), before);
    eventually("the log names the key", SOON, || {
        own.log().contains(r#""fault":"unknown_key","missing_key":"k1""#).then_some(())
    });

    own.kill();
    own.set("SEAL_KEYS", &format!("{new},{old}"));
    own.restart();
    assert!(away.get("/api/session").expect(200).json()["session"].is_object());
}
