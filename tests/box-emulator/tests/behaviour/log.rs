//! The log that the console shows.

use serde_json::{Value, json};

use crate::support::{CALLBACK, Client, PREVIEW};

fn log(client: &mut Client, after: u64) -> (Vec<Value>, Value) {
    let told = client.drive("GET", &format!("log?after={after}"), Value::Null).json();
    (told["entries"].as_array().expect("entries").clone(), told)
}

fn last(client: &mut Client) -> Value {
    log(client, 0).0.pop().expect("a line")
}

#[test]
fn a_line_says_who_asked_for_what_and_what_came_of_it() {
    let mut client = Client::new();
    let pair = client.login();
    let line = last(&mut client);
    assert_eq!(
        line,
        json!({
            "number": 1, "at_ms": client.now_ms, "method": "POST", "path": "/oauth2/token",
            "client_id": "keyhole-dev", "user": "robin@example.com", "grant_type": "authorization_code",
            "status": 200, "note": null,
        })
    );
    client.get(&pair.access, "/2.0/folders/0/items?fields=name,size&limit=5");
    let line = last(&mut client);
    assert_eq!(
        (&line["path"], &line["user"]),
        (&json!("/2.0/folders/0/items?fields=name,size&limit=5"), &json!("robin@example.com"))
    );
}

#[test]
fn what_was_refused_says_why_in_boxs_words() {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, "Welcome.md");
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    let mut note = |ask: &dyn Fn(&mut Client)| {
        ask(&mut client);
        let line = last(&mut client);
        (line["status"].as_u64().expect("a status"), line["note"].as_str().unwrap_or_default().to_owned())
    };
    let expect = |status: u64, note: &str| (status, note.to_owned());
    let me = "/2.0/users/me";
    assert_eq!(note(&|client| drop(client.get(&child, me))), expect(403, "insufficient_scope"));
    assert_eq!(note(&|client| drop(client.get("guessed", me))), expect(401, "invalid_token"));
    assert_eq!(note(&|client| drop(client.ask("GET", me).send())), expect(401, "no token"));
    assert_eq!(
        note(&|client| drop(client.refresh("guessed"))),
        expect(400, "invalid_grant: Invalid refresh token")
    );
    assert_eq!(note(&|client| drop(client.get(&pair.access, "/2.0/files/1"))), expect(404, "not_found"));
    let page = |client: &mut Client| {
        drop(client.ask("GET", me).bearer(&pair.access).origin("https://other.example").send());
    };
    assert_eq!(note(&page), expect(403, "cors_origin_not_whitelisted"));
}

#[test]
fn the_authorize_page_says_what_was_decided() {
    let mut client = Client::new();
    for (decision, note) in [("grant", "granted"), ("deny", "access_denied")] {
        client.settings(json!({"decision": decision}));
        client
            .ask("GET", "/api/oauth2/authorize?response_type=code&client_id=keyhole-dev&state=xyzxyz")
            .send();
        let line = last(&mut client);
        assert_eq!(line["note"], note);
        assert_eq!(line["client_id"], "keyhole-dev");
        assert_eq!(
            line["path"],
            "/api/oauth2/authorize?response_type=code&client_id=keyhole-dev&state=xyzx…"
        );
    }
}

#[test]
fn faults_are_told_apart_from_boxs_own_answers() {
    let mut client = Client::new();
    let me = "/2.0/users/me";
    let cases = [
        (json!({"path": me, "status": 503}), 503, "fault: answered in its place"),
        (json!({"path": me, "drop": "before"}), 0, "fault: dropped before anything was done"),
        (json!({"path": me, "drop": "after"}), 401, "fault: dropped after it was done"),
        (json!({"path": me, "delay_ms": 30}), 401, "fault: answered 30 ms late"),
    ];
    for (fault, status, note) in cases {
        client.control("faults", fault.clone());
        let waiting = client.drive("GET", "faults", Value::Null).json();
        assert_eq!((&waiting["faults"][0]["path"], &waiting["faults"][0]["count"]), (&json!(me), &json!(1)));
        client.ask("GET", me).reply();
        let line = last(&mut client);
        assert_eq!((&line["status"], &line["note"]), (&json!(status), &json!(note)), "{fault}");
        assert_eq!(client.drive("GET", "faults", Value::Null).json()["faults"], json!([]));
    }
}

#[test]
fn only_what_is_new_is_asked_for_and_the_oldest_go() {
    let mut client = Client::new();
    for _ in 0..3 {
        client.ask("GET", "/2.0/users/me").send();
    }
    let (entries, told) = log(&mut client, 2);
    assert_eq!(entries.len(), 1);
    assert_eq!((&told["first"], &told["last"]), (&json!(1), &json!(3)));
    assert_eq!(log(&mut client, 3).0.len(), 0);
    for _ in 0..500 {
        client.ask("GET", "/2.0/users/me").send();
    }
    let (entries, told) = log(&mut client, 0);
    assert_eq!((entries.len(), &entries[0]["number"]), (500, &json!(4)));
    assert_eq!((&told["first"], &told["last"]), (&json!(4), &json!(503)));
    client.control("reset", json!({}));
    let (entries, told) = log(&mut client, 0);
    assert_eq!((entries.len(), &told["first"], &told["last"]), (0, &json!(504), &json!(503)));
    assert_eq!(client.drive("GET", "log?after=x", Value::Null).status, 400);
}

#[test]
fn no_line_holds_a_secret() {
    let mut client = Client::new();
    let pair = client.login();
    let file = client.id_of(&pair.access, "Welcome.md");
    let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
    let secret = "keyhole-dev-secret-not-a-secret";
    client.refresh(&pair.refresh);
    client.get(
        "",
        &format!("http://127.0.0.1:9401/api/2.0/files/{file}/content?access_token={child}&preview=true"),
    );
    // Put where no secret belongs.
    for value in [pair.access.as_str(), secret] {
        for path in [
            format!("/2.0/files/{value}"),
            format!("/2.0/users/me?{value}"),
            format!("/2.0/users/me?fields={value}"),
            format!("/2.0/users/me?limit={value}&x={value}"),
            format!("/oauth2/token?client_secret={value}"),
        ] {
            client.get(&pair.access, &path);
        }
        client.token(&[("grant_type", value), ("client_id", value), ("client_secret", value)]);
    }
    let download = client.get(&pair.access, &format!("/2.0/files/{file}/content"));
    let address = download.header("location").expect("an address").to_owned();
    assert_eq!(client.ask("GET", &address).send().status, 200);
    assert_eq!(last(&mut client)["user"], "robin@example.com", "whose download it is");
    let code = client.code();
    let back = format!(
        "/api/oauth2/authorize?response_type=code&client_id=keyhole-dev&redirect_uri={CALLBACK}&code={code}"
    );
    client.ask("GET", &back).send();
    let ticket = address.split('/').nth(5).expect("a ticket").to_owned();
    let tokens: Vec<String> =
        client.ledger().iter().map(|row| row["value"].as_str().expect("a value").to_owned()).collect();
    let lines = client.drive("GET", "log", Value::Null).text();
    assert!(lines.contains(pair.access.get(..4).expect("long enough")), "the first letters are there");
    for value in tokens.iter().map(String::as_str).chain([secret, &ticket]) {
        assert!(!lines.contains(value), "{value}");
        assert!(!lines.contains(value.get(..12).expect("long enough")), "half of {value}");
    }
}
