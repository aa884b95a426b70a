//! A login that does not go well: each way has its own word, and none of them asks Box more than it must.

use keyhole_core::app::KeeperUnreachable;
use serde_json::json;
use url::Url;

use crate::{
    browser::{Browser, From, Landing},
    kv::KvMode,
    test_app::{LISTED, OWN, TestApp, assert_problem, body, header, set_cookies},
};

fn with(url: &Url, name: &str, value: &str) -> Url {
    let kept: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(found, _)| found != name).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair(name, value);
    url
}

fn without(url: &Url, name: &str) -> Url {
    let kept: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(found, _)| found != name).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(kept);
    url
}

/// On a page of words, with nothing done.
#[track_caller]
fn assert_told(landing: &Landing, words: &str) {
    assert_eq!(landing.callback().status(), 303);
    assert_eq!((landing.url.path(), landing.response.status().as_u16()), ("/auth/done", 200));
    assert!(landing.text().contains(words), "{}", landing.text());
    assert!(
        landing.text().contains("/auth/login") || landing.text().contains("Continue"),
        "{}",
        landing.text()
    );
    assert_no_session(landing);
}

/// Back at the page, with the word.
#[track_caller]
fn assert_returned(landing: &Landing, outcome: &str) {
    assert_eq!(landing.callback().status(), 303);
    assert_eq!(landing.outcome().as_deref(), Some(outcome), "{}", landing.url);
    assert_no_session(landing);
    let cleared = set_cookies(landing.callback())
        .iter()
        .any(|cookie| cookie.contains("login-") && cookie.contains("Max-Age=0"));
    assert!(cleared, "the login cookie is deleted at the callback");
}

#[track_caller]
fn assert_no_session(landing: &Landing) {
    let sessions = set_cookies(landing.callback())
        .into_iter()
        .filter(|cookie| cookie.starts_with("__Host-Http-keyhole="));
    assert_eq!(sessions.count(), 0);
}

#[track_caller]
fn assert_signed_out(browser: &Browser) {
    let answer = browser.get("/api/session");
    assert_eq!((answer.status().as_u16(), &body(&answer)["session"]), (200, &json!(null)));
}

#[test]
fn a_person_who_says_no_is_back_with_that_word() {
    let app = TestApp::new();
    app.tell_box("settings", json!({"decision": "deny"}));
    let browser = app.browser();
    let landing = browser.go(From::Page(OWN), &format!("{OWN}/auth/login?return_to=/files"));
    assert_returned(&landing, "denied");
    assert_eq!(landing.url.path(), "/files");
    assert_eq!(app.all_box_calls(), 0);
    assert_signed_out(&browser);
}

