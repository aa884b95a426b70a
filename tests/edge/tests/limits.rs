//! Item 36 of `tests/security.md`: how much anybody may ask, and what is said when it was too much.

use http::Request;
use serde_json::json;

use crate::harness::{Answer, Browser, Worker, alone, answer::send, sample_files, together};

#[test]
fn s36_the_logins_of_one_address_are_limited_and_others_are_not() {
    let _room = together();
    let login = |address: &str| -> Answer {
        let request = Request::get(format!("{}/auth/login", Worker::limited().origin))
            .header("cf-connecting-ip", address)
            // Says nothing, whatever it says.
            .header("x-forwarded-for", "198.51.100.1");
        send(request.body(Vec::new()).unwrap())
    };
    let begun: Vec<Answer> = (0..40).map(|_| login("203.0.113.7")).collect();
    let (passed, refused): (Vec<_>, Vec<_>) = begun.iter().partition(|answer| answer.status == 302);
    // A minute may turn while we count.
    assert!((20..40).contains(&passed.len()), "{} of 40 passed", passed.len());
    for answer in refused {
        assert_eq!(answer.problem(429, "rate_limited")["retry_after_seconds"], 60);
        assert_eq!(answer.header("retry-after"), "60");
        assert!(answer.cookies().is_empty());
    }
    login("203.0.113.8").expect(302);
    // A network of IPv6 is one address.
    let by_network: Vec<u16> = (0..40).map(|host| login(&format!("2001:db8:7:7::{host:x}")).status).collect();
    assert!(by_network.contains(&429), "{by_network:?}");
    login("2001:db8:7:8::1").expect(302);
}

#[test]
fn s36_a_session_may_ask_for_so_many_new_items_in_a_minute() {
    let _room = together();
    // NEW_ITEMS_PER_MINUTE is 3 there.
    let browser = Browser::signed_in(&Worker::open());
    let files: Vec<&str> = sample_files().iter().take(5).map(String::as_str).collect();
    let tokens = browser.tokens(&files);
    let (given, refused): (Vec<&&str>, Vec<&&str>) =
        files.iter().partition(|file| tokens[**file]["access_token"].is_string());
    assert_eq!((given.len(), refused.len()), (3, 2), "{tokens}");
    for file in refused {
        let error = &tokens[*file]["error"];
        assert_eq!((&error["code"], &error["status"]), (&json!("rate_limited"), &json!(429)));
        assert!(
            error["retry_after_seconds"].as_u64().is_some_and(|seconds| (1..=60).contains(&seconds)),
            "{error}"
        );
    }
    // What is open already is not new.
    let again = browser.tokens(&[given[0]]);
    assert_eq!(again[*given[0]]["access_token"], tokens[*given[0]]["access_token"]);
    assert_eq!(browser.at_box().all("child").len(), 3);
}

#[test]
fn s36_when_box_says_later_so_do_we_and_box_is_not_asked_in_a_loop() {
    let stage = alone();
    let browser = Browser::signed_in(&Worker::main());
    stage.order(&json!({"path": "/2.0/folders/*", "status": 429, "retry_after": 7}));
    let items = browser.get("/api/folders/0/items");
    assert_eq!(items.problem(429, "rate_limited")["retry_after_seconds"], 7);
    assert_eq!(items.header("retry-after"), "7");
    assert_eq!(stage.count("GET /2.0/folders/*/items"), 1);

    // Box counts by person: until then a token is not asked for either.
    let file = &sample_files()[0];
    let error = browser.tokens(&[file])[file]["error"].take();
    assert_eq!(error["code"], "rate_limited");
    assert_eq!(stage.count("POST /oauth2/token token-exchange"), 0);

    let browser = Browser::signed_in(&Worker::main());
    stage.order(
        &json!({"path": "/oauth2/token", "grant_type": "token-exchange", "status": 429, "retry_after": 9}),
    );
    let error = browser.tokens(&[file])[file]["error"].take();
    assert_eq!((&error["code"], &error["retry_after_seconds"]), (&json!("rate_limited"), &json!(9)));
    assert_eq!(stage.count("POST /oauth2/token token-exchange"), 1);
}
