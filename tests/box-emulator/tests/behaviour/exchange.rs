//! Token exchange, and what the narrower token opens afterwards.

use serde_json::{Value, json};

use crate::support::{ACCESS_TOKEN, CREDENTIALS, Client, EXCHANGE, PREVIEW, Pair};

const PDF: &str = "Letters/Letter to Aunt Edda.pdf";

struct Desk {
    client: Client,
    pair: Pair,
    file: String,
    other: String,
    folder: String,
}

fn desk() -> Desk {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, PDF);
    let other = client.id_of(&pair.access, "Letters/Fish & chips.md");
    let folder = client.id_of(&pair.access, "Letters");
    Desk { client, pair, file, other, folder }
}

fn resource(item: &str) -> String {
    format!("https://api.box.com/2.0/{item}")
}

#[test]
fn the_answer_names_each_scope_with_the_same_object() {
    let Desk { mut client, pair, file, .. } = desk();
    let answer = client.exchange(&pair.access, PREVIEW, Some(&resource(&format!("files/{file}"))));
    let body = answer.json();
    let names: Vec<&String> = body.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["access_token", "expires_in", "issued_token_type", "restricted_to", "token_type"]);
    assert_eq!(body["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(body["token_type"], "bearer");
    let token = body["access_token"].as_str().expect("a token");
    assert!(token.starts_with("1!") && token.len() > 300, "{token}");
    let restricted = body["restricted_to"].as_array().expect("a list");
    let scopes: Vec<&Value> = restricted.iter().map(|entry| &entry["scope"]).collect();
    assert_eq!(scopes, ["base_preview", "item_preview"]);
    for entry in restricted {
        assert_eq!(entry["object"]["type"], "file");
        assert_eq!(entry["object"]["id"], *file);
        assert_eq!(entry["object"]["name"], "Letter to Aunt Edda.pdf");
    }
}

#[test]
fn a_folder_may_be_the_resource_and_a_token_may_have_none() {
    let Desk { mut client, pair, folder, .. } = desk();
    let body =
        client.exchange(&pair.access, "base_explorer", Some(&resource(&format!("folders/{folder}")))).json();
    assert_eq!(body["restricted_to"][0]["object"]["type"], "folder");
    assert_eq!(body["restricted_to"][0]["object"]["name"], "Letters");
}

#[test]
fn what_a_token_without_a_resource_is_restricted_to_is_a_switch() {
    let Desk { mut client, pair, file, .. } = desk();
    let body = client.exchange(&pair.access, "root_readonly item_preview", None).json();
    assert_eq!(body["restricted_to"], json!([{"scope": "item_preview"}, {"scope": "root_readonly"}]));
    client.settings(json!({"restricted_to_without_resource": "empty"}));
    let body = client.exchange(&pair.access, "root_readonly", None).json();
    assert_eq!(body["restricted_to"], json!([]));
    let body =
        client.exchange(&pair.access, "item_preview", Some(&resource(&format!("files/{file}")))).json();
    assert_eq!(body["restricted_to"][0]["object"]["id"], *file);
}

#[test]
fn the_root_is_a_resource_if_told() {
    let Desk { mut client, pair, file, .. } = desk();
    let root = resource("folders/0");
    client.exchange(&pair.access, "base_explorer", Some(&root)).is_oauth(
        400,
        "invalid_resource",
        "The target resource is invalid.",
    );
    client.settings(json!({"root_as_resource": true}));
    let child = client.child(&pair.access, "base_explorer item_preview", "folders/0");
    assert_eq!(client.get(&child, "/2.0/folders/0/items").status, 200);
    assert_eq!(client.get(&child, &format!("/2.0/files/{file}")).status, 200);
}

#[test]
fn credentials_are_not_needed_but_wrong_ones_are_refused() {
    let Desk { mut client, pair, .. } = desk();
    let form = [
        ("grant_type", EXCHANGE),
        ("subject_token", &*pair.access),
        ("subject_token_type", ACCESS_TOKEN),
        ("scope", "item_preview"),
    ];
    assert_eq!(client.token(&form).status, 200);
    assert_eq!(client.token(&[&form[..], CREDENTIALS].concat()).status, 200);
    for wrong in
        [&[CREDENTIALS[0], ("client_secret", "wrong")][..], &[CREDENTIALS[0]], &[("client_id", "other")]]
    {
        let answer = client.token(&[&form[..], wrong].concat());
        answer.is_oauth(400, "invalid_client", "The client credentials are invalid");
    }
}

#[test]
fn the_resource_may_be_named_as_box_s_or_as_the_emulator_s() {
    let Desk { mut client, pair, file, .. } = desk();
    for origin in ["https://api.box.com", "http://127.0.0.1:9400"] {
        let address = format!("{origin}/2.0/files/{file}");
        assert_eq!(client.exchange(&pair.access, "item_preview", Some(&address)).status, 200, "{address}");
    }
}

#[test]
fn a_resource_that_is_not_there_or_not_a_resource_is_invalid() {
    let Desk { mut client, pair, file, .. } = desk();
    for address in [
        "https://api.box.com/2.0/files/12".to_owned(),
        "https://api.box.com/2.0/folders/12".to_owned(),
        format!("https://api.box.com/2.0/folders/{file}"),
        format!("https://api.box.com/2.0/files/{file}/"),
        format!("https://api.box.com/2.0/files/{file}?x=1"),
        format!("https://api.box.com/2.0/files/{file}#x"),
        format!("https://api.box.com/2.0/x/../files/{file}"),
        format!("https://user@api.box.com/2.0/files/{file}"),
        format!("https://api.box.com.evil.example/2.0/files/{file}"),
        format!("http://api.box.com/2.0/files/{file}"),
        format!("https://dl.boxcloud.com/2.0/files/{file}"),
        format!("/2.0/files/{file}"),
        file.clone(),
        "https://api.box.com/2.0/users/me".to_owned(),
    ] {
        let answer = client.exchange(&pair.access, "item_preview", Some(&address));
        assert_eq!(answer.status, 400, "{address}");
        answer.is_oauth(400, "invalid_resource", "The target resource is invalid.");
    }
}

#[test]
fn scopes_must_exist_and_be_held() {
    let Desk { mut client, pair, .. } = desk();
    for scope in ["gcm", "item_preview gcm", "item_preview,base_preview"] {
        let answer = client.exchange(&pair.access, scope, None);
        answer.is_oauth(400, "invalid_scope", "The scope is unknown or malformed");
    }
    for scope in ["", " "] {
        client.exchange(&pair.access, scope, None).is_oauth(
            400,
            "invalid_request",
            "No \"scope\" parameter found",
        );
    }
    let answer = client.exchange(&pair.access, "item_preview manage_groups", None);
    let words = "The scope exceeds what the subject token holds";
    answer.is_oauth(401, "invalid_scope", words);
    client.settings(json!({"scope_not_held_status": 400, "scope_not_held_error": "insufficient_scope"}));
    let answer = client.exchange(&pair.access, "item_preview manage_groups", None);
    answer.is_oauth(400, "insufficient_scope", words);
}

#[test]
fn the_subject_must_be_a_live_token_of_the_right_kind() {
    let Desk { mut client, pair, .. } = desk();
    let code = client.code();
    for subject in ["guessed", &pair.refresh, &code] {
        client.exchange(subject, "item_preview", None).is_oauth(
            400,
            "invalid_grant",
            "Invalid subject token",
        );
    }
    client.wait(5_000);
    let answer = client.exchange(&pair.access, "item_preview", None);
    answer.is_oauth(400, "invalid_grant", "Invalid subject token");
    client.settings(json!({"dead_subject_status": 401}));
    let answer = client.exchange(&pair.access, "item_preview", None);
    answer.is_oauth(401, "invalid_grant", "Invalid subject token");
}

#[test]
fn whether_a_child_can_be_a_subject_is_a_switch() {
    let Desk { mut client, pair, file, .. } = desk();
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    assert_eq!(client.exchange(&child, "item_preview", None).status, 200);
    client.settings(json!({"nested_exchange": false}));
    let answer = client.exchange(&child, "item_preview", None);
    answer.is_oauth(400, "invalid_grant", "The subject token is a downscoped token");
    assert_eq!(client.exchange(&pair.access, "item_preview", None).status, 200);
}

#[test]
fn a_malformed_exchange_is_told_what_is_wrong() {
    let Desk { mut client, pair, .. } = desk();
    let subject = ("subject_token", &*pair.access);
    let kind = ("subject_token_type", ACCESS_TOKEN);
    for (form, description) in [
        (&[kind][..], "No \"subject_token\" parameter found"),
        (&[subject], "The subject_token_type is invalid"),
        (&[subject, ("subject_token_type", "jwt")], "The subject_token_type is invalid"),
        (&[subject, kind], "No \"scope\" parameter found"),
        (
            &[subject, kind, ("scope", "item_preview"), ("resource", "a"), ("box_shared_link", "b")],
            "box_shared_link and resource exclude each other",
        ),
    ] {
        let answer = client.token(&[&[("grant_type", EXCHANGE)], form].concat());
        answer.is_oauth(400, "invalid_request", description);
    }
}

#[test]
fn a_preview_token_for_one_file_opens_its_preview_and_nothing_else() {
    let Desk { mut client, pair, file, other, folder } = desk();
    for scope in ["item_preview", "base_preview", PREVIEW] {
        let child = client.child(&pair.access, scope, &format!("files/{file}"));
        let info =
            client.get(&child, &format!("/2.0/files/{file}?fields=permissions,parent,path_collection"));
        assert_eq!(info.status, 200);
        let info = info.json();
        assert_eq!(info["permissions"]["can_preview"], true);
        let granted =
            info["permissions"].as_object().expect("permissions").values().filter(|may| **may == true);
        assert_eq!(granted.count(), 1, "can_preview alone: {}", info["permissions"]);
        assert_eq!((&info["parent"], &info["path_collection"]["total_count"]), (&Value::Null, &json!(0)));

        client.get(&child, &format!("/2.0/files/{file}/content")).lacks_scope();
        client.get(&child, &format!("http://127.0.0.1:9401/api/2.0/files/{file}/content")).lacks_scope();
        let tricked = format!("http://127.0.0.1:9401/api/2.0/files/{file}/content?preview=true");
        client.get(&child, &tricked).lacks_scope();
        client.get(&child, "/2.0/users/me").lacks_scope();
        client.get(&child, &format!("/2.0/files/{other}")).is_not_found();
        client.get(&child, &format!("/2.0/files/{other}/content")).is_not_found();
        client.get(&child, &format!("/2.0/folders/{folder}")).is_not_found();
        client.get(&child, &format!("/2.0/folders/{folder}/items")).is_not_found();
        client.get(&child, "/2.0/folders/0/items").is_not_found();
        assert!(
            client.get(&child, &format!("/2.0/files/{file}?fields=download_url")).json()["download_url"]
                .is_null()
        );
    }
}

#[test]
fn a_folder_covers_what_lies_below_it_and_not_what_lies_above() {
    let Desk { mut client, pair, file, folder, .. } = desk();
    let child = client.child(&pair.access, "base_explorer item_preview", &format!("folders/{folder}"));
    let info = client.get(&child, &format!("/2.0/files/{file}?fields=path_collection,parent")).json();
    assert_eq!(
        info["path_collection"]["entries"].as_array().expect("entries").len(),
        1,
        "the root is not shown"
    );
    assert_eq!(info["parent"]["id"], *folder);
    assert_eq!(client.get(&child, &format!("/2.0/folders/{folder}/items")).status, 200);
    client.get(&child, "/2.0/folders/0/items").is_not_found();
    let welcome = client.id_of(&pair.access, "Welcome.md");
    client.get(&child, &format!("/2.0/files/{welcome}")).is_not_found();
}

#[test]
fn base_preview_on_a_folder_shows_its_files_and_does_not_list_them() {
    let Desk { mut client, pair, file, folder, .. } = desk();
    let child = client.child(&pair.access, "base_preview", &format!("folders/{folder}"));
    assert_eq!(client.get(&child, &format!("/2.0/files/{file}")).status, 200);
    client.get(&child, &format!("/2.0/folders/{folder}/items")).lacks_scope();
}

#[test]
fn a_setting_makes_what_lies_outside_forbidden_instead_of_unknown() {
    let Desk { mut client, pair, file, other, .. } = desk();
    client.settings(json!({"outside_resource_status": 403}));
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    let answer = client.get(&child, &format!("/2.0/files/{other}"));
    answer.is_api(403, "access_denied_insufficient_permissions", "Access denied - insufficient permission");
    client.get(&child, "/2.0/files/12").is_not_found();
}

#[test]
fn a_download_scope_downloads() {
    let Desk { mut client, pair, file, .. } = desk();
    let child = client.child(&pair.access, "base_preview item_download", &format!("files/{file}"));
    let info = client.get(&child, &format!("/2.0/files/{file}?fields=permissions,download_url")).json();
    assert_eq!(info["permissions"]["can_download"], true);
    assert!(info["download_url"].is_string());
    assert_eq!(client.get(&child, &format!("/2.0/files/{file}/content")).status, 302);
}

#[test]
fn a_child_can_be_narrowed_further_and_never_widened() {
    let Desk { mut client, pair, file, other, folder } = desk();
    let child = client.child(&pair.access, PREVIEW, &format!("folders/{folder}"));
    let narrow = client.exchange(&child, "item_preview", Some(&resource(&format!("files/{file}"))));
    assert_eq!(narrow.status, 200, "{}", narrow.text());
    let narrow = client.child(&child, "item_preview", &format!("files/{file}"));
    client.get(&narrow, &format!("/2.0/files/{other}")).is_not_found();
    client.exchange(&narrow, "item_preview", Some(&resource(&format!("files/{other}")))).is_oauth(
        400,
        "invalid_resource",
        "The target resource is invalid.",
    );
    for wider in ["item_download", "base_preview", "root_readonly"] {
        assert_eq!(client.exchange(&narrow, wider, None).status, 401, "{wider}");
    }
    let inherited = client.exchange(&narrow, "item_preview", None).json();
    assert_eq!(inherited["restricted_to"][0]["object"]["id"], *file, "no resource means the parent's");
}

#[test]
fn a_child_lives_no_longer_than_its_parent_unless_told() {
    let Desk { mut client, pair, file, .. } = desk();
    client.wait(pair.expires_in - 100);
    let item = resource(&format!("files/{file}"));
    let life = |client: &mut Client| {
        client.exchange(&pair.access, PREVIEW, Some(&item)).json()["expires_in"].as_u64()
    };
    assert_eq!(life(&mut client), Some(100));
    client.settings(json!({"child_token_seconds": 30}));
    assert_eq!(life(&mut client), Some(30));
    client.settings(json!({"child_token_seconds": null, "child_capped_by_parent": false}));
    assert!(life(&mut client).is_some_and(|seconds| (3600..=4250).contains(&seconds)));
}

#[test]
fn a_child_outlives_the_rotation_of_its_parent_unless_told() {
    let Desk { mut client, pair, file, .. } = desk();
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    let second = client.refresh(&pair.refresh).pair();
    assert!(client.works(&second.access) && !client.works(&pair.access));
    let address = format!("/2.0/files/{file}");
    assert_eq!(client.get(&child, &address).status, 200);
    client.settings(json!({"children_die_on_revoke": true}));
    assert_eq!(client.get(&child, &address).status, 200, "a rotation is no revocation");
    client.settings(json!({"children_die_on_rotation": true}));
    client.get(&child, &address).is_unauthorized();
}

#[test]
fn a_child_outlives_the_end_of_its_parent_s_own_time() {
    let Desk { mut client, pair, file, .. } = desk();
    client.settings(json!({
        "child_capped_by_parent": false, "child_token_seconds": 5_000,
        "children_die_on_revoke": true, "children_die_on_rotation": true,
    }));
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    client.wait(4_999);
    assert!(!client.works(&pair.access));
    assert_eq!(client.get(&child, &format!("/2.0/files/{file}")).status, 200);
}

#[test]
fn a_login_for_less_cannot_be_exchanged_for_more() {
    let mut client = Client::new();
    let granted = client.control("grant", json!({"scope": "root_readonly"}));
    let pair = client.redeem(granted["code"].as_str().expect("code")).pair();
    assert_eq!(client.exchange(&pair.access, "item_download", None).status, 200);
    assert_eq!(client.exchange(&pair.access, "item_rename", None).status, 401);
}
