//! What the Worker and a keeper say to each other: JSON with a version, so that during a deploy, when both
//! releases run, the newer one is told apart instead of being misread.

use litemap::LiteMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::{
    box_api::{Page, PageAsk, User},
    item::{Item, Scopes},
    json::Object,
    secret::{AuthorizationCode, ChildToken, Digest, PkceVerifier, SessionSecret},
    time::Timestamp,
};

/// The version of this form. A keeper or Worker that reads another answers [`Reply::Skewed`].
pub const VERSION: u8 = 1;

/// What a caller wants, with the secret of its cookie.
#[derive(Clone, Debug)]
pub struct Message {
    /// From the browser's cookie; for [`Ask::Open`] the one it is about to get.
    pub secret: SessionSecret,
    /// What is wanted.
    pub ask: Ask,
}

/// What can be asked of a keeper.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Redeem this code and open the session. A keeper opens once.
    Open {
        /// Box's code.
        code: AuthorizationCode,
        /// PKCE's verifier.
        verifier: PkceVerifier,
    },
    /// Who is signed in, and until when.
    Session,
    /// A narrowed token for each item.
    Tokens(TokensAsk),
    /// A page of a folder.
    Items {
        /// The folder.
        folder: Item,
        /// Which page.
        page: PageAsk,
    },
    /// End the session now.
    Close(End),
}

/// Which tokens.
#[derive(Clone, Debug)]
pub struct TokensAsk {
    /// The items; within policy, each once.
    pub items: Vec<Item>,
    /// The scopes; within policy.
    pub scopes: Scopes,
    /// Hashes of tokens that Box rejected.
    pub refused: Vec<Digest>,
}

/// Why a session ended. The word is shown to the page, which says it in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its person signed out.
    SignedOut,
    /// Not used for the idle limit.
    Idle,
    /// The absolute limit is reached.
    Expired,
    /// Box says that the grant is no more.
    Revoked,
    /// Its object was lost, and the copy in KV is older than what Box gave last: its refresh token has been used.
    Superseded,
    /// An exchange was cut off and its answer is lost (ARCHITECTURE.md, the one window).
    RotationLost,
    /// The same browser signed in anew.
    Replaced,
}

impl End {
    const ALL: [Self; 7] = [
        Self::SignedOut,
        Self::Idle,
        Self::Expired,
        Self::Revoked,
        Self::Superseded,
        Self::RotationLost,
        Self::Replaced,
    ];

    /// The word for records, logs and pages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Idle => "idle",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
            Self::RotationLost => "rotation_lost",
            Self::Replaced => "replaced",
        }
    }

    /// Reads what [`Self::word`] wrote.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.word() == word)
    }
}

impl Serialize for End {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

/// What a keeper answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// To [`Ask::Open`] and [`Ask::Session`].
    Session(SessionView),
    /// To [`Ask::Open`]: this keeper was opened before.
    AlreadyOpened,
    /// To [`Ask::Tokens`]: one answer for each item asked.
    Tokens(LiteMap<Item, TokenAnswer>),
    /// To [`Ask::Items`].
    Items(Page),
    /// To [`Ask::Close`].
    Closed,
    /// There is no session here: never opened, or not with this secret.
    Unopened,
    /// The session ended.
    Ended(End),
    /// It could not be done; nothing is lost.
    Fault(KeeperFault),
    /// The other side speaks another version: a deploy is under way.
    Skewed,
}

/// Who is signed in, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// The person; unknown if Box did not say at the time.
    pub user: Option<User>,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
}

/// An item's token, or why there is none.
pub type TokenAnswer = Result<HandedToken, KeeperFault>;

