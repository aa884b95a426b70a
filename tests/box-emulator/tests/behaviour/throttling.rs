//! Box's limits, and the clock that they and all else go by.

use serde_json::json;

use crate::support::{Answer, Client};

#[track_caller]
fn is_limited(answer: &Answer, seconds: &str) {
    answer.is_api(429, "rate_limit_exceeded", "Request rate limit exceeded, please try again later");
    assert_eq!(answer.header("retry-after"), Some(seconds));
}

#[test]
fn without_a_limit_nobody_waits() {
    let mut client = Client::new();
    let token = client.login().access;
    assert!((0..1500).all(|_| client.get(&token, "/2.0/users/me").status == 200));
}

#[test]
fn a_user_makes_so_many_calls_a_minute_and_another_user_as_many() {
    let mut client = Client::new();
    let token = client.login().access;
    let second = client.login().access;
    let other = client.token_of("1100000003");
    client.settings(json!({"requests_per_minute": 3}));
    assert_eq!(client.get(&token, "/2.0/users/me").status, 200);
    client.wait(20);
    assert_eq!(client.get(&token, "/2.0/users/me").status, 200);
    assert_eq!(client.get(&second, "/2.0/users/me").status, 200, "it is the user that counts, not the token");
    let refused = client.ask("GET", "/2.0/users/me").bearer(&token).origin("http://localhost:8787").send();
    is_limited(&refused, "40");
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"), "a page may read it");
    assert_eq!(client.get(&other, "/2.0/users/me").status, 200);
    client.now_ms += 500;
    is_limited(&client.get(&token, "/2.0/users/me"), "40");
    client.now_ms -= 500;
    client.wait(39);
    is_limited(&client.get(&token, "/2.0/users/me"), "1");
    client.wait(1);
    assert_eq!(client.get(&token, "/2.0/users/me").status, 200, "what was refused did not count");
    is_limited(&client.get(&token, "/2.0/users/me"), "20");
}

#[test]
fn uploads_and_searches_have_limits_of_their_own() {
    let mut client = Client::new();
    let token = client.login().access;
    client.settings(json!({"uploads_per_minute": 1, "searches_per_second": 2, "searches_per_minute": 3}));
    client.uploaded(&token, "0", "a.txt", b"x");
    is_limited(&client.upload(&token, "0", "b.txt", b"x"), "60");
    let search = "/2.0/search?query=a";
    assert_eq!(client.get(&token, search).status, 200);
    assert_eq!(client.get(&token, search).status, 200);
    is_limited(&client.get(&token, search), "1");
    client.wait(1);
    assert_eq!(client.get(&token, search).status, 200);
    is_limited(&client.get(&token, search), "59");
    assert_eq!(client.get(&token, "/2.0/users/me").status, 200, "other calls have none");
}

#[test]
fn uploads_count_as_calls_and_content_does_not() {
    let mut client = Client::new();
    let token = client.login().access;
    let id = client.uploaded(&token, "0", "a.svg", b"<svg/>");
    client.settings(json!({"requests_per_minute": 1}));
    client.uploaded(&token, "0", "b.txt", b"x");
    is_limited(&client.get(&token, "/2.0/users/me"), "60");
    let content = format!("http://127.0.0.1:9401/api/2.0/files/{id}/content");
    assert_eq!(client.get(&token, &content).status, 200);
}

#[test]
fn an_app_asks_for_so_many_tokens_a_minute() {
    let mut client = Client::new();
    let pair = client.login();
    client.settings(json!({"token_requests_per_minute": 2}));
    assert_eq!(client.refresh(&pair.refresh).status, 200);
    assert_eq!(
        client.exchange(&pair.access, "item_preview", None).status,
        200,
        "an exchange counts for its app"
    );
    is_limited(&client.refresh(&pair.refresh), "60");
    is_limited(&client.exchange(&pair.access, "item_preview", None), "60");
    let other = [("grant_type", "refresh_token"), ("client_id", "keyhole-ccg")];
    assert_eq!(client.token(&other).status, 400, "another app is not held up");
    client.settings(json!({"token_requests_per_minute": null}));
    assert_eq!(client.refresh(&pair.refresh).status, 200);
}

/// What is turned away at the door is no use of a token: the pair before it lives.
#[test]
fn a_call_that_was_held_up_settles_no_rotation() {
    let mut client = Client::new();
    let first = client.login();
    let second = client.refresh(&first.refresh).pair();
    client.settings(json!({"requests_per_minute": 0}));
    is_limited(&client.get(&second.access, "/2.0/users/me"), "60");
    client.settings(json!({"requests_per_minute": null}));
    assert!(client.works(&first.access));
    assert!(client.works(&second.access));
    assert!(!client.works(&first.access));
}

#[test]
fn the_clock_can_be_ahead_or_behind() {
    let mut client = Client::new();
    let token = client.login().access;
    let date = |client: &mut Client| {
        let answer = client.ask("GET", "/emulator/status").send();
        answer.header("date").expect("a date").to_owned()
    };
    assert_eq!(date(&mut client), "Mon, 21 Sep 2026 14:13:20 GMT");
    client.settings(json!({"clock_offset_seconds": -90}));
    assert_eq!(date(&mut client), "Mon, 21 Sep 2026 14:11:50 GMT");
    assert!(client.works(&token));
    client.settings(json!({"clock_offset_seconds": 5000}));
    assert_eq!(date(&mut client), "Mon, 21 Sep 2026 15:36:40 GMT");
    client.get(&token, "/2.0/users/me").is_unauthorized();
    client.settings(json!({"clock_offset_seconds": 0}));
    assert!(client.works(&token));
    client.settings(json!({"requests_per_minute": 1}));
    assert!(client.works(&token));
    client.settings(json!({"clock_offset_seconds": -90}));
    assert!(client.works(&token), "calls that are yet to come hold nobody up");
}
