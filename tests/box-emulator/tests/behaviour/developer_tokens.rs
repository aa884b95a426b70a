//! Developer tokens, and ending any token by hand.

use serde_json::{Value, json};

use crate::support::{Answer, Client, PREVIEW};

fn issue(client: &mut Client, body: Value) -> Answer {
    client.ask("POST", "/emulator/tokens").json(body).send()
}

fn token(client: &mut Client, body: Value) -> String {
    let answer = issue(client, body);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let body = answer.json();
    let token = body["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(body, json!({"access_token": token, "expires_in": 3600}));
    token
}

#[test]
fn a_developer_token_lives_for_sixty_minutes_and_has_no_refresh_token() {
    let mut client = Client::new();
    client.settings(json!({"access_token_seconds": 30}));
    let token = token(&mut client, json!({"client_id": "keyhole-dev"}));
    assert_eq!(client.ledger().len(), 1);
    client.wait(3599);
    assert!(client.works(&token));
    client.wait(1);
    assert!(!client.works(&token));
}

#[test]
fn it_speaks_for_whom_it_was_made_for() {
    let mut client = Client::new();
    for (body, user) in [
        (json!({"client_id": "keyhole-dev"}), "1100000001"),
        (json!({"client_id": "keyhole-ccg"}), "1100000002"),
        (json!({"client_id": "keyhole-ccg", "user": "1100000001"}), "1100000001"),
    ] {
        let token = token(&mut client, body.clone());
        assert_eq!(client.get(&token, "/2.0/users/me").json()["id"], user, "{body}");
    }
}

#[test]
fn it_has_the_scopes_asked_for_and_can_be_exchanged() {
    let mut client = Client::new();
    let narrow =
        token(&mut client, json!({"client_id": "keyhole-dev", "scopes": ["item_preview", "base_explorer"]}));
    client.get(&narrow, "/2.0/users/me").lacks_scope();
    assert_eq!(client.get(&narrow, "/2.0/folders/0").status, 200);
    assert_eq!(client.exchange(&narrow, "item_preview", None).status, 200);
    assert_eq!(client.exchange(&narrow, "item_download", None).status, 401);
    let wide = token(&mut client, json!({"client_id": "keyhole-dev"}));
    assert_eq!(client.exchange(&wide, PREVIEW, None).status, 200);
}

#[test]
fn what_is_not_there_gets_none() {
    let mut client = Client::new();
    for (body, status) in [
        (json!({}), 400),
        (json!({"client_id": "keyhole-dev", "seconds": 1}), 400),
        (json!({"client_id": "unknown"}), 404),
        (json!({"client_id": "keyhole-dev", "user": "1100000099"}), 404),
        (json!({"client_id": "keyhole-dev", "scopes": []}), 400),
        (json!({"client_id": "keyhole-dev", "scopes": ["gcm"]}), 400),
        (json!({"client_id": "keyhole-dev", "scopes": ["manage_groups"]}), 400),
    ] {
        let answer = issue(&mut client, body.clone());
        assert_eq!(answer.status, status, "{body}");
        assert!(answer.json()["error"].is_string());
    }
    assert!(client.ledger().is_empty());
}

#[test]
fn any_token_can_be_ended_by_value_or_by_number() {
    let mut client = Client::new();
    let one = token(&mut client, json!({"client_id": "keyhole-dev"}));
    let other = token(&mut client, json!({"client_id": "keyhole-dev"}));
    assert_eq!(client.control("tokens/revoke", json!({"value": one})), json!({}));
    assert!(!client.works(&one) && client.works(&other));
    let pair = client.login();
    client.control("tokens/revoke", json!({"value": pair.access}));
    assert!(!client.works(&pair.access));
    assert_eq!(client.refresh(&pair.refresh).status, 400, "the pair is one");
}

#[test]
fn a_number_ends_one_token_and_no_other() {
    let mut client = Client::new();
    let tokens = [(); 4].map(|()| token(&mut client, json!({"client_id": "keyhole-dev"})));
    let numbers: Vec<Value> = client.ledger().iter().map(|row| row["number"].clone()).collect();
    for (place, number) in numbers.iter().enumerate() {
        client.control("tokens/revoke", json!({"number": number}));
        let works: Vec<bool> = tokens.iter().map(|token| client.works(token)).collect();
        let expected: Vec<bool> = (0..4).map(|other| other > place).collect();
        assert_eq!(works, expected);
    }
}

#[test]
fn what_is_no_token_cannot_be_ended() {
    let mut client = Client::new();
    let code = client.code();
    for (body, status) in [
        (json!({}), 400),
        (json!({"value": "unknown"}), 404),
        (json!({"value": code}), 404),
        (json!({"number": 99}), 404),
        (json!({"number": 0, "value": "unknown"}), 400),
    ] {
        let answer = client.ask("POST", "/emulator/tokens/revoke").json(body.clone()).send();
        assert_eq!(answer.status, status, "{body}");
    }
    assert_eq!(client.redeem(&code).status, 200);
}
