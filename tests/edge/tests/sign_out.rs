//! Signing out: here at once and everywhere, at Box as soon as Box confirms.

use core::time::Duration;

use serde_json::json;

use crate::harness::{
    Browser, Worker, alone, clock::timed, disk, eventually, local_box::with_token, sample_files, together,
};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn s32_after_a_sign_out_the_same_cookie_is_worth_nothing_anywhere() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::main());
    let tabs: Vec<Browser> = (0..4).map(|_| browser.twin()).collect();
    browser.sign_out();
    let file = &sample_files()[0];
    let tokens = tabs[0].post("/api/tokens", &json!({"items": [file]}));
    assert_eq!(tokens.problem(401, "signed_out")["reason"], "signed_out");
    let items = tabs[1].get("/api/folders/0/items");
    assert_eq!(items.problem(401, "signed_out")["reason"], "signed_out");
    let session = tabs[2].get("/api/session").expect(200).json();
    assert_eq!((&session["session"], &session["ended"]), (&json!(null), &json!("signed_out")));
    tabs[3].sign_out();
    for tab in tabs {
        assert!(tab.cookie_names().is_empty(), "every tab is told to forget it");
    }
}

#[test]
fn s41_a_sign_out_revokes_the_children_and_then_the_pair() {
    let stage = alone();
    let browser = Browser::signed_in(&Worker::main());
    let token = browser.token(&sample_files()[0]);
    browser.token(&sample_files()[1]);
    // Box does what it is asked and answers late: between the two steps there is time to look.
    stage.order(&json!({"path": "/oauth2/revoke", "count": 2, "delay_ms": 2_000}));
    let (_, took) = timed(|| browser.sign_out());
    assert!(took < Duration::from_secs(1), "nobody waits for Box: {took:?}");
    eventually("the children are revoked", SOON, || {
        (browser.at_box().states("child") == ["revoked", "revoked"]).then_some(())
    });
    assert_eq!(browser.at_box().states("refresh"), ["live"], "the pair waits for its children");
    eventually("the pair is revoked", SOON, || browser.at_box().is_over().then_some(()));
    assert_eq!(stage.count("POST /oauth2/revoke"), 3);
    let id = sample_files()[0].strip_prefix("file_").unwrap();
    assert_eq!(with_token(&token, &format!("/2.0/files/{id}")).status, 401);
}

#[test]
fn s41_a_box_that_is_down_delays_no_sign_out() {
    let stage = alone();
    stage.order(&json!({"path": "/oauth2/revoke", "count": 2, "status": 503}));
    let browser = Browser::signed_in(&Worker::main());
    browser.token(&sample_files()[0]);
    let tab = browser.twin();
    browser.sign_out();
    tab.post("/api/tokens", &json!({"items": [sample_files()[0]]})).problem(401, "signed_out");
    eventually("Box was asked", SOON, || (stage.count("POST /oauth2/revoke") == 2).then_some(()));
    assert_eq!(browser.at_box().states("refresh"), ["live"], "it is still owed; `tests/native` sees it paid");
}

#[test]
fn a_sign_out_deletes_the_copy_in_kv() {
    let _stage = alone();
    let before = disk::kv_values();
    let browser = Browser::signed_in(&Worker::main());
    disk::settled();
    let during = disk::kv_values();
    let ours: Vec<_> = during.difference(&before).collect();
    // The login's record, which lives ten minutes whatever happens, and the copy of the grant.
    assert_eq!(ours.len(), 2, "{ours:?}");
    browser.sign_out();
    eventually("the copy is gone", SOON, || {
        let left = disk::kv_values();
        (ours.iter().filter(|path| left.contains(**path)).count() == 1).then_some(())
    });
}
