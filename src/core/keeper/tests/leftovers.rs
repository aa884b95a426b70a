//! What an instance that died may have left in KV, or may still be putting there: found, never buried, and revoked when
//! the session ends.

use super::*;

/// A pair that only KV holds: the instance that put it there died before it wrote the row.
#[track_caller]
fn only_in_kv(bench: &mut Bench) -> Vec<u8> {
    let (_, refresh) = refresh_started(bench);
    let effects = bench.answer(refresh, 200, &pair(2));
    let copy = effects.into_iter().find_map(|effect| match effect {
        Effect::PutKv { value, .. } => Some(value),
        _ => None,
    });
    bench.replace();
    copy.expect("the pair goes to KV first")
}

#[test]
fn s31_a_sign_out_reads_kv_before_it_deletes_and_revokes_the_pair_that_nobody_else_holds() {
    let mut bench = Bench::new();
    bench.open();
    let copy = only_in_kv(&mut bench);
    let (caller, effects) = bench.call(Ask::Close(End::SignedOut));
    assert!(matches!(reply(&effects, caller), Reply::Closed), "nobody waits for it: {effects:?}");
    assert_eq!(bench.row()["status"], "ended");
    let read = kv_read(&effects);
    let effects = bench.step(Event::KvRead(read, Ok(Some(copy))));
    kv_delete(&effects);
    bench.after(30);
    let mut revoked = revoked_tokens(&effects);
    revoked.extend(revoked_tokens(&bench.step(Event::Alarm)));
    assert!(revoked.contains(&"refresh-2".to_owned()), "{revoked:?}");
}

#[test]
fn a_sign_out_of_a_session_that_no_attempt_was_cut_off_in_reads_nothing() {
    let mut bench = Bench::new();
    bench.open();
    let (_, effects) = bench.call(Ask::Close(End::SignedOut));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::ReadKv(_))), "{effects:?}");
    kv_delete(&effects);
}

#[test]
fn what_may_land_after_the_delete_is_deleted_once_more() {
    let mut bench = Bench::new();
    bench.open();
    refresh_started(&mut bench);
    let deadline = bench.now + 90_000;
    let (_, effects) = bench.call(Ask::Close(End::SignedOut));
    bench.step(Event::KvWrote(kv_delete(&effects), true));
    assert_eq!(bench.row()["kv"]["what"], "delete");
    assert_eq!(bench.row()["kv"]["due"], deadline + 60_000);
    bench.now = deadline + 60_000;
    let effects = bench.step(Event::Alarm);
    bench.step(Event::KvWrote(kv_delete(&effects), true));
    assert_eq!(bench.row()["kv"], serde_json::Value::Null, "and then it is settled");
}

#[test]
fn s31_a_pair_that_lands_after_the_sign_out_is_revoked_before_it_is_deleted() {
    let mut bench = Bench::new();
    bench.open();
    let copy = only_in_kv(&mut bench);
    let deadline = bench.now + 90_000;
    let (_, effects) = bench.call(Ask::Close(End::SignedOut));
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(None)));
    bench.step(Event::KvWrote(kv_delete(&effects), true));
    assert_eq!(bench.row()["kv"]["due"], deadline + 60_000);
    bench.now = deadline + 60_000;
    let effects = bench.step(Event::Alarm);
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(Some(copy))));
    let delete = kv_delete(&effects);
    assert!(revoked_tokens(&effects).contains(&"refresh-2".to_owned()), "{effects:?}");
    bench.step(Event::KvWrote(delete, true));
    assert_eq!(bench.row()["kv"], serde_json::Value::Null);
}

