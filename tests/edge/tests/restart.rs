//! workerd dies and comes back.

use core::time::Duration;
use std::thread;

use serde_json::json;

use crate::harness::{Browser, alone, eventually, own_worker::OwnWorker, sample_files};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_session_survives_the_death_of_its_process_and_what_ended_meanwhile_is_refreshed_silently() {
    let stage = alone();
    let mut own = OwnWorker::start();
    let browser = Browser::signed_in(&own.worker());
    let (first, second) = (&sample_files()[0], &sample_files()[1]);
    let token = browser.token(first);
    own.kill();
    stage.expire("access");
    own.restart();
    let session = browser.get("/api/session").expect(200).json();
    assert_eq!(session["session"]["user"]["login"], "robin@example.com");
    assert_eq!(browser.token(first), token, "a narrowed token is kept with it");
    browser.token(second);
    assert_eq!(browser.at_box().all("refresh").len(), 2);

    // And in the middle of a refresh: Box has committed, its answer is on the way, the process dies.
    stage.expire("access");
    stage.order(&json!({"path": "/oauth2/token", "grant_type": "refresh_token", "delay_ms": 60_000}));
    thread::scope(|scope| {
        let third = &sample_files()[2];
        scope.spawn(|| {
            // Nobody answers any more: what this caller sees is its own affair.
            let _ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| browser.tokens(&[third])));
        });
        eventually("Box has committed", SOON, || (browser.at_box().all("refresh").len() == 3).then_some(()));
        own.kill();
    });
    own.restart();
    eventually("the pair is brought again", SOON, || {
        let tokens = browser.tokens(&[&sample_files()[3]]);
        tokens[&sample_files()[3]]["access_token"].is_string().then_some(())
    });
    assert_eq!(browser.at_box().all("refresh").len(), 3, "the same pair, not a fourth");
    assert!(own.log().contains(r#""act":"rotated""#) && own.log().contains(r#""recovered":"replayed""#));
}
