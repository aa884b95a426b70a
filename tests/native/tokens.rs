//! Narrowed tokens: one for each item, no more than asked, and no more of Box than needed.

use http::Request;
use keyhole_core::{app::KeeperUnreachable, secret::Digest};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    test_app::{BOX, TestApp, assert_problem, body, header},
};

const EXCHANGE: &str = "POST /oauth2/token token-exchange";
const REFRESH: &str = "POST /oauth2/token refresh_token";

/// What Box answers to a bearer of this token.
fn box_says(app: &TestApp, token: &str, path: &str) -> u16 {
    let request =
        Request::builder().uri(format!("{BOX}{path}")).header("authorization", format!("Bearer {token}"));
    let reply = app.world.emulator.borrow_mut().handle(request.body(Vec::new()).unwrap(), app.world.now_ms());
    reply.response.status().as_u16()
}

fn some_files(app: &TestApp, browser: &Browser) -> (String, String) {
    let folder = app.item(browser, "0", "Lighthouse");
    let file = app.item(browser, &folder, "History of the light.txt");
    (folder, file)
}

#[test]
fn a_token_opens_the_one_file_it_was_asked_for() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let (folder, file) = some_files(&app, &browser);
    let typed = format!("file_{file}");
    let handed = browser.tokens(&[&typed])[&typed].clone();
    let token = handed["access_token"].as_str().unwrap();
    assert_eq!(handed["token_type"], "bearer");
    assert_eq!(handed["scope"], "base_preview item_preview");
    assert!((1800..=4250).contains(&handed["expires_in"].as_u64().unwrap()), "{handed}");
    let objects = handed["restricted_to"].as_array().unwrap().iter().map(|entry| entry["object"].clone());
    assert!(
        objects.eq([json!({"type": "file", "id": file}), json!({"type": "file", "id": file})]),
        "{handed}"
    );
    let other = app.item(&browser, "0", "Welcome.md");
    assert_eq!(box_says(&app, token, &format!("/2.0/files/{file}")), 200);
    for path in
        [format!("/2.0/files/{other}"), format!("/2.0/folders/{folder}/items"), "/2.0/users/me".to_owned()]
    {
        assert!(box_says(&app, token, &path) >= 400, "{path}");
    }
}

#[test]
fn a_thousand_requests_for_an_open_file_cost_box_one_exchange_and_nothing_else() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let (_, file) = some_files(&app, &browser);
    let typed = format!("file_{file}");
    let first = browser.tokens(&[&typed]);
    app.settle();
    let (kv, writes, hops) =
        (*app.world.kv.counts.borrow(), app.world.object_writes.get(), app.world.hops.get());
    let calls = app.all_box_calls();
    for _ in 0..1000 {
        assert_eq!(browser.tokens(&[&typed])[&typed]["access_token"], first[&typed]["access_token"]);
    }
    assert_eq!(app.box_calls(EXCHANGE), 1);
    assert_eq!(app.all_box_calls(), calls);
    assert_eq!(*app.world.kv.counts.borrow(), kv, "no KV");
    assert_eq!(app.world.object_writes.get(), writes, "no write");
    assert_eq!(app.world.hops.get(), hops + 1000, "one hop each");
}

#[test]
fn every_asked_item_is_answered_and_a_fault_stays_with_its_item() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let (folder, file) = some_files(&app, &browser);
    let (good, bad, folder) =
        (format!("file_{file}"), "file_999999999".to_owned(), format!("folder_{folder}"));
    let tokens = browser.tokens(&[&good, &bad, &folder, &good]);
    assert_eq!(tokens.as_object().unwrap().len(), 3);
    assert!(tokens[&good]["access_token"].is_string(), "{tokens}");
    assert_eq!(tokens[&bad]["error"]["code"], "item_not_found", "{tokens}");
    assert_eq!(tokens[&bad]["error"]["status"], 404);
    assert_eq!(tokens[&folder]["error"]["code"], "folders_not_allowed", "{tokens}");
    assert_eq!(tokens[&folder]["error"]["rule"], "ALLOW_FOLDERS");
    let all_bad = browser.tokens(&[&bad, &folder]);
    assert!(all_bad.as_object().unwrap().values().all(|answer| answer["error"].is_object()), "{all_bad}");
}

