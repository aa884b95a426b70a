//! Whatever is sent, the emulator answers, and answers as Box does: never with a fault of its own.

use std::cell::Cell;

use http::Request;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::Value;

use crate::support::{Answer, Client, PREVIEW};

/// Every address there is.
const PATHS: [&str; 26] = [
    "/2.0/users/me",
    "/2.0/folders",
    "/2.0/folders/0",
    "/2.0/folders/FOLDER",
    "/2.0/folders/FOLDER/items",
    "/2.0/files/FILE",
    "/2.0/files/FILE/content",
    "/2.0/files/FILE/versions",
    "/2.0/files/FILE/versions/1",
    "/2.0/files/content",
    "/2.0/shared_items",
    "/2.0/search",
    "/2.0/events",
    "/2.0/internal_files/FILE/versions/1/representations/text",
    "/api/2.0/files/FILE/content",
    "/api/2.0/internal_files/FILE/versions/1/representations/text/content/",
    "/upload/2.0/files/content",
    "/upload/2.0/files/FILE/content",
    "/d/1/TOKEN/download",
    "/oauth2/token",
    "/oauth2/revoke",
    "/api/oauth2/authorize",
    "/platform/preview/3.81.0/en-US/preview.js",
    "/emulator/status",
    "/emulator/settings",
    "/",
];

/// What requests are made of: pieces that mean something, and pieces that do not.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "2.0",
        "files",
        "folders",
        "users",
        "me",
        "items",
        "content",
        "versions",
        "search",
        "shared_items",
        "events",
        "internal_files",
        "representations",
        "text",
        "pdf",
        "api",
        "upload",
        "oauth2",
        "token",
        "revoke",
        "authorize",
        "d",
        "1",
        "download",
        "platform",
        "preview",
        "emulator",
        "FILE",
        "FOLDER",
        "0",
        "12",
        "%2e%2e",
        "..",
        "",
    ]);
    prop_oneof![6 => known.prop_map(str::to_owned), 1 => "[!-~]{0,12}"]
}

fn parameter() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "fields",
        "limit",
        "offset",
        "marker",
        "usemarker",
        "sort",
        "direction",
        "query",
        "type",
        "recursive",
        "ancestor_folder_ids",
        "access_token",
        "version",
        "preview",
        "shared_link",
        "scope",
        "client_id",
        "state",
    ]);
    let value = prop_oneof![
        Just("TOKEN".to_owned()),
        Just("FILE".to_owned()),
        "[0-9]{1,25}",
        "[a-z_,]{0,20}",
        "[!-~]{0,20}",
    ];
    (name, value).prop_map(|(name, value)| format!("{name}={value}"))
}

fn header() -> impl Strategy<Value = (&'static str, String)> {
    let names = prop::sample::select(vec![
        "authorization",
        "boxapi",
        "x-rep-hints",
        "range",
        "if-match",
        "if-none-match",
        "content-type",
        "origin",
        "as-user",
        "content-md5",
        "cookie",
        "host",
        "accept-language",
    ]);
    let value = prop_oneof![
        Just("Bearer TOKEN".to_owned()),
        Just("Bearer  TOKEN".to_owned()),
        Just("application/json".to_owned()),
        Just("multipart/form-data; boundary=x".to_owned()),
        Just("application/x-www-form-urlencoded".to_owned()),
        "bytes=[0-9]{0,22}-[0-9]{0,22}",
        "(\\[[a-z?=x0-9&,]{0,12}\\]){0,4}",
        "shared_link=[ -~]{0,30}",
        "[ -~]{0,30}",
    ];
    (names, value)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let form = prop::collection::vec(parameter(), 0..5).prop_map(|all| all.join("&").into_bytes());
    let grants = prop::sample::select(vec![
        "grant_type=authorization_code&code=TOKEN",
        "grant_type=refresh_token&refresh_token=TOKEN",
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=TOKEN&scope=item_preview",
        "{\"name\":\"a\",\"parent\":{\"id\":\"FOLDER\"}}",
        "{\"shared_link\":{\"password\":1}}",
        "{\"shared_link\":{}}",
        "--x\r\nContent-Disposition: form-data; name=\"attributes\"\r\n\r\n{}\r\n--x--\r\n",
    ]);
    prop_oneof![
        form,
        grants.prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..64),
    ]
}

