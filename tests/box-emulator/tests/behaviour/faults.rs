//! Faults on order.

use serde_json::json;

use crate::support::{CREDENTIALS, Client, PAGE};

#[test]
fn a_fault_answers_as_often_as_ordered_and_then_box_is_back() {
    let mut client = Client::new();
    let pair = client.login();
    client.control("faults", json!({"method": "GET", "path": "/2.0/users/me", "count": 2, "status": 503}));
    for _ in 0..2 {
        client.get(&pair.access, "/2.0/users/me").is_api(503, "unavailable", "Unavailable");
    }
    assert!(client.works(&pair.access));
}

#[test]
fn a_fault_hits_the_method_path_and_grant_type_it_names() {
    let mut client = Client::new();
    let pair = client.login();
    client.control(
        "faults",
        json!({"method": "POST", "path": "/oauth2/token", "grant_type": "token-exchange", "status": 500}),
    );
    assert_eq!(client.refresh(&pair.refresh).status, 200);
    assert_eq!(client.ask("GET", "/oauth2/token").send().status, 405);
    assert_eq!(client.exchange(&pair.access, "item_preview", None).status, 500);
    assert_eq!(client.exchange(&pair.access, "item_preview", None).status, 200);
    client.control("faults", json!({"method": "GET", "path": "/oauth2/token", "status": 500}));
    assert_eq!(client.refresh(&pair.refresh).status, 200);
    client.ask("DELETE", "/emulator/faults").send();
    let long = "urn:ietf:params:oauth:grant-type:token-exchange";
    client.control("faults", json!({"path": "/oauth2/*", "grant_type": long, "status": 500}));
    assert_eq!(client.exchange(&pair.access, "item_preview", None).status, 500);
}

#[test]
fn a_star_stands_for_any_rest() {
    let mut client = Client::new();
    let pair = client.login();
    client.control("faults", json!({"path": "/2.0/folders/*", "status": 502}));
    assert!(client.works(&pair.access));
    client.get(&pair.access, "/2.0/folders/0/items").is_api(502, "bad_gateway", "Bad Gateway");
}

#[test]
fn throttling_says_when_to_come_again() {
    let mut client = Client::new();
    let pair = client.login();
    client.control("faults", json!({"path": "/2.0/users/me", "status": 429, "retry_after": 7}));
    let answer = client.ask("GET", "/2.0/users/me").bearer(&pair.access).origin(PAGE).send();
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
    assert_eq!(answer.json()["code"], "rate_limit_exceeded");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "a page can read it");
}

#[test]
fn a_call_may_be_processed_and_refused_all_the_same() {
    let mut client = Client::new();
    let pair = client.login();
    client.settings(json!({"rotation": "strict"}));
    client.control("faults", json!({"path": "/oauth2/token", "status": 429}));
    assert_eq!(client.refresh(&pair.refresh).status, 429);
    assert_eq!(client.state_of(&pair.refresh), "live");
    client.control("faults", json!({"path": "/oauth2/token", "status": 429, "processed": true}));
    assert_eq!(client.refresh(&pair.refresh).status, 429);
    assert_eq!(client.state_of(&pair.refresh), "used");
    let alone = client.ask("POST", "/emulator/faults").json(json!({"path": "/x", "processed": true})).send();
    assert_eq!(alone.status, 400);
}

#[test]
fn a_401_on_order_is_box_s_empty_one() {
    let mut client = Client::new();
    let pair = client.login();
    client.control("faults", json!({"path": "/2.0/users/me", "status": 401}));
    client.get(&pair.access, "/2.0/users/me").is_unauthorized();
}

