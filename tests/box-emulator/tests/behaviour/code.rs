//! `authorization_code`, and what the token endpoint refuses before any grant.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use box_emulator::Options;
use serde_json::{Value, json};

use crate::support::{Answer, CALLBACK, CREDENTIALS, Client};

const CODE_INVALID: (u16, &str, &str) =
    (400, "invalid_grant", "Auth code doesn't exist or is invalid for the client");

#[test]
fn a_code_buys_a_pair_in_box_s_words() {
    let mut client = Client::new();
    let code = client.code();
    let answer = client.redeem(&code);
    let body = answer.json();
    let names: Vec<&String> = body.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["access_token", "expires_in", "refresh_token", "restricted_to", "token_type"]);
    assert_eq!((&body["restricted_to"], &body["token_type"]), (&json!([]), &json!("bearer")));
    assert_eq!(body["access_token"].as_str().map(str::len), Some(32));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("date").is_some_and(|date| date.ends_with(" GMT")));
    assert!(answer.headers.get_all("set-cookie").iter().count() >= 4, "Box sends cookies of its own");
}

#[test]
fn expires_in_is_a_number_from_3600_to_4250_and_varies() {
    let mut client = Client::new();
    let lives: Vec<u64> = (0..40).map(|_| client.login().expires_in).collect();
    assert!(lives.iter().all(|life| (3600..=4250).contains(life)), "{lives:?}");
    assert!(lives.iter().any(|life| *life != lives[0]));
}

#[test]
fn a_setting_fixes_expires_in() {
    let mut client = Client::new();
    client.settings(json!({"access_token_seconds": 90}));
    assert_eq!(client.login().expires_in, 90);
}

#[test]
fn a_code_lives_30_seconds() {
    let mut client = Client::new();
    let (in_time, late) = (client.code(), client.code());
    client.now_ms += 29_999;
    assert_eq!(client.redeem(&in_time).status, 200);
    client.now_ms += 1;
    client.redeem(&late).is_oauth(400, "invalid_grant", "The authorization code has expired");
}

#[test]
fn a_code_is_good_once() {
    let mut client = Client::new();
    let code = client.code();
    assert_eq!(client.redeem(&code).status, 200);
    let (status, error, description) = CODE_INVALID;
    client.redeem(&code).is_oauth(status, error, description);
    client.wait(60);
    client.redeem(&code).is_oauth(status, error, description);
}

#[test]
fn a_token_is_not_a_code() {
    let mut client = Client::new();
    let pair = client.login();
    let (status, error, description) = CODE_INVALID;
    for value in [&pair.access, &pair.refresh, "guessed"] {
        client.redeem(value).is_oauth(status, error, description);
    }
    client.control("expire", json!({"kind": "access"}));
    client.redeem(&pair.access).is_oauth(status, error, description);
}

