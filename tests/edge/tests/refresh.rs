//! Refreshing when Box or the way to it fails.

use core::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Browser, Worker, alone, eventually, sample_files, stage::Alone};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const REFRESH: &str = "POST /oauth2/token refresh_token";
/// The keeper leaves a failing Box alone for 5 s.
const PAUSE: Duration = Duration::from_secs(15);

/// The answer for one file.
#[track_caller]
fn ask(browser: &Browser, file: &str) -> Value {
    browser.tokens(&[file])[file].take()
}

/// Orders a fault for the next refreshes: for one, unless it says for how many.
fn order(stage: &Alone, fault: &Value) {
    let refreshes = json!({"method": "POST", "path": "/oauth2/token", "grant_type": "refresh_token"});
    stage.order(&merged(&refreshes, fault));
}

/// One object of two.
fn merged(one: &Value, other: &Value) -> Value {
    let mut both = one.clone();
    both.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    both
}

/// A session whose access token Box does not take any more.
#[track_caller]
fn expired(stage: &Alone) -> Browser {
    let browser = Browser::signed_in(&Worker::main());
    stage.expire("access");
    browser
}

#[test]
fn an_access_token_that_ended_is_refreshed_silently() {
    let stage = alone();
    let browser = expired(&stage);
    let file = &sample_files()[0];
    assert!(ask(&browser, file)["access_token"].is_string());
    stage.expire("access");
    browser.get("/api/folders/0/items").expect(200);
    let family = browser.at_box();
    assert_eq!((family.all("refresh").len(), stage.count(REFRESH)), (3, 2));
    assert_eq!(family.states("refresh").last(), Some(&"live"));
}

#[test]
fn an_answer_lost_after_box_committed_is_brought_again_where_rotation_is_lazy() {
    let stage = alone();
    let browser = expired(&stage);
    let file = &sample_files()[0];
    order(&stage, &json!({"drop": "after"}));
    assert!(ask(&browser, file)["access_token"].is_string(), "and the caller does not even notice");
    assert_eq!(stage.count(REFRESH), 2);
    assert_eq!(browser.at_box().all("refresh").len(), 2, "the same pair, not a third");
    assert!(browser.get("/api/session").json()["session"].is_object());
}

#[test]
fn s18_an_answer_lost_after_box_committed_ends_in_words_where_rotation_is_strict() {
    let stage = alone();
    stage.set(&json!({"rotation": "strict"}));
    let browser = expired(&stage);
    let file = &sample_files()[0];
    order(&stage, &json!({"drop": "after"}));
    let end = browser.twin().post("/api/tokens", &json!({"items": [file]}));
    assert_eq!(end.problem(401, "signed_out")["reason"], "rotation_lost");
    let session = browser.get("/api/session").expect(200).json();
    assert_eq!((&session["session"], &session["ended"]), (&json!(null), &json!("rotation_lost")));
}

#[test]
fn an_answer_lost_before_box_saw_the_question_costs_nothing_in_either_mode() {
    let stage = alone();
    for rotation in ["lazy", "strict"] {
        stage.set(&json!({"rotation": rotation}));
        let browser = expired(&stage);
        let file = &sample_files()[0];
        order(&stage, &json!({"drop": "before"}));
        assert!(ask(&browser, file)["access_token"].is_string(), "{rotation}");
        assert_eq!(browser.at_box().all("refresh").len(), 2, "{rotation}");
    }
}

#[test]
fn s18_a_dead_refresh_token_ends_the_session_and_says_so() {
    let stage = alone();
    let browser = expired(&stage);
    stage.expire("refresh");
    let tab = browser.twin();
    let answer = browser.post("/api/tokens", &json!({"items": [sample_files()[0]]}));
    assert_eq!(answer.problem(401, "signed_out")["reason"], "revoked");
    assert!(browser.cookie_names().is_empty(), "the browser is told to forget it");
    assert_eq!(tab.get("/api/session").expect(200).json()["ended"], "revoked");
}

#[test]
fn a_box_that_stumbles_is_asked_again_while_the_caller_waits() {
    let stage = alone();
    for (status, grant_type) in [(500, "refresh_token"), (502, EXCHANGE), (503, "refresh_token")] {
        let browser = expired(&stage);
        let fault = json!({"method": "POST", "path": "/oauth2/token", "grant_type": grant_type});
        stage.order(&merged(&fault, &json!({"status": status, "count": 2})));
        assert!(ask(&browser, &sample_files()[0])["access_token"].is_string(), "{status} {grant_type}");
    }
}

#[test]
fn a_box_that_is_down_signs_nobody_out() {
    let stage = alone();
    let browser = expired(&stage);
    let file = &sample_files()[0];
    order(&stage, &json!({"status": 503, "count": 5}));
    let told = ask(&browser, file);
    assert_eq!((&told["error"]["code"], &told["error"]["status"]), (&json!("box_unavailable"), &json!(503)));
    assert!(browser.get("/api/session").json()["session"].is_object());
    let paused = browser.get("/api/folders/0/items");
    paused.problem(503, "box_unavailable");
    assert!(
        paused.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=5).contains(&seconds)),
        "{paused:?}"
    );
    assert_eq!(stage.count(REFRESH), 5, "nobody asks again meanwhile");
    eventually("it is asked again", PAUSE, || {
        ask(&browser, file)["access_token"].as_str().map(str::to_owned)
    });
}
