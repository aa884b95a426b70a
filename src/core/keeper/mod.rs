//! The keeper: the one owner of a session's refresh token, as a state machine without I/O.
//!
//! [`Keeper::step`] takes one event with its time and entropy and returns the effects that follow, in order. The
//! shell performs them and nothing else. The rules, by file:
//!
//! | file | decides |
//! | --- | --- |
//! | `open` | how a login's code becomes a session, once |
//! | `refresh` | how the pair is rotated: attempt, escrow, save, and only then use |
//! | `mint` | how a narrowed token is served, minted, checked, kept |
//! | `browse` | how a folder is read |
//! | `copy` | how KV is written and read back |
//! | `close` | how a session ends, and its tokens at Box with it |
//! | `plan` | margins and limits |
//! | `record` | what is stored, and in which form |
//! | `message` | what is asked and answered |

use core::{fmt, time::Duration};
use std::{collections::VecDeque, rc::Rc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use litemap::LiteMap;
use serde::Serialize;

use crate::{
    box_api::{BoxAnswer, BoxApp, BoxRequest, Child, Device, Unreachable},
    seal::{KeyId, Place, Purpose, SealKeys},
    secret::{Entropy, SessionSecret, State},
    time::Timestamp,
};
use log::Act;
use message::{Ask, End, KeeperFault, Message, Reply};
use record::{
    ChildKey, Grant, Kind, OutboxRow, Record, Row, SealedText, SealedToken, Status, Unreadable, Window,
};

mod browse;
mod close;
mod copy;
pub mod log;
pub mod message;
mod mint;
mod open;
pub mod plan;
pub mod record;
mod refresh;
#[cfg(test)]
mod tests;

/// The name of a keeper: SHA-256 of the `state` of the login that opens it, in base64url. So a `state` is redeemed
/// once: it leads to one keeper, and a keeper opens once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeeperName(String);

impl KeeperName {
    /// The keeper that this login opens.
    #[must_use]
    pub fn of(state: &State) -> Self {
        Self(URL_SAFE_NO_PAD.encode(state.hash().bytes()))
    }

    /// Parses a name from a cookie: 43 characters of base64url.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeeperName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a keeper needs to know of the deployment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The app at Box.
    pub app: BoxApp,
    /// The device it signs in as.
    pub device: Device,
    /// The master keys.
    pub seal_keys: SealKeys,
    /// A session ends when it was not used for this long.
    pub session_idle: Duration,
    /// A session ends this long after it was opened.
    pub session_absolute: Duration,
    /// How many new items a session may ask tokens for in a minute.
    pub new_items_per_minute: u32,
    /// How many in a day.
    pub new_items_per_day: u32,
}

/// A caller that waits for a [`Reply`]; the shell numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerId(pub u64);

/// A call that the keeper asked the shell to make; the keeper numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// What a [`Effect::Wait`] is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A caller waits no longer.
    Caller(CallerId),
    /// The save waits no longer for the KV copy.
    Escrow(CallId),
    /// Something that Box could not do is to be tried again.
    Retry,
}

/// What happened. It has no `Debug`: it carries Box's answers, and those carry tokens.
#[derive(Clone)]
pub enum Event {
    /// A caller came. The shell has read the session row just before, and found it as this machine left it.
    Called(CallerId, Message),
    /// Box answered, or did not.
    BoxAnswered(CallId, Result<BoxAnswer, Unreachable>),
    /// KV confirmed a put or a delete (`true`), or did not.
    KvWrote(CallId, bool),
    /// KV answered a read: the value, a miss, or nothing that can be believed.
    KvRead(CallId, Result<Option<Vec<u8>>, KvSilent>),
    /// A wait is over.
    Waited(Timer),
    /// The object's alarm.
    Alarm,
}

/// KV failed. Never to be taken for a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvSilent;

