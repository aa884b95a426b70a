//! Search: what it finds, and who may search.

use serde_json::{Value, json};

use crate::support::{Client, PREVIEW};

fn names(client: &mut Client, token: &str, query: &str) -> Vec<String> {
    let answer = client.get(token, &format!("/2.0/search?{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let entries = answer.json()["entries"].as_array().expect("entries").clone();
    entries.iter().map(|entry| entry["name"].as_str().expect("a name").to_owned()).collect()
}

fn desk() -> (Client, String) {
    let mut client = Client::new();
    let token = client.login().access;
    (client, token)
}

#[test]
fn items_are_found_by_name_description_and_text() {
    let (mut client, token) = desk();
    assert_eq!(
        names(&mut client, &token, "query=aunt+EDDA")[0],
        "Letter to Aunt Edda.pdf",
        "the name comes first"
    );
    assert!(names(&mut client, &token, "query=letters").contains(&"Letters".to_owned()), "folders, too");
    let id = client.uploaded(&token, "0", "a.txt", b"a quite unusual xylophone, and more");
    assert_eq!(names(&mut client, &token, "query=xylophone"), ["a.txt"]);
    assert_eq!(names(&mut client, &token, "query=%22unusual+xylophone%22"), ["a.txt"]);
    assert!(names(&mut client, &token, "query=%22xylophone+unusual%22").is_empty());
    assert!(names(&mut client, &token, "query=xylophone+zebra").is_empty(), "every word");
    assert!(names(&mut client, &token, "query=xylophone&content_types=name,description").is_empty());
    client.put(&token, &format!("/2.0/files/{id}"), json!({"description": "Zebra crossing"}));
    assert_eq!(names(&mut client, &token, "query=zebra&content_types=description"), ["a.txt"]);
    client.uploaded(&token, "0", "b.bin", b"xylophone");
    assert_eq!(names(&mut client, &token, "query=xylophone"), ["a.txt"], "text only of what holds text");
}

#[test]
fn filters_narrow_what_is_found() {
    let (mut client, token) = desk();
    let letters = client.id_of(&token, "Letters");
    assert_eq!(names(&mut client, &token, "query=letters&type=folder"), ["Letters"]);
    assert!(!names(&mut client, &token, "query=letter&type=file").contains(&"Letters".to_owned()));
    assert!(names(&mut client, &token, "query=letters&type=web_link").is_empty());
    let pdfs = names(&mut client, &token, "query=a&file_extensions=PDF,doc&content_types=name");
    assert!(!pdfs.is_empty() && pdfs.iter().all(|name| name.ends_with(".pdf")), "{pdfs:?}");
    let inside =
        names(&mut client, &token, &format!("query=e&content_types=name&ancestor_folder_ids={letters}"));
    assert!(inside.contains(&"Letter to Aunt Edda.pdf".to_owned()));
    assert!(!inside.contains(&"Letters".to_owned()) && !inside.contains(&"Welcome.md".to_owned()));
    client.get(&token, "/2.0/search?query=e&ancestor_folder_ids=12").is_not_found();
}

#[test]
fn the_answer_has_the_shape_of_box_s_and_comes_in_pages() {
    let (mut client, token) = desk();
    let answer = client.get(&token, "/2.0/search?query=a").json();
    assert_eq!(
        (&answer["type"], &answer["limit"], &answer["offset"]),
        (&json!("search_results_items"), &json!(30), &json!(0))
    );
    let total = answer["total_count"].as_u64().expect("a number");
    assert!(total > 30, "{total}");
    assert_eq!(answer["entries"].as_array().map(Vec::len), Some(30));
    assert_eq!(client.get(&token, "/2.0/search?query=a&limit=5000").json()["limit"], 200);
    let all = names(&mut client, &token, "query=a&limit=200");
    assert_eq!(names(&mut client, &token, "query=a&limit=2&offset=3"), all[3..5]);
    let one = client.get(&token, "/2.0/search?query=welcome&limit=1&fields=size").json();
    let keys: Vec<&String> = one["entries"][0].as_object().expect("an entry").keys().collect();
    assert_eq!(keys, ["etag", "id", "size", "type"]);
}

#[test]
fn what_is_newer_comes_first_when_asked() {
    let (mut client, token) = desk();
    client.uploaded(&token, "0", "quince 1.bin", b"x");
    client.wait(60);
    client.uploaded(&token, "0", "quince 2.bin", b"x");
    assert_eq!(names(&mut client, &token, "query=quince"), ["quince 1.bin", "quince 2.bin"]);
    assert_eq!(names(&mut client, &token, "query=quince&sort=modified_at"), ["quince 2.bin", "quince 1.bin"]);
    assert_eq!(
        names(&mut client, &token, "query=quince&sort=modified_at&direction=ASC"),
        ["quince 1.bin", "quince 2.bin"]
    );
}

#[test]
fn a_question_that_cannot_be_read_is_told_so() {
    let (mut client, token) = desk();
    for (query, reason, name) in [
        ("", "missing_parameter", "query"),
        ("query=", "missing_parameter", "query"),
        ("query=%22%22", "missing_parameter", "query"),
        ("query=a&type=note", "invalid_parameter", "type"),
        ("query=a&limit=x", "invalid_parameter", "limit"),
        ("query=a&offset=10001", "invalid_parameter", "offset"),
        ("query=a&sort=name", "invalid_parameter", "sort"),
        ("query=a&direction=up", "invalid_parameter", "direction"),
        ("query=a&scope=all", "invalid_parameter", "scope"),
        ("query=a&content_types=smell", "invalid_parameter", "content_types"),
        ("query=a&trash_content=all_items", "invalid_parameter", "trash_content"),
        ("query=a&size_range=1,2", "invalid_parameter", "size_range"),
        ("query=a&mdfilters=x", "invalid_parameter", "mdfilters"),
    ] {
        client.get(&token, &format!("/2.0/search?{query}")).is_bad(reason, name);
    }
    client.get(&token, "/2.0/search?query=a&scope=enterprise_content").lacks_scope();
}

/// box-ui-elements#326, #780.
#[test]
fn scopes_of_ui_elements_do_not_search() {
    let (mut client, token) = desk();
    let letters = client.id_of(&token, "Letters");
    let elements = format!("base_explorer base_picker {PREVIEW} item_read item_download item_readwrite");
    for scope in ["base_explorer", "base_picker", "item_read", &elements] {
        let child = client.child(&token, scope, &format!("folders/{letters}"));
        client.get(&child, "/2.0/search?query=a").lacks_scope();
    }
}

#[test]
fn a_narrowed_token_finds_nothing_outside_its_resource() {
    let (mut client, token) = desk();
    let letters = client.id_of(&token, "Letters");
    let child = client.child(&token, "root_readonly", &format!("folders/{letters}"));
    let all: Vec<String> = names(&mut client, &child, "query=e&limit=200&content_types=name");
    let listed = client.get(&token, &format!("/2.0/folders/{letters}/items?limit=1000")).json();
    let inside: Vec<&Value> =
        listed["entries"].as_array().expect("entries").iter().map(|one| &one["name"]).collect();
    assert!(!all.is_empty());
    assert!(all.iter().all(|name| name == "Letters" || inside.contains(&&json!(name))), "{all:?}");
    client.get(&child, "/2.0/search?query=e&ancestor_folder_ids=0").is_not_found();
}

#[test]
fn nobody_finds_what_is_somebody_else_s() {
    let (mut client, token) = desk();
    client.uploaded(&token, "0", "quince.bin", b"x");
    let other = client.token_of("1100000003");
    assert!(names(&mut client, &other, "query=quince").is_empty());
    assert!(!names(&mut client, &other, "query=aunt").is_empty(), "it has a copy of the letters");
}
