//! File info: fields, hints, permissions, representations.

use serde_json::{Value, json};

use crate::support::{Client, PREVIEW};

/// What Box's preview 3.81 asks for.
const PREVIEW_FIELDS: &str = "id%2Cpermissions%2Cshared_link%2Csha1%2Cfile_version%2Cname%2Csize%2Cextension%2C\
                              representations%2Cwatermark_info%2Cauthenticated_download_url%2Cis_download_available";
const PREVIEW_HINTS: &str = "[3d][pdf][text][mp3][json][jpg?dimensions=1024x1024&paged=false]\
                             [jpg?dimensions=2048x2048,png?dimensions=2048x2048][dash,mp4][filmstrip]";

fn info(client: &mut Client, token: &str, path: &str) -> Value {
    let id = client.id_of(token, path);
    let target = format!("/2.0/files/{id}?fields={PREVIEW_FIELDS}");
    client.ask("GET", &target).bearer(token).header("x-rep-hints", PREVIEW_HINTS).send().json()
}

#[test]
fn all_twelve_fields_of_the_preview_are_defined() {
    let mut client = Client::new();
    let pair = client.login();
    let info = info(&mut client, &pair.access, "Letters/Letter to Aunt Edda.pdf");
    for name in PREVIEW_FIELDS.split("%2C").chain(["type", "etag"]) {
        assert!(info.get(name).is_some(), "{name} is missing");
    }
    assert_eq!(info.as_object().expect("an object").len(), 14, "and no others: {info}");
    assert_eq!(info["is_download_available"], true);
    assert_eq!(info["watermark_info"], json!({"is_watermarked": false}));
    assert_eq!(info["extension"], "pdf");
    assert!(info["size"].as_u64().is_some_and(|size| size > 0));
    assert_eq!(info["file_version"]["sha1"], info["sha1"]);
    let original = info["authenticated_download_url"].as_str().expect("url");
    assert!(original.starts_with("http://127.0.0.1:9401/api/2.0/files/") && original.ends_with("/content"));
}

#[test]
fn each_kind_of_file_has_the_representation_that_its_viewer_wants() {
    let mut client = Client::new();
    let pair = client.login();
    for (path, representations) in [
        ("Letters/Fish & chips.md", &["text"][..]),
        ("Garden/Bees.txt", &["text"]),
        ("Garden/Seeds.csv", &["text"]),
        ("Lighthouse/blink.py", &["text"]),
        ("Lighthouse/Light character.json", &["text"]),
        ("Letters/Letter to Aunt Edda.pdf", &["pdf"]),
        ("Post cards/Stamp.png", &["png"]),
        ("Post cards/Puffin of the month.jpg", &["jpg", "jpg"]),
        ("Garden/Planting plan.svg", &[]),
        ("Lighthouse/Foghorn.wav", &[]),
        ("Lighthouse/One turn of the light.mp4", &["dash"]),
    ] {
        let info = info(&mut client, &pair.access, path);
        let entries = info["representations"]["entries"].as_array().expect("entries");
        let found: Vec<&Value> = entries.iter().map(|entry| &entry["representation"]).collect();
        assert_eq!(found, representations, "{path}");
        assert!(entries.iter().all(|entry| entry["status"]["state"] == "success"));
    }
}

#[test]
fn an_entry_has_the_shape_of_box_s() {
    let mut client = Client::new();
    let pair = client.login();
    let info = info(&mut client, &pair.access, "Post cards/Puffin of the month.jpg");
    let (file, version) =
        (info["id"].as_str().expect("id"), info["file_version"]["id"].as_str().expect("version"));
    let base = format!("2.0/internal_files/{file}/versions/{version}/representations/jpg_paged_2048x2048");
    let paged = &info["representations"]["entries"][1];
    assert_eq!(
        *paged,
        json!({
            "representation": "jpg",
            "properties": {"dimensions": "2048x2048", "paged": "true", "thumb": "false"},
            "info": {"url": format!("http://127.0.0.1:9400/{base}")},
            "status": {"state": "success"},
            "content": {"url_template": format!("http://127.0.0.1:9401/api/{base}/content/{{+asset_path}}")},
            "metadata": {"pages": 1},
        })
    );
}

#[test]
fn a_pdf_tells_its_pages() {
    let mut client = Client::new();
    let pair = client.login();
    let info = info(&mut client, &pair.access, "Garden/A walk round the garden.pdf");
    assert_eq!(info["representations"]["entries"][0]["metadata"]["pages"], 4);
}

#[test]
fn without_fields_the_standard_ones_come() {
    let mut client = Client::new();
    let pair = client.login();
    let id = client.id_of(&pair.access, "Welcome.md");
    let info = client.get(&pair.access, &format!("/2.0/files/{id}")).json();
    for name in ["type", "id", "etag", "name", "size", "sha1", "file_version", "parent", "modified_at"] {
        assert!(info.get(name).is_some(), "{name}");
    }
    for name in ["representations", "permissions", "authenticated_download_url", "download_url", "extension"]
    {
        assert!(info.get(name).is_none(), "{name} comes on request only");
    }
    assert_eq!(info["parent"]["id"], "0");
}

