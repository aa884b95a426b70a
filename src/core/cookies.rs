//! The two cookies: the session's, and one for each login under way.
//!
//! | cookie | value | for how long |
//! | --- | --- | --- |
//! | `__Host-Http-keyhole` | `kid.keeper.secret.tag`, SameSite=Strict | the session's absolute limit |
//! | `__Host-Http-keyhole-login-XXXXXXXX` | `secret.record`, SameSite=Lax | an hour; the record in it is good for 10 minutes |
//!
//! `kid` names the key of `SEAL_KEYS` that made `tag`, an HMAC over all before it: a stranger's guess wakes no
//! keeper. `XXXXXXXX` are the first digits of SHA-256 of the login's `state`; `record` is the sealed transaction in
//! base64url. `__Host-Http-` cookies are Secure, HttpOnly, without Domain and with Path=/, or browsers refuse them
//! (RFC 6265bis, section "The __Host-Http- prefix").

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cookie::{Cookie, SameSite, time::Duration as CookieDuration};
use http::{HeaderMap, HeaderValue, Response, header};

use crate::{
    app::Body,
    config::Config,
    fault::Fault,
    keeper::KeeperName,
    seal::{KeyId, SealKeys},
    secret::{LoginSecret, SessionSecret},
};

const SESSION_NAME: &str = "__Host-Http-keyhole";
const LOGIN_NAME_PREFIX: &str = "__Host-Http-keyhole-login-";
const TAG_LABEL: &str = "cookie";

/// How long a browser keeps a login's cookie, in seconds: longer than the login is good, so that who comes back
/// late is told so and not taken for a stranger.
const LOGIN_SECONDS: i64 = 60 * 60;

/// More logins than this under way in one browser are leftovers. Browsers keep few cookies for a site, and the
/// oldest one thrown out could be the session's.
const LOGINS_UNDER_WAY_MAX: usize = 5;

/// A session cookie whose tag holds: parsed by [`session`], or issued by us.
#[derive(Clone, Debug)]
pub struct SessionCookie {
    pub(crate) keeper: KeeperName,
    pub(crate) secret: SessionSecret,
}

impl SessionCookie {
    /// The cookie of a session that this keeper opened.
    #[must_use]
    pub(crate) const fn issue(keeper: KeeperName, secret: SessionSecret) -> Self {
        Self { keeper, secret }
    }

    fn value(&self, keys: &SealKeys) -> Option<String> {
        let key = keys.sealing_id();
        let head = format!("{}.{}.{}", key.as_str(), self.keeper, self.secret.expose_text());
        let tag = keys.tag(key, TAG_LABEL, head.as_bytes())?;
        Some(format!("{head}.{}", URL_SAFE_NO_PAD.encode(tag)))
    }

    fn parse(value: &str, keys: &SealKeys) -> Result<Self, Fault> {
        let (head, tag) = value.rsplit_once('.').ok_or(Fault::DeadCookie)?;
        let mut parts = head.split('.');
        let (Some(key), Some(keeper), Some(secret), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Fault::DeadCookie);
        };
        let key = KeyId::parse(key).ok_or(Fault::DeadCookie)?;
        let keeper = KeeperName::parse(keeper).ok_or(Fault::DeadCookie)?;
        let secret = SessionSecret::parse(secret).ok_or(Fault::DeadCookie)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| Fault::DeadCookie)?;
        if keys.tag(&key, TAG_LABEL, b"").is_none() {
            return Err(Fault::UnknownKey);
        }
        if !keys.tag_holds(&key, TAG_LABEL, head.as_bytes(), &tag) {
            return Err(Fault::DeadCookie);
        }
        Ok(Self { keeper, secret })
    }
}

