//! Shared links: making them, following them, and tokens made for them.

use serde_json::{Value, json};

use crate::support::{ACCESS_TOKEN, Answer, Client, EXCHANGE, PREVIEW};

/// The service account of `keyhole-jwt`, to whom Robin's files are somebody else's.
const STRANGER: &str = "1100000003";

struct Desk {
    client: Client,
    robin: String,
    stranger: String,
    file: String,
    folder: String,
}

fn desk() -> Desk {
    let mut client = Client::new();
    let stranger = client.token_of(STRANGER);
    let robin = client.login().access;
    let file = client.id_of(&robin, "Garden/Bees.txt");
    let folder = client.id_of(&robin, "Garden");
    Desk { client, robin, stranger, file, folder }
}

impl Desk {
    /// The address of a link to `item` as `asked`.
    #[track_caller]
    fn share(&mut self, item: &str, asked: Value) -> String {
        let answer = self.client.put(&self.robin, &format!("/2.0/{item}"), json!({"shared_link": asked}));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["shared_link"]["url"].as_str().expect("a link").to_owned()
    }

    fn through(&mut self, link: &str, token: &str, target: &str) -> Answer {
        let header = format!("shared_link={link}");
        self.client.ask("GET", target).bearer(token).header("boxapi", &header).send()
    }

    fn exchange(&mut self, subject: &str, scope: &str, link: &str) -> Answer {
        self.client.token(&[
            ("grant_type", EXCHANGE),
            ("subject_token", subject),
            ("subject_token_type", ACCESS_TOKEN),
            ("scope", scope),
            ("box_shared_link", link),
        ])
    }
}

#[test]
fn a_link_has_the_shape_of_box_s() {
    let mut desk = desk();
    let target = format!("/2.0/files/{}", desk.file);
    let shared =
        desk.client.put(&desk.robin, &target, json!({"shared_link": {}})).json()["shared_link"].clone();
    let url = shared["url"].as_str().expect("an address");
    assert!(url.starts_with("http://127.0.0.1:9400/s/") && url.len() == 24 + 32, "{url}");
    assert_eq!(
        shared,
        json!({
            "url": url, "download_url": null, "vanity_url": null, "vanity_name": null,
            "access": "open", "effective_access": "open", "effective_permission": "can_download",
            "unshared_at": null, "is_password_enabled": false,
            "permissions": {"can_download": true, "can_preview": true, "can_edit": false},
            "download_count": 0, "preview_count": 0,
        })
    );
    let changed = json!({"shared_link": {
        "access": "open", "password": "Secret-1", "unshared_at": "2026-12-24T00:00:00+00:00",
        "permissions": {"can_download": false},
    }});
    let changed = desk.client.put(&desk.robin, &target, changed).json()["shared_link"].clone();
    assert_eq!(changed["url"], shared["url"], "the link stays the same");
    assert_eq!(
        (&changed["is_password_enabled"], &changed["unshared_at"]),
        (&json!(true), &json!("2026-12-24T00:00:00+00:00"))
    );
    assert_eq!(changed["effective_permission"], "can_preview");
    assert!(
        !desk.client.get(&desk.robin, &target).text().contains("Secret-1"),
        "the password is told nobody"
    );
    let gone = desk.client.put(&desk.robin, &target, json!({"shared_link": null})).json();
    assert_eq!(gone["shared_link"], Value::Null);
}

#[test]
fn a_link_that_cannot_be_is_refused() {
    let mut desk = desk();
    let target = format!("/2.0/files/{}", desk.file);
    for (asked, name) in [
        (json!({"password": "short-1"}), "password"),
        (json!({"password": "onlylowercase"}), "password"),
        (json!({"access": "company", "password": "Secret-1"}), "password"),
        (json!({"unshared_at": "2020-01-01T00:00:00Z"}), "unshared_at"),
        (json!({"unshared_at": "soon"}), "unshared_at"),
        (json!({"access": "everybody"}), "body"),
    ] {
        let answer = desk.client.put(&desk.robin, &target, json!({"shared_link": asked}));
        answer.is_bad("invalid_parameter", name);
    }
    assert_eq!(desk.client.get(&desk.robin, &target).json()["shared_link"], Value::Null);
}

