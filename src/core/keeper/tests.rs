//! The order of effects, by a scripted Box and KV. What a whole login looks like is told in `tests/native`.

use super::*;
use crate::{
    box_api::PageAsk,
    item::{Item, Scopes},
    secret::{AuthorizationCode, Digest},
};
use message::{TokenAnswer, TokensAsk};
use plan::{CALLER_LIMIT, ESCROW_LIMIT};
use std::collections::BTreeMap;

mod leftovers;
mod master_keys;
mod retries;
mod waiting;

const START: u64 = 1_800_000_000_000;
const SECRET: SessionSecret = SessionSecret::new([7; 32]);

fn settings() -> Settings {
    let key = crate::secret::MasterKey::new([1; 32]).expose_text();
    Settings {
        app: BoxApp {
            client_id: "app".into(),
            client_secret: crate::secret::ClientSecret::new("app-secret"),
            authorize_url: "https://account.box.com/api/oauth2/authorize".parse().unwrap(),
            api_url: "https://api.box.com".parse().unwrap(),
        },
        device: Device::default(),
        seal_keys: SealKeys::parse(&format!("k1:{key}")).unwrap(),
        session_idle: Duration::from_secs(14 * 86_400),
        session_absolute: Duration::from_secs(60 * 86_400),
        new_items_per_minute: 60,
        new_items_per_day: 1000,
    }
}

/// A keeper, its clock, and its storage, which outlives it.
struct Bench {
    keeper: Keeper,
    settings: Rc<Settings>,
    now: u64,
    seeds: u8,
    callers: u64,
    storage: BTreeMap<(Kind, String), String>,
    alarm: Option<Timestamp>,
}

impl Bench {
    fn new() -> Self {
        Self::with(settings())
    }

    fn with(settings: Settings) -> Self {
        let settings = Rc::new(settings);
        let keeper = Keeper::load(name(), Rc::clone(&settings), &[], None).unwrap();
        Self { keeper, settings, now: START, seeds: 0, callers: 0, storage: BTreeMap::new(), alarm: None }
    }

    /// The instance is gone; a new one starts from storage.
    fn replace(&mut self) {
        let records: Vec<Record> = self
            .storage
            .iter()
            .map(|((kind, name), body)| Record { kind: *kind, name: name.clone(), body: body.clone() })
            .collect();
        self.keeper = Keeper::load(name(), Rc::clone(&self.settings), &records, self.alarm).unwrap();
    }

    fn step(&mut self, event: Event) -> Vec<Effect> {
        self.seeds = self.seeds.wrapping_add(1);
        let effects =
            self.keeper.step(event, Timestamp::from_millis(self.now), Entropy::new([self.seeds; 32]));
        for effect in &effects {
            let Effect::Write(changes) = effect else { continue };
            for change in changes {
                match change.clone() {
                    Change::Put(record) => drop(self.storage.insert((record.kind, record.name), record.body)),
                    Change::Delete(kind, name) => drop(self.storage.remove(&(kind, name))),
                    Change::Forget => self.storage.clear(),
                    Change::Alarm(at) => self.alarm = at,
                }
            }
        }
        effects
    }

    fn call(&mut self, ask: Ask) -> (CallerId, Vec<Effect>) {
        self.callers += 1;
        let caller = CallerId(self.callers);
        (caller, self.step(Event::Called(caller, Message { secret: SECRET, ask })))
    }

    fn answer(&mut self, call: CallId, status: u16, body: &str) -> Vec<Effect> {
        let mut answer = BoxAnswer::new(body.as_bytes().to_vec());
        *answer.status_mut() = status.try_into().unwrap();
        self.step(Event::BoxAnswered(call, Ok(answer)))
    }

    fn row(&self) -> serde_json::Value {
        serde_json::from_str(&self.storage[&(Kind::Session, String::new())]).unwrap()
    }

    fn after(&mut self, seconds: u64) {
        self.now += seconds * 1000;
    }

