//! The authorize page, as a browser drives it.

use box_emulator::Options;
use serde_json::json;

use crate::support::{Answer, CALLBACK, Client};

const PATH: &str = "/api/oauth2/authorize";

/// One browser: it keeps the cookie and reads forms.
struct Browser {
    client: Client,
    cookie: Option<String>,
}

impl Browser {
    fn new() -> Self {
        Self { client: Client::new(), cookie: None }
    }

    fn open(&mut self, parameters: &[(&str, &str)]) -> Answer {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.visit(&format!("{PATH}?{query}"))
    }

    fn visit(&mut self, target: &str) -> Answer {
        let mut ask = self.client.ask("GET", target);
        if let Some(cookie) = &self.cookie {
            ask = ask.header("cookie", cookie);
        }
        let answer = ask.send();
        self.keep_cookie(&answer);
        answer
    }

    /// Sends the form of `page` whose step is `step`, with `more` filled in.
    fn submit(&mut self, page: &Answer, step: &str, more: &[(&str, &str)]) -> Answer {
        let fields = form_of(&page.text(), step);
        let mut form: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        form.extend(more);
        self.post(&form)
    }

    fn post(&mut self, form: &[(&str, &str)]) -> Answer {
        let mut ask = self.client.ask("POST", PATH).form(form);
        if let Some(cookie) = &self.cookie {
            ask = ask.header("cookie", cookie);
        }
        let answer = ask.send();
        self.keep_cookie(&answer);
        answer
    }

    fn keep_cookie(&mut self, answer: &Answer) {
        if let Some(set) = answer.header("set-cookie") {
            self.cookie = set.split(';').next().map(str::to_owned);
        }
    }

    /// To the page that asks for the decision.
    fn sign_in(&mut self, parameters: &[(&str, &str)]) -> Answer {
        let page = self.open(parameters);
        let right = [("login", "robin@example.com"), ("password", "keyhole")];
        let answer = self.submit(&page, "sign_in", &right);
        assert_eq!(answer.status, 303, "{}", answer.text());
        self.visit(answer.header("location").expect("location"))
    }
}

/// The hidden fields of one form. Our own markup, so splitting is enough.
fn form_of(page: &str, step: &str) -> Vec<(String, String)> {
    let marker = format!("name=\"step\" value=\"{step}\"");
    let form = page.split("<form").find(|form| form.contains(&marker)).expect("the form");
    let hidden = form.split("<input type=\"hidden\" name=\"").skip(1);
    hidden
        .map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"").expect("a value");
            let (value, _) = rest.split_once("\">").expect("an end");
            (name.to_owned(), unescape(value))
        })
        .collect()
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn asked<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("client_id", "keyhole-dev"), ("response_type", "code"), ("redirect_uri", CALLBACK)], more].concat()
}

#[test]
fn a_person_signs_in_reads_what_is_asked_and_grants() {
    let mut browser = Browser::new();
    let page = browser.open(&asked(&[("state", "a b&c"), ("scope", "root_readonly")]));
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Sign in to continue to Keyhole"));
    assert!(page.text().contains("This is not Box."));
    let consent = browser.sign_in(&asked(&[("state", "a b&c"), ("scope", "root_readonly")]));
    let text = consent.text();
    assert!(text.contains("Robin Sample") && text.contains("http://localhost:8787"));
    assert!(text.contains("Read all files and folders stored in Box") && !text.contains("Read and write"));
    let answer = browser.submit(&consent, "decide", &[("decision", "grant")]);
    assert_eq!(answer.status, 302);
    let location = answer.header("location").expect("location").to_owned();
    let query =
        location.strip_prefix(CALLBACK).and_then(|rest| rest.strip_prefix("?code=")).expect(&location);
    let (code, state) = query.split_once("&state=").expect("state");
    assert_eq!(state, "a+b%26c");
    let pair = browser.client.redeem(code).pair();
    assert!(browser.client.works(&pair.access));
    let upload = browser.client.exchange(&pair.access, "item_upload", None);
    assert_eq!(upload.status, 401, "the login was for reading");
}