#[test]
fn a_popup_whose_person_says_no_tells_its_opener() {
    let app = TestApp::new();
    app.tell_box("settings", json!({"decision": "deny"}));
    let landing = app.browser().go(From::Page(OWN), &format!("{OWN}/auth/login?opener={LISTED}"));
    assert_told(&landing, "You did not grant access");
    let told = format!(r#"data-type="keyhole:failed" data-target="{LISTED}""#);
    assert!(landing.text().contains(&told), "{}", landing.text());
}

#[test]
fn s03_a_callback_without_a_state_is_refused() {
    let app = TestApp::new();
    let browser = app.browser();
    let callback = browser.up_to_callback("");
    for wrong in [
        without(&callback, "state"),
        with(&callback, "state", "short"),
        without(&without(&callback, "state"), "code"),
    ] {
        assert_told(&browser.come_back(&wrong), "This sign-in cannot be finished");
    }
    assert_eq!(app.all_box_calls(), 0);
}

#[test]
fn s03_a_state_that_this_browser_did_not_start_is_refused() {
    let app = TestApp::new();
    let browser = app.browser();
    let callback = browser.up_to_callback("");
    let other = with(&callback, "state", &"A".repeat(43));
    assert_told(&browser.come_back(&other), "This sign-in was not started here");
    assert_eq!(app.all_box_calls(), 0);
    assert_eq!(app.world.hops.get(), 0, "no keeper is woken for it");
}

#[test]
fn s07_a_callback_of_another_browsers_login_is_refused_without_asking_box() {
    let app = TestApp::new();
    let (attacker, victim) = (app.browser(), app.browser());
    let callback = attacker.up_to_callback("");
    assert_told(&victim.come_back(&callback), "This sign-in was not started here");
    assert_signed_out(&victim);
    // Nor with a login cookie of the victim's own under that name.
    victim.leave_for_box("");
    let own = victim.cookies().into_iter().find(|(name, _)| name.contains("login")).unwrap().1;
    let name = attacker.cookies().into_keys().find(|name| name.contains("login")).unwrap();
    for mode in [KvMode::Works, KvMode::Late, KvMode::Down] {
        *app.world.kv.mode.borrow_mut() = mode;
        victim.plant(&name, &own);
        assert_told(&victim.come_back(&callback), "This sign-in was not started here");
    }
    assert_eq!((app.all_box_calls(), app.world.hops.get()), (0, 0));
}

#[test]
fn s03_a_login_that_took_longer_than_ten_minutes_is_over() {
    let app = TestApp::new();
    let browser = app.browser();
    let in_time = browser.leave_for_box("?return_to=/in-time");
    let too_late = browser.leave_for_box("?return_to=/too-late");
    app.pass(599);
    assert_eq!(browser.come_back(&browser.granted(&in_time)).url.as_str(), format!("{OWN}/in-time"));
    app.pass(1);
    let landing = browser.come_back(&browser.granted(&too_late));
    assert_returned(&landing, "state_expired");
    assert_eq!(landing.url.path(), "/too-late");
}

#[test]
fn s04_a_state_is_good_for_one_callback() {
    let app = TestApp::new();
    let browser = app.browser();
    let callback = browser.up_to_callback("");
    let login = browser.cookies();
    browser.come_back(&callback);
    app.settle();
    let session = browser.session_cookie().unwrap();
    let redeemed = app.box_calls("POST /oauth2/token authorization_code");
    // By the same browser, from its history.
    assert_told(&browser.go(From::Typed, callback.as_str()), "You are signed in already");
    // From Box once more, where the session cookie does not come along.
    assert_told(&browser.come_back(&callback), "This sign-in was not started here");
    // By one that kept the login's cookie, with the same code and with a fresh one.
    let keeper_of_cookies = app.browser();
    for callback in [callback.clone(), with(&callback, "code", "another")] {
        login.iter().for_each(|(name, value)| keeper_of_cookies.plant(name, value));
        let landing = keeper_of_cookies.come_back(&callback);
        assert_no_session(&landing);
        assert_signed_out(&keeper_of_cookies);
    }
    assert_eq!(app.box_calls("POST /oauth2/token authorization_code"), redeemed);
    assert_eq!(browser.session_cookie().unwrap(), session, "and nothing happened to the session");
    assert!(body(&browser.get("/api/session"))["session"]["user"].is_object());
}

#[test]
fn s04_of_two_callbacks_at_the_same_instant_exactly_one_opens() {
    let app = TestApp::new();
    let browser = app.browser();
    let callback = browser.up_to_callback("?return_to=/files");
    let request = || {
        let mut request = browser.request("GET", "/", Vec::new());
        *request.uri_mut() = callback.as_str().parse().unwrap();
        request
    };
    let answers = app.send_all(vec![request(), request(), request()]);
    let sessions = |answer: &http::Response<_>| {
        set_cookies(answer).iter().any(|cookie| cookie.starts_with("__Host-Http-keyhole="))
    };
    assert_eq!(answers.iter().filter(|answer| sessions(answer)).count(), 1);
    for answer in &answers {
        assert_eq!(
            (answer.status().as_u16(), header(answer, "location")),
            (303, Some("http://localhost:8787/files"))
        );
    }
    assert_eq!(app.box_calls("POST /oauth2/token authorization_code"), 1);
}

#[test]
fn s05_a_login_record_with_a_byte_changed_leads_nowhere() {
    let app = TestApp::new();
    *app.world.kv.mode.borrow_mut() = KvMode::Late;
    let browser = app.browser();
    let callback = browser.up_to_callback("");
    let (name, value) = browser.cookies().into_iter().find(|(name, _)| name.contains("login")).unwrap();
    for at in (0..value.len()).step_by(7) {
        let mut changed = value.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        browser.plant(&name, &String::from_utf8(changed).unwrap());
        let landing = browser.come_back(&callback);
        assert_eq!(landing.url.path(), "/auth/done", "{at}");
        assert_no_session(&landing);
    }
    assert_eq!((app.all_box_calls(), app.world.hops.get()), (0, 0));
}

#[test]
fn s05_a_login_record_planted_in_the_store_leads_nowhere() {
    let app = TestApp::new();
    let browser = app.browser();
    let first = browser.up_to_callback("");
    let key = app.world.kv.dump()[0].0.clone();
    browser.up_to_callback("?return_to=/other");
    let other = app.world.kv.dump().into_iter().find(|(found, _)| *found != key).unwrap().1;
    app.world.kv.plant(&key, other);
    assert_told(&browser.come_back(&first), "This sign-in was not started here");
}

/// A code stolen within its half minute and put into the thief's own login.
fn injected(pkce: bool) -> (Landing, Browser) {
    let app = TestApp::new();
    app.tell_box("settings", json!({ "pkce": pkce }));
    let (thief, victim) = (app.browser(), app.browser());
    let stolen = victim.up_to_callback("");
    let code = stolen.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let own = thief.up_to_callback("");
    (thief.come_back(&with(&own, "code", &code)), thief)
}

#[test]
fn s06_with_pkce_at_box_a_stolen_code_is_worth_nothing() {
    let (landing, thief) = injected(true);
    assert_returned(&landing, "code_refused");
    assert_signed_out(&thief);
}

/// Box has no PKCE today: this is the residual risk that the threat model names.
#[test]
fn s06_without_pkce_at_box_a_stolen_code_works_once() {
    let (_, thief) = injected(false);
    assert!(body(&thief.get("/api/session"))["session"].is_object());
}

#[test]
fn s08_an_issuer_other_than_the_one_the_login_went_to_aborts() {
    let app = TestApp::new();
    let browser = app.browser();
    let callback = with(&browser.up_to_callback(""), "iss", "https://evil.example");
    assert_returned(&browser.come_back(&callback), "failed");
    assert_eq!(app.all_box_calls(), 0);
    let right = with(&browser.up_to_callback(""), "iss", "http://127.0.0.1:9400");
    browser.come_back(&right);
    assert!(browser.session_cookie().is_some());
}

#[test]
fn an_error_without_a_state_of_ours_is_not_acted_on() {
    let app = TestApp::new();
    let browser = app.browser();
    let callback = browser.up_to_callback("");
    let planted = Url::parse(&format!("{OWN}/auth/callback?error=access_denied")).unwrap();
    assert_told(&browser.come_back(&planted), "This sign-in cannot be finished");
    browser.come_back(&callback);
    assert!(browser.session_cookie().is_some(), "the login under way goes on");
}

#[test]
fn a_code_that_box_refuses_is_told() {
    let app = TestApp::new();
    let browser = app.browser();
    let at_box = browser.up_to_callback("?return_to=/files");
    app.pass(31);
    let landing = browser.come_back(&at_box);
    assert_returned(&landing, "code_refused");
    assert_eq!(landing.url.path(), "/files");
    assert_signed_out(&browser);
    browser.sign_in();
}

#[test]
fn a_box_that_is_down_or_cuts_the_line_is_told() {
    for fault in
        [json!({"status": 503}), json!({"drop": "before"}), json!({"drop": "after"}), json!({"status": 429})]
    {
        let app = TestApp::new();
        let browser = app.browser();
        let callback = browser.up_to_callback("");
        let mut order = json!({"method": "POST", "path": "/oauth2/token", "count": 1});
        order.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        app.tell_box("faults", order);
        assert_returned(&browser.come_back(&callback), "box_unavailable");
        assert_signed_out(&browser);
    }
}

#[test]
fn a_box_that_is_slow_is_waited_for_ten_seconds_and_leaves_no_session_behind() {
    let app = TestApp::new();
    let browser = app.browser();
    let callback = browser.up_to_callback("");
    app.tell_box(
        "faults",
        json!({"method": "POST", "path": "/oauth2/token", "count": 1, "delay_ms": 20_000}),
    );
    let before = app.world.now_ms();
    assert_returned(&browser.come_back(&callback), "box_unavailable");
    assert_eq!(app.world.now_ms() - before, 10_000);
    app.pass(60);
    let states: Vec<String> = app.ledger("refresh").into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["revoked"], "nobody holds that session's cookie, so its tokens go");
}

