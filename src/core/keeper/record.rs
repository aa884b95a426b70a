//! What a keeper stores, and in which form. Formats are pinned by literal tests: a change needs a new version and
//! a way to read the old one.
//!
//! One table, `record(kind, name, body)`, with JSON bodies:
//!
//! | kind | name | body |
//! | --- | --- | --- |
//! | `session` | empty | status, times, generation, the sealed grant, what is owed |
//! | `child` | `file_1 base_preview item_preview` | a narrowed token, sealed under the session |
//! | `outbox` | a number | a token still to be revoked, sealed under the master key alone |
//!
//! The KV copy of a grant is the sealed grant with its generation.

use core::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::{message::End, plan};
use crate::{
    box_api::{self, User},
    item::{Item, Scopes},
    json::Object,
    seal::{KeyId, OpenFault},
    secret::{ChildToken, Digest, ParentToken, RefreshToken},
    time::Timestamp,
};

/// The version of these forms.
const VERSION: u8 = 1;

/// Which kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The one row of the session.
    Session,
    /// A narrowed token.
    Child,
    /// A token to be revoked.
    Outbox,
}

impl Kind {
    /// As stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Child => "child",
            Self::Outbox => "outbox",
        }
    }

    /// Reads what [`Self::name`] wrote.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Session, Self::Child, Self::Outbox].into_iter().find(|kind| kind.name() == name)
    }
}

/// A record as it lies in the object's storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its kind.
    pub kind: Kind,
    /// Its name within the kind.
    pub name: String,
    /// Its JSON.
    pub body: String,
}

/// Why a stored record cannot be read. It stays untouched, and no session ends for it: an operator has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Of a later release, or damaged.
    #[error("a stored record does not parse")]
    Form,
    /// It does not open.
    #[error(transparent)]
    Sealed(#[from] OpenFault),
}

impl Unreadable {
    /// The key that is missing from `SEAL_KEYS`, if that is why.
    #[must_use]
    pub const fn missing_key(self) -> Option<KeyId> {
        match self {
            Self::Sealed(OpenFault::UnknownKey(key)) => Some(key),
            _ => None,
        }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// Its code is being redeemed, or was refused.
    Opening,
    /// It serves.
    Open,
    /// It is over: this row is the tombstone.
    Ended,
}

impl Status {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "opening" => Self::Opening,
            "open" => Self::Open,
            "ended" => Self::Ended,
            _ => return None,
        })
    }
}

/// The one row of a session. Times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    v: u8,
    pub(super) status: Status,
    /// SHA-256 of the session secret, hexadecimal.
    secret: String,
    pub(super) opened_at: Timestamp,
    /// The absolute limit, fixed at opening.
    pub(super) expires_at: Timestamp,
    /// When it was last used, coarsely: see `plan::seen_grain`.
    pub(super) seen_at: Timestamp,
    /// Of the sealed grant.
    pub(super) generation: u64,
    /// The grant, sealed under the session secret.
    pub(super) grant: Option<SealedText>,
    /// A refresh that was started and not settled.
    pub(super) attempt: Option<Attempt>,
    /// What KV is owed.
    pub(super) kv: Option<Debt>,
    pub(super) quota: Quota,
    /// What Box said of when to come again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pause: Option<Pause>,
    /// Why it ended.
    pub(super) end: Option<End>,
}

/// A refresh under way. Its generation was never used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Attempt {
    pub(super) generation: u64,
    /// When its answer can no longer arrive.
    pub(super) deadline: Timestamp,
}

impl Attempt {
    fn read(form: &Object) -> Option<Self> {
        Some(Self { generation: form.number("generation")?, deadline: form.time("deadline")? })
    }
}

/// Box is not asked before this time, also not by an instance after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Pause {
    pub(super) until: Timestamp,
    /// It said that it is down, and not that it is asked too often.
    pub(super) down: bool,
}

impl Pause {
    fn read(mut form: Object) -> Option<Self> {
        Some(Self { until: form.time("until")?, down: form.take("down")?.as_bool()? })
    }
}

/// A KV call that has not been confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Debt {
    pub(super) what: Owed,
    pub(super) due: Timestamp,
    pub(super) tries: u32,
}

impl Debt {
    /// Due before long: whoever owes it is about to try at once.
    pub(super) fn new(what: Owed, now: Timestamp) -> Self {
        Self { what, due: now.plus(plan::backoff(0)), tries: 0 }
    }

    fn read(mut form: Object) -> Option<Self> {
        let what = match form.text("what")?.as_str() {
            "put" => Owed::Put,
            "delete" => Owed::Delete,
            _ => return None,
        };
        Some(Self { what, due: form.time("due")?, tries: form.count("tries")? })
    }
}

