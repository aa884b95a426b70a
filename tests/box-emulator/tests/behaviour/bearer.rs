//! Who may call the API at all.

use serde_json::json;

use crate::support::Client;

#[test]
fn without_a_token_the_answer_is_an_empty_401() {
    let mut client = Client::new();
    for authorization in
        [None, Some("Bearer"), Some("Bearer "), Some("Basic abc"), Some("abc"), Some("Bearer a b")]
    {
        let mut ask = client.ask("GET", "/2.0/users/me");
        if let Some(authorization) = authorization {
            ask = ask.header("authorization", authorization);
        }
        let answer = ask.send();
        assert_eq!((answer.status, answer.text().as_str()), (401, ""), "{authorization:?}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"Service\""));
        assert!(answer.header("box-request-id").is_some());
    }
}

#[test]
fn a_token_that_ended_or_never_was_is_an_empty_401() {
    let mut client = Client::new();
    let pair = client.login();
    let code = client.code();
    for token in ["guessed", &pair.refresh, &code] {
        client.get(token, "/2.0/users/me").is_unauthorized();
    }
    client.control("expire", json!({"kind": "access"}));
    client.get(&pair.access, "/2.0/users/me").is_unauthorized();
}

#[test]
fn the_scheme_is_read_in_any_case() {
    let mut client = Client::new();
    let pair = client.login();
    let answer =
        client.ask("GET", "/2.0/users/me").header("authorization", &format!("bearer {}", pair.access)).send();
    assert_eq!(answer.status, 200);
}

#[test]
fn a_token_in_the_address_opens_content_and_nothing_else() {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, "Letters/Letter to Aunt Edda.pdf");
    let info = client.get(&pair.access, &format!("/2.0/files/{file}?fields=representations")).json();
    let entry = &info["representations"]["entries"][0];
    let template = entry["content"]["url_template"].as_str().expect("template").replace("{+asset_path}", "");
    let status = entry["info"]["url"].as_str().expect("url").to_owned();
    let token = &pair.access;
    for (address, expected) in [
        (format!("{template}?access_token={token}"), 200),
        (format!("{status}?access_token={token}"), 200),
        (format!("http://127.0.0.1:9401/api/2.0/files/{file}/content?access_token={token}"), 200),
        (format!("/2.0/files/{file}/content?access_token={token}"), 302),
        (format!("/2.0/files/{file}?access_token={token}"), 401),
        (format!("/2.0/users/me?access_token={token}"), 401),
        (format!("/2.0/folders/0/items?access_token={token}"), 401),
    ] {
        assert_eq!(client.ask("GET", &address).send().status, expected, "{address}");
    }
    let both = client.ask("GET", &format!("{template}?access_token={token}")).bearer("guessed").send();
    assert_eq!(both.status, 401, "the header counts");
}

#[test]
fn users_me_says_whose_token_it_is() {
    let mut client = Client::new();
    let pair = client.login();
    let me = client.get(&pair.access, "/2.0/users/me").json();
    assert_eq!(
        (&me["type"], &me["login"], &me["name"]),
        (&json!("user"), &json!("robin@example.com"), &json!("Robin Sample"))
    );
    let me = client.get(&pair.access, "/2.0/users/me?fields=name%2Clogin%2Cnonsense").json();
    assert_eq!(me.as_object().expect("an object").len(), 4, "type, id and what was asked: {me}");
}

#[test]
fn unknown_addresses_and_methods_are_api_errors() {
    let mut client = Client::new();
    let pair = client.login();
    client.get(&pair.access, "/2.0/nonsense").is_not_found();
    client.get(&pair.access, "/").is_not_found();
    let answer = client.ask("DELETE", "/2.0/search").bearer(&pair.access).send();
    answer.is_api(405, "method_not_allowed", "Method Not Allowed");
    let answer = client.ask("PATCH", "/2.0/files/12").bearer(&pair.access).send();
    answer.is_api(405, "method_not_allowed", "Method Not Allowed");
    let answer = client.get(&pair.access, "/2.0/files/abc");
    answer.is_api(405, "method_not_allowed", "Method Not Allowed");
    client.get(&pair.access, "/2.0/files/12").is_not_found();
    client.get(&pair.access, "/2.0/folders/12/items").is_not_found();
}
