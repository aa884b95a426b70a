//! Who may call, over the whole app: what is refused costs nothing, and what is answered carries its headers.

use http::Request;
use serde_json::json;

use crate::{
    browser::{Browser, From},
    test_app::{LISTED, OWN, TestApp, assert_problem, header, set_cookies},
};

const CALLS: [(&str, &str); 4] = [
    ("GET", "/api/session"),
    ("POST", "/api/tokens"),
    ("GET", "/api/folders/0/items"),
    ("POST", "/auth/logout"),
];

fn call(browser: &Browser, (method, path): (&str, &str)) -> Request<Vec<u8>> {
    let body = if path == "/api/tokens" { br#"{"items":["file_1"]}"#.to_vec() } else { Vec::new() };
    browser.request(method, path, body)
}

/// Every call, by a browser that is signed in, changed like this: refused like that, without any work.
#[track_caller]
fn all_refused(name: &'static str, value: Option<&str>, status: u16, code: &str) {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let work = || (app.world.hops.get(), app.all_box_calls(), app.world.kv.counts.borrow().reads);
    let before = work();
    for known in CALLS {
        let mut request = call(&browser, known);
        match value {
            Some(value) => drop(request.headers_mut().insert(name, value.parse().unwrap())),
            None => drop(request.headers_mut().remove(name)),
        }
        let answer = app.send(request);
        assert_problem(&answer, status, code);
        assert_eq!(header(&answer, "access-control-allow-origin"), None);
        assert!(set_cookies(&answer).is_empty());
    }
    assert_eq!(work(), before, "no work is done for who may not call");
    assert!(browser.get("/api/session").status().is_success());
}

const HAND_OVER: &str = "/auth/hand-over?opener=https%3A%2F%2Fapp.example.com";

#[test]
fn s28_a_call_without_the_static_header_is_refused_before_any_work() {
    all_refused("keyhole-request", None, 403, "missing_header");
}

#[test]
fn s27_a_call_of_a_page_that_is_not_listed_is_refused_before_any_work() {
    all_refused("origin", Some("https://evil.example"), 403, "origin_not_allowed");
    all_refused("origin", Some("null"), 403, "origin_not_allowed");
}

#[test]
fn s28_a_call_of_a_sibling_is_refused_although_it_brings_the_cookie() {
    all_refused("sec-fetch-site", Some("same-site"), 403, "not_same_origin");
}

#[test]
fn s29_what_is_not_a_fetch_is_refused_before_any_work() {
    all_refused("sec-fetch-dest", Some("document"), 403, "not_a_fetch");
    all_refused("sec-fetch-mode", Some("navigate"), 403, "not_a_fetch");
    all_refused("sec-fetch-site", Some("none"), 403, "not_a_fetch");
}

#[test]
fn a_call_with_a_bearer_token_is_refused_before_any_work() {
    all_refused("authorization", Some("Bearer x"), 400, "authorization_header");
}

#[test]
fn s15_a_call_for_another_host_is_refused_whatever_was_forwarded() {
    all_refused("host", Some("evil.example"), 421, "wrong_host");
    let app = TestApp::new();
    let browser = app.browser();
    for path in ["/", "/auth/login", "/auth/callback?code=x", "/auth/done", HAND_OVER] {
        let mut request = browser.request("GET", path, Vec::new());
        request.headers_mut().insert("host", "evil.example".parse().unwrap());
        request.headers_mut().insert("x-forwarded-host", "localhost:8787".parse().unwrap());
        assert_problem(&app.send(request), 421, "wrong_host");
    }
}

#[test]
fn s28_a_preflight_is_answered_for_listed_origins_only() {
    let app = TestApp::new();
    let preflight = |path: &str, origin: &str| {
        let request = Request::builder()
            .method("OPTIONS")
            .uri(format!("{OWN}{path}"))
            .header("host", "localhost:8787")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,keyhole-request");
        app.send(request.body(Vec::new()).unwrap())
    };
    for (_, path) in CALLS {
        let answer = preflight(path, LISTED);
        assert_eq!(answer.status(), 204);
        assert_eq!(header(&answer, "access-control-allow-origin"), Some(LISTED));
        assert_eq!(header(&answer, "access-control-allow-credentials"), Some("true"));
        assert_eq!(header(&answer, "access-control-allow-headers"), Some("content-type, keyhole-request"));
        for stranger in
            ["https://evil.example", "null", "https://app.example.com:8443", "http://app.example.com"]
        {
            let answer = preflight(path, stranger);
            assert_problem(&answer, 403, "origin_not_allowed");
            assert!(
                answer.headers().keys().all(|name| !name.as_str().starts_with("access-control")),
                "{answer:?}"
            );
        }
    }
    assert_problem(&preflight("/auth/login", LISTED), 405, "method_not_allowed");
}

#[test]
fn a_listed_page_reads_its_answers_and_its_faults() {
    let app = TestApp::new();
    let browser = app.browser();
    let answer = app.send(browser.listed_request("GET", "/api/session"));
    assert_eq!(
        (answer.status().as_u16(), header(&answer, "access-control-allow-origin")),
        (200, Some(LISTED))
    );
    let mut fault = browser.listed_request("GET", "/api/session");
    fault.headers_mut().remove("keyhole-request");
    let answer = app.send(fault);
    assert_problem(&answer, 403, "missing_header");
    assert_eq!(header(&answer, "access-control-allow-origin"), Some(LISTED));
    assert_eq!(header(&answer, "vary"), Some("Origin"));
}

#[test]
fn a_strangers_cookie_wakes_no_keeper() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let good = browser.session_cookie().unwrap();
    let hops = app.world.hops.get();
    let mut guess = good.into_bytes();
    let last = guess.len() - 2;
    guess[last] = if guess[last] == b'A' { b'B' } else { b'A' };
    browser.plant("__Host-Http-keyhole", &String::from_utf8(guess).unwrap());
    let answer = browser.post("/api/tokens", &json!({"items": ["file_1"]}));
    // It may as well be an honest one, and the operator's key the wrong one: then it must not be lost.
    assert_problem(&answer, 503, "locked");
    assert!(set_cookies(&answer).is_empty());
    browser.plant("__Host-Http-keyhole", "rubbish");
    let answer = browser.post("/api/tokens", &json!({"items": ["file_1"]}));
    assert_problem(&answer, 401, "signed_out");
    assert!(set_cookies(&answer)[0].starts_with("__Host-Http-keyhole=;"), "what is none of ours goes");
    assert_eq!(app.world.hops.get(), hops);
}