    /// A session that is open, with its copy in KV.
    #[track_caller]
    fn open(&mut self) {
        let ask = open_ask();
        let (_, effects) = self.call(ask);
        let effects = self.answer(box_call(&effects).0, 200, &pair(1));
        let effects = self.answer(box_call(&effects).0, 200, r#"{"name":"Robin","login":"r@example.com"}"#);
        let put = effects.iter().find_map(|effect| match effect {
            Effect::PutKv { call, .. } => Some(*call),
            _ => None,
        });
        self.step(Event::KvWrote(put.expect("the grant is copied"), true));
    }

    /// Mints a token for the item, through whatever the keeper asks for.
    #[track_caller]
    fn mint(&mut self, item: &str) -> String {
        let (caller, effects) = self.call(tokens(item));
        let effects = match effects.iter().find(|effect| matches!(effect, Effect::AskBox { .. })) {
            Some(_) => self.answer(box_call(&effects).0, 200, &child(item, 1)),
            None => effects,
        };
        handed(&effects, caller, item)
    }
}

fn open_ask() -> Ask {
    Ask::Open { code: AuthorizationCode::new("code"), verifier: crate::secret::PkceVerifier::new("verifier") }
}

fn name() -> KeeperName {
    KeeperName::of(&State::new([9; 32]))
}

fn pair(number: u32) -> String {
    format!(
        r#"{{"access_token":"access-{number}","refresh_token":"refresh-{number}","expires_in":3600,"token_type":"bearer"}}"#
    )
}

fn child(item: &str, number: u32) -> String {
    let (kind, id) = item.split_once('_').unwrap();
    let entry = |scope: &str| format!(r#"{{"scope":"{scope}","object":{{"type":"{kind}","id":"{id}"}}}}"#);
    format!(
        r#"{{"access_token":"child-{item}-{number}","expires_in":3600,"token_type":"bearer","restricted_to":[{},{}],"issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}}"#,
        entry("base_preview"),
        entry("item_preview")
    )
}

fn tokens(item: &str) -> Ask {
    Ask::Tokens(TokensAsk {
        items: vec![Item::parse(item).unwrap()],
        scopes: Scopes::parse("base_preview item_preview").unwrap(),
        refused: vec![],
    })
}

/// The one call to Box, and what it says.
#[track_caller]
fn box_call(effects: &[Effect]) -> (CallId, String) {
    let mut calls = effects.iter().filter_map(|effect| match effect {
        Effect::AskBox { call, request, .. } => {
            Some((*call, format!("{} {}", request.uri().path(), String::from_utf8_lossy(request.body()))))
        }
        _ => None,
    });
    let one = calls.next().unwrap_or_else(|| panic!("Box is asked: {effects:?}"));
    assert!(calls.next().is_none(), "Box is asked once: {effects:?}");
    one
}

/// The read of KV's copy.
#[track_caller]
fn kv_read(effects: &[Effect]) -> CallId {
    let read = effects.iter().find_map(|effect| match effect {
        Effect::ReadKv(call) => Some(*call),
        _ => None,
    });
    read.unwrap_or_else(|| panic!("KV is read: {effects:?}"))
}

/// The delete of KV's copy.
#[track_caller]
fn kv_delete(effects: &[Effect]) -> CallId {
    let delete = effects.iter().find_map(|effect| match effect {
        Effect::DeleteKv(call) => Some(*call),
        _ => None,
    });
    delete.unwrap_or_else(|| panic!("the copy is deleted: {effects:?}"))
}

/// What KV holds of the session: the grant of the row, with its generation.
fn copy_of(bench: &mut Bench) -> Vec<u8> {
    let row = bench.row();
    let (generation, grant) = (&row["generation"], &row["grant"]);
    format!(r#"{{"v":1,"generation":{generation},"grant":{grant}}}"#).into_bytes()
}

/// The tokens that Box is asked to revoke.
fn revoked_tokens(effects: &[Effect]) -> Vec<String> {
    let bodies = effects.iter().filter_map(|effect| match effect {
        Effect::AskBox { request, .. } if request.uri().path() == "/oauth2/revoke" => Some(request.body()),
        _ => None,
    });
    let token = |body: &Vec<u8>| {
        form_urlencoded::parse(body).find(|(name, _)| name == "token").map(|(_, token)| token.into_owned())
    };
    bodies.filter_map(token).collect()
}

/// Plays the alarm whenever it rings, for at most `count` times, with Box answering `status` and KV refusing.
fn ring(bench: &mut Bench, count: u32, status: u16) -> u32 {
    for rung in 0..count {
        let Some(at) = bench.alarm else { return rung };
        assert!(at.millis() > bench.now, "an alarm in the past rings without end");
        bench.now = at.millis();
        bench.alarm = None;
        let effects = bench.step(Event::Alarm);
        for effect in effects {
            match effect {
                Effect::AskBox { call, .. } => drop(bench.answer(call, status, "")),
                Effect::DeleteKv(call) => drop(bench.step(Event::KvWrote(call, false))),
                _ => {}
            }
        }
    }
    count
}

#[track_caller]
fn reply(effects: &[Effect], caller: CallerId) -> &Reply {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Reply(to, reply) if *to == caller => Some(reply),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{caller:?} is answered: {effects:?}"))
}

#[track_caller]
fn token_answer<'a>(effects: &'a [Effect], caller: CallerId, item: &str) -> &'a TokenAnswer {
    match reply(effects, caller) {
        Reply::Tokens(tokens) => &tokens[&Item::parse(item).unwrap()],
        other => panic!("tokens, not {other:?}"),
    }
}

#[track_caller]
fn handed(effects: &[Effect], caller: CallerId, item: &str) -> String {
    token_answer(effects, caller, item).as_ref().unwrap().token.expose().to_owned()
}

fn is_write(effect: &Effect) -> bool {
    matches!(effect, Effect::Write(_))
}

fn replies(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Reply(..))).count()
}

/// Near the end of the parent's life, a caller comes: the refresh is asked.
#[track_caller]
fn refresh_started(bench: &mut Bench) -> (CallerId, CallId) {
    bench.after(3001);
    let (caller, effects) = bench.call(tokens("file_1"));
    let (call, request) = box_call(&effects);
    assert!(request.contains("grant_type=refresh_token"), "{request}");
    (caller, call)
}

/// The KV put of the pair, and that nothing else happened but the wait for it.
#[track_caller]
fn escrow_put(effects: &[Effect]) -> CallId {
    let [Effect::PutKv { call, .. }, Effect::Wait(Timer::Escrow(timer), ESCROW_LIMIT)] = effects else {
        panic!("the put and its limit, and nothing that touches storage: {effects:?}")
    };
    assert_eq!(call, timer);
    *call
}

#[test]
fn an_unopened_keeper_writes_nothing_and_asks_box_nothing() {
    let mut bench = Bench::new();
    let (caller, effects) = bench.call(Ask::Session);
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(None)));
    assert!(matches!(reply(&effects, caller), Reply::Unopened));
    assert!(bench.storage.is_empty());
    assert_eq!(bench.alarm, None);
}

#[test]
fn s04_a_keeper_opens_once_even_for_two_callbacks_at_the_same_instant() {
    let mut bench = Bench::new();
    let open = open_ask;
    let (_, first) = bench.call(open());
    assert!(box_call(&first).1.contains("code=code"));
    let (second, effects) = bench.call(open());
    assert!(matches!(reply(&effects, second), Reply::AlreadyOpened));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::AskBox { .. })));
}

