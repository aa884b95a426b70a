//! Changing, deleting and making files and folders.

use serde_json::{Value, json};

use crate::support::{Client, PREVIEW};

struct Desk {
    client: Client,
    token: String,
    file: String,
    folder: String,
}

/// `Letters/Fish & chips.md`.
fn desk() -> Desk {
    let mut client = Client::new();
    let token = client.login().access;
    let file = client.id_of(&token, "Letters/Fish & chips.md");
    let folder = client.id_of(&token, "Letters");
    Desk { client, token, file, folder }
}

#[test]
fn a_file_gets_another_name_and_description_and_another_etag() {
    let Desk { mut client, token, file, folder } = desk();
    let target = format!("/2.0/files/{file}");
    let answer = client.put(&token, &target, json!({"name": "Chips.md", "description": "With salt."}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let changed = answer.json();
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Chips.md"), &json!("With salt.")));
    assert_eq!((&changed["etag"], &changed["sequence_id"]), (&json!("1"), &json!("1")));
    assert_eq!(changed["modified_at"], "2026-09-21T14:13:20+00:00");
    assert_eq!(client.id_of(&token, "Letters/Chips.md"), file);
    let renamed = client.put(&token, &format!("/2.0/folders/{folder}"), json!({"name": "Post"})).json();
    assert_eq!(
        (&renamed["type"], &renamed["name"], &renamed["etag"]),
        (&json!("folder"), &json!("Post"), &json!("1"))
    );
    assert_eq!(client.id_of(&token, "Post/Chips.md"), file);
}

#[test]
fn a_change_without_a_change_changes_the_etag_alone() {
    let Desk { mut client, token, file, .. } = desk();
    let answer = client.put(&token, &format!("/2.0/files/{file}?fields=name"), json!({})).json();
    assert_eq!(answer, json!({"type": "file", "id": file, "etag": "1", "name": "Fish & chips.md"}));
}

#[test]
fn a_name_must_be_one_and_be_free_in_its_folder_whatever_the_capitals() {
    let Desk { mut client, token, file, folder } = desk();
    let target = format!("/2.0/files/{file}");
    for name in ["", "a/b", "..", " a"] {
        client.put(&token, &target, json!({"name": name})).is_api(
            400,
            "item_name_invalid",
            "Item name invalid",
        );
    }
    let long = client.put(&token, &target, json!({"name": "a".repeat(256)}));
    long.is_api(400, "item_name_too_long", "Item name too long");
    let answer = client.put(&token, &target, json!({"name": "letter to aunt edda.PDF"}));
    answer.is_api(409, "item_name_in_use", "Item with the same name already exists");
    assert_eq!(answer.json()["context_info"]["conflicts"]["name"], "Letter to Aunt Edda.pdf");
    assert_eq!(client.put(&token, &target, json!({"name": "FISH & CHIPS.md"})).status, 200, "its own name");
    let twice = client.post(&token, "/2.0/folders", json!({"name": "letters", "parent": {"id": "0"}}));
    twice.is_api(409, "item_name_in_use", "Item with the same name already exists");
    assert_eq!(twice.json()["context_info"]["conflicts"][0]["id"], *folder);
}

#[test]
fn who_knows_an_old_etag_changes_nothing() {
    let Desk { mut client, token, file, folder } = desk();
    let refused = "The resource has been modified. Retrieve the resource again and retry";
    for target in [format!("/2.0/files/{file}"), format!("/2.0/folders/{folder}")] {
        let put = |client: &mut Client, etag: &str| {
            client
                .ask("PUT", &target)
                .bearer(&token)
                .header("if-match", etag)
                .json(json!({"description": "x"}))
                .send()
        };
        assert_eq!(put(&mut client, "0").status, 200);
        put(&mut client, "0").is_api(412, "precondition_failed", refused);
        assert_eq!(put(&mut client, "\"1\"").status, 200);
        assert_eq!(put(&mut client, "*").status, 200);
        let delete = client.ask("DELETE", &target).bearer(&token).header("if-match", "1").send();
        delete.is_api(412, "precondition_failed", refused);
        let known = client.ask("GET", &target).bearer(&token).header("if-none-match", "3").send();
        assert_eq!((known.status, known.body.len()), (304, 0));
        let known = client.ask("GET", &target).bearer(&token).header("if-none-match", "2").send();
        assert_eq!((known.status, known.header("etag")), (200, Some("\"3\"")));
    }
}

#[test]
fn a_file_moves_to_another_folder_and_a_folder_never_into_itself() {
    let Desk { mut client, token, file, folder } = desk();
    let garden = client.id_of(&token, "Garden");
    let moved = client.put(&token, &format!("/2.0/files/{file}"), json!({"parent": {"id": garden}})).json();
    assert_eq!(moved["parent"]["id"], garden);
    assert_eq!(client.id_of(&token, "Garden/Fish & chips.md"), file);
    let letters = format!("/2.0/folders/{folder}");
    assert_eq!(client.put(&token, &letters, json!({"parent": {"id": garden}})).status, 200);
    let circle = client.put(&token, &format!("/2.0/folders/{garden}"), json!({"parent": {"id": folder}}));
    circle.is_api(400, "cyclical_folder_structure", "Folder move creates cyclical folder structure");
    let circle = client.put(&token, &letters, json!({"parent": {"id": folder}}));
    circle.is_api(400, "cyclical_folder_structure", "Folder move creates cyclical folder structure");
    client.put(&token, &letters, json!({"parent": {"id": "12"}})).is_not_found();
}

#[test]
fn a_change_that_is_not_done_here_is_refused_rather_than_left_out() {
    let Desk { mut client, token, file, .. } = desk();
    let target = format!("/2.0/files/{file}");
    let long = json!({"description": "a".repeat(257)});
    client.put(&token, &target, long).is_bad("invalid_parameter", "description");
    for change in [json!({"tags": ["a"]}), json!({"lock": null}), json!([]), json!({"name": 1})] {
        client.put(&token, &target, change).is_bad("invalid_parameter", "body");
    }
}

#[test]
fn a_deleted_file_is_told_apart_from_one_that_never_was() {
    let Desk { mut client, token, file, folder } = desk();
    let target = format!("/2.0/files/{file}");
    let child = client.child(&token, PREVIEW, &format!("files/{file}"));
    let beside = client.child(&token, PREVIEW, &format!("folders/{folder}"));
    let answer = client.delete(&token, &target);
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    client.get(&token, &target).is_api(404, "trashed", "Item is trashed");
    client.delete(&token, &target).is_api(404, "trashed", "Item is trashed");
    client.get(&child, &target).is_api(404, "trashed", "Item is trashed");
    client.get(&beside, &target).is_not_found();
    client.get(&token, "/2.0/files/12").is_not_found();
    let listed = client.get(&token, &format!("/2.0/folders/{folder}/items")).json();
    let names: Vec<&Value> =
        listed["entries"].as_array().expect("entries").iter().map(|item| &item["name"]).collect();
    assert!(!names.contains(&&json!("Fish & chips.md")) && !names.is_empty());
}

#[test]
fn a_full_folder_is_deleted_only_with_all_that_is_in_it() {
    let Desk { mut client, token, file, folder } = desk();
    let target = format!("/2.0/folders/{folder}");
    client.delete(&token, &target).is_api(400, "folder_not_empty", "Cannot delete - folder not empty");
    client.delete(&token, &format!("{target}?recursive=false")).is_api(
        400,
        "folder_not_empty",
        "Cannot delete - folder not empty",
    );
    assert_eq!(client.get(&token, &format!("/2.0/files/{file}")).status, 200);
    assert_eq!(client.delete(&token, &format!("{target}?recursive=true")).status, 204);
    client.get(&token, &target).is_api(404, "trashed", "Item is trashed");
    client.get(&token, &format!("/2.0/files/{file}")).is_api(404, "trashed", "Item is trashed");
}

#[test]
fn the_root_is_neither_changed_nor_deleted() {
    let Desk { mut client, token, .. } = desk();
    client.put(&token, "/2.0/folders/0", json!({"name": "Mine"})).lacks_permission();
    client.put(&token, "/2.0/folders/0", json!({"shared_link": {}})).lacks_permission();
    client.delete(&token, "/2.0/folders/0?recursive=true").lacks_permission();
}

#[test]
fn a_new_folder_is_empty_and_can_be_filled() {
    let Desk { mut client, token, folder, .. } = desk();
    let answer = client.post(&token, "/2.0/folders", json!({"name": "Drafts", "parent": {"id": folder}}));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    assert_eq!(
        (&made["type"], &made["name"], &made["parent"]["id"]),
        (&json!("folder"), &json!("Drafts"), &json!(folder))
    );
    assert_eq!((&made["etag"], &made["item_collection"]["total_count"]), (&json!("0"), &json!(0)));
    let id = made["id"].as_str().expect("id").to_owned();
    client.uploaded(&token, &id, "a.txt", b"a");
    assert_eq!(client.get(&token, &format!("/2.0/folders/{id}")).json()["item_collection"]["total_count"], 1);
    for bad in [json!({"name": "x"}), json!({"parent": {"id": "0"}}), json!(null)] {
        client.post(&token, "/2.0/folders", bad).is_bad("invalid_parameter", "body");
    }
    client.post(&token, "/2.0/folders", json!({"name": "x", "parent": {"id": "12"}})).is_not_found();
}

#[test]
fn each_change_needs_the_scope_for_it() {
    let Desk { mut client, token, file, .. } = desk();
    let garden = client.id_of(&token, "Garden");
    let target = format!("/2.0/files/{file}");
    let changes = [
        ("item_rename", json!({"name": "x.md"})),
        ("item_rename", json!({"description": "x"})),
        ("item_share", json!({"shared_link": {}})),
    ];
    for scope in ["item_rename", "item_share", "item_delete", "item_upload", "item_read", PREVIEW] {
        let child = client.child(&token, scope, &format!("files/{file}"));
        for (needed, change) in &changes {
            let answer = client.put(&child, &target, change.clone());
            if scope == *needed {
                assert_eq!(answer.status, 200, "{}", answer.text())
            } else {
                answer.lacks_scope()
            }
        }
        let both = client.put(&child, &target, json!({"description": "y", "shared_link": null}));
        both.lacks_scope();
        let moved = client.put(&child, &target, json!({"parent": {"id": garden}}));
        if scope == "item_delete" {
            moved.is_not_found()
        } else {
            moved.lacks_scope()
        }
        if scope != "item_delete" {
            client.delete(&child, &target).lacks_scope();
        }
    }
    let child = client.child(&token, "item_delete", &format!("files/{file}"));
    assert_eq!(client.delete(&child, &target).status, 204);
}

/// Seen by Box's own tests: `item_rename item_preview` on a file renames it and cannot delete it.
#[test]
fn a_token_that_may_rename_and_look_does_that_and_no_more() {
    let Desk { mut client, token, file, .. } = desk();
    let target = format!("/2.0/files/{file}");
    let child = client.child(&token, "item_rename item_preview", &format!("files/{file}"));
    assert_eq!(client.put(&child, &target, json!({"name": "Chips.md"})).json()["name"], "Chips.md");
    client.delete(&child, &target).lacks_scope();
}

#[test]
fn who_may_change_an_item_and_not_read_it_is_told_its_name() {
    let Desk { mut client, token, file, folder } = desk();
    let child = client.child(&token, "item_rename", &format!("folders/{folder}"));
    let answer =
        client.put(&child, &format!("/2.0/files/{file}?fields=size,shared_link"), json!({"name": "x.md"}));
    assert_eq!(answer.json(), json!({"type": "file", "id": file, "etag": "1", "name": "x.md"}));
    let answer = client.put(&child, &format!("/2.0/folders/{folder}"), json!({"name": "Post"})).json();
    assert_eq!(
        answer,
        json!({"type": "folder", "id": folder, "etag": "1", "sequence_id": "1", "name": "Post"})
    );
    client.put(&child, &format!("/2.0/files/{file}"), json!({})).lacks_scope();
}

#[test]
fn a_conflict_outside_the_resource_is_not_described() {
    let Desk { mut client, token, file, .. } = desk();
    let child = client.child(&token, "item_rename item_read", &format!("files/{file}"));
    let answer =
        client.put(&child, &format!("/2.0/files/{file}"), json!({"name": "Letter to Aunt Edda.pdf"}));
    answer.is_api(409, "item_name_in_use", "Item with the same name already exists");
    assert_eq!(answer.json()["context_info"], Value::Null);
}

#[test]
fn what_its_user_may_only_look_at_nobody_changes() {
    let Desk { mut client, token, file: plans, .. } = desk();
    client.rewrite(|state| {
        state["accounts"]["1100000001"]["files"][&plans]["about"]["preview_only"] = json!(true)
    });
    let target = format!("/2.0/files/{plans}");
    assert_eq!(
        client.get(&token, &format!("{target}?fields=permissions")).json()["permissions"]["can_rename"],
        false
    );
    client.put(&token, &target, json!({"name": "x"})).lacks_permission();
    client.put(&token, &target, json!({"shared_link": {}})).lacks_permission();
    client.delete(&token, &target).lacks_permission();
    client.replace(&token, &plans, b"x").lacks_permission();
    client.get(&token, &format!("{target}/content")).lacks_permission();
}
