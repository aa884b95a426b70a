//! A login that goes well, in all its forms.

use serde_json::{Value, json};
use url::Url;

use crate::{
    browser::{Browser, From},
    kv::KvMode,
    test_app::{BOX, CLIENT_SECRET, LISTED, OWN, TestApp, body, header, set_cookies},
};

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut values =
        url.query_pairs().filter(|(found, _)| found == name).map(|(_, value)| value.into_owned());
    let value = values.next();
    assert_eq!(values.next(), None, "{name} is there twice");
    value
}

#[track_caller]
fn assert_signed_in(browser: &Browser) {
    let session = body(&browser.get("/api/session"));
    assert_eq!(session["session"]["user"]["login"], "robin@example.com", "{session}");
}

#[test]
fn a_person_signs_in_and_is_back_where_they_were() {
    let app = TestApp::new();
    let browser = app.browser();
    let landing = browser.go(From::Page(OWN), &format!("{OWN}/auth/login?return_to=/files%3Fid%3D7"));
    assert_eq!(landing.url.as_str(), "http://localhost:8787/files?id=7");
    app.settle();
    let session = body(&browser.get("/api/session"));
    assert_eq!(session["session"]["user"], json!({"name": "Robin Sample", "login": "robin@example.com"}));
    let in_60_days = app.world.now_ms() / 1000 + 60 * 24 * 60 * 60;
    assert!(session["session"]["expires_at"].as_u64().unwrap().abs_diff(in_60_days) < 10, "{session}");
    assert_eq!(session["ended"], Value::Null);
}

#[test]
fn the_page_learns_what_it_needs_to_show_a_file() {
    let app = TestApp::new();
    let settings = body(&app.browser().get("/api/session"))["settings"].clone();
    assert_eq!(
        settings,
        json!({
            "api_url": BOX,
            "app_url": BOX,
            "preview_library_url": format!("{BOX}/platform/preview/3.81.0/en-US/preview.js"),
            "scopes": ["base_preview", "item_preview"],
            "folders": false,
        })
    );
}

#[test]
fn s02_only_a_code_is_ever_asked_for() {
    let app = TestApp::new();
    let at_box = app.browser().leave_for_box("");
    assert_eq!(parameter(&at_box, "response_type").unwrap(), "code");
    assert_eq!(parameter(&at_box, "client_id").unwrap(), "keyhole-dev");
    assert!(!at_box.as_str().contains(CLIENT_SECRET));
    let landing = app.browser().sign_in();
    for (url, _) in landing.hops {
        assert!(parameter(&url, "access_token").is_none() && url.fragment().is_none(), "{url}");
    }
}

#[test]
fn s03_every_login_has_a_state_of_256_bits_of_its_own() {
    let app = TestApp::new();
    let browser = app.browser();
    let states: Vec<String> =
        (0..3).map(|_| parameter(&browser.leave_for_box(""), "state").unwrap()).collect();
    assert!(states.iter().all(|state| state.len() == 43), "{states:?}");
    assert!(states[0] != states[1] && states[1] != states[2]);
    let logins = browser.cookies().into_keys().filter(|name| name.contains("login")).count();
    assert_eq!(logins, 3, "a cookie for each login under way");
}

#[test]
fn two_logins_in_two_tabs_do_not_disturb_each_other() {
    let app = TestApp::new();
    let browser = app.browser();
    let (first, second) =
        (browser.up_to_callback("?return_to=/first"), browser.up_to_callback("?return_to=/second"));
    assert_eq!(browser.come_back(&second).url.path(), "/second");
    assert_eq!(browser.come_back(&first).url.path(), "/first");
    assert_signed_in(&browser);
}

#[test]
fn s06_a_fresh_challenge_is_sent_and_its_verifier_reaches_box() {
    let app = TestApp::new();
    app.tell_box("settings", json!({"pkce": true}));
    let browser = app.browser();
    let (first, second) = (browser.leave_for_box(""), browser.leave_for_box(""));
    assert_eq!(parameter(&first, "code_challenge_method").unwrap(), "S256");
    assert_ne!(parameter(&first, "code_challenge"), parameter(&second, "code_challenge"));
    browser.sign_in();
    assert_signed_in(&browser);
}

