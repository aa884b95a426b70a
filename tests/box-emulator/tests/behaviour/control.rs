//! The control API.

use box_emulator::Settings;
use serde_json::json;

use crate::support::{CALLBACK, Client, PREVIEW};

#[test]
fn other_web_pages_cannot_drive_it() {
    let mut client = Client::new();
    let from_pages: [&[(&str, &str)]; 9] = [
        &[("sec-fetch-site", "none"), ("origin", "http://127.0.0.1:9400")],
        &[("origin", "https://evil.example")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:9401")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:9400")],
        &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:9400")],
    ];
    for headers in from_pages {
        for (method, path) in [("GET", "ledger"), ("POST", "reset"), ("GET", "apps"), ("DELETE", "faults")] {
            let ask = client.ask(method, &format!("/emulator/{path}"));
            let answer = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).send();
            assert_eq!(answer.status, 403, "{method} {path} with {headers:?}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    let rebound: [&[(&str, &str)]; 2] =
        [&[], &[("sec-fetch-site", "same-origin"), ("origin", "http://evil.example:9400")]];
    for headers in rebound {
        let ask = client.ask("GET", "http://evil.example:9400/emulator/ledger");
        let answer = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).send();
        assert_eq!(answer.status, 421, "a name that was made to mean this machine");
    }
    let typed = client.ask("GET", "/emulator/status").header("sec-fetch-site", "none").send();
    assert_eq!(typed.status, 200, "a person may look");
}

#[test]
fn its_own_page_can_drive_it() {
    let mut client = Client::new();
    for host in ["http://127.0.0.1:9400", "http://localhost:9400"] {
        let asked =
            client.ask("GET", &format!("{host}/emulator/ledger")).header("sec-fetch-site", "same-origin");
        assert_eq!(asked.send().status, 200);
        let ask = |client: &mut Client, kind: &str| {
            let ask = client.ask("POST", &format!("{host}/emulator/clock"));
            let ask =
                ask.header("sec-fetch-site", "same-origin").origin(host).json(json!({"advance_seconds": 1}));
            ask.header("content-type", kind).send().status
        };
        assert_eq!(ask(&mut client, "application/json; charset=utf-8"), 200);
        assert_eq!(ask(&mut client, "text/plain"), 400, "what a form could send");
    }
}

#[test]
fn status_says_who_to_sign_in_as_and_what_is_set() {
    let mut client = Client::new();
    let status = client.ask("GET", "/emulator/status").send().json();
    assert_eq!(status["name"], "box-emulator");
    assert_eq!(
        status["user"],
        json!({"name": "Robin Sample", "login": "robin@example.com", "password": "keyhole"})
    );
    assert_eq!(status["client_id"], "keyhole-dev");
    assert_eq!(status["now_ms"], client.now_ms);
    assert_eq!(status["settings"], json!(Settings::default()));
}

#[test]
fn settings_that_do_not_exist_are_refused_and_change_nothing() {
    let mut client = Client::new();
    for wrong in [
        json!({"rotation": "eager"}),
        json!({"pkce": true, "nonsense": 1}),
        json!({"outside_resource_status": 401}),
        json!({"scope_not_held_status": 403}),
        json!({"dead_subject_status": 200}),
        json!({"scope_not_held_error": "invalid_grant"}),
        json!({"refresh_token_seconds": null}),
        json!([]),
    ] {
        let answer = client.ask("POST", "/emulator/settings").json(wrong.clone()).send();
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.json()["error"].is_string());
    }
    let status = client.ask("GET", "/emulator/status").send().json();
    assert_eq!(status["settings"]["pkce"], false);
}

#[test]
fn the_clock_goes_forward_for_everybody() {
    let mut client = Client::new();
    let pair = client.login();
    client.control("clock", json!({"advance_seconds": pair.expires_in}));
    let answer = client.get(&pair.access, "/2.0/users/me");
    answer.is_unauthorized();
    let mut expected = std::time::UNIX_EPOCH;
    expected += std::time::Duration::from_millis(client.now_ms + pair.expires_in * 1000);
    assert_eq!(answer.header("date"), Some(&*httpdate::fmt_http_date(expected)));
}

#[test]
fn expire_ends_all_of_one_kind_and_no_other() {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, "Welcome.md");
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    let code = client.code();
    let states = |client: &mut Client| {
        [&pair.access, &pair.refresh, &child, &code].map(|value| client.state_of(value))
    };
    assert_eq!(states(&mut client), ["live", "live", "live", "live"]);
    client.control("expire", json!({"kind": "access"}));
    assert_eq!(states(&mut client), ["expired", "live", "live", "live"]);
    client.control("expire", json!({"kind": "child"}));
    assert_eq!(states(&mut client), ["expired", "live", "expired", "live"]);
    client.control("expire", json!({"kind": "code"}));
    client.redeem(&code).is_oauth(400, "invalid_grant", "The authorization code has expired");
    client.control("expire", json!({"kind": "refresh"}));
    client.refresh(&pair.refresh).is_oauth(400, "invalid_grant", "Refresh token has expired");
}

