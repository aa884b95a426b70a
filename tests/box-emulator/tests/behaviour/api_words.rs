//! Every refusal of the API in one table: what provokes it, Box's answer, and who saw it or where Box says so. (DOC is
//! <https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors/>, which leaves some of the words
//! out: those are ours.)

use serde_json::{Value, json};

use crate::support::{Answer, Client, PREVIEW};

struct Seen {
    what: &'static str,
    provoke: fn(&mut Client, &str) -> Answer,
    status: u16,
    code: &'static str,
    message: &'static str,
    source: &'static str,
}

/// `Welcome.md`.
fn file(client: &mut Client, token: &str) -> String {
    format!("/2.0/files/{}", client.id_of(token, "Welcome.md"))
}

fn upload(client: &mut Client, token: &str, parts: &[(&str, &[u8])], digest: &str) -> Answer {
    let ask = client.ask("POST", "/upload/2.0/files/content").bearer(token).parts(parts);
    ask.header("content-md5", digest).send()
}

fn ordered(client: &mut Client, token: &str, status: u16) -> Answer {
    client.control("faults", json!({"path": "/2.0/users/me", "status": status}));
    client.get(token, "/2.0/users/me")
}

const ATTRIBUTES: (&str, &[u8]) = ("attributes", b"{\"name\":\"a.txt\",\"parent\":{\"id\":\"0\"}}");

