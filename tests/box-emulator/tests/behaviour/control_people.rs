//! Users, as the console adds and removes them.

use serde_json::{Value, json};

use crate::support::{CALLBACK, Client};

fn users(client: &mut Client) -> Vec<Value> {
    client.drive("GET", "users", Value::Null).json()["users"].as_array().expect("users").clone()
}

#[test]
fn the_sample_people_are_told() {
    let mut client = Client::new();
    let told = client.drive("GET", "users", Value::Null).json();
    assert_eq!(told["enterprise_id"], "900000001");
    let robin = &told["users"][0];
    assert!(robin["space_used"].as_u64().expect("bytes") > 100_000);
    assert_eq!(
        (&robin["login"], &robin["password"], &robin["kind"], &robin["client_id"]),
        (&json!("robin@example.com"), &json!("keyhole"), &json!("managed"), &json!(null))
    );
    let kinds: Vec<Value> = users(&mut client).iter().map(|user| user["kind"].clone()).collect();
    assert_eq!(kinds, ["managed", "service_account", "service_account", "app_user"]);
}

/// Signs in on the page, in a browser of its own; the access token of what was granted.
fn sign_in(client: &mut Client, login: &str, password: &str) -> Option<String> {
    let query = format!("response_type=code&client_id=keyhole-dev&redirect_uri={CALLBACK}");
    let address = format!("/api/oauth2/authorize?{query}");
    let shown = client.ask("GET", &address).send();
    let cookie = shown.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned();
    let token =
        |page: &str| page.split("name=\"form_token\" value=\"").nth(1)?.split('"').next().map(str::to_owned);
    let form_token = token(&shown.text()).expect("a form");
    let fields = [
        ("response_type", "code"),
        ("client_id", "keyhole-dev"),
        ("redirect_uri", CALLBACK),
        ("step", "sign_in"),
        ("login", login),
        ("password", password),
        ("form_token", &form_token),
    ];
    let origin = "http://127.0.0.1:9400";
    let answer = client
        .ask("POST", "/api/oauth2/authorize")
        .origin(origin)
        .header("cookie", &cookie)
        .form(&fields)
        .send();
    if answer.status == 200 {
        return None;
    }
    let cookie = answer.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned();
    let consent = client.ask("GET", answer.header("location").expect("on")).header("cookie", &cookie).send();
    let form_token = token(&consent.text()).expect("a form");
    let fields = [
        ("response_type", "code"),
        ("client_id", "keyhole-dev"),
        ("redirect_uri", CALLBACK),
        ("step", "decide"),
        ("decision", "grant"),
        ("form_token", &form_token),
    ];
    let answer = client
        .ask("POST", "/api/oauth2/authorize")
        .origin(origin)
        .header("cookie", &cookie)
        .form(&fields)
        .send();
    let code = answer.header("location").expect("back").split("code=").nth(1).expect("a code").to_owned();
    Some(client.redeem(&code).pair().access)
}

#[test]
fn a_new_user_signs_in_to_an_empty_account() {
    let mut client = Client::new();
    let wanted = json!({"name": "Kim Kelp", "login": "kim@example.com", "password": "seaweed"});
    let answer = client.drive("POST", "users", wanted);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let kim = answer.json();
    assert_eq!((&kim["kind"], &kim["space_used"]), (&json!("managed"), &json!(0)));
    assert_eq!(sign_in(&mut client, "kim@example.com", "keyhole"), None, "somebody else's password");
    let access = sign_in(&mut client, "kim@example.com", "seaweed").expect("signed in");
    assert_eq!(client.get(&access, "/2.0/users/me").json()["id"], kim["id"]);
    assert_eq!(client.get(&access, "/2.0/folders/0/items").json()["total_count"], 0);
}

#[test]
fn a_removed_user_is_signed_out_everywhere() {
    let mut client = Client::new();
    let wanted = json!({"name": "Kim Kelp", "login": "kim@example.com", "password": "seaweed"});
    let id = client.drive("POST", "users", wanted).json()["id"].as_str().expect("an id").to_owned();
    let access = sign_in(&mut client, "kim@example.com", "seaweed").expect("signed in");
    assert_eq!(client.drive("DELETE", &format!("users/{id}"), Value::Null).status, 200);
    client.get(&access, "/2.0/users/me").is_unauthorized();
    assert_eq!(sign_in(&mut client, "kim@example.com", "seaweed"), None);
    assert_eq!(client.drive("DELETE", &format!("users/{id}"), Value::Null).status, 404);
}

#[test]
fn an_app_user_belongs_to_an_app_and_has_no_password() {
    let mut client = Client::new();
    let answer = client.drive(
        "POST",
        "users",
        json!({"name": "Guest", "kind": "app_user", "client_id": "keyhole-jwt"}),
    );
    assert_eq!(answer.status, 201, "{}", answer.text());
    let guest = answer.json();
    assert_eq!((&guest["password"], &guest["client_id"]), (&Value::Null, &json!("keyhole-jwt")));
    assert!(guest["login"].as_str().expect("a login").starts_with("AppUser_"));
}

#[test]
fn whom_box_would_not_take_is_refused_with_a_sentence() {
    let mut client = Client::new();
    let before = users(&mut client);
    for (wanted, status, words) in [
        (json!({"name": "", "login": "a@example.com"}), 400, "1 to 50"),
        (json!({"name": "A"}), 400, "email address"),
        (json!({"name": "A", "login": "no address"}), 400, "email address"),
        (json!({"name": "A", "login": "ROBIN@example.com"}), 409, "already"),
        (
            json!({"name": "A", "login": "a@example.com", "client_id": "keyhole-jwt"}),
            400,
            "belongs to no app",
        ),
        (json!({"name": "A", "kind": "app_user"}), 400, "client_id"),
        (json!({"name": "A", "kind": "app_user", "client_id": "nobody"}), 400, "client_id"),
        (
            json!({"name": "A", "kind": "app_user", "client_id": "keyhole-jwt", "password": "x"}),
            400,
            "never signs in",
        ),
        (json!({"name": "A", "kind": "service_account", "client_id": "keyhole-jwt"}), 400, "service_account"),
    ] {
        let answer = client.drive("POST", "users", wanted.clone());
        assert_eq!(answer.status, status, "{wanted}: {}", answer.text());
        let told = answer.json()["error"].as_str().expect("a sentence").to_owned();
        assert!(told.contains(words), "{told}");
    }
    for (id, words) in [("1100000001", "stays"), ("1100000002", "with its app")] {
        let answer = client.drive("DELETE", &format!("users/{id}"), Value::Null);
        assert_eq!(answer.status, 409);
        assert!(answer.text().contains(words), "{}", answer.text());
    }
    assert_eq!(users(&mut client), before);
}
