//! What Box's redirect can bring, and where each of it lands.

use core::time::Duration;

use serde_json::json;
use url::Url;

use crate::harness::{
    Answer, Browser, Worker, alone, answer::query_of, browser::SESSION, clock::timed, eventually,
    local_box::redeem, stage::Alone, together,
};

const SOON: Duration = Duration::from_secs(10);

/// A login that should come to nothing: the browser, and the callback's address.
#[track_caller]
fn started() -> (Browser, Url) {
    let browser = Browser::new(&Worker::main());
    let callback = browser.up_to_callback("/auth/login?return_to=/here?a=b");
    (browser, callback)
}

/// It led back to where the login came from, with the word, and left nothing behind.
#[track_caller]
fn led_back(browser: &Browser, answer: &Answer, outcome: &str) {
    let to = answer.location();
    let origin = Worker::main().origin;
    assert_eq!(to.as_str(), format!("{origin}/here?a=b&keyhole={outcome}"));
    is_clean(answer);
    assert!(browser.cookie_names().is_empty(), "{:?}", browser.cookie_names());
    assert_eq!(browser.get("/api/session").expect(200).json()["session"], json!(null));
}

/// It led to a page of words.
#[track_caller]
fn led_to_words(browser: &Browser, answer: &Answer, words: &str) {
    let to = answer.location();
    let worker = Worker::main();
    assert!(to.as_str().starts_with(&format!("{}/auth/done?end=", worker.origin)), "{to}");
    is_clean(answer);
    let page = browser.open(&format!("{}?{}", to.path(), to.query().unwrap())).expect(200);
    assert!(page.text().contains(words), "{}", page.text());
    assert!(browser.cookie(SESSION).is_none());
}

/// Item 11 of `tests/security.md`: code and state are gone, nothing is stored, nothing refers.
#[track_caller]
fn is_clean(answer: &Answer) {
    let to = answer.location();
    for name in ["code", "state", "error"] {
        assert_eq!(query_of(&to, name), None, "{to}");
    }
    assert_eq!(
        (answer.header("cache-control"), answer.header("referrer-policy")),
        ("no-store", "no-referrer")
    );
    assert!(answer.body.is_empty());
}

/// The callback's address with another value in place of a parameter's.
fn with(callback: &Url, name: &str, value: Option<&str>) -> Url {
    let pairs: Vec<(String, String)> = callback.query_pairs().into_owned().collect();
    let mut changed = callback.clone();
    let mut query = changed.query_pairs_mut();
    query.clear();
    for (found, old) in pairs {
        match value {
            Some(value) if found == name => query.append_pair(name, value),
            None if found == name => &mut query,
            _ => query.append_pair(&found, &old),
        };
    }
    drop(query);
    changed
}

/// Box still waits for the code: nobody brought it.
#[track_caller]
fn code_is_unused(browser: &Browser) {
    let family = browser.at_box();
    assert_eq!((family.states("code"), family.all("access").len()), (vec!["live"], 0));
}

#[test]
fn s11_a_success_leaves_by_303_without_code_and_state() {
    let _room = together();
    let (browser, callback) = started();
    let answer = browser.come_back(&callback);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, &*format!("{}/here?a=b", Worker::main().origin))
    );
    is_clean(&answer);
}

#[test]
fn a_denial_leads_back_with_the_word() {
    let stage = alone();
    stage.set(&json!({"decision": "deny"}));
    let (browser, callback) = started();
    assert_eq!(query_of(&callback, "error").as_deref(), Some("access_denied"));
    led_back(&browser, &browser.come_back(&callback), "denied");
}

#[test]
fn s03_a_callback_without_a_state_is_refused_without_asking_box() {
    let _room = together();
    let (browser, callback) = started();
    for state in [None, Some(""), Some("short"), Some("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")] {
        let answer = browser.come_back(&with(&callback, "state", state));
        led_to_words(&browser, &answer, "This sign-in cannot be finished");
    }
    code_is_unused(&browser);
}

