//! What a browser may ask for, and what it gets when Box gives too much.

use core::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Browser, Worker, alone, eventually, sample_files, together};

const EXCHANGE: &str = "POST /oauth2/token token-exchange";

#[test]
fn s24_a_scope_beyond_the_policy_is_refused_with_the_name_of_the_rule() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::main());
    for scope in ["item_download", "root_readwrite", "no_such_scope"] {
        let answer = browser.post("/api/tokens", &json!({"items": [sample_files()[0]], "scopes": [scope]}));
        assert_eq!(answer.problem(403, "scope_not_allowed")["rule"], "ALLOWED_SCOPES", "{scope}");
    }
    assert!(browser.at_box().all("child").is_empty());
}

#[test]
fn s24_a_folder_is_refused_where_only_files_are_allowed_and_the_fault_stays_with_it() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::main());
    let file = &sample_files()[0];
    let tokens = browser.tokens(&[file, "folder_0"]);
    assert!(tokens[file]["access_token"].is_string(), "{tokens}");
    let error = &tokens["folder_0"]["error"];
    assert_eq!((&error["code"], &error["rule"]), (&json!("folders_not_allowed"), &json!("ALLOW_FOLDERS")));
    assert_eq!(browser.at_box().all("child").len(), 1);
}

#[test]
fn a_folder_is_given_where_the_settings_allow_it() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::open());
    let page = browser.get("/api/folders/0/items").expect(200).json();
    let entries = page["entries"].as_array().unwrap();
    let folder = entries.iter().find(|entry| entry["type"] == "folder").expect("a folder in the root");
    let item = format!("folder_{}", folder["id"].as_str().unwrap());
    let tokens = browser.tokens(&[&item]);
    assert_eq!(tokens[&item]["restricted_to"][0]["object"], json!({"type": "folder", "id": folder["id"]}));
    assert_eq!(browser.at_box().all("child")[0].resource.as_deref(), Some(&*item));
}

#[test]
fn an_item_that_is_not_there_is_its_own_fault_only() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::main());
    let file = &sample_files()[0];
    let tokens = browser.tokens(&["file_999999999999", file]);
    assert_eq!(tokens["file_999999999999"]["error"]["code"], "item_not_found", "{tokens}");
    assert!(tokens[file]["access_token"].is_string(), "{tokens}");
}

#[test]
fn what_is_malformed_or_too_much_is_refused_as_a_whole() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::main());
    let many: Vec<&String> = sample_files().iter().take(26).collect();
    for (body, status, code) in [
        (json!({"items": many}), 400, "too_many_items"),
        (json!({"items": []}), 400, "malformed_request"),
        (json!({}), 400, "malformed_request"),
        (json!({"items": ["123"]}), 400, "malformed_item"),
        (json!({"items": ["file_1/../2"]}), 400, "malformed_item"),
        (json!({"items": ["web_link_1"]}), 400, "malformed_item"),
        (json!({"items": ["file_1"], "refused": ["x".repeat(20_000)]}), 413, "too_large"),
    ] {
        browser.post("/api/tokens", &body).problem(status, code);
    }
    let form = browser.fetch("POST", "/api/tokens").header("content-type", "text/plain");
    browser.call(form, br#"{"items":["file_1"]}"#.to_vec()).problem(415, "not_json");
    assert!(browser.at_box().all("child").is_empty());
}

#[test]
fn twenty_five_items_are_answered_in_one_call() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::main());
    let items: Vec<&str> = sample_files().iter().take(25).map(String::as_str).collect();
    let tokens = browser.tokens(&items);
    for item in items {
        let id = item.strip_prefix("file_").unwrap();
        for restriction in tokens[item]["restricted_to"].as_array().unwrap_or_else(|| panic!("{tokens}")) {
            assert_eq!(restriction["object"], json!({"type": "file", "id": id}));
        }
    }
    assert_eq!(browser.at_box().all("child").len(), 25);
}

#[test]
fn s23_a_token_that_is_too_wide_is_revoked_and_reaches_nobody() {
    let stage = alone();
    let (file, other) = (&sample_files()[0], &sample_files()[1]);
    let id = |item: &str| item.strip_prefix("file_").unwrap().to_owned();
    let restriction = |id: &str, scope: &str| json!({"scope": scope, "object": {"type": "file", "id": id}});
    let widened = [
        json!({"restricted_to": []}),
        json!({"restricted_to": null}),
        json!({"restricted_to": [restriction(&id(other), "item_preview")]}),
        json!({"restricted_to": [restriction(&id(file), "item_preview"), restriction(&id(other), "item_preview")]}),
        json!({"restricted_to": [restriction(&id(file), "item_preview"), restriction(&id(file), "item_download")]}),
        json!({"issued_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}),
        json!({"issued_token_type": null}),
    ];
    let browser = Browser::signed_in(&Worker::main());
    for (number, rewrite) in widened.iter().enumerate() {
        let fault = json!({"path": "/oauth2/token", "grant_type": "token-exchange", "rewrite": rewrite});
        stage.order(&fault);
        let answer = browser.post("/api/tokens", &json!({"items": [file]})).expect(200);
        let error: Value = answer.json()["tokens"][file]["error"].take();
        assert_eq!(
            (&error["code"], &error["status"]),
            (&json!("token_too_wide"), &json!(502)),
            "{rewrite}: {error}"
        );
        let family = browser.at_box();
        let child = family.all("child")[number];
        assert!(!answer.text().contains(&child.value), "{rewrite}");
        eventually("it is revoked at Box", Duration::from_secs(5), || {
            (browser.at_box().states("child")[number] == "revoked").then_some(())
        });
    }
    assert_eq!(usize::try_from(stage.count(EXCHANGE)), Ok(widened.len()));
    let token = browser.token(file);
    let children = browser.at_box();
    assert_eq!(children.all("child").last().map(|child| &child.value), Some(&token), "then it works again");
}