#[test]
fn who_has_the_link_reads_the_item_and_what_is_below_it() {
    let mut desk = desk();
    let (stranger, file, folder) = (desk.stranger.clone(), desk.file.clone(), desk.folder.clone());
    let link = desk.share(&format!("folders/{folder}"), json!({}));
    let target = format!("/2.0/files/{file}");
    desk.client.get(&stranger, &target).is_not_found();
    let info = desk
        .through(&link, &stranger, &format!("{target}?fields=parent,path_collection,owned_by,permissions"))
        .json();
    assert_eq!(info["parent"]["id"], *folder);
    assert_eq!(info["path_collection"]["total_count"], 1, "what lies above the link is not shown");
    assert_eq!(info["owned_by"]["name"], "Robin Sample");
    let may = &info["permissions"];
    assert_eq!((&may["can_preview"], &may["can_download"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&may["can_rename"], &may["can_share"], &may["can_delete"]),
        (&json!(false), &json!(false), &json!(false))
    );
    let listed = desk.through(&link, &stranger, &format!("/2.0/folders/{folder}/items")).json();
    assert!(listed["entries"].as_array().is_some_and(|entries| entries.len() > 3));
    assert_eq!(desk.through(&link, &stranger, &format!("{target}/content")).status, 302);
    let other = desk.client.id_of(&desk.robin.clone(), "Welcome.md");
    desk.through(&link, &stranger, &format!("/2.0/files/{other}")).is_not_found();
    let root = desk.through(&link, &stranger, "/2.0/folders/0?fields=owned_by").json();
    assert_ne!(root["owned_by"]["name"], "Robin Sample", "the root is one's own");
    desk.client.settings(json!({"outside_resource_status": 403}));
    desk.through(&link, &stranger, &format!("/2.0/files/{other}")).is_not_found();
}

#[test]
fn a_link_lets_nobody_change_anything() {
    let mut desk = desk();
    let (stranger, file, folder) = (desk.stranger.clone(), desk.file.clone(), desk.folder.clone());
    let link = desk.share(&format!("folders/{folder}"), json!({}));
    let header = format!("shared_link={link}");
    let target = format!("/2.0/files/{file}");
    for change in [json!({"name": "x"}), json!({"shared_link": null}), json!({"parent": {"id": "0"}})] {
        desk.client
            .ask("PUT", &target)
            .bearer(&stranger)
            .header("boxapi", &header)
            .json(change)
            .send()
            .lacks_permission();
    }
    desk.client.ask("DELETE", &target).bearer(&stranger).header("boxapi", &header).send().lacks_permission();
    let body = json!({"name": "x", "parent": {"id": folder}});
    desk.client
        .ask("POST", "/2.0/folders")
        .bearer(&stranger)
        .header("boxapi", &header)
        .json(body)
        .send()
        .lacks_permission();
}

#[test]
fn the_link_itself_names_its_item() {
    let mut desk = desk();
    let (stranger, file, folder) = (desk.stranger.clone(), desk.file.clone(), desk.folder.clone());
    let link = desk.share(&format!("files/{file}"), json!({}));
    let shared = desk.through(&link, &stranger, "/2.0/shared_items").json();
    assert_eq!(
        (&shared["type"], &shared["id"], &shared["name"]),
        (&json!("file"), &json!(file), &json!("Bees.txt"))
    );
    assert_eq!(shared["parent"], Value::Null);
    let etag = shared["etag"].as_str().expect("an etag");
    let header = format!("shared_link={link}");
    let known = desk.client.ask("GET", "/2.0/shared_items").bearer(&stranger);
    assert_eq!(known.header("boxapi", &header).header("if-none-match", etag).send().status, 304);
    let link = desk.share(&format!("folders/{folder}"), json!({}));
    assert_eq!(desk.through(&link, &stranger, "/2.0/shared_items?fields=name").json()["name"], "Garden");
    let at_box = link.replace("http://127.0.0.1:9400", "https://app.box.com");
    assert_eq!(desk.through(&at_box, &stranger, "/2.0/shared_items").status, 200, "as Box writes it");
    desk.client.get(&stranger, "/2.0/shared_items").is_bad("invalid_parameter", "BoxApi");
    for wrong in [
        format!("{link}x"),
        format!("{link}/x"),
        link.replace("9400", "9999"),
        at_box.replace("box.com", "box.com.evil.example"),
        at_box.replace("https", "http"),
        "https://app.box.com/s/".to_owned(),
        "nothing".to_owned(),
    ] {
        desk.through(&wrong, &stranger, "/2.0/shared_items").is_not_found();
        desk.through(&wrong, &stranger, &format!("/2.0/files/{file}")).is_not_found();
    }
}

#[test]
fn a_password_must_be_right_for_all_but_the_owner() {
    let mut desk = desk();
    let (robin, stranger, file) = (desk.robin.clone(), desk.stranger.clone(), desk.file.clone());
    let link = desk.share(&format!("files/{file}"), json!({"password": "Se+cret&%41-1"}));
    let words = "A password is required for this shared item, but it was either incorrect or not supplied";
    for target in ["/2.0/shared_items".to_owned(), format!("/2.0/files/{file}")] {
        for wrong in [
            "",
            "&shared_link_password=",
            "&shared_link_password=secret",
            "&shared_link_password=Se cret&A-1",
        ] {
            let answer = desk.through(&format!("{link}{wrong}"), &stranger, &target);
            answer.is_api(403, "incorrect_shared_item_password", words);
        }
        let right = format!("{link}&shared_link_password=Se+cret&%41-1");
        assert_eq!(desk.through(&right, &stranger, &target).status, 200);
        assert_eq!(desk.through(&link, &robin, &target).status, 200);
    }
    let content = format!("http://127.0.0.1:9401/api/2.0/files/{file}/content");
    let query = format!("?shared_link={link}&shared_link_password=Se%2Bcret%26%2541-1");
    assert_eq!(
        desk.client.get(&stranger, &format!("{content}{query}")).status,
        200,
        "content takes it in the query"
    );
    desk.client.get(&stranger, &format!("{content}?shared_link={link}")).is_api(
        403,
        "incorrect_shared_item_password",
        words,
    );
    desk.client.get(&stranger, &format!("/2.0/files/{file}{query}")).is_not_found();
}

#[test]
fn a_link_ends_with_its_time_its_removal_and_its_item() {
    let mut desk = desk();
    let (robin, stranger, file) = (desk.robin.clone(), desk.stranger.clone(), desk.file.clone());
    let item = format!("files/{file}");
    let link = desk.share(&item, json!({"unshared_at": "2026-09-21T14:20:00+00:00"}));
    assert_eq!(desk.through(&link, &stranger, "/2.0/shared_items").status, 200);
    desk.client.wait(600);
    desk.through(&link, &stranger, "/2.0/shared_items").is_not_found();
    assert_eq!(desk.client.get(&robin, &format!("/2.0/{item}")).json()["shared_link"], Value::Null);
    let again = desk.share(&item, json!({}));
    assert_ne!(again, link, "what is over is not revived");
    desk.client.put(&robin, &format!("/2.0/{item}"), json!({"shared_link": null}));
    desk.through(&again, &stranger, "/2.0/shared_items").is_not_found();
    let last = desk.share(&item, json!({}));
    desk.client.delete(&robin, &format!("/2.0/{item}"));
    desk.through(&last, &stranger, "/2.0/shared_items").is_not_found();
}

#[test]
fn a_link_for_collaborators_opens_nothing_to_others_and_one_without_download_only_shows() {
    let mut desk = desk();
    let (stranger, file) = (desk.stranger.clone(), desk.file.clone());
    let item = format!("files/{file}");
    let link = desk.share(&item, json!({"access": "collaborators"}));
    desk.through(&link, &stranger, "/2.0/shared_items").is_not_found();
    let link = desk.share(&item, json!({"access": "company", "permissions": {"can_download": false}}));
    let info = desk.through(&link, &stranger, &format!("/2.0/{item}?fields=permissions")).json();
    assert_eq!(
        (&info["permissions"]["can_preview"], &info["permissions"]["can_download"]),
        (&json!(true), &json!(false))
    );
    desk.through(&link, &stranger, &format!("/2.0/{item}/content")).lacks_permission();
}

#[test]
fn a_link_widens_no_narrowed_token() {
    let mut desk = desk();
    let (stranger, file, folder) = (desk.stranger.clone(), desk.file.clone(), desk.folder.clone());
    let link = desk.share(&format!("folders/{folder}"), json!({}));
    desk.client.settings(json!({"root_as_resource": true}));
    let own = desk.client.id_of(&stranger, "Letters");
    for resource in [format!("folders/{own}"), "folders/0".to_owned()] {
        let child = desk.client.child(&stranger, "root_readonly", &resource);
        desk.through(&link, &child, &format!("/2.0/files/{file}")).is_not_found();
        desk.through(&link, &child, &format!("/2.0/folders/{folder}/items")).is_not_found();
        desk.through(&link, &child, "/2.0/shared_items").is_not_found();
    }
    let robin = desk.robin.clone();
    let child = desk.client.child(&robin, PREVIEW, &format!("files/{file}"));
    desk.through(&link, &child, &format!("/2.0/folders/{folder}")).is_not_found();
    desk.through(&link, &child, &format!("/2.0/files/{file}/content")).lacks_scope();
}

#[test]
fn a_token_is_made_for_an_unprotected_link() {
    let mut desk = desk();
    let (stranger, file, folder) = (desk.stranger.clone(), desk.file.clone(), desk.folder.clone());
    let link = desk.share(&format!("folders/{folder}"), json!({}));
    let answer = desk.exchange(&stranger, "base_explorer item_preview", &link);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["restricted_to"][0]["object"]["name"], "Garden");
    let child = body["access_token"].as_str().expect("a token").to_owned();
    let target = format!("/2.0/files/{file}");
    assert_eq!(desk.through(&link, &child, &target).status, 200);
    desk.through(&link, &child, &format!("{target}/content")).lacks_scope();
    let own = desk.client.id_of(&stranger, "Letters");
    desk.client.get(&child, &format!("/2.0/folders/{own}")).is_not_found();
    desk.client.get(&child, "/2.0/folders/0").is_not_found();
}

