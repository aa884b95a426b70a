//! Users other than oneself: who sees them, who adds them.

use serde_json::{Value, json};

use crate::support::{ACCESS_TOKEN, Client, EXCHANGE};

const APP_USER: &str = "1100000004";

/// A token of `keyhole-jwt`'s service account with these scopes.
fn token(client: &mut Client, scopes: Value) -> String {
    let asked = json!({"client_id": "keyhole-jwt", "scopes": scopes});
    let answer = client.ask("POST", "/emulator/tokens").json(asked).send();
    answer.json()["access_token"].as_str().expect("a token").to_owned()
}

fn names(client: &mut Client, token: &str, query: &str) -> Vec<String> {
    let listed = client.get(token, &format!("/2.0/users?{query}")).json();
    let entries = listed["entries"].as_array().expect("entries").iter();
    entries.map(|user| user["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn an_app_adds_users_of_its_own_and_speaks_for_them() {
    let mut client = Client::new();
    let admin = token(&mut client, json!(["manage_app_users"]));
    let answer = client.post(&admin, "/2.0/users", json!({"name": "Sam", "is_platform_access_only": true}));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let user = answer.json();
    let id = user["id"].as_str().expect("an id").to_owned();
    assert_eq!((&user["type"], &user["name"]), (&json!("user"), &json!("Sam")));
    assert_eq!(user["login"], format!("AppUser_{id}@boxdevedition.example"));
    let sams = client.token_of(&id);
    assert_eq!(client.get(&sams, "/2.0/users/me").json()["id"], *id);
    assert_eq!(client.get(&sams, "/2.0/folders/0/items").json()["total_count"], 0);
    client.uploaded(&sams, "0", "a.txt", b"mine");
    let said =
        client.get(&admin, &format!("/2.0/users/{id}?fields=name,space_used,is_platform_access_only")).json();
    assert_eq!((&said["space_used"], &said["is_platform_access_only"]), (&json!(4), &json!(true)));
}

#[test]
fn who_may_manage_users_sees_them_and_nobody_else_does() {
    let mut client = Client::new();
    let all = token(&mut client, json!(["manage_managed_users"]));
    let own = token(&mut client, json!(["manage_app_users"]));
    let none = token(&mut client, json!(["root_readwrite"]));
    assert_eq!(names(&mut client, &all, ""), ["Alex App User", "Keyhole with JWT", "Robin Sample"]);
    assert_eq!(names(&mut client, &own, ""), ["Alex App User", "Keyhole with JWT"]);
    assert_eq!(names(&mut client, &all, "filter_term=ROBIN%40"), ["Robin Sample"], "by name or login");
    assert_eq!(names(&mut client, &all, "limit=1&offset=1"), ["Keyhole with JWT"]);
    client.get(&none, "/2.0/users").lacks_scope();
    client.get(&none, &format!("/2.0/users/{APP_USER}")).is_not_found();
    client.get(&own, "/2.0/users/1100000001").is_not_found();
    assert_eq!(client.get(&none, "/2.0/users/1100000003").status, 200, "oneself");
    client.get(&none, "/2.0/users/everybody").is_api(405, "method_not_allowed", "Method Not Allowed");
    client.get(&all, "/2.0/users?limit=x").is_bad("invalid_parameter", "limit");
}

#[test]
fn an_app_does_not_see_the_users_of_another() {
    let mut client = Client::new();
    let asked = json!({"client_id": "keyhole-ccg"});
    let answer = client.ask("POST", "/emulator/tokens").json(asked).send().json();
    let other = answer["access_token"].as_str().expect("a token").to_owned();
    client.get(&other, &format!("/2.0/users/{APP_USER}")).is_not_found();
    assert_eq!(names(&mut client, &other, ""), ["Keyhole with client credentials", "Robin Sample"]);
}

#[test]
fn a_person_is_added_with_a_login_that_is_nobody_s() {
    let mut client = Client::new();
    let admin = token(&mut client, json!(["manage_managed_users"]));
    let add = |client: &mut Client, body: Value| client.post(&admin, "/2.0/users", body);
    let answer = add(&mut client, json!({"name": "Kim", "login": "kim@example.com"}));
    assert_eq!((answer.status, &answer.json()["login"]), (201, &json!("kim@example.com")));
    let twice = add(&mut client, json!({"name": "Kim", "login": "KIM@example.com"}));
    twice.is_api(409, "user_login_already_used", "User with the specified login already exists");
    add(&mut client, json!({"name": "Kim"})).is_bad("missing_parameter", "login");
    add(&mut client, json!({"name": "Kim", "login": "kim"})).is_bad("invalid_parameter", "login");
    add(&mut client, json!({"name": " ", "login": "k@example.com"})).is_bad("invalid_parameter", "name");
    add(&mut client, json!({"name": "k".repeat(51), "login": "k@example.com"}))
        .is_bad("invalid_parameter", "name");
    add(&mut client, json!({"login": "k@example.com"})).is_bad("invalid_parameter", "body");
    add(&mut client, json!({"name": "Sam", "is_platform_access_only": true})).lacks_scope();
}

#[test]
fn a_person_s_own_token_manages_nobody() {
    let mut client = Client::new();
    let pair = client.login();
    client.get(&pair.access, "/2.0/users").lacks_scope();
    let body = json!({"name": "Sam", "is_platform_access_only": true});
    client.post(&pair.access, "/2.0/users", body).lacks_scope();
    client.exchange(&pair.access, "manage_app_users", None).is_oauth(
        401,
        "invalid_scope",
        "The scope exceeds what the subject token holds",
    );
}

#[test]
fn a_service_account_acts_for_a_user_by_header() {
    let mut client = Client::new();
    let service = client.token_of("1100000003");
    let robin = client.login().access;
    let welcome = client.id_of(&robin, "Welcome.md");
    let mut ask = |token: &str, user: &str, target: &str| {
        client.ask("GET", target).bearer(token).header("as-user", user).send()
    };
    assert_eq!(ask(&service, "1100000001", "/2.0/users/me").json()["login"], "robin@example.com");
    assert_eq!(ask(&service, "1100000001", &format!("/2.0/files/{welcome}")).status, 200);
    assert_eq!(ask(&service, APP_USER, "/2.0/users/me").json()["id"], APP_USER);
    for nobody in ["1100000002", "1100000003", "12", "me", ""] {
        ask(&service, nobody, "/2.0/users/me").lacks_permission();
    }
    ask(&robin, "1100000003", "/2.0/users/me").lacks_permission();
    ask(&robin, "1100000001", "/2.0/users/me").lacks_permission();
    client.get(&service, &format!("/2.0/files/{welcome}")).is_not_found();
}

/// box-node-sdk#168: `As-User` does not carry over to an exchange; and what is narrowed acts for nobody else.
#[test]
fn neither_a_user_s_token_nor_a_narrowed_one_acts_for_another() {
    let mut client = Client::new();
    let service = client.token_of("1100000003");
    let robin = client.login().access;
    let welcome = client.id_of(&robin, "Welcome.md");
    let user = client.token_of(APP_USER);
    let child = client.exchange(&service, "root_readonly", None).json()["access_token"].clone();
    for token in [user.as_str(), child.as_str().expect("a token")] {
        let answer = client.ask("GET", "/2.0/users/me").bearer(token).header("as-user", "1100000001").send();
        answer.lacks_permission();
    }
    let resource = format!("https://api.box.com/2.0/files/{welcome}");
    let form = [
        ("grant_type", EXCHANGE),
        ("subject_token", &service),
        ("subject_token_type", ACCESS_TOKEN),
        ("scope", "item_preview"),
        ("resource", &resource),
    ];
    let answer = client.ask("POST", "/oauth2/token").form(&form).header("as-user", "1100000001").send();
    answer.is_oauth(400, "invalid_resource", "The target resource is invalid.");
}

#[test]
fn an_app_that_may_not_act_as_users_does_not() {
    let mut client = Client::new();
    let service = client.token_of("1100000003");
    let answer =
        client.ask("PATCH", "/emulator/apps/keyhole-jwt").json(json!({"may_act_as_users": false})).send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = client.ask("GET", "/2.0/users/me").bearer(&service).header("as-user", "1100000001").send();
    answer.lacks_permission();
}