#[test]
fn a_redirect_uri_given_with_the_code_must_be_the_one_of_the_login() {
    let mut client = Client::new();
    let form = |code, uri| [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", uri)];
    let code = client.code();
    let (status, error, description) = CODE_INVALID;
    client.client_token(&form(&code, "http://localhost:8787/other")).is_oauth(status, error, description);
    assert_eq!(client.client_token(&form(&code, CALLBACK)).status, 200, "a refused try costs nothing");
}

#[test]
fn the_client_must_prove_itself_for_every_grant_but_exchange() {
    let credentials: [&[(&str, &str)]; 5] = [
        &[],
        &[("client_id", "keyhole-dev")],
        &[("client_id", "keyhole-dev"), ("client_secret", "wrong")],
        &[("client_id", "other"), CREDENTIALS[1]],
        &[("client_id", "keyhole-dev"), ("client_secret", "")],
    ];
    let mut client = Client::new();
    for given in credentials {
        let (code, pair) = (client.code(), client.login());
        for form in [
            &[("grant_type", "authorization_code"), ("code", &*code)][..],
            &[("grant_type", "refresh_token"), ("refresh_token", &*pair.refresh)],
        ] {
            let answer = client.token(&[form, given].concat());
            answer.is_oauth(400, "invalid_client", "The client credentials are invalid");
        }
        assert_eq!(client.redeem(&code).status, 200, "the code is unharmed");
    }
}

#[test]
fn credentials_in_the_header_count_only_if_told() {
    let mut client = Client::new();
    let code = client.code();
    let with_header = |client: &mut Client, credentials: &str, form: &[(&str, &str)]| {
        let form = [&[("grant_type", "authorization_code"), ("code", &*code)], form].concat();
        let header = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        client.ask("POST", "/oauth2/token").header("authorization", &header).form(&form).send()
    };
    let good = "keyhole-dev:keyhole-dev%2Dsecret-not-a-secret";
    let refused = |answer: Answer| {
        answer.is_oauth(400, "invalid_client", "The client credentials are invalid");
    };
    refused(with_header(&mut client, good, &[]));
    client.settings(json!({"basic_auth": true}));
    for wrong in ["keyhole-dev:wrong", "keyhole-dev", "", "keyhole-dev:%FF", "a&code=b:c"] {
        refused(with_header(&mut client, wrong, &[]));
    }
    let twice = with_header(&mut client, good, CREDENTIALS);
    twice.is_oauth(400, "invalid_request", "A parameter is given twice");
    with_header(&mut client, good, &[]).pair();

    let token = client.login().access;
    let header = format!("basic {}", BASE64_STANDARD.encode(good));
    let ask = client.ask("POST", "/oauth2/revoke").header("authorization", &header);
    assert_eq!(ask.form(&[("token", &token)]).send().status, 200);
    assert!(!client.works(&token));
}

#[test]
fn a_form_in_parts_is_one_only_if_told() {
    let mut client = Client::new();
    let code = client.code();
    let bring = |client: &mut Client, form: &[(&str, &str)]| {
        let part = |(name, value): &(&str, &str)| {
            format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let body = format!("{}--XX--\r\n", form.iter().map(part).collect::<String>());
        let ask = client.ask("POST", "/oauth2/token");
        let kind = [("content-type", "multipart/form-data; boundary=XX")];
        ask.raw(&kind, body.as_bytes()).send()
    };
    let form = [&[("grant_type", "authorization_code"), ("code", &*code)], CREDENTIALS].concat();
    let words = "The body is not application/x-www-form-urlencoded";
    bring(&mut client, &form).is_oauth(400, "invalid_request", words);
    client.settings(json!({"multipart_forms": true}));
    let twice = [&form[..], &[("code", "another")]].concat();
    bring(&mut client, &twice).is_oauth(400, "invalid_request", "A parameter is given twice");
    bring(&mut client, &form).pair();
    let broken = client.ask("POST", "/oauth2/token");
    let kind = [("content-type", "multipart/form-data")];
    broken.raw(&kind, b"--XX--").send().is_oauth(400, "invalid_request", words);
}

#[test]
fn every_answer_is_stored_by_nobody_dated_and_followed_by_cookies_that_mean_nothing() {
    let mut client = Client::new();
    let pair = client.login();
    let answers = [
        client.refresh(&pair.refresh),
        client.exchange(&pair.access, "item_preview", None),
        client.redeem("guessed"),
        client.revoke(&pair.access),
    ];
    for answer in answers {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("date").is_some() && answer.header("box-request-id").is_some());
        let cookies: Vec<&str> = answer
            .headers
            .get_all("set-cookie")
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split_once('=').map(|(name, _)| name))
            .collect();
        assert_eq!(cookies, ["box_visitor_id", "bv", "cn", "site_preference"]);
        let kind = if answer.body.is_empty() { None } else { Some("application/json") };
        assert_eq!(answer.header("content-type"), kind);
    }
}

#[test]
fn a_malformed_request_is_told_what_is_wrong() {
    let grant_type = "Invalid grant_type parameter or parameter missing";
    for (form, description) in [
        (&[][..], grant_type),
        (&[("grant_type", "password")], grant_type),
        (&[("grant_type", "authorization_code")], "No \"code\" parameter found"),
        (&[("grant_type", "refresh_token")], "No \"refresh_token\" parameter found"),
        (&[("grant_type", "client_credentials")], "The grant type is unauthorized for this client_id"),
        (
            &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")],
            "The grant type is unauthorized for this client_id",
        ),
        (&[("grant_type", "refresh_token"), ("grant_type", "refresh_token")], "A parameter is given twice"),
    ] {
        Client::new().client_token(form).is_oauth(400, "invalid_request", description);
    }
}

