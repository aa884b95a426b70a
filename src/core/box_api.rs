//! Box's side of the conversation: build the request, judge the answer. No request is sent from here.
//!
//! Sources: RFC 6749 and 8693, and Box's pages "OAuth 2.0 without SDKs", "Downscope a token", "Revoke token"
//! and the OpenAPI description of `/oauth2/token`.

use core::time::Duration;

use form_urlencoded::Serializer;
use http::{Method, Request, Response, StatusCode, Uri, header};
use serde_json::Value;
use thiserror::Error;
use url::Url;

use crate::{
    item::{Item, Scopes},
    json::Object,
    secret::{AuthorizationCode, ChildToken, ClientSecret, ParentToken, PkceVerifier, RefreshToken},
    time::Timestamp,
};

/// No answer of Box that we read is larger: a page of 1,000 items with long names stays below it.
pub const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A request to Box, ready to send.
pub type BoxRequest = Request<Vec<u8>>;

/// Box's answer, read whole.
pub type BoxAnswer = Response<Vec<u8>>;

/// The app at Box and where Box is.
#[derive(Clone, Debug)]
pub struct BoxApp {
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret; it goes to `api_url` and nowhere else.
    pub client_secret: ClientSecret,
    /// Where a person signs in, `https://account.box.com/api/oauth2/authorize`.
    pub authorize_url: Url,
    /// Where the API is, without a path: `https://api.box.com`.
    pub api_url: Url,
}

impl BoxApp {
    fn at(&self, path: &str) -> String {
        let base = self.api_url.as_str();
        format!("{}{path}", base.strip_suffix('/').unwrap_or(base))
    }
}

/// Why Box did not answer at all. The shell makes these.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Unreachable {
    /// No connection, or it broke before the whole answer was there.
    #[error("the connection to Box failed")]
    Broken,
    /// No whole answer within the time given.
    #[error("Box did not answer in time")]
    Slow,
    /// The answer is larger than [`ANSWER_BYTES_MAX`].
    #[error("Box's answer is too large")]
    TooLarge,
}

/// What came of asking Box, other than what was asked for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BoxFault {
    /// No whole answer came. Whether Box acted is unknown.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// 429: ask again after the time given.
    #[error("Box limits the rate of calls")]
    Throttled {
        /// `Retry-After`, if Box gave one in seconds.
        retry_after: Option<Duration>,
    },
    /// 5xx.
    #[error("Box answered {status}")]
    Down {
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, if Box gave one in seconds.
        retry_after: Option<Duration>,
    },
    /// The bearer token was not accepted (401).
    #[error("Box did not accept the token")]
    Unauthorized,
    /// Box understood and said no.
    #[error("Box refused: {}", .0.code())]
    Refused(Refusal),
    /// An answer that is not in Box's form: a redirect, no JSON, a missing or wrong member.
    #[error("Box's answer makes no sense: {0}")]
    Malformed(&'static str),
}

/// Box's reasons that we act on or log. Their descriptions are foreign text and stay outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `invalid_grant`: the code or refresh token is unknown, used, superseded, revoked or expired.
    InvalidGrant,
    /// `invalid_client`: wrong client id or secret. A fault of the configuration.
    InvalidClient,
    /// `unauthorized_client`: the app may not do this. A fault of the configuration.
    UnauthorizedClient,
    /// `invalid_request`.
    InvalidRequest,
    /// `invalid_scope`, or a 403 with `insufficient_scope`: the app or its user lacks a scope.
    InvalidScope,
    /// `invalid_resource`: the item does not exist for this user.
    InvalidResource,
    /// 404.
    NotFound,
    /// 403 for any other reason.
    Forbidden,
    /// Any other 4xx.
    Other(u16),
}

impl Refusal {
    /// A stable word for logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidClient => "invalid_client",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidResource => "invalid_resource",
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::Other(_) => "other",
        }
    }
}

/// The name of the device that signs in, which Box shows to its user (Box's classic SDKs send it with the code).
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// `box_device_id`.
    pub id: Option<String>,
    /// `box_device_name`.
    pub name: Option<String>,
}

