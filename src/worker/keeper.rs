//! The keeper's object: a shell around `keyhole_core::keeper`, which decides everything.
//!
//! Storage is one SQLite table, made at the first write: an object that was never opened holds nothing. Each event
//! becomes one synchronous step; calls that the step asks for run under `wait_until`, so that they outlive the
//! caller that brought them about, and come back as events.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use keyhole_core::{
    config::Config,
    keeper::{
        CallerId, Change, CopyLabel, Effect, Event, Keeper as Machine, KeeperName, Timer,
        message::{Message, Reply},
        record::{Kind, Record},
    },
    time::Timestamp,
};
use litemap::LiteMap;
use worker::{
    Delay, DurableObject, Env, Error, Request, Response, Result, ScheduledTime, SqlStorageValue, State,
    durable_object,
    js_sys::{self, Reflect},
    wasm_bindgen::{self, JsCast as _, JsValue},
};

use crate::{ask_box, kv::KvBinding, now};

/// One session's owner. See the module.
#[durable_object]
pub struct Keeper(Rc<Shell>);

struct Shell {
    state: State,
    env: Env,
    loaded: RefCell<Option<Loaded>>,
    /// Grows whenever the machine is loaded anew: what an earlier one asked for is no event for this one.
    epoch: Cell<u64>,
    callers: Cell<u64>,
    waiting: RefCell<LiteMap<CallerId, oneshot::Sender<Reply>>>,
}

struct Loaded {
    name: KeeperName,
    log_name: Rc<str>,
    machine: Machine,
    /// The session row's body, as it was read or written last.
    row: Option<String>,
    has_table: bool,
}

impl DurableObject for Keeper {
    fn new(state: State, env: Env) -> Self {
        Self(Rc::new(Shell {
            state,
            env,
            loaded: RefCell::new(None),
            epoch: Cell::new(0),
            callers: Cell::new(0),
            waiting: RefCell::new(LiteMap::new()),
        }))
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let Ok(message) = Message::decode(&request.bytes().await?) else {
            return Response::from_bytes(Reply::Skewed.encode());
        };
        self.0.ready().await?;
        let answer = self.0.called(message)?;
        let reply = answer.await.map_err(|_| Error::RustError("this keeper was replaced".into()))?;
        Response::from_bytes(reply.encode())
    }

    /// Never fails: the runtime gives an alarm up after a few failures, and nobody else would wake an ended session
    /// to revoke what it owes.
    async fn alarm(&self) -> Result<Response> {
        // While a pair is on its way to KV the event would only be held, and be lost with this instance.
        while self.0.must_not_touch_storage() {
            Delay::from(ALARM_WHILE_SAVING).await;
        }
        let rung = match self.0.ready().await {
            Ok(()) => Shell::event(&self.0, self.0.epoch.get(), Event::Alarm),
            Err(error) => Err(error),
        };
        if let Err(error) = rung {
            complain(&error);
            let later = now::now().plus(ALARM_AFTER_FAILURE);
            self.0.set_alarm(Some(later)).unwrap_or_else(|error| complain(&error));
        }
        Response::empty()
    }
}

impl Shell {
    /// Loads the machine from storage, once.
    async fn ready(&self) -> Result<()> {
        if self.loaded.borrow().is_some() {
            return Ok(());
        }
        let alarm = self.state.storage().get_alarm().await?;
        if self.loaded.borrow().is_none() {
            self.load(alarm.and_then(|at| u64::try_from(at).ok()).map(Timestamp::from_millis))?;
        }
        Ok(())
    }

    fn load(&self, alarm: Option<Timestamp>) -> Result<()> {
        let name = self.state.id().name().as_deref().and_then(KeeperName::parse);
        let name = name.ok_or_else(|| fault("an object without a keeper's name"))?;
        let config = Config::parse(|name| self.env.var(name).ok().map(|value| value.to_string()))
            .map_err(|_| fault("the settings have faults; /healthz lists them"))?;
        let has_table = self.has_table()?;
        let records = if has_table { self.records()? } else { Vec::new() };
        let row =
            records.iter().find(|record| record.kind == Kind::Session).map(|record| record.body.clone());
        let machine = Machine::load(name.clone(), Rc::new(config.keeper), &records, alarm)
            .map_err(|_| fault("a stored record is of another release"))?;
        self.epoch.set(self.epoch.get().wrapping_add(1));
        self.waiting.borrow_mut().clear();
        let log_name = machine.log_name().into();
        *self.loaded.borrow_mut() = Some(Loaded { name, log_name, machine, row, has_table });
        Ok(())
    }

    /// A caller comes; the receiver will have the reply.
    fn called(self: &Rc<Self>, message: Message) -> Result<oneshot::Receiver<Reply>> {
        self.fence()?;
        let caller = CallerId(self.callers.get());
        self.callers.set(caller.0.wrapping_add(1));
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().insert(caller, sender);
        Self::event(self, self.epoch.get(), Event::Called(caller, message))?;
        Ok(receiver)
    }

