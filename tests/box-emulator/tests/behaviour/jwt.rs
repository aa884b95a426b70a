//! JWT assertions: what an app signs, and what Box says to each mistake in it.

use serde_json::{Value, json};

use crate::signer::{AUDIENCE, JWT_APP, JWT_BEARER, JWT_CREDENTIALS, Signer, bring};
use crate::support::{Client, PREVIEW};

const ENTERPRISE: &str = "900000001";
const ROBIN: &str = "1100000001";
const SERVICE_ACCOUNT: &str = "1100000003";
const APP_USER: &str = "1100000004";

const EXP: &str = "Current date/time MUST be before the expiration date/time listed in the 'exp' claim";
const JTI: &str = "Please check the 'jti' claim. A unique 'jti' value is required.";
const SUB: &str = "Please check the 'sub' claim. The 'sub' specified is invalid.";

fn whose(client: &mut Client, token: &str) -> String {
    client.get(token, "/2.0/users/me").json()["id"].as_str().expect("an id").to_owned()
}

#[test]
fn an_assertion_brings_a_token_for_the_app_its_own_user_or_a_managed_one() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    for (subject_type, subject, user) in
        [("enterprise", ENTERPRISE, SERVICE_ACCOUNT), ("user", APP_USER, APP_USER), ("user", ROBIN, ROBIN)]
    {
        let token = signer.ask(&mut client, subject_type, subject).alone();
        assert_eq!(whose(&mut client, &token), user);
    }
}

#[test]
fn its_tokens_can_be_narrowed_and_revoked() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    let token = signer.ask(&mut client, "enterprise", ENTERPRISE).alone();
    let letter = client.id_of(&token, "Letters/Letter to Aunt Edda.pdf");
    let child = client.child(&token, PREVIEW, &format!("files/{letter}"));
    assert_eq!(client.get(&child, &format!("/2.0/files/{letter}")).status, 200);
    let form = [&[("token", &*token)], JWT_CREDENTIALS].concat();
    assert_eq!(client.ask("POST", "/oauth2/revoke").form(&form).send().status, 200);
    assert!(!client.works(&token));
}

#[test]
fn each_wrong_claim_is_refused_in_box_s_words() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    let now = client.now_ms / 1000;
    let future = "Current date/time MUST be after or equal to the not-before date/time listed in the 'nbf' or 'iat' claim";
    let iss = "Please check the 'iss' claim. The client id specified is invalid.";
    let aud = "Please check the 'aud' claim. The 'aud' specified is invalid.";
    let kind = "Please check the 'box_sub_type' claim. It must be enterprise or user.";
    for (name, value, words) in [
        ("iss", json!("keyhole-ccg"), iss),
        ("aud", json!("https://api.box.com/oauth2"), aud),
        ("aud", json!("http://127.0.0.1:9401/oauth2/token"), aud),
        ("exp", json!(now + 61), EXP),
        ("exp", json!(now), EXP),
        ("exp", Value::Null, EXP),
        ("iat", json!(now + 1), future),
        ("nbf", json!(now + 1), future),
        ("jti", json!("fifteen letters"), JTI),
        ("sub", json!(900_000_001), SUB),
        ("sub", json!("900000002"), SUB),
        ("box_sub_type", json!("external"), kind),
    ] {
        let mut claims = signer.claims(&client, "enterprise", ENTERPRISE);
        claims[name] = value;
        bring(&mut client, &signer.sign(&claims)).is_oauth(400, "invalid_grant", words);
    }
}

#[test]
fn claims_at_their_limits_are_taken() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    let now = client.now_ms / 1000;
    for (name, value) in [
        ("aud", json!(AUDIENCE)),
        ("aud", json!("http://127.0.0.1:9400/oauth2/token")),
        ("exp", json!(now + 60)),
        ("exp", json!(now + 1)),
        ("iat", json!(now)),
        ("nbf", json!(now)),
        ("jti", json!("j".repeat(16))),
        ("jti", json!("j".repeat(128))),
    ] {
        let mut claims = signer.claims(&client, "enterprise", ENTERPRISE);
        claims[name] = value;
        bring(&mut client, &signer.sign(&claims)).alone();
    }
}

