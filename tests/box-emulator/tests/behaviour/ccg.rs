//! `client_credentials`: whom an app may speak for with nothing but its secret.

use serde_json::json;

use crate::support::{Answer, Client, PREVIEW};

const ENTERPRISE: &str = "900000001";
const ROBIN: &str = "1100000001";
const APP: &[(&str, &str)] =
    &[("client_id", "keyhole-ccg"), ("client_secret", "keyhole-ccg-secret-not-a-secret")];

fn ask(client: &mut Client, subject_type: &str, subject: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("box_subject_type", subject_type),
        ("box_subject_id", subject),
    ];
    client.token(&[&form[..], APP].concat())
}

#[track_caller]
fn is_refused(answer: &Answer) {
    answer.is_oauth(400, "invalid_grant", "Grant credentials are invalid");
}

fn whose(client: &mut Client, token: &str) -> String {
    client.get(token, "/2.0/users/me").json()["id"].as_str().expect("an id").to_owned()
}

#[test]
fn for_the_enterprise_the_app_speaks_for_itself_and_for_a_user_as_that_user() {
    let mut client = Client::new();
    let service = ask(&mut client, "enterprise", ENTERPRISE).alone();
    assert_eq!(whose(&mut client, &service), "1100000002");
    let robin = ask(&mut client, "user", ROBIN).alone();
    assert_eq!(whose(&mut client, &robin), ROBIN);
    assert_ne!(service, robin);
    client.id_of(&service, "Letters");
    client.id_of(&robin, "Letters/Letter to Aunt Edda.pdf");
}

#[test]
fn every_call_brings_a_new_token_that_ends_by_itself() {
    let mut client = Client::new();
    let first = ask(&mut client, "enterprise", ENTERPRISE).alone();
    let second = ask(&mut client, "enterprise", ENTERPRISE).alone();
    assert!(first != second && client.works(&first) && client.works(&second));
    client.wait(4250);
    assert!(!client.works(&first) && !client.works(&second));
}

#[test]
fn its_tokens_can_be_narrowed_and_revoked_one_by_one() {
    let mut client = Client::new();
    let token = ask(&mut client, "enterprise", ENTERPRISE).alone();
    let other = ask(&mut client, "enterprise", ENTERPRISE).alone();
    let letter = client.id_of(&token, "Letters/Letter to Aunt Edda.pdf");
    let child = client.child(&token, PREVIEW, &format!("files/{letter}"));
    assert_eq!(client.get(&child, &format!("/2.0/files/{letter}")).status, 200);
    let robins = client.login();
    let robins = client.id_of(&robins.access, "Letters/Letter to Aunt Edda.pdf");
    let stranger = format!("https://api.box.com/2.0/files/{robins}");
    client.exchange(&token, PREVIEW, Some(&stranger)).is_oauth(
        400,
        "invalid_resource",
        "The target resource is invalid.",
    );
    let revoked = client.ask("POST", "/oauth2/revoke").form(&[&[("token", &*token)], APP].concat()).send();
    assert_eq!(revoked.status, 200);
    assert!(!client.works(&token) && client.works(&other));
}

#[test]
fn a_subject_that_is_not_there_is_refused() {
    let mut client = Client::new();
    for (kind, id) in [
        ("enterprise", "900000002"),
        ("enterprise", ROBIN),
        ("user", ENTERPRISE),
        ("user", "1100000099"),
        ("user", "robin@example.com"),
        ("user", "1100000002"),
        ("user", "1100000003"),
        ("user", "1100000004"),
        ("external", ROBIN),
        ("User", ROBIN),
    ] {
        is_refused(&ask(&mut client, kind, id));
    }
    for form in [
        &[][..],
        &[("box_subject_type", "enterprise")],
        &[("box_subject_id", ENTERPRISE)],
        &[("box_subject_type", ""), ("box_subject_id", ENTERPRISE)],
    ] {
        is_refused(&client.token(&[&[("grant_type", "client_credentials")], form, APP].concat()));
    }
}

#[test]
fn the_secret_must_be_the_app_s() {
    let mut client = Client::new();
    let form = [
        ("grant_type", "client_credentials"),
        ("box_subject_type", "enterprise"),
        ("box_subject_id", ENTERPRISE),
    ];
    for wrong in [
        &[APP[0], ("client_secret", "wrong")][..],
        &[APP[0]],
        &[APP[1]],
        &[("client_id", "another"), APP[1]],
        &[("client_id", "keyhole-jwt"), APP[1]],
    ] {
        is_refused(&client.token(&[&form[..], wrong].concat()));
    }
}

#[test]
fn an_app_has_the_grants_of_its_kind_and_no_others() {
    let mut client = Client::new();
    let words = "The grant type is unauthorized for this client_id";
    for app in [
        &[("client_id", "keyhole-dev"), ("client_secret", "keyhole-dev-secret-not-a-secret")][..],
        &[("client_id", "keyhole-jwt"), ("client_secret", "keyhole-jwt-secret-not-a-secret")],
    ] {
        let form = [
            ("grant_type", "client_credentials"),
            ("box_subject_type", "enterprise"),
            ("box_subject_id", ENTERPRISE),
        ];
        client.token(&[&form[..], app].concat()).is_oauth(400, "invalid_request", words);
    }
    let pair = client.login();
    for form in [
        &[("grant_type", "authorization_code"), ("code", "any")][..],
        &[("grant_type", "refresh_token"), ("refresh_token", &*pair.refresh)],
        &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", "any")],
    ] {
        client.token(&[form, APP].concat()).is_oauth(400, "invalid_request", words);
    }
}

#[test]
fn an_app_that_no_admin_let_in_gets_nothing() {
    let mut client = Client::new();
    client.edit_app("keyhole-ccg", "authorized", json!(false));
    for (kind, id) in [("enterprise", ENTERPRISE), ("user", ROBIN), ("user", "nobody")] {
        ask(&mut client, kind, id).is_oauth(
            400,
            "unauthorized_client",
            "This app is not authorized by the enterprise admin",
        );
    }
}

#[test]
fn a_user_s_token_needs_the_app_s_leave_to_make_them() {
    let mut client = Client::new();
    client.edit_app("keyhole-ccg", "may_act_as_users", json!(false));
    is_refused(&ask(&mut client, "user", ROBIN));
    ask(&mut client, "enterprise", ENTERPRISE).alone();
}

#[test]
fn app_access_only_keeps_an_app_from_the_enterprise_but_not_from_its_own_users() {
    let mut client = Client::new();
    client.edit_state(|state| state["users"]["1100000004"]["client_id"] = json!("keyhole-ccg"));
    client.edit_app("keyhole-ccg", "enterprise_access", json!(false));
    is_refused(&ask(&mut client, "user", ROBIN));
    is_refused(&ask(&mut client, "enterprise", ENTERPRISE));
    let token = ask(&mut client, "user", "1100000004").alone();
    assert_eq!(whose(&mut client, &token), "1100000004");
}
