//! A Worker that lacks its secrets says so, on every route.

use crate::harness::{Browser, Worker, together};

#[test]
fn without_its_secrets_a_worker_names_them_on_every_route_and_does_nothing_else() {
    let _room = together();
    let browser = Browser::new(&Worker::bare());
    let answers = [
        ("health", browser.get("/healthz")),
        ("session", browser.get("/api/session")),
        ("tokens", browser.post("/api/tokens", &serde_json::json!({"items": ["file_1"]}))),
        ("items", browser.get("/api/folders/0/items")),
        ("logout", browser.call(browser.fetch("POST", "/auth/logout"), Vec::new())),
        ("page", browser.open("/")),
        ("login", browser.open("/auth/login")),
        ("callback", browser.open("/auth/callback?code=x&state=y")),
        ("done", browser.open("/auth/done")),
        ("hand_over", browser.open("/auth/hand-over")),
    ];
    for (route, answer) in answers {
        let problem = answer.problem(503, "not_configured");
        let faults = problem["faults"].as_array().unwrap();
        let variables: Vec<_> = faults.iter().map(|fault| fault["variable"].as_str().unwrap()).collect();
        assert_eq!(variables, ["BOX_CLIENT_SECRET", "SEAL_KEYS"], "{route}");
        assert_eq!(answer.header("cache-control"), "no-store", "{route}");
        assert!(answer.cookies().is_empty(), "{route}");
    }
}

#[test]
fn a_worker_with_its_settings_is_healthy() {
    let _room = together();
    for worker in [Worker::main(), Worker::short(), Worker::limited(), Worker::open()] {
        let answer = Browser::new(&worker).get("/healthz").expect(200);
        assert_eq!(answer.text(), r#"{"status":"ok"}"#);
    }
}
