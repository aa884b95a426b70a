//! `POST /oauth2/revoke`.

use crate::support::{CREDENTIALS, Client, PREVIEW};
use serde_json::json;

#[test]
fn revoking_either_token_ends_the_pair() {
    for which in ["access", "refresh"] {
        let mut client = Client::new();
        let pair = client.login();
        let answer = client.revoke(if which == "access" { &pair.access } else { &pair.refresh });
        assert_eq!((answer.status, answer.text().as_str()), (200, ""), "{which}");
        client.get(&pair.access, "/2.0/users/me").is_unauthorized();
        client.refresh(&pair.refresh).is_oauth(400, "invalid_grant", "Invalid refresh token");
        assert_eq!(client.state_of(&pair.refresh), "revoked");
    }
}

#[test]
fn revoking_ends_the_pending_pair_with_the_current_one() {
    let mut client = Client::new();
    let first = client.login();
    let second = client.refresh(&first.refresh).pair();
    client.revoke(&first.access);
    assert!(!client.works(&first.access) && !client.works(&second.access));
    client.refresh(&second.refresh).is_oauth(400, "invalid_grant", "Invalid refresh token");
}

#[test]
fn a_used_up_token_revokes_nothing_unless_told() {
    for (told, works) in [(false, true), (true, false)] {
        let mut client = Client::new();
        client.settings(json!({"rotation": "strict", "dead_token_revokes_grant": told}));
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        assert_eq!(client.revoke(&first.refresh).status, 200);
        assert_eq!(client.works(&second.access), works, "told: {told}");
    }
}

#[test]
fn another_login_is_not_touched() {
    let mut client = Client::new();
    let (one, other) = (client.login(), client.login());
    client.revoke(&one.refresh);
    assert!(client.works(&other.access));
}

#[test]
fn a_child_is_revoked_alone() {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, "Welcome.md");
    let (one, other) = (
        client.child(&pair.access, PREVIEW, &format!("files/{file}")),
        client.child(&pair.access, PREVIEW, &format!("files/{file}")),
    );
    assert_eq!(client.revoke(&one).status, 200);
    client.get(&one, &format!("/2.0/files/{file}")).is_unauthorized();
    assert_eq!(client.get(&other, &format!("/2.0/files/{file}")).status, 200);
    assert!(client.works(&pair.access));
}

#[test]
fn children_outlive_a_revoked_parent_unless_told() {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, "Welcome.md");
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    client.revoke(&pair.refresh);
    assert_eq!(client.get(&child, &format!("/2.0/files/{file}")).status, 200);
    client.settings(json!({"children_die_on_rotation": true}));
    assert_eq!(client.get(&child, &format!("/2.0/files/{file}")).status, 200, "a revocation is no rotation");
    client.settings(json!({"children_die_on_revoke": true}));
    client.get(&child, &format!("/2.0/files/{file}")).is_unauthorized();
}

#[test]
fn if_told_a_revocation_reaches_the_children_of_children_and_of_earlier_tokens() {
    let mut client = Client::new();
    client.settings(json!({"children_die_on_revoke": true}));
    let first = client.login();
    let file = client.id_of(&first.access, "Welcome.md");
    let address = format!("/2.0/files/{file}");
    let child = client.child(&first.access, PREVIEW, &format!("files/{file}"));
    let grandchild = client.exchange(&child, "item_preview", None).json();
    let grandchild = grandchild["access_token"].as_str().expect("a token").to_owned();
    let second = client.refresh(&first.refresh).pair();
    assert!(client.works(&second.access));
    let other = client.login();
    let stranger = client.child(&other.access, PREVIEW, &format!("files/{file}"));
    for token in [&child, &grandchild] {
        assert_eq!(client.get(token, &address).status, 200);
    }
    assert_eq!(client.revoke(&second.access).status, 200);
    for token in [&child, &grandchild] {
        client.get(token, &address).is_unauthorized();
    }
    assert_eq!(client.get(&stranger, &address).status, 200, "another login is another grant");
}

#[test]
fn if_told_a_revoked_child_takes_what_was_narrowed_from_it() {
    let mut client = Client::new();
    client.settings(json!({"children_die_on_revoke": true}));
    let pair = client.login();
    let file = client.id_of(&pair.access, "Welcome.md");
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    let grandchild = client.exchange(&child, "item_preview", None).json();
    let grandchild = grandchild["access_token"].as_str().expect("a token").to_owned();
    client.revoke(&child);
    client.get(&grandchild, &format!("/2.0/files/{file}")).is_unauthorized();
    assert!(client.works(&pair.access));
}

#[test]
fn the_client_must_prove_itself_and_name_a_token() {
    let mut client = Client::new();
    let pair = client.login();
    let mut revoke = |form: &[(&str, &str)]| client.ask("POST", "/oauth2/revoke").form(form).send();
    let token = ("token", &*pair.access);
    for form in [&[token][..], &[token, CREDENTIALS[0]], &[token, CREDENTIALS[0], ("client_secret", "wrong")]]
    {
        revoke(form).is_oauth(400, "invalid_client", "The client credentials are invalid");
    }
    revoke(CREDENTIALS).is_oauth(400, "invalid_request", "No \"token\" parameter found");
    assert!(client.works(&pair.access));
}

#[test]
fn an_unknown_token_is_no_fault() {
    assert_eq!(Client::new().revoke("guessed").status, 200);
}
