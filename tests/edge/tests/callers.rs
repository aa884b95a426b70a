//! Who may call what, over the wire. The whole table is tested in `src/core/guard.rs`; this shows that it stands
//! before every route, and that preflights and answers follow it.

use http::{Request, header, request::Builder};
use serde_json::json;

use crate::harness::{Answer, Browser, Worker, answer::send, browser::SESSION, sample_files, together};

/// A page that the Worker [open] allows to call.
const LISTED: &str = "https://app.example.com";
const CALLS: [(&str, &str); 4] = [
    ("GET", "/api/session"),
    ("POST", "/api/tokens"),
    ("GET", "/api/folders/0/items"),
    ("POST", "/auth/logout"),
];

/// A call with these headers in place of those that our own page sends.
#[track_caller]
fn call(browser: &Browser, worker: &Worker, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("{}{path}", worker.origin));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if path == "/api/tokens" {
        request = request.header(header::CONTENT_TYPE, "application/json");
        json!({"items": [sample_files()[0]]}).to_string().into_bytes()
    } else {
        Vec::new()
    };
    browser.call(request, body)
}

/// Refused on every route with the code, and the session is still there afterwards.
#[track_caller]
fn refused(worker: &Worker, headers: &[(&str, &str)], status: u16, code: &str) {
    let browser = Browser::signed_in(worker);
    for (method, path) in CALLS {
        let answer = call(&browser, worker, method, path, headers);
        answer.problem(status, code);
        assert_eq!(answer.header("access-control-allow-origin"), "", "{method} {path}");
        assert!(answer.cookies().is_empty(), "{method} {path}");
    }
    assert!(browser.get("/api/session").json()["session"].is_object(), "{headers:?}");
    assert_eq!(browser.at_box().all("child").len(), 0, "{headers:?}");
}

#[test]
fn s28_without_the_static_header_no_call_is_served() {
    let _room = together();
    let worker = Worker::main();
    refused(&worker, &[("origin", &worker.origin), ("sec-fetch-site", "same-origin")], 403, "missing_header");
    refused(&worker, &[("keyhole-request", "0"), ("origin", &worker.origin)], 403, "missing_header");
}

#[test]
fn s27_a_page_of_another_origin_may_not_call_although_the_cookie_comes_along() {
    let _room = together();
    let main = Worker::main();
    for origin in ["https://evil.example", "null", LISTED] {
        refused(&main, &[("keyhole-request", "1"), ("origin", origin)], 403, "origin_not_allowed");
    }
    refused(
        &Worker::open(),
        &[("keyhole-request", "1"), ("origin", "https://evil.example")],
        403,
        "origin_not_allowed",
    );
}

#[test]
fn s29_what_is_no_fetch_from_here_is_refused() {
    let _room = together();
    let worker = Worker::main();
    let own = ("origin", worker.origin.as_str());
    for (extra, code) in [
        ([("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "document")], "not_a_fetch"),
        ([("sec-fetch-site", "none"), ("sec-fetch-dest", "empty")], "not_a_fetch"),
        ([("sec-fetch-site", "same-site"), ("sec-fetch-dest", "empty")], "not_same_origin"),
        ([("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "empty")], "not_same_origin"),
    ] {
        refused(&worker, &[&[("keyhole-request", "1"), own][..], &extra].concat(), 403, code);
    }
    let bearer = [("keyhole-request", "1"), own, ("authorization", "Bearer x")];
    refused(&worker, &bearer, 400, "authorization_header");
}

#[test]
fn s15_another_host_is_not_ours_whatever_is_forwarded() {
    let _room = together();
    let worker = Worker::main();
    let port = worker.origin.rsplit(':').next().unwrap();
    let elsewhere = |request: Builder| send(request.body(Vec::new()).unwrap());
    let by_number = format!("http://127.0.0.1:{port}");
    for path in ["/", "/auth/login", "/auth/callback", "/auth/done", "/auth/hand-over", "/api/session"] {
        let request = Request::get(format!("{by_number}{path}"))
            .header("keyhole-request", "1")
            .header("x-forwarded-host", worker.origin.trim_start_matches("http://"));
        elsewhere(request).problem(421, "wrong_host");
    }
    // To be asked by whoever watches over a deployment.
    elsewhere(Request::get(format!("{by_number}/healthz"))).expect(200);
}

#[test]
fn s10_the_redirect_uri_is_a_constant_whatever_is_forwarded() {
    let _room = together();
    let worker = Worker::main();
    let request = Request::get(format!("{}/auth/login", worker.origin))
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "https")
        .header("forwarded", "host=evil.example;proto=https");
    let at_box = send(request.body(Vec::new()).unwrap()).expect(302).location();
    let redirect_uri = crate::harness::answer::query_of(&at_box, "redirect_uri");
    assert_eq!(redirect_uri, Some(format!("{}/auth/callback", worker.origin)));
}

#[test]
fn s31_a_login_starts_by_going_there_and_not_by_loading_or_prefetching() {
    let _room = together();
    let worker = Worker::main();
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-dest", "image"),
        ("sec-fetch-mode", "cors"),
    ] {
        let request = Request::get(format!("{}/auth/login", worker.origin)).header(name, value);
        let answer = send(request.body(Vec::new()).unwrap());
        answer.problem(403, "not_a_navigation");
        assert!(answer.cookies().is_empty(), "{name}: {value}");
    }
}

#[test]
fn s28_a_preflight_is_answered_for_listed_origins_only() {
    let _room = together();
    let preflight = |worker: &Worker, path: &str, origin: &str| {
        let request = Request::options(format!("{}{path}", worker.origin))
            .header(header::ORIGIN, origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type, keyhole-request");
        send(request.body(Vec::new()).unwrap())
    };
    for (_, path) in CALLS {
        let answer = preflight(&Worker::open(), path, LISTED).expect(204);
        assert_eq!(answer.header("access-control-allow-origin"), LISTED);
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert_eq!(answer.header("access-control-allow-headers"), "content-type, keyhole-request");
        assert!(answer.header("vary").contains("Origin"), "{answer:?}");
        for (worker, origin) in [(Worker::open(), "https://evil.example"), (Worker::main(), LISTED)] {
            let answer = preflight(&worker, path, origin);
            answer.problem(403, "origin_not_allowed");
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
    }
}

#[test]
fn a_listed_page_may_call_and_read_the_answer_faults_included() {
    let _room = together();
    let worker = Worker::open();
    let browser = Browser::signed_in(&worker);
    let from = [("keyhole-request", "1"), ("origin", LISTED), ("sec-fetch-site", "cross-site")];
    for (method, path) in CALLS {
        let answer = call(&browser, &worker, method, path, &from);
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), LISTED, "{method} {path}");
    }
    let stranger = Browser::new(&worker);
    let answer = call(&stranger, &worker, "POST", "/api/tokens", &from);
    answer.problem(401, "signed_out");
    assert_eq!(answer.header("access-control-allow-origin"), LISTED);
}

#[test]
fn an_address_that_is_none_and_a_method_that_is_wrong_are_problems() {
    let _room = together();
    let browser = Browser::new(&Worker::main());
    browser.get("/api/nothing").problem(404, "not_found");
    let answer = browser.call(browser.fetch("DELETE", "/api/tokens"), Vec::new());
    answer.problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "POST, OPTIONS");
    assert!(browser.cookie(SESSION).is_none());
}
