//! What lies in stores, in answers and in logs, as a thief would read it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::{
    browser::Browser,
    test_app::{CLIENT_SECRET, TestApp, assert_problem, body},
};

/// A full run: sign in, look around, open files, refresh, go wrong, sign out, and once more.
fn full_run(app: &std::rc::Rc<TestApp>) -> Browser {
    let browser = app.browser();
    browser.sign_in();
    let file = format!("file_{}", app.item(&browser, "0", "Welcome.md"));
    browser.tokens(&[&file, "file_9"]);
    app.pass(2 * 60 * 60);
    browser.tokens(&[&file]);
    browser.post("/api/tokens", &json!({"items": ["file_1"], "scopes": ["root_readwrite"]}));
    browser.post("/auth/logout", &json!({}));
    browser.post("/api/tokens", &json!({"items": ["file_1"]}));
    app.settle();
    browser.sign_in();
    browser.tokens(&[&file]);
    app.settle();
    browser
}

/// Raw, and as it would stand in a URL, in JSON or in base64.
fn disguises(secret: &str) -> Vec<String> {
    let encoded = URL_SAFE_NO_PAD.encode(secret);
    let url: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    vec![secret.to_owned(), url, encoded]
}

#[track_caller]
fn assert_nowhere<'a>(secrets: &[String], texts: impl Iterator<Item = &'a str>) {
    assert!(!secrets.is_empty() && secrets.iter().all(|secret| secret.len() >= 16), "{secrets:?}");
    let mut searched = 0;
    for text in texts {
        searched += 1;
        for disguise in secrets.iter().flat_map(|secret| disguises(secret)) {
            assert!(!text.contains(&disguise), "{disguise} in {text}");
        }
    }
    assert!(searched > 0, "there was something to search");
}

fn ledger(app: &TestApp, kinds: &[&str]) -> Vec<String> {
    kinds.iter().flat_map(|kind| app.ledger(kind)).map(|(value, _)| value).collect()
}

#[test]
fn s01_no_secret_of_the_worker_is_in_anything_a_browser_gets() {
    let app = TestApp::new();
    full_run(&app);
    let mut secrets = ledger(&app, &["refresh", "access", "code"]);
    secrets.push(CLIENT_SECRET.to_owned());
    secrets.push(crate::test_app::seal_keys().split_once(':').unwrap().1.to_owned());
    assert_nowhere(&secrets, app.sent_out.borrow().iter().map(String::as_str));
}

#[test]
fn s01_the_search_finds_a_secret_that_was_planted() {
    let app = TestApp::new();
    full_run(&app);
    let child = app.ledger("child").remove(0).0;
    assert!(app.sent_out.borrow().iter().any(|text| text.contains(&child)), "children do go out");
}

#[test]
fn s17_no_token_lies_in_the_clear_in_any_store_or_log() {
    let app = TestApp::new();
    full_run(&app);
    let secrets = ledger(&app, &["refresh", "access", "child", "code"]);
    let stored: Vec<String> = app
        .world
        .kv
        .dump()
        .into_iter()
        .map(|(key, value)| format!("{key} {}", String::from_utf8_lossy(&value)))
        .chain(app.world.objects.borrow().values().flat_map(|object| object.storage.values().cloned()))
        .collect();
    assert!(stored.len() >= 5, "{}", stored.len());
    assert_nowhere(&secrets, stored.iter().map(String::as_str));
    assert_nowhere(&secrets, app.world.log.borrow().iter().map(String::as_str));
}

#[test]
fn s17_the_session_secret_is_in_no_store() {
    let app = TestApp::new();
    let browser = full_run(&app);
    let cookie = browser.session_cookie().unwrap();
    let secret = cookie.split('.').nth(2).unwrap().to_owned();
    let objects = app.world.objects.borrow();
    let stored: Vec<String> = objects.values().flat_map(|object| object.storage.values().cloned()).collect();
    assert_nowhere(&[secret], stored.iter().map(String::as_str));
}

#[test]
fn s17_a_grant_moved_to_another_session_does_not_open() {
    let app = TestApp::new();
    let (robin, other) = (app.browser(), app.browser());
    robin.sign_in();
    other.sign_in();
    let keeper = |browser: &Browser| {
        let cookie = browser.session_cookie().unwrap();
        cookie.split('.').nth(1).unwrap().to_owned()
    };
    let (from, to) = (format!("grant:{}", keeper(&robin)), format!("grant:{}", keeper(&other)));
    let stolen = app.world.kv.dump().into_iter().find(|(key, _)| *key == from).unwrap().1;
    app.world.kv.plant(&to, stolen);
    for object in app.world.objects.borrow_mut().values_mut() {
        object.evict();
        object.storage.clear();
        object.alarm = None;
    }
    assert_problem(&other.get("/api/session"), 503, "not_configured");
    assert!(body(&robin.get("/api/session"))["session"].is_object());
}

#[test]
fn a_log_line_tells_route_status_fault_and_time_and_nothing_else() {
    let app = TestApp::new();
    full_run(&app);
    let log = app.world.log.borrow();
    let requests: Vec<serde_json::Value> = log
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &serde_json::Value| line["event"] == "request")
        .collect();
    assert!(requests.len() > 10);
    for line in requests {
        let members: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["duration_ms", "event", "fault", "route", "status"], "{line}");
    }
    let all = log.join("\n");
    for foreign in ["robin", "Robin", "file_", "folder_", "http", "127.0.0.1", "localhost"] {
        assert!(!all.contains(foreign), "{foreign} in {all}");
    }
}

#[test]
fn an_unopened_keeper_stores_nothing() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let cookie = browser.session_cookie().unwrap();
    for object in app.world.objects.borrow_mut().values_mut() {
        object.evict();
        object.storage.clear();
        object.alarm = None;
    }
    for (key, _) in app.world.kv.dump() {
        app.world.kv.delete(&key).unwrap();
    }
    let writes = app.world.object_writes.get();
    browser.plant("__Host-Http-keyhole", &cookie);
    let answer = browser.get("/api/session");
    assert_eq!((answer.status().as_u16(), &body(&answer)["session"]), (200, &serde_json::Value::Null));
    app.pass(60);
    assert_eq!(app.world.object_writes.get(), writes);
    assert!(app.world.objects.borrow().values().all(|object| object.storage.is_empty()));
}