/// What the browser is sent to Box with (RFC 6749 section 4.1.1).
#[derive(Debug)]
pub struct AuthorizeRequest<'a> {
    /// Where Box sends the browser back to.
    pub redirect_uri: &'a str,
    /// The one-time `state`.
    pub state: &'a str,
    /// The PKCE challenge, S256 (RFC 7636). Box ignores it today.
    pub code_challenge: &'a str,
    /// Scopes to narrow the login to; empty for all that the app has.
    pub scopes: &'a Scopes,
    /// `box_login`: the e-mail address to fill in.
    pub login_hint: Option<&'a str>,
}

/// The address that a login sends the browser to (Box, "OAuth 2.0 without SDKs").
#[must_use]
pub fn authorize_url(app: &BoxApp, ask: &AuthorizeRequest<'_>) -> Url {
    let mut url = app.authorize_url.clone();
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &app.client_id)
            .append_pair("redirect_uri", ask.redirect_uri)
            .append_pair("state", ask.state)
            .append_pair("code_challenge", ask.code_challenge)
            .append_pair("code_challenge_method", "S256");
        if !ask.scopes.is_empty() {
            query.append_pair("scope", &ask.scopes.to_string());
        }
        if let Some(login) = ask.login_hint {
            query.append_pair("box_login", login);
        }
    }
    url
}

/// Asks for the first pair (RFC 6749 section 4.1.3). `verifier` is PKCE's; Box ignores it today.
#[must_use]
pub fn redeem_code(
    app: &BoxApp,
    code: &AuthorizationCode,
    verifier: &PkceVerifier,
    device: &Device,
) -> BoxRequest {
    let mut form = client_form(app, "authorization_code");
    form.append_pair("code", code.expose()).append_pair("code_verifier", verifier.expose());
    for (name, value) in [("box_device_id", &device.id), ("box_device_name", &device.name)] {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    post_form(app, "/oauth2/token", form)
}

/// Asks for the next pair (RFC 6749 section 6; Box, "Refresh a token").
#[must_use]
pub fn refresh(app: &BoxApp, token: &RefreshToken) -> BoxRequest {
    let mut form = client_form(app, "refresh_token");
    form.append_pair("refresh_token", token.expose());
    post_form(app, "/oauth2/token", form)
}

/// Asks for a token narrowed to one item (RFC 8693 section 2.1; Box, "Downscope a token").
#[must_use]
pub fn downscope(app: &BoxApp, parent: &ParentToken, item: &Item, scopes: &Scopes) -> BoxRequest {
    let mut form = client_form(app, "urn:ietf:params:oauth:grant-type:token-exchange");
    form.append_pair("subject_token", parent.expose())
        .append_pair("subject_token_type", ACCESS_TOKEN_TYPE)
        .append_pair("scope", &scopes.to_string())
        .append_pair("resource", &app.at(&item.path()));
    post_form(app, "/oauth2/token", form)
}

/// Ends a token (RFC 7009; Box, "Revoke token"): a refresh token takes its pair along, a child only itself.
#[must_use]
pub fn revoke(app: &BoxApp, token: &str) -> BoxRequest {
    let mut form = Serializer::new(String::new());
    form.append_pair("client_id", &app.client_id)
        .append_pair("client_secret", app.client_secret.expose())
        .append_pair("token", token);
    post_form(app, "/oauth2/revoke", form)
}

/// Asks whose token this is.
#[must_use]
pub fn current_user(app: &BoxApp, token: &ParentToken) -> BoxRequest {
    get(app, "/2.0/users/me?fields=name,login", token)
}

/// Asks for a page of a folder.
#[must_use]
pub fn folder_items(app: &BoxApp, token: &ParentToken, folder: &Item, page: PageAsk) -> BoxRequest {
    let PageAsk { offset, limit } = page;
    let fields = "type,id,name,size,modified_at";
    get(app, &format!("{}/items?fields={fields}&offset={offset}&limit={limit}", folder.path()), token)
}

fn client_form(app: &BoxApp, grant_type: &str) -> Serializer<'static, String> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", grant_type)
        .append_pair("client_id", &app.client_id)
        .append_pair("client_secret", app.client_secret.expose());
    form
}