/// A narrowed token on its way to a browser.
#[derive(Clone, Debug)]
pub struct HandedToken {
    /// The token.
    pub token: ChildToken,
    /// Its scopes.
    pub scopes: Scopes,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Why a keeper could not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeeperFault {
    /// Box refused the code.
    CodeRefused,
    /// Box knows no such item for this user.
    ItemNotFound,
    /// Box does not let this app or user have a token for it.
    Forbidden,
    /// Box's token was wider than asked; it was thrown away.
    TokenTooWide,
    /// Box is down, slow, or made no sense.
    BoxUnavailable {
        /// When to ask again, seconds from now.
        retry_after: u64,
    },
    /// Box or our own limits say: slower.
    RateLimited {
        /// When to ask again, seconds from now.
        retry_after: u64,
    },
    /// It is taking longer than a caller waits; it goes on.
    Busy {
        /// When to ask again, seconds from now.
        retry_after: u64,
    },
    /// A cut-off exchange is being cleared up.
    Recovering {
        /// When to ask again, seconds from now.
        retry_after: u64,
    },
    /// A sealed record does not open with the keys at hand, or the app is not the one configured: an operator must look.
    Misconfigured,
}

/// JSON of [`Message`]: `{"v":1,"secret":"…","ask":{"tokens":{"items":["file_1"],"scopes":"…","refused":["…"]}}}`.
#[derive(Serialize)]
struct MessageForm {
    v: u8,
    secret: String,
    ask: AskForm,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum AskForm {
    Open { code: String, verifier: String },
    Session,
    Tokens { items: Vec<String>, scopes: String, refused: Vec<String> },
    Items { folder: String, page: PageAsk },
    Close(End),
}

/// JSON of [`Reply`]: `{"v":1,"reply":"closed"}`, `{"v":1,"reply":{"tokens":[["file_1",{"fault":"forbidden"}]]}}`.
#[derive(Serialize)]
struct VersionedReply {
    v: u8,
    reply: ReplyForm,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ReplyForm {
    Session(SessionView),
    AlreadyOpened,
    Tokens(Vec<(String, TokenForm)>),
    Items(Page),
    Closed,
    Unopened,
    Ended(End),
    Fault(KeeperFault),
    Skewed,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum TokenForm {
    Token { token: String, scopes: String, expires_at: Timestamp },
    Fault(KeeperFault),
}

/// The other side's bytes are not of this form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message between Worker and keeper does not parse")]
pub struct Garbled;

impl Message {
    /// As bytes for the keeper.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let ask = match &self.ask {
            Ask::Open { code, verifier } => {
                AskForm::Open { code: code.expose().to_owned(), verifier: verifier.expose().to_owned() }
            }
            Ask::Session => AskForm::Session,
            Ask::Tokens(ask) => AskForm::Tokens {
                items: ask.items.iter().map(Item::to_string).collect(),
                scopes: ask.scopes.to_string(),
                refused: ask.refused.iter().map(Digest::hex).collect(),
            },
            Ask::Items { folder, page } => AskForm::Items { folder: folder.to_string(), page: *page },
            Ask::Close(end) => AskForm::Close(*end),
        };
        encoded(&MessageForm { v: VERSION, secret: self.secret.expose_text(), ask })
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`Garbled`], also for another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, Garbled> {
        let mut form = Object::parse(bytes).ok_or(Garbled)?;
        if form.number("v") != Some(u64::from(VERSION)) {
            return Err(Garbled);
        }
        let secret = form.text("secret").and_then(|secret| SessionSecret::parse(&secret)).ok_or(Garbled)?;
        let ask = form.take("ask").and_then(read_ask).ok_or(Garbled)?;
        Ok(Self { secret, ask })
    }
}

fn read_ask(ask: Value) -> Option<Ask> {
    let (name, content) = variant(ask)?;
    Some(match (name.as_str(), content) {
        ("session", Value::Null) => Ask::Session,
        ("close", Value::String(end)) => Ask::Close(End::parse(&end)?),
        ("open", content) => {
            let mut form = Object::of(content)?;
            Ask::Open {
                code: AuthorizationCode::new(form.text("code")?),
                verifier: PkceVerifier::new(form.text("verifier")?),
            }
        }
        ("tokens", content) => Ask::Tokens(read_tokens_ask(Object::of(content)?)?),
        ("items", content) => {
            let mut form = Object::of(content)?;
            let folder = Item::parse(&form.text("folder")?)?;
            Ask::Items { folder, page: PageAsk::read(&form.object("page")?)? }
        }
        _ => return None,
    })
}

fn read_tokens_ask(mut form: Object) -> Option<TokensAsk> {
    Some(TokensAsk {
        items: form.texts("items")?.iter().map(|item| Item::parse(item)).collect::<Option<_>>()?,
        scopes: Scopes::parse(&form.text("scopes")?).ok()?,
        refused: form.texts("refused")?.iter().map(|hash| Digest::parse_hex(hash)).collect::<Option<_>>()?,
    })
}

/// A variant as serde writes it: its name alone, or an object with its content under its name.
fn variant(value: Value) -> Option<(String, Value)> {
    match value {
        Value::String(name) => Some((name, Value::Null)),
        Value::Object(form) => form.into_iter().next(),
        _ => None,
    }
}

impl Reply {
    /// As bytes for the Worker.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let reply = match self {
            Self::Session(session) => ReplyForm::Session(session.clone()),
            Self::AlreadyOpened => ReplyForm::AlreadyOpened,
            Self::Tokens(tokens) => ReplyForm::Tokens(
                tokens.iter().map(|(item, answer)| (item.to_string(), token_form(answer))).collect(),
            ),
            Self::Items(page) => ReplyForm::Items(page.clone()),
            Self::Closed => ReplyForm::Closed,
            Self::Unopened => ReplyForm::Unopened,
            Self::Ended(end) => ReplyForm::Ended(*end),
            Self::Fault(fault) => ReplyForm::Fault(*fault),
            Self::Skewed => ReplyForm::Skewed,
        };
        encoded(&VersionedReply { v: VERSION, reply })
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`Garbled`], also for another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, Garbled> {
        let mut form = Object::parse(bytes).ok_or(Garbled)?;
        if form.number("v") != Some(u64::from(VERSION)) {
            return Err(Garbled);
        }
        form.take("reply").and_then(read_reply).ok_or(Garbled)
    }
}