#[test]
fn a_keeper_that_cannot_be_asked_is_told() {
    for (fault, outcome) in [
        (KeeperUnreachable::Slow, "box_unavailable"),
        (KeeperUnreachable::Overloaded, "failed"),
        (KeeperUnreachable::Broken, "failed"),
    ] {
        let app = TestApp::new();
        let browser = app.browser();
        let callback = browser.up_to_callback("");
        app.world.unreachable.borrow_mut().push_back(fault);
        assert_returned(&browser.come_back(&callback), outcome);
    }
}

#[test]
fn a_name_that_box_does_not_tell_costs_no_session() {
    let app = TestApp::new();
    app.tell_box("faults", json!({"method": "GET", "path": "/2.0/users/me", "count": 1, "status": 503}));
    let browser = app.browser();
    browser.sign_in();
    let session = body(&browser.get("/api/session"));
    assert_eq!(
        (session["session"]["user"].clone(), session["session"]["expires_at"].is_u64()),
        (json!(null), true)
    );
}

#[test]
fn s31_a_login_is_started_by_a_navigation_and_never_ahead_of_one() {
    let app = TestApp::new();
    let browser = app.browser();
    let start = |changes: &[(&'static str, &str)]| {
        let mut request = browser.request("GET", "/auth/login", Vec::new());
        for (name, value) in
            [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")].iter().chain(changes)
        {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        app.send(request)
    };
    assert_eq!(start(&[]).status(), 302);
    assert_eq!(start(&[("sec-fetch-site", "cross-site")]).status(), 302);
    for wrong in [
        ("sec-purpose", "prefetch"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-dest", "image"),
    ] {
        assert_problem(&start(&[wrong]), 403, "not_a_navigation");
    }
    assert_eq!(app.world.kv.counts.borrow().writes, 2, "what is refused writes nothing");
}

#[test]
fn s09_a_login_that_would_return_elsewhere_does_not_start() {
    let app = TestApp::new();
    let browser = app.browser();
    for wrong in [
        "//evil.example",
        "/%5Cevil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "https://app.example.com.evil.example",
    ] {
        let query: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("return_to", wrong).finish();
        let mut request = browser.request("GET", &format!("/auth/login?{query}"), Vec::new());
        request.headers_mut().insert("sec-fetch-mode", "navigate".parse().unwrap());
        request.headers_mut().insert("sec-fetch-dest", "document".parse().unwrap());
        assert_problem(&app.send(request), 403, "return_to_not_allowed");
    }
    let listed = browser.go(From::Page(OWN), &format!("{OWN}/auth/login?opener=https://evil.example"));
    assert_eq!((listed.response.status().as_u16(), listed.url.path()), (403, "/auth/login"));
    assert!(listed.text().contains("opener must be"), "a person reads words: {}", listed.text());
    assert_eq!(app.world.kv.counts.borrow().writes, 0);
}

#[test]
fn s36_too_many_logins_from_one_address_are_told_to_wait() {
    let app = TestApp::new();
    app.login_admitted.set(false);
    let browser = app.browser();
    let mut request = browser.request("GET", "/auth/login", Vec::new());
    request.headers_mut().insert("sec-fetch-mode", "navigate".parse().unwrap());
    request.headers_mut().insert("sec-fetch-dest", "document".parse().unwrap());
    request.headers_mut().insert("cf-connecting-ip", "203.0.113.9".parse().unwrap());
    let answer = app.send(request);
    assert_problem(&answer, 429, "rate_limited");
    assert_eq!(header(&answer, "retry-after"), Some("60"));
    assert_eq!(app.world.kv.counts.borrow().writes, 0);
    assert_eq!(browser.get("/api/session").status(), 200, "nothing else is limited by it");
}