#[test]
fn whether_such_a_token_needs_the_header_is_a_switch() {
    let mut desk = desk();
    let (stranger, file) = (desk.stranger.clone(), desk.file.clone());
    let target = format!("/2.0/files/{file}");
    let link = desk.share(&format!("files/{file}"), json!({}));
    let child =
        desk.exchange(&stranger, PREVIEW, &link).json()["access_token"].as_str().expect("a token").to_owned();
    desk.client.get(&child, &target).is_not_found();
    desk.client.settings(json!({"link_token_needs_header": false}));
    assert_eq!(desk.client.get(&child, &target).status, 200);
    desk.client.get(&stranger, &target).is_not_found();
    let grandchild = desk.client.exchange(&child, "item_preview", None).json();
    assert_eq!(grandchild["restricted_to"][0]["object"]["id"], *file);
    let grandchild = grandchild["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(desk.client.get(&grandchild, &target).status, 200, "its link goes with its resource");
    let robin = desk.robin.clone();
    desk.client.put(&robin, &target, json!({"shared_link": null}));
    desk.client.get(&child, &target).is_not_found();
}

#[test]
fn a_link_that_does_not_open_is_no_resource() {
    let mut desk = desk();
    let (robin, stranger, file, folder) =
        (desk.robin.clone(), desk.stranger.clone(), desk.file.clone(), desk.folder.clone());
    let link = desk.share(&format!("files/{file}"), json!({}));
    let refused =
        |answer: Answer| answer.is_oauth(400, "invalid_resource", "The target resource is invalid.");
    refused(desk.exchange(&stranger, "item_preview", &format!("{link}x")));
    desk.client.settings(json!({"root_as_resource": true}));
    let own = desk.client.id_of(&stranger, "Letters");
    for resource in [format!("folders/{own}"), "folders/0".to_owned()] {
        let child = desk.client.child(&stranger, "root_readonly", &resource);
        refused(desk.exchange(&child, "item_preview", &link));
    }
    let child = desk.client.child(&robin, "item_preview", &format!("folders/{folder}"));
    assert_eq!(desk.exchange(&child, "item_preview", &link).status, 200, "it lies in the parent's folder");
    desk.share(&format!("files/{file}"), json!({"password": "Secret-1"}));
    refused(desk.exchange(&stranger, "item_preview", &link));
    refused(desk.exchange(&robin, "item_preview", &link));
}

#[test]
fn the_header_may_be_encoded_as_box_node_sdk_3_does() {
    let mut desk = desk();
    let (stranger, file) = (desk.stranger.clone(), desk.file.clone());
    let link = desk.share(&format!("files/{file}"), json!({"password": "Secret & 1"}));
    let encoded = |password: &str| {
        let pairs = [("shared_link", link.as_str()), ("shared_link_password", password)];
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    };
    let headers = [
        (encoded("Secret & 1"), 200),
        (encoded("Secret"), 403),
        (format!("shared_link={link}&shared_link_password=Secret & 1"), 200),
        ("shared_link=".to_owned(), 400),
    ];
    for (header, status) in headers {
        let asked = desk.client.ask("GET", "/2.0/shared_items").bearer(&stranger).header("boxapi", &header);
        assert_eq!(asked.send().status, status, "{header}");
    }
}