fn post_form(app: &BoxApp, path: &str, mut form: Serializer<'_, String>) -> BoxRequest {
    let mut request = Request::new(form.finish().into_bytes());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri(app, path);
    let form_type = header::HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, form_type);
    request
}

fn get(app: &BoxApp, path: &str, token: &ParentToken) -> BoxRequest {
    let mut request = Request::new(Vec::new());
    *request.uri_mut() = uri(app, path);
    // A token that is no header value is no token: Box answers such a request with 401, as it should.
    if let Ok(mut bearer) = header::HeaderValue::from_str(&format!("Bearer {}", token.expose())) {
        bearer.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
    }
    request
}

/// The configured host with a path of ours: always a URI. The empty one in its place reaches no host.
fn uri(app: &BoxApp, path: &str) -> Uri {
    Uri::try_from(app.at(path)).unwrap_or_default()
}

const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A pair as Box gave it.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The access token, not narrowed.
    pub access: ParentToken,
    /// The refresh token that belongs to it.
    pub refresh: RefreshToken,
    /// How long the access token lives, counted from before the request was sent; zero if Box did not say so.
    pub life: Duration,
}

/// Judges the answer to [`redeem_code`] and [`refresh`] (RFC 6749 section 5.1).
///
/// # Errors
/// [`BoxFault`]; [`BoxFault::Malformed`] names the member that is missing or wrong.
pub fn judge_pair(answer: Result<BoxAnswer, Unreachable>) -> Result<Pair, BoxFault> {
    let mut body = json(&accepted(answer?)?)?;
    Ok(Pair {
        access: ParentToken::new(non_empty(&mut body, "access_token")?),
        refresh: RefreshToken::new(non_empty(&mut body, "refresh_token")?),
        // A replayed rotation may bring an access token that has ended. The refresh token is good all the same, and
        // must not be thrown away with it.
        life: life(&mut body).unwrap_or_default(),
    })
}

/// A narrowed token that was checked against what was asked.
#[derive(Clone, Debug)]
pub struct Child {
    /// The token.
    pub token: ChildToken,
    /// The scopes Box granted: a subset of those asked.
    pub scopes: Scopes,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How long it was good for when Box gave it.
    pub life: Duration,
}

/// Why an exchange brought no child.
#[derive(Debug, Error)]
pub enum ExchangeFault {
    /// Box gave none.
    #[error(transparent)]
    Box(#[from] BoxFault),
    /// Box gave a token that opens something else or more than was asked, or does not say what it opens. It must be
    /// revoked, and goes nowhere else.
    #[error("Box's token is not what was asked for: {reason}")]
    TooWide {
        /// The token to revoke.
        token: ChildToken,
        /// Which member does not hold.
        reason: &'static str,
    },
}

/// Judges the answer to [`downscope`]: the token must be of the asked type, restricted to the asked item and
/// nothing else, with no scope that was not asked for (RFC 8693 section 2.2.1).
///
/// # Errors
/// [`ExchangeFault::TooWide`] with the token, so that it can be revoked; else [`ExchangeFault::Box`].
pub fn judge_child(
    answer: Result<BoxAnswer, Unreachable>,
    item: &Item,
    asked: &Scopes,
    asked_at: Timestamp,
) -> Result<Child, ExchangeFault> {
    let answer = accepted(answer.map_err(BoxFault::from)?)?;
    let mut body = json(&answer)?;
    let token = ChildToken::new(non_empty(&mut body, "access_token")?);
    match terms(body, item, asked) {
        Ok((scopes, life)) => Ok(Child { token, scopes, expires_at: asked_at.plus(life), life }),
        Err(reason) => Err(ExchangeFault::TooWide { token, reason }),
    }
}

/// What a token is good for, or the member that does not hold. From here on there is a token: whatever the rest of
/// the answer is, it must not be forgotten.
fn terms(mut body: Object, item: &Item, asked: &Scopes) -> Result<(Scopes, Duration), &'static str> {
    if body.has("refresh_token") {
        return Err("refresh_token");
    }
    if body.text("issued_token_type").as_deref() != Some(ACCESS_TOKEN_TYPE) {
        return Err("issued_token_type");
    }
    let restricted_to = body.list("restricted_to").unwrap_or_default();
    let scopes = granted(restricted_to, item, asked).ok_or("restricted_to")?;
    let life = life(&mut body).map_err(|_| "expires_in")?;
    Ok((scopes, life))
}