#[test]
fn s39_no_answer_is_stored_and_each_carries_its_armour() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    browser.go(From::Page(OWN), &format!("{OWN}/"));
    browser.go(From::Page(OWN), &format!("{OWN}/auth/login?opener={LISTED}"));
    browser.go(From::Typed, &format!("{OWN}/auth/callback"));
    browser.go(From::Typed, &format!("{OWN}/healthz"));
    browser.go(From::Typed, &format!("{OWN}/nowhere"));
    browser.tokens(&["file_1"]);
    for known in CALLS {
        app.send(call(&browser, known));
    }
    browser.get("/api/tokens");
    let answers = app.answers.borrow();
    assert!(answers.len() > 12, "{}", answers.len());
    for answer in answers.iter() {
        assert_eq!(header(answer, "cache-control"), Some("no-store"), "{answer:?}");
        assert_eq!(header(answer, "referrer-policy"), Some("no-referrer"), "{answer:?}");
        assert_eq!(header(answer, "x-content-type-options"), Some("nosniff"), "{answer:?}");
    }
}

#[test]
fn s16_nothing_we_serve_can_be_framed_unless_it_is_listed() {
    let app = TestApp::new();
    let browser = app.browser();
    for path in
        ["/", "/auth/done", HAND_OVER, "/auth/login?return_to=//x", "/nowhere", "/healthz", "/auth/callback"]
    {
        let landing = browser.go(From::Typed, &format!("{OWN}{path}"));
        for (url, answer) in landing.hops {
            let policy = header(&answer, "content-security-policy").unwrap();
            assert!(policy.ends_with("frame-ancestors 'none'"), "{url}: {policy}");
            assert_eq!(header(&answer, "x-frame-options"), Some("DENY"), "{url}");
        }
    }
    let listed = TestApp::with(&[("FRAME_ANCESTORS", LISTED)]);
    let page = listed.browser().go(From::Typed, &format!("{OWN}/"));
    assert!(
        header(&page.response, "content-security-policy")
            .unwrap()
            .ends_with(&format!("frame-ancestors {LISTED}"))
    );
    for path in ["/auth/done", HAND_OVER] {
        let window = listed.browser().go(From::Typed, &format!("{OWN}{path}"));
        assert!(
            header(&window.response, "content-security-policy").unwrap().ends_with("frame-ancestors 'none'")
        );
    }
}

#[test]
fn s40_the_page_runs_under_a_strict_policy_with_a_nonce_of_its_own() {
    let app = TestApp::new();
    let (first, second) = (app.browser().go(From::Typed, OWN), app.browser().go(From::Typed, OWN));
    let policy = header(&first.response, "content-security-policy").unwrap();
    let nonce = policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0;
    assert_eq!(first.text().matches(&format!("nonce=\"{nonce}\"")).count(), 2);
    assert!(!first.text().contains("__NONCE__") && !second.text().contains(nonce));
    assert!(
        policy.starts_with("default-src 'none'; ")
            && !policy.contains("unsafe-inline")
            && !policy.contains("'unsafe-eval'")
    );
    assert_eq!(header(&first.response, "cross-origin-opener-policy"), Some("same-origin-allow-popups"));
}

#[test]
fn head_is_get_without_a_body() {
    let app = TestApp::new();
    let browser = app.browser();
    for path in ["/", "/healthz", "/api/session"] {
        let get = app.send(browser.request("GET", path, Vec::new()));
        let mut head = browser.request("GET", path, Vec::new());
        *head.method_mut() = http::Method::HEAD;
        let head = app.send(head);
        assert_eq!((get.status(), head.status().as_u16()), (head.status(), 200));
        assert!(!get.body().is_empty() && head.body().is_empty());
    }
}

#[test]
fn a_person_reads_a_page_and_a_program_a_problem() {
    let app = TestApp::new();
    app.login_admitted.set(false);
    let limited = |accept: &str| {
        let request = Request::builder()
            .uri(format!("{OWN}/auth/login"))
            .header("host", "localhost:8787")
            .header("cf-connecting-ip", "203.0.113.9")
            .header("accept", accept);
        app.send(request.body(Vec::new()).unwrap())
    };
    for accept in ["*/*", "application/json"] {
        assert_problem(&limited(accept), 429, "rate_limited");
    }
    let page = limited("text/html,application/xhtml+xml,*/*;q=0.8");
    assert_eq!((page.status().as_u16(), header(&page, "retry-after")), (429, Some("60")));
    assert_eq!(header(&page, "content-type"), Some("text/html; charset=utf-8"));
    assert!(String::from_utf8_lossy(page.body()).contains("<h1>Too many sign-ins"), "{page:?}");
    // A script that asks for HTML is a program all the same.
    let browser = app.browser();
    let mut request = browser.request("POST", "/api/tokens", Vec::new());
    request.headers_mut().insert("accept", "text/html".parse().unwrap());
    assert_problem(&app.send(request), 401, "signed_out");
}