#[test]
fn a_denial_is_told_to_the_app_in_box_s_words() {
    let mut browser = Browser::new();
    let consent = browser.sign_in(&asked(&[("state", "s")]));
    let answer = browser.submit(&consent, "decide", &[("decision", "deny")]);
    assert_eq!(answer.status, 302);
    let expected = format!(
        "{CALLBACK}?error=access_denied&error_description=The+user+denied+access+to+your+application&state=s"
    );
    assert_eq!(answer.header("location"), Some(&*expected));
    assert!(browser.client.ledger().is_empty(), "no code was issued");
}

#[test]
fn a_wrong_password_is_said_where_a_screen_reader_hears_it() {
    let mut browser = Browser::new();
    let mut page = browser.open(&asked(&[]));
    for (login, password) in [("robin@example.com", "wrong"), ("other@example.com", "keyhole"), ("", "")] {
        let answer = browser.submit(&page, "sign_in", &[("login", login), ("password", password)]);
        assert_eq!(answer.status, 200);
        let text = answer.text();
        assert!(text.contains("role=\"alert\"") && text.contains("aria-invalid=\"true\""), "{login}");
        assert!(text.contains("<title>Error: sign in"));
        assert!(text.contains(&format!("value=\"{login}\"")), "the address is still there");
        page = answer;
    }
    let right = [("login", "Robin@Example.com"), ("password", "keyhole")];
    assert_eq!(browser.submit(&page, "sign_in", &right).status, 303);
}

#[test]
fn box_login_fills_in_the_address() {
    let mut browser = Browser::new();
    let page = browser.open(&asked(&[("box_login", "robin@example.com")])).text();
    assert!(page.contains("value=\"robin@example.com\""));
    let password = page.split("name=\"password\"").nth(1).expect("the field");
    assert!(password.split('>').next().expect("its end").contains("autofocus"));
}

#[test]
fn the_second_visit_asks_only_for_the_decision() {
    let mut browser = Browser::new();
    browser.sign_in(&asked(&[]));
    browser.client.wait(24 * 60 * 60);
    let page = browser.open(&asked(&[("state", "later")])).text();
    assert!(page.contains("Grant access to Box") && !page.contains("type=\"password\""));
}

#[test]
fn somebody_else_can_sign_out_first() {
    let mut browser = Browser::new();
    let consent = browser.sign_in(&asked(&[("state", "s")]));
    let before = browser.cookie.clone();
    let answer = browser.submit(&consent, "sign_out", &[]);
    let page = browser.visit(answer.header("location").expect("location")).text();
    assert!(page.contains("type=\"password\"") && page.contains("name=\"state\" value=\"s\""));
    assert_ne!(browser.cookie, before);
    browser.cookie = before;
    assert!(browser.open(&asked(&[])).text().contains("type=\"password\""), "signed out is signed out");
}

#[test]
fn the_cookie_changes_at_sign_in_and_is_for_this_page_only() {
    let mut browser = Browser::new();
    let page = browser.open(&asked(&[]));
    let set = page.header("set-cookie").expect("a cookie").to_owned();
    assert!(set.contains("; Path=/api/oauth2;") && set.contains("HttpOnly") && set.contains("SameSite=Lax"));
    let before = browser.cookie.clone();
    browser.sign_in(&asked(&[]));
    assert_ne!(browser.cookie, before);
    browser.cookie = before;
    assert!(browser.open(&asked(&[])).text().contains("type=\"password\""), "the old name is worth nothing");
}