#[test]
fn only_a_posted_form_is_read() {
    let mut client = Client::new();
    let answer = client.ask("POST", "/oauth2/token").json(json!({"grant_type": "refresh_token"})).send();
    answer.is_oauth(400, "invalid_request", "The body is not application/x-www-form-urlencoded");
    let answer = client.ask("GET", "/oauth2/token?grant_type=refresh_token").send();
    answer.is_oauth(405, "invalid_request", "The method is not allowed");
    let code = client.code();
    let answer = client.ask("POST", "/oauth2/token").form(&[CREDENTIALS[0], CREDENTIALS[1]]);
    let answer = answer.header("x-code", &code).send();
    assert_eq!(answer.status, 400);
}

#[test]
fn the_addresses_of_old_clients_work_too() {
    let mut client = Client::new();
    let code = client.code();
    let form = [&[("grant_type", "authorization_code"), ("code", &*code)], CREDENTIALS].concat();
    let pair = client.ask("POST", "/api/oauth2/token").form(&form).send().pair();
    let form = [&[("token", &*pair.refresh)], CREDENTIALS].concat();
    assert_eq!(client.ask("POST", "/api/oauth2/revoke").form(&form).send().status, 200);
    assert!(!client.works(&pair.access));
    let calls = client.ask("GET", "/emulator/calls").send().json();
    assert_eq!(calls["counts"]["POST /oauth2/token authorization_code"], 1);
    assert_eq!(calls["counts"]["POST /oauth2/revoke"], 1);
}

#[test]
fn the_same_seed_gives_the_same_tokens_and_another_gives_others() {
    let login = |seed| Client::with(Options { seed, ..Options::default() }).login();
    assert_eq!(login(7), login(7));
    assert_ne!(login(7).access, login(8).access);
}

mod pkce {
    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn code_with(client: &mut Client, extra: &[(&str, &str)]) -> String {
        client.settings(json!({"decision": "grant"}));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("client_id", "keyhole-dev"),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
        ]);
        query.extend_pairs(extra);
        let answer = client.ask("GET", &format!("/api/oauth2/authorize?{}", query.finish())).send();
        let location = url::Url::parse(answer.header("location").expect("a redirect")).expect("an address");
        location.query_pairs().next().expect("a parameter").1.into_owned()
    }

    fn redeem(client: &mut Client, code: &str, verifier: Option<&str>) -> (u16, Value) {
        let mut form = vec![("grant_type", "authorization_code"), ("code", code)];
        form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        let answer = client.client_token(&form);
        (answer.status, answer.json())
    }

    #[test]
    fn box_has_none_so_by_default_it_is_ignored() {
        let mut client = Client::new();
        let code =
            code_with(&mut client, &[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]);
        assert_eq!(redeem(&mut client, &code, Some("wrong")).0, 200);
    }

    #[test]
    fn switched_on_the_verifier_must_answer_the_challenge() {
        let mut client = Client::new();
        client.settings(json!({"pkce": true}));
        let asked = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
        for wrong in [None, Some("wrong"), Some(CHALLENGE)] {
            let code = code_with(&mut client, &asked);
            let (status, body) = redeem(&mut client, &code, wrong);
            assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{wrong:?}");
        }
        let code = code_with(&mut client, &asked);
        assert_eq!(redeem(&mut client, &code, Some(VERIFIER)).0, 200);
    }

    #[test]
    fn switched_on_a_verifier_without_a_challenge_is_a_downgrade() {
        let mut client = Client::new();
        client.settings(json!({"pkce": true}));
        let code = code_with(&mut client, &[]);
        assert_eq!(redeem(&mut client, &code, Some(VERIFIER)).0, 400);
    }

    #[test]
    fn switched_on_plain_challenges_are_refused() {
        let mut client = Client::new();
        client.settings(json!({"pkce": true}));
        assert_eq!(code_with(&mut client, &[("code_challenge", VERIFIER)]), "invalid_request");
    }
}