#[test]
fn the_row_is_written_before_the_code_goes_to_box_and_the_pair_before_it_is_used() {
    let mut bench = Bench::new();
    let ask = open_ask();
    let (caller, effects) = bench.call(ask);
    assert!(is_write(&effects[0]), "{effects:?}");
    assert_eq!(bench.row()["status"], "opening");
    let (call, _) = box_call(&effects);
    let effects = bench.answer(call, 200, &pair(1));
    assert!(is_write(&effects[0]), "{effects:?}");
    assert_eq!(bench.row()["generation"], 1);
    let (call, request) = box_call(&effects);
    assert!(request.starts_with("/2.0/users/me"), "{request}");
    let effects = bench.answer(call, 500, "");
    assert!(matches!(reply(&effects, caller), Reply::Session(session) if session.user.is_none()));
}

#[test]
fn a_code_that_box_refuses_opens_nothing_and_the_keeper_stays_taken() {
    let mut bench = Bench::new();
    let ask = open_ask;
    let (caller, effects) = bench.call(ask());
    let effects = bench.answer(box_call(&effects).0, 400, r#"{"error":"invalid_grant"}"#);
    assert!(matches!(reply(&effects, caller), Reply::Fault(KeeperFault::CodeRefused)));
    let (again, effects) = bench.call(ask());
    assert!(matches!(reply(&effects, again), Reply::AlreadyOpened));
    let (asked, effects) = bench.call(Ask::Session);
    assert!(matches!(reply(&effects, asked), Reply::Unopened));
}

#[test]
fn a_session_opened_after_its_caller_left_is_ended_and_revoked() {
    let mut bench = Bench::new();
    let ask = open_ask();
    let (caller, effects) = bench.call(ask);
    bench.after(10);
    let late = bench.step(Event::Waited(Timer::Caller(caller)));
    assert!(matches!(reply(&late, caller), Reply::Fault(KeeperFault::Busy { .. })));
    let effects = bench.answer(box_call(&effects).0, 200, &pair(1));
    assert!(box_call(&effects).1.contains("token=refresh-1"));
    assert_eq!(bench.row()["status"], "ended");
}

#[test]
fn a_slow_box_costs_the_name_and_not_the_session() {
    let mut bench = Bench::new();
    let (caller, effects) = bench.call(open_ask());
    bench.after(9);
    let asked_whose = bench.answer(box_call(&effects).0, 200, &pair(1));
    bench.after(1);
    let effects = bench.step(Event::Waited(Timer::Caller(caller)));
    assert!(matches!(reply(&effects, caller), Reply::Session(session) if session.user.is_none()));
    bench.answer(box_call(&asked_whose).0, 200, r#"{"name":"Robin","login":"r@example.com"}"#);
    let (caller, effects) = bench.call(Ask::Session);
    let Reply::Session(session) = reply(&effects, caller) else { panic!("{effects:?}") };
    assert_eq!(session.user.as_ref().map(|user| user.name.as_str()), Some("Robin"), "it came after all");
}

#[test]
fn a_pair_whose_cookie_never_left_is_revoked_by_the_alarm() {
    let mut bench = Bench::new();
    let (_, effects) = bench.call(open_ask());
    bench.answer(box_call(&effects).0, 200, &pair(1));
    bench.replace();
    bench.after(60);
    assert!(bench.alarm.is_some_and(|at| at.millis() <= bench.now));
    let effects = bench.step(Event::Alarm);
    assert!(revoked_tokens(&effects).contains(&"refresh-1".to_owned()), "{effects:?}");

    let mut bench = Bench::new();
    bench.open();
    bench.after(60);
    let effects = bench.step(Event::Alarm);
    assert!(revoked_tokens(&effects).is_empty(), "who has the cookie keeps the session: {effects:?}");
}

#[test]
fn an_open_file_is_served_without_a_write_a_kv_call_or_a_call_to_box() {
    let mut bench = Bench::new();
    bench.open();
    let token = bench.mint("file_1");
    for _ in 0..1000 {
        let (caller, effects) = bench.call(tokens("file_1"));
        assert_eq!(effects.len(), 1, "{effects:?}");
        assert_eq!(handed(&effects, caller, "file_1"), token);
    }
}

#[test]
fn a_child_is_written_before_it_is_handed_out_and_found_again_by_the_next_instance() {
    let mut bench = Bench::new();
    bench.open();
    let (caller, effects) = bench.call(tokens("file_1"));
    let effects = bench.answer(box_call(&effects).0, 200, &child("file_1", 1));
    assert!(is_write(&effects[0]), "{effects:?}");
    let token = handed(&effects, caller, "file_1");
    bench.replace();
    let (caller, effects) = bench.call(tokens("file_1"));
    assert_eq!(handed(&effects, caller, "file_1"), token);
}

#[test]
fn s22_a_token_with_other_scopes_is_not_handed_out_for_narrower_ones() {
    let mut bench = Bench::new();
    bench.open();
    bench.mint("file_1");
    let narrower = Ask::Tokens(TokensAsk {
        items: vec![Item::parse("file_1").unwrap()],
        scopes: Scopes::parse("item_preview").unwrap(),
        refused: vec![],
    });
    let (_, effects) = bench.call(narrower);
    assert!(box_call(&effects).1.contains("scope=item_preview&"));
}

#[test]
fn fifty_callers_at_expiry_make_one_refresh_and_one_exchange() {
    let mut bench = Bench::new();
    bench.open();
    let (first, refresh) = refresh_started(&mut bench);
    let mut callers = vec![first];
    for _ in 1..50 {
        let (caller, effects) = bench.call(tokens("file_1"));
        assert!(matches!(effects.as_slice(), [Effect::Wait(Timer::Caller(_), CALLER_LIMIT)]), "{effects:?}");
        callers.push(caller);
    }
    let effects = bench.answer(refresh, 200, &pair(2));
    let put = escrow_put(&effects);
    let effects = bench.step(Event::KvWrote(put, true));
    let (exchange, request) = box_call(&effects);
    assert!(request.contains("subject_token=access-2"), "{request}");
    let effects = bench.answer(exchange, 200, &child("file_1", 1));
    assert_eq!(replies(&effects), 50);
    for caller in callers {
        assert_eq!(handed(&effects, caller, "file_1"), "child-file_1-1");
    }
}

#[test]
fn the_attempt_is_written_before_box_is_asked() {
    let mut bench = Bench::new();
    bench.open();
    bench.after(3001);
    let (_, effects) = bench.call(tokens("file_1"));
    assert!(is_write(&effects[0]) && matches!(effects[1], Effect::AskBox { .. }), "{effects:?}");
    assert_eq!(bench.row()["attempt"]["generation"], 2);
    assert_eq!(bench.row()["attempt"]["deadline"], bench.now + 90_000);
}

#[test]
fn the_kv_put_starts_before_the_row_and_storage_is_not_touched_between() {
    let mut bench = Bench::new();
    bench.open();
    let (_, refresh) = refresh_started(&mut bench);
    let effects = bench.answer(refresh, 200, &pair(2));
    let put = escrow_put(&effects);
    assert!(bench.keeper.must_not_touch_storage());
    let (_, meanwhile) = bench.call(Ask::Session);
    assert!(meanwhile.is_empty(), "{meanwhile:?}");
    let (_, meanwhile) = bench.call(Ask::Close(End::SignedOut));
    assert!(meanwhile.is_empty(), "{meanwhile:?}");
    let effects = bench.step(Event::KvWrote(put, true));
    assert!(is_write(&effects[0]), "{effects:?}");
    assert_eq!(bench.row()["generation"], 2);
    assert_eq!(bench.row()["status"], "ended", "the sign-out that came meanwhile");
}

#[test]
fn a_kv_that_does_not_answer_holds_the_save_up_for_half_a_second_only() {
    let mut bench = Bench::new();
    bench.open();
    let (_, refresh) = refresh_started(&mut bench);
    let effects = bench.answer(refresh, 200, &pair(2));
    let put = escrow_put(&effects);
    let effects = bench.step(Event::Waited(Timer::Escrow(put)));
    assert!(is_write(&effects[0]), "{effects:?}");
    assert_eq!(bench.row()["kv"]["what"], "put");
    bench.step(Event::KvWrote(put, true));
    assert_eq!(bench.row()["kv"], serde_json::Value::Null, "it landed after all");
}

#[test]
fn a_lost_answer_keeps_the_session_and_the_old_token_is_replayed() {
    let mut bench = Bench::new();
    bench.open();
    bench.after(600);
    let (caller, refresh) = refresh_started(&mut bench);
    let effects = bench.step(Event::BoxAnswered(refresh, Err(Unreachable::Slow)));
    let answer = token_answer(&effects, caller, "file_1");
    assert!(matches!(answer, Err(KeeperFault::BoxUnavailable { retry_after: 5 })), "{answer:?}");
    bench.after(6);
    let (_, effects) = bench.call(tokens("file_1"));
    let (replay, request) = box_call(&effects);
    assert!(request.contains("refresh_token=refresh-1"), "{request}");
    assert_eq!(bench.row()["attempt"]["generation"], 3, "a generation never used before");
    let effects = bench.answer(replay, 200, &pair(2));
    escrow_put(&effects);
}

#[test]
fn a_refused_grant_ends_the_session_when_every_answer_was_seen_and_kv_holds_nothing_later() {
    let mut bench = Bench::new();
    bench.open();
    let copy = copy_of(&mut bench);
    let (caller, refresh) = refresh_started(&mut bench);
    let effects = bench.answer(refresh, 400, r#"{"error":"invalid_grant"}"#);
    assert_eq!(replies(&effects), 0, "{effects:?}");
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(Some(copy))));
    assert!(matches!(reply(&effects, caller), Reply::Ended(End::Revoked)), "{effects:?}");
}

#[test]
fn a_refused_grant_does_not_end_the_session_while_kv_is_silent() {
    let mut bench = Bench::new();
    bench.open();
    bench.after(600);
    let (caller, refresh) = refresh_started(&mut bench);
    let effects = bench.answer(refresh, 400, r#"{"error":"invalid_grant"}"#);
    let effects = bench.step(Event::KvRead(kv_read(&effects), Err(KvSilent)));
    let answer = token_answer(&effects, caller, "file_1");
    assert!(matches!(answer, Err(KeeperFault::Recovering { .. })), "{answer:?}");
    assert_eq!(bench.row()["status"], "open");
}

/// As after a restore of the object's storage to an earlier day.
#[test]
fn a_row_that_was_rolled_back_takes_the_later_pair_from_kv() {
    let mut bench = Bench::new();
    bench.open();
    let (rolled_back, alarm) = (bench.storage.clone(), bench.alarm);
    let (_, refresh) = refresh_started(&mut bench);
    let effects = bench.answer(refresh, 200, &pair(2));
    bench.step(Event::KvWrote(escrow_put(&effects), true));
    let copy = copy_of(&mut bench);
    (bench.storage, bench.alarm) = (rolled_back, alarm);
    bench.replace();
    let (_, effects) = bench.call(tokens("file_1"));
    let effects = bench.answer(box_call(&effects).0, 400, r#"{"error":"invalid_grant"}"#);
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(Some(copy))));
    assert!(box_call(&effects).1.contains("subject_token=access-2"), "{effects:?}");
}

#[test]
fn after_a_cut_off_attempt_a_refusal_is_not_believed_until_kv_is_sure() {
    let mut bench = Bench::new();
    bench.open();
    refresh_started(&mut bench);
    bench.replace();
    let (caller, effects) = bench.call(tokens("file_1"));
    let read = kv_read(&effects);
    let effects = bench.step(Event::KvRead(read, Ok(None)));
    let effects = bench.answer(box_call(&effects).0, 400, r#"{"error":"invalid_grant"}"#);
    let answer = token_answer(&effects, caller, "file_1");
    assert!(matches!(answer, Err(KeeperFault::Recovering { .. })), "{answer:?}");

    bench.after(151);
    let (caller, effects) = bench.call(tokens("file_1"));
    let read = kv_read(&effects);
    let effects = bench.step(Event::KvRead(read, Ok(None)));
    let effects = bench.answer(box_call(&effects).0, 400, r#"{"error":"invalid_grant"}"#);
    assert!(matches!(reply(&effects, caller), Reply::Ended(End::RotationLost)), "{effects:?}");
}

#[test]
fn a_pair_that_only_kv_holds_is_adopted() {
    let mut bench = Bench::new();
    bench.open();
    let (_, refresh) = refresh_started(&mut bench);
    let effects = bench.answer(refresh, 200, &pair(2));
    let Some(Effect::PutKv { value, .. }) = effects.first() else { panic!("{effects:?}") };
    let value = value.clone();
    bench.replace();
    let (_, effects) = bench.call(tokens("file_1"));
    let read = kv_read(&effects);
    let effects = bench.step(Event::KvRead(read, Ok(Some(value))));
    assert!(box_call(&effects).1.contains("subject_token=access-2"));
    assert_eq!(bench.row()["generation"], 2);
}

/// What an instance was putting into KV when it died would be gone for good.
#[test]
fn what_kv_is_owed_never_buries_a_later_pair_that_a_cut_off_attempt_has_put_there() {
    let mut bench = Bench::new();
    bench.open();
    let (_, refresh) = refresh_started(&mut bench);
    let put = escrow_put(&bench.answer(refresh, 200, &pair(2)));
    let effects = bench.step(Event::KvWrote(put, false));
    bench.answer(box_call(&effects).0, 200, &child("file_1", 1));
    refresh_started(&mut bench);
    bench.replace();
    for _ in 0..3 {
        let due = bench.alarm.expect("it stays owed");
        assert!(due.millis() > bench.now, "not in the past, where it would ring without end");
        bench.now = due.millis();
        let effects = bench.step(Event::Alarm);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::PutKv { .. })), "{effects:?}");
    }
    assert_eq!(bench.row()["kv"]["what"], "put");
}