/// What the shell must do, in the order given.
#[derive(Clone)]
pub enum Effect {
    /// Write all of these in one synchronous block. If that fails, this instance may do nothing more.
    Write(Vec<Change>),
    /// Ask Box, and tell [`Event::BoxAnswered`] within `limit`.
    AskBox {
        /// The call.
        call: CallId,
        /// The request.
        request: Box<BoxRequest>,
        /// How long it may take.
        limit: Duration,
    },
    /// Put the KV copy; tell [`Event::KvWrote`].
    PutKv {
        /// The call.
        call: CallId,
        /// The value.
        value: Vec<u8>,
        /// What stands beside it.
        label: CopyLabel,
        /// When KV may forget it.
        expires_at: Timestamp,
    },
    /// Delete the KV copy; tell [`Event::KvWrote`].
    DeleteKv(CallId),
    /// Read the KV copy; tell [`Event::KvRead`].
    ReadKv(CallId),
    /// Tell [`Event::Waited`] after this long.
    Wait(Timer, Duration),
    /// Answer a caller.
    Reply(CallerId, Reply),
    /// Write a line to the log.
    Log(Act),
}

impl fmt::Debug for Effect {
    /// Without bodies: a request to Box holds the client secret and tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(changes) => f.debug_tuple("Write").field(changes).finish(),
            Self::AskBox { call, request, .. } => write!(f, "AskBox({call:?}, {})", request.uri().path()),
            Self::PutKv { call, .. } => write!(f, "PutKv({call:?})"),
            Self::DeleteKv(call) => write!(f, "DeleteKv({call:?})"),
            Self::ReadKv(call) => write!(f, "ReadKv({call:?})"),
            Self::Wait(timer, span) => write!(f, "Wait({timer:?}, {span:?})"),
            Self::Reply(caller, reply) => write!(f, "Reply({caller:?}, {reply:?})"),
            Self::Log(act) => write!(f, "Log({act:?})"),
        }
    }
}

/// What a listing of KV shows of a copy, as its metadata: `cargo xtask keys` counts by it. Anybody who may write to
/// KV may write this, so nothing is ever decided by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CopyLabel {
    /// The key that the copy is sealed under.
    pub key: Option<KeyId>,
    /// Its generation.
    pub generation: u64,
    /// When its session was opened, in milliseconds since the epoch.
    pub opened_at: Timestamp,
    /// When it was put, in milliseconds since the epoch.
    pub put_at: Timestamp,
}

/// A change of the object's storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Insert or replace a record.
    Put(Record),
    /// Delete a record.
    Delete(Kind, String),
    /// Delete everything: the keeper is as if it had never been.
    Forget,
    /// Set the one alarm, or none.
    Alarm(Option<Timestamp>),
}

/// A call under way.
#[derive(Clone, Debug)]
enum Flight {
    Code { caller: CallerId, asked_at: Timestamp },
    User { caller: CallerId },
    Refresh(refresh::Asked),
    Mint { key: ChildKey, generation: u64, asked_at: Timestamp },
    Browse { caller: CallerId, generation: u64 },
    Revoke { number: u64 },
    CopyGrant { generation: u64 },
    DeleteCopy,
    ReadCopy,
}

/// What a caller waits for.
#[derive(Clone, Debug)]
enum Wants {
    /// Its session to be opened.
    Opening,
    /// To be asked again when the KV copy has been read.
    Restored(SessionSecret, Ask),
    Tokens(mint::TokensWanted),
    Items(browse::ItemsWanted),
}

/// See the module. A copy goes on by itself: whoever explores what can follow makes one for each way to go on.
#[derive(Clone)]
pub struct Keeper {
    name: KeeperName,
    settings: Rc<Settings>,
    /// What storage holds of the session.
    row: Option<Row>,
    /// The session secret, once a cookie brought it: in memory only.
    secret: Option<SessionSecret>,
    /// The grant in clear, once a cookie has opened it.
    grant: Option<Grant>,
    /// What storage holds of children.
    sealed_children: LiteMap<ChildKey, SealedToken>,
    /// The children in clear, once a cookie has opened them.
    children: LiteMap<ChildKey, Child>,
    outbox: LiteMap<u64, OutboxRow>,
    /// The last number that an outbox row got.
    outbox_numbers: u64,
    /// The outbox row of a session that no browser has the cookie of yet.
    unclaimed: Option<u64>,
    leftover: Option<copy::Leftover>,
    alarm: Option<Timestamp>,