#[test]
fn s03_a_callback_with_a_foreign_state_is_refused_without_asking_box() {
    let _room = together();
    let (browser, callback) = started();
    let foreign = "A".repeat(43);
    let answer = browser.come_back(&with(&callback, "state", Some(&foreign)));
    led_to_words(&browser, &answer, "This sign-in was not started here");
    code_is_unused(&browser);
}

#[test]
fn s07_a_login_that_another_browser_started_is_refused_without_asking_box() {
    let _room = together();
    let (victim, callback) = started();
    let (attacker, own) = started();
    for browser in [&Browser::new(&Worker::main()), &attacker] {
        let answer = browser.come_back(&callback);
        led_to_words(browser, &answer, "This sign-in was not started here");
    }
    code_is_unused(&victim);
    // Nor does it matter who looks: the login's cookie opens its own state only.
    let answer = attacker.come_back(&with(&own, "state", query_of(&callback, "state").as_deref()));
    led_to_words(&attacker, &answer, "This sign-in was not started here");
    code_is_unused(&attacker);
}

#[test]
fn s05_a_login_cookie_with_a_flipped_bit_opens_nothing() {
    let _room = together();
    // The store's copy opens with the cookie's secret: flip each of its two parts.
    for part in [0, 1] {
        let (browser, callback) = started();
        let name = browser.cookie_names().remove(0);
        let value = browser.cookie(&name).unwrap();
        let mut parts: Vec<String> = value.split('.').map(str::to_owned).collect();
        let flipped = if parts[part].starts_with('A') { "B" } else { "A" };
        parts[part].replace_range(..1, flipped);
        browser.plant(&name, &parts.join("."));
        let answer = browser.come_back(&callback);
        if part == 0 {
            led_to_words(&browser, &answer, "This sign-in was not started here");
            code_is_unused(&browser);
        } else {
            // KV's copy is whole, and it is the one that counts.
            assert_eq!(answer.outcome(), None, "{answer:?}");
        }
    }
}

#[test]
fn s04_a_callback_that_comes_again_finds_its_login_used() {
    let _room = together();
    let browser = Browser::new(&Worker::main());
    let callback = browser.up_to_callback("/auth/login");
    let thief = browser.twin();
    browser.come_back(&callback);
    let session = browser.cookie(SESSION).unwrap();

    // By the back button: the person is told, and stays signed in.
    let again = browser.open(&format!("{}?{}", callback.path(), callback.query().unwrap())).expect(303);
    let to = again.location();
    let words = browser.open(&format!("{}?{}", to.path(), to.query().unwrap())).expect(200);
    assert!(words.text().contains("You are signed in already"), "{}", words.text());
    assert_eq!(browser.cookie(SESSION), Some(session));

    // By who has the login's cookie too: no session, and Box is not asked again.
    let answer = thief.come_back(&callback);
    assert_eq!(answer.header("location"), format!("{}/", Worker::main().origin));
    assert!(thief.cookie(SESSION).is_none(), "{answer:?}");
    assert_eq!(browser.at_box().all("refresh").len(), 1);
    assert_eq!(browser.at_box().states("refresh"), ["live"]);
}

#[test]
fn a_code_that_box_refuses_leads_back_with_the_word() {
    let _room = together();
    let (browser, callback) = started();
    redeem(&query_of(&callback, "code").unwrap());
    led_back(&browser, &browser.come_back(&callback), "code_refused");
}

/// Orders a fault for the next code, and comes back with it.
#[track_caller]
fn with_box(stage: &Alone, fault: &serde_json::Value) -> (Browser, Answer) {
    let (browser, callback) = started();
    let mut order = json!({"method": "POST", "path": "/oauth2/token", "grant_type": "authorization_code"});
    order.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
    stage.order(&order);
    let answer = browser.come_back(&callback);
    (browser, answer)
}

#[test]
fn a_box_that_is_down_leads_back_with_the_word() {
    let stage = alone();
    for fault in [
        json!({"status": 503}),
        json!({"status": 500, "body": "<html>a page of somebody's proxy</html>"}),
        json!({"status": 429, "retry_after": 30}),
        json!({"drop": "before"}),
        json!({"drop": "after"}),
    ] {
        let (browser, answer) = with_box(&stage, &fault);
        led_back(&browser, &answer, "box_unavailable");
    }
    assert_eq!(stage.count("POST /oauth2/token authorization_code"), 5, "a code is never sent twice");
}

