//! What holds of `step` whatever it is fed: events in any order, answers to calls that were never made, garbage,
//! callers with a wrong secret, a clock that goes back.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use keyhole_core::{
    box_api::{BoxAnswer, PageAsk, Unreachable},
    item::{Item, Scopes},
    keeper::{
        CallId, CallerId, Change, Effect, Event, Keeper, KvSilent, Timer,
        message::{Ask, End, Message, Reply, TokensAsk},
        record::{Kind, Record},
    },
    secret::{AuthorizationCode, Digest, Entropy, PkceVerifier, SessionSecret},
    time::Timestamp,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::{
    asked::Said,
    ledger::Rotation,
    stage::{START_MS, Stage},
    twist::Twist,
};

/// Something to feed a keeper with. Numbers choose among its calls and callers, or beyond them.
#[derive(Clone, Debug)]
enum Food {
    Call(bool, u8),
    Answer(u64, Given),
    KvWrote(u64, bool),
    KvRead(u64, Option<Option<Vec<u8>>>),
    KvCopy(u64),
    Caller(u64),
    Escrow(u64),
    Retry,
    Alarm,
}

#[derive(Clone, Debug)]
enum Given {
    Pair(u8, u64),
    Child(u64),
    Other(Said),
    Raw(u16, Vec<u8>),
    Unreachable(u8),
}

fn given() -> impl Strategy<Value = Given> {
    let said = [
        Said::Done,
        Said::User,
        Said::Page,
        Said::InvalidGrant,
        Said::Unauthorized,
        Said::Down,
        Said::Garbage,
    ];
    prop_oneof![
        4 => (any::<u8>(), 0..5_000_u64).prop_map(|(number, seconds)| Given::Pair(number, seconds)),
        4 => (0..5_000_u64).prop_map(Given::Child),
        3 => prop::sample::select(said.to_vec()).prop_map(Given::Other),
        2 => (100..600_u16, prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(status, body)| Given::Raw(status, body)),
        1 => any::<u8>().prop_map(Given::Unreachable),
    ]
}

fn food() -> impl Strategy<Value = Food> {
    let call = 0..12_u64;
    prop_oneof![
        6 => (prop::bool::weighted(0.9), any::<u8>()).prop_map(|(own, what)| Food::Call(own, what)),
        8 => (call.clone(), given()).prop_map(|(call, given)| Food::Answer(call, given)),
        3 => (call.clone(), any::<bool>()).prop_map(|(call, wrote)| Food::KvWrote(call, wrote)),
        1 => (call.clone(), prop::option::of(prop::option::of(prop::collection::vec(any::<u8>(), 0..40))))
            .prop_map(|(call, value)| Food::KvRead(call, value)),
        1 => call.clone().prop_map(Food::KvCopy),
        2 => call.clone().prop_map(Food::Caller),
        2 => call.prop_map(Food::Escrow),
        1 => Just(Food::Retry),
        1 => Just(Food::Alarm),
    ]
}

/// Food, and how the clock goes until it comes: mostly on, sometimes back.
fn meal() -> impl Strategy<Value = (Food, i64)> {
    let span = prop_oneof![
        6 => 0..2_000_i64,
        2 => 0..4_000_000_i64,
        1 => 0..6_000_000_000_i64,
        1 => -4_000_000..0_i64,
    ];
    (food(), span)
}

/// A keeper that is fed, and what it has let be known.
struct Fed {
    stage: Stage,
    keeper: Keeper,
    now: u64,
    steps: u64,
    callers: u64,
    calls: u64,
    answered: BTreeSet<CallerId>,
    storage: BTreeMap<(Kind, String), String>,
    copy: Option<Vec<u8>>,
}

impl Fed {
    fn new() -> Self {
        let stage = Stage::new(Rotation::Lazy, Twist::None).unwrap();
        let keeper = Keeper::load(stage.name.clone(), stage.settings.clone(), &[], None).unwrap();
        Self {
            stage,
            keeper,
            now: START_MS,
            steps: 0,
            callers: 0,
            calls: 0,
            answered: BTreeSet::new(),
            storage: BTreeMap::new(),
            copy: None,
        }
    }

    fn row(&self) -> Value {
        let body = self.storage.get(&(Kind::Session, String::new()));
        body.and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default()
    }

