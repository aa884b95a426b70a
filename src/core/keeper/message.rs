//! What the Worker and a keeper say to each other: JSON with a version, so that during a deploy, when both
//! releases run, the newer one is told apart instead of being misread.

use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::{
    box_api::{Page, PageAsk, User},
    item::{Item, Scopes},
    secret::{AuthorizationCode, ChildToken, Digest, SessionSecret},
    time::Timestamp,
};

/// The version of this form. A keeper or Worker that reads another answers [`Reply::Skewed`].
pub const VERSION: u8 = 1;

/// What a caller wants, with the secret of its cookie.
#[derive(Debug)]
pub struct Message {
    /// From the browser's cookie; for [`Ask::Open`] the one it is about to get.
    pub secret: SessionSecret,
    /// What is wanted.
    pub ask: Ask,
}

/// What can be asked of a keeper.
#[derive(Debug)]
pub enum Ask {
    /// Redeem this code and open the session. A keeper opens once.
    Open {
        /// Box's code.
        code: AuthorizationCode,
        /// PKCE's verifier, which Box ignores today.
        verifier: String,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Its person signed out.
    SignedOut,
    /// Not used for the idle limit.
    Idle,
    /// The absolute limit is reached.
    Expired,
    /// Box says that the grant is no more.
    Revoked,
    /// Somebody else used the refresh token.
    Superseded,
    /// An exchange was cut off and its answer is lost (ARCHITECTURE.md, the one window).
    RotationLost,
    /// The same browser signed in anew.
    Replaced,
}

/// What a keeper answers.
#[derive(Debug)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
/// Variants are named around their contents, never inside: serde then needs no buffer, which saves 30 KB.
#[derive(Serialize, Deserialize)]
struct MessageForm {
    v: u8,
    secret: String,
    ask: AskForm,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AskForm {
    Open { code: String, verifier: String },
    Session,
    Tokens { items: Vec<String>, scopes: String, refused: Vec<String> },
    Items { folder: String, page: PageAsk },
    Close(End),
}

/// JSON of [`Reply`]: `"closed"`, `{"ended":"idle"}`, `{"tokens":[["file_1",{"fault":"forbidden"}]]}`.
#[derive(Serialize, Deserialize)]
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

#[derive(Serialize, Deserialize)]
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
                AskForm::Open { code: code.expose().to_owned(), verifier: verifier.clone() }
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
        let form: MessageForm = serde_json::from_slice(bytes).map_err(|_| Garbled)?;
        if form.v != VERSION {
            return Err(Garbled);
        }
        let ask = match form.ask {
            AskForm::Open { code, verifier } => Ask::Open { code: AuthorizationCode::new(code), verifier },
            AskForm::Session => Ask::Session,
            AskForm::Tokens { items, scopes, refused } => Ask::Tokens(TokensAsk {
                items: items.iter().map(|item| Item::parse(item).ok_or(Garbled)).collect::<Result<_, _>>()?,
                scopes: Scopes::parse(&scopes).map_err(|_| Garbled)?,
                refused: refused
                    .iter()
                    .map(|hash| Digest::parse_hex(hash).ok_or(Garbled))
                    .collect::<Result<_, _>>()?,
            }),
            AskForm::Items { folder, page } => {
                Ask::Items { folder: Item::parse(&folder).ok_or(Garbled)?, page }
            }
            AskForm::Close(end) => Ask::Close(end),
        };
        Ok(Self { secret: SessionSecret::parse(&form.secret).ok_or(Garbled)?, ask })
    }
}

impl Reply {
    /// As bytes for the Worker.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encoded(&match self {
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
        })
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`Garbled`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Garbled> {
        Ok(match serde_json::from_slice(bytes).map_err(|_| Garbled)? {
            ReplyForm::Session(session) => Self::Session(session),
            ReplyForm::AlreadyOpened => Self::AlreadyOpened,
            ReplyForm::Tokens(tokens) => Self::Tokens(
                tokens
                    .into_iter()
                    .map(|(item, form)| Ok((Item::parse(&item).ok_or(Garbled)?, token_answer(form)?)))
                    .collect::<Result<_, Garbled>>()?,
            ),
            ReplyForm::Items(page) => Self::Items(page),
            ReplyForm::Closed => Self::Closed,
            ReplyForm::Unopened => Self::Unopened,
            ReplyForm::Ended(end) => Self::Ended(end),
            ReplyForm::Fault(fault) => Self::Fault(fault),
            ReplyForm::Skewed => Self::Skewed,
        })
    }
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

fn token_answer(form: TokenForm) -> Result<TokenAnswer, Garbled> {
    Ok(match form {
        TokenForm::Token { token, scopes, expires_at } => Ok(HandedToken {
            token: ChildToken::new(token),
            scopes: Scopes::parse(&scopes).map_err(|_| Garbled)?,
            expires_at,
        }),
        TokenForm::Fault(fault) => Err(fault),
    })
}

/// These forms have string keys and no floats, so they always serialise; an empty message would be refused as garbled.
fn encoded<T: Serialize>(form: &T) -> Vec<u8> {
    serde_json::to_vec(form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            r#"{"tokens":[["file_1",{"fault":{"rate_limited":{"retry_after":9}}}]]}"#
        );
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let asks = [
            Ask::Open { code: AuthorizationCode::new("code"), verifier: "v".into() },
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
        for reply in [Reply::Session(session), Reply::Ended(End::Idle), Reply::Closed, Reply::Skewed] {
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
        assert!(Reply::decode(b"\"opened\"").is_err());
    }
}
