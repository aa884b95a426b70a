//! A deployment whose settings do not fit says so, everywhere, and does nothing else.

use http::Request;
use keyhole_core::app::unconfigured;
use serde_json::json;

use crate::test_app::{CLIENT_SECRET, OWN, TestApp, assert_problem, body, header, parsed, variables};

fn request(path: &str) -> Request<Vec<u8>> {
    Request::builder().uri(format!("{OWN}{path}")).body(Vec::new()).unwrap()
}

#[test]
fn health_is_ok_when_the_settings_parse() {
    let app = TestApp::new();
    let answer = app.send(request("/healthz"));
    assert_eq!((answer.status().as_u16(), body(&answer)), (200, json!({"status": "ok"})));
}

#[test]
fn s01_without_its_settings_every_route_answers_with_the_list_and_no_value() {
    let mut variables = variables(&[("ALLOWED_SCOPES", "Wrong-Scope"), ("SEAL_KEYS", "not-a-key")]);
    variables.remove("BOX_CLIENT_ID");
    let faults = parsed(&variables).unwrap_err();
    for path in ["/", "/healthz", "/auth/login", "/auth/callback?code=x&state=y", "/api/session", "/nowhere"]
    {
        let answer = unconfigured(&request(path), &faults);
        assert_eq!(answer.log.fault, Some("not_configured"));
        let keyhole_core::app::Body::Bytes(bytes) = answer.response.body() else { panic!("no bytes") };
        let answer = answer.response.clone().map(|_| bytes.clone());
        assert_problem(&answer, 503, "not_configured");
        let problem = body(&answer);
        let named: Vec<&str> = problem["faults"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| fault["variable"].as_str().unwrap())
            .collect();
        assert_eq!(named, ["BOX_CLIENT_ID", "SEAL_KEYS", "ALLOWED_SCOPES"]);
        let text = problem.to_string();
        assert!(
            !text.contains("Wrong-Scope") && !text.contains("not-a-key") && !text.contains(CLIENT_SECRET),
            "{text}"
        );
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    }
}

#[test]
fn a_cookie_of_a_key_that_is_gone_is_a_fault_of_the_settings_and_stays() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let other = crate::test_app::seal_keys().replace("k1:", "k2:");
    let elsewhere = TestApp::with(&[("SEAL_KEYS", &other)]);
    let stranger = elsewhere.browser();
    stranger.plant("__Host-Http-keyhole", &browser.session_cookie().unwrap());
    for answer in [stranger.get("/api/session"), stranger.post("/api/tokens", &json!({"items": ["file_1"]}))]
    {
        assert_problem(&answer, 503, "locked");
        assert_eq!(header(&answer, "set-cookie"), None);
    }
    assert_eq!(elsewhere.world.hops.get(), 0);
}
