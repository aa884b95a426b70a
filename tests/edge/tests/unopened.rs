//! A stranger's guess costs nothing: no object wakes, nothing is stored.

use serde_json::json;
use url::Url;

use crate::harness::{Browser, Worker, alone, browser::SESSION, disk, sample_files};

/// A cookie with one character of its part number `part` changed.
fn forged(cookie: &str, part: usize) -> String {
    let mut parts: Vec<String> = cookie.split('.').map(str::to_owned).collect();
    let flipped = if parts[part].starts_with('A') { "B" } else { "A" };
    parts[part].replace_range(..1, flipped);
    parts.join(".")
}

#[test]
fn s25_a_cookie_whose_tag_does_not_hold_wakes_no_object() {
    let _stage = alone();
    let honest = Browser::signed_in(&Worker::main());
    let cookie = honest.cookie(SESSION).unwrap();
    disk::settled();
    let before = disk::objects();
    for part in 1..4 {
        let thief = Browser::new(&Worker::main());
        let bring = || thief.plant(SESSION, &forged(&cookie, part));
        bring();
        // As if the operator's key were the wrong one: nothing is served, and nothing is taken.
        thief.get("/api/session").problem(503, "locked");
        thief.post("/api/tokens", &json!({"items": [sample_files()[0]]})).problem(503, "locked");
        thief.get("/api/folders/0/items").problem(503, "locked");
        thief.post("/auth/logout", &json!({})).problem(503, "locked");
        assert_eq!(thief.cookie(SESSION), Some(forged(&cookie, part)));
    }
    assert_eq!(disk::objects(), before);
    assert!(honest.get("/api/session").json()["session"].is_object());
}

#[test]
fn a_keeper_that_was_never_opened_stores_nothing_not_even_a_table() {
    let _stage = alone();
    // All Workers under test share their sealing key: the tag holds here, and the keeper is another Worker's.
    let elsewhere = Browser::signed_in(&Worker::open());
    let stranger = Browser::new(&Worker::main());
    let before = disk::object_files();
    let cookie = elsewhere.cookie(SESSION).unwrap();
    stranger.plant(SESSION, &cookie);
    stranger.post("/api/tokens", &json!({"items": [sample_files()[0]]})).problem(401, "signed_out");
    stranger.plant(SESSION, &cookie);
    stranger.get("/api/session").expect(200);
    stranger.plant(SESSION, &cookie);
    stranger.sign_out();
    let after = disk::object_files();
    for file in after.difference(&before) {
        assert!(!disk::holds(file, b"CREATE TABLE record"), "{}", file.display());
    }
    // The look finds a table where there is one.
    let opened = disk::object_files();
    Browser::signed_in(&Worker::main());
    let now = disk::object_files();
    assert!(now.difference(&opened).any(|file| disk::holds(file, b"CREATE TABLE record")));
}

#[test]
fn a_callback_that_belongs_to_no_login_stores_nothing() {
    let _stage = alone();
    let worker = Worker::main();
    disk::settled();
    let before = (disk::objects(), disk::kv_values().len());
    let address = format!("{}/auth/callback?code=abcdefghijklmnop&state={}", worker.origin, "A".repeat(43));
    let browser = Browser::new(&worker);
    browser.come_back(&Url::parse(&address).unwrap());
    browser.plant(&format!("{SESSION}-login-00000000"), "x.y");
    browser.come_back(&Url::parse(&address).unwrap());
    assert_eq!((disk::objects(), disk::kv_values().len()), before);
}
