//! Uploads, versions, and what comes of them.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::support::{Answer, Client, PREVIEW};

fn sha1(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn desk() -> (Client, String) {
    let mut client = Client::new();
    let token = client.login().access;
    (client, token)
}

#[test]
fn an_upload_is_a_file_like_any_other() {
    let (mut client, token) = desk();
    let folder = client.id_of(&token, "Letters");
    let answer = client.upload(&token, &folder, "Notes.md", b"# Notes");
    assert_eq!(answer.status, 201, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["total_count"], 1);
    let file = &body["entries"][0];
    assert_eq!(
        (&file["type"], &file["name"], &file["size"]),
        (&json!("file"), &json!("Notes.md"), &json!(7))
    );
    assert_eq!((&file["sha1"], &file["etag"]), (&json!(sha1(b"# Notes")), &json!("0")));
    assert_eq!(file["parent"]["id"], *folder);
    let id = file["id"].as_str().expect("id").to_owned();
    let info = client.get(&token, &format!("/2.0/files/{id}?fields=representations")).json();
    assert_eq!(info["representations"]["entries"][0]["representation"], "text", "by its extension");
    assert_eq!(client.download(&token, &format!("/2.0/files/{id}/content")), b"# Notes");
    let child = client.child(&token, PREVIEW, &format!("files/{id}"));
    let url = info["representations"]["entries"][0]["content"]["url_template"].as_str().expect("url");
    assert_eq!(client.get(&child, &url.replace("{+asset_path}", "")).body, b"# Notes");
}

#[test]
fn an_upload_survives_a_restart() {
    let (mut client, token) = desk();
    let id = client.uploaded(&token, "0", "a.txt", b"first");
    client.replace(&token, &id, b"second");
    client.rewrite(|_| {});
    let versions = client.get(&token, &format!("/2.0/files/{id}/versions")).json();
    let first = versions["entries"][0]["id"].as_str().expect("id").to_owned();
    assert_eq!(client.download(&token, &format!("/2.0/files/{id}/content")), b"second");
    assert_eq!(client.download(&token, &format!("/2.0/files/{id}/content?version={first}")), b"first");
}

#[test]
fn every_address_that_sdks_build_takes_uploads() {
    let (mut client, token) = desk();
    for (number, base) in ["/upload/2.0", "/upload/api/2.0", "/api/2.0"].into_iter().enumerate() {
        for (kind, part) in [("a", "file"), ("b", "content")] {
            let attributes =
                json!({"name": format!("{kind}{number}.txt"), "parent": {"id": "0"}}).to_string();
            let parts: [(&str, &[u8]); 2] = [("attributes", attributes.as_bytes()), (part, b"x")];
            let target = format!("{base}/files/content");
            let answer = client.ask("POST", &target).bearer(&token).parts(&parts).send();
            assert_eq!(answer.status, 201, "{target}: {}", answer.text());
        }
    }
    client.get(&token, "/upload/2.0/files/content").is_api(405, "method_not_allowed", "Method Not Allowed");
    client.post(&token, "/2.0/files/content", json!({})).is_api(
        405,
        "method_not_allowed",
        "Method Not Allowed",
    );
    client.post(&token, "/upload/2.0/folders", json!({})).is_not_found();
}

#[test]
fn a_malformed_upload_is_told_what_is_wrong() {
    let (mut client, token) = desk();
    let good = json!({"name": "a.txt", "parent": {"id": "0"}}).to_string();
    let mut upload = |parts: &[(&str, &[u8])]| -> Answer {
        client.ask("POST", "/upload/2.0/files/content").bearer(&token).parts(parts).send()
    };
    upload(&[("file", b"x"), ("attributes", good.as_bytes())]).is_api(
        400,
        "metadata_after_file_contents",
        "Metadata is included after file contents in a file upload request.",
    );
    upload(&[]).is_bad("missing_parameter", "attributes");
    upload(&[("attributes", good.as_bytes())]).is_bad("missing_parameter", "file");
    upload(&[("attributes", b"{"), ("file", b"x")]).is_bad("invalid_parameter", "attributes");
    upload(&[("attributes", b"{}"), ("file", b"x")]).is_bad("missing_parameter", "name");
    upload(&[("attributes", b"{\"name\":\"a\"}"), ("file", b"x")]).is_bad("missing_parameter", "parent");
    upload(&[("attributes", good.as_bytes()), ("file", b"x"), ("file", b"y")])
        .is_bad("invalid_parameter", "body");
    let dated = json!({"name": "a", "parent": {"id": "0"}, "content_modified_at": "yesterday"}).to_string();
    upload(&[("attributes", dated.as_bytes()), ("file", b"x")])
        .is_bad("invalid_parameter", "content_modified_at");
    client.post(&token, "/upload/2.0/files/content", json!({})).is_bad("invalid_parameter", "body");
    let cut = client.ask("POST", "/upload/2.0/files/content").bearer(&token);
    let cut = cut.header("content-type", "multipart/form-data; boundary=b0undary");
    cut.send().is_bad("invalid_parameter", "body");
    let listed = client.get(&token, "/2.0/folders/0/items?limit=1000").json();
    assert!(listed["entries"].as_array().expect("entries").iter().all(|item| item["name"] != "a.txt"));
}

#[test]
fn a_promised_digest_must_be_that_of_the_bytes() {
    let (mut client, token) = desk();
    let attributes = json!({"name": "a.txt", "parent": {"id": "0"}}).to_string();
    let parts: [(&str, &[u8]); 2] = [("attributes", attributes.as_bytes()), ("file", b"x")];
    let mut upload = |digest: &str| {
        let ask = client.ask("POST", "/upload/2.0/files/content").bearer(&token).parts(&parts);
        ask.header("content-md5", digest).send()
    };
    let words = "The specified content-md5 did not match what we received";
    upload(&sha1(b"y")).is_api(400, "bad_digest", words);
    assert_eq!(upload(&sha1(b"x").to_uppercase()).status, 201);
}

#[test]
fn the_uploader_s_dates_are_kept() {
    let (mut client, token) = desk();
    let (created, modified) = ("2012-12-12T10:53:43-08:00", "2013-12-12T10:53:43-08:00");
    let attributes = json!({
        "name": "a.txt", "parent": {"id": "0"}, "content_created_at": created, "content_modified_at": modified,
    })
    .to_string();
    let parts: [(&str, &[u8]); 2] = [("attributes", attributes.as_bytes()), ("file", b"x")];
    let file = client.ask("POST", "/upload/2.0/files/content").bearer(&token).parts(&parts).send().json();
    let file = &file["entries"][0];
    assert_eq!(
        (&file["content_created_at"], &file["content_modified_at"]),
        (&json!(created), &json!(modified))
    );
    assert_eq!(file["created_at"], "2026-09-21T14:13:20+00:00");
}

#[test]
fn a_description_comes_with_the_bytes_and_null_is_none() {
    let (mut client, token) = desk();
    let mut upload = |target: &str, token: &str, attributes: Value| {
        let attributes = attributes.to_string();
        let parts: [(&str, &[u8]); 2] = [("attributes", attributes.as_bytes()), ("file", b"x")];
        client.ask("POST", target).bearer(token).parts(&parts).send()
    };
    let new = "/upload/2.0/files/content";
    let mut named = |name: &str, description: Value| {
        let attributes = json!({"name": name, "parent": {"id": "0"}, "description": description});
        upload(new, &token, attributes)
    };
    assert_eq!(named("a.txt", Value::Null).json()["entries"][0]["description"], "");
    let file = named("b.txt", json!("From the pier")).json();
    let file = &file["entries"][0];
    assert_eq!(file["description"], "From the pier");
    named("c.txt", json!("x".repeat(257))).is_bad("invalid_parameter", "description");

    let id = file["id"].as_str().expect("id").to_owned();
    let version = format!("/upload/2.0/files/{id}/content");
    let kept = upload(&version, &token, json!({})).json();
    assert_eq!(kept["entries"][0]["description"], "From the pier");
    let changed = upload(&version, &token, json!({"description": "From the boat"})).json();
    assert_eq!(changed["entries"][0]["description"], "From the boat");
    let child = client.child(&token, "item_upload", &format!("files/{id}"));
    let attributes = json!({"description": "Nobody's"}).to_string();
    let parts: [(&str, &[u8]); 2] = [("attributes", attributes.as_bytes()), ("file", b"y")];
    client.ask("POST", &version).bearer(&child).parts(&parts).send().lacks_scope();
}

#[test]
fn a_taken_name_is_a_conflict_that_names_the_file() {
    let (mut client, token) = desk();
    let id = client.uploaded(&token, "0", "a.txt", b"x");
    let answer = client.upload(&token, "0", "A.TXT", b"y");
    answer.is_api(409, "item_name_in_use", "Item with the same name already exists");
    let conflict = &answer.json()["context_info"]["conflicts"];
    assert_eq!((&conflict["id"], &conflict["sha1"]), (&json!(id), &json!(sha1(b"x"))));
    client.settings(json!({"root_as_resource": true}));
    let child = client.child(&token, "base_upload", "folders/0");
    let answer = client.upload(&child, "0", "A.TXT", b"y");
    assert_eq!(
        answer.json()["context_info"]["conflicts"],
        json!({"type": "file", "id": id, "etag": "0", "name": "a.txt"}),
        "a token that may not read is told no more than the name"
    );
    assert_eq!(client.upload(&child, "0", "Garden", b"y").status, 409, "a folder's name is taken, too");
}

#[test]
fn uploading_needs_a_scope_for_it_and_the_folder_within_the_resource() {
    let (mut client, token) = desk();
    let (letters, garden) = (client.id_of(&token, "Letters"), client.id_of(&token, "Garden"));
    let file = client.id_of(&token, "Letters/Fish & chips.md");
    for scope in ["base_upload", "item_upload", "item_readwrite"] {
        let child = client.child(&token, scope, &format!("folders/{letters}"));
        assert_eq!(client.upload(&child, &letters, &format!("{scope}.txt"), b"x").status, 201);
        client.upload(&child, &garden, "x.txt", b"x").is_not_found();
        client.upload(&child, "0", "x.txt", b"x").is_not_found();
        assert_eq!(client.replace(&child, &file, scope.as_bytes()).status, 200);
    }
    for scope in ["item_rename", "item_read", "base_explorer", PREVIEW, "root_readonly"] {
        let child = client.child(&token, scope, &format!("folders/{letters}"));
        client.upload(&child, &letters, "y.txt", b"x").lacks_scope();
        client.replace(&child, &file, b"x").lacks_scope();
        client.post(&child, "/2.0/folders", json!({"name": "y", "parent": {"id": letters}})).lacks_scope();
    }
    let child = client.child(&token, "base_upload", &format!("folders/{letters}"));
    let told = client.upload(&child, &letters, "z.txt", b"x").json();
    let told: Vec<String> = told["entries"][0].as_object().expect("a file").keys().cloned().collect();
    assert_eq!(told, ["etag", "id", "name", "type"]);
}

#[test]
fn a_new_version_keeps_the_old_one_to_be_read() {
    let (mut client, token) = desk();
    let id = client.uploaded(&token, "0", "a.txt", b"first");
    let first = client.get(&token, &format!("/2.0/files/{id}")).json()["file_version"]["id"].clone();
    client.wait(60);
    let answer = client.replace(&token, &id, b"second!");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let file = answer.json()["entries"][0].clone();
    assert_eq!((&file["id"], &file["etag"], &file["size"]), (&json!(id), &json!("1"), &json!(7)));
    assert_ne!(file["file_version"]["id"], first);

    let listed = client.get(&token, &format!("/2.0/files/{id}/versions")).json();
    assert_eq!(
        (&listed["total_count"], &listed["limit"], &listed["offset"]),
        (&json!(1), &json!(1000), &json!(0))
    );
    let old = &listed["entries"][0];
    assert_eq!(
        (&old["type"], &old["id"], &old["sha1"]),
        (&json!("file_version"), &first, &json!(sha1(b"first")))
    );
    assert_eq!((&old["version_number"], &old["size"]), (&json!("1"), &json!(5)));
    assert_eq!(old["uploader_display_name"], "Robin Sample");
    let first = first.as_str().expect("id");
    let current = file["file_version"]["id"].as_str().expect("id");
    let of = |version: &str| format!("/2.0/files/{id}/versions/{version}");
    assert_eq!(client.get(&token, &of(first)).json()["created_at"], "2026-09-21T14:13:20+00:00");
    assert_eq!(client.get(&token, &of(current)).json()["version_number"], "2");
    client.get(&token, &of("12")).is_not_found();
    assert_eq!(client.download(&token, &format!("/2.0/files/{id}/content?version={first}")), b"first");
    client.get(&token, &format!("/2.0/files/{id}/content?version=12")).is_not_found();
}

#[test]
fn a_version_can_be_renamed_with_its_file_and_remembers_its_own_name() {
    let (mut client, token) = desk();
    let id = client.uploaded(&token, "0", "a.txt", b"first");
    let parts: [(&str, &[u8]); 2] = [("attributes", b"{\"name\":\"b.md\"}"), ("file", b"second")];
    let target = format!("/upload/2.0/files/{id}/content");
    let answer = client.ask("POST", &target).bearer(&token).parts(&parts).send().json();
    assert_eq!(answer["entries"][0]["name"], "b.md");
    let old = client.get(&token, &format!("/2.0/files/{id}/versions?fields=name,extension")).json();
    assert_eq!(
        (&old["entries"][0]["name"], &old["entries"][0]["extension"]),
        (&json!("a.txt"), &json!("txt"))
    );
    let child = client.child(&token, "item_upload", &format!("files/{id}"));
    let parts: [(&str, &[u8]); 2] = [("attributes", b"{\"name\":\"c.md\"}"), ("file", b"third")];
    client.ask("POST", &target).bearer(&child).parts(&parts).send().lacks_scope();
}

#[test]
fn who_knows_an_old_etag_uploads_nothing() {
    let (mut client, token) = desk();
    let id = client.uploaded(&token, "0", "a.txt", b"first");
    let parts: [(&str, &[u8]); 2] = [("attributes", b"{}"), ("file", b"second")];
    let target = format!("/upload/2.0/files/{id}/content");
    let mut upload =
        |etag: &str| client.ask("POST", &target).bearer(&token).header("if-match", etag).parts(&parts).send();
    assert_eq!(upload("0").status, 200);
    upload("0").is_api(
        412,
        "precondition_failed",
        "The resource has been modified. Retrieve the resource again and retry",
    );
}

/// The preview shows an old version with the fields of a file, but for those that a version has not.
#[test]
fn an_old_version_is_previewed_like_a_file() {
    let (mut client, token) = desk();
    let id = client.uploaded(&token, "0", "a.txt", b"first");
    let first = client.get(&token, &format!("/2.0/files/{id}")).json()["file_version"]["id"].clone();
    client.replace(&token, &id, b"second");
    let first = first.as_str().expect("id");
    let child = client.child(&token, PREVIEW, &format!("files/{id}"));
    let fields = "id,permissions,shared_link,sha1,file_version,name,size,extension,representations,\
                  watermark_info,authenticated_download_url,is_download_available";
    let target = format!("/2.0/files/{id}/versions/{first}?fields={}", fields.replace(',', "%2C"));
    let answer = client.ask("GET", &target).bearer(&child).header("x-rep-hints", "[text]").send().json();
    let names: Vec<&String> = answer.as_object().expect("an object").keys().collect();
    for name in fields.split(',').filter(|name| !matches!(*name, "shared_link" | "file_version")) {
        assert!(names.iter().any(|known| *known == name), "{name} is missing");
    }
    assert_eq!((&answer["type"], &answer["id"]), (&json!("file_version"), &json!(first)));
    assert_eq!(answer["permissions"]["can_preview"], true);
    let entry = &answer["representations"]["entries"][0];
    let content = entry["content"]["url_template"].as_str().expect("url").replace("{+asset_path}", "");
    assert!(content.contains(first), "{content}");
    assert_eq!(client.get(&child, &content).body, b"first");
    let status = entry["info"]["url"].as_str().expect("url").to_owned();
    assert_eq!(client.get(&child, &status).json()["status"]["state"], "success");
    client
        .ask("GET", &target)
        .bearer(&child)
        .header("x-rep-hints", "text")
        .send()
        .is_bad("invalid_parameter", "X-Rep-Hints");
}

#[test]
fn the_original_of_an_old_version_is_had_by_its_id() {
    let (mut client, token) = desk();
    let id = client.uploaded(&token, "0", "a.svg", b"<svg/>");
    let first = client.get(&token, &format!("/2.0/files/{id}")).json()["file_version"]["id"].clone();
    client.replace(&token, &id, b"<svg></svg>");
    let child = client.child(&token, PREVIEW, &format!("files/{id}"));
    let original = format!("http://127.0.0.1:9401/api/2.0/files/{id}/content?preview=true&version=");
    assert_eq!(client.get(&child, &format!("{original}{}", first.as_str().expect("id"))).body, b"<svg/>");
    client.get(&child, &format!("{original}12")).is_not_found();
}

#[test]
fn versions_come_in_pages_newest_first() {
    let (mut client, token) = desk();
    let id = client.uploaded(&token, "0", "a.txt", b"1");
    for content in ["2", "3", "4"] {
        client.replace(&token, &id, content.as_bytes());
    }
    let mut numbers = |query: &str| -> Vec<Value> {
        let listed = client.get(&token, &format!("/2.0/files/{id}/versions{query}")).json();
        listed["entries"]
            .as_array()
            .expect("entries")
            .iter()
            .map(|one| one["version_number"].clone())
            .collect()
    };
    assert_eq!(numbers(""), ["3", "2", "1"]);
    assert_eq!(numbers("?limit=1&offset=1"), ["2"]);
    client
        .get(&token, &format!("/2.0/files/{id}/versions?offset=10001"))
        .is_bad("invalid_parameter", "offset");
}

#[test]
fn a_program_asks_first_whether_a_file_would_be_welcome() {
    let (mut client, token) = desk();
    let mut ask = |body: Value| client.ask("OPTIONS", "/2.0/files/content").bearer(&token).json(body).send();
    let answer = ask(json!({"name": "a.txt", "parent": {"id": "0"}, "size": 3}));
    assert_eq!(
        answer.json(),
        json!({"upload_url": "http://127.0.0.1:9400/upload/2.0/files/content", "upload_token": null})
    );
    assert_eq!(ask(json!({"name": "a.txt", "parent": {"id": "0"}, "size": 50_000_001})).status, 413);
    let taken = ask(json!({"name": "welcome.md", "parent": {"id": "0"}}));
    taken.is_api(409, "item_name_in_use", "Item with the same name already exists");
    assert_eq!(taken.json()["context_info"]["conflicts"]["name"], "Welcome.md");
    let preflight = client.ask("OPTIONS", "/2.0/files/content").origin("https://any.example").send();
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (200, Some("*")));
}

