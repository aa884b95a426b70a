//! `SEAL_KEYS` changes: a new key goes last, then first, and the old one goes when nothing bears it. No step of that,
//! and no mistake in it, ends a session.

use super::*;
use crate::secret::MasterKey;

/// Settings with these keys, each made of its number.
fn with_keys(numbers: &[u8]) -> Rc<Settings> {
    let entries = numbers.iter().map(|n| format!("k{n}:{}", MasterKey::new([*n; 32]).expose_text()));
    let seal_keys = SealKeys::parse(&entries.collect::<Vec<_>>().join(",")).unwrap();
    Rc::new(Settings { seal_keys, ..settings() })
}

/// A deploy with other keys.
fn deploy(bench: &mut Bench, numbers: &[u8]) {
    bench.settings = with_keys(numbers);
    bench.replace();
}

fn logged(effects: &[Effect]) -> Vec<Act> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Log(act) => Some(*act),
            _ => None,
        })
        .collect()
}

fn missing(key: &str) -> Act {
    Act::Unreadable { missing_key: KeyId::parse(key) }
}

#[test]
fn a_session_lives_through_a_change_of_keys_and_is_sealed_anew_with_its_next_pair() {
    let mut bench = Bench::new();
    bench.open();
    deploy(&mut bench, &[1, 2]);
    deploy(&mut bench, &[2, 1]);
    let (caller, refresh) = refresh_started(&mut bench);
    let effects = bench.answer(refresh, 200, &pair(2));
    let Some(Effect::PutKv { label, .. }) = effects.first() else { panic!("{effects:?}") };
    assert_eq!((label.key, label.generation), (KeyId::parse("k2"), 2));
    assert_eq!((label.opened_at.millis(), label.put_at.millis()), (START, bench.now));
    let effects = bench.step(Event::KvWrote(escrow_put(&effects), true));
    let effects = bench.answer(box_call(&effects).0, 200, &child("file_1", 1));
    let token = handed(&effects, caller, "file_1");
    deploy(&mut bench, &[2]);
    let (caller, effects) = bench.call(tokens("file_1"));
    assert_eq!(handed(&effects, caller, "file_1"), token, "nothing needs the old key any more");
}

#[test]
fn a_key_that_is_missing_or_wrong_ends_no_session_and_is_named_in_the_log() {
    let mut bench = Bench::new();
    bench.open();
    let before = bench.storage.clone();
    deploy(&mut bench, &[2]);
    let (caller, effects) = bench.call(Ask::Session);
    assert!(matches!(reply(&effects, caller), Reply::Fault(KeeperFault::Misconfigured)), "{effects:?}");
    assert_eq!(logged(&effects), [missing("k1")]);
    assert_eq!(bench.storage, before);

    let wrong = format!("k1:{}", MasterKey::new([9; 32]).expose_text());
    bench.settings = Rc::new(Settings { seal_keys: SealKeys::parse(&wrong).unwrap(), ..settings() });
    bench.replace();
    let (caller, effects) = bench.call(Ask::Session);
    assert!(matches!(reply(&effects, caller), Reply::Fault(KeeperFault::Misconfigured)), "{effects:?}");
    assert_eq!(logged(&effects), [Act::Unreadable { missing_key: None }]);
    assert_eq!(bench.storage, before);

    deploy(&mut bench, &[1]);
    let (caller, effects) = bench.call(Ask::Session);
    assert!(matches!(reply(&effects, caller), Reply::Session(_)), "{effects:?}");
}

/// A deploy reaches the machines one after the other: one seals with a key that the other does not have.
#[test]
fn a_half_rolled_out_key_ends_no_session_also_when_only_kv_has_it() {
    let mut bench = Bench::new();
    bench.settings = with_keys(&[2, 1]);
    bench.replace();
    bench.open();
    let copy = copy_of(&mut bench);
    bench.storage.clear();
    deploy(&mut bench, &[1]);
    let (caller, effects) = bench.call(Ask::Session);
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(Some(copy))));
    assert!(matches!(reply(&effects, caller), Reply::Fault(KeeperFault::Misconfigured)), "{effects:?}");
    assert_eq!(logged(&effects), [missing("k2")]);
    assert!(bench.storage.is_empty(), "nothing was made of it");
}

#[test]
fn a_token_in_the_outbox_is_sealed_anew_when_box_did_not_confirm() {
    let mut bench = Bench::new();
    bench.open();
    bench.call(Ask::Close(End::SignedOut));
    bench.after(30);
    deploy(&mut bench, &[2, 1]);
    let effects = bench.step(Event::Alarm);
    assert_eq!(revoked_tokens(&effects), ["refresh-1"]);
    bench.answer(revoke_call(&effects), 500, "");
    deploy(&mut bench, &[2]);
    bench.after(3600);
    let effects = bench.step(Event::Alarm);
    assert_eq!(revoked_tokens(&effects), ["refresh-1"]);
}

fn revoke_call(effects: &[Effect]) -> CallId {
    let mut calls = effects.iter().filter_map(|effect| match effect {
        Effect::AskBox { call, .. } => Some(*call),
        _ => None,
    });
    calls.next_back().unwrap()
}

#[test]
fn a_token_in_the_outbox_whose_key_is_missing_stays_and_the_log_names_the_key() {
    let mut bench = Bench::new();
    bench.open();
    bench.call(Ask::Close(End::SignedOut));
    bench.after(30);
    deploy(&mut bench, &[2]);
    let effects = bench.step(Event::Alarm);
    assert!(logged(&effects).contains(&missing("k1")), "{effects:?}");
    deploy(&mut bench, &[2, 1]);
    bench.after(3600);
    assert_eq!(revoked_tokens(&bench.step(Event::Alarm)), ["refresh-1"]);
}

/// What is owed to KV is put as it was sealed: under the key of its time.
#[test]
fn the_label_of_a_copy_names_the_key_that_sealed_it() {
    let mut bench = Bench::new();
    let (_, effects) = bench.call(open_ask());
    let effects = bench.answer(box_call(&effects).0, 200, &pair(1));
    bench.answer(box_call(&effects).0, 500, "");
    deploy(&mut bench, &[2, 1]);
    bench.after(30);
    let effects = bench.step(Event::Alarm);
    let label = effects.iter().find_map(|effect| match effect {
        Effect::PutKv { label, .. } => Some(*label),
        _ => None,
    });
    assert_eq!(label.expect("the owed copy").key, KeyId::parse("k1"));
}

#[test]
fn an_older_copy_under_a_key_that_is_gone_stands_in_nobodys_way() {
    let mut bench = Bench::new();
    bench.open();
    let copy = copy_of(&mut bench);
    deploy(&mut bench, &[2, 1]);
    let (_, refresh) = refresh_started(&mut bench);
    let put = escrow_put(&bench.answer(refresh, 200, &pair(2)));
    let effects = bench.step(Event::KvWrote(put, false));
    bench.answer(box_call(&effects).0, 200, &child("file_1", 1));
    bench.after(3600);
    bench.call(tokens("file_1"));
    deploy(&mut bench, &[2]);
    let (_, effects) = bench.call(tokens("file_1"));
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(Some(copy))));
    assert!(box_call(&effects).1.contains("refresh_token=refresh-2"));
}
