//! What the keeper asks of Box, read from its requests; and what Box says, made into answers.

use core::fmt;
use std::collections::BTreeMap;

use http::{HeaderValue, StatusCode, header};
use keyhole_core::box_api::{BoxAnswer, BoxRequest};
use serde_json::{Value, json};

/// A request to Box, by its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    /// The first pair, for a code.
    Redeem(String),
    /// The next pair, for a refresh token.
    Refresh(String),
    /// A narrowed token for an item.
    Narrow { subject: String, item: String, scopes: String },
    /// The end of a token.
    Revoke(String),
    /// Anything that is read with a bearer token.
    Read { bearer: String, path: String },
}

impl Asked {
    /// Reads a request of `keyhole_core::box_api`; `None` if it is none of those.
    pub(crate) fn read(request: &BoxRequest) -> Option<Self> {
        let path = request.uri().path();
        if let Some(bearer) = request.headers().get(header::AUTHORIZATION) {
            let bearer = bearer.to_str().ok()?.strip_prefix("Bearer ")?.to_owned();
            return Some(Self::Read { bearer, path: path.to_owned() });
        }
        let mut form: BTreeMap<String, String> =
            form_urlencoded::parse(request.body()).into_owned().collect();
        let mut take = |name: &str| form.remove(name);
        if path == "/oauth2/revoke" {
            return Some(Self::Revoke(take("token")?));
        }
        match take("grant_type")?.as_str() {
            "authorization_code" => Some(Self::Redeem(take("code")?)),
            "refresh_token" => Some(Self::Refresh(take("refresh_token")?)),
            _ => Some(Self::Narrow {
                subject: take("subject_token")?,
                item: item_of(&take("resource")?)?,
                scopes: take("scope")?,
            }),
        }
    }

    /// The token that goes out with it, if it is one of Box's tokens.
    pub(crate) fn token(&self) -> Option<&str> {
        match self {
            Self::Redeem(_) => None,
            Self::Refresh(token) | Self::Revoke(token) => Some(token),
            Self::Narrow { subject, .. } => Some(subject),
            Self::Read { bearer, .. } => Some(bearer),
        }
    }

    /// Whether it asks for the next pair.
    pub(crate) const fn is_refresh(&self) -> bool {
        matches!(self, Self::Refresh(_))
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redeem(code) => write!(f, "redeem {code}"),
            Self::Refresh(token) => write!(f, "refresh with {token}"),
            Self::Narrow { subject, item, .. } => write!(f, "narrow {subject} to {item}"),
            Self::Revoke(token) => write!(f, "revoke {token}"),
            Self::Read { bearer, path } => write!(f, "read {path} with {bearer}"),
        }
    }
}

/// `file_1` of `https://api.box.com/2.0/files/1`.
fn item_of(resource: &str) -> Option<String> {
    let mut parts = resource.rsplit('/');
    let (id, kind) = (parts.next()?, parts.next()?);
    Some(format!("{}_{id}", kind.strip_suffix('s')?))
}

/// What Box says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Said {
    /// A pair.
    Pair { access: String, refresh: String, seconds: u64 },
    /// A narrowed token.
    Child { token: String, item: String, scopes: String, seconds: u64 },
    /// A revocation is done.
    Done,
    /// Whose token it is.
    User,
    /// A page of a folder.
    Page,
    /// `invalid_grant`.
    InvalidGrant,
    /// 401: the bearer is not good.
    Unauthorized,
    /// 503.
    Down,
    /// 429, with 30 seconds to wait.
    Throttled,
    /// 200, and nothing that makes sense.
    Garbage,
}

impl Said {
    /// As Box puts it.
    pub(crate) fn answer(&self) -> BoxAnswer {
        match self {
            Self::Pair { access, refresh, seconds } => json_answer(
                StatusCode::OK,
                &json!({"access_token": access, "expires_in": seconds, "restricted_to": [],
                        "refresh_token": refresh, "token_type": "bearer"}),
            ),
            Self::Child { token, item, scopes, seconds } => {
                let (kind, id) = item.split_once('_').unwrap_or_default();
                let entry = |scope| json!({"scope": scope, "object": {"type": kind, "id": id}});
                let restricted_to: Vec<Value> = scopes.split(' ').map(entry).collect();
                json_answer(
                    StatusCode::OK,
                    &json!({"access_token": token, "expires_in": seconds, "token_type": "bearer",
                            "restricted_to": restricted_to,
                            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}),
                )
            }
            Self::Done => empty(StatusCode::OK),
            Self::User => {
                json_answer(StatusCode::OK, &json!({"name": "Robin", "login": "robin@example.com"}))
            }
            Self::Page => json_answer(StatusCode::OK, &json!({"total_count": 0, "entries": []})),
            Self::InvalidGrant => json_answer(StatusCode::BAD_REQUEST, &json!({"error": "invalid_grant"})),
            Self::Unauthorized => empty(StatusCode::UNAUTHORIZED),
            Self::Down => empty(StatusCode::SERVICE_UNAVAILABLE),
            Self::Throttled => {
                let mut answer = empty(StatusCode::TOO_MANY_REQUESTS);
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
                answer
            }
            Self::Garbage => json_answer(StatusCode::OK, &json!(["what?"])),
        }
    }

    /// The refresh token that it brings.
    pub(crate) fn refresh(&self) -> Option<&str> {
        match self {
            Self::Pair { refresh, .. } => Some(refresh),
            _ => None,
        }
    }

    /// The token that somebody has to keep from now on: a pair's refresh token, or a narrowed one.
    pub(crate) fn brings(&self) -> Option<&str> {
        match self {
            Self::Pair { refresh, .. } => Some(refresh),
            Self::Child { token, .. } => Some(token),
            _ => None,
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pair { access, refresh, .. } => write!(f, "{access} and {refresh}"),
            Self::Child { token, .. } => f.write_str(token),
            other => write!(f, "{other:?}"),
        }
    }
}

fn empty(status: StatusCode) -> BoxAnswer {
    let mut answer = BoxAnswer::new(Vec::new());
    *answer.status_mut() = status;
    answer
}

fn json_answer(status: StatusCode, body: &Value) -> BoxAnswer {
    let mut answer = BoxAnswer::new(body.to_string().into_bytes());
    *answer.status_mut() = status;
    answer
}
