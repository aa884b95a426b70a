//! Annotator tokens: an exchange that says for which of the app's own users it is.

use serde_json::{Value, json};

use crate::signer::{AUDIENCE, JWT_APP, Signer, unsigned};
use crate::support::{ACCESS_TOKEN, Answer, Client, EXCHANGE};

const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// As Box's SDK for Node makes them.
fn actor(client: &Client, iss: &str) -> Value {
    json!({
        "iss": iss,
        "sub": "reader-7",
        "name": "Sam Reader",
        "box_sub_type": "external",
        "aud": AUDIENCE,
        "jti": "5c6a5bd1-6d44-4a0d-9b8e-7f1d3f1f2a11",
        "exp": client.now_ms / 1000 + 60,
    })
}

fn exchange(client: &mut Client, subject: &str, more: &[(&str, &str)]) -> Answer {
    let form = [
        ("grant_type", EXCHANGE),
        ("subject_token", subject),
        ("subject_token_type", ACCESS_TOKEN),
        ("scope", "item_preview annotation_edit"),
    ];
    client.token(&[&form[..], more].concat())
}

fn actor_of(client: &mut Client, answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let value = answer.json()["access_token"].clone();
    client.ledger().into_iter().find(|row| row["value"] == value).expect("in the ledger")["actor"].take()
}

fn nobody_s(claims: &Value) -> String {
    format!("{}.", unsigned(&json!({"alg": "none", "typ": "JWT"}), claims))
}

#[test]
fn an_unsigned_actor_is_written_on_the_child_and_on_what_is_made_from_it() {
    let mut client = Client::new();
    let pair = client.login();
    let token = nobody_s(&actor(&client, "keyhole-dev"));
    let form = [("actor_token", &*token), ("actor_token_type", ID_TOKEN)];
    let answer = exchange(&mut client, &pair.access, &form);
    let sam = json!({"id": "reader-7", "name": "Sam Reader"});
    assert_eq!(actor_of(&mut client, &answer), sam);
    let names: Vec<String> = answer.json().as_object().expect("an object").keys().cloned().collect();
    assert_eq!(names, ["access_token", "expires_in", "issued_token_type", "restricted_to", "token_type"]);

    let child = answer.json()["access_token"].as_str().expect("a token").to_owned();
    let grandchild = exchange(&mut client, &child, &[]);
    assert_eq!(actor_of(&mut client, &grandchild), sam);
    let plain = exchange(&mut client, &pair.access, &[]);
    assert_eq!(actor_of(&mut client, &plain), Value::Null);
    let again = exchange(&mut client, &pair.access, &form);
    assert_eq!(actor_of(&mut client, &again), sam, "nothing says that it is good only once");
}

#[test]
fn a_signed_actor_must_be_signed_by_the_app() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    let token = signer.ask(&mut client, "enterprise", "900000001").alone();
    let claims = actor(&client, JWT_APP);
    let signed = signer.sign(&claims);
    let answer = exchange(&mut client, &token, &[("actor_token", &signed), ("actor_token_type", ID_TOKEN)]);
    assert_eq!(actor_of(&mut client, &answer)["name"], "Sam Reader");
    let (text, _) = signed.rsplit_once('.').expect("parts");
    for forged in [format!("{text}."), format!("{text}.AAAA")] {
        let form = [("actor_token", &*forged), ("actor_token_type", ID_TOKEN)];
        exchange(&mut client, &token, &form).is_oauth(
            400,
            "invalid_grant",
            "The signature of the assertion is invalid",
        );
    }
}

#[test]
fn claims_that_are_not_an_annotator_s_are_refused() {
    let mut client = Client::new();
    let pair = client.login();
    let now = client.now_ms / 1000;
    let annotator = "Please check the 'box_sub_type' and 'name' claims. An actor is external and has a name.";
    for (name, value, words) in [
        ("box_sub_type", json!("user"), annotator),
        ("name", Value::Null, annotator),
        ("name", json!(7), annotator),
        ("iss", json!("keyhole-jwt"), "Please check the 'iss' claim. The client id specified is invalid."),
        ("aud", json!("elsewhere"), "Please check the 'aud' claim. The 'aud' specified is invalid."),
        ("sub", Value::Null, "Please check the 'sub' claim. The 'sub' specified is invalid."),
        (
            "exp",
            json!(now + 61),
            "Current date/time MUST be before the expiration date/time listed in the 'exp' claim",
        ),
    ] {
        let mut claims = actor(&client, "keyhole-dev");
        claims[name] = value;
        let token = nobody_s(&claims);
        let form = [("actor_token", &*token), ("actor_token_type", ID_TOKEN)];
        exchange(&mut client, &pair.access, &form).is_oauth(400, "invalid_grant", words);
    }
}

#[test]
fn an_actor_has_a_token_and_a_type() {
    let mut client = Client::new();
    let pair = client.login();
    let token = nobody_s(&actor(&client, "keyhole-dev"));
    for (form, words) in [
        (&[("actor_token", &*token)][..], "The actor_token_type is invalid"),
        (&[("actor_token", &token), ("actor_token_type", ACCESS_TOKEN)], "The actor_token_type is invalid"),
        (&[("actor_token_type", ID_TOKEN)], "No \"actor_token\" parameter found"),
    ] {
        exchange(&mut client, &pair.access, form).is_oauth(400, "invalid_request", words);
    }
}