#[test]
fn s31_what_a_silent_kv_may_hold_is_neither_deleted_unread_nor_revoked_twice() {
    let mut bench = Bench::new();
    bench.open();
    let copy = only_in_kv(&mut bench);
    let (_, effects) = bench.call(Ask::Close(End::SignedOut));
    let effects = bench.step(Event::KvRead(kv_read(&effects), Err(KvSilent)));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::DeleteKv(_))), "{effects:?}");
    let mut revoked = Vec::new();
    for _ in 0..2 {
        bench.now = bench.row()["kv"]["due"].as_u64().expect("the delete is owed");
        let effects = bench.step(Event::Alarm);
        revoked.extend(revoked_tokens(&effects));
        let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(Some(copy.clone()))));
        revoked.extend(revoked_tokens(&effects));
        bench.step(Event::KvWrote(kv_delete(&effects), false));
    }
    let times = revoked.iter().filter(|token| *token == "refresh-2").count();
    assert_eq!(times, 1, "{revoked:?}");
}

#[test]
fn a_pair_that_is_adopted_never_shares_its_number_with_one_that_may_still_be_put() {
    let mut bench = Bench::new();
    bench.open();
    let copy = only_in_kv(&mut bench);
    // A second instance starts an attempt of its own, and is replaced before Box answers.
    let (_, effects) = bench.call(tokens("file_1"));
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(None)));
    box_call(&effects);
    assert_eq!(bench.row()["attempt"]["generation"], 3);
    bench.replace();
    let (_, effects) = bench.call(tokens("file_1"));
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(Some(copy))));
    assert!(box_call(&effects).1.contains("subject_token=access-2"));
    assert_eq!(bench.row()["generation"], 3, "the number of that attempt is used up");
    assert_eq!(bench.row()["kv"]["what"], "put", "KV has it under its old number");
    bench.replace();
    let (caller, effects) = bench.call(Ask::Session);
    assert!(matches!(reply(&effects, caller), Reply::Session(_)), "it opens under its new one: {effects:?}");
}

#[test]
fn a_refresh_waits_for_a_put_that_is_on_its_way_and_would_bury_its_copy() {
    let mut bench = Bench::new();
    let (_, effects) = bench.call(open_ask());
    let effects = bench.answer(box_call(&effects).0, 200, &pair(1));
    let effects = bench.answer(box_call(&effects).0, 200, r#"{"name":"Robin","login":"r@example.com"}"#);
    let put = effects.iter().find_map(|effect| match effect {
        Effect::PutKv { call, .. } => Some(*call),
        _ => None,
    });
    bench.after(3001);
    let (_, effects) = bench.call(tokens("file_1"));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::AskBox { .. })), "{effects:?}");
    let effects = bench.step(Event::KvWrote(put.expect("the grant is copied"), false));
    assert!(box_call(&effects).1.contains("grant_type=refresh_token"));
}

#[test]
fn a_put_of_an_earlier_generation_that_is_answered_late_makes_for_another() {
    let mut bench = Bench::new();
    bench.open();
    let (_, refresh) = refresh_started(&mut bench);
    let put = escrow_put(&bench.answer(refresh, 200, &pair(2)));
    bench.step(Event::Waited(Timer::Escrow(put)));
    bench.step(Event::KvWrote(put, true));
    assert_eq!(bench.row()["kv"], serde_json::Value::Null);
    let stray = bench.keeper.take_off(Flight::CopyGrant { generation: 1 });
    bench.step(Event::KvWrote(stray, true));
    assert_eq!(bench.row()["kv"]["what"], "put");
}