#[test]
fn s23_a_token_wider_than_asked_is_revoked_and_goes_nowhere_else() {
    let wide = child("file_1", 1);
    for (what, body) in [
        ("another file", wide.replace(r#""id":"1""#, r#""id":"2""#)),
        ("a folder", wide.replace(r#""type":"file""#, r#""type":"folder""#)),
        ("another scope", wide.replace("item_preview", "item_download")),
        ("no restriction", wide.replace(r#""restricted_to":["#, r#""restricted":["#)),
        ("no issued type", wide.replace("issued_token_type", "issued_type")),
        ("a refresh token", wide.replace(r#""expires_in""#, r#""refresh_token":"r","expires_in""#)),
    ] {
        let mut bench = Bench::new();
        bench.open();
        let (caller, effects) = bench.call(tokens("file_1"));
        let effects = bench.answer(box_call(&effects).0, 200, &body);
        let answer = token_answer(&effects, caller, "file_1");
        assert!(matches!(answer, Err(KeeperFault::TokenTooWide)), "{what}: {answer:?}");
        let (_, request) = box_call(&effects);
        assert!(
            request.starts_with("/oauth2/revoke") && request.contains("token=child-file_1-1"),
            "{what}: {request}"
        );
    }
}

#[test]
fn a_401_on_an_exchange_means_refresh_once_then_try_once() {
    let mut bench = Bench::new();
    bench.open();
    let (caller, effects) = bench.call(tokens("file_1"));
    let effects = bench.answer(box_call(&effects).0, 401, "");
    let (refresh, request) = box_call(&effects);
    assert!(request.contains("grant_type=refresh_token"), "{request}");
    let put = escrow_put(&bench.answer(refresh, 200, &pair(2)));
    let effects = bench.step(Event::KvWrote(put, true));
    let effects = bench.answer(box_call(&effects).0, 401, "");
    let answer = token_answer(&effects, caller, "file_1");
    assert!(matches!(answer, Err(KeeperFault::BoxUnavailable { .. })), "{answer:?}");
}

#[test]
fn a_token_said_to_be_refused_is_replaced_once_in_half_a_minute() {
    let mut bench = Bench::new();
    bench.open();
    let token = bench.mint("file_1");
    let refused = |token: &str| {
        let Ask::Tokens(ask) = tokens("file_1") else { panic!("tokens ask for tokens") };
        Ask::Tokens(TokensAsk { refused: vec![Digest::of(token)], ..ask })
    };
    let (caller, effects) = bench.call(refused(&token));
    let exchange = effects.iter().find_map(|effect| match effect {
        Effect::AskBox { call, request, .. } if request.uri().path() == "/oauth2/token" => Some(*call),
        _ => None,
    });
    let effects = bench.answer(exchange.expect("it is minted anew"), 200, &child("file_1", 2));
    assert_eq!(handed(&effects, caller, "file_1"), "child-file_1-2");
    let (caller, effects) = bench.call(refused("child-file_1-2"));
    let answer = token_answer(&effects, caller, "file_1");
    assert!(matches!(answer, Err(KeeperFault::RateLimited { retry_after: 30 })), "{answer:?}");
    let (caller, effects) = bench.call(refused("some other token"));
    assert_eq!(handed(&effects, caller, "file_1"), "child-file_1-2");
}

#[test]
fn a_session_may_ask_for_so_many_new_items_and_no_more() {
    let mut bench = Bench::with(Settings { new_items_per_minute: 2, ..settings() });
    bench.open();
    bench.mint("file_1");
    bench.mint("file_2");
    let (caller, effects) = bench.call(tokens("file_3"));
    let answer = token_answer(&effects, caller, "file_3");
    assert!(matches!(answer, Err(KeeperFault::RateLimited { retry_after: 60 })), "{answer:?}");
    assert_eq!(bench.mint("file_1"), "child-file_1-1", "what is held is still served");
    bench.after(60);
    bench.mint("file_3");
}

#[test]
fn s41_sign_out_takes_no_turn_and_revokes_children_then_the_pair() {
    let mut bench = Bench::new();
    bench.open();
    bench.mint("file_1");
    let (_, refresh) = refresh_started(&mut bench);
    let (caller, effects) = bench.call(Ask::Close(End::SignedOut));
    assert!(is_write(&effects[0]), "{effects:?}");
    assert!(matches!(reply(&effects, caller), Reply::Closed));
    let (revoke, request) = box_call(&effects);
    assert!(request.contains("token=child-file_1-1"), "{request}");
    let effects = bench.answer(revoke, 200, "");
    let (revoke, request) = box_call(&effects);
    assert!(request.contains("token=refresh-1"), "{request}");
    bench.answer(revoke, 200, "");
    let effects = bench.answer(refresh, 200, &pair(2));
    assert!(box_call(&effects).1.contains("token=refresh-2"), "what comes after the end is revoked too");
}

#[test]
fn s32_after_sign_out_the_same_cookie_gets_nothing_also_from_the_next_instance() {
    let mut bench = Bench::new();
    bench.open();
    bench.call(Ask::Close(End::SignedOut));
    bench.replace();
    let (caller, effects) = bench.call(tokens("file_1"));
    assert!(matches!(reply(&effects, caller), Reply::Ended(End::SignedOut)), "{effects:?}");
}

#[test]
fn a_revocation_that_box_does_not_confirm_is_tried_again_by_the_alarm() {
    let mut bench = Bench::new();
    bench.open();
    let (_, effects) = bench.call(Ask::Close(End::SignedOut));
    bench.step(Event::KvWrote(kv_delete(&effects), true));
    bench.answer(box_call(&effects).0, 503, "");
    assert_eq!(bench.alarm, Some(Timestamp::from_millis(START + 30_000)));
    bench.after(30);
    let effects = bench.step(Event::Alarm);
    let (call, request) = box_call(&effects);
    assert!(request.contains("token=refresh-1"), "{request}");
    bench.answer(call, 200, "");
    assert!(!bench.storage.keys().any(|(kind, _)| *kind == Kind::Outbox));
}

#[test]
fn s19_a_session_unused_for_the_idle_limit_ends_by_request_and_by_alarm() {
    let mut bench = Bench::new();
    bench.open();
    bench.after(14 * 86_400);
    let (caller, effects) = bench.call(Ask::Session);
    assert!(matches!(reply(&effects, caller), Reply::Ended(End::Idle)), "{effects:?}");

    let mut bench = Bench::new();
    bench.open();
    assert_eq!(bench.alarm, Some(Timestamp::from_millis(START + 14 * 86_400_000)));
    bench.after(14 * 86_400);
    bench.replace();
    bench.step(Event::Alarm);
    assert_eq!(bench.row()["end"], "idle");
    assert_eq!(bench.row()["grant"], serde_json::Value::Null, "shredded");
}

#[test]
fn what_is_overdue_never_sets_an_alarm_in_the_past() {
    let mut bench = Bench::with(Settings { session_absolute: Duration::from_secs(100), ..settings() });
    bench.open();
    let (_, effects) = bench.call(Ask::Close(End::SignedOut));
    bench.answer(box_call(&effects).0, 503, "");
    bench.step(Event::KvWrote(kv_delete(&effects), false));
    // KV and Box never confirm: for the 60 days that the pair could still live, hourly at most.
    let rung = ring(&mut bench, 2000, 503);
    assert!(rung > 1400 && bench.storage.is_empty(), "after {rung} alarms: {:?}", bench.storage);
}

#[test]
fn requests_do_not_push_an_overdue_alarm_away() {
    let mut bench = Bench::new();
    bench.open();
    bench.mint("file_1");
    bench.mint("file_2");
    let Ask::Tokens(ask) = tokens("file_2") else { panic!("tokens ask for tokens") };
    let refused = vec![Digest::of("child-file_2-1")];
    let (_, effects) = bench.call(Ask::Tokens(TokensAsk { refused, ..ask }));
    assert_eq!(revoked_tokens(&effects), ["child-file_2-1"]);
    let alarm = bench.alarm;
    for _ in 0..3 {
        bench.after(9);
        let (_, effects) = bench.call(tokens("file_1"));
        assert!(!effects.iter().any(is_write), "{effects:?}");
    }
    assert_eq!(bench.alarm, alarm);
}

#[test]
fn twenty_requests_that_box_answers_with_401_make_one_rotation() {
    let mut bench = Bench::new();
    bench.open();
    let mut rotations = 0;
    for request in 0..20 {
        let (_, mut effects) = bench.call(tokens(&format!("file_{request}")));
        while let Some(Effect::AskBox { call, request, .. }) =
            effects.iter().find(|effect| matches!(effect, Effect::AskBox { .. }))
        {
            let call = *call;
            if String::from_utf8_lossy(request.body()).contains("grant_type=refresh_token") {
                rotations += 1;
                let put = escrow_put(&bench.answer(call, 200, &pair(rotations + 1)));
                effects = bench.step(Event::KvWrote(put, true));
            } else {
                effects = bench.answer(call, 401, r#"{"error":"invalid_token"}"#);
            }
        }
    }
    assert_eq!(rotations, 1);
}

#[test]
fn a_parent_that_box_ends_again_and_again_is_replaced_thrice_in_five_minutes() {
    let mut bench = Bench::new();
    bench.open();
    for round in 0..5 {
        if round == 4 {
            bench.after(300);
        }
        let item = format!("file_{round}");
        let (caller, effects) = bench.call(tokens(&item));
        let effects = bench.answer(box_call(&effects).0, 401, "");
        if round == 3 {
            let answer = token_answer(&effects, caller, &item);
            assert!(matches!(answer, Err(KeeperFault::BoxUnavailable { .. })), "{answer:?}");
            continue;
        }
        let (refresh, request) = box_call(&effects);
        assert!(request.contains("grant_type=refresh_token"), "round {round}: {request}");
        let put = escrow_put(&bench.answer(refresh, 200, &pair(round + 2)));
        let effects = bench.step(Event::KvWrote(put, true));
        let effects = bench.answer(box_call(&effects).0, 200, &child(&item, 1));
        handed(&effects, caller, &item);
    }
}

#[test]
fn what_box_does_not_give_costs_nothing_of_the_quota_while_box_is_left_alone() {
    let mut bench = Bench::with(Settings { new_items_per_minute: 2, ..settings() });
    bench.open();
    let (_, effects) = bench.call(tokens("file_1"));
    let effects = bench.answer(box_call(&effects).0, 401, "");
    bench.step(Event::BoxAnswered(box_call(&effects).0, Err(Unreachable::Slow)));
    for _ in 0..10 {
        let (caller, effects) = bench.call(tokens("file_1"));
        let answer = token_answer(&effects, caller, "file_1");
        assert!(matches!(answer, Err(KeeperFault::BoxUnavailable { .. })), "{answer:?}");
    }
    bench.after(6);
    let (_, effects) = bench.call(tokens("file_1"));
    let put = escrow_put(&bench.answer(box_call(&effects).0, 200, &pair(2)));
    let effects = bench.step(Event::KvWrote(put, true));
    assert!(box_call(&effects).1.contains("subject_token=access-2"));
}

#[test]
fn a_pair_that_says_no_life_is_kept_and_rotated_again_but_not_without_end() {
    let mut bench = Bench::new();
    bench.open();
    let (caller, refresh) = refresh_started(&mut bench);
    let put = escrow_put(&bench.answer(refresh, 200, &pair(2).replace("3600", "0")));
    let effects = bench.step(Event::KvWrote(put, true));
    let answer = token_answer(&effects, caller, "file_1");
    assert!(matches!(answer, Err(KeeperFault::BoxUnavailable { retry_after: 5 })), "{answer:?}");
    bench.after(6);
    let (_, effects) = bench.call(tokens("file_1"));
    assert!(box_call(&effects).1.contains("refresh_token=refresh-2"), "the pair was not thrown away");
}

#[test]
fn a_grant_restored_from_kv_is_not_ended_by_the_first_refusal() {
    let mut bench = Bench::new();
    bench.open();
    let copy = copy_of(&mut bench);
    bench.storage.clear();
    bench.replace();
    bench.after(3600);
    let (caller, effects) = bench.call(tokens("file_1"));
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(Some(copy))));
    let effects = bench.answer(box_call(&effects).0, 400, r#"{"error":"invalid_grant"}"#);
    let answer = token_answer(&effects, caller, "file_1");
    assert!(matches!(answer, Err(KeeperFault::Recovering { .. })), "{answer:?}");

    bench.after(61);
    let (caller, effects) = bench.call(tokens("file_1"));
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(None)));
    let effects = bench.answer(box_call(&effects).0, 400, r#"{"error":"invalid_grant"}"#);
    assert!(matches!(reply(&effects, caller), Reply::Ended(End::Superseded)), "{effects:?}");
}

/// The copy is judged by its own times, and a page may ask who is signed in for days without a new pair.
#[test]
fn s19_the_copy_in_kv_learns_of_the_sessions_use() {
    let mut bench = Bench::new();
    bench.open();
    for _ in 0..13 {
        bench.after(86_400);
        bench.call(Ask::Session);
    }
    bench.now = bench.alarm.expect("a put is owed").millis();
    let effects = bench.step(Event::Alarm);
    let put = effects.into_iter().find_map(|effect| match effect {
        Effect::PutKv { value, .. } => Some(value),
        _ => None,
    });
    bench.after(2 * 86_400);
    bench.storage.clear();
    bench.replace();
    let (caller, effects) = bench.call(Ask::Session);
    let effects = bench.step(Event::KvRead(kv_read(&effects), Ok(put)));
    assert!(matches!(reply(&effects, caller), Reply::Session(_)), "{effects:?}");
}

#[test]
fn kv_that_is_silent_is_no_miss() {
    let mut bench = Bench::new();
    let (caller, effects) = bench.call(Ask::Session);
    let effects = bench.step(Event::KvRead(kv_read(&effects), Err(KvSilent)));
    assert!(matches!(reply(&effects, caller), Reply::Fault(KeeperFault::Recovering { .. })), "{effects:?}");
}

#[test]
fn a_copy_that_lands_after_the_end_is_deleted_again() {
    let mut bench = Bench::new();
    bench.open();
    let (_, refresh) = refresh_started(&mut bench);
    let put = escrow_put(&bench.answer(refresh, 200, &pair(2)));
    bench.step(Event::Waited(Timer::Escrow(put)));
    let (_, effects) = bench.call(Ask::Close(End::SignedOut));
    bench.step(Event::KvWrote(kv_delete(&effects), true));
    let effects = bench.step(Event::KvWrote(put, true));
    kv_delete(&effects);
    assert_eq!(bench.row()["kv"]["what"], "delete");
}

#[test]
fn a_sign_out_before_the_new_pair_was_used_revokes_the_pair_before_it_too() {
    let mut bench = Bench::new();
    bench.open();
    let (_, refresh) = refresh_started(&mut bench);
    let put = escrow_put(&bench.answer(refresh, 200, &pair(2)));
    bench.call(Ask::Close(End::SignedOut));
    let effects = bench.step(Event::KvWrote(put, true));
    assert_eq!(revoked_tokens(&effects), ["refresh-2", "refresh-1"]);
}

#[test]
fn a_revocation_that_is_answered_late_settles_no_other_token() {
    let mut bench = Bench::new();
    bench.open();
    bench.mint("file_1");
    let Ask::Tokens(ask) = tokens("file_1") else { panic!("tokens ask for tokens") };
    let refused = vec![Digest::of("child-file_1-1")];
    let (_, effects) = bench.call(Ask::Tokens(TokensAsk { refused, ..ask }));
    let late = effects.iter().find_map(|effect| match effect {
        Effect::AskBox { call, request, .. } if request.uri().path() == "/oauth2/revoke" => Some(*call),
        _ => None,
    });
    bench.after(3601);
    bench.call(Ask::Close(End::SignedOut));
    let before = bench.storage.keys().filter(|(kind, _)| *kind == Kind::Outbox).count();
    bench.answer(late.expect("the refused child is revoked"), 200, "");
    let after = bench.storage.keys().filter(|(kind, _)| *kind == Kind::Outbox).count();
    assert_eq!(before, after);
}

#[test]
fn s36_when_box_says_429_it_is_not_asked_again_before_its_time() {
    let mut bench = Bench::new();
    bench.open();
    let (caller, effects) = bench.call(tokens("file_1"));
    let mut throttled = BoxAnswer::new(Vec::new());
    *throttled.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
    throttled.headers_mut().insert("retry-after", http::HeaderValue::from_static("30"));
    let effects = bench.step(Event::BoxAnswered(box_call(&effects).0, Ok(throttled)));
    let limited = |answer: &TokenAnswer| matches!(answer, Err(KeeperFault::RateLimited { retry_after: 30 }));
    assert!(limited(token_answer(&effects, caller, "file_1")));
    let (caller, effects) = bench.call(tokens("file_2"));
    assert!(limited(token_answer(&effects, caller, "file_2")), "{effects:?}");
    assert_eq!(bench.row()["pause"], serde_json::json!({"until": bench.now + 30_000, "down": false}));
    bench.replace();
    let (caller, effects) = bench.call(tokens("file_2"));
    assert!(limited(token_answer(&effects, caller, "file_2")), "nor by the next instance: {effects:?}");
    bench.after(30);
    let (_, effects) = bench.call(tokens("file_2"));
    box_call(&effects);
}

#[test]
fn s42_an_effect_prints_no_token() {
    let mut bench = Bench::new();
    let (_, effects) = bench.call(open_ask());
    let printed = format!("{effects:?}");
    assert!(printed.contains("/oauth2/token") && !printed.contains("app-secret"), "{printed}");
    let bytes: Vec<String> = b"app-secret".iter().map(ToString::to_string).collect();
    assert!(!printed.contains(&bytes.join(", ")), "{printed}");
}

#[test]
fn another_secret_gets_nothing_and_changes_nothing() {
    let mut bench = Bench::new();
    bench.open();
    let before = bench.storage.clone();
    let caller = CallerId(99);
    let stranger = Message { secret: SessionSecret::new([8; 32]), ask: Ask::Close(End::SignedOut) };
    let effects = bench.step(Event::Called(caller, stranger));
    assert!(matches!(reply(&effects, caller), Reply::Unopened));
    assert_eq!(bench.storage, before);
}

#[test]
fn a_page_of_a_folder_is_read_with_the_parent_token() {
    let mut bench = Bench::new();
    bench.open();
    let ask = Ask::Items { folder: Item::folder("0").unwrap(), page: PageAsk { offset: 0, limit: 2 } };
    let (caller, effects) = bench.call(ask);
    let (call, request) = box_call(&effects);
    assert!(request.starts_with("/2.0/folders/0/items"), "{request}");
    let body = r#"{"total_count":3,"secret":"x","entries":[{"type":"file","id":"1","name":"a","size":5,"owned_by":{"login":"x"}}]}"#;
    let effects = bench.answer(call, 200, body);
    let Reply::Items(page) = reply(&effects, caller) else { panic!("{effects:?}") };
    assert_eq!((page.total, page.entries.len(), page.limit), (3, 1, 2));
    assert!(!serde_json::to_string(page).unwrap().contains("owned_by"));
}

/// Stored formats: a change needs a new version and a way to read the old one.
#[test]
fn the_stored_formats_are_pinned() {
    let mut bench = Bench::new();
    bench.open();
    bench.mint("file_1");
    let mut row = bench.row();
    assert!(row["grant"].as_str().is_some_and(|sealed| sealed.starts_with("AQJrM")), "{row}");
    row["grant"] = "sealed".into();
    let secret = "4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0";
    assert_eq!(
        row.to_string(),
        format!(
            r#"{{"attempt":null,"end":null,"expires_at":1805184000000,"generation":1,"grant":"sealed","kv":null,"opened_at":1800000000000,"quota":{{"day":{{"count":1,"from":1800000000000}},"minute":{{"count":1,"from":1800000000000}}}},"secret":"{secret}","seen_at":1800000000000,"status":"open","v":1}}"#
        )
    );
    let names: Vec<String> =
        bench.storage.keys().map(|(kind, name)| format!("{}:{name}", kind.name())).collect();
    assert_eq!(names, ["session:", "child:file_1 base_preview item_preview"]);
    let grant = Grant {
        access: crate::secret::ParentToken::new("a"),
        access_expires_at: Timestamp::from_millis(1),
        access_life: Duration::from_secs(2),
        refresh: crate::secret::RefreshToken::new("r"),
        previous: None,
        opened_at: Timestamp::from_millis(3),
        expires_at: Timestamp::from_millis(4),
        seen_at: Timestamp::from_millis(5),
        user: None,
    };
    assert_eq!(
        grant.encode(),
        r#"{"access":"a","access_expires_at":1,"access_life_ms":2000,"refresh":"r","previous":null,"opened_at":3,"expires_at":4,"seen_at":5,"user":null}"#
    );
    let copy = record::Copy::new(6, SealedText::new(b"sealed")).encode();
    assert_eq!(String::from_utf8(copy).unwrap(), r#"{"v":1,"generation":6,"grant":"c2VhbGVk"}"#);
}
