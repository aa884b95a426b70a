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
//!
//! Both headers are read and written here, by the grammar of RFC 6265 section 4: the usual crate parses and writes
//! dates, which no cookie of ours has, and that alone is 16 KB of the Worker's 250.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
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
const TAG_BYTES: usize = 32;

/// How long a browser keeps a login's cookie, in seconds: longer than the login is good, so that who comes back
/// late is told so and not taken for a stranger.
const LOGIN_SECONDS: u64 = 60 * 60;

/// More logins than this under way in one browser are leftovers. Browsers keep few cookies for a site, and the
/// oldest one thrown out could be the session's.
const LOGINS_UNDER_WAY_MAX: usize = 5;

/// A session cookie whose tag holds: parsed by [`session`], or issued by us.
#[derive(Clone, Debug)]
pub struct SessionCookie {
    pub(crate) keeper: KeeperName,
    pub(crate) secret: SessionSecret,
    /// The key whose tag it came with.
    key: Option<KeyId>,
}

impl SessionCookie {
    /// The cookie of a session that this keeper opened.
    #[must_use]
    pub(crate) const fn issue(keeper: KeeperName, secret: SessionSecret) -> Self {
        Self { keeper, secret, key: None }
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
        let tag =
            URL_SAFE_NO_PAD.decode(tag).ok().filter(|tag| tag.len() == TAG_BYTES).ok_or(Fault::DeadCookie)?;
        if keys.tag(&key, TAG_LABEL, b"").is_none() {
            return Err(Fault::UnknownKey(key));
        }
        // In this form, under a name that only this origin can set, and still not ours: the key has another value here.
        if !keys.tag_holds(&key, TAG_LABEL, head.as_bytes(), &tag) {
            return Err(Fault::WrongKey(key));
        }
        Ok(Self { keeper, secret, key: Some(key) })
    }
}

/// The session cookie that came along.
///
/// # Errors
/// [`Fault::NoSession`] without one, [`Fault::DeadCookie`] for one that is not ours, [`Fault::UnknownKey`] and
/// [`Fault::WrongKey`] for one of a key that this deployment does not hold, or not with this value.
pub fn session(headers: &HeaderMap, keys: &SealKeys) -> Result<SessionCookie, Fault> {
    let (_, value) = sent(headers).find(|(name, _)| *name == SESSION_NAME).ok_or(Fault::NoSession)?;
    SessionCookie::parse(value, keys)
}

/// Gives the browser its session.
pub fn set_session(response: &mut Response<Body>, cookie: &SessionCookie, config: &Config) {
    // The sealing key is always held.
    let value = cookie.value(config.keys()).unwrap_or_default();
    append(response, SESSION_NAME, &value, SameSite::Strict, config.keeper.session_absolute.as_secs());
}

/// Gives the browser its session again if an older key than the one that seals now tagged its cookie: then that key
/// can be dropped once every session has been used. An answer that sets a cookie already keeps its own.
pub(crate) fn renew_session(response: &mut Response<Body>, sent: &HeaderMap, config: &Config) {
    if response.headers().contains_key(header::SET_COOKIE) {
        return;
    }
    if let Ok(cookie) = session(sent, config.keys())
        && cookie.key.is_some_and(|key| key != *config.keys().sealing_id())
    {
        set_session(response, &cookie, config);
    }
}

/// Takes the session from the browser.
pub fn clear_session(response: &mut Response<Body>) {
    append(response, SESSION_NAME, "", SameSite::Strict, 0);
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
        let (_, value) = sent(headers).find(|(sent, _)| *sent == name)?;
        let (secret, record) = value.split_once('.')?;
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
    let names = sent(headers).map(|(name, _)| name);
    let under_way: Vec<&str> = names.filter(|name| name.starts_with(LOGIN_NAME_PREFIX)).collect();
    // Browsers send the oldest first (RFC 6265 section 5.4).
    let leftovers = (under_way.len() + 1).saturating_sub(LOGINS_UNDER_WAY_MAX);
    for name in under_way.into_iter().take(leftovers) {
        append(response, name, "", SameSite::Lax, 0);
    }
    let value = format!("{}.{}", cookie.secret.expose_text(), URL_SAFE_NO_PAD.encode(&cookie.record));
    append(response, &login_name(keeper), &value, SameSite::Lax, LOGIN_SECONDS);
}

/// Takes the login's cookie from the browser.
pub fn clear_login(response: &mut Response<Body>, keeper: &KeeperName) {
    append(response, &login_name(keeper), "", SameSite::Lax, 0);
}

