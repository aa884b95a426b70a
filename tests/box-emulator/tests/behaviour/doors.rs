//! Who is answered at all: names of this emulator, headers that can be read, forms of any length, times that have a date.

use std::time::Instant;

use http::{HeaderValue, Request};
use serde_json::json;

use crate::support::{CREDENTIALS, Client};

fn asked_as(client: &mut Client, host: &str, path: &str) -> u16 {
    client.ask("GET", &format!("http://{host}{path}")).send().status
}

#[test]
fn a_name_that_somebody_else_made_point_here_is_answered_nothing() {
    let mut client = Client::new();
    for host in ["evil.example", "evil.example:9400", "localhost.evil.example", "127.0.0.1.evil.example:9400"]
    {
        for path in
            ["/console", "/emulator/status", "/api/oauth2/authorize", "/2.0/users/me", "/oauth2/token"]
        {
            assert_eq!(asked_as(&mut client, host, path), 421, "{host}{path}");
        }
    }
    for host in ["127.0.0.1:9400", "localhost:9400", "box.localhost:9400", "[::1]:9400", "192.168.1.5:9400"] {
        assert_eq!(asked_as(&mut client, host, "/emulator/status"), 200, "{host}");
    }
}

#[test]
fn a_name_that_it_was_given_is_its_own() {
    let options = box_emulator::Options {
        api_origin: "http://box.test:9400".to_owned(),
        content_origin: "http://content.test".to_owned(),
        ..Default::default()
    };
    let mut client = Client::with(options);
    assert_eq!(asked_as(&mut client, "box.test:9400", "/emulator/status"), 200);
    assert_eq!(asked_as(&mut client, "content.test", "/d/1/x/download"), 404);
    assert_eq!(asked_as(&mut client, "box.test", "/emulator/status"), 421, "another port");
}

#[test]
fn a_header_that_matters_and_cannot_be_read_does_not_count_as_absent() {
    let mut client = Client::new();
    let pair = client.login();
    let id = client.id_of(&pair.access, "Welcome.md");
    let unreadable = HeaderValue::from_bytes(b"1100000001\xe9").expect("a value");
    for name in ["as-user", "boxapi", "x-rep-hints", "if-match", "if-none-match", "range"] {
        let request = Request::get(format!("http://127.0.0.1:9400/2.0/files/{id}"))
            .header("authorization", format!("Bearer {}", pair.access))
            .header(name, unreadable.clone());
        let request = request.body(Vec::new()).expect("a request");
        let response = client.emulator.handle(request, client.now_ms).response;
        assert_eq!(response.status(), 400, "{name}");
    }
    assert_eq!(client.get(&pair.access, &format!("/2.0/files/{id}")).status, 200);
}

#[test]
fn a_form_of_a_hundred_thousand_names_holds_nobody_up() {
    let mut client = Client::new();
    let form: Vec<(String, String)> =
        (0..100_000).map(|number| (number.to_string(), String::new())).collect();
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    #[expect(clippy::disallowed_methods, reason = "how long it takes is what is looked at")]
    let begun = Instant::now();
    client.token(&form).is_oauth(400, "invalid_request", "Invalid grant_type parameter or parameter missing");
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    client.token(&[CREDENTIALS, &[("client_id", "again")]].concat()).is_oauth(
        400,
        "invalid_request",
        "A parameter is given twice",
    );
}

#[test]
fn no_clock_goes_where_dates_end() {
    let mut client = Client::new();
    let century = 100_u64 * 365 * 24 * 60 * 60;
    for seconds in [u64::MAX, 900_000_000_000, century + 1] {
        let refused = client.ask("POST", "/emulator/clock").json(json!({"advance_seconds": seconds})).send();
        assert_eq!(refused.status, 400, "{seconds}");
    }
    for seconds in [900_000_000_000_i64, -900_000_000_000, i64::MIN] {
        let settings = json!({"clock_offset_seconds": seconds});
        let refused = client.ask("POST", "/emulator/settings").json(settings).send();
        assert_eq!(refused.status, 400, "{seconds}");
        assert!(refused.text().contains("clock_offset_seconds"), "{}", refused.text());
    }
    client.control("clock", json!({"advance_seconds": century}));
    client.settings(json!({"clock_offset_seconds": century}));
    assert_eq!(client.ask("GET", "/emulator/status").send().status, 200);
    let refused = client.ask("POST", "/emulator/clock").json(json!({"advance_seconds": 1})).send();
    assert_eq!(refused.status, 400, "not bit by bit either");
    client.now_ms = u64::MAX;
    assert_eq!(
        client.ask("GET", "/emulator/status").send().status,
        200,
        "even where the machine's clock is mad"
    );
}

#[test]
fn a_switch_that_is_wrong_is_named() {
    let mut client = Client::new();
    for (settings, words) in [
        (json!({"pkce": true, "refresh_token_seconds": null}), "refresh_token_seconds: invalid type: null"),
        (json!({"nonsense": 1}), "there is no switch nonsense"),
    ] {
        let refused = client.ask("POST", "/emulator/settings").json(settings).send();
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains(words), "{}", refused.text());
    }
    let status = client.ask("GET", "/emulator/status").send().json();
    assert_eq!(status["settings"]["pkce"], false, "and nothing has changed");
}

