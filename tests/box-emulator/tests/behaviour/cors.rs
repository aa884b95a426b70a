//! Which web pages may call.

use box_emulator::Options;
use serde_json::json;

use crate::support::{Client, PAGE, PREVIEW};

#[test]
fn a_page_of_a_listed_origin_reads_the_answer() {
    let mut client = Client::new();
    let pair = client.login();
    let answer = client.ask("GET", "/2.0/users/me").bearer(&pair.access).origin(PAGE).send();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("vary"), Some("Origin"));
    assert_eq!(answer.header("cache-control"), Some("no-cache, no-store"));
}

#[test]
fn a_page_of_another_origin_is_refused_in_box_s_words() {
    let mut client = Client::new();
    let pair = client.login();
    for origin in ["https://evil.example", "http://localhost:8788", "null"] {
        let answer = client.ask("GET", "/2.0/users/me").bearer(&pair.access).origin(origin).send();
        answer.is_api(
            403,
            "cors_origin_not_whitelisted",
            "Access denied - Did you forget to safelist your origin in the CORS config of your app?",
        );
        assert_eq!(answer.json()["context_info"], json!({"origin": origin}));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn a_refused_page_changes_nothing() {
    let mut client = Client::new();
    let first = client.login();
    let second = client.refresh(&first.refresh).pair();
    client.ask("GET", "/2.0/users/me").bearer(&second.access).origin("https://evil.example").send();
    assert!(client.works(&first.access), "that was no use of the new token");
}

#[test]
fn with_an_empty_list_every_page_is_refused_and_programs_are_not() {
    let mut client = Client::with(Options { cors_origins: Some(Vec::new()), ..Options::default() });
    let pair = client.login();
    assert_eq!(client.ask("GET", "/2.0/users/me").bearer(&pair.access).origin(PAGE).send().status, 403);
    assert!(client.works(&pair.access));
}

#[test]
fn an_absent_or_malformed_authorization_cannot_be_read_by_any_page() {
    let mut client = Client::new();
    let answer = client.ask("GET", "/2.0/users/me").origin(PAGE).send();
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (401, None));
    for authorization in ["Bearer", "Basic abc", "Bearer guessed"] {
        let answer =
            client.ask("GET", "/2.0/users/me").header("authorization", authorization).origin(PAGE).send();
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (401, None),
            "{authorization}"
        );
    }
}

#[test]
fn a_page_can_read_that_its_token_has_ended_and_that_it_lacks_a_scope() {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, "Welcome.md");
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    let refused = client.ask("GET", "/2.0/users/me").bearer(&child).origin(PAGE).send();
    refused.lacks_scope();
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    client.control("expire", json!({"kind": "child"}));
    let ended = client.ask("GET", &format!("/2.0/files/{file}")).bearer(&child).origin(PAGE).send();
    ended.is_unauthorized();
    assert_eq!(ended.header("access-control-allow-origin"), Some("*"));
    let elsewhere =
        client.ask("GET", &format!("/2.0/files/{file}")).bearer(&child).origin("https://evil.example").send();
    assert_eq!((elsewhere.status, elsewhere.header("access-control-allow-origin")), (403, None));
}

#[test]
fn a_preflight_is_answered_for_any_origin_because_it_carries_no_token() {
    let mut client = Client::new();
    let answer = client
        .ask("OPTIONS", "/2.0/files/1")
        .origin("https://evil.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization,x-rep-hints")
        .send();
    assert_eq!((answer.status, answer.text().as_str()), (200, ""));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST, PUT, DELETE, OPTIONS, HEAD"));
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some(
            "Authorization, BoxApi, X-Rep-Hints, X-Box-Client-Name, X-Box-Client-Version, Content-Type, Range, \
             If-None-Match, Accept-Language, As-User"
        )
    );
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[test]
fn the_token_endpoint_is_not_for_pages() {
    let mut client = Client::new();
    let code = client.code();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        crate::support::CREDENTIALS[0],
        crate::support::CREDENTIALS[1],
    ];
    let answer = client.ask("POST", "/oauth2/token").form(&form).origin(PAGE).send();
    assert_eq!(answer.header("access-control-allow-origin"), None);
}