/// 32 bits tell the logins of one browser apart; the seal proves which is which.
fn login_name(keeper: &KeeperName) -> String {
    let hash = URL_SAFE_NO_PAD.decode(keeper.as_str()).unwrap_or_default();
    let digits: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{LOGIN_NAME_PREFIX}{digits}")
}

/// When a browser sends a cookie along (RFC 6265bis section 5.6.7).
#[derive(Clone, Copy)]
enum SameSite {
    Strict,
    Lax,
}

/// `Set-Cookie` (RFC 6265 section 4.1), with all that the prefix demands; no seconds take the cookie back.
fn append(response: &mut Response<Body>, name: &str, value: &str, same_site: SameSite, seconds: u64) {
    let same_site = match same_site {
        SameSite::Strict => "Strict",
        SameSite::Lax => "Lax",
    };
    let cookie = format!("{name}={value}; HttpOnly; SameSite={same_site}; Secure; Path=/; Max-Age={seconds}");
    // Names are ours or were parsed from a header; values are base64url and dots.
    if let Ok(mut value) = HeaderValue::try_from(cookie) {
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// The names and values of all cookies that came along (RFC 6265 section 4.2), in the browser's order. What is no
/// text or no pair is none of ours.
fn sent(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let pairs =
        headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(|pair| {
        let (name, value) = core::str::from_utf8(pair).ok()?.split_once('=')?;
        Some((name.trim(), value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::tests::{config, config_with},
        headers::empty,
        secret::{MasterKey, State},
    };
    use http::StatusCode;
    use proptest::prelude::*;

    fn keeper() -> KeeperName {
        KeeperName::of(&State::new([1; 32]))
    }

    fn issued() -> SessionCookie {
        SessionCookie::issue(keeper(), SessionSecret::new([2; 32]))
    }

    #[test]
    fn a_strangers_cookie_that_is_no_text_does_not_hide_ours() {
        let ours = issued().value(config().keys()).unwrap();
        for strange in ["x=\u{fc}; ".as_bytes(), b"x=\xff; ", b"=; ; x; "] {
            let header = [strange, SESSION_NAME.as_bytes(), b"=", ours.as_bytes()].concat();
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_bytes(&header).unwrap());
            assert!(session(&headers, config().keys()).is_ok(), "{strange:?}");
        }
    }

    fn with_cookie(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(text).unwrap())])
    }

    fn set(response: &Response<Body>) -> Vec<&str> {
        response.headers().get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
    }

    fn read(value: &str) -> Result<SessionCookie, Fault> {
        session(&with_cookie(&format!("other=1; __Host-Http-keyhole={value}")), config().keys())
    }

    fn value() -> String {
        issued().value(config().keys()).unwrap()
    }

    #[test]
    fn s25_the_session_cookie_is_pinned() {
        let mut response = empty(StatusCode::NO_CONTENT);
        set_session(&mut response, &issued(), &config());
        let cookie = set(&response).concat();
        let (value, attributes) = cookie.split_once("; ").unwrap();
        let mut attributes: Vec<&str> = attributes.split("; ").collect();
        attributes.sort_unstable();
        assert_eq!(attributes, ["HttpOnly", "Max-Age=5184000", "Path=/", "SameSite=Strict", "Secure"]);
        assert_eq!(
            value,
            "__Host-Http-keyhole=k1.cs1uhCLEB_ttCYaQ8RMLfe1-wvf14dML2dUh8BU2N5M.\
             AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI.ytp4_fNwtDbjOD6uDO8-7q17qGFTXXvHJ7ObByFBPN0"
        );
    }

    #[test]
    fn what_we_set_is_what_we_read() {
        let read = read(&value()).unwrap();
        assert_eq!(read.keeper, keeper());
        assert_eq!(read.secret.expose(), issued().secret.expose());
    }

    #[test]
    fn s25_sign_out_takes_the_same_cookie_away() {
        let mut response = empty(StatusCode::NO_CONTENT);
        clear_session(&mut response);
        let cookie = set(&response).concat();
        assert!(cookie.starts_with("__Host-Http-keyhole=; "), "{cookie}");
        for attribute in ["Max-Age=0", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
    }

    #[test]
    fn without_a_cookie_there_is_no_session() {
        assert_eq!(session(&HeaderMap::new(), config().keys()).unwrap_err(), Fault::NoSession);
        assert_eq!(session(&with_cookie("a=b; keyhole=c"), config().keys()).unwrap_err(), Fault::NoSession);
    }

    #[test]
    fn a_cookie_with_any_character_changed_is_none_of_ours() {
        let value = value();
        for at in 0..value.len() {
            let mut changed = value.clone().into_bytes();
            changed[at] = if changed[at] == b'b' { b'c' } else { b'b' };
            let changed = String::from_utf8(changed).unwrap();
            let fault = read(&changed).unwrap_err();
            // The name of a key is all that can turn into that of a key we do not hold.
            let wrong = matches!(fault, Fault::WrongKey(_) | Fault::DeadCookie);
            assert!(if at < 2 { matches!(fault, Fault::UnknownKey(_)) } else { wrong }, "{at}: {fault:?}");
        }
    }

    #[test]
    fn a_cookie_cut_short_or_with_more_in_it_is_none_of_ours() {
        let value = value();
        for length in 0..value.len() {
            assert_eq!(read(value.get(..length).unwrap()).unwrap_err(), Fault::DeadCookie, "{length}");
        }
        for wrong in
            [format!("{value}.x"), format!("k1.{value}"), format!("{value}="), value.replace('.', ":")]
        {
            assert_eq!(read(&wrong).unwrap_err(), Fault::DeadCookie, "{wrong}");
        }
    }

    #[test]
    fn a_cookie_of_a_key_that_is_gone_signs_nobody_out() {
        let other = format!("k2:{}", MasterKey::new([8; 32]).expose_text());
        let elsewhere = config_with(&[("SEAL_KEYS", &other)]);
        let sent = with_cookie(&format!("__Host-Http-keyhole={}", value()));
        let fault = session(&sent, elsewhere.keys()).unwrap_err();
        assert!(matches!(fault, Fault::UnknownKey(_)), "{fault:?}");
        assert!(!fault.clears_session());
    }

    fn login() -> LoginCookie {
        LoginCookie { secret: LoginSecret::new([3; 32]), record: b"sealed".to_vec() }
    }

    #[test]
    fn s26_the_login_cookie_is_lax_and_one_for_each_login() {
        let mut response = empty(StatusCode::FOUND);
        set_login(&mut response, &HeaderMap::new(), &keeper(), &login());
        let cookie = set(&response).concat();
        assert!(cookie.starts_with("__Host-Http-keyhole-login-72cd6e84=AwMDAwMD"), "{cookie}");
        for attribute in ["Max-Age=3600", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let sent = with_cookie(cookie.split(';').next().unwrap());
        let found = LoginCookie::find(&sent, &keeper()).unwrap();
        assert_eq!((found.secret.expose(), &found.record[..]), (&[3; 32], &b"sealed"[..]));
        let another = KeeperName::of(&State::new([9; 32]));
        assert!(LoginCookie::find(&sent, &another).is_none());
        clear_login(&mut response, &keeper());
        assert!(set(&response)[1].starts_with("__Host-Http-keyhole-login-72cd6e84=; "));
    }

    #[test]
    fn s26_leftovers_of_earlier_logins_go_the_oldest_first() {
        let earlier: Vec<String> =
            (0..6).map(|n| format!("__Host-Http-keyhole-login-0000000{n}=x.y")).collect();
        let mut response = empty(StatusCode::FOUND);
        set_login(&mut response, &with_cookie(&earlier.join("; ")), &keeper(), &login());
        let set = set(&response);
        assert_eq!(set.len(), 3, "{set:?}");
        assert!(set[0].starts_with("__Host-Http-keyhole-login-00000000=;") && set[0].contains("Max-Age=0"));
        assert!(set[1].starts_with("__Host-Http-keyhole-login-00000001=;"));
    }

    proptest! {
        #[test]
        fn no_foreign_cookie_is_a_session(text in "[ -~]{0,300}") {
            prop_assert!(session(&with_cookie(&text), config().keys()).is_err());
            prop_assert!(read(&text).is_err());
            prop_assert!(LoginCookie::find(&with_cookie(&text), &keeper()).is_none());
        }

        #[test]
        fn no_cookie_in_our_form_is_a_session_without_our_key(
            keeper: [u8; 32], secret: [u8; 32], tag: [u8; 32],
        ) {
            let [keeper, secret, tag] = [keeper, secret, tag].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
            let value = format!("k1.{keeper}.{secret}.{tag}");
            prop_assert!(read(&value).is_err());
        }
    }
}