#[test]
fn a_fault_that_can_hit_nothing_is_refused() {
    let mut client = Client::new();
    for fault in [
        json!({"path": "2.0/users/me", "status": 429}),
        json!({"path": "/2.0/users/me", "status": 429, "count": 0}),
        json!({"path": "/2.0/users/me", "status": 429, "drop": "before"}),
        json!({"path": "/2.0/users/me", "rewrite": {"a": 1}, "drop": "before"}),
    ] {
        let refused = client.ask("POST", "/emulator/faults").json(fault.clone()).send();
        assert_eq!(refused.status, 400, "{fault}");
    }
    client.control("faults", json!({"path": "*", "status": 503}));
    assert_eq!(client.ask("GET", "/2.0/users/me").send().status, 503);
}

#[test]
fn a_browsers_question_before_the_call_takes_no_fault_unless_it_is_meant() {
    let mut client = Client::new();
    let pair = client.login();
    client.control("faults", json!({"path": "/2.0/users/me", "status": 429}));
    let preflight = |client: &mut Client| {
        let ask = client.ask("OPTIONS", "/2.0/users/me").origin("http://localhost:8787");
        ask.header("access-control-request-method", "GET").send().status
    };
    assert_eq!(preflight(&mut client), 200);
    assert_eq!(client.get(&pair.access, "/2.0/users/me").status, 429);
    client.control("faults", json!({"path": "/2.0/users/me", "method": "options", "status": 503}));
    assert_eq!(preflight(&mut client), 503);
}

#[test]
fn a_token_for_one_folder_manages_no_users() {
    let mut client = Client::new();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "keyhole-ccg"),
        ("client_secret", "keyhole-ccg-secret-not-a-secret"),
        ("box_subject_type", "enterprise"),
        ("box_subject_id", "900000001"),
    ];
    let token = client.token(&form).json()["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(client.get(&token, "/2.0/users").status, 200);
    let folder = client.id_of(&token, "Letters");
    let child = client.child(&token, "manage_managed_users base_preview", &format!("folders/{folder}"));
    client.get(&child, "/2.0/users").lacks_scope();
    let person = json!({"name": "Mallory", "login": "mallory@example.com"});
    client.ask("POST", "/2.0/users").bearer(&child).json(person).send().lacks_scope();
}

#[test]
fn what_is_not_done_is_refused_and_not_left_out() {
    let mut client = Client::new();
    let pair = client.login();
    let id = client.id_of(&pair.access, "Welcome.md");
    for (method, target, body) in [
        ("POST", "/2.0/folders".to_owned(), json!({"name": "New", "parent": {"id": "0"}, "nonsense": 1})),
        ("PUT", format!("/2.0/files/{id}"), json!({"shared_link": {"access": "open", "vanity_name": "x"}})),
        ("PUT", format!("/2.0/files/{id}"), json!({"shared_link": {"permissions": {"can_edit": true}}})),
    ] {
        let answer = client.ask(method, &target).bearer(&pair.access).json(body.clone()).send();
        assert_eq!(answer.status, 400, "{body}");
    }
}

#[test]
fn a_page_of_no_items_by_marker_would_go_on_for_ever() {
    let mut client = Client::new();
    let pair = client.login();
    assert_eq!(client.get(&pair.access, "/2.0/folders/0/items?usemarker=true&limit=0").status, 400);
}

#[test]
fn the_console_changes_things_also_where_browsers_do_not_tell_the_site() {
    let mut client = Client::new();
    let mut post = |host: &str, origin: &str| {
        let request = Request::post("/emulator/settings")
            .header("host", host)
            .header("origin", origin)
            .header("content-type", "application/json");
        let request = request.body(b"{\"pkce\":true}".to_vec()).expect("a request");
        client.emulator.handle(request, client.now_ms).response.status().as_u16()
    };
    assert_eq!(post("192.168.1.5:9400", "http://192.168.1.5:9400"), 200);
    assert_eq!(post("192.168.1.5:9400", "http://evil.example"), 403);
    assert_eq!(post("192.168.1.5:9400", "null"), 403);
    assert_eq!(
        post("127.0.0.1:9400", "http://127.0.0.1:9401"),
        403,
        "a page of the content host is no console"
    );
}

#[test]
fn what_is_said_to_stay_cannot_be_removed_and_all_else_can() {
    let mut client = Client::new();
    for (list, id) in [("users", "id"), ("apps", "client_id")] {
        let listed = client.ask("GET", &format!("/emulator/{list}")).send().json();
        let mut stays = 0;
        for one in listed[list].as_array().expect("a list") {
            let gone = client
                .ask("DELETE", &format!("/emulator/{list}/{}", one[id].as_str().expect("an id")))
                .send();
            assert_eq!(gone.status, if one["stays"] == true { 409 } else { 200 }, "{one}");
            stays += usize::from(one["stays"] == true);
        }
        assert!(stays > 0, "{list}");
    }
}