    callers: LiteMap<CallerId, Wants>,
    flights: LiteMap<CallId, Flight>,
    calls: u64,
    /// A rotation whose KV put has been started: until it is saved, storage is not touched.
    escrow: Option<refresh::Escrow>,
    /// What came in meanwhile.
    held: VecDeque<Event>,
    refreshing: refresh::Refreshing,
    /// How often a refused parent token has made for a rotation.
    refusals: Window,
    /// The generation whose access token has worked last.
    worked_generation: Option<u64>,
    refused_at: LiteMap<ChildKey, Timestamp>,
    /// Exchanges that Box could not do, to be tried again.
    retries: LiteMap<ChildKey, plan::Retry>,
    /// What is to be tried a second time, and was counted the first time.
    counted: Vec<ChildKey>,
    revokes_left: u32,
}

impl Keeper {
    /// A keeper as its storage says. `alarm` is what the storage has set.
    ///
    /// # Errors
    /// [`Unreadable`] when a record is not of this release's form; it must stay untouched.
    pub fn load(
        name: KeeperName,
        settings: Rc<Settings>,
        records: &[Record],
        alarm: Option<Timestamp>,
    ) -> Result<Self, Unreadable> {
        let mut keeper = Self {
            name,
            settings,
            row: None,
            secret: None,
            grant: None,
            sealed_children: LiteMap::new(),
            children: LiteMap::new(),
            outbox: LiteMap::new(),
            outbox_numbers: 0,
            unclaimed: None,
            leftover: None,
            alarm,
            callers: LiteMap::new(),
            flights: LiteMap::new(),
            calls: 0,
            escrow: None,
            held: VecDeque::new(),
            refreshing: refresh::Refreshing::default(),
            refusals: Window { from: Timestamp::from_millis(0), count: 0 },
            worked_generation: None,
            refused_at: LiteMap::new(),
            retries: LiteMap::new(),
            counted: Vec::new(),
            revokes_left: plan::REVOKES_PER_ALARM,
        };
        for record in records {
            match record.kind {
                Kind::Session => keeper.row = Some(Row::decode(&record.body)?),
                Kind::Child => {
                    let key = ChildKey::parse(&record.name).ok_or(Unreadable::Form)?;
                    keeper.sealed_children.insert(key, SealedToken::decode(&record.body)?);
                }
                Kind::Outbox => {
                    let number = record.name.parse().map_err(|_| Unreadable::Form)?;
                    keeper.outbox_numbers = keeper.outbox_numbers.max(number);
                    keeper.outbox.insert(number, OutboxRow::decode(&record.body)?);
                }
            }
        }
        keeper.refreshing.begin(keeper.row.as_ref());
        Ok(keeper)
    }

    /// Whether a rotation is on its way to KV: then storage must not even be read.
    #[must_use]
    pub const fn must_not_touch_storage(&self) -> bool {
        self.escrow.is_some()
    }

    /// A name for logs: keyed, short, and of no use for finding the keeper.
    #[must_use]
    pub fn log_name(&self) -> String {
        let keys = &self.settings.seal_keys;
        let tag = keys.tag(keys.sealing_id(), "log", self.name.as_str().as_bytes()).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(tag).chars().take(8).collect()
    }

    /// Takes one event and says what follows from it.
    pub fn step(&mut self, event: Event, now: Timestamp, entropy: Entropy) -> Vec<Effect> {
        let mut turn = Turn::new(now, entropy);
        self.take(event, &mut turn);
        while self.escrow.is_none() {
            let Some(event) = self.held.pop_front() else { break };
            self.take(event, &mut turn);
        }
        if self.escrow.is_none() {
            self.pump(&mut turn);
            self.settle(&mut turn);
        }
        turn.into_effects()
    }