    /// Reads the session row: an instance that has been replaced dies here. Should a row ever be another than the one
    /// this instance knows, it gives up by itself. Not while a rotation is on its way to KV: then storage is not touched.
    fn fence(&self) -> Result<()> {
        if self.must_not_touch_storage() {
            return Ok(());
        }
        let (has_table, known) = match &*self.loaded.borrow() {
            Some(loaded) => (loaded.has_table, loaded.row.clone()),
            None => (false, None),
        };
        let stored = if has_table || self.has_table()? { self.stored_row()? } else { None };
        if stored == known {
            return Ok(());
        }
        self.abort();
        Err(fault("another instance has written"))
    }

    fn must_not_touch_storage(&self) -> bool {
        self.loaded.borrow().as_ref().is_some_and(|loaded| loaded.machine.must_not_touch_storage())
    }

    /// One event, one step, and its effects in order.
    fn event(self: &Rc<Self>, epoch: u64, event: Event) -> Result<()> {
        if epoch != self.epoch.get() {
            return Ok(());
        }
        let (now, entropy) = (now::now(), now::entropy()?);
        let (effects, log_name) = {
            let mut loaded = self.loaded.borrow_mut();
            let loaded = loaded.as_mut().ok_or_else(|| fault("a keeper that is not loaded"))?;
            (loaded.machine.step(event, now, entropy), Rc::clone(&loaded.log_name))
        };
        for effect in effects {
            self.perform(epoch, effect, &log_name)?;
        }
        Ok(())
    }

    fn perform(self: &Rc<Self>, epoch: u64, effect: Effect, log_name: &str) -> Result<()> {
        match effect {
            Effect::Write(changes) => self.write(&changes).inspect_err(|_| self.abort()),
            Effect::Reply(caller, reply) => {
                if let Some(waiting) = self.waiting.borrow_mut().remove(&caller) {
                    // A caller that has left needs no answer.
                    drop(waiting.send(reply));
                }
                Ok(())
            }
            Effect::Log(act) => {
                worker::console_log!("{}", act.line(log_name));
                Ok(())
            }
            effect => {
                self.start(epoch, effect);
                Ok(())
            }
        }
    }

    /// Effects that take time. Each comes back as an event.
    fn start(self: &Rc<Self>, epoch: u64, effect: Effect) {
        let shell = Rc::clone(self);
        self.state.wait_until(async move {
            let event = match effect {
                Effect::AskBox { call, request, limit } => {
                    Event::BoxAnswered(call, ask_box::send(*request, limit).await)
                }
                Effect::PutKv { call, value, label, expires_at } => {
                    Event::KvWrote(call, shell.put_copy(&value, label, expires_at).await)
                }
                Effect::DeleteKv(call) => Event::KvWrote(call, shell.delete_copy().await),
                Effect::ReadKv(call) => Event::KvRead(call, shell.read_copy().await),
                Effect::Wait(timer, span) => {
                    shell.wait(timer, span).await;
                    Event::Waited(timer)
                }
                Effect::Write(_) | Effect::Reply(..) | Effect::Log(_) => return,
            };
            if let Err(error) = Self::event(&shell, epoch, event) {
                complain(&error);
            }
        });
    }

    /// A caller's limit is not worth keeping the object awake for once that caller has its answer.
    async fn wait(&self, timer: Timer, span: core::time::Duration) {
        const STEP: core::time::Duration = core::time::Duration::from_millis(250);
        let Timer::Caller(caller) = timer else { return Delay::from(span).await };
        let mut left = span;
        while !left.is_zero() && self.waiting.borrow().contains_key(&caller) {
            Delay::from(left.min(STEP)).await;
            left = left.saturating_sub(STEP);
        }
    }

    async fn put_copy(&self, value: &[u8], label: CopyLabel, expires_at: Timestamp) -> bool {
        match self.copy() {
            Some((kv, name)) => kv.put_copy(&name, value, label, expires_at).await,
            None => false,
        }
    }

    async fn delete_copy(&self) -> bool {
        match self.copy() {
            Some((kv, name)) => kv.delete_copy(&name).await,
            None => false,
        }
    }

    async fn read_copy(&self) -> core::result::Result<Option<Vec<u8>>, keyhole_core::keeper::KvSilent> {
        match self.copy() {
            Some((kv, name)) => kv.read_copy(&name).await,
            None => Err(keyhole_core::keeper::KvSilent),
        }
    }

    fn copy(&self) -> Option<(KvBinding, KeeperName)> {
        let name = self.loaded.borrow().as_ref().map(|loaded| loaded.name.clone())?;
        Some((KvBinding::new(&self.env).ok()?, name))
    }

