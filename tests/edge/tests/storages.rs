//! The storages of the edge, on the runtime they are for: `tests/storage-worker` answers.

use core::time::Duration;
use std::thread;

use http::Request;
use serde_json::json;

use crate::harness::{
    Answer, alone, answer,
    local_box::{Family, control},
    pass,
    stage::storage_worker,
    together,
};

#[track_caller]
fn ask(path: &str) -> Answer {
    let url = format!("{}{path}", storage_worker().origin);
    answer::send(Request::get(url).body(Vec::new()).unwrap())
}

#[track_caller]
fn told(path: &str) -> String {
    ask(path).expect(200).text().to_owned()
}

/// Many at the same moment, each with its number.
fn at_once(callers: u32, path: impl Fn(u32) -> String + Sync) -> Vec<String> {
    thread::scope(|scope| {
        let path = &path;
        let callers: Vec<_> = (0..callers).map(|number| scope.spawn(move || told(&path(number)))).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    })
}

#[test]
fn an_object_kv_and_both_together_keep_the_contract() {
    let _room = together();
    for storage in ["object", "kv", "object_with_kv"] {
        assert_eq!(told(&format!("/in_order/{storage}/contract-{storage}")), "kept", "{storage}");
    }
    // KV cannot: see its documentation.
    for storage in ["object", "object_with_kv"] {
        assert_eq!(told(&format!("/at_once/{storage}/meeting-{storage}")), "kept", "{storage}");
    }
}

#[test]
fn of_fifty_requests_that_write_at_once_one_wins() {
    let _room = together();
    for generation in 0..3 {
        let outcomes = at_once(50, |number| format!("/claim/race/{generation}/writer-{number}"));
        let winners: Vec<usize> = outcomes
            .iter()
            .enumerate()
            .filter(|(_, said)| *said == "won")
            .map(|(number, _)| number)
            .collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert_eq!(told("/held/race"), format!("{} writer-{}", generation + 1, winners[0]));
    }
}

#[test]
fn a_holder_at_the_edge_refreshes_once_for_all_and_leaves_nothing_behind() {
    let stage = alone();
    stage.set(&json!({"access_token_seconds": 1}));
    let code = control("POST", "grant", Some(&json!({})))["code"].as_str().unwrap().to_owned();
    assert_eq!(told(&format!("/sign_in/robin/{code}")), "ok");
    pass(Duration::from_secs(1));
    stage.set(&json!({"access_token_seconds": 3600}));
    stage.order(&json!({"path": "/oauth2/token", "grant_type": "refresh_token", "delay_ms": 500}));
    let tokens = at_once(20, |_| "/retrieve/robin".to_owned());
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    assert_eq!(stage.count("POST /oauth2/token refresh_token"), 1);
    assert!(Family::of(&code).all("access").iter().any(|token| token.value == tokens[0]));

    assert_eq!(told("/forget/robin"), "ok");
    assert!(Family::of(&code).is_over());
    assert_eq!(ask("/retrieve/robin").expect(500).text(), "nobody is signed in");
}