    fn take(&mut self, event: Event, turn: &mut Turn) {
        let waits_for_escrow = !matches!(event, Event::KvWrote(..) | Event::Waited(_));
        if self.escrow.is_some() && waits_for_escrow {
            match event {
                Event::Called(caller, _) if self.held.len() + self.callers.len() >= plan::CALLERS_MAX => {
                    turn.reply(caller, Reply::Fault(TOO_MANY_CALLERS));
                }
                event => self.held.push_back(event),
            }
            return;
        }
        match event {
            Event::Called(caller, message) => self.called(caller, message, turn),
            Event::BoxAnswered(call, answer) => self.box_answered(call, answer, turn),
            Event::KvWrote(call, wrote) => self.kv_wrote(call, wrote, turn),
            Event::KvRead(call, value) => self.kv_read(call, value, turn),
            Event::Waited(Timer::Caller(caller)) => self.give_up(caller, turn),
            Event::Waited(Timer::Escrow(call)) => self.escrow_waited(call, turn),
            // The pump that follows tries again what is due.
            Event::Waited(Timer::Retry) => {}
            Event::Alarm => self.alarmed(turn),
        }
    }

    fn called(&mut self, caller: CallerId, message: Message, turn: &mut Turn) {
        let Message { secret, ask } = message;
        match self.admit(&secret, turn) {
            Admission::Never => match ask {
                Ask::Open { code, verifier } => self.open(caller, secret, &code, &verifier, turn),
                ask => self.restore(caller, secret, ask, turn),
            },
            Admission::In => self.ask(caller, ask, turn),
            Admission::Refused(_) if matches!(ask, Ask::Open { .. }) => {
                turn.reply(caller, Reply::AlreadyOpened)
            }
            Admission::Refused(reply) => turn.reply(caller, reply),
        }
    }

    /// An admitted caller's wish.
    fn ask(&mut self, caller: CallerId, ask: Ask, turn: &mut Turn) {
        match ask {
            Ask::Open { .. } => turn.reply(caller, Reply::AlreadyOpened),
            Ask::Session => {
                let reply = self.session_view().map_or(Reply::Unopened, Reply::Session);
                turn.reply(caller, reply);
            }
            Ask::Close(end) => {
                self.end(end, turn);
                turn.reply(caller, Reply::Closed);
            }
            Ask::Tokens(ask) => {
                let wanted = self.tokens_wanted(ask, turn);
                self.wait(caller, Wants::Tokens(wanted), turn);
            }
            Ask::Items { folder, page } => {
                let wanted = browse::ItemsWanted::new(folder, page);
                self.wait(caller, Wants::Items(wanted), turn);
            }
        }
    }

    /// Who comes in: only the browser whose secret opened this session, while it lasts.
    fn admit(&mut self, secret: &SessionSecret, turn: &mut Turn) -> Admission {
        let Some(row) = &self.row else { return Admission::Never };
        if !row.belongs_to(&secret.hash()) {
            return Admission::Refused(Reply::Unopened);
        }
        match row.status {
            Status::Opening => return Admission::Refused(Reply::Unopened),
            Status::Ended => return Admission::Refused(Reply::Ended(row.end.unwrap_or(End::SignedOut))),
            Status::Open => {}
        }
        if let Err(why) = self.unlock(secret) {
            turn.log(Act::unreadable(why));
            return Admission::Refused(Reply::Fault(KeeperFault::Misconfigured));
        }
        if let Some(end) = self.limit_reached(turn.now) {
            self.end(end, turn);
            return Admission::Refused(Reply::Ended(end));
        }
        self.seen(turn);
        Admission::In
    }

    /// Opens the grant and the children, once per instance.
    fn unlock(&mut self, secret: &SessionSecret) -> Result<(), Unreadable> {
        let Some(row) = &self.row else { return Err(Unreadable::Form) };
        if self.grant.is_none() {
            let sealed = row.grant.as_ref().ok_or(Unreadable::Form)?;
            self.grant = Some(self.open_grant(sealed, row.generation, secret)?);
            self.secret = Some(secret.clone());
            self.unlock_children(secret);
        }
        Ok(())
    }