#[test]
fn a_page_elsewhere_cannot_send_a_grant() {
    let mut browser = Browser::new();
    let consent = browser.sign_in(&asked(&[]));
    let mut fields = form_of(&consent.text(), "decide");
    let right: Vec<(String, String)> = fields.clone();
    let refused = |browser: &mut Browser, fields: &[(String, String)], why: &str| {
        let mut form: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        form.push(("decision", "grant"));
        let answer = browser.post(&form);
        assert_eq!(answer.status, 403, "{why}");
        assert!(
            answer.header("location").is_none() && answer.text().contains("Nothing was granted"),
            "{why}"
        );
    };
    fields.retain(|(name, _)| name != "form_token");
    refused(&mut browser, &fields, "no token");
    fields.push(("form_token".to_owned(), "guessed".to_owned()));
    refused(&mut browser, &fields, "a guessed token");
    let cookie = browser.cookie.take();
    refused(&mut browser, &right, "a token without the browser's cookie");
    browser.cookie = cookie;
    let mut other = Browser { client: browser.client, cookie: None };
    other.sign_in(&asked(&[]));
    refused(&mut other, &right, "a token shown to another browser");
    assert!(other.client.ledger().is_empty());
}

#[test]
fn a_form_is_good_once_and_not_for_ever() {
    let mut browser = Browser::new();
    let consent = browser.sign_in(&asked(&[("state", "s")]));
    assert_eq!(browser.submit(&consent, "decide", &[("decision", "deny")]).status, 302);
    let again = browser.submit(&consent, "decide", &[("decision", "grant")]);
    assert_eq!(again.status, 403);
    assert!(again.text().contains("Start again") && again.text().contains("state=s"));
    let consent = browser.open(&asked(&[]));
    browser.client.wait(60 * 60);
    assert_eq!(browser.submit(&consent, "decide", &[("decision", "grant")]).status, 403);
}

#[test]
fn a_grant_without_signing_in_is_the_sign_in_page_again() {
    let mut browser = Browser::new();
    let page = browser.open(&asked(&[]));
    let mut fields = form_of(&page.text(), "sign_in");
    fields.retain(|(name, _)| name != "step");
    let mut form: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    form.extend([("step", "decide"), ("decision", "grant")]);
    let answer = browser.post(&form);
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("type=\"password\""));
}

#[test]
fn a_way_back_that_is_not_registered_is_shown_here_and_not_followed() {
    for (parameters, code) in [
        (vec![("response_type", "code"), ("redirect_uri", CALLBACK)], "invalid_client"),
        (vec![("client_id", "other"), ("redirect_uri", "https://evil.example/")], "invalid_client"),
        (asked(&[])[..2].to_vec(), ""),
        (
            vec![("client_id", "keyhole-dev"), ("redirect_uri", "https://evil.example/")],
            "redirect_uri_mismatch",
        ),
        (
            vec![("client_id", "keyhole-dev"), ("redirect_uri", "http://localhost:8787/x")],
            "redirect_uri_mismatch",
        ),
        (asked(&[("state", "a"), ("state", "b")]), "invalid_request"),
    ] {
        let answer = Browser::new().open(&parameters);
        if code.is_empty() {
            assert_eq!(answer.status, 200, "with one registered, it may be left out");
            continue;
        }
        assert_eq!(answer.status, 400, "{parameters:?}");
        assert!(answer.text().contains(&format!("<code>{code}</code>")), "{parameters:?}");
        assert!(answer.header("location").is_none() && !answer.text().contains("evil.example"));
    }
}

#[test]
fn of_several_registered_ways_back_one_must_be_named() {
    let options = Options {
        redirect_uris: Some(vec![CALLBACK.to_owned(), "https://app.example/cb".to_owned()]),
        ..Options::default()
    };
    let mut browser = Browser { client: Client::with(options), cookie: None };
    let unnamed = [("client_id", "keyhole-dev"), ("response_type", "code")];
    let answer = browser.open(&unnamed);
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("<code>redirect_uri_missing</code>"));
    let named = [unnamed[0], unnamed[1], ("redirect_uri", "https://app.example/cb")];
    assert_eq!(browser.open(&named).status, 200);
}

#[test]
fn the_port_of_a_loopback_address_is_free() {
    let mut browser = Browser::new();
    let elsewhere = "http://localhost:9999/auth/callback";
    browser.client.settings(json!({"decision": "grant"}));
    let answer =
        browser.open(&[("client_id", "keyhole-dev"), ("response_type", "code"), ("redirect_uri", elsewhere)]);
    assert!(answer.header("location").is_some_and(|location| location.starts_with(elsewhere)));
}

