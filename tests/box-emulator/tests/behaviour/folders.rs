//! Folders and their items: order, paging, fields.

use serde_json::{Value, json};

use crate::support::Client;

fn names(listed: &Value) -> Vec<String> {
    let entries = listed["entries"].as_array().expect("entries");
    entries.iter().map(|entry| entry["name"].as_str().expect("name").to_owned()).collect()
}

#[test]
fn the_root_lists_folders_before_files_each_by_name() {
    let mut client = Client::new();
    let pair = client.login();
    let listed = client.get(&pair.access, "/2.0/folders/0/items").json();
    let kinds: Vec<&Value> =
        listed["entries"].as_array().expect("entries").iter().map(|entry| &entry["type"]).collect();
    let first_file = kinds.iter().position(|kind| **kind == "file").expect("a file");
    assert!(kinds[first_file..].iter().all(|kind| **kind == "file"));
    assert_eq!(names(&listed)[..2], ["Accounts", "Garden"]);
    assert_eq!((&listed["offset"], &listed["limit"]), (&json!(0), &json!(100)));
    let order = json!([{"by": "type", "direction": "ASC"}, {"by": "name", "direction": "ASC"}]);
    assert_eq!(listed["order"], order);
    let entries = listed["entries"].as_array().expect("entries");
    assert_eq!(listed["total_count"], entries.len());
    let names: Vec<&String> = entries[first_file].as_object().expect("an object").keys().collect();
    assert_eq!(names, ["etag", "file_version", "id", "name", "sequence_id", "sha1", "type"]);
}

#[test]
fn pages_by_offset_meet_without_gap_or_overlap() {
    let mut client = Client::new();
    let pair = client.login();
    let folder = client.id_of(&pair.access, "Watch log");
    let mut page = |offset: usize, limit: usize| {
        client.get(&pair.access, &format!("/2.0/folders/{folder}/items?offset={offset}&limit={limit}")).json()
    };
    let whole = names(&page(0, 1000));
    assert!(whole.len() > 60, "long enough to page");
    let mut collected = Vec::new();
    for offset in (0..whole.len()).step_by(25) {
        collected.extend(names(&page(offset, 25)));
    }
    assert_eq!(collected, whole);
    assert!(names(&page(whole.len(), 25)).is_empty());
    assert_eq!(page(0, 5000)["limit"], 1000, "larger limits are lowered");
}

#[test]
fn pages_by_marker_meet_and_end() {
    let mut client = Client::new();
    let pair = client.login();
    let folder = client.id_of(&pair.access, "Watch log");
    let whole = names(&client.get(&pair.access, &format!("/2.0/folders/{folder}/items?limit=1000")).json());
    let (mut collected, mut marker) = (Vec::new(), String::new());
    loop {
        let target = format!("/2.0/folders/{folder}/items?usemarker=true&limit=30&marker={marker}");
        let page = client.get(&pair.access, &target).json();
        assert!(page.get("total_count").is_none() && page.get("offset").is_none());
        collected.extend(names(&page));
        match page["next_marker"].as_str() {
            Some(next) => next.clone_into(&mut marker),
            None => break,
        }
    }
    assert_eq!(collected, whole);
}

#[test]
fn paging_that_cannot_be_read_is_refused() {
    let mut client = Client::new();
    let pair = client.login();
    let log = client.id_of(&pair.access, "Watch log");
    let page = client.get(&pair.access, &format!("/2.0/folders/{log}/items?usemarker=True&limit=1")).json();
    let foreign = page["next_marker"].as_str().expect("a marker").to_owned();
    for (query, name) in [
        ("limit=many".to_owned(), "limit"),
        ("limit=-1".to_owned(), "limit"),
        ("offset=x".to_owned(), "offset"),
        ("offset=10000".to_owned(), "offset"),
        ("sort=colour".to_owned(), "sort"),
        ("direction=up".to_owned(), "direction"),
        ("usemarker=maybe".to_owned(), "usemarker"),
        ("usemarker=true&marker=nonsense".to_owned(), "marker"),
        (format!("usemarker=true&marker={foreign}"), "marker"),
        ("usemarker=true&sort=name".to_owned(), "sort"),
    ] {
        let answer = client.get(&pair.access, &format!("/2.0/folders/0/items?{query}"));
        answer.is_api(400, "bad_request", "Bad Request");
        assert_eq!(answer.json()["context_info"]["errors"][0]["name"], name, "{query}");
    }
}

#[test]
fn items_are_sorted_as_asked_and_folders_stay_first() {
    let mut client = Client::new();
    let pair = client.login();
    let folder = client.id_of(&pair.access, "Lighthouse");
    let mut listed = |query: &str| {
        let target = format!("/2.0/folders/{folder}/items?fields=name,size,modified_at&{query}");
        let listed = client.get(&pair.access, &target).json();
        assert_eq!(listed["entries"][0]["type"], "folder", "{query}");
        let files = listed["entries"].as_array().expect("entries").clone();
        files.into_iter().filter(|entry| entry["type"] == "file").collect::<Vec<_>>()
    };
    let sizes: Vec<u64> =
        listed("sort=size").iter().map(|file| file["size"].as_u64().expect("size")).collect();
    assert!(sizes.is_sorted(), "{sizes:?}");
    let dates: Vec<String> =
        listed("sort=DATE&direction=desc").iter().map(|file| file["modified_at"].to_string()).collect();
    assert!(dates.iter().rev().is_sorted(), "{dates:?}");
    let by_name = listed("sort=name");
    let mut backwards = listed("sort=name&direction=DESC");
    backwards.reverse();
    assert_eq!(by_name, backwards);
}

#[test]
fn fields_are_those_asked_for_each_entry() {
    let mut client = Client::new();
    let pair = client.login();
    let listed = client.get(&pair.access, "/2.0/folders/0/items?fields=name%2Csize%2Cmodified_at").json();
    for entry in listed["entries"].as_array().expect("entries") {
        assert_eq!(entry.as_object().expect("an object").len(), 6, "{entry}");
    }
}

#[test]
fn a_folder_knows_its_place_and_its_items() {
    let mut client = Client::new();
    let pair = client.login();
    let id = client.id_of(&pair.access, "Lighthouse/Plans/Lantern room");
    let folder = client.get(&pair.access, &format!("/2.0/folders/{id}?limit=1")).json();
    assert_eq!(folder["name"], "Lantern room");
    assert_eq!(names(&folder["path_collection"]), ["All Files", "Lighthouse", "Plans"]);
    assert_eq!(folder["parent"]["name"], "Plans");
    assert_eq!(names(&folder["item_collection"]), ["Fresnel lens.png"]);
    assert_eq!(folder["item_collection"]["total_count"], 2);
    let root = client.get(&pair.access, "/2.0/folders/0").json();
    assert_eq!(
        (&root["etag"], &root["parent"], &root["created_at"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
}

#[test]
fn an_empty_folder_is_a_folder() {
    let mut client = Client::new();
    let pair = client.login();
    let id = client.id_of(&pair.access, "Letters/Unanswered");
    let listed = client.get(&pair.access, &format!("/2.0/folders/{id}/items")).json();
    assert_eq!((&listed["total_count"], &listed["entries"]), (&json!(0), &json!([])));
}