    fn open_grant(
        &self,
        sealed: &SealedText,
        generation: u64,
        secret: &SessionSecret,
    ) -> Result<Grant, Unreadable> {
        let place = self.place(Purpose::Grant, generation, "");
        let opened = self.settings.seal_keys.open(&place, Some(secret), &sealed.bytes()?);
        Grant::decode(&opened?)
    }

    fn seal_grant(&self, grant: &Grant, generation: u64, turn: &mut Turn) -> Option<SealedText> {
        self.seal(Purpose::Grant, generation, "", &grant.encode(), turn)
            .map(|sealed| SealedText::new(&sealed))
    }

    /// Seals for the session. `None` without its secret: nothing of a session is ever sealed under less.
    fn seal(
        &self,
        purpose: Purpose,
        generation: u64,
        detail: &str,
        plaintext: &str,
        turn: &mut Turn,
    ) -> Option<Vec<u8>> {
        let secret = Some(self.secret.as_ref()?);
        let place = self.place(purpose, generation, detail);
        Some(self.settings.seal_keys.seal(&place, secret, turn.entropy.draw(), plaintext.as_bytes()))
    }

    fn place<'a>(&'a self, purpose: Purpose, generation: u64, detail: &'a str) -> Place<'a> {
        Place {
            purpose,
            keeper: self.name.as_str(),
            generation,
            client_id: &self.settings.app.client_id,
            detail,
        }
    }

    fn limit_reached(&self, now: Timestamp) -> Option<End> {
        let row = self.row.as_ref().filter(|row| row.status == Status::Open)?;
        if now >= row.expires_at {
            return Some(End::Expired);
        }
        (now >= row.seen_at.plus(self.settings.session_idle)).then_some(End::Idle)
    }

    /// Notes the use of the session, coarsely: not a write for each request.
    fn seen(&mut self, turn: &mut Turn) {
        let grain = plan::seen_grain(self.settings.session_idle);
        if let Some(row) = &mut self.row
            && turn.now >= row.seen_at.plus(grain)
        {
            row.seen_at = turn.now;
            turn.row_changed = true;
            if let Some(grant) = &mut self.grant {
                grant.seen_at = turn.now;
            }
            // The copy is judged by its sealed times: it must not look idle when the object is lost.
            self.reseal(turn);
            self.owe_copy(turn);
        }
    }

    fn session_view(&self) -> Option<message::SessionView> {
        let (row, grant) = (self.row.as_ref()?, self.grant.as_ref()?);
        Some(message::SessionView { user: grant.user.clone(), expires_at: row.expires_at })
    }

    fn wait(&mut self, caller: CallerId, wants: Wants, turn: &mut Turn) {
        self.callers.insert(caller, wants);
        turn.arrived.push(caller);
    }

    /// A caller's time is up. What was started for it goes on.
    fn give_up(&mut self, caller: CallerId, turn: &mut Turn) {
        if let Some(wants) = self.callers.remove(&caller) {
            let open = self.row.as_ref().is_some_and(|row| row.status == Status::Open);
            if open && matches!(wants, Wants::Opening) {
                // The pair is saved; only the name is missing.
                return self.opened(caller, turn);
            }
            let reply = match wants {
                Wants::Tokens(wanted) => {
                    Reply::Tokens(wanted.with_rest(KeeperFault::Busy { retry_after: 2 }))
                }
                _ => Reply::Fault(KeeperFault::Busy { retry_after: 2 }),
            };
            turn.reply(caller, reply);
        }
    }

    fn box_answered(&mut self, call: CallId, answer: Result<BoxAnswer, Unreachable>, turn: &mut Turn) {
        match self.flights.remove(&call) {
            Some(Flight::Code { caller, asked_at }) => self.code_answered(caller, asked_at, answer, turn),
            Some(Flight::User { caller }) => self.user_answered(caller, answer, turn),
            Some(Flight::Refresh(asked)) => self.refresh_answered(asked, answer, turn),
            Some(Flight::Mint { key, generation, asked_at }) => {
                self.mint_answered(key, generation, asked_at, answer, turn);
            }
            Some(Flight::Browse { caller, generation }) => {
                self.browse_answered(caller, generation, answer, turn)
            }
            Some(Flight::Revoke { number }) => self.revoke_answered(number, answer, turn),
            Some(Flight::CopyGrant { .. } | Flight::DeleteCopy | Flight::ReadCopy) | None => {}
        }
    }