#[test]
fn a_body_can_be_given_as_json_or_as_text() {
    let mut client = Client::new();
    let pair = client.login();
    client.control(
        "faults",
        json!({"path": "/oauth2/token", "status": 400, "body": {"error": "invalid_grant"}}),
    );
    assert_eq!(client.refresh(&pair.refresh).json(), json!({"error": "invalid_grant"}));
    client.control("faults", json!({"path": "/oauth2/token", "status": 200, "body": "<html>proxy"}));
    let answer = client.refresh(&pair.refresh);
    assert_eq!((answer.status, answer.text().as_str()), (200, "<html>proxy"));
    assert_eq!(client.refresh(&pair.refresh).status, 200, "neither touched the token");
}

#[test]
fn an_answer_can_be_rewritten() {
    let mut client = Client::new();
    let code = client.code();
    client.control("faults", json!({"path": "/oauth2/token", "rewrite": {"expires_in": "3600", "extra": 1}}));
    let body = client.redeem(&code).json();
    assert_eq!(
        (&body["expires_in"], &body["extra"], &body["token_type"]),
        (&json!("3600"), &json!(1), &json!("bearer"))
    );
    assert_eq!(client.ledger().len(), 3, "it was processed");
}

#[test]
fn a_delay_comes_with_the_true_answer() {
    let mut client = Client::new();
    let pair = client.login();
    client.control("faults", json!({"path": "/2.0/users/me", "delay_ms": 1500}));
    let reply = client.ask("GET", "/2.0/users/me").bearer(&pair.access).reply();
    assert_eq!((reply.delay_ms, reply.response.status().as_u16()), (1500, 200));
    let reply = client.ask("GET", "/2.0/users/me").bearer(&pair.access).reply();
    assert_eq!(reply.delay_ms, 0);
}

#[test]
fn a_call_dropped_before_is_not_processed_and_one_dropped_after_is() {
    for (when, processed) in [("before", false), ("after", true)] {
        let mut client = Client::new();
        let code = client.code();
        client.control("faults", json!({"path": "/oauth2/token", "drop": when}));
        let form = [("grant_type", "authorization_code"), ("code", &*code), CREDENTIALS[0], CREDENTIALS[1]];
        assert!(client.ask("POST", "/oauth2/token").form(&form).reply().drop_connection);
        assert_eq!(client.state_of(&code), if processed { "used" } else { "live" });
        let calls = client.ask("GET", "/emulator/calls").send().json();
        assert_eq!(calls["counts"]["POST /oauth2/token authorization_code"], 1, "asked is asked");
        assert_eq!(calls["log"][0]["status"], if processed { 200 } else { 0 });
        assert_eq!(client.redeem(&code).status, if processed { 400 } else { 200 });
    }
}

#[test]
fn faults_can_be_called_off_and_leave_the_control_api_alone() {
    let mut client = Client::new();
    let pair = client.login();
    client.control("faults", json!({"path": "*", "count": 100, "status": 500}));
    assert!(!client.works(&pair.access));
    assert_eq!(client.ask("DELETE", "/emulator/faults").send().status, 200);
    assert!(client.works(&pair.access));
}

#[test]
fn an_order_that_makes_no_sense_is_refused() {
    let mut client = Client::new();
    for wrong in [
        json!({}),
        json!({"path": "/x", "status": 99}),
        json!({"path": "/x", "drop": "sometimes"}),
        json!({"path": "/x", "body": {}}),
        json!({"path": "/x", "nonsense": 1}),
    ] {
        assert_eq!(client.ask("POST", "/emulator/faults").json(wrong.clone()).send().status, 400, "{wrong}");
    }
}

#[test]
fn the_state_of_an_account_can_be_told_by_the_token_endpoint() {
    let mut client = Client::new();
    let pair = client.login();
    for (status, error) in [(400, "account_deactivated"), (403, "access_from_location_blocked")] {
        let body = json!({"error": error, "error_description": "as ordered"});
        client.control("faults", json!({"path": "/oauth2/token", "status": status, "body": body}));
        client.refresh(&pair.refresh).is_oauth(status, error, "as ordered");
    }
    assert_eq!(client.refresh(&pair.refresh).status, 200);
}