#[test]
fn s24_a_folder_needs_the_operators_word_and_a_session() {
    let refused = TestApp::new();
    let browser = refused.browser();
    let answer = browser.post("/api/tokens", &json!({"items": ["folder_0"]}));
    assert_problem(&answer, 401, "signed_out");
    browser.sign_in();
    assert_eq!(browser.tokens(&["folder_0"])["folder_0"]["error"]["code"], "folders_not_allowed");
    let cookie = browser.session_cookie().unwrap();
    browser.post("/auth/logout", &json!({}));
    browser.plant("__Host-Http-keyhole", &cookie);
    let answer = browser.post("/api/tokens", &json!({"items": ["folder_0"]}));
    assert_problem(&answer, 401, "signed_out");
    assert_eq!(refused.box_calls(EXCHANGE), 0);
    let allowed = TestApp::with(&[("ALLOW_FOLDERS", "true")]);
    let browser = allowed.browser();
    browser.sign_in();
    let folder = format!("folder_{}", allowed.item(&browser, "0", "Lighthouse"));
    let tokens = browser.tokens(&[&folder]);
    assert!(tokens[&folder]["access_token"].is_string(), "{tokens}");
}

#[test]
fn s24_a_scope_beyond_policy_is_refused_by_the_name_of_the_rule() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let answer = browser.post("/api/tokens", &json!({"items": ["file_1"], "scopes": ["item_download"]}));
    assert_problem(&answer, 403, "scope_not_allowed");
    assert_eq!(body(&answer)["rule"], "ALLOWED_SCOPES");
    assert_eq!(app.box_calls(EXCHANGE), 0);
}

#[test]
fn s22_a_cached_token_with_more_scope_than_asked_is_not_handed_out() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let (_, file) = some_files(&app, &browser);
    let typed = format!("file_{file}");
    let wide = browser.tokens(&[&typed])[&typed].clone();
    let narrow = browser.post("/api/tokens", &json!({"items": [typed], "scopes": ["item_preview"]}));
    let narrow = body(&narrow)["tokens"][&typed].clone();
    assert_eq!(narrow["scope"], "item_preview", "{narrow}");
    assert_ne!(narrow["access_token"], wide["access_token"]);
    assert_eq!(app.box_calls(EXCHANGE), 2);
}

