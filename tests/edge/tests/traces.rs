//! What a whole life leaves behind: in answers, in addresses, in the log.

use serde_json::{Value, json};

use crate::harness::{
    Browser, Worker, alone,
    answer::query_of,
    browser::SESSION,
    disk::{Needle, search},
    eventually, local_box, sample_files,
    stage::{Alone, deployed_secrets},
    worker_log,
};

/// A life: signed in, looked at files, rotated, signed out, with some refusals on the way.
struct Life {
    browser: Browser,
    /// All that the browser was answered, but for the answers that hand out tokens.
    answered: Vec<u8>,
    /// Those.
    handed_out: Vec<u8>,
    cookie: String,
    state: String,
}

#[track_caller]
fn lived(stage: &Alone) -> Life {
    let browser = Browser::new(&Worker::main());
    let (mut answered, mut handed_out) = (Vec::new(), Vec::new());
    let login = browser.open("/auth/login?return_to=/x");
    let callback = browser.granted(&login.location());
    let back = browser.come_back(&callback);
    let cookie = browser.cookie(SESSION).unwrap();
    answered.extend([login.bytes(), back.bytes(), browser.get("/api/session").bytes()].concat());
    for (file, refresh) in sample_files().iter().zip([false, true, true]) {
        if refresh {
            stage.expire("access");
        }
        handed_out
            .extend(browser.post("/api/tokens", &json!({"items": [file, "file_999999999999"]})).bytes());
        answered.extend(browser.get("/api/folders/0/items").bytes());
    }
    answered.extend(browser.open("/").bytes());
    answered.extend(browser.sign_out().bytes());
    answered.extend(browser.open(&format!("{}?{}", callback.path(), callback.query().unwrap())).bytes());
    let state = query_of(&callback, "state").unwrap();
    Life { browser, answered, handed_out, cookie, state }
}

fn needles(kinds: &[&str]) -> Vec<Needle> {
    let tokens = local_box::ledger().into_iter().filter(|token| kinds.contains(&&*token.kind));
    tokens.map(|token| Needle::new(&token.kind, &token.value)).collect()
}

#[test]
fn s01_no_answer_holds_a_code_a_refresh_token_or_a_token_that_was_not_narrowed() {
    let stage = alone();
    let life = lived(&stage);
    let everything = [&life.answered[..], &life.handed_out].concat();
    let secret = [needles(&["code", "access", "refresh"]), deployed_secrets().to_vec()].concat();
    assert_eq!(search(&secret, &everything), [].into());
    let children = needles(&["child"]);
    assert_eq!(
        search(&children, &life.answered),
        [].into(),
        "a token is in no answer but to who asks for it"
    );
    assert_eq!(search(&children, &life.handed_out), ["child".to_owned()].into(), "there it is found");
}

#[test]
fn s12_the_code_reaches_box_once_and_nothing_secret_is_in_an_address() {
    let stage = alone();
    let life = lived(&stage);
    assert_eq!(stage.count("POST /oauth2/token authorization_code"), 1);
    assert_eq!(life.browser.at_box().states("code"), ["used"]);
    let every_token = needles(&["code", "access", "refresh", "child"]);
    let calls = local_box::log();
    assert!(calls.len() > 10);
    for call in calls {
        assert_eq!(call["has_query_token"], false, "{call}");
        let path = call["path"].as_str().unwrap();
        assert_eq!(search(&every_token, path.as_bytes()), [].into());
    }
    // The look finds one that is there.
    local_box::with_token("", "/2.0/users/me?access_token=anything");
    assert_eq!(local_box::log().last().unwrap()["has_query_token"], true);
}

#[test]
fn the_log_has_one_line_for_each_request_and_one_for_each_act_and_says_nothing_else() {
    let stage = alone();
    let before = worker_log::lines().len();
    let life = lived(&stage);
    let is_new = |events: Vec<Value>| events.into_iter().skip(before).collect::<Vec<_>>();
    let acts = |events: &[Value]| -> Vec<String> {
        let grants = events.iter().filter(|event| event["event"] == "grant");
        grants.map(|event| event["act"].as_str().unwrap().to_owned()).collect()
    };
    let events = eventually("the last revocation is logged", core::time::Duration::from_secs(10), || {
        let events = is_new(worker_log::events());
        (acts(&events).iter().filter(|act| *act == "revoked").count() == 4).then_some(events)
    });

    let requests: Vec<&Value> = events.iter().filter(|event| event["event"] == "request").collect();
    let routes: Vec<&str> = requests.iter().map(|line| line["route"].as_str().unwrap()).collect();
    let looks = ["tokens", "items"].repeat(3);
    let story = [&["login", "callback", "session"][..], &looks, &["page", "logout", "callback"]].concat();
    assert_eq!(routes, story);
    for line in requests {
        let names: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(names, ["duration_ms", "event", "fault", "route", "status"], "{line}");
    }

    let done = acts(&events);
    for act in ["opened", "minted", "rotated", "refused", "ended", "revoked"] {
        assert!(done.iter().any(|found| found == act), "{act} of {done:?}");
    }
    let grants: Vec<&Value> = events.iter().filter(|event| event["event"] == "grant").collect();
    let names: std::collections::BTreeSet<&str> =
        grants.iter().map(|line| line["grant"].as_str().unwrap()).collect();
    assert_eq!((names.len(), names.first().map(|name| name.len())), (1, Some(8)), "{names:?}");
    assert!(!life.cookie.contains(names.first().unwrap()), "a name that leads nowhere");
}

/// Of the whole log: lines of other tests, and wrangler's own, too.
#[test]
fn s42_the_log_holds_no_token_code_secret_id_address_or_name() {
    let stage = alone();
    let life = lived(&stage);
    let mut secret = [needles(&["code", "access", "refresh", "child"]), deployed_secrets().to_vec()].concat();
    for (number, part) in life.cookie.split('.').enumerate().skip(1) {
        secret.push(Needle::new(&format!("part {number} of the cookie"), part));
    }
    secret.push(Needle::new("the state", &life.state));
    let log = worker_log::text();
    assert_eq!(search(&secret, log.as_bytes()), [].into());

    let ours = worker_log::lines().join("\n");
    assert!(!ours.is_empty());
    let ids = sample_files().iter().map(|file| file.strip_prefix("file_").unwrap());
    for word in
        ids.chain(["file_", "robin", "Robin", "127.0.0.1", "localhost", "http", "/auth/", "?", "Box said"])
    {
        assert!(!ours.contains(word), "{word}");
    }
    // The look finds what is there.
    assert!(ours.contains("\"route\":\"callback\""));
}
