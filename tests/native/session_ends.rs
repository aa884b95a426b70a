//! A session ends: by its person, by its limits, by Box. Each end has its word, and nothing comes after it.

use keyhole_core::secret::MasterKey;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    test_app::{TestApp, assert_problem, body, set_cookies},
};

const DAY: u64 = 24 * 60 * 60;

/// That the session is over with this reason, at every address.
#[track_caller]
fn assert_ended(browser: &Browser, cookie: &str, reason: &str) {
    browser.plant("__Host-Http-keyhole", cookie);
    let tokens = browser.post("/api/tokens", &json!({"items": ["file_1"]}));
    assert_problem(&tokens, 401, "signed_out");
    assert_eq!(body(&tokens)["reason"], reason);
    assert!(set_cookies(&tokens)[0].starts_with("__Host-Http-keyhole=;"), "the cookie goes");
    browser.plant("__Host-Http-keyhole", cookie);
    let items = browser.get("/api/folders/0/items");
    assert_problem(&items, 401, "signed_out");
    browser.plant("__Host-Http-keyhole", cookie);
    let session = body(&browser.get("/api/session"));
    assert_eq!((session["session"].clone(), session["ended"].clone()), (Value::Null, json!(reason)));
    assert_eq!(browser.session_cookie(), None, "the browser lets go of it");
}

#[test]
fn s32_after_sign_out_the_same_cookie_opens_nothing_even_in_a_fresh_instance() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let cookie = browser.session_cookie().unwrap();
    let answer = browser.post("/auth/logout", &json!({}));
    assert_eq!(answer.status(), 204);
    assert!(set_cookies(&answer)[0].starts_with("__Host-Http-keyhole=;"));
    assert_ended(&browser, &cookie, "signed_out");
    app.settle();
    app.world.objects.borrow_mut().values_mut().for_each(crate::objects::Object::evict);
    assert_ended(&browser, &cookie, "signed_out");
}

#[test]
fn s31_sign_out_revokes_children_and_pair_at_box() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let file = format!("file_{}", app.item(&browser, "0", "Welcome.md"));
    browser.tokens(&[&file]);
    browser.post("/auth/logout", &json!({}));
    app.settle();
    for kind in ["child", "access", "refresh"] {
        let tokens = app.ledger(kind);
        assert!(
            !tokens.is_empty() && tokens.iter().all(|(_, state)| state == "revoked"),
            "{kind}: {tokens:?}"
        );
    }
    assert!(app.world.kv.dump().iter().all(|(key, _)| !key.starts_with("grant:")), "the copy goes too");
}

#[test]
fn signing_out_twice_or_without_a_session_is_no_fault() {
    let app = TestApp::new();
    let browser = app.browser();
    assert_eq!(browser.post("/auth/logout", &json!({})).status(), 204);
    browser.sign_in();
    let cookie = browser.session_cookie().unwrap();
    assert_eq!(browser.post("/auth/logout", &json!({})).status(), 204);
    browser.plant("__Host-Http-keyhole", &cookie);
    assert_eq!(browser.post("/auth/logout", &json!({})).status(), 204);
    browser.plant("__Host-Http-keyhole", "rubbish");
    assert_eq!(browser.post("/auth/logout", &json!({})).status(), 204);
}

#[test]
fn a_sign_out_that_no_keeper_heard_is_not_called_one() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    app.world.unreachable.borrow_mut().push_back(keyhole_core::app::KeeperUnreachable::Broken);
    let answer = browser.post("/auth/logout", &json!({}));
    assert_problem(&answer, 503, "busy");
    assert!(set_cookies(&answer).is_empty(), "the browser can try again");
    assert_eq!(browser.post("/auth/logout", &json!({})).status(), 204);
}

#[test]
fn s31_asking_who_is_signed_in_mints_nothing_and_asks_box_nothing() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let calls = app.all_box_calls();
    for _ in 0..20 {
        assert!(body(&browser.get("/api/session"))["session"].is_object());
    }
    assert_eq!(app.all_box_calls(), calls);
    assert!(app.ledger("child").is_empty());
}

#[test]
fn s18_when_box_no_longer_knows_the_grant_the_session_ends_in_words() {
    let app = TestApp::with(&[("SESSION_IDLE_SECONDS", "5184000")]);
    let browser = app.browser();
    browser.sign_in();
    let cookie = browser.session_cookie().unwrap();
    app.tell_box("expire", json!({"kind": "refresh"}));
    app.tell_box("expire", json!({"kind": "access"}));
    app.pass(2 * 60 * 60);
    let answer = browser.post("/api/tokens", &json!({"items": ["file_1"]}));
    assert_problem(&answer, 401, "signed_out");
    assert_ended(&browser, &cookie, "revoked");
}

#[test]
fn s19_a_session_not_used_for_the_idle_limit_ends() {
    let app = TestApp::with(&[("SESSION_IDLE_SECONDS", "86400")]);
    let browser = app.browser();
    browser.sign_in();
    let cookie = browser.session_cookie().unwrap();
    for _ in 0..3 {
        app.pass(DAY / 2);
        assert!(body(&browser.get("/api/session"))["session"].is_object(), "use keeps it alive");
    }
    app.pass(DAY + 1);
    assert_ended(&browser, &cookie, "idle");
}

#[test]
fn s20_a_session_ends_at_its_absolute_limit_however_much_it_is_used() {
    let app = TestApp::with(&[("SESSION_IDLE_SECONDS", "86400"), ("SESSION_ABSOLUTE_SECONDS", "172800")]);
    let browser = app.browser();
    browser.sign_in();
    let cookie = browser.session_cookie().unwrap();
    for _ in 0..3 {
        app.pass(DAY / 2);
        assert!(body(&browser.get("/api/session"))["session"].is_object());
    }
    app.pass(DAY / 2 + 1);
    assert_ended(&browser, &cookie, "expired");
}