#[test]
fn s23_a_token_wider_than_asked_is_thrown_away_and_revoked() {
    for rewrite in [
        json!({"restricted_to": []}),
        json!({"restricted_to": [{"scope": "item_preview", "object": {"type": "folder", "id": "0"}}]}),
        json!({"restricted_to": [{"scope": "item_download", "object": {"type": "file", "id": "FILE"}}]}),
        json!({"issued_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}),
        json!({"refresh_token": "surprise"}),
    ] {
        let app = TestApp::new();
        let browser = app.browser();
        browser.sign_in();
        let (_, file) = some_files(&app, &browser);
        let typed = format!("file_{file}");
        let rewrite: Value = serde_json::from_str(&rewrite.to_string().replace("FILE", &file)).unwrap();
        let fault = json!({"method": "POST", "path": "/oauth2/token", "grant_type": "token-exchange", "count": 1, "rewrite": rewrite});
        app.tell_box("faults", fault);
        let tokens = browser.tokens(&[&typed]);
        assert_eq!(tokens[&typed]["error"]["code"], "token_too_wide", "{rewrite}");
        app.settle();
        let children = app.ledger("child");
        assert_eq!(children.len(), 1);
        assert_eq!(children[0].1, "revoked", "{rewrite}");
        assert!(!app.sent_out.borrow().iter().any(|text| text.contains(&children[0].0)), "{rewrite}");
    }
}

#[test]
fn fifty_callers_at_expiry_cost_one_refresh_and_have_their_tokens() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let (_, file) = some_files(&app, &browser);
    app.pass(5000);
    let request = || {
        browser.request(
            "POST",
            "/api/tokens",
            json!({"items": [format!("file_{file}")]}).to_string().into_bytes(),
        )
    };
    let answers = app.send_all((0..50).map(|_| request()).collect());
    for answer in &answers {
        assert!(body(answer)["tokens"][format!("file_{file}")]["access_token"].is_string(), "{answer:?}");
    }
    assert_eq!((app.box_calls(REFRESH), app.box_calls(EXCHANGE)), (1, 1));
}

#[test]
fn s21_every_call_to_boxs_token_address_authenticates_the_app_by_one_of_three_grants() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let (_, file) = some_files(&app, &browser);
    browser.tokens(&[&format!("file_{file}")]);
    app.pass(5000);
    browser.tokens(&[&format!("file_{file}")]);
    let mut grants = Vec::new();
    for request in app.world.to_box.borrow().iter().filter(|request| request.uri().path() == "/oauth2/token")
    {
        let form: Vec<(String, String)> = form_urlencoded::parse(request.body()).into_owned().collect();
        let value =
            |name: &str| form.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
        assert_eq!(
            (value("client_id"), value("client_secret").map(str::is_empty)),
            (Some("keyhole-dev"), Some(false))
        );
        grants.push(value("grant_type").unwrap().rsplit(':').next().unwrap().to_owned());
    }
    assert_eq!(grants, ["authorization_code", "token-exchange", "refresh_token", "token-exchange"]);
}

#[test]
fn s38_nobodys_password_is_ever_asked_for_or_sent() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    browser.tokens(&["file_1"]);
    for request in app.world.to_box.borrow().iter() {
        let body = String::from_utf8_lossy(request.body());
        assert!(!body.contains("password") && !body.contains("username"), "{body}");
    }
}

#[test]
fn s35_nothing_is_ever_sent_to_another_host_than_the_configured_one() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    browser.tokens(&["file_1"]);
    browser.get("/api/folders/0/items");
    browser.get("/api/folders/..%2f..%2fevil.example/items");
    browser.post("/auth/logout", &json!({}));
    app.settle();
    let to_box = app.world.to_box.borrow();
    assert!(to_box.len() >= 5, "{}", to_box.len());
    assert!(to_box.iter().all(|request| request.uri().to_string().starts_with(&format!("{BOX}/"))));
}

#[test]
fn s12_no_token_is_ever_in_an_address() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    browser.tokens(&["file_1"]);
    let secrets: Vec<String> = ["access", "refresh", "child"]
        .iter()
        .flat_map(|kind| app.ledger(kind))
        .map(|(value, _)| value)
        .collect();
    assert!(!secrets.is_empty());
    let to_box = app.world.to_box.borrow();
    let visited = browser.visited.borrow();
    let addresses =
        to_box.iter().map(|request| request.uri().to_string()).chain(visited.iter().map(ToString::to_string));
    for address in addresses {
        assert!(!secrets.iter().any(|secret| address.contains(secret)), "{address}");
    }
}

#[test]
fn s36_boxs_pause_is_handed_on_and_nothing_is_repeated() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    app.tell_box(
        "faults",
        json!({"method": "GET", "path": "/2.0/folders/*", "count": 5, "status": 429, "retry_after": 17}),
    );
    let answer = browser.get("/api/folders/0/items");
    assert_problem(&answer, 429, "rate_limited");
    assert_eq!(header(&answer, "retry-after"), Some("17"));
    assert_eq!(app.box_calls("GET /2.0/folders/*/items"), 1);
}

#[test]
fn s36_a_session_that_asks_for_ever_new_items_is_told_to_wait() {
    let app = TestApp::with(&[("NEW_ITEMS_PER_MINUTE", "3")]);
    let browser = app.browser();
    browser.sign_in();
    for id in 1..=3 {
        browser.tokens(&[&format!("file_{id}")]);
    }
    let tokens = browser.tokens(&["file_4"]);
    assert_eq!(tokens["file_4"]["error"]["code"], "rate_limited", "{tokens}");
    assert!(tokens["file_4"]["error"]["retry_after_seconds"].as_u64().unwrap() <= 60, "{tokens}");
    app.pass(60);
    assert_ne!(browser.tokens(&["file_4"])["file_4"]["error"]["code"], "rate_limited");
}