#[test]
fn fields_that_do_not_exist_are_left_out() {
    let mut client = Client::new();
    let pair = client.login();
    let id = client.id_of(&pair.access, "Welcome.md");
    let info = client.get(&pair.access, &format!("/2.0/files/{id}?fields=name,nonsense,name")).json();
    assert_eq!(info, json!({"type": "file", "id": id, "etag": "0", "name": "Welcome.md"}));
}

#[test]
fn an_etag_that_is_known_is_not_sent_again() {
    let mut client = Client::new();
    let pair = client.login();
    let id = client.id_of(&pair.access, "Welcome.md");
    let target = format!("/2.0/files/{id}");
    let answer = client.ask("GET", &target).bearer(&pair.access).header("if-none-match", "0").send();
    assert_eq!((answer.status, answer.text().as_str()), (304, ""));
    let answer = client.ask("GET", &target).bearer(&pair.access).header("if-none-match", "\"1\"").send();
    assert_eq!((answer.status, answer.header("etag")), (200, Some("\"0\"")));
}

#[test]
fn hints_that_cannot_be_read_are_refused() {
    let mut client = Client::new();
    let pair = client.login();
    let id = client.id_of(&pair.access, "Welcome.md");
    let target = format!("/2.0/files/{id}?fields=representations");
    let answer = client.ask("GET", &target).bearer(&pair.access).header("x-rep-hints", "pdf").send();
    answer.is_api(400, "bad_request", "Bad Request");
    assert_eq!(answer.json()["context_info"]["errors"][0]["name"], "X-Rep-Hints");
}

#[test]
fn permissions_are_the_user_s_rights_and_the_token_s_scopes() {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, "Welcome.md");
    for (scope, granted) in [
        ("base_preview", vec!["can_preview"]),
        ("item_preview item_download", vec!["can_download", "can_preview"]),
        ("base_sidebar item_rename", vec!["can_rename"]),
        ("base_sidebar item_share", vec!["can_invite_collaborator", "can_set_share_access", "can_share"]),
        (
            "item_preview annotation_view_self",
            vec!["can_preview", "can_view_annotations", "can_view_annotations_self"],
        ),
    ] {
        let child = client.child(&pair.access, scope, &format!("files/{file}"));
        let permissions = client.get(&child, &format!("/2.0/files/{file}?fields=permissions")).json();
        let permissions = permissions["permissions"].as_object().expect("permissions").clone();
        let may: Vec<&String> =
            permissions.iter().filter(|(_, may)| **may == true).map(|(name, _)| name).collect();
        assert_eq!(may, granted, "{scope}");
    }
}

#[test]
fn a_token_without_a_reading_scope_reads_nothing() {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, "Welcome.md");
    let child = client.child(&pair.access, "item_rename", &format!("files/{file}"));
    client.get(&child, &format!("/2.0/files/{file}")).lacks_scope();
}

#[test]
fn representations_can_be_made_on_demand() {
    let mut client = Client::new();
    client.settings(json!({"representations": "on_demand"}));
    let pair = client.login();
    let file = client.id_of(&pair.access, "Letters/Letter to Aunt Edda.pdf");
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    let info = client.get(&child, &format!("/2.0/files/{file}?fields=representations")).json();
    let entry = &info["representations"]["entries"][0];
    let status = entry["info"]["url"].as_str().expect("url").to_owned();
    let content = entry["content"]["url_template"].as_str().expect("url").replace("{+asset_path}", "");
    assert_eq!(entry["status"]["state"], "none");
    let answer = client.get(&child, &content);
    assert_eq!((answer.status, answer.header("retry-after")), (202, Some("1")));
    for state in ["pending", "success", "success"] {
        assert_eq!(client.get(&child, &status).json()["status"]["state"], state);
    }
    assert_eq!(client.get(&child, &content).status, 200);
}

#[test]
fn a_preview_is_reported_with_the_token_that_showed_it() {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, "Welcome.md");
    let other = client.id_of(&pair.access, "Garden/Bees.txt");
    let child = client.child(&pair.access, "item_preview", &format!("files/{file}"));
    let mut report = |event: Value| client.ask("POST", "/2.0/events").bearer(&child).json(event).send();
    let event = |kind: &str, id: &str| json!({"event_type": kind, "source": {"type": "file", "id": id}});
    assert_eq!(report(event("preview", &file)).status, 201);
    report(event("preview", &other)).is_not_found();
    report(event("delete", &file)).is_api(400, "bad_request", "Bad Request");
    report(json!([])).is_api(400, "bad_request", "Bad Request");
    let calls = client.ask("GET", "/emulator/calls").send().json();
    assert_eq!(calls["events"].as_array().map(Vec::len), Some(1));
    assert_eq!(calls["events"][0]["source"], json!({"type": "file", "id": file}));
}
