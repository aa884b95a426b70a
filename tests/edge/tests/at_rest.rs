//! Item 17 of `tests/security.md`: what lies on disk opens nothing.

use serde_json::json;

use crate::harness::{
    Browser, Worker, alone,
    browser::SESSION,
    disk::{self, Needle, search},
    local_box::ledger,
    sample_files,
    stage::{deployed_secrets, state_dir},
};

/// What Box issued so far, and the Worker's own secrets.
fn secrets() -> Vec<Needle> {
    let named = |(number, token): (usize, crate::harness::local_box::Token)| {
        Needle::new(&format!("{} {number}", token.kind), &token.value)
    };
    let mut needles: Vec<Needle> = ledger().into_iter().enumerate().map(named).collect();
    needles.extend_from_slice(deployed_secrets());
    needles
}

#[test]
fn s17_no_token_lies_in_kv_or_in_an_object_in_any_form() {
    let stage = alone();
    // Every kind of record: a session, children, a rotated pair with its predecessor, an outbox that Box refuses.
    let open = Browser::signed_in(&Worker::main());
    open.token(&sample_files()[0]);
    stage.expire("access");
    open.token(&sample_files()[1]);
    let ended = Browser::signed_in(&Worker::main());
    ended.token(&sample_files()[0]);
    stage.order(&json!({"path": "/oauth2/revoke", "count": 2, "status": 503}));
    ended.sign_out();
    let begun = Browser::new(&Worker::main());
    let callback = begun.up_to_callback("/auth/login");

    let cookie = open.cookie(SESSION).unwrap();
    let (keeper, secret) = (cookie.split('.').nth(1).unwrap(), cookie.split('.').nth(2).unwrap());
    let state = crate::harness::answer::query_of(&callback, "state").unwrap();
    let mut needles = secrets();
    assert!(needles.len() > 10, "there is something to look for");
    needles.push(Needle::new("a session secret", secret));
    needles.push(Needle::new("a state", &state));
    for (path, bytes) in disk::settled() {
        let found = search(&needles, &bytes);
        assert!(found.is_empty(), "{found:?} in {}", path.display());
    }

    // The search reads what is there: a keeper's name is no secret, and is the key of its copy in KV.
    let name = [Needle::new("the keeper's name", keeper)];
    let all = disk::stored(&state_dir());
    assert!(all.values().any(|bytes| !search(&name, bytes).is_empty()), "it looks at KV");
    let is_object = |bytes: &Vec<u8>| bytes.windows(19).any(|found| found == b"CREATE TABLE record");
    assert!(all.values().any(is_object), "it looks at the objects");
}

#[test]
fn s17_a_token_that_did_lie_there_would_be_found() {
    let _stage = alone();
    let browser = Browser::signed_in(&Worker::main());
    let token = browser.at_box().all("refresh")[0].value.clone();
    let needles = secrets();
    let planted = state_dir().join("v3/do/planted-by-a-test");
    use base64::Engine as _;
    for form in [
        token.clone(),
        json!({"refresh_token": token}).to_string(),
        base64::prelude::BASE64_STANDARD.encode(format!("v1|{token}|")),
        form_urlencoded::byte_serialize(token.as_bytes()).collect(),
    ] {
        std::fs::write(&planted, format!("some bytes before {form} and after")).unwrap();
        let files = disk::stored(&state_dir());
        std::fs::remove_file(&planted).unwrap();
        let found: Vec<_> = files.values().flat_map(|bytes| search(&needles, bytes)).collect();
        assert_eq!(found.len(), 1, "{form}: {found:?}");
    }
}