/// The scopes of `restricted_to`, if every entry is for `item`, none is beyond `asked`, and there is one at all. Box
/// answers one entry for each scope.
fn granted(restricted_to: Vec<Value>, item: &Item, asked: &Scopes) -> Option<Scopes> {
    let words: Option<Vec<String>> = restricted_to.into_iter().map(|entry| scope_for(entry, item)).collect();
    let scopes = Scopes::parse(&words?.join(" ")).ok()?;
    (!scopes.is_empty() && scopes.beyond(asked).is_none()).then_some(scopes)
}

/// The scope of an entry that is for `item` and nothing else.
fn scope_for(entry: Value, item: &Item) -> Option<String> {
    let mut entry = Object::of(entry)?;
    let mut object = entry.object("object")?;
    let same = object.text("type")? == item.kind().name() && object.text("id")? == item.id();
    same.then(|| entry.text("scope")).flatten()
}

/// Who signed in, as far as a page needs it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct User {
    /// The person's name.
    pub name: String,
    /// The e-mail address they sign in with.
    pub login: String,
}

impl User {
    pub(crate) fn read(mut object: Object) -> Option<Self> {
        Some(Self { name: object.text("name")?, login: object.text("login")? })
    }
}

/// Judges the answer to [`current_user`].
///
/// # Errors
/// [`BoxFault`].
pub fn judge_user(answer: Result<BoxAnswer, Unreachable>) -> Result<User, BoxFault> {
    User::read(json(&accepted(answer?)?)?).ok_or(BoxFault::Malformed("user"))
}

/// Which page of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PageAsk {
    /// The first entry, counted from 0.
    pub offset: u32,
    /// How many at most, 1 to 1,000.
    pub limit: u32,
}

/// A page of a folder: what a file picker needs, and no more of what Box said.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Page {
    /// Folders first, then files, then links.
    pub entries: Vec<Entry>,
    /// The first entry's place.
    pub offset: u32,
    /// How many were asked for. The next page is at `offset + limit`.
    pub limit: u32,
    /// How many entries the folder has.
    pub total: u64,
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// `file`, `folder` or `web_link`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The plain id.
    pub id: String,
    /// The name as its owner wrote it. Foreign text: show it, never run it.
    pub name: String,
    /// Bytes; none for links.
    pub size: Option<u64>,
    /// RFC 3339.
    pub modified_at: Option<String>,
}

impl PageAsk {
    pub(crate) fn read(object: &Object) -> Option<Self> {
        Some(Self { offset: object.count("offset")?, limit: object.count("limit")? })
    }
}

impl Page {
    pub(crate) fn read(mut object: Object) -> Option<Self> {
        let PageAsk { offset, limit } = PageAsk::read(&object)?;
        Some(Self { entries: entries(&mut object)?, offset, limit, total: object.number("total")? })
    }
}

impl Entry {
    fn read(mut object: Object) -> Option<Self> {
        Some(Self {
            kind: object.text("type")?,
            id: object.text("id")?,
            name: object.text("name")?,
            size: object.optional("size", |object, name| object.number(name))?,
            modified_at: object.optional("modified_at", Object::text)?,
        })
    }
}

/// Judges the answer to [`folder_items`].
///
/// # Errors
/// [`BoxFault`].
pub fn judge_page(answer: Result<BoxAnswer, Unreachable>, ask: PageAsk) -> Result<Page, BoxFault> {
    let mut body = json(&accepted(answer?)?)?;
    let total = body.number("total_count").ok_or(BoxFault::Malformed("total_count"))?;
    let entries = entries(&mut body).ok_or(BoxFault::Malformed("entries"))?;
    Ok(Page { entries, offset: ask.offset, limit: ask.limit, total })
}

fn entries(body: &mut Object) -> Option<Vec<Entry>> {
    body.list("entries")?.into_iter().map(|entry| Entry::read(Object::of(entry)?)).collect()
}