const SEEN: [Seen; 23] = [
    Seen {
        what: "a number that is none",
        provoke: |client, token| client.get(token, "/2.0/folders/0/items?limit=many"),
        status: 400,
        code: "bad_request",
        message: "Bad Request",
        source: "DOC has the code; the words are ours",
    },
    Seen {
        what: "a name with a slash",
        provoke: |client, token| {
            let file = file(client, token);
            client.put(token, &file, json!({"name": "a/b"}))
        },
        status: 400,
        code: "item_name_invalid",
        message: "Item name invalid",
        source: "DOC",
    },
    Seen {
        what: "a name of 256 letters",
        provoke: |client, token| {
            let file = file(client, token);
            client.put(token, &file, json!({"name": "a".repeat(256)}))
        },
        status: 400,
        code: "item_name_too_long",
        message: "Item name too long",
        source: "DOC",
    },
    Seen {
        what: "a full folder to be deleted",
        provoke: |client, token| {
            let letters = client.id_of(token, "Letters");
            client.delete(token, &format!("/2.0/folders/{letters}"))
        },
        status: 400,
        code: "folder_not_empty",
        message: "Cannot delete - folder not empty",
        source: "DOC",
    },
    Seen {
        what: "a folder to be put into itself",
        provoke: |client, token| {
            let letters = client.id_of(token, "Letters");
            client.put(token, &format!("/2.0/folders/{letters}"), json!({"parent": {"id": letters}}))
        },
        status: 400,
        code: "cyclical_folder_structure",
        message: "Folder move creates cyclical folder structure",
        source: "DOC",
    },
    Seen {
        what: "the attributes after the file",
        provoke: |client, token| upload(client, token, &[("file", b"x"), ATTRIBUTES], ""),
        status: 400,
        code: "metadata_after_file_contents",
        message: "Metadata is included after file contents in a file upload request.",
        source: "DOC",
    },
    Seen {
        what: "another digest than that of the file",
        provoke: |client, token| upload(client, token, &[ATTRIBUTES, ("file", b"x")], "abc"),
        status: 400,
        code: "bad_digest",
        message: "The specified content-md5 did not match what we received",
        source: "DOC",
    },
    Seen {
        what: "a scope that the token lacks",
        provoke: |client, token| {
            let file = file(client, token);
            let child = client.child(token, PREVIEW, file.trim_start_matches("/2.0/"));
            client.delete(&child, &file)
        },
        status: 403,
        code: "insufficient_scope",
        message: "The request requires higher privileges than provided by the access token.",
        source: "DOC; box-ui-elements#780",
    },
    Seen {
        what: "a change that the user may not make",
        provoke: |client, token| client.put(token, "/2.0/folders/0", json!({"name": "Mine"})),
        status: 403,
        code: "access_denied_insufficient_permissions",
        message: "Access denied - insufficient permission",
        source: "DOC",
    },
    Seen {
        what: "a page whose origin is not listed",
        provoke: |client, token| {
            client.ask("GET", "/2.0/users/me").bearer(token).origin("https://other.example").send()
        },
        status: 403,
        code: "cors_origin_not_whitelisted",
        message: "Access denied - Did you forget to safelist your origin in the CORS config of your app?",
        source: "<https://developer.box.com/guides/security/cors/>",
    },
    Seen {
        what: "a shared link without its password",
        provoke: |client, token| {
            let file = file(client, token);
            let link = client.put(token, &file, json!({"shared_link": {"password": "Secret-1"}})).json();
            let header = format!("shared_link={}", link["shared_link"]["url"].as_str().expect("a link"));
            let other = client.token_of("1100000003");
            client.ask("GET", "/2.0/shared_items").bearer(&other).header("boxapi", &header).send()
        },
        status: 403,
        code: "incorrect_shared_item_password",
        message: "A password is required for this shared item, but it was either incorrect or not supplied",
        source: "DOC has the code; the words are ours",
    },
    Seen {
        what: "an item that is not there",
        provoke: |client, token| client.get(token, "/2.0/files/12"),
        status: 404,
        code: "not_found",
        message: "Not Found",
        source: "DOC has the code; box-node-sdk's fixtures the words",
    },
    Seen {
        what: "an item that was deleted",
        provoke: |client, token| {
            let file = file(client, token);
            client.delete(token, &file);
            client.get(token, &file)
        },
        status: 404,
        code: "trashed",
        message: "Item is trashed",
        source: "DOC",
    },
    Seen {
        what: "an id that is none",
        provoke: |client, token| client.get(token, "/2.0/files/abc"),
        status: 405,
        code: "method_not_allowed",
        message: "Method Not Allowed",
        source: "DOC; <https://developer.box.com/reference/get-files-id/> for ids",
    },
    Seen {
        what: "a name that is taken",
        provoke: |client, token| {
            client.post(token, "/2.0/folders", json!({"name": "letters", "parent": {"id": "0"}}))
        },
        status: 409,
        code: "item_name_in_use",
        message: "Item with the same name already exists",
        source: "DOC",
    },
    Seen {
        what: "a login that is somebody's",
        provoke: |client, _| {
            let admin = client.token_of("1100000003");
            client.post(&admin, "/2.0/users", json!({"name": "Robin", "login": "robin@example.com"}))
        },
        status: 409,
        code: "user_login_already_used",
        message: "User with the specified login already exists",
        source: "DOC",
    },
    Seen {
        what: "an etag that is old",
        provoke: |client, token| {
            let file = file(client, token);
            client.ask("DELETE", &file).bearer(token).header("if-match", "7").send()
        },
        status: 412,
        code: "precondition_failed",
        message: "The resource has been modified. Retrieve the resource again and retry",
        source: "DOC",
    },
    Seen {
        what: "a body that is too large",
        provoke: |client, token| {
            let request = http::Request::post("http://127.0.0.1:9400/upload/2.0/files/content")
                .header("authorization", format!("Bearer {token}"))
                .extension(box_emulator::BodyTooLarge)
                .body(Vec::new())
                .expect("a request");
            let (parts, body) = client.emulator.handle(request, client.now_ms).response.into_parts();
            Answer { status: parts.status.as_u16(), headers: parts.headers, body }
        },
        status: 413,
        code: "request_entity_too_large",
        message: "Request Entity too Large",
        source: "DOC",
    },
    Seen {
        what: "too many calls",
        provoke: |client, token| {
            client.settings(json!({"requests_per_minute": 0}));
            client.get(token, "/2.0/users/me")
        },
        status: 429,
        code: "rate_limit_exceeded",
        message: "Request rate limit exceeded, please try again later",
        source: "<https://developer.box.com/guides/api-calls/permissions-and-errors/rate-limits/>",
    },
    Seen {
        what: "429 on order",
        provoke: |client, token| ordered(client, token, 429),
        status: 429,
        code: "rate_limit_exceeded",
        message: "Request rate limit exceeded, please try again later",
        source: "<https://developer.box.com/guides/api-calls/permissions-and-errors/rate-limits/>",
    },
    Seen {
        what: "500 on order",
        provoke: |client, token| ordered(client, token, 500),
        status: 500,
        code: "internal_server_error",
        message: "Internal Server Error",
        source: "DOC",
    },
    Seen {
        what: "502 on order",
        provoke: |client, token| ordered(client, token, 502),
        status: 502,
        code: "bad_gateway",
        message: "Bad Gateway",
        source: "DOC has the code; the words are ours",
    },
    Seen {
        what: "503 on order",
        provoke: |client, token| ordered(client, token, 503),
        status: 503,
        code: "unavailable",
        message: "Unavailable",
        source: "DOC",
    },
];

#[test]
fn every_refusal_is_worded_as_box_words_it() {
    for Seen { what, provoke, status, code, message, source } in SEEN {
        let mut client = Client::new();
        let token = client.login().access;
        let answer = provoke(&mut client, &token);
        let body: Value = answer.json();
        assert_eq!(
            (answer.status, body["code"].as_str(), body["message"].as_str()),
            (status, Some(code), Some(message)),
            "{what} ({source})"
        );
        assert_eq!(body["help_url"], "http://developers.box.com/docs/#errors", "{what}");
        assert_eq!(body["request_id"].as_str(), answer.header("box-request-id"), "{what}");
    }
}

/// A refusal that is added without its line here is found by its code.
#[test]
fn no_refusal_of_the_api_is_missing_in_the_table() {
    let (_, api) =
        include_str!("../../src/refusals.rs").split_once("/// A refusal of the API").expect("the API's part");
    let parts = ["errors", "reason", "name", "conflicts", "origin", "invalid_parameter", "missing_parameter"];
    let is_code =
        |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let codes = api.split('"').skip(1).step_by(2).filter(is_code).filter(|text| !parts.contains(text));
    let missing: Vec<&str> = codes.filter(|code| !SEEN.iter().any(|seen| seen.code == *code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
