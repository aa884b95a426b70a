//! Many callers at the same instant meet in one object.

use core::time::Duration;
use std::{collections::BTreeSet, sync::Barrier, thread};

use serde_json::json;

use crate::harness::{
    Answer, Browser, Worker, alone, browser::SESSION, eventually, local_box::with_token, pass, sample_files,
    stage::Alone,
};

const CODE: &str = "POST /oauth2/token authorization_code";
const SOON: Duration = Duration::from_secs(10);
const REFRESH: &str = "POST /oauth2/token refresh_token";

/// Runs it in so many threads, all of which begin at the same instant.
fn at_once<T: Send>(threads: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (start, act) = (Barrier::new(threads), &act);
    thread::scope(|scope| {
        let begun: Vec<_> = (0..threads)
            .map(|number| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    act(number)
                })
            })
            .collect();
        begun.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn s04_of_callbacks_at_the_same_instant_exactly_one_redeems_the_code_and_brings_a_session() {
    let stage = alone();
    for _ in 0..3 {
        let browser = Browser::new(&Worker::main());
        let callback = browser.up_to_callback("/auth/login?return_to=/here");
        let before = stage.count(CODE);
        let tabs: Vec<Browser> = (0..8).map(|_| browser.twin()).collect();
        let answers: Vec<Answer> = at_once(tabs.len(), |number| tabs[number].come_back(&callback));
        assert_eq!(stage.count(CODE) - before, 1);
        // All of them lead to where the winner goes: the winner's answer brought the browser its cookie.
        for answer in &answers {
            assert_eq!(answer.header("location"), format!("{}/here", Worker::main().origin));
        }
        let sessions: Vec<&Browser> = tabs.iter().filter(|tab| tab.cookie(SESSION).is_some()).collect();
        assert_eq!(sessions.len(), 1);
        assert!(sessions[0].get("/api/session").json()["session"].is_object());
    }
}

/// Makes Box think for a moment, so that all who ask meanwhile meet.
fn slow_down(stage: &Alone, grant_type: &str) {
    stage.order(&json!({"path": "/oauth2/token", "grant_type": grant_type, "count": 50, "delay_ms": 700}));
}

/// A session whose parent token is due for a refresh. What Box gives from here on lives long.
#[track_caller]
fn due(stage: &Alone, rotation: &str) -> Browser {
    stage.set(&json!({"rotation": rotation, "access_token_seconds": 3}));
    let browser = Browser::signed_in(&Worker::main());
    stage.set(&json!({"access_token_seconds": null}));
    // It is refreshed when less than a third of its life remains, or was asked for and is over.
    pass(Duration::from_millis(2_500));
    browser
}

#[track_caller]
fn fifty_callers(rotation: &str) {
    let stage = alone();
    let browser = due(&stage, rotation);
    let files = &sample_files()[..10];
    let before = stage.count(REFRESH);
    slow_down(&stage, "refresh_token");
    let tokens: Vec<String> = at_once(50, |number| browser.token(&files[number % files.len()]));
    assert_eq!((tokens.len(), stage.count(REFRESH) - before), (50, 1));
    let family = browser.at_box();
    assert_eq!((family.all("refresh").len(), family.all("access").len()), (2, 2));
    let new_parent = &family.all("access")[1].value;
    assert!(family.all("child").iter().all(|child| child.parent.as_ref() == Some(new_parent)));
    assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), files.len());
    for (number, token) in tokens.iter().enumerate().take(files.len()) {
        let id = files[number].strip_prefix("file_").unwrap();
        assert_eq!(with_token(token, &format!("/2.0/files/{id}")).status, 200);
    }
}

#[test]
fn fifty_callers_at_expiry_cost_one_refresh_and_get_fifty_tokens_where_rotation_is_strict() {
    fifty_callers("strict");
}

#[test]
fn fifty_callers_at_expiry_cost_one_refresh_and_get_fifty_tokens_where_rotation_is_lazy() {
    fifty_callers("lazy");
}

#[test]
fn fifty_callers_for_a_new_file_cost_one_exchange() {
    let stage = alone();
    let browser = Browser::signed_in(&Worker::main());
    let file = &sample_files()[0];
    slow_down(&stage, "token-exchange");
    let tokens: BTreeSet<String> = at_once(50, |_| browser.token(file)).into_iter().collect();
    assert_eq!((tokens.len(), browser.at_box().all("child").len()), (1, 1));
}

#[test]
fn s32_a_sign_out_among_callers_gives_nobody_a_token_and_leaves_none_alive() {
    let stage = alone();
    let browser = Browser::signed_in(&Worker::main());
    let tab = browser.twin();
    slow_down(&stage, "token-exchange");
    let answers: Vec<Answer> = at_once(5, |number| match sample_files().get(number) {
        Some(file) if number < 4 => tab.post("/api/tokens", &json!({"items": [file]})),
        _ => {
            // Box has made the tokens, and nobody has them yet.
            eventually("Box was asked", SOON, || (browser.at_box().all("child").len() == 4).then_some(()));
            browser.sign_out()
        }
    });
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status != 204).collect();
    assert_eq!(refused.len(), 4);
    for answer in refused {
        assert_eq!(answer.problem(401, "signed_out")["reason"], "signed_out");
    }
    eventually("all of it is revoked at Box", SOON, || browser.at_box().is_over().then_some(()));
    assert_eq!(browser.at_box().states("child"), ["revoked"; 4]);
}
