//! What outlives a restart, and its written form.

use box_emulator::{Emulator, Options, Settings, State, StateFault};
use serde_json::{Value, json};

use crate::support::{Client, PREVIEW};

fn restarted(client: &Client, options: Options) -> Client {
    let written = client.emulator.state().write().expect("JSON");
    let state = State::read(&written, |_| None).expect("readable");
    Client { emulator: Emulator::resume(options, state), now_ms: client.now_ms }
}

#[test]
fn tokens_the_clock_and_a_half_done_rotation_survive_a_restart() {
    let mut client = Client::new();
    let first = client.login();
    let file = client.id_of(&first.access, "Welcome.md");
    let child = client.child(&first.access, PREVIEW, &format!("files/{file}"));
    let second = client.refresh(&first.refresh).pair();
    client.control("clock", json!({"advance_seconds": 100}));

    let mut client = restarted(&client, Options::default());
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
    let mut client = restarted(&client, Options::default());
    assert_ne!(client.login().access, before.access);
}

#[test]
fn ids_of_files_stay_the_same() {
    let mut client = Client::new();
    let pair = client.login();
    let before = client.id_of(&pair.access, "Letters/Fish & chips.md");
    assert_eq!(restarted(&client, Options::default()).id_of(&pair.access, "Letters/Fish & chips.md"), before);
}

#[test]
fn what_the_console_made_of_the_app_stays_and_what_is_given_at_the_start_comes_to_it() {
    let mut client = Client::new();
    let changed = json!({
        "client_secret": "another", "redirect_uris": ["https://app.example/cb"], "cors_origins": [],
    });
    assert_eq!(client.drive("PATCH", "apps/keyhole-dev", changed).status, 200);
    let app = |client: &mut Client| {
        let apps = client.drive("GET", "apps", Value::Null).json();
        let apps = apps["apps"].as_array().expect("apps").clone();
        let app = apps.into_iter().find(|app| app["client_id"] == "keyhole-dev").expect("the app");
        ["client_secret", "redirect_uris", "cors_origins"].map(|member| app[member].clone())
    };
    let mut client = restarted(&client, Options::default());
    assert_eq!(app(&mut client), [json!("another"), json!(["https://app.example/cb"]), json!([])]);
    let ledger = client.ask("GET", "/emulator/ledger").send().json();
    assert_eq!(ledger["client_secret"], "another");

    let given = Options {
        client_secret: Some("given".to_owned()),
        redirect_uris: Some(vec!["http://localhost:1/cb".to_owned(), "https://app.example/cb".to_owned()]),
        cors_origins: Some(vec!["http://localhost:1".to_owned()]),
        ..Options::default()
    };
    let mut client = restarted(&client, given);
    let ways_back = json!(["https://app.example/cb", "http://localhost:1/cb"]);
    assert_eq!(app(&mut client), [json!("given"), ways_back, json!(["http://localhost:1"])]);
}

#[test]
fn an_app_that_is_new_has_what_was_given_once_and_nothing_else() {
    let twice = Some(vec!["https://app.example/cb".to_owned(); 2]);
    let mut client = Client::with(Options { redirect_uris: twice, ..Options::default() });
    let apps = client.drive("GET", "apps", Value::Null).json();
    let apps = apps["apps"].as_array().expect("apps").clone();
    let app = apps.into_iter().find(|app| app["client_id"] == "keyhole-dev").expect("the app");
    assert_eq!(app["redirect_uris"], json!(["https://app.example/cb"]));
    assert_eq!(app["cors_origins"], json!(["http://localhost:8787"]));
}

#[test]
fn switches_survive_a_restart_and_a_reset_makes_them_the_starts() {
    let mut client = Client::new();
    client.settings(json!({"outside_resource_status": 403}));
    let start = Settings { pkce: true, ..Settings::default() };
    let mut client = restarted(&client, Options { settings: start, ..Options::default() });
    let settings = |client: &mut Client| {
        let settings = client.drive("GET", "settings", Value::Null).json()["settings"].clone();
        (settings["outside_resource_status"].clone(), settings["pkce"].clone())
    };
    assert_eq!(settings(&mut client), (json!(403), json!(false)));
    client.control("reset", json!({}));
    assert_eq!(settings(&mut client), (json!(404), json!(true)));
    let mut client = restarted(&client, Options::default());
    assert_eq!(settings(&mut client), (json!(404), json!(true)));
}

#[test]
fn a_state_from_before_a_switch_has_that_switch_at_its_default() {
    let client = Client::new();
    let written = client.emulator.state().write().expect("JSON");
    let mut written: Value = serde_json::from_slice(&written).expect("JSON");
    assert!(written["settings"].as_object_mut().expect("settings").remove("pkce").is_some());
    assert!(State::read(written.to_string().as_bytes(), |_| None).is_ok());
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
    let settings = written["settings"].clone();
    assert_eq!((&settings["access_token_seconds"], &settings["rotation"]), (&json!(3600), &json!("lazy")));
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
            "format": 3,
            "entropy": {"seed": 1, "drawn": written["entropy"]["drawn"]},
            "clock_ahead_ms": 0,
            "settings": settings,
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
            "own_files": {},
        })
    );
}

#[test]
fn a_file_of_another_kind_or_version_is_refused() {
    assert!(matches!(State::read(b"{", |_| None), Err(StateFault::Unreadable(_))));
    assert!(matches!(State::read(b"{}", |_| None), Err(StateFault::Unreadable(_))));
    assert!(matches!(State::read(b"{\"format\":2}", |_| None), Err(StateFault::OtherFormat { found: 2 })));
    assert!(matches!(State::read(b"{\"format\":3}", |_| None), Err(StateFault::Unreadable(_))));
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
