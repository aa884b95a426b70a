//! What outlives a restart, and its written form.

use box_emulator::{Emulator, Options, State, StateFault};
use serde_json::{Value, json};

use crate::support::{Client, PREVIEW};

fn restarted(client: &Client) -> Client {
    let written = client.emulator.state().write().expect("JSON");
    let state = State::read(&written, |_| None).expect("readable");
    Client { emulator: Emulator::resume(Options::default(), state), now_ms: client.now_ms }
}

#[test]
fn tokens_the_clock_and_a_half_done_rotation_survive_a_restart() {
    let mut client = Client::new();
    let first = client.login();
    let file = client.id_of(&first.access, "Welcome.md");
    let child = client.child(&first.access, PREVIEW, &format!("files/{file}"));
    let second = client.refresh(&first.refresh).pair();
    client.control("clock", json!({"advance_seconds": 100}));

    let mut client = restarted(&client);
    assert_eq!(client.get(&child, &format!("/2.0/files/{file}")).status, 200);
    assert_eq!(client.refresh(&first.refresh).pair().access, second.access, "still pending");
    assert!(client.works(&second.access));
    assert!(!client.works(&first.access));
    let status = client.ask("GET", "/emulator/status").send().json();
    assert_eq!(status["now_ms"], client.now_ms + 100_000);
}

#[test]
fn no_token_is_issued_twice_over_a_restart() {
    let mut client = Client::new();
    let before = client.login();
    let mut client = restarted(&client);
    assert_ne!(client.login().access, before.access);
}

#[test]
fn ids_of_files_stay_the_same() {
    let mut client = Client::new();
    let pair = client.login();
    let before = client.id_of(&pair.access, "Letters/Fish & chips.md");
    assert_eq!(restarted(&client).id_of(&pair.access, "Letters/Fish & chips.md"), before);
}

#[test]
fn the_revision_rises_with_every_change_and_with_nothing_else() {
    let mut client = Client::new();
    let pair = client.login();
    let before = client.emulator.state().revision();
    client.works(&pair.access);
    client.get(&pair.access, "/2.0/folders/0/items");
    client.ask("GET", "/emulator/ledger").send();
    assert_eq!(client.emulator.state().revision(), before);
    client.refresh(&pair.refresh);
    assert!(client.emulator.state().revision() > before);
}

#[test]
fn the_written_form_is_this_one() {
    let mut client = Client::new();
    client.settings(json!({"access_token_seconds": 3600}));
    let code = client.code();
    let pair = client.redeem(&code).pair();
    let mut written: Value =
        serde_json::from_slice(&client.emulator.state().write().expect("JSON")).expect("JSON");
    // Long; the next test looks at one of each.
    for long in ["accounts", "apps", "users"] {
        written.as_object_mut().expect("an object").remove(long).expect(long);
    }
    let holder = json!({"client_id": "keyhole-dev", "user_id": "1100000001", "scopes": ["root_readwrite"]});
    let now = client.now_ms;
    let token = |number: u64, kind: &str, seconds: u64| {
        json!({
            "number": number, "kind": kind, "holder": holder, "resource": null, "shared_link": null, "actor": null, "parent": code,
            "grant": 0,
            "terms": null, "issued_at_ms": now, "expires_at_ms": now + seconds * 1000, "end": null,
        })
    };
    let mut redeemed = token(0, "code", 30);
    redeemed["parent"] = Value::Null;
    redeemed["grant"] = Value::Null;
    redeemed["end"] = json!("used");
    redeemed["terms"] =
        json!({"redirect_uri": "http://localhost:8787/auth/callback", "code_challenge": null});
    assert_eq!(
        written,
        json!({
            "format": 2,
            "entropy": {"seed": 1, "drawn": written["entropy"]["drawn"]},
            "clock_ahead_ms": 0,
            "book": {
                "issued": 3,
                "tokens": {
                    (code.clone()): redeemed,
                    (pair.access.clone()): token(1, "access", 3600),
                    (pair.refresh.clone()): token(2, "refresh", 5_184_000),
                },
                "grants": {
                    "0": {
                        "holder": holder,
                        "current": {"access": pair.access, "refresh": pair.refresh},
                        "pending": null,
                    },
                },
            },
            "used_assertions": {},
            "browsers": {},
            "downloads": {},
            "representations": {},
        })
    );
}

#[test]
fn a_file_of_another_kind_or_version_is_refused() {
    assert!(matches!(State::read(b"{", |_| None), Err(StateFault::Unreadable(_))));
    assert!(matches!(State::read(b"{}", |_| None), Err(StateFault::Unreadable(_))));
    assert!(matches!(State::read(b"{\"format\":3}", |_| None), Err(StateFault::OtherFormat { found: 3 })));
    assert!(matches!(State::read(b"{\"format\":2}", |_| None), Err(StateFault::Unreadable(_))));
}

#[test]
fn the_written_form_of_an_app_a_user_and_a_file_is_this_one() {
    let mut client = Client::new();
    let pair = client.login();
    let id = client.id_of(&pair.access, "Welcome.md");
    let written: Value =
        serde_json::from_slice(&client.emulator.state().write().expect("JSON")).expect("JSON");
    assert_eq!(
        written["apps"]["keyhole-dev"],
        json!({
            "name": "Keyhole", "client_id": "keyhole-dev", "client_secret": "keyhole-dev-secret-not-a-secret",
            "auth": "oauth2", "redirect_uris": ["http://localhost:8787/auth/callback"],
            "cors_origins": ["http://localhost:8787"], "scopes": ["root_readwrite"], "authorized": true,
            "may_act_as_users": false, "enterprise_access": true, "keys": [], "service_account": null,
        })
    );
    assert_eq!(
        written["users"]["1100000004"],
        json!({
            "id": "1100000004", "name": "Alex App User", "login": "AppUser_1100000004@boxdevedition.example",
            "password": null, "kind": "app_user", "client_id": "keyhole-jwt",
        })
    );
    let file = &written["accounts"]["1100000001"]["files"][&id];
    assert_eq!(
        (&file["current"]["name"], &file["parent"], &file["about"]["edits"]),
        (&json!("Welcome.md"), &json!("0"), &json!(0))
    );
    assert_eq!(file["current"]["bytes"], Value::Null, "bytes are kept apart");
}

#[test]
fn a_service_account_has_files_of_its_own_and_the_person_does_not_see_them() {
    let client = Client::new();
    let written = client.emulator.state().write().expect("JSON");
    let state: Value = serde_json::from_slice(&written).expect("JSON");
    let files = |user: &str| {
        let files = state["accounts"][user]["files"].as_object().expect("files").clone();
        files.keys().cloned().collect::<Vec<_>>()
    };
    let (robins, services) = (files("1100000001"), files("1100000003"));
    assert!(!services.is_empty() && services.iter().all(|id| !robins.contains(id)));
}