#[test]
fn a_box_that_is_slow_leads_back_in_ten_seconds_and_what_it_gives_later_is_revoked() {
    let stage = alone();
    let ((browser, answer), took) = timed(|| with_box(&stage, &json!({"delay_ms": 11_000})));
    led_back(&browser, &answer, "box_unavailable");
    assert!((9..13).contains(&took.as_secs()), "{took:?}");
    eventually("the pair that came too late is revoked", SOON, || {
        let pair = browser.at_box();
        (pair.states("refresh") == ["revoked"] && pair.is_over()).then_some(())
    });
}

#[test]
fn a_box_that_does_not_say_who_it_is_costs_the_name_and_not_the_session() {
    let stage = alone();
    stage.order(&json!({"method": "GET", "path": "/2.0/users/me", "status": 500}));
    let browser = Browser::signed_in(&Worker::main());
    let session = browser.get("/api/session").expect(200).json()["session"].take();
    assert!(session.is_object() && session["user"].is_null(), "{session}");
}

#[test]
fn s42_nothing_of_boxs_own_words_comes_through() {
    let stage = alone();
    let marker = "the-words-of-box-marker-4711";
    let body = json!({"error": "invalid_grant", "error_description": marker, "message": marker});
    let (browser, answer) = with_box(&stage, &json!({"status": 400, "body": body}));
    led_back(&browser, &answer, "code_refused");
    assert!(!String::from_utf8_lossy(&answer.bytes()).contains(marker));

    // Not `invalid_grant`: that would be about the parent, which is refreshed.
    let body = json!({"error": "invalid_resource", "error_description": marker, "message": marker});
    let browser = Browser::signed_in(&Worker::main());
    stage.order(
        &json!({"path": "/oauth2/token", "grant_type": "token-exchange", "status": 400, "body": body}),
    );
    stage.order(&json!({"path": "/2.0/folders/*", "status": 404, "body": body}));
    let file = &crate::harness::sample_files()[0];
    let tokens = browser.post("/api/tokens", &json!({"items": [file]}));
    let items = browser.get("/api/folders/0/items");
    for answer in [tokens, items] {
        assert!(answer.text().contains("\"code\""), "{}", answer.text());
        assert!(!String::from_utf8_lossy(&answer.bytes()).contains(marker), "{answer:?}");
    }
}

#[test]
fn a_popup_ends_on_a_page_that_tells_its_opener_and_nobody_else() {
    let _room = together();
    let worker = Worker::main();
    let browser = Browser::new(&worker);
    let encoded: String = form_urlencoded::byte_serialize(worker.origin.as_bytes()).collect();
    let callback = browser.up_to_callback(&format!("/auth/login?opener={encoded}"));
    let to = browser.come_back(&callback).location();
    assert_eq!(to.path(), "/auth/done");
    let page = browser.open(&format!("{}?{}", to.path(), to.query().unwrap())).expect(200);
    let text = page.text();
    assert!(
        text.contains("keyhole:signed_in") && text.contains(&format!("data-target=\"{}\"", worker.origin))
    );
    let nonce = text.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(page.header("content-security-policy").contains(&format!("'nonce-{nonce}'")), "{page:?}");
    assert_eq!(page.header("cross-origin-opener-policy"), "unsafe-none");

    let evil = browser.open("/auth/login?opener=https%3A%2F%2Fevil.example");
    assert_eq!((evil.status, evil.cookies().len()), (403, 0), "{evil:?}");
}

#[test]
fn s09_a_login_returns_to_no_foreign_place() {
    let _room = together();
    let browser = Browser::new(&Worker::main());
    for place in
        ["//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "%2F%2Fevil"]
    {
        let encoded: String = form_urlencoded::byte_serialize(place.as_bytes()).collect();
        let answer = browser.open(&format!("/auth/login?return_to={encoded}"));
        assert_eq!((answer.status, answer.cookies().len()), (403, 0), "{place}: {answer:?}");
    }
}