/// The session cookie that came along.
///
/// # Errors
/// [`Fault::NoSession`] without one, [`Fault::DeadCookie`] for one that is not ours, [`Fault::UnknownKey`] for one
/// of a key that this deployment does not hold.
pub fn session(headers: &HeaderMap, keys: &SealKeys) -> Result<SessionCookie, Fault> {
    let cookies = sent(headers);
    let cookie = cookies.iter().find(|cookie| cookie.name() == SESSION_NAME).ok_or(Fault::NoSession)?;
    SessionCookie::parse(cookie.value(), keys)
}

/// Gives the browser its session.
pub fn set_session(response: &mut Response<Body>, cookie: &SessionCookie, config: &Config) {
    // The sealing key is always held.
    let value = cookie.value(config.keys()).unwrap_or_default();
    let seconds = i64::try_from(config.keeper.session_absolute.as_secs()).unwrap_or(i64::MAX);
    append(response, cookie_of(SESSION_NAME.to_owned(), value, SameSite::Strict, seconds));
}

/// Takes the session from the browser.
pub fn clear_session(response: &mut Response<Body>) {
    append(response, cookie_of(SESSION_NAME.to_owned(), String::new(), SameSite::Strict, 0));
}

/// What the browser that started a login brings back.
#[derive(Debug)]
pub struct LoginCookie {
    /// Proves that it is the browser that started it; the record is sealed with it.
    pub secret: LoginSecret,
    /// The sealed transaction.
    pub record: Vec<u8>,
}

impl LoginCookie {
    /// The cookie of the login whose `state` names this keeper, if it came along and is of our form.
    #[must_use]
    pub fn find(headers: &HeaderMap, keeper: &KeeperName) -> Option<Self> {
        let name = login_name(keeper);
        let cookies = sent(headers);
        let (secret, record) =
            cookies.iter().find(|cookie| cookie.name() == name)?.value().split_once('.')?;
        Some(Self { secret: LoginSecret::parse(secret)?, record: URL_SAFE_NO_PAD.decode(record).ok()? })
    }
}

/// Gives the browser the cookie of a login, and takes back those of older ones beyond a handful.
pub fn set_login(
    response: &mut Response<Body>,
    headers: &HeaderMap,
    keeper: &KeeperName,
    cookie: &LoginCookie,
) {
    let cookies = sent(headers);
    let under_way: Vec<&str> =
        cookies.iter().map(Cookie::name).filter(|name| name.starts_with(LOGIN_NAME_PREFIX)).collect();
    // Browsers send the oldest first (RFC 6265 section 5.4).
    let leftovers = (under_way.len() + 1).saturating_sub(LOGINS_UNDER_WAY_MAX);
    for name in under_way.into_iter().take(leftovers) {
        append(response, cookie_of(name.to_owned(), String::new(), SameSite::Lax, 0));
    }
    let value = format!("{}.{}", cookie.secret.expose_text(), URL_SAFE_NO_PAD.encode(&cookie.record));
    append(response, cookie_of(login_name(keeper), value, SameSite::Lax, LOGIN_SECONDS));
}

/// Takes the login's cookie from the browser.
pub fn clear_login(response: &mut Response<Body>, keeper: &KeeperName) {
    append(response, cookie_of(login_name(keeper), String::new(), SameSite::Lax, 0));
}

/// 32 bits tell the logins of one browser apart; the seal proves which is which.
fn login_name(keeper: &KeeperName) -> String {
    let hash = URL_SAFE_NO_PAD.decode(keeper.as_str()).unwrap_or_default();
    let digits: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{LOGIN_NAME_PREFIX}{digits}")
}

fn cookie_of(name: String, value: String, same_site: SameSite, seconds: i64) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(same_site)
        .max_age(CookieDuration::seconds(seconds))
        .build()
}

fn append(response: &mut Response<Body>, cookie: Cookie<'static>) {
    // Names are ours or were parsed from a header; values are base64url and dots.
    if let Ok(mut value) = HeaderValue::from_str(&cookie.to_string()) {
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// All cookies that came along. What is no text or no cookie is none of ours.
fn sent(headers: &HeaderMap) -> Vec<Cookie<'_>> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(Cookie::split_parse).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
}