#[test]
fn a_session_lives_on_when_its_object_and_then_the_objects_storage_is_lost() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    app.world.objects.borrow_mut().values_mut().for_each(crate::objects::Object::evict);
    assert!(body(&browser.get("/api/session"))["session"]["user"].is_object());
    app.settle();
    for object in app.world.objects.borrow_mut().values_mut() {
        object.evict();
        object.storage.clear();
        object.alarm = None;
    }
    let session = body(&browser.get("/api/session"));
    assert!(session["session"]["user"].is_object(), "KV has the copy: {session}");
}

/// The caller is told that there is none, which is no fault; the operator may want to know why.
#[test]
fn the_log_says_why_there_was_no_session() {
    let app = TestApp::new();
    let browser = app.browser();
    let asked = || {
        browser.get("/api/session");
        let line = app.world.log.borrow().last().cloned().unwrap();
        serde_json::from_str::<Value>(&line).unwrap()
    };
    assert_eq!((&asked()["fault"], &asked()["status"]), (&json!("no_session"), &json!(200)));
    browser.plant("__Host-Http-keyhole", "rubbish");
    assert_eq!(asked()["fault"], "dead_cookie");
    browser.sign_in();
    let cookie = browser.session_cookie().unwrap();
    assert_eq!(asked()["fault"], Value::Null);
    browser.post("/auth/logout", &json!({}));
    browser.plant("__Host-Http-keyhole", &cookie);
    assert_eq!(asked()["fault"], "ended");
}

#[test]
fn a_change_of_keys_renews_the_cookie_and_a_missing_key_is_named_in_the_log() {
    let key = |n: u8| format!("k{n}:{}", MasterKey::new([n; 32]).expose_text());
    let app = TestApp::with(&[("SEAL_KEYS", &key(1))]);
    let browser = app.browser();
    browser.sign_in();
    assert!(set_cookies(&browser.get("/api/session")).is_empty());
    let old = browser.session_cookie().unwrap();

    app.deploy(&[("SEAL_KEYS", &format!("{},{}", key(2), key(1)))]);
    let answer = browser.get("/api/session");
    assert!(body(&answer)["session"].is_object());
    assert!(set_cookies(&answer)[0].starts_with("__Host-Http-keyhole=k2."), "{:?}", set_cookies(&answer));
    assert!(set_cookies(&browser.get("/api/session")).is_empty(), "once is enough");
    let new = browser.session_cookie().unwrap();

    app.deploy(&[("SEAL_KEYS", &key(2))]);
    browser.plant("__Host-Http-keyhole", &old);
    assert_problem(&browser.get("/api/session"), 503, "locked");
    let line = app.world.log.borrow().last().cloned().unwrap();
    assert!(line.contains(r#""fault":"unknown_key","missing_key":"k1""#), "{line}");
    assert_eq!(browser.session_cookie(), Some(old), "nobody is signed out");
    browser.plant("__Host-Http-keyhole", &new);
    // Its grant has not been written since: it needs the old key still.
    assert_problem(&browser.get("/api/session"), 503, "not_configured");
}

#[test]
fn a_key_with_another_value_signs_nobody_out_and_is_named_in_the_log() {
    let key = |n: u8| format!("k1:{}", MasterKey::new([n; 32]).expose_text());
    let app = TestApp::with(&[("SEAL_KEYS", &key(1))]);
    let browser = app.browser();
    browser.sign_in();
    app.deploy(&[("SEAL_KEYS", &key(2))]);
    for answer in [
        browser.get("/api/session"),
        browser.post("/api/tokens", &json!({"items": ["file_1"]})),
        browser.post("/auth/logout", &json!({})),
    ] {
        assert_problem(&answer, 503, "locked");
        assert!(set_cookies(&answer).is_empty(), "the cookie holds the only copy of the session's secret");
        let line = app.world.log.borrow().last().cloned().unwrap();
        assert!(line.contains(r#""fault":"wrong_key","missing_key":"k1""#), "{line}");
    }
    app.deploy(&[("SEAL_KEYS", &key(1))]);
    assert!(body(&browser.get("/api/session"))["session"].is_object());
}

#[test]
fn a_keeper_that_knows_of_no_session_takes_no_cookie_because_kv_may_know_it_again() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    app.settle();
    for object in app.world.objects.borrow_mut().values_mut() {
        object.evict();
        object.storage.clear();
        object.alarm = None;
    }
    let copies = app.world.kv.dump();
    for (key, _) in &copies {
        app.world.kv.delete(key).unwrap();
    }
    let answer = browser.post("/api/tokens", &json!({"items": ["file_1"]}));
    assert_problem(&answer, 401, "signed_out");
    assert!(set_cookies(&answer).is_empty());
    for (key, value) in copies {
        app.world.kv.plant(&key, value);
    }
    assert!(body(&browser.get("/api/session"))["session"].is_object(), "a read that lagged behind");
}

#[test]
fn who_signs_out_with_the_cookie_of_an_older_key_is_not_given_a_new_one() {
    let key = |n: u8| format!("k{n}:{}", MasterKey::new([n; 32]).expose_text());
    let app = TestApp::with(&[("SEAL_KEYS", &key(1))]);
    let browser = app.browser();
    browser.sign_in();
    app.deploy(&[("SEAL_KEYS", &format!("{},{}", key(2), key(1)))]);
    let answer = browser.post("/auth/logout", &json!({}));
    assert_eq!(set_cookies(&answer).len(), 1, "{:?}", set_cookies(&answer));
    assert_eq!(browser.session_cookie(), None);
}