#[test]
fn s10_the_redirect_uri_is_a_constant_whatever_the_request_says() {
    let app = TestApp::new();
    let browser = app.browser();
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example"),
        ("x-original-host", "evil.example"),
    ] {
        let mut request = browser.request("GET", "/auth/login", Vec::new());
        for fetched in ["sec-fetch-mode", "sec-fetch-dest", "sec-fetch-site"] {
            request.headers_mut().remove(fetched);
        }
        request.headers_mut().insert(name, value.parse().unwrap());
        let response = app.send(request);
        let at_box = Url::parse(header(&response, "location").unwrap()).unwrap();
        assert_eq!(parameter(&at_box, "redirect_uri").unwrap(), format!("{OWN}/auth/callback"));
    }
}

#[test]
fn s11_code_and_state_stay_in_no_address() {
    let app = TestApp::new();
    let browser = app.browser();
    let callback = browser.up_to_callback("");
    let (code, state) = (parameter(&callback, "code").unwrap(), parameter(&callback, "state").unwrap());
    let landing = browser.come_back(&callback);
    assert_eq!(landing.callback().status(), 303);
    assert_eq!(header(landing.callback(), "referrer-policy"), Some("no-referrer"));
    assert!(landing.callback().body().is_empty());
    let after = &landing.hops[1..];
    assert!(!after.is_empty());
    for (url, _) in after {
        assert!(!url.as_str().contains(&code) && !url.as_str().contains(&state), "{url}");
    }
    let log = app.world.log.borrow().join("\n");
    assert!(!log.contains(&code) && !log.contains(&state), "{log}");
}

#[test]
fn s13_a_login_goes_by_302_and_comes_back_by_303() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    browser.come_back(&Url::parse(&format!("{OWN}/auth/callback?code=x")).unwrap());
    app.tell_box("settings", json!({"decision": "deny"}));
    browser.go(From::Page(OWN), &format!("{OWN}/auth/login"));
    let answers = app.answers.borrow();
    let away: Vec<u16> = answers
        .iter()
        .map(|answer| answer.status().as_u16())
        .filter(|status| (300..400).contains(status))
        .collect();
    assert_eq!(away, [302, 303, 303, 302, 303]);
}

#[test]
fn s26_the_login_cookie_is_gone_after_the_callback_and_the_session_is_fresh() {
    let app = TestApp::new();
    let browser = app.browser();
    let planted = "k1.AAAA.BBBB.CCCC";
    browser.plant("__Host-Http-keyhole", planted);
    browser.sign_in();
    let first = browser.session_cookie().unwrap();
    assert_ne!(first, planted);
    assert!(browser.cookies().keys().all(|name| !name.contains("login")), "{:?}", browser.cookies());
    browser.sign_in();
    assert_ne!(browser.session_cookie().unwrap(), first);
}

#[test]
fn s25_the_session_cookie_is_strict_and_for_this_host_only() {
    let app = TestApp::new();
    let landing = app.browser().sign_in();
    let cookies = set_cookies(landing.callback());
    let session = cookies.iter().find(|cookie| cookie.starts_with("__Host-Http-keyhole=")).unwrap();
    for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=5184000"] {
        assert!(session.contains(attribute), "{session}");
    }
    assert!(!session.contains("Domain"), "{session}");
}

#[test]
fn signing_in_anew_replaces_the_session_that_was_there() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let before = browser.session_cookie().unwrap();
    browser.sign_in();
    let after = browser.session_cookie().unwrap();
    browser.plant("__Host-Http-keyhole", &before);
    let answer = browser.get("/api/session");
    assert_eq!(body(&answer)["ended"], "replaced");
    assert!(
        set_cookies(&answer).is_empty(),
        "it could take away the cookie that the callback is just setting"
    );
    browser.plant("__Host-Http-keyhole", &after);
    assert_signed_in(&browser);
    let revoked = app.ledger("refresh").iter().filter(|(_, state)| state == "revoked").count();
    assert_eq!(revoked, 1, "{:?}", app.ledger("refresh"));
}

