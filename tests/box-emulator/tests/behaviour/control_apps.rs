//! Apps, as the console makes and changes them.

use serde_json::{Value, json};

use crate::support::{CALLBACK, Client, PAGE};

fn apps(client: &mut Client) -> Vec<Value> {
    client.drive("GET", "apps", Value::Null).json()["apps"].as_array().expect("apps").clone()
}

fn new_app(client: &mut Client, wanted: Value) -> Value {
    let answer = client.drive("POST", "apps", wanted);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

#[test]
fn the_sample_apps_are_told_with_all_that_a_client_needs() {
    let mut client = Client::new();
    let told = client.drive("GET", "apps", Value::Null).json();
    let first = &told["apps"][1];
    assert_eq!(first["client_id"], "keyhole-ccg", "by name");
    assert_eq!(first["auth"], "client_credentials");
    assert_eq!(first["enterprise_id"], "900000001");
    assert_eq!(first["service_account"]["id"], "1100000002");
    let people = told["apps"].as_array().expect("apps").iter().find(|app| app["auth"] == "oauth2");
    assert_eq!(people.expect("an app")["redirect_uris"], json!([CALLBACK]));
    assert_eq!(people.expect("an app")["service_account"], Value::Null);
    let scopes = told["known_scopes"].as_array().expect("scopes");
    let words = "Read and write all files and folders stored in Box";
    assert!(scopes.contains(&json!({"name": "root_readwrite", "words": words})));
}

#[test]
fn a_new_app_gets_an_id_and_a_secret_and_people_can_sign_in_to_it() {
    let mut client = Client::new();
    let app = new_app(
        &mut client,
        json!({"name": " Harbour ", "redirect_uris": ["https://harbour.example/back"], "scopes": ["base_explorer"]}),
    );
    assert_eq!(app["name"], "Harbour");
    let text = |name: &str| app[name].as_str().expect(name).to_owned();
    let (id, secret) = (text("client_id"), text("client_secret"));
    assert_eq!((id.len(), secret.len()), (32, 32));
    client.settings(json!({"decision": "grant"}));
    let address = format!("/api/oauth2/authorize?response_type=code&client_id={id}");
    let back = client.ask("GET", &address).send();
    let location = back.header("location").expect("back at the app").to_owned();
    let code = location.strip_prefix("https://harbour.example/back?code=").expect("a code").to_owned();
    let form = [("grant_type", "authorization_code"), ("code", &code), ("client_id", &id)];
    let wrong = client.token(&[&form[..], &[("client_secret", "guessed")]].concat());
    assert_eq!(wrong.json()["error"], "invalid_client");
    let pair = client.token(&[&form[..], &[("client_secret", &secret)]].concat()).pair();
    assert_eq!(client.get(&pair.access, "/2.0/folders/0").status, 200);
    assert_eq!(client.get(&pair.access, "/2.0/users/me").status, 403, "not among its scopes");
}

#[test]
fn a_server_app_gets_a_service_account_with_an_account_of_its_own() {
    let mut client = Client::new();
    let app = new_app(&mut client, json!({"name": "Night watch", "auth": "jwt", "authorized": false}));
    assert_eq!((&app["auth"], &app["authorized"]), (&json!("jwt"), &json!(false)));
    let id = app["service_account"]["id"].as_str().expect("an id").to_owned();
    let users = client.drive("GET", "users", Value::Null).json();
    let user = users["users"].as_array().expect("users").iter().find(|user| user["id"] == id).cloned();
    let user = user.expect("among the users");
    assert_eq!((&user["kind"], &user["client_id"]), (&json!("service_account"), &app["client_id"]));
    assert_eq!(client.drive("GET", &format!("items?user={id}"), Value::Null).json()["entries"], json!([]));
}

#[test]
fn a_change_names_what_changes_and_leaves_the_rest() {
    let mut client = Client::new();
    let pair = client.login();
    let before =
        apps(&mut client).into_iter().find(|app| app["client_id"] == "keyhole-dev").expect("the app");
    let answer =
        client.drive("PATCH", "apps/keyhole-dev", json!({"cors_origins": ["https://*.app.example"]}));
    let mut expected = before;
    expected["cors_origins"] = json!(["https://*.app.example"]);
    assert_eq!((answer.status, answer.json()), (200, expected));
    let asked = client.ask("GET", "/2.0/users/me").bearer(&pair.access).origin(PAGE).send();
    assert_eq!(asked.status, 403, "the page was taken off the list");
    let asked =
        client.ask("GET", "/2.0/users/me").bearer(&pair.access).origin("https://eu.app.example").send();
    assert_eq!(asked.status, 200);
}

#[test]
fn what_box_would_not_store_is_refused_with_a_sentence_and_nothing_changes() {
    let mut client = Client::new();
    let before = apps(&mut client);
    for (method, path, wanted, status, words) in [
        ("POST", "apps", json!({}), 400, "an app has a name"),
        ("POST", "apps", json!({"name": " "}), 400, "1 to 100"),
        ("POST", "apps", json!({"name": "x", "client_id": "keyhole-dev"}), 409, "already"),
        ("POST", "apps", json!({"name": "x", "client_id": "a b"}), 400, "letters"),
        ("POST", "apps", json!({"name": "x", "client_secret": ""}), 400, "secret"),
        ("POST", "apps", json!({"name": "x", "auth": "basic"}), 400, "basic"),
        ("POST", "apps", json!({"name": "x", "colour": "red"}), 400, "colour"),
        (
            "PATCH",
            "apps/keyhole-dev",
            json!({"redirect_uris": ["http://app.example/"]}),
            400,
            "no redirect URI",
        ),
        ("PATCH", "apps/keyhole-dev", json!({"redirect_uris": [CALLBACK, CALLBACK]}), 400, "twice"),
        ("PATCH", "apps/keyhole-dev", json!({"cors_origins": ["https://app.example/"]}), 400, "no origin"),
        ("PATCH", "apps/keyhole-dev", json!({"scopes": ["gcm"]}), 400, "no scope gcm"),
        ("PATCH", "apps/keyhole-dev", json!({"client_id": "other"}), 400, "keeps its client id"),
        ("PATCH", "apps/keyhole-dev", json!({"auth": "jwt"}), 400, "another app"),
        ("PATCH", "apps/nobody", json!({"name": "x"}), 404, "no app"),
        ("DELETE", "apps/nobody", Value::Null, 404, "no app"),
        ("DELETE", "apps/keyhole-dev", Value::Null, 409, "--client-id"),
    ] {
        let answer = client.drive(method, path, wanted.clone());
        assert_eq!(answer.status, status, "{method} {path} {wanted}: {}", answer.text());
        let told = answer.json()["error"].as_str().expect("a sentence").to_owned();
        assert!(told.contains(words), "{told}");
    }
    assert_eq!(apps(&mut client), before);
}

#[test]
fn a_removed_app_takes_its_users_along() {
    let mut client = Client::new();
    assert_eq!(client.drive("DELETE", "apps/keyhole-jwt", Value::Null).status, 200);
    assert!(apps(&mut client).iter().all(|app| app["client_id"] != "keyhole-jwt"));
    let users = client.drive("GET", "users", Value::Null).json();
    let kinds: Vec<_> = users["users"].as_array().expect("users").iter().map(|user| &user["kind"]).collect();
    assert_eq!(kinds, ["managed", "service_account"], "Robin, and the other app's account");
    assert_eq!(client.drive("GET", "items?user=1100000003", Value::Null).status, 404);
}

#[test]
fn the_tokens_of_a_removed_app_are_dead() {
    let mut client = Client::new();
    let wanted =
        json!({"name": "Short", "client_id": "short", "client_secret": "s", "redirect_uris": [CALLBACK]});
    new_app(&mut client, wanted);
    client.settings(json!({"decision": "grant"}));
    let back = client.ask("GET", "/api/oauth2/authorize?response_type=code&client_id=short").send();
    let code = back.header("location").expect("back").split("code=").nth(1).expect("a code").to_owned();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("client_id", "short"),
        ("client_secret", "s"),
    ];
    let pair = client.token(&form).pair();
    let robins = client.login();
    assert!(client.works(&pair.access));
    client.drive("DELETE", "apps/short", Value::Null);
    client.get(&pair.access, "/2.0/users/me").is_unauthorized();
    assert_eq!(
        (client.state_of(&pair.access), client.state_of(&pair.refresh)),
        ("revoked".into(), "revoked".into())
    );
    assert!(client.works(&robins.access), "those of other apps live on");
}
