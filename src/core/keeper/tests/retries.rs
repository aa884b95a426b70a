//! A Box that stumbles: asked again while callers wait, and left alone when it says so.

use super::*;

/// The wait before the next try, which then comes.
#[track_caller]
fn retried(bench: &mut Bench, effects: &[Effect]) -> (Duration, Vec<Effect>) {
    assert_eq!(replies(effects), 0, "callers wait: {effects:?}");
    let wait = effects.iter().find_map(|effect| match effect {
        Effect::Wait(Timer::Retry, span) => Some(*span),
        _ => None,
    });
    let wait = wait.unwrap_or_else(|| panic!("it is tried again: {effects:?}"));
    bench.now += u64::try_from(wait.as_millis()).unwrap();
    (wait, bench.step(Event::Waited(Timer::Retry)))
}

/// Box's 503 with this `Retry-After`.
fn down_for(seconds: &'static str) -> Result<BoxAnswer, Unreachable> {
    let mut answer = BoxAnswer::new(Vec::new());
    *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
    answer.headers_mut().insert("retry-after", http::HeaderValue::from_static(seconds));
    Ok(answer)
}

#[test]
fn a_refresh_that_box_could_not_do_is_asked_again_with_the_same_token() {
    for stumble in [Ok(500), Ok(502), Ok(503), Err(Unreachable::Broken)] {
        let mut bench = Bench::new();
        bench.open();
        bench.after(600);
        let (caller, refresh) = refresh_started(&mut bench);
        let effects = match stumble {
            Ok(status) => bench.answer(refresh, status, "oops"),
            Err(why) => bench.step(Event::BoxAnswered(refresh, Err(why))),
        };
        let (_, effects) = retried(&mut bench, &effects);
        let (again, request) = box_call(&effects);
        assert!(request.contains("refresh_token=refresh-1"), "{request}");
        assert!(is_write(&effects[0]), "the new attempt is written first: {effects:?}");
        assert_eq!(bench.row()["attempt"]["generation"], 3, "a generation never used before");
        let effects = bench.answer(again, 200, &pair(2));
        let effects = bench.step(Event::KvWrote(escrow_put(&effects), true));
        let effects = bench.answer(box_call(&effects).0, 200, &child("file_1", 1));
        handed(&effects, caller, "file_1");
    }
}

#[test]
fn a_box_that_stays_down_is_said_before_the_caller_gives_up_and_the_session_stays() {
    let mut bench = Bench::new();
    bench.open();
    bench.after(600);
    let (caller, refresh) = refresh_started(&mut bench);
    let (asked_at, mut tries) = (bench.now, 1);
    let mut effects = bench.answer(refresh, 500, "");
    while replies(&effects) == 0 {
        let (_, again) = retried(&mut bench, &effects);
        tries += 1;
        assert!(tries < 20, "not without end");
        effects = bench.answer(box_call(&again).0, 500, "");
    }
    assert_eq!(tries, 5);
    assert!(bench.now - asked_at < 10_000, "{} ms", bench.now - asked_at);
    let answer = token_answer(&effects, caller, "file_1");
    assert!(matches!(answer, Err(KeeperFault::BoxUnavailable { retry_after: 5 })), "{answer:?}");
    assert_eq!(bench.row()["status"], "open");

    bench.after(6);
    let (caller, effects) = bench.call(tokens("file_1"));
    let effects = bench.answer(box_call(&effects).0, 200, &pair(2));
    let effects = bench.step(Event::KvWrote(escrow_put(&effects), true));
    let effects = bench.answer(box_call(&effects).0, 200, &child("file_1", 1));
    handed(&effects, caller, "file_1");
}

#[test]
fn while_a_refresh_is_to_be_tried_again_a_parent_with_some_life_serves() {
    let mut bench = Bench::new();
    bench.open();
    let (caller, refresh) = refresh_started(&mut bench);
    let effects = bench.answer(refresh, 503, "");
    let (exchange, request) = box_call(&effects);
    assert!(request.contains("subject_token=access-1"), "{request}");
    let effects = bench.answer(exchange, 200, &child("file_1", 1));
    handed(&effects, caller, "file_1");
}