fn read_reply(reply: Value) -> Option<Reply> {
    let (name, content) = variant(reply)?;
    Some(match (name.as_str(), content) {
        ("already_opened", Value::Null) => Reply::AlreadyOpened,
        ("closed", Value::Null) => Reply::Closed,
        ("unopened", Value::Null) => Reply::Unopened,
        ("skewed", Value::Null) => Reply::Skewed,
        ("ended", Value::String(end)) => Reply::Ended(End::parse(&end)?),
        ("fault", content) => Reply::Fault(read_fault(content)?),
        ("items", content) => Reply::Items(Page::read(Object::of(content)?)?),
        ("session", content) => Reply::Session(read_session(Object::of(content)?)?),
        ("tokens", Value::Array(tokens)) => {
            let mut answers = LiteMap::new();
            for token in tokens {
                let (item, answer) = read_token(token)?;
                answers.insert(item, answer);
            }
            Reply::Tokens(answers)
        }
        _ => return None,
    })
}

fn read_session(mut form: Object) -> Option<SessionView> {
    let user = form.optional("user", |form, name| User::read(form.object(name)?))?;
    Some(SessionView { user, expires_at: form.time("expires_at")? })
}

fn read_token(pair: Value) -> Option<(Item, TokenAnswer)> {
    let Value::Array(pair) = pair else { return None };
    let [item, answer] = <[Value; 2]>::try_from(pair).ok()?;
    let (name, content) = variant(answer)?;
    let answer = match name.as_str() {
        "fault" => Err(read_fault(content)?),
        "token" => {
            let mut form = Object::of(content)?;
            Ok(HandedToken {
                token: ChildToken::new(form.text("token")?),
                scopes: Scopes::parse(&form.text("scopes")?).ok()?,
                expires_at: form.time("expires_at")?,
            })
        }
        _ => return None,
    };
    Some((Item::parse(item.as_str()?)?, answer))
}

fn read_fault(fault: Value) -> Option<KeeperFault> {
    let (name, content) = variant(fault)?;
    let retry_after = content.get("retry_after").and_then(Value::as_u64);
    Some(match name.as_str() {
        "code_refused" => KeeperFault::CodeRefused,
        "item_not_found" => KeeperFault::ItemNotFound,
        "forbidden" => KeeperFault::Forbidden,
        "token_too_wide" => KeeperFault::TokenTooWide,
        "misconfigured" => KeeperFault::Misconfigured,
        "box_unavailable" => KeeperFault::BoxUnavailable { retry_after: retry_after? },
        "rate_limited" => KeeperFault::RateLimited { retry_after: retry_after? },
        "busy" => KeeperFault::Busy { retry_after: retry_after? },
        "recovering" => KeeperFault::Recovering { retry_after: retry_after? },
        _ => return None,
    })
}

fn token_form(answer: &TokenAnswer) -> TokenForm {
    match answer {
        Ok(handed) => TokenForm::Token {
            token: handed.token.expose().to_owned(),
            scopes: handed.scopes.to_string(),
            expires_at: handed.expires_at,
        },
        Err(fault) => TokenForm::Fault(*fault),
    }
}