/// What KV is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Owed {
    Put,
    Delete,
}

/// How many new items were asked for, in the minute and the day that began at these times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Quota {
    pub(super) minute: Window,
    pub(super) day: Window,
}

/// A span of time, by its beginning, and what was counted in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) count: u32,
}

impl Quota {
    fn read(mut form: Object) -> Option<Self> {
        let window = |form: Object| Some(Window { from: form.time("from")?, count: form.count("count")? });
        Some(Self { minute: window(form.object("minute")?)?, day: window(form.object("day")?)? })
    }
}

/// Sealed bytes as base64url, so that they can lie in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct SealedText(String);

impl SealedText {
    pub(crate) fn new(sealed: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(sealed))
    }

    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Unreadable> {
        URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| Unreadable::Form)
    }
}

impl Row {
    pub(super) fn opening(secret: &Digest, now: Timestamp, expires_at: Timestamp) -> Self {
        Self {
            v: VERSION,
            status: Status::Opening,
            secret: secret.hex(),
            opened_at: now,
            expires_at,
            seen_at: now,
            generation: 0,
            grant: None,
            attempt: None,
            kv: None,
            quota: Quota { minute: Window { from: now, count: 0 }, day: Window { from: now, count: 0 } },
            pause: None,
            end: None,
        }
    }

    pub(super) fn belongs_to(&self, secret: &Digest) -> bool {
        Digest::parse_hex(&self.secret).is_some_and(|stored| stored.same(secret))
    }

    /// A generation that no attempt has used.
    pub(super) fn next_generation(&self) -> u64 {
        self.attempt
            .map_or(self.generation, |attempt| attempt.generation.max(self.generation))
            .saturating_add(1)
    }

    pub(super) fn encode(&self) -> String {
        encoded(self)
    }

    pub(super) fn decode(body: &str) -> Result<Self, Unreadable> {
        Self::read(object(body.as_bytes())?).ok_or(Unreadable::Form)
    }

    fn read(mut body: Object) -> Option<Self> {
        Some(Self {
            v: VERSION,
            status: Status::parse(&body.text("status")?)?,
            secret: body.text("secret")?,
            opened_at: body.time("opened_at")?,
            expires_at: body.time("expires_at")?,
            seen_at: body.time("seen_at")?,
            generation: body.number("generation")?,
            grant: body.optional("grant", Object::text)?.map(SealedText),
            attempt: body.optional("attempt", |body, name| Attempt::read(&body.object(name)?))?,
            kv: body.optional("kv", |body, name| Debt::read(body.object(name)?))?,
            quota: Quota::read(body.object("quota")?)?,
            pause: body.optional("pause", |body, name| Pause::read(body.object(name)?))?,
            end: body.optional("end", |body, name| End::parse(&body.text(name)?))?,
        })
    }
}

/// What is inside the seal of a grant.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) access: ParentToken,
    pub(super) access_expires_at: Timestamp,
    pub(super) access_life: Duration,
    pub(super) refresh: RefreshToken,
    /// The refresh token before this one, until the access token has worked once: till then Box may still bring
    /// the same pair for it.
    pub(super) previous: Option<RefreshToken>,
    pub(super) opened_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) seen_at: Timestamp,
    pub(super) user: Option<User>,
}

#[derive(Serialize)]
struct GrantForm {
    access: String,
    access_expires_at: Timestamp,
    access_life_ms: u64,
    refresh: String,
    previous: Option<String>,
    opened_at: Timestamp,
    expires_at: Timestamp,
    seen_at: Timestamp,
    user: Option<User>,
}

impl Grant {
    pub(super) fn encode(&self) -> String {
        encoded(&GrantForm {
            access: self.access.expose().to_owned(),
            access_expires_at: self.access_expires_at,
            access_life_ms: millis(self.access_life),
            refresh: self.refresh.expose().to_owned(),
            previous: self.previous.as_ref().map(|token| token.expose().to_owned()),
            opened_at: self.opened_at,
            expires_at: self.expires_at,
            seen_at: self.seen_at,
            user: self.user.clone(),
        })
    }

    pub(super) fn decode(plaintext: &[u8]) -> Result<Self, Unreadable> {
        Object::parse(plaintext).and_then(Self::read).ok_or(Unreadable::Form)
    }