#[test]
fn other_faults_are_told_to_the_app() {
    for (more, error) in [
        (vec![("scope", "gcm"), ("state", "s")], "invalid_scope"),
        (vec![("scope", "manage_groups"), ("state", "s")], "invalid_scope"),
    ] {
        let answer = Browser::new().open(&asked(&more));
        assert_eq!(answer.status, 302);
        let location = answer.header("location").expect("location");
        assert!(location.starts_with(&format!("{CALLBACK}?error={error}&")), "{location}");
        assert!(location.ends_with("&state=s"));
    }
    let answer = Browser::new().open(&[("client_id", "keyhole-dev"), ("response_type", "token")]);
    assert!(
        answer
            .header("location")
            .is_some_and(|location| location.contains("error=unsupported_response_type"))
    );
}

#[test]
fn whether_errors_bring_the_state_along_is_a_switch_and_codes_always_do() {
    let mut browser = Browser::new();
    browser.client.settings(json!({"state_on_errors": false}));
    let consent = browser.sign_in(&asked(&[("state", "s")]));
    let denied = browser.submit(&consent, "decide", &[("decision", "deny")]);
    let refused = browser.open(&asked(&[("scope", "gcm"), ("state", "s")]));
    for answer in [denied, refused] {
        let location = answer.header("location").expect("location");
        assert!(location.contains("?error=") && !location.contains("state="), "{location}");
    }
    browser.client.settings(json!({"decision": "grant"}));
    let granted = browser.open(&asked(&[("state", "s")]));
    assert!(granted.header("location").is_some_and(|location| location.ends_with("&state=s")));
}

#[test]
fn a_script_can_decide_in_place_of_a_person() {
    let mut browser = Browser::new();
    browser.client.settings(json!({"decision": "grant"}));
    let answer = browser.open(&asked(&[("state", "s")]));
    assert_eq!(answer.status, 302);
    assert!(answer.header("location").is_some_and(|location| location.contains("?code=")));
    browser.client.settings(json!({"decision": "deny"}));
    let answer = browser.open(&asked(&[("state", "s")]));
    assert!(answer.header("location").is_some_and(|location| location.contains("?error=access_denied&")));
    browser.client.settings(json!({"decision": null}));
    assert_eq!(browser.open(&asked(&[])).status, 200);
}

#[test]
fn whatever_the_address_says_stays_text() {
    let nasty = "\"><script>alert(1)</script>'{{hidden}}{{title}}";
    let mut browser = Browser::new();
    let page = browser.open(&asked(&[("state", nasty), ("box_login", nasty)]));
    let text = page.text();
    assert!(!text.contains("<script") && !text.contains("script>"), "{text}");
    assert_eq!(text.matches("value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;").count(), 3);
    assert_eq!(text.matches("{{hidden}}").count(), 3, "a value is not a template");
    let consent = browser.sign_in(&asked(&[("state", nasty)]));
    let answer = browser.submit(&consent, "decide", &[("decision", "deny")]);
    let location = url::Url::parse(answer.header("location").expect("location")).expect("an address");
    let state = location.query_pairs().find(|(name, _)| name == "state").expect("state").1.into_owned();
    assert_eq!(state, nasty, "and comes back unchanged");
}

#[test]
fn the_page_runs_no_script_in_no_frame_and_leads_only_back() {
    let page = Browser::new().open(&asked(&[]));
    assert_eq!(
        page.header("content-security-policy"),
        Some(
            "default-src 'none'; style-src 'self'; form-action 'self' http://localhost:8787; base-uri 'none'; \
             frame-ancestors 'none'"
        )
    );
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(page.header(name), Some(value));
    }
    let style = Browser::new().visit("/api/oauth2/authorize.css");
    assert_eq!((style.status, style.header("content-type")), (200, Some("text/css; charset=utf-8")));
}