/// These forms have string keys and no floats, so they always serialise; an empty message would be refused as garbled.
fn encoded<T: Serialize>(form: &T) -> Vec<u8> {
    serde_json::to_vec(form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::box_api::Entry;

    fn secret() -> SessionSecret {
        SessionSecret::new([7; 32])
    }

    /// Both sides of a deploy speak this: a change needs a new version.
    #[test]
    fn the_message_form_is_pinned() {
        let ask = Ask::Tokens(TokensAsk {
            items: vec![Item::parse("file_1").unwrap()],
            scopes: Scopes::parse("item_preview").unwrap(),
            refused: vec![],
        });
        let bytes = Message { secret: secret(), ask }.encode();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            r#"{"v":1,"secret":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","ask":{"tokens":{"items":["file_1"],"scopes":"item_preview","refused":[]}}}"#
        );
        let fault = Err(KeeperFault::RateLimited { retry_after: 9 });
        let reply = Reply::Tokens([(Item::parse("file_1").unwrap(), fault)].into_iter().collect());
        assert_eq!(
            String::from_utf8(reply.encode()).unwrap(),
            r#"{"v":1,"reply":{"tokens":[["file_1",{"fault":{"rate_limited":{"retry_after":9}}}]]}}"#
        );
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let asks = [
            Ask::Open { code: AuthorizationCode::new("code"), verifier: PkceVerifier::new("v") },
            Ask::Session,
            Ask::Items { folder: Item::folder("0").unwrap(), page: PageAsk { offset: 3, limit: 4 } },
            Ask::Close(End::Replaced),
        ];
        for ask in asks {
            let bytes = Message { secret: secret(), ask }.encode();
            assert_eq!(Message::decode(&bytes).unwrap().encode(), bytes);
        }
        let user = Some(User { name: "R".into(), login: "r@example.com".into() });
        let session = SessionView { user, expires_at: Timestamp::from_millis(5) };
        let entry =
            Entry { kind: "file".into(), id: "1".into(), name: "n".into(), size: Some(2), modified_at: None };
        let page = Page { entries: vec![entry], offset: 1, limit: 2, total: 3 };
        let faults = [
            KeeperFault::CodeRefused,
            KeeperFault::ItemNotFound,
            KeeperFault::Forbidden,
            KeeperFault::TokenTooWide,
            KeeperFault::Misconfigured,
            KeeperFault::BoxUnavailable { retry_after: 1 },
            KeeperFault::RateLimited { retry_after: 2 },
            KeeperFault::Busy { retry_after: 3 },
            KeeperFault::Recovering { retry_after: 4 },
        ];
        let handed = HandedToken {
            token: ChildToken::new("t"),
            scopes: Scopes::parse("item_preview").unwrap(),
            expires_at: Timestamp::from_millis(6),
        };
        let tokens = [(Item::parse("file_1").unwrap(), Ok(handed))].into_iter().collect();
        let plain = [Reply::AlreadyOpened, Reply::Closed, Reply::Unopened, Reply::Skewed];
        let replies = [Reply::Session(session), Reply::Items(page), Reply::Tokens(tokens)]
            .into_iter()
            .chain(plain)
            .chain(End::ALL.map(Reply::Ended))
            .chain(faults.map(Reply::Fault));
        for reply in replies {
            let bytes = reply.encode();
            assert_eq!(Reply::decode(&bytes).unwrap().encode(), bytes);
        }
    }

    #[test]
    fn another_version_or_half_a_message_is_garbled() {
        let bytes = Message { secret: secret(), ask: Ask::Session }.encode();
        let text = String::from_utf8(bytes).unwrap();
        assert!(Message::decode(text.replace(r#""v":1"#, r#""v":2"#).as_bytes()).is_err());
        assert!(Message::decode(text.replace("session", "sessions").as_bytes()).is_err());
        assert!(Message::decode(b"{").is_err());
        assert!(Reply::decode(br#"{"v":1,"reply":"closed"}"#).is_ok());
        assert!(Reply::decode(br#"{"v":2,"reply":"closed"}"#).is_err());
        assert!(Reply::decode(br#"{"v":1,"reply":"opened"}"#).is_err());
    }
}