    /// All changes in one synchronous block, which the runtime commits as one.
    fn write(&self, changes: &[Change]) -> Result<()> {
        let mut loaded = self.loaded.borrow_mut();
        let loaded = loaded.as_mut().ok_or_else(|| fault("a keeper that is not loaded"))?;
        let sql = self.state.storage().sql();
        if !loaded.has_table {
            sql.exec(TABLE, None)?;
            loaded.has_table = true;
        }
        for change in changes {
            match change {
                Change::Put(record) => {
                    let row = [record.kind.name(), &record.name, &record.body].map(text).to_vec();
                    sql.exec("INSERT OR REPLACE INTO record (kind, name, body) VALUES (?, ?, ?)", row)?;
                    if record.kind == Kind::Session {
                        loaded.row = Some(record.body.clone());
                    }
                }
                Change::Delete(kind, name) => {
                    let key = [kind.name(), name].map(text).to_vec();
                    sql.exec("DELETE FROM record WHERE kind = ? AND name = ?", key)?;
                }
                Change::Forget => {
                    sql.exec("DROP TABLE record", None)?;
                    (loaded.has_table, loaded.row) = (false, None);
                }
                Change::Alarm(at) => self.set_alarm(*at)?,
            }
        }
        Ok(())
    }

    /// Sets the alarm in the same synchronous block: the calls are made here, only their promises are not awaited.
    fn set_alarm(&self, at: Option<Timestamp>) -> Result<()> {
        use futures_util::FutureExt as _;
        let storage = self.state.storage();
        let set = match at {
            Some(at) => {
                let millis = i64::try_from(at.millis()).map_err(|_| fault("an alarm beyond time"))?;
                let date = js_sys::Date::new(&JsValue::from_f64(as_js_number(millis)));
                storage.set_alarm(ScheduledTime::new(date)).now_or_never()
            }
            None => storage.delete_alarm().now_or_never(),
        };
        set.unwrap_or(Ok(()))
    }

    fn has_table(&self) -> Result<bool> {
        let found = self.select("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'record'")?;
        Ok(!found.is_empty())
    }

    fn records(&self) -> Result<Vec<Record>> {
        let unknown = || fault("a stored record is of another release");
        self.select("SELECT kind, name, body FROM record")?
            .into_iter()
            .map(|row| {
                let [kind, name, body] = <[String; 3]>::try_from(row).map_err(|_| unknown())?;
                Ok(Record { kind: Kind::parse(&kind).ok_or_else(unknown)?, name, body })
            })
            .collect()
    }

    fn stored_row(&self) -> Result<Option<String>> {
        let rows = self.select("SELECT body FROM record WHERE kind = 'session' AND name = ''")?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()))
    }

    /// Rows of text; what is no text is left out.
    fn select(&self, query: &str) -> Result<Vec<Vec<String>>> {
        let texts = |row: Vec<SqlStorageValue>| {
            row.into_iter().filter_map(|value| match value {
                SqlStorageValue::String(text) => Some(text),
                _ => None,
            })
        };
        self.state.storage().sql().exec(query, None)?.raw().map(|row| Ok(texts(row?).collect())).collect()
    }

    /// A save failed: nothing later of this instance may happen. `ctx.abort()` discards what was not written and
    /// starts the object anew at its next call.
    fn abort(&self) {
        self.epoch.set(self.epoch.get().wrapping_add(1));
        *self.loaded.borrow_mut() = None;
        self.waiting.borrow_mut().clear();
        let state = self.state.as_raw();
        if let Ok(abort) = Reflect::get(state, &JsValue::from_str("abort"))
            && let Some(abort) = abort.dyn_ref::<js_sys::Function>()
        {
            // Not from here: it ends JavaScript on the spot, also the executor that this isolate's other objects
            // and requests run in. A microtask runs after that has returned.
            let abort = abort.bind1(state, &JsValue::from_str("a save failed"));
            if let Ok(queue) = Reflect::get(&js_sys::global(), &JsValue::from_str("queueMicrotask"))
                && let Some(queue) = queue.dyn_ref::<js_sys::Function>()
            {
                drop(queue.call1(&JsValue::UNDEFINED, &abort));
            }
        }
    }
}

/// Kinds and names are few and bodies small: one table, one row for each record.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, name)
) WITHOUT ROWID";

fn text(value: &str) -> SqlStorageValue {
    SqlStorageValue::String(value.to_owned())
}

fn fault(words: &'static str) -> Error {
    Error::RustError(words.into())
}

/// A pair is saved within half a second.
const ALARM_WHILE_SAVING: core::time::Duration = core::time::Duration::from_millis(100);
/// When the settings do not fit, an operator has to mend them first.
const ALARM_AFTER_FAILURE: core::time::Duration = core::time::Duration::from_secs(60 * 60);

fn complain(error: &Error) {
    worker::console_error!("{{\"event\":\"keeper_failed\",\"fault\":\"{}\"}}", words(error));
}

/// Our own words of an error, or none: the runtime's may quote a statement.
fn words(error: &Error) -> &str {
    match error {
        Error::RustError(words) => words,
        _ => "the runtime failed",
    }
}

/// Milliseconds of this age are far below 2^53.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "exact below 2^53, the year 287396")]
const fn as_js_number(millis: i64) -> f64 {
    millis as f64
}