    fn take_off(&mut self, flight: Flight) -> CallId {
        self.calls = self.calls.saturating_add(1);
        let call = CallId(self.calls);
        self.flights.insert(call, flight);
        call
    }

    fn ask_box(&mut self, flight: Flight, request: BoxRequest, turn: &mut Turn) {
        let limit = match flight {
            Flight::User { .. } => plan::USER_LIMIT,
            Flight::Browse { .. } => plan::BROWSE_LIMIT,
            _ => plan::EXCHANGE_LIMIT,
        };
        let call = self.take_off(flight);
        turn.then.push(Effect::AskBox { call, request: Box::new(request), limit });
    }

    /// Lets everybody who waits go as far as they can.
    fn pump(&mut self, turn: &mut Turn) {
        if self.row.as_ref().is_some_and(|row| row.status == Status::Open) && self.grant.is_some() {
            self.pump_tokens(turn);
            self.pump_items(turn);
            self.pump_refresh(turn);
        }
        self.pump_outbox(turn);
    }

    /// Ends a step: the row if it changed, the alarm if it moved, and a limit for each caller that still waits.
    fn settle(&mut self, turn: &mut Turn) {
        if turn.row_changed
            && let Some(row) = &self.row
        {
            let record = Record { kind: Kind::Session, name: String::new(), body: row.encode() };
            turn.changes.push(Change::Put(record));
        }
        let due = self.next_due(turn.now);
        if due != self.alarm && !turn.forgotten {
            self.alarm = due;
            turn.changes.push(Change::Alarm(due));
        }
        for caller in core::mem::take(&mut turn.arrived) {
            // Who could be served at once did not wait; what was started for whom is sent away goes on.
            if self.callers.len() > plan::CALLERS_MAX && self.callers.remove(&caller).is_some() {
                turn.reply(caller, Reply::Fault(TOO_MANY_CALLERS));
            }
            if self.callers.contains_key(&caller) {
                turn.then.push(Effect::Wait(Timer::Caller(caller), plan::CALLER_LIMIT));
            }
        }
    }
}

/// What callers are told once enough of them wait.
const TOO_MANY_CALLERS: KeeperFault = KeeperFault::RateLimited { retry_after: 2 };

/// Whether a caller comes in.
enum Admission {
    /// Nothing was ever opened here, as far as storage knows.
    Never,
    /// Yes.
    In,
    /// No, with the answer.
    Refused(Reply),
}

/// One step under way: its time, its entropy, and what it leads to. Changes are written in one block before
/// anything else happens.
struct Turn {
    now: Timestamp,
    entropy: Entropy,
    row_changed: bool,
    forgotten: bool,
    changes: Vec<Change>,
    then: Vec<Effect>,
    arrived: Vec<CallerId>,
}

impl Turn {
    const fn new(now: Timestamp, entropy: Entropy) -> Self {
        Self {
            now,
            entropy,
            row_changed: false,
            forgotten: false,
            changes: Vec::new(),
            then: Vec::new(),
            arrived: Vec::new(),
        }
    }

    fn reply(&mut self, caller: CallerId, reply: Reply) {
        self.then.push(Effect::Reply(caller, reply));
    }

    /// Comes back to it when it is due.
    fn retry(&mut self, retry: plan::Retry) {
        self.then.push(Effect::Wait(Timer::Retry, self.now.until(retry.at)));
    }

    fn log(&mut self, act: Act) {
        self.then.push(Effect::Log(act));
    }

    fn into_effects(self) -> Vec<Effect> {
        let write = (!self.changes.is_empty()).then_some(Effect::Write(self.changes));
        write.into_iter().chain(self.then).collect()
    }
}