#[test]
fn an_exchange_and_a_folder_that_box_could_not_do_are_asked_again() {
    let mut bench = Bench::new();
    bench.open();
    let (caller, effects) = bench.call(tokens("file_1"));
    let effects = bench.answer(box_call(&effects).0, 502, "");
    let (_, effects) = retried(&mut bench, &effects);
    let effects = bench.answer(box_call(&effects).0, 200, &child("file_1", 1));
    handed(&effects, caller, "file_1");

    let folder = Item::parse("folder_0").unwrap();
    let (caller, effects) = bench.call(Ask::Items { folder, page: PageAsk { offset: 0, limit: 10 } });
    let effects = bench.answer(box_call(&effects).0, 500, "");
    let (_, effects) = retried(&mut bench, &effects);
    let page = r#"{"total_count":0,"offset":0,"limit":10,"entries":[]}"#;
    let effects = bench.answer(box_call(&effects).0, 200, page);
    assert!(matches!(reply(&effects, caller), Reply::Items(_)), "{effects:?}");
}

#[test]
fn one_item_that_box_cannot_do_does_not_keep_others_waiting() {
    let mut bench = Bench::new();
    bench.open();
    let (_, effects) = bench.call(tokens("file_1"));
    bench.answer(box_call(&effects).0, 500, "");
    let (caller, effects) = bench.call(tokens("file_2"));
    let effects = bench.answer(box_call(&effects).0, 200, &child("file_2", 1));
    handed(&effects, caller, "file_2");
}

#[test]
fn a_second_try_costs_nothing_of_the_quota() {
    let mut bench = Bench::with(Settings { new_items_per_minute: 1, ..settings() });
    bench.open();
    let (caller, effects) = bench.call(tokens("file_1"));
    let effects = bench.answer(box_call(&effects).0, 500, "");
    let (_, effects) = retried(&mut bench, &effects);
    let effects = bench.answer(box_call(&effects).0, 200, &child("file_1", 1));
    handed(&effects, caller, "file_1");
}

/// RFC 6749, section 4.1.2: "The client MUST NOT use the authorization code more than once."
#[test]
fn s12_a_code_is_never_brought_twice() {
    let mut bench = Bench::new();
    let (caller, effects) = bench.call(open_ask());
    let effects = bench.answer(box_call(&effects).0, 503, "");
    let reply = reply(&effects, caller);
    assert!(matches!(reply, Reply::Fault(KeeperFault::BoxUnavailable { .. })), "{reply:?}");
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Wait(..))), "{effects:?}");
}

#[test]
fn a_wait_that_box_asks_for_is_kept_and_one_too_long_is_passed_on() {
    let mut bench = Bench::new();
    bench.open();
    let (caller, effects) = bench.call(tokens("file_1"));
    let effects = bench.step(Event::BoxAnswered(box_call(&effects).0, down_for("2")));
    let (wait, effects) = retried(&mut bench, &effects);
    assert!(wait >= Duration::from_secs(2), "{wait:?}");
    let effects = bench.step(Event::BoxAnswered(box_call(&effects).0, down_for("30")));
    let answer = token_answer(&effects, caller, "file_1");
    assert!(matches!(answer, Err(KeeperFault::BoxUnavailable { retry_after: 30 })), "{answer:?}");
}

#[test]
fn keepers_do_not_come_back_all_at_once() {
    let waits: std::collections::BTreeSet<Duration> = (0..20)
        .map(|seed| {
            let mut bench = Bench::new();
            bench.seeds = seed * 10;
            bench.open();
            let (_, effects) = bench.call(tokens("file_1"));
            let effects = bench.answer(box_call(&effects).0, 500, "");
            retried(&mut bench, &effects).0
        })
        .collect();
    assert!(waits.len() > 10, "{waits:?}");
    assert!(waits.iter().all(|wait| (150..=300).contains(&wait.as_millis())), "{waits:?}");
}