#[test]
fn after_a_refresh_with_the_token_before_that_token_is_the_one_to_replay() {
    let mut bench = Bench::new();
    bench.open();
    let (_, refresh) = refresh_started(&mut bench);
    let effects = bench.answer(refresh, 200, &pair(2));
    let effects = bench.step(Event::KvWrote(escrow_put(&effects), true));
    // The new pair never worked: Box does not know it, and brings another for the token before.
    let effects = bench.answer(box_call(&effects).0, 401, "");
    let effects = bench.answer(box_call(&effects).0, 400, r#"{"error":"invalid_grant"}"#);
    let (again, request) = box_call(&effects);
    assert!(request.contains("refresh_token=refresh-1"), "{request}");
    let effects = bench.answer(again, 200, &pair(3));
    bench.step(Event::KvWrote(escrow_put(&effects), true));
    let previous = bench.keeper.grant.as_ref().and_then(|grant| grant.previous.as_ref());
    assert_eq!(previous.map(|token| token.expose().to_owned()), Some("refresh-1".to_owned()));
}

#[test]
fn a_tombstone_is_forgotten_in_its_time_also_when_an_exchange_never_ended() {
    let mut bench = Bench::new();
    bench.open();
    refresh_started(&mut bench);
    let (_, effects) = bench.call(Ask::Close(End::SignedOut));
    bench.step(Event::KvWrote(kv_delete(&effects), true));
    bench.now += 151_000;
    let effects = bench.step(Event::Alarm);
    bench.step(Event::KvWrote(kv_delete(&effects), true));
    let outbox: Vec<CallId> = bench
        .keeper
        .flights
        .iter()
        .filter_map(|(call, flight)| matches!(flight, Flight::Revoke { .. }).then_some(*call))
        .collect();
    for call in outbox {
        bench.answer(call, 200, "");
    }
    assert!(bench.keeper.outbox.is_empty(), "all is revoked; the exchange still hangs");
    assert!(bench.alarm.is_some(), "and somebody will look after the tombstone");
}

#[test]
fn a_revocation_under_way_is_looked_after_soon_and_not_when_the_session_ends() {
    let mut bench = Bench::new();
    bench.open();
    let token = bench.mint("file_1");
    let (_, effects) = bench.call(Ask::Tokens(TokensAsk {
        items: vec![Item::parse("file_1").unwrap()],
        scopes: Scopes::parse("base_preview item_preview").unwrap(),
        refused: vec![Digest::of(&token)],
    }));
    assert_eq!(revoked_tokens(&effects), [token]);
    let alarm = bench.alarm.expect("should this instance be lost").millis();
    assert!(alarm <= bench.now + 30_000, "{} s", (alarm - bench.now) / 1000);
}

#[test]
fn s41_a_sign_out_revokes_a_token_that_another_took_the_place_of_too() {
    let mut bench = Bench::new();
    bench.open();
    let first = bench.mint("file_1");
    bench.after(3001);
    let (_, effects) = bench.call(tokens("file_1"));
    let effects = bench.answer(box_call(&effects).0, 200, &pair(2));
    let effects = bench.step(Event::KvWrote(escrow_put(&effects), true));
    bench.answer(box_call(&effects).0, 200, &child("file_1", 2));
    let (_, effects) = bench.call(Ask::Close(End::SignedOut));
    let revoked = revoked_tokens(&effects);
    assert!(revoked.contains(&first) && revoked.contains(&"child-file_1-2".to_owned()), "{revoked:?}");
}

#[test]
fn a_token_that_another_took_the_place_of_dies_by_itself_and_costs_no_call() {
    let mut bench = Bench::new();
    bench.open();
    bench.mint("file_1");
    bench.after(3001);
    let (_, effects) = bench.call(tokens("file_1"));
    let effects = bench.answer(box_call(&effects).0, 200, &pair(2));
    let effects = bench.step(Event::KvWrote(escrow_put(&effects), true));
    bench.answer(box_call(&effects).0, 200, &child("file_1", 2));
    bench.after(600);
    let effects = bench.step(Event::Alarm);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::AskBox { .. })), "{effects:?}");
    assert!(!bench.storage.keys().any(|(kind, _)| *kind == Kind::Outbox), "and nothing is kept of it");
}

/// As one whose predecessor's attempt was cut off: a later pair may still be on its way to KV.
#[test]
fn a_grant_restored_from_kv_is_doubted_by_the_next_instance_too() {
    let mut bench = Bench::new();
    bench.open();
    let copy = copy_of(&mut bench);
    bench.storage.clear();
    bench.replace();
    let (_, effects) = bench.call(Ask::Session);
    bench.step(Event::KvRead(kv_read(&effects), Ok(Some(copy.clone()))));
    bench.replace();
    let (caller, effects) = bench.call(tokens("file_1"));
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(Some(copy))));
    let effects = bench.answer(box_call(&effects).0, 400, r#"{"error":"invalid_grant"}"#);
    let answer = token_answer(&effects, caller, "file_1");
    assert!(matches!(answer, Err(KeeperFault::Recovering { .. })), "{answer:?}");
}