#[test]
fn a_store_that_is_late_full_or_down_keeps_nobody_out() {
    for mode in [KvMode::Late, KvMode::Down, KvMode::FailsAfterWriting] {
        let app = TestApp::new();
        *app.world.kv.mode.borrow_mut() = mode;
        let browser = app.browser();
        browser.sign_in();
        assert_signed_in(&browser);
        if mode != KvMode::Late {
            assert!(app.world.log.borrow()[0].contains(r#""status":302,"fault":"store_failed""#), "{mode:?}");
        }
    }
}

#[test]
fn a_login_is_written_once_and_read_once() {
    let app = TestApp::new();
    let browser = app.browser();
    let callback = browser.up_to_callback("");
    let counts = *app.world.kv.counts.borrow();
    assert_eq!((counts.reads, counts.writes, counts.deletes), (0, 1, 0));
    browser.come_back(&callback);
    assert_eq!(app.world.kv.counts.borrow().reads, 1);
}

#[test]
fn a_login_is_narrowed_hinted_and_named_as_configured() {
    let app = TestApp::with(&[
        ("LOGIN_SCOPES", "root_readonly"),
        ("BOX_DEVICE_ID", "device-7"),
        ("BOX_DEVICE_NAME", "Reading room"),
    ]);
    let browser = app.browser();
    let at_box = browser.leave_for_box("?login_hint=robin%40example.com");
    assert_eq!(parameter(&at_box, "scope").unwrap(), "root_readonly");
    assert_eq!(parameter(&at_box, "box_login").unwrap(), "robin@example.com");
    browser.sign_in();
    let to_box = app.world.to_box.borrow();
    let form = String::from_utf8_lossy(to_box[0].body()).into_owned();
    assert!(form.contains("box_device_id=device-7&box_device_name=Reading+room"), "{form}");
}

#[test]
fn without_settings_a_login_asks_for_all_of_the_apps_scopes_and_names_no_device() {
    let app = TestApp::new();
    let at_box = app.browser().leave_for_box("");
    assert_eq!((parameter(&at_box, "scope"), parameter(&at_box, "box_login")), (None, None));
}

#[test]
fn a_popup_ends_on_a_page_that_tells_its_opener() {
    let app = TestApp::new();
    for opener in [OWN, LISTED] {
        let browser = app.browser();
        let landing = browser.go(From::Page(OWN), &format!("{OWN}/auth/login?opener={opener}&return_to=/x"));
        assert_eq!((landing.url.path(), landing.response.status().as_u16()), ("/auth/done", 200));
        let told = format!(r#"data-type="keyhole:signed_in" data-target="{opener}""#);
        assert!(landing.text().contains(&told), "{}", landing.text());
        assert_eq!(header(&landing.response, "cross-origin-opener-policy"), Some("unsafe-none"));
        assert_signed_in(&browser);
    }
}

#[test]
fn a_window_that_hands_over_is_come_back_to_and_does_not_begin_anew() {
    let app = TestApp::new();
    let browser = app.browser();
    let window = browser.go(From::Page(LISTED), &format!("{OWN}/auth/hand-over?opener={LISTED}"));
    let html = window.text();
    let login = html.split_once("data-login=\"").unwrap().1.split_once('"').unwrap().0.replace("&amp;", "&");
    let landing = browser.go(From::Page(OWN), &format!("{OWN}{login}"));
    assert_eq!(landing.response.status(), 200);
    assert_eq!((landing.url.path(), parameter(&landing.url, "keyhole")), ("/auth/hand-over", None));
    assert_eq!(parameter(&landing.url, "for").as_deref(), Some("go_on"));
    assert_eq!(parameter(&landing.url, "opener").as_deref(), Some(LISTED));
    assert!(landing.text().contains(&format!(r#"data-target="{LISTED}""#)), "{}", landing.text());
    assert_eq!(header(&landing.response, "cross-origin-opener-policy"), Some("unsafe-none"));
    assert_signed_in(&browser);
}

#[test]
fn s05_the_way_back_is_sealed_and_not_in_the_addresss_hands() {
    let app = TestApp::new();
    let browser = app.browser();
    let callback = browser.up_to_callback("?return_to=/mine");
    let landing =
        browser.come_back(&Url::parse(&format!("{callback}&return_to=/theirs&opener={LISTED}")).unwrap());
    assert_eq!(landing.url.path(), "/mine");
}
