//! Files that the program was started with.

use box_emulator::{Emulator, Options, OwnFile, State};
use serde_json::json;

use crate::support::Client;

fn with(files: &[(&str, &str)]) -> Options {
    let own = |(path, text): &(&str, &str)| OwnFile {
        path: (*path).to_owned(),
        bytes: text.as_bytes().into(),
        modified_at_ms: 1_700_000_000_000,
    };
    Options { files: files.iter().map(own).collect(), ..Options::default() }
}

fn text_of(client: &mut Client, path: &str) -> String {
    let pair = client.login();
    let id = client.id_of(&pair.access, path);
    client.get(&pair.access, &format!("http://127.0.0.1:9401/api/2.0/files/{id}/content")).text()
}

fn again(client: &Client, options: Options) -> Client {
    let written = client.emulator.state().write().expect("JSON");
    let uploads = client.emulator.state();
    let find =
        |sha1: &str| uploads.uploads().find(|(known, _)| *known == sha1).map(|(_, bytes)| bytes.to_vec());
    let state = State::read(&written, find).expect("readable");
    Client { emulator: Emulator::resume(options, state), now_ms: client.now_ms }
}

#[test]
fn they_lie_in_robins_account_beside_the_sample() {
    let mut client = Client::with(with(&[
        ("mine.txt", "one"),
        ("Reports/2026/May.txt", "two"),
        ("Letters/new.txt", "three"),
    ]));
    assert_eq!(text_of(&mut client, "mine.txt"), "one");
    assert_eq!(text_of(&mut client, "Reports/2026/May.txt"), "two");
    assert_eq!(text_of(&mut client, "Letters/new.txt"), "three");
    assert!(!text_of(&mut client, "Letters/Fish & chips.md").is_empty());
}

#[test]
fn a_reset_brings_them_back() {
    let mut client = Client::with(with(&[("mine.txt", "one")]));
    client.control("reset", json!({}));
    assert_eq!(text_of(&mut client, "mine.txt"), "one");
}

#[test]
fn a_file_keeps_its_id_over_restarts_and_has_the_new_bytes() {
    let mut client = Client::with(with(&[("Mine/a.txt", "one"), ("Mine/b.txt", "same")]));
    let pair = client.login();
    let ids = |client: &mut Client| ["Mine/a.txt", "Mine/b.txt"].map(|path| client.id_of(&pair.access, path));
    let before = ids(&mut client);
    let options = with(&[("Mine/a.txt", "two"), ("Mine/b.txt", "same")]);
    let mut client = again(&client, options.clone());
    assert_eq!(ids(&mut client), before);
    assert_eq!(text_of(&mut client, "Mine/a.txt"), "two");
    let pair = client.login();
    let id = client.id_of(&pair.access, "Mine/a.txt");
    let versions = client.get(&pair.access, &format!("/2.0/files/{id}/versions")).json();
    assert_eq!(versions["total_count"], 1, "what it held is an earlier version");
    assert_eq!(again(&client, options).emulator.state().revision(), 0, "nothing to be changed");
}

#[test]
fn a_file_has_the_date_that_it_has_on_disk() {
    let mut client = Client::with(with(&[("mine.txt", "one")]));
    let pair = client.login();
    let id = client.id_of(&pair.access, "mine.txt");
    let info = client.get(&pair.access, &format!("/2.0/files/{id}?fields=modified_at")).json();
    assert_eq!(info["modified_at"], "2023-11-14T22:13:20+00:00");
}