#[test]
fn the_ledger_tells_every_token_and_where_it_came_from() {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, "Welcome.md");
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    let whole = client.ask("GET", "/emulator/ledger").send().json();
    assert_eq!(whole["client_secret"], "keyhole-dev-secret-not-a-secret");
    let rows = client.ledger();
    let kinds: Vec<_> = rows.iter().map(|row| row["kind"].as_str().expect("kind")).collect();
    assert_eq!(kinds, ["code", "access", "refresh", "child"]);
    assert_eq!((&rows[0]["state"], &rows[0]["parent"]), (&json!("used"), &json!(null)));
    assert_eq!(rows[1]["parent"], rows[0]["value"]);
    assert_eq!(rows[3]["value"], *child);
    assert_eq!(rows[3]["parent"], *pair.access);
    assert_eq!(rows[3]["resource"], format!("file_{file}"));
    assert_eq!(rows[3]["scopes"], json!(["base_preview", "item_preview"]));
    assert_eq!(rows[1]["issued_at_ms"], client.now_ms);
    assert_eq!(rows[1]["expires_at_ms"], client.now_ms + pair.expires_in * 1000);
}

#[test]
fn calls_are_counted_by_kind_and_logged() {
    let mut client = Client::new();
    let pair = client.login();
    client.refresh("guessed");
    let file = client.id_of(&pair.access, "Welcome.md");
    client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    client.get(&pair.access, &format!("/2.0/files/{file}"));
    client.get("guessed", "/2.0/users/me?access_token=x");
    client.revoke(&pair.access);
    let calls = client.ask("GET", "/emulator/calls").send().json();
    for (key, count) in [
        ("POST /oauth2/token authorization_code", 1),
        ("POST /oauth2/token refresh_token", 1),
        ("POST /oauth2/token token-exchange", 1),
        ("GET /2.0/folders/*/items", 1),
        ("GET /2.0/files/*", 1),
        ("GET /2.0/users/me", 1),
        ("POST /oauth2/revoke", 1),
    ] {
        assert_eq!(calls["counts"][key], count, "{key} in {}", calls["counts"]);
    }
    let refused = json!({"GET /2.0/users/me": 1, "POST /oauth2/token refresh_token": 1});
    assert_eq!(calls["refused"], refused);
    let last = &calls["log"].as_array().expect("log")[5];
    assert_eq!(
        *last,
        json!({
            "at_ms": client.now_ms, "method": "GET", "path": "/2.0/users/me", "grant_type": null, "status": 401,
            "origin": null, "has_query_token": true,
        })
    );
    assert_eq!(client.ask("DELETE", "/emulator/calls").send().status, 200);
    let calls = client.ask("GET", "/emulator/calls").send().json();
    assert_eq!(calls, json!({"counts": {}, "refused": {}, "log": [], "events": []}));
}

#[test]
fn a_scripted_grant_is_a_login_of_the_sample_user() {
    let mut client = Client::new();
    let granted = client.control("grant", json!({"redirect_uri": CALLBACK, "state": "s"}));
    let code = granted["code"].as_str().expect("code").to_owned();
    assert_eq!(granted["location"], format!("{CALLBACK}?code={code}&state=s"));
    assert_eq!(client.redeem(&code).status, 200);
    for wrong in
        [json!({"redirect_uri": "https://evil.example/"}), json!({"scope": "gcm"}), json!({"user": 1})]
    {
        assert_eq!(client.ask("POST", "/emulator/grant").json(wrong).send().status, 400);
    }
}

#[test]
fn a_reset_forgets_everything_and_repeats_no_token() {
    let mut client = Client::new();
    let before = client.login();
    client.settings(json!({"rotation": "strict"}));
    client.control("faults", json!({"path": "*", "status": 500}));
    client.control("reset", json!({}));
    assert!(client.ledger().is_empty());
    client.get(&before.access, "/2.0/users/me").is_unauthorized();
    let after = client.login();
    client.control("reset", json!({}));
    let later = client.login();
    assert!(before.access != after.access && after.access != later.access && later.access != before.access);
    let status = client.ask("GET", "/emulator/status").send().json();
    assert_eq!(status["settings"]["rotation"], "lazy");
}

#[test]
fn unknown_orders_are_not_found() {
    let mut client = Client::new();
    for (method, path) in [("GET", "nonsense"), ("GET", "reset"), ("POST", "ledger")] {
        assert_eq!(client.ask(method, &format!("/emulator/{path}")).send().status, 404);
    }
}

#[test]
fn the_ledger_counts_how_often_each_token_was_brought() {
    let mut client = Client::new();
    let pair = client.login();
    let uses = |client: &mut Client, value: &str| {
        let row = client.ledger().into_iter().find(|row| row["value"] == value).expect("in the ledger");
        row["uses"].as_u64().expect("a number")
    };
    assert_eq!((uses(&mut client, &pair.access), uses(&mut client, &pair.refresh)), (0, 0));
    client.get(&pair.access, "/2.0/users/me");
    client.exchange(&pair.access, PREVIEW, None);
    client.refresh(&pair.refresh);
    client.control("faults", json!({"path": "/oauth2/token", "drop": "before"}));
    let form = [("grant_type", "refresh_token"), ("refresh_token", &pair.refresh)];
    assert!(client.ask("POST", "/oauth2/token").form(&form).reply().drop_connection);
    client.get("nobody's", "/2.0/users/me");
    assert_eq!(
        (uses(&mut client, &pair.access), uses(&mut client, &pair.refresh)),
        (2, 2),
        "refreshed twice"
    );
    client.ask("DELETE", "/emulator/calls").send();
    assert_eq!(uses(&mut client, &pair.access), 0);
}