#[test]
fn a_body_that_is_too_large_is_said_to_be() {
    let mut client = Client::new();
    let request = http::Request::post("http://127.0.0.1:9400/upload/2.0/files/content")
        .header("origin", "http://localhost:8787")
        .extension(box_emulator::BodyTooLarge)
        .body(Vec::new())
        .expect("a request");
    let response = client.emulator.handle(request, client.now_ms).response;
    assert_eq!(response.status(), 413);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let body: Value = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(body["code"], "request_entity_too_large");
    assert!(
        box_emulator::body_bytes_max("/upload/2.0/files/content")
            > box_emulator::body_bytes_max("/2.0/files/1")
    );
}

#[test]
fn any_bytes_under_any_name_come_back_as_they_were() {
    let (client, token) = desk();
    let client = RefCell::new(client);
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let bytes = prop::collection::vec(any::<u8>(), 0..80);
    let outcome = runner.run(&("\\PC{1,16}", bytes), |(name, bytes)| {
        let mut client = client.borrow_mut();
        let folder = json!({"name": client.now_ms.to_string(), "parent": {"id": "0"}});
        client.wait(1);
        let folder =
            client.post(&token, "/2.0/folders", folder).json()["id"].as_str().expect("an id").to_owned();
        let answer = client.upload(&token, &folder, &name, &bytes);
        let bad = name.trim() != name || name.contains(['/', '\\']) || [".", ".."].contains(&&*name);
        prop_assert_eq!(answer.status, if bad { 400 } else { 201 }, "{:?}: {}", name, answer.text());
        if !bad {
            let file = answer.json()["entries"][0].clone();
            prop_assert_eq!(file["name"].as_str(), Some(name.as_str()));
            let target = format!("/2.0/files/{}/content", file["id"].as_str().expect("an id"));
            prop_assert_eq!(client.download(&token, &target), bytes);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|fault| panic!("{fault}"));
}