    fn eat(&mut self, food: &Food) {
        // The latest calls are those that something hangs on.
        let call = |back: u64| CallId(self.calls.saturating_sub(back));
        let event = match food {
            Food::Call(own, what) => {
                self.callers += 1;
                Event::Called(CallerId(self.callers), self.message(*own, *what))
            }
            Food::Answer(back, given) => Event::BoxAnswered(call(*back), answer(given)),
            Food::KvWrote(back, wrote) => Event::KvWrote(call(*back), *wrote),
            Food::KvRead(back, value) => Event::KvRead(call(*back), value.clone().ok_or(KvSilent)),
            Food::KvCopy(back) => Event::KvRead(call(*back), Ok(self.copy.clone())),
            Food::Caller(back) => Event::Waited(Timer::Caller(CallerId(self.callers.saturating_sub(*back)))),
            Food::Escrow(back) => Event::Waited(Timer::Escrow(call(*back))),
            Food::Retry => Event::Waited(Timer::Retry),
            Food::Alarm => Event::Alarm,
        };
        self.step(event);
    }

    fn message(&self, own: bool, what: u8) -> Message {
        let secret = if own { self.stage.secret.clone() } else { SessionSecret::new([8; 32]) };
        let refused = if what.is_multiple_of(7) { vec![Digest::of("child")] } else { Vec::new() };
        let ask = match what % 16 {
            0..4 => {
                Ask::Open { code: AuthorizationCode::new("code"), verifier: PkceVerifier::new("verifier") }
            }
            4..6 => Ask::Session,
            6 => Ask::Close(End::SignedOut),
            7 => Ask::Items { folder: Item::folder("0").unwrap(), page: PageAsk { offset: 0, limit: 9 } },
            _ => Ask::Tokens(TokensAsk {
                items: vec![Item::parse(&format!("file_{}", what % 3)).unwrap()],
                scopes: Scopes::parse("item_preview").unwrap(),
                refused,
            }),
        };
        Message { secret, ask }
    }

    /// One step; what holds of every step is seen to here.
    fn step(&mut self, event: Event) {
        self.steps += 1;
        let mut seed = [0; 32];
        seed.iter_mut().zip(self.steps.to_be_bytes()).for_each(|(byte, drawn)| *byte = drawn);
        let before = self.row();
        let effects = self.keeper.step(event, Timestamp::from_millis(self.now), Entropy::new(seed));
        let writes = effects.iter().filter(|effect| matches!(effect, Effect::Write(_))).count();
        assert!(writes <= 1, "one block a step: {effects:?}");
        assert!(writes == 0 || matches!(effects[0], Effect::Write(_)), "before all else: {effects:?}");
        for effect in effects {
            self.follow(effect);
        }
        self.is_monotone(&before);
    }

    fn follow(&mut self, effect: Effect) {
        match effect {
            Effect::Write(changes) => changes.into_iter().for_each(|change| self.change(change)),
            Effect::Reply(caller, _) => {
                assert!(caller.0 >= 1 && caller.0 <= self.callers, "nobody asked: {caller:?}");
                assert!(self.answered.insert(caller), "{caller:?} is answered twice");
            }
            Effect::AskBox { call, .. } | Effect::DeleteKv(call) | Effect::ReadKv(call) => {
                self.numbered(call)
            }
            Effect::PutKv { call, value, .. } => {
                self.numbered(call);
                self.copy = Some(value);
            }
            Effect::Wait(..) | Effect::Log(_) => {}
        }
    }

    fn numbered(&mut self, call: CallId) {
        assert!(call.0 > self.calls, "a call's number is used again: {call:?}");
        self.calls = call.0;
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Put(record) => drop(self.storage.insert((record.kind, record.name), record.body)),
            Change::Delete(kind, name) => drop(self.storage.remove(&(kind, name))),
            Change::Forget => self.storage.clear(),
            Change::Alarm(at) => {
                assert!(at.is_none_or(|at| at.millis() > self.now), "an alarm in the past rings without end");
            }
        }
    }

    /// Generations only grow, an end is final, the absolute limit stays where it was set, "last seen" never goes back.
    fn is_monotone(&self, before: &Value) {
        let after = self.row();
        if before.is_null() || after.is_null() {
            return;
        }
        let number = |row: &Value, name: &str| row[name].as_u64().unwrap_or_default();
        assert!(number(&after, "generation") >= number(before, "generation"), "{before} {after}");
        if before["status"] != "opening" {
            assert!(before["status"] != "ended" || after["status"] == "ended", "{before} {after}");
            assert_eq!(before["expires_at"], after["expires_at"]);
            assert!(number(&after, "seen_at") >= number(before, "seen_at"), "{before} {after}");
        }
    }

    /// Everybody who still waits is answered once their time is up, and what is held back by a save goes on.
    fn everybody_is_answered(&mut self) {
        for call in 0..=self.calls {
            self.step(Event::Waited(Timer::Escrow(CallId(call))));
        }
        for caller in 1..=self.callers {
            self.step(Event::Waited(Timer::Caller(CallerId(caller))));
        }
        let all: BTreeSet<CallerId> = (1..=self.callers).map(CallerId).collect();
        assert_eq!(self.answered, all);
    }
}