    fn read(mut form: Object) -> Option<Self> {
        Some(Self {
            access: ParentToken::new(form.text("access")?),
            access_expires_at: form.time("access_expires_at")?,
            access_life: Duration::from_millis(form.number("access_life_ms")?),
            refresh: RefreshToken::new(form.text("refresh")?),
            previous: form.optional("previous", Object::text)?.map(RefreshToken::new),
            opened_at: form.time("opened_at")?,
            expires_at: form.time("expires_at")?,
            seen_at: form.time("seen_at")?,
            user: form.optional("user", |form, name| User::read(form.object(name)?))?,
        })
    }
}

/// The KV copy of a sealed grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Copy {
    v: u8,
    pub(crate) generation: u64,
    pub(crate) grant: SealedText,
}

impl Copy {
    pub(crate) const fn new(generation: u64, grant: SealedText) -> Self {
        Self { v: VERSION, generation, grant }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        encoded(self).into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut form = object(bytes)?;
        let mut read = || Some(Self::new(form.number("generation")?, SealedText(form.text("grant")?)));
        read().ok_or(Unreadable::Form)
    }
}

/// What a narrowed token is for: the item and the scopes that were asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ChildKey {
    pub(super) item: Item,
    pub(super) scopes: Scopes,
}

impl ChildKey {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.item, self.scopes)
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let (item, scopes) = name.split_once(' ')?;
        Some(Self { item: Item::parse(item)?, scopes: Scopes::parse(scopes).ok()? })
    }
}

/// The stored form of a sealed child or outbox token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct SealedToken {
    v: u8,
    pub(super) sealed: SealedText,
    /// When the token has ended by itself.
    pub(super) expires_at: Timestamp,
}

impl SealedToken {
    pub(super) fn new(sealed: &[u8], expires_at: Timestamp) -> Self {
        Self { v: VERSION, sealed: SealedText::new(sealed), expires_at }
    }

    pub(super) fn encode(&self) -> String {
        encoded(self)
    }

    pub(super) fn decode(body: &str) -> Result<Self, Unreadable> {
        Self::read(object(body.as_bytes())?).ok_or(Unreadable::Form)
    }

    fn read(mut form: Object) -> Option<Self> {
        let expires_at = form.time("expires_at")?;
        Some(Self { v: VERSION, sealed: SealedText(form.text("sealed")?), expires_at })
    }
}

#[derive(Serialize)]
struct ChildForm {
    token: String,
    scopes: String,
    expires_at: Timestamp,
    life_ms: u64,
}

/// What is inside the seal of a child.
pub(super) fn encode_child(child: &box_api::Child) -> String {
    encoded(&ChildForm {
        token: child.token.expose().to_owned(),
        scopes: child.scopes.to_string(),
        expires_at: child.expires_at,
        life_ms: millis(child.life),
    })
}

pub(super) fn decode_child(plaintext: &[u8]) -> Result<box_api::Child, Unreadable> {
    Object::parse(plaintext).and_then(read_child).ok_or(Unreadable::Form)
}

fn read_child(mut form: Object) -> Option<box_api::Child> {
    Some(box_api::Child {
        token: ChildToken::new(form.text("token")?),
        scopes: Scopes::parse(&form.text("scopes")?).ok()?,
        expires_at: form.time("expires_at")?,
        life: Duration::from_millis(form.number("life_ms")?),
    })
}

/// A token to be revoked, and how far that has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct OutboxRow {
    v: u8,
    pub(super) token: SealedToken,
    pub(super) due: Timestamp,
    pub(super) tries: u32,
    /// A pair waits until each child has been tried.
    pub(super) pair: bool,
}

impl OutboxRow {
    pub(super) const fn new(token: SealedToken, due: Timestamp, pair: bool) -> Self {
        Self { v: VERSION, token, due, tries: 0, pair }
    }

    pub(super) fn encode(&self) -> String {
        encoded(self)
    }

    pub(super) fn decode(body: &str) -> Result<Self, Unreadable> {
        Self::read(object(body.as_bytes())?).ok_or(Unreadable::Form)
    }

    fn read(mut body: Object) -> Option<Self> {
        let token = SealedToken::read(body.object("token")?)?;
        let (due, tries) = (body.time("due")?, body.count("tries")?);
        Some(Self { v: VERSION, token, due, tries, pair: body.take("pair")?.as_bool()? })
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// These forms have string keys and no floats, so they always serialise; an empty body would be unreadable.
fn encoded<T: Serialize>(form: &T) -> String {
    serde_json::to_string(form).unwrap_or_default()
}

/// An object of this version.
fn object(bytes: &[u8]) -> Result<Object, Unreadable> {
    Object::parse(bytes)
        .filter(|object| object.number("v") == Some(u64::from(VERSION)))
        .ok_or(Unreadable::Form)
}
