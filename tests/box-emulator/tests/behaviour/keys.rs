//! The keys of an app, as the developer console makes and takes them.

use serde_json::json;

use crate::signer::{JWT_APP, Signer};
use crate::support::Client;

#[test]
fn a_settings_file_names_the_app_the_key_and_the_enterprise() {
    let mut client = Client::new();
    let signer = Signer::new(&mut client);
    let settings = &signer.settings;
    assert_eq!(settings["enterpriseID"], "900000001");
    let app = &settings["boxAppSettings"];
    assert_eq!(app["clientID"], JWT_APP);
    assert_eq!(app["clientSecret"], "keyhole-jwt-secret-not-a-secret");
    let key = app["appAuth"]["privateKey"].as_str().expect("a key");
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    let state = String::from_utf8(client.emulator.state().write().expect("JSON")).expect("JSON");
    assert!(
        state.contains(signer.key_id()) && !state.contains("PRIVATE KEY"),
        "the private half is not kept"
    );
}

#[test]
fn the_same_seed_makes_the_same_pair() {
    let settings = |_| Signer::new(&mut Client::new()).settings;
    assert_eq!(settings(1), settings(2));
    let mut client = Client::new();
    assert_ne!(Signer::new(&mut client).settings, Signer::new(&mut client).settings);
}

#[test]
fn a_public_key_made_elsewhere_is_taken() {
    let mut client = Client::new();
    let mut signer = Signer::new(&mut client);
    let path = format!("/emulator/apps/{JWT_APP}/keys");
    let mut pem = String::new();
    client.edit_state(|state| {
        let keys = state["apps"][JWT_APP]["keys"].take();
        keys[0]["pem"].as_str().expect("PEM").clone_into(&mut pem);
        state["apps"][JWT_APP]["keys"] = json!([]);
    });
    let answer = client.ask("POST", &path).json(json!({"public_key": pem})).send();
    assert_eq!(answer.status, 201, "{}", answer.text());
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(answer.json(), json!({"id": id}));
    let claims = signer.claims(&client, "enterprise", "900000001");
    let header = json!({"alg": "RS256", "kid": id});
    crate::signer::bring(&mut client, &signer.sign_as(&header, &claims)).alone();
}

#[test]
fn what_is_no_key_or_no_app_is_refused() {
    let mut client = Client::new();
    let path = format!("/emulator/apps/{JWT_APP}/keys");
    for (path, body, status) in [
        (&*path, json!({"public_key": "a key"}), 400),
        (&path, json!({"public_key": 1}), 400),
        (&path, json!({"private_key": "a key"}), 400),
        ("/emulator/apps/unknown/keys", json!({}), 404),
    ] {
        let answer = client.ask("POST", path).json(body.clone()).send();
        assert_eq!(answer.status, status, "{path} {body}");
        assert!(answer.json()["error"].is_string());
    }
    for path in [format!("{path}/abcdefgh"), "/emulator/apps/unknown/keys/abcdefgh".to_owned()] {
        assert_eq!(client.ask("DELETE", &path).send().status, 404, "{path}");
    }
}