#[test]
fn a_keeper_that_cannot_be_asked_means_come_again() {
    for fault in [KeeperUnreachable::Overloaded, KeeperUnreachable::Slow, KeeperUnreachable::Broken] {
        let app = TestApp::new();
        let browser = app.browser();
        browser.sign_in();
        for known in ["/api/session", "/api/folders/0/items"] {
            app.world.unreachable.borrow_mut().push_back(fault);
            let answer = browser.get(known);
            assert_problem(&answer, 503, "busy");
            assert_eq!(header(&answer, "retry-after"), Some("2"));
            assert_eq!(header(&answer, "set-cookie"), None, "nobody is signed out by it");
        }
    }
}

#[test]
fn a_token_that_box_rejected_is_minted_anew_once() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let (_, file) = some_files(&app, &browser);
    let typed = format!("file_{file}");
    let dead = browser.tokens(&[&typed])[&typed]["access_token"].as_str().unwrap().to_owned();
    let ask = json!({"items": [typed], "refused": [Digest::of(&dead).hex()]});
    let fresh = body(&browser.post("/api/tokens", &ask))["tokens"][&typed].clone();
    assert_ne!(fresh["access_token"], json!(dead));
    assert_eq!(app.box_calls(EXCHANGE), 2);
    let other = json!({"items": [typed], "refused": [Digest::of("no token of ours").hex()]});
    assert_eq!(
        body(&browser.post("/api/tokens", &other))["tokens"][&typed]["access_token"],
        fresh["access_token"]
    );
    assert_eq!(app.box_calls(EXCHANGE), 2);
}

#[test]
fn a_folder_is_listed_page_by_page_with_what_a_picker_needs() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let all = body(&browser.get("/api/folders/0/items"));
    let total = all["total"].as_u64().unwrap();
    assert_eq!((all["offset"].clone(), all["limit"].clone()), (json!(0), json!(100)));
    let entries = all["entries"].as_array().unwrap();
    for entry in entries {
        let members: Vec<&str> = entry.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            members,
            ["id", "modified_at", "name", "size", "type"],
            "nothing else that Box says: {entry}"
        );
    }
    let second = body(&browser.get("/api/folders/0/items?offset=1&limit=1"));
    assert_eq!(second["entries"], json!([entries[1]]));
    assert_eq!(second["total"].as_u64(), Some(total));
    assert_problem(&browser.get("/api/folders/999999999/items"), 404, "item_not_found");
    assert_problem(&browser.get("/api/folders/x/items"), 400, "malformed_item");
    assert_problem(&browser.get("/api/folders/0/items?limit=0"), 400, "malformed_request");
}

#[test]
fn s42_what_box_says_in_its_errors_stays_here() {
    let app = TestApp::new();
    let browser = app.browser();
    browser.sign_in();
    let words = "BOXS-OWN-WORDS";
    for status in [400, 403, 404, 409, 500, 503] {
        // As often as it is asked.
        let count = if status < 500 { 1 } else { 5 };
        let fault = |method: &str, path: &str| {
            json!({"method": method, "path": path, "count": count, "status": status,
                "body": {"message": words, "error": words, "error_description": words, "code": words}})
        };
        app.tell_box("faults", fault("GET", "/2.0/folders/*"));
        assert!(browser.get("/api/folders/0/items").status().as_u16() >= 400);
        app.tell_box("faults", fault("POST", "/oauth2/token"));
        browser.tokens(&[&format!("file_{status}")]);
    }
    assert!(!app.sent_out.borrow().iter().any(|text| text.contains(words)));
    assert!(!app.world.log.borrow().iter().any(|line| line.contains(words)));
}