/// Judges the answer to [`revoke`]. 400 is done as well: Box does not know the token, so nobody can use it.
///
/// # Errors
/// [`BoxFault`] when it must be asked again.
pub fn judge_revoke(answer: Result<BoxAnswer, Unreachable>) -> Result<(), BoxFault> {
    let answer = answer?;
    if answer.status() == StatusCode::BAD_REQUEST && refusal(&answer) != Refusal::InvalidClient {
        return Ok(());
    }
    accepted(answer).map(drop)
}

/// The answer, if it is a success; else what it says.
fn accepted(answer: BoxAnswer) -> Result<BoxAnswer, BoxFault> {
    let status = answer.status();
    match status {
        _ if status.is_success() => Ok(answer),
        _ if status.is_redirection() => Err(BoxFault::Malformed("redirect")),
        StatusCode::TOO_MANY_REQUESTS => Err(BoxFault::Throttled { retry_after: retry_after(&answer) }),
        StatusCode::UNAUTHORIZED => Err(match refusal(&answer) {
            // Of the token exchange: the token is good, and does not reach that far.
            known @ (Refusal::InvalidScope | Refusal::InvalidResource | Refusal::InvalidClient) => {
                BoxFault::Refused(known)
            }
            _ => BoxFault::Unauthorized,
        }),
        _ if status.is_server_error() => {
            Err(BoxFault::Down { status: status.as_u16(), retry_after: retry_after(&answer) })
        }
        _ => Err(BoxFault::Refused(refusal(&answer))),
    }
}

/// `Retry-After` in seconds, a day at most. Box gives no dates here.
fn retry_after(answer: &BoxAnswer) -> Option<Duration> {
    let seconds: u64 = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(86_400)))
}

fn refusal(answer: &BoxAnswer) -> Refusal {
    // OAuth errors say `error` (RFC 6749 section 5.2), Box's API says `code`.
    let code =
        Object::parse(answer.body()).and_then(|mut body| body.text("error").or_else(|| body.text("code")));
    match code.as_deref() {
        Some("invalid_grant") => Refusal::InvalidGrant,
        Some("invalid_client") => Refusal::InvalidClient,
        Some("unauthorized_client") => Refusal::UnauthorizedClient,
        Some("invalid_request") => Refusal::InvalidRequest,
        Some("invalid_scope" | "insufficient_scope") => Refusal::InvalidScope,
        Some("invalid_resource") => Refusal::InvalidResource,
        _ => match answer.status() {
            StatusCode::NOT_FOUND => Refusal::NotFound,
            StatusCode::FORBIDDEN => Refusal::Forbidden,
            other => Refusal::Other(other.as_u16()),
        },
    }
}

fn json(answer: &BoxAnswer) -> Result<Object, BoxFault> {
    Object::parse(answer.body()).ok_or(BoxFault::Malformed("body"))
}

fn non_empty(body: &mut Object, name: &'static str) -> Result<String, BoxFault> {
    body.text(name).filter(|text| !text.is_empty()).ok_or(BoxFault::Malformed(name))
}

/// A life of a token that we believe: a second to a day. Box's own are 3,600 to 4,250 seconds.
fn life(body: &mut Object) -> Result<Duration, BoxFault> {
    if !body.text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(BoxFault::Malformed("token_type"));
    }
    let seconds = body.number("expires_in").filter(|seconds| (1..=86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or(BoxFault::Malformed("expires_in"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s23_a_token_in_an_answer_that_makes_no_sense_is_not_forgotten() {
        let asked = Scopes::parse("item_preview").unwrap();
        let item = Item::parse("file_1").unwrap();
        for rest in [
            r#""restricted_to":null"#,
            r#""restricted_to":[{"scope":7}]"#,
            r#""issued_token_type":["a"]"#,
            r#""expires_in":"soon""#,
        ] {
            let body = format!(r#"{{"access_token":"wide",{rest}}}"#);
            let judged =
                judge_child(Ok(Response::new(body.into_bytes())), &item, &asked, Timestamp::from_millis(0));
            let Err(ExchangeFault::TooWide { token, .. }) = judged else { panic!("{rest}: {judged:?}") };
            assert_eq!(token.expose(), "wide", "{rest}");
        }
    }
}
