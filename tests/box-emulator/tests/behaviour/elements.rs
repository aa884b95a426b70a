//! What Box's UI elements ask for: the listing of ContentExplorer, and the file of ContentPreview.

use serde_json::{Value, json};

use crate::support::{Answer, Client, PAGE};

/// The fields of a listing, as box-ui-elements 26.3.0 was seen to ask for them.
const LISTING: &str = "id,name,type,size,parent,extension,permissions,path_collection,modified_at,created_at,\
                       modified_by,has_collaborations,is_externally_owned,item_collection,\
                       authenticated_download_url,is_download_available,representations,url,file_version,sha1,\
                       shared_link,watermark_info";
/// The hints that go with it.
const HINTS: &str = "[jpg?dimensions=1024x1024&paged=false,png?dimensions=1024x1024][pdf][text]";
/// Fields of the listing that only files have, and one that only web links have.
const NOT_OF_FOLDERS: &[&str] = &[
    "extension",
    "authenticated_download_url",
    "is_download_available",
    "representations",
    "url",
    "file_version",
    "sha1",
    "watermark_info",
];

fn listing(client: &mut Client, token: &str, folder: &str) -> Answer {
    let target = format!("/2.0/folders/{folder}?fields={LISTING}&direction=asc&limit=50&offset=0&sort=name");
    client.ask("GET", &target).bearer(token).origin(PAGE).header("x-rep-hints", HINTS).send()
}

/// A token for the folder `Post cards`, its id, and a client that refuses fields that Box does not have.
fn explorer(scopes: &str) -> (Client, String, String) {
    let mut client = Client::new();
    client.settings(json!({"unknown_fields_refused": true}));
    let pair = client.login();
    let folder = client.id_of(&pair.access, "Post cards");
    let token = client.child(&pair.access, scopes, &format!("folders/{folder}"));
    (client, token, folder)
}

fn entries(listed: &Value) -> &Vec<Value> {
    listed["item_collection"]["entries"].as_array().expect("entries")
}

#[test]
fn the_explorers_listing_has_every_field_that_it_asks_for() {
    let (mut client, token, folder) = explorer("base_explorer item_preview");
    let listed = listing(&mut client, &token, &folder).json();
    for name in LISTING.split(',').filter(|name| !NOT_OF_FOLDERS.contains(name)) {
        assert!(listed.get(name).is_some(), "the folder has no {name}");
    }
    assert!(!entries(&listed).is_empty());
    for file in entries(&listed) {
        for name in LISTING.split(',').filter(|name| !["item_collection", "url"].contains(name)) {
            assert!(file.get(name).is_some(), "{} has no {name}", file["name"]);
        }
        assert_eq!(file["permissions"]["can_preview"], true);
        assert_eq!(
            (&file["has_collaborations"], &file["is_externally_owned"]),
            (&json!(false), &json!(false))
        );
    }
}

#[test]
fn the_hints_of_a_listing_hold_for_each_of_its_files() {
    let (mut client, token, folder) = explorer("base_explorer item_preview");
    let listed = listing(&mut client, &token, &folder).json();
    let picture = entries(&listed).iter().find(|entry| entry["extension"] == "jpg").expect("a picture");
    let found = picture["representations"]["entries"].as_array().expect("entries");
    let dimensions: Vec<&Value> = found.iter().map(|entry| &entry["properties"]["dimensions"]).collect();
    assert_eq!(dimensions, ["1024x1024"], "and not the larger one");
    let target = format!("/2.0/folders/{folder}?fields=item_collection,representations");
    client
        .ask("GET", &target)
        .bearer(&token)
        .header("x-rep-hints", "jpg")
        .send()
        .is_bad("invalid_parameter", "X-Rep-Hints");
}

#[test]
fn to_list_takes_the_explorers_scope_and_to_preview_a_file_of_the_list_another() {
    let (mut client, token, folder) = explorer("base_preview item_preview");
    listing(&mut client, &token, &folder).lacks_scope();
    let (mut client, token, folder) = explorer("base_explorer");
    let listed = listing(&mut client, &token, &folder).json();
    assert!(entries(&listed).iter().all(|file| file["permissions"]["can_preview"] == false));
}