#[test]
fn the_date_of_the_refusal_tells_a_wrong_clock_what_time_it_is() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    let claims = signer.claims(&client, "enterprise", ENTERPRISE);
    client.control("clock", json!({"advance_seconds": 3600}));
    let late = bring(&mut client, &signer.sign(&claims));
    late.is_oauth(400, "invalid_grant", EXP);
    let date = httpdate::parse_http_date(late.header("date").expect("a date")).expect("a date");
    let now = date.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    assert_eq!(now, client.now_ms / 1000 + 3600);
    let mut claims = signer.claims(&client, "enterprise", ENTERPRISE);
    claims["exp"] = json!(now + 30);
    bring(&mut client, &signer.sign(&claims)).alone();
}

#[test]
fn an_assertion_is_good_once_also_over_a_restart() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    let claims = signer.claims(&client, "enterprise", ENTERPRISE);
    let assertion = signer.sign(&claims);
    bring(&mut client, &assertion).alone();
    bring(&mut client, &assertion).is_oauth(400, "invalid_grant", JTI);
    client.edit_state(|_| ());
    bring(&mut client, &assertion).is_oauth(400, "invalid_grant", JTI);
    let mut again = signer.claims(&client, "user", ROBIN);
    again["jti"] = claims["jti"].clone();
    bring(&mut client, &signer.sign(&again)).is_oauth(400, "invalid_grant", JTI);
    client.wait(100);
    bring(&mut client, &assertion).is_oauth(400, "invalid_grant", EXP);
    again["exp"] = json!(client.now_ms / 1000 + 30);
    bring(&mut client, &signer.sign(&again)).alone();
}

#[test]
fn a_refused_subject_uses_its_assertion_up_and_a_refused_time_does_not() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    let mut claims = signer.claims(&client, "user", "1100000099");
    bring(&mut client, &signer.sign(&claims)).is_oauth(400, "invalid_grant", SUB);
    claims["sub"] = json!(ROBIN);
    bring(&mut client, &signer.sign(&claims)).is_oauth(400, "invalid_grant", JTI);
    let mut claims = signer.claims(&client, "user", ROBIN);
    let good = claims["exp"].take();
    claims["exp"] = json!(0);
    bring(&mut client, &signer.sign(&claims)).is_oauth(400, "invalid_grant", EXP);
    claims["exp"] = good;
    bring(&mut client, &signer.sign(&claims)).alone();
}

#[test]
fn the_key_is_the_one_that_kid_names() {
    let mut client = Client::new();
    let mut first = Signer::new(&mut client);
    let kidless = json!({"alg": "RS256", "typ": "JWT"});
    let claims = first.claims(&client, "enterprise", ENTERPRISE);
    bring(&mut client, &first.sign_as(&kidless, &claims)).alone();

    let mut second = Signer::new(&mut client);
    second.claims(&client, "user", ROBIN);
    let claims = second.claims(&client, "enterprise", ENTERPRISE);
    let several = "Please check the 'kid' header. The application has not exactly one public key.";
    bring(&mut client, &second.sign_as(&kidless, &claims)).is_oauth(400, "invalid_grant", several);
    let others = json!({"alg": "RS256", "typ": "JWT", "kid": first.key_id()});
    bring(&mut client, &second.sign_as(&others, &claims)).is_oauth(
        400,
        "invalid_grant",
        "The signature of the assertion is invalid",
    );
    let unknown = json!({"alg": "RS256", "typ": "JWT", "kid": "abcdefgh"});
    bring(&mut client, &second.sign_as(&unknown, &claims)).is_oauth(
        400,
        "invalid_grant",
        "OpenSSL unable to verify data: ",
    );
    bring(&mut client, &second.sign(&claims)).alone();

    let path = format!("/emulator/apps/{JWT_APP}/keys/{}", first.key_id());
    assert_eq!(client.ask("DELETE", &path).send().json(), json!({}));
    first.claims(&client, "user", ROBIN);
    let claims = first.claims(&client, "user", ROBIN);
    bring(&mut client, &first.sign(&claims)).is_oauth(
        400,
        "invalid_grant",
        "OpenSSL unable to verify data: ",
    );
}

