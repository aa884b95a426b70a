//! Where Box is silent about the API, there is a switch: both sides of each. (Those about tokens are tested with the
//! tokens.)

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use box_emulator::Settings;
use serde_json::{Value, json};

use crate::support::{Client, PREVIEW};

/// What Box's preview asks of a file.
const PREVIEW_FIELDS: &str = "id,permissions,shared_link,sha1,file_version,name,size,extension,representations,\
                              watermark_info,authenticated_download_url,is_download_available";

#[test]
fn a_field_that_no_item_has_is_left_out_or_refused() {
    let mut client = Client::new();
    let token = client.login().access;
    let file = client.id_of(&token, "Welcome.md");
    let targets = ["users/me", "folders/0", "folders/0/items", &format!("files/{file}"), "search"];
    let targets = targets.map(|target| format!("/2.0/{target}?query=welcome&fields=id%2Cnonsense"));
    for target in &targets {
        let answer = client.get(&token, target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert!(!answer.text().contains("nonsense"));
    }
    client.settings(json!({"unknown_fields_refused": true}));
    for target in &targets {
        client.get(&token, target).is_bad("invalid_parameter", "fields");
        assert_eq!(client.get(&token, &target.replace("%2Cnonsense", "")).status, 200, "{target}");
    }
}

/// A list may be asked for what only some of its entries have, and an item for what only others have.
#[test]
fn every_field_that_there_is_can_be_asked_for_of_everything() {
    let mut client = Client::new();
    let token = client.login().access;
    let file = client.uploaded(&token, "0", "a.txt", b"first");
    client.replace(&token, &file, b"second");
    let versions = format!("/2.0/files/{file}/versions");
    let old = client.get(&token, &versions).json()["entries"][0]["id"].as_str().expect("an id").to_owned();
    let targets = [
        format!("/2.0/files/{file}"),
        "/2.0/folders/0".to_owned(),
        "/2.0/folders/0/items".to_owned(),
        format!("{versions}/{old}"),
        versions,
        "/2.0/users/me".to_owned(),
    ];
    let mut names: BTreeSet<String> = PREVIEW_FIELDS.split(',').map(str::to_owned).collect();
    names.extend(["download_url".to_owned(), "is_platform_access_only".to_owned()]);
    for target in &targets {
        let whole = client.get(&token, target).json();
        let one = if whole["entries"].is_array() { &whole["entries"][0] } else { &whole };
        names.extend(one.as_object().expect("an object").keys().cloned());
    }
    client.settings(json!({"unknown_fields_refused": true}));
    let all = names.into_iter().collect::<Vec<_>>().join(",");
    for target in &targets {
        let answer = client.get(&token, &format!("{target}?fields={all}"));
        assert_eq!(answer.status, 200, "{target} with {all}");
    }
}

#[test]
fn a_folder_brings_100_items_or_as_many_as_set() {
    let mut client = Client::new();
    let token = client.login().access;
    let log = client.id_of(&token, "Watch log");
    let mut page = |settings: Value, query: &str| {
        client.settings(settings);
        let listed = client.get(&token, &format!("/2.0/folders/{log}/items{query}")).json();
        (listed["limit"].as_u64(), listed["entries"].as_array().map(Vec::len))
    };
    assert_eq!(page(json!({}), ""), (Some(100), Some(72)), "all that there are");
    assert_eq!(page(json!({"folder_items_limit": 7}), ""), (Some(7), Some(7)));
    assert_eq!(page(json!({"folder_items_limit": 7}), "?limit=9"), (Some(9), Some(9)));
    assert_eq!(page(json!({"folder_items_limit": 5000}), "").0, Some(1000));
}

#[test]
fn a_representation_may_be_impossible() {
    let mut client = Client::new();
    let token = client.login().access;
    let file = client.id_of(&token, "Welcome.md");
    let child = client.child(&token, PREVIEW, &format!("files/{file}"));
    let target = format!("/2.0/files/{file}?fields=representations");
    let entry =
        |client: &mut Client| client.get(&child, &target).json()["representations"]["entries"][0].clone();
    assert_eq!(entry(&mut client)["status"], json!({"state": "success"}));
    client.settings(json!({"representations": "error"}));
    let failed = entry(&mut client);
    assert_eq!(failed["status"], json!({"state": "error", "code": "error_conversion_failed"}));
    client.settings(json!({"representation_error_code": "error_password_protected"}));
    let status = failed["info"]["url"].as_str().expect("an address");
    let status = client.get(&child, status).json()["status"].clone();
    assert_eq!(status, json!({"state": "error", "code": "error_password_protected"}));
    let content =
        failed["content"]["url_template"].as_str().expect("an address").replace("{+asset_path}", "");
    assert_eq!(client.get(&child, &content).status, 202);
}

/// Box's preview takes 202 for a representation that was deleted.
#[test]
fn a_representation_may_be_gone_although_it_is_said_to_be_there() {
    let mut client = Client::new();
    let token = client.login().access;
    let file = client.id_of(&token, "Welcome.md");
    client.settings(json!({"representations": "deleted"}));
    let info = client.get(&token, &format!("/2.0/files/{file}?fields=representations")).json();
    let entry = &info["representations"]["entries"][0];
    assert_eq!(entry["status"]["state"], "success");
    let content = entry["content"]["url_template"].as_str().expect("an address").replace("{+asset_path}", "");
    let answer = client.get(&token, &content);
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    client.settings(json!({"representations": "success"}));
    assert_eq!(client.get(&token, &content).status, 200);
}

#[test]
fn every_switch_is_set_by_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour");
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let tests: String =
        files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).expect("text")).collect();
    let unset: Vec<&str> = Settings::default()
        .switches()
        .into_iter()
        .map(|switch| switch.name)
        .filter(|name| !tests.contains(&format!("\"{name}\": ")))
        .collect();
    assert!(unset.is_empty(), "{unset:?}");
}
