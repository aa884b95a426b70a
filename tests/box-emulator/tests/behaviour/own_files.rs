//! Files that the program was started with.

use box_emulator::{Emulator, Misfit, Options, OwnFile, OwnFiles, State};
use serde_json::json;

use crate::support::Client;

fn read(files: &[(&str, &str)], state: &State) -> Result<OwnFiles, Misfit> {
    let own = |(path, text): &(&str, &str)| OwnFile {
        path: (*path).to_owned(),
        bytes: text.as_bytes().into(),
        modified_at_ms: 1_700_000_000_000,
    };
    OwnFiles::new(files.iter().map(own).collect(), state)
}

fn with(files: &[(&str, &str)]) -> Options {
    let files = read(files, &State::new(1)).expect("they fit");
    Options { files, ..Options::default() }
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

#[test]
fn what_somebody_made_of_them_stays_until_the_disk_changes() {
    let files = [("mine.txt", "one"), ("old.txt", "two"), ("gone.txt", "three")];
    let mut client = Client::with(with(&files));
    let pair = client.login();
    let [mine, old, gone] = ["mine.txt", "old.txt", "gone.txt"].map(|name| client.id_of(&pair.access, name));
    assert_eq!(client.replace(&pair.access, &mine, b"newer").status, 200);
    assert_eq!(
        client.put(&pair.access, &format!("/2.0/files/{old}"), json!({"name": "new.txt"})).status,
        200
    );
    let in_its_place = json!({"name": "old.txt", "parent": {"id": "0"}});
    assert_eq!(client.post(&pair.access, "/2.0/folders", in_its_place).status, 201);
    assert_eq!(client.delete(&pair.access, &format!("/2.0/files/{gone}")).status, 204);

    let mut client = again(&client, with(&files));
    assert_eq!(text_of(&mut client, "mine.txt"), "newer");
    assert_eq!(text_of(&mut client, "new.txt"), "two");
    let names = |client: &mut Client| {
        let listed = client.get(&pair.access, "/2.0/folders/0/items?limit=1000").json();
        let entries = listed["entries"].as_array().expect("entries").clone();
        entries.iter().map(|entry| entry["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let there = names(&mut client);
    assert!(!there.iter().any(|name| name == "gone.txt"), "{there:?}");

    let changed = [("mine.txt", "disk"), ("old.txt", "disk 2"), ("gone.txt", "disk 3")];
    let files = read(&changed, client.emulator.state()).expect("they fit");
    let mut client = again(&client, Options { files, ..Options::default() });
    assert_eq!(text_of(&mut client, "mine.txt"), "disk");
    assert_eq!(text_of(&mut client, "new.txt"), "disk 2", "it is that file, whatever it is called");
    assert_eq!(text_of(&mut client, "gone.txt"), "disk 3");
    let there = names(&mut client);
    assert_eq!(there.iter().filter(|name| *name == "old.txt").count(), 1, "the folder alone");
}

#[test]
fn what_box_has_no_place_for_is_refused_by_name() {
    let told =
        |files: &[(&str, &str)]| read(files, &State::new(1)).map(drop).map_err(|fault| fault.to_string());
    for (files, why) in [
        (&[(" lead.txt", "")][..], "\" lead.txt\""),
        (&[("deep/back\\slash.txt", "")], "slash.txt"),
        (&[("A.txt", ""), ("a.txt", "")], "differs only in capitals from \"A.txt\""),
        (&[("Deep/a.txt", ""), ("deep/b.txt", "")], "differs only in capitals from \"Deep\""),
        (&[("welcome.md", "")], "differs only in capitals from \"Welcome.md\""),
        (&[("Letters", "")], "\"Letters\" is a folder"),
        (&[("Welcome.md/a.txt", "")], "\"Welcome.md\" is a file"),
    ] {
        let fault = told(files).expect_err("refused");
        assert!(fault.contains(why), "{fault}");
    }
    assert_eq!(
        told(&[("Welcome.md", "mine"), ("Letters/a.txt", ""), ("new/a.txt", ""), ("new/b.txt", "")]),
        Ok(())
    );
}

#[test]
fn what_is_in_the_way_by_now_is_said_unless_nothing_is_to_be_brought() {
    let mut client = Client::with(with(&[("mine.txt", "one")]));
    let pair = client.login();
    let id = client.id_of(&pair.access, "mine.txt");
    assert_eq!(client.delete(&pair.access, &format!("/2.0/files/{id}")).status, 204);
    let folder = json!({"name": "mine.txt", "parent": {"id": "0"}});
    assert_eq!(client.post(&pair.access, "/2.0/folders", folder).status, 201);
    assert!(read(&[("mine.txt", "one")], client.emulator.state()).is_ok());
    let fault = read(&[("mine.txt", "two")], client.emulator.state()).expect_err("a folder is there");
    assert_eq!(fault.to_string(), "mine.txt: \"mine.txt\" is a folder in the account");
}