#[test]
fn an_assertion_that_is_none_is_told_so() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    let claims = signer.claims(&client, "enterprise", ENTERPRISE);
    let unsigned = format!("{}.", crate::signer::unsigned(&json!({"alg": "none"}), &claims));
    for (assertion, words) in [
        ("a.b", "The assertion is not a JWT"),
        ("assertion", "The assertion is not a JWT"),
        (&*unsigned, "Please check the 'alg' header. It must be RS256, RS384 or RS512."),
    ] {
        bring(&mut client, assertion).is_oauth(400, "invalid_grant", words);
    }
    let form = [&[("grant_type", JWT_BEARER)], JWT_CREDENTIALS].concat();
    client.token(&form).is_oauth(400, "invalid_request", "No \"assertion\" parameter found");
}

#[test]
fn the_secret_is_needed_beside_the_signature() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    let claims = signer.claims(&client, "enterprise", ENTERPRISE);
    let assertion = signer.sign(&claims);
    let form = [("grant_type", JWT_BEARER), ("assertion", &*assertion)];
    for wrong in [&[JWT_CREDENTIALS[0], ("client_secret", "wrong")][..], &[JWT_CREDENTIALS[0]], &[]] {
        let answer = client.token(&[&form[..], wrong].concat());
        answer.is_oauth(400, "invalid_client", "The client credentials are invalid");
    }
    let unknown = [&form[..], &[("client_id", "unknown"), JWT_CREDENTIALS[1]]].concat();
    client.token(&unknown).is_oauth(
        400,
        "invalid_grant",
        "Please check the 'iss' claim. The client id specified is invalid.",
    );
    bring(&mut client, &assertion).alone();
}

#[test]
fn only_apps_that_sign_may_bring_assertions() {
    let mut client = Client::new();
    for app in ["keyhole-dev", "keyhole-ccg"] {
        let secret = format!("{app}-secret-not-a-secret");
        let form = [
            ("grant_type", JWT_BEARER),
            ("assertion", "any"),
            ("client_id", app),
            ("client_secret", &*secret),
        ];
        client.token(&form).is_oauth(
            400,
            "invalid_request",
            "The grant type is unauthorized for this client_id",
        );
    }
}

#[test]
fn an_app_that_no_admin_let_in_gets_nothing() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    client.edit_app(JWT_APP, "authorized", json!(false));
    for (subject_type, subject) in [("enterprise", ENTERPRISE), ("user", ROBIN)] {
        signer.ask(&mut client, subject_type, subject).is_oauth(
            400,
            "unauthorized_client",
            "This app is not authorized by the enterprise admin",
        );
    }
}

#[test]
fn a_user_s_token_depends_on_how_the_app_is_configured() {
    let words = "Cannot obtain user token based on the enterprise configuration for your app";
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    signer.ask(&mut client, "user", SERVICE_ACCOUNT).is_oauth(400, "invalid_request", words);
    for strange in ["1100000002", "1100000099", "robin@example.com", ENTERPRISE] {
        signer.ask(&mut client, "user", strange).is_oauth(400, "invalid_grant", SUB);
    }

    client.edit_app(JWT_APP, "enterprise_access", json!(false));
    signer.ask(&mut client, "user", ROBIN).is_oauth(400, "invalid_request", words);
    signer.ask(&mut client, "user", APP_USER).alone();
    signer.ask(&mut client, "enterprise", ENTERPRISE).alone();

    client.edit_app(JWT_APP, "may_act_as_users", json!(false));
    signer.ask(&mut client, "user", APP_USER).is_oauth(400, "invalid_request", words);
    signer.ask(&mut client, "enterprise", ENTERPRISE).alone();
}