fn requests() -> impl Strategy<Value = Request<Vec<u8>>> {
    let method =
        prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]);
    let port = prop::sample::select(vec!["9400", "9400", "9401"]);
    let path = prop_oneof![
        3 => prop::sample::select(PATHS.to_vec()).prop_map(str::to_owned),
        1 => prop::collection::vec(piece(), 0..9).prop_map(|pieces| format!("/{}", pieces.join("/"))),
    ];
    let signed = prop::bool::weighted(0.8);
    let query = prop::collection::vec(parameter(), 0..4);
    let headers = prop::collection::vec(header(), 0..5);
    (method, port, path, query, headers, body(), signed).prop_filter_map(
        "a request that HTTP can carry",
        |(method, port, path, query, headers, body, signed)| {
            let url = format!("http://127.0.0.1:{port}{path}?{}", query.join("&"));
            let mut request = Request::builder().method(method).uri(url);
            if signed {
                request = request.header("authorization", "Bearer TOKEN");
            }
            for (name, value) in headers {
                request = request.header(name, value);
            }
            request.body(body).ok()
        },
    )
}

/// `request` with the places filled in that stand for something of this emulator.
fn meant(request: Request<Vec<u8>>, known: &[(&str, &str)]) -> Option<Request<Vec<u8>>> {
    let fill =
        |text: &str| known.iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value));
    let (parts, body) = request.into_parts();
    let mut filled = Request::builder().method(parts.method).uri(fill(&parts.uri.to_string()));
    for (name, value) in &parts.headers {
        filled = filled.header(name, fill(value.to_str().ok()?));
    }
    let body =
        String::from_utf8(body).map_or_else(|fault| fault.into_bytes(), |text| fill(&text).into_bytes());
    filled.body(body).ok()
}

fn is_well_formed(answer: &Answer) -> Result<(), TestCaseError> {
    let kind = answer.header("content-type").unwrap_or_default();
    prop_assert!(answer.status < 500, "{}: {}", answer.status, answer.text());
    prop_assert!(answer.header("date").is_some());
    if kind == "application/json" && !answer.body.is_empty() {
        let body: Value =
            serde_json::from_slice(&answer.body).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        if body["type"] == "error" && body["help_url"].is_string() {
            prop_assert_eq!(body["status"].as_u64(), Some(u64::from(answer.status)));
            prop_assert_eq!(body["request_id"].as_str(), answer.header("box-request-id"));
        }
    }
    Ok(())
}

#[test]
fn every_request_gets_an_answer_of_box_s_kind() {
    let statuses = Cell::new(std::collections::BTreeSet::new());
    let mut runner = TestRunner::new(Config { cases: 2000, failure_persistence: None, ..Config::default() });
    let client = std::cell::RefCell::new(Client::new());
    let token = client.borrow_mut().login().access;
    let file = client.borrow_mut().id_of(&token, "Welcome.md");
    let folder = client.borrow_mut().id_of(&token, "Letters");
    let child = client.borrow_mut().child(&token, PREVIEW, &format!("files/{file}"));
    let outcome = runner.run(&(requests(), any::<bool>()), |(request, narrowed)| {
        let token = if narrowed { &child } else { &token };
        let known = [("TOKEN", token.as_str()), ("FILE", &file), ("FOLDER", &folder)];
        let Some(request) = meant(request, &known) else { return Ok(()) };
        let mut client = client.borrow_mut();
        let now_ms = client.now_ms;
        let reply = client.emulator.handle(request, now_ms);
        let (parts, body) = reply.response.into_parts();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
        let mut seen = statuses.take();
        seen.insert(answer.status);
        statuses.set(seen);
        is_well_formed(&answer)
    });
    outcome.unwrap_or_else(|fault| panic!("{fault}"));
    let seen = statuses.take();
    assert!([200, 400, 401, 404, 405].iter().all(|status| seen.contains(status)), "{seen:?}");
}
