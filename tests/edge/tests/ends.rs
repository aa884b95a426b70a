//! Sessions end by themselves, also where nobody looks.

use core::time::Duration;

use serde_json::json;

use crate::harness::{Browser, Worker, clock::timed, eventually, pass, sample_files, together};

// As tests/workers.toml has them for [short].
const IDLE: Duration = Duration::from_secs(5);
const ABSOLUTE: Duration = Duration::from_secs(20);

#[test]
fn s19_a_session_that_nobody_uses_ends_and_says_why() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::short());
    let tab = browser.twin();
    pass(IDLE + Duration::from_secs(1));
    let answer = browser.post("/api/tokens", &json!({"items": [sample_files()[0]]}));
    assert_eq!(answer.problem(401, "signed_out")["reason"], "idle");
    assert!(browser.cookie_names().is_empty());
    let session = tab.get("/api/session").expect(200).json();
    assert_eq!((&session["session"], &session["ended"]), (&json!(null), &json!("idle")));
}

#[test]
fn s19_the_alarm_ends_a_session_that_nobody_comes_back_to() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::short());
    browser.token(&sample_files()[0]);
    // Nobody asks the Worker anything from here on. The object is still awake, so its tokens are revoked at Box.
    eventually("its tokens are revoked at Box", 4 * IDLE, || browser.at_box().is_over().then_some(()));
    assert_eq!(browser.at_box().states("refresh"), ["revoked"]);
}

#[test]
fn s20_a_session_in_use_outlives_the_idle_limit_and_ends_at_the_absolute_one() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::short());
    let (ended, lasted) = timed(|| {
        eventually("it ends", 2 * ABSOLUTE, || {
            pass(Duration::from_millis(500));
            let session = browser.get("/api/session").expect(200).json();
            session["session"].is_null().then(|| session["ended"].clone())
        })
    });
    assert_eq!(ended, "expired");
    assert!(lasted > ABSOLUTE - Duration::from_secs(2), "{lasted:?}");
    eventually("its tokens are revoked at Box", IDLE, || browser.at_box().is_over().then_some(()));
}