/// 25 items, each asked once, and three of them up to four times more: 37 calls.
#[test]
fn a_request_of_many_items_calls_a_failing_box_forty_times_at_most() {
    let mut bench = Bench::new();
    bench.open();
    let items: Vec<Item> = (1..=25).filter_map(|id| Item::parse(&format!("file_{id}"))).collect();
    let scopes = Scopes::parse("base_preview item_preview").unwrap();
    let (caller, effects) = bench.call(Ask::Tokens(TokensAsk { items, scopes, refused: vec![] }));
    let (mut asked, mut answered, mut coming) = (0, false, VecDeque::from(effects));
    while let Some(effect) = coming.pop_front() {
        match effect {
            Effect::AskBox { call, .. } => {
                asked += 1;
                assert!(asked <= 40, "not without end");
                coming.extend(bench.answer(call, 500, ""));
            }
            Effect::Wait(Timer::Retry, span) => {
                bench.now += u64::try_from(span.as_millis()).unwrap();
                coming.extend(bench.step(Event::Waited(Timer::Retry)));
            }
            Effect::Reply(to, _) => answered = to == caller,
            _ => {}
        }
    }
    assert!(answered && asked > 25, "{asked}");
}

#[test]
fn a_refresh_that_box_throttles_throttles_what_the_parent_could_still_mint() {
    let mut bench = Bench::new();
    bench.open();
    let (caller, refresh) = refresh_started(&mut bench);
    let mut throttled = BoxAnswer::new(Vec::new());
    *throttled.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
    throttled.headers_mut().insert("retry-after", http::HeaderValue::from_static("20"));
    let effects = bench.step(Event::BoxAnswered(refresh, Ok(throttled)));
    let answer = token_answer(&effects, caller, "file_1");
    assert!(matches!(answer, Err(KeeperFault::RateLimited { retry_after: 20 })), "{answer:?}");
}

#[test]
fn a_box_that_says_for_how_long_it_is_down_is_not_asked_by_the_next_caller_either() {
    let mut bench = Bench::new();
    bench.open();
    let (_, effects) = bench.call(tokens("file_1"));
    bench.step(Event::BoxAnswered(box_call(&effects).0, down_for("30")));
    bench.after(10);
    let (caller, effects) = bench.call(tokens("file_2"));
    let answer = token_answer(&effects, caller, "file_2");
    assert!(matches!(answer, Err(KeeperFault::BoxUnavailable { retry_after: 20 })), "{answer:?}");
}

#[test]
fn s41_a_throttled_outbox_waits_as_a_whole() {
    let mut bench = Bench::new();
    bench.open();
    for item in ["file_1", "file_2", "file_3", "file_4", "file_5", "file_6", "file_7", "file_8"] {
        bench.mint(item);
    }
    let (_, effects) = bench.call(Ask::Close(End::SignedOut));
    let first = effects.iter().find_map(|effect| match effect {
        Effect::AskBox { call, .. } => Some(*call),
        _ => None,
    });
    let mut throttled = BoxAnswer::new(Vec::new());
    *throttled.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
    throttled.headers_mut().insert("retry-after", http::HeaderValue::from_static("60"));
    let effects = bench.step(Event::BoxAnswered(first.expect("a revocation"), Ok(throttled)));
    assert!(revoked_tokens(&effects).is_empty(), "{effects:?}");
    assert!(bench.alarm.is_some());
}

#[test]
fn one_exchange_that_hangs_does_not_stop_a_parent_that_still_has_life() {
    let mut bench = Bench::new();
    bench.open();
    bench.after(2395);
    let (_, hangs) = bench.call(tokens("file_1"));
    box_call(&hangs);
    bench.after(6);
    // Past the margin now: a refresh is wanted, and waits for its turn.
    let (_, effects) = bench.call(tokens("file_3"));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::AskBox { .. })), "{effects:?}");
    bench.after(5);
    let (caller, mut effects) = bench.call(tokens("file_2"));
    effects.retain(|effect| !matches!(effect, Effect::AskBox { request, .. }
        if String::from_utf8_lossy(request.body()).contains("file%2F3") || String::from_utf8_lossy(request.body()).contains("files%2F3")));
    let (exchange, request) = box_call(&effects);
    assert!(request.contains("subject_token=access-1"), "{request}");
    let effects = bench.answer(exchange, 200, &child("file_2", 1));
    handed(&effects, caller, "file_2");
}