fn answer(given: &Given) -> Result<BoxAnswer, Unreachable> {
    Ok(match given {
        Given::Pair(number, seconds) => Said::Pair {
            access: format!("access{number}"),
            refresh: format!("refresh{number}"),
            seconds: *seconds,
        }
        .answer(),
        Given::Child(seconds) => Said::Child {
            token: "child".to_owned(),
            item: format!("file_{}", seconds % 3),
            scopes: "item_preview".to_owned(),
            seconds: *seconds,
        }
        .answer(),
        Given::Other(said) => said.answer(),
        Given::Raw(status, body) => {
            let mut answer = BoxAnswer::new(body.clone());
            *answer.status_mut() = StatusCode::from_u16(*status).unwrap();
            answer
        }
        Given::Unreachable(why) => {
            return Err(match why % 3 {
                0 => Unreachable::Broken,
                1 => Unreachable::Slow,
                _ => Unreachable::TooLarge,
            });
        }
    })
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_keeper_takes_whatever_comes_answers_everybody_once_and_never_goes_back(
        meals in prop::collection::vec(meal(), 1..50),
    ) {
        let mut fed = Fed::new();
        for (food, span) in meals {
            fed.now = fed.now.saturating_add_signed(span);
            fed.eat(&food);
        }
        fed.everybody_is_answered();
    }

    #[test]
    fn a_session_that_was_opened_takes_whatever_comes(meals in prop::collection::vec(meal(), 1..50)) {
        let mut fed = Fed::new();
        fed.eat(&Food::Call(true, 0));
        fed.eat(&Food::Answer(0, Given::Pair(0, 3600)));
        fed.eat(&Food::Answer(0, Given::Other(Said::User)));
        prop_assert_eq!(&fed.row()["status"], "open");
        for (food, span) in meals {
            fed.now = fed.now.saturating_add_signed(span);
            fed.eat(&food);
        }
        fed.everybody_is_answered();
    }

    #[test]
    fn a_wrong_secret_changes_nothing(whats in prop::collection::vec(any::<u8>(), 1..20)) {
        let mut fed = Fed::new();
        fed.eat(&Food::Call(true, 0));
        fed.eat(&Food::Answer(0, Given::Pair(0, 3600)));
        fed.eat(&Food::Answer(0, Given::Other(Said::User)));
        let (storage, calls) = (fed.storage.clone(), fed.calls);
        for what in whats {
            fed.eat(&Food::Call(false, what));
        }
        prop_assert_eq!(&fed.storage, &storage);
        prop_assert_eq!(fed.calls, calls);
    }

    #[test]
    fn what_storage_holds_is_read_or_refused(records in prop::collection::vec(record(), 0..6)) {
        let stage = Stage::new(Rotation::Lazy, Twist::None).unwrap();
        let loaded = Keeper::load(stage.name.clone(), stage.settings.clone(), &records, None);
        if let Ok(mut keeper) = loaded {
            let message = Message { secret: stage.secret, ask: Ask::Session };
            let now = Timestamp::from_millis(START_MS);
            let effects = keeper.step(Event::Called(CallerId(1), message), now, Entropy::new([1; 32]));
            let gives = |effect: &Effect| matches!(effect, Effect::Reply(_, Reply::Session(_)));
            prop_assert!(!effects.iter().any(gives), "nothing was sealed for this session");
        }
    }
}

/// Records in the forms of this release and not, with any content.
fn record() -> impl Strategy<Value = Record> {
    let kind = prop::sample::select(vec![Kind::Session, Kind::Child, Kind::Outbox]);
    let body = prop_oneof![
        any::<String>(),
        (any::<u64>(), any::<u64>(), "[a-z0-9_-]{0,40}").prop_map(|(at, generation, sealed)| format!(
            r#"{{"v":1,"status":"open","secret":"{}","opened_at":{at},"expires_at":{at},"seen_at":{at},"generation":{generation},"grant":"{sealed}","attempt":{{"generation":{generation},"deadline":{at}}},"kv":null,"quota":{{"minute":{{"from":{at},"count":1}},"day":{{"from":{at},"count":1}}}},"end":null}}"#,
            SessionSecret::new([7; 32]).hash().hex()
        )),
        ("[a-z0-9_-]{0,40}", any::<u64>())
            .prop_map(|(sealed, at)| format!(r#"{{"v":1,"sealed":"{sealed}","expires_at":{at}}}"#)),
    ];
    let name = prop_oneof![
        Just(String::new()),
        Just("file_1 item_preview".to_owned()),
        "[0-9]{1,21}",
        any::<String>()
    ];
    (kind, name, body).prop_map(|(kind, name, body)| Record { kind, name, body })
}
