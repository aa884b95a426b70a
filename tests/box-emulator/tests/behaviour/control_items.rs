//! Files, as the console puts them into accounts and takes them away.

use serde_json::{Value, json};

use crate::support::{Client, PREVIEW};

const ROBIN: &str = "user=1100000001";

fn listed(client: &mut Client, query: &str) -> Value {
    let answer = client.drive("GET", &format!("items?{query}"), Value::Null);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn upload(client: &mut Client, query: &str, bytes: &[u8]) -> Value {
    let answer = client.ask("POST", &format!("/emulator/items?{query}")).bytes(bytes).send();
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

#[test]
fn an_account_is_listed_folder_by_folder() {
    let mut client = Client::new();
    let root = listed(&mut client, ROBIN);
    assert_eq!(root["folder"], json!({"id": "0", "name": "All Files", "path": []}));
    let entries = root["entries"].as_array().expect("entries");
    let kinds: Vec<_> = entries.iter().map(|entry| entry["type"].as_str().expect("type")).collect();
    assert!(kinds.is_sorted_by(|one, next| one >= next), "folders first: {kinds:?}");
    let letters = entries.iter().find(|entry| entry["name"] == "Letters").expect("Letters");
    let id = letters["id"].as_str().expect("an id");
    let inside = listed(&mut client, &format!("{ROBIN}&folder={id}"));
    assert_eq!(inside["folder"]["path"], json!([{"id": "0", "name": "All Files"}]));
    let size: u64 = inside["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|entry| entry["size"].as_u64())
        .sum();
    assert_eq!(letters["size"], size);
}

#[test]
fn what_is_uploaded_is_there_for_tokens() {
    let mut client = Client::new();
    let file = upload(&mut client, &format!("{ROBIN}&folder=0&name=K%C3%BCste%20%26%20Salz.txt"), b"tide");
    assert_eq!((&file["name"], &file["size"]), (&json!("Küste & Salz.txt"), &json!(4)));
    assert_eq!(file["modified_at"], "2026-09-21T14:13:20+00:00");
    let id = file["id"].as_str().expect("an id").to_owned();
    let pair = client.login();
    let info = client.get(&pair.access, &format!("/2.0/files/{id}")).json();
    assert_eq!((&info["name"], &info["size"]), (&json!("Küste & Salz.txt"), &json!(4)));
    let child = client.child(&pair.access, PREVIEW, &format!("files/{id}"));
    assert_eq!(client.get(&child, &format!("/2.0/files/{id}")).status, 200);
    let content = format!("http://127.0.0.1:9401/api/2.0/files/{id}/content");
    assert_eq!(client.get(&pair.access, &content).text(), "tide");
    let other = client.drive("GET", &format!("items?user=1100000002&folder={id}"), Value::Null);
    assert_eq!(other.status, 404, "nobody else's");
}

#[test]
fn a_folder_is_made_filled_and_deleted_with_what_is_in_it() {
    let mut client = Client::new();
    let folder = client.drive("POST", &format!("folders?{ROBIN}&folder=0&name=Mine"), Value::Null).json();
    let folder = folder["id"].as_str().expect("an id").to_owned();
    let file = upload(&mut client, &format!("{ROBIN}&folder={folder}&name=a.txt"), b"a");
    let file = file["id"].as_str().expect("an id").to_owned();
    let pair = client.login();
    assert_eq!(client.get(&pair.access, &format!("/2.0/files/{file}")).status, 200);
    let answer = client.drive("DELETE", &format!("items/folder_{folder}?{ROBIN}"), Value::Null);
    assert_eq!(answer.status, 200);
    for gone in [format!("/2.0/files/{file}"), format!("/2.0/folders/{folder}")] {
        client.get(&pair.access, &gone).is_api(404, "trashed", "Item is trashed");
    }
    assert_eq!(client.drive("DELETE", &format!("items/folder_{folder}?{ROBIN}"), Value::Null).status, 404);
}

#[test]
fn what_cannot_be_is_refused_with_a_sentence_and_nothing_changes() {
    let mut client = Client::new();
    let before = listed(&mut client, ROBIN);
    for (method, path, status, words) in [
        ("GET", "items", 400, "no user"),
        ("GET", "items?user=1", 404, "no such user"),
        ("GET", "items?user=1100000001&folder=1", 404, "no such folder"),
        ("POST", "items?user=1100000001&folder=0", 400, "no name"),
        ("POST", "items?user=1100000001&folder=0&name=welcome.MD", 409, "already"),
        ("POST", "folders?user=1100000001&folder=0&name=Letters", 409, "already"),
        ("POST", "items?user=1100000001&folder=0&name=a%2Fb", 400, "no / or"),
        ("POST", "items?user=1100000001&folder=0&name=..", 400, "no / or"),
        ("POST", "items?user=1100000001&folder=0&name=%20a", 400, "no / or"),
        ("POST", "items?user=1100000001&folder=1&name=a", 404, "no such folder"),
        ("POST", "items?user=1&folder=0&name=a", 404, "no such user"),
        ("DELETE", "items/folder_0?user=1100000001", 400, "keeps its root"),
        ("DELETE", "items/file_1?user=1100000001", 404, "no file_1"),
        ("DELETE", "items/1?user=1100000001", 400, "file_"),
        ("DELETE", "items/file_1", 400, "no user"),
    ] {
        let answer = client.drive(method, path, Value::Null);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        let told = answer.json()["error"].as_str().expect("a sentence").to_owned();
        assert!(told.contains(words), "{told}");
    }
    assert_eq!(listed(&mut client, ROBIN), before);
}

#[test]
fn a_shared_link_is_told_where_there_is_one() {
    let mut client = Client::new();
    let pair = client.login();
    let file = upload(&mut client, &format!("{ROBIN}&folder=0&name=a.txt"), b"a");
    let id = file["id"].as_str().expect("an id").to_owned();
    assert_eq!(file["shared_link"], Value::Null);
    let path = format!("/2.0/files/{id}?fields=shared_link");
    let asked =
        client.ask("PUT", &path).bearer(&pair.access).json(json!({"shared_link": {"access": "open"}}));
    let url = asked.send().json()["shared_link"]["url"].clone();
    assert!(url.is_string());
    let entries = listed(&mut client, ROBIN)["entries"].as_array().expect("entries").clone();
    assert_eq!(entries.iter().find(|entry| entry["id"] == id).expect("listed")["shared_link"], url);
}

#[test]
fn two_uploads_at_once_are_two_files() {
    let mut client = Client::new();
    let one = upload(&mut client, &format!("{ROBIN}&folder=0&name=one"), b"same");
    let other = upload(&mut client, &format!("{ROBIN}&folder=0&name=other"), b"same");
    assert_ne!(one["id"], other["id"]);
}

#[test]
fn a_body_that_is_too_large_is_said_to_be() {
    let mut client = Client::new();
    let path = format!("/emulator/items?{ROBIN}&folder=0&name=large.bin");
    let request =
        http::Request::post(format!("http://127.0.0.1:9400{path}")).extension(box_emulator::BodyTooLarge);
    let response =
        client.emulator.handle(request.body(Vec::new()).expect("a request"), client.now_ms).response;
    assert_eq!(response.status(), 413);
    let told: Value = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(told["error"], "a body here has at most 50000000 bytes");
    let entries = listed(&mut client, ROBIN)["entries"].as_array().expect("entries").clone();
    assert!(entries.iter().all(|entry| entry["name"] != "large.bin"));
}
