//! A login: off to Box with a one-time `state`, and back with a code that is redeemed once.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use core::net::{IpAddr, Ipv6Addr};
use http::{HeaderMap, Request, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::{
    app::{Body, Context, KeeperUnreachable, Keepers, Served, Store, Visit},
    box_api::{self, AuthorizeRequest},
    callback::{Callback, Outcome, Verdict},
    config::Config,
    cookies::{self, LoginCookie, SessionCookie},
    fault::Fault,
    guard, headers,
    keeper::{
        KeeperName,
        message::{Ask, End, KeeperFault, Message, Reply},
    },
    notice,
    origin::Origin,
    return_to::ReturnTo,
    route::Route,
    secret::{AuthorizationCode, Entropy, LoginSecret, PkceVerifier, SessionSecret, State},
    sent,
    transaction::{self, LOGIN_LIFE, Transaction, Unusable},
};

/// Whom a started login counts for: the address that Cloudflare saw, an IPv6 network by its /64. `None` for any
/// other request, and where there is no address. The header grants no trust: it is a key of the rate limit only.
#[must_use]
pub fn rate_key<B>(request: &Request<B>) -> Option<String> {
    if Route::at(request.uri().path()) != Some(Route::Login) {
        return None;
    }
    let address: IpAddr = request.headers().get(&sent::CONNECTING_IP)?.to_str().ok()?.trim().parse().ok()?;
    Some(match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    })
}

/// `GET /auth/login`: writes down what must be known later, and sends the browser to Box.
pub(crate) async fn start<S: Store, K: Keepers>(
    context: &Context<'_, S, K>,
    request: &Request<Vec<u8>>,
    visit: &mut Visit,
) -> Result<Served, Fault> {
    let config = context.config;
    guard::may_navigate(request.headers())?;
    if !visit.login_admitted {
        return Err(Fault::TooManyLogins);
    }
    let asked = LoginAsk::parse(request.uri().query().unwrap_or_default(), config)?;
    let entropy = &mut visit.entropy;
    let (state, secret) = (State::new(entropy.draw()), LoginSecret::new(entropy.draw()));
    let transaction = Transaction {
        return_to: asked.return_to,
        opener: asked.opener,
        verifier: PkceVerifier::new(URL_SAFE_NO_PAD.encode(entropy.draw::<32>())),
        expires_at: context.now.plus(LOGIN_LIFE),
        previous: cookies::session(request.headers(), config.keys()).ok(),
    };
    let keeper = KeeperName::of(&state);
    let record = transaction.seal(config, &keeper, &secret, entropy.draw());
    // The cookie's copy is enough where the store is late or full.
    let saved = context.store.save(&transaction::key(&keeper), &record, LOGIN_LIFE).await;
    let to = box_api::authorize_url(
        config.app(),
        &AuthorizeRequest {
            redirect_uri: &config.redirect_uri(),
            state: &state.expose_text(),
            code_challenge: &code_challenge(&transaction.verifier),
            scopes: &config.login_scopes,
            login_hint: asked.login_hint.as_deref(),
        },
    );
    let mut response = headers::redirect(StatusCode::FOUND, to.as_str());
    cookies::set_login(&mut response, request.headers(), &keeper, &LoginCookie { secret, record });
    Ok(Served::new(response, saved.err().map(|fault| Fault::Store(fault).name())))
}

/// What a page may ask of a login.
struct LoginAsk {
    return_to: ReturnTo,
    opener: Option<Origin>,
    login_hint: Option<String>,
}

/// An e-mail address is no longer (RFC 5321 section 4.5.3.1.3).
const LOGIN_HINT_BYTES_MAX: usize = 254;

impl LoginAsk {
    fn parse(query: &str, config: &Config) -> Result<Self, Fault> {
        let mut asked = Self { return_to: ReturnTo::home(config), opener: None, login_hint: None };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "return_to" => {
                    asked.return_to = ReturnTo::parse(&value, config).ok_or(Fault::ReturnToNotAllowed)?;
                }
                "opener" => {
                    let opener = transaction::opener_of(&value, config).ok_or(Fault::OpenerNotAllowed)?;
                    asked.opener = Some(opener);
                }
                "login_hint" if value.len() > LOGIN_HINT_BYTES_MAX || value.contains(char::is_control) => {
                    return Err(Fault::Malformed("login_hint"));
                }
                "login_hint" => asked.login_hint = Some(value.into_owned()).filter(|hint| !hint.is_empty()),
                _ => {}
            }
        }
        Ok(asked)
    }
}

/// S256 (RFC 7636 section 4.2).
fn code_challenge(verifier: &PkceVerifier) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

/// `GET /auth/callback`: cookie, then state, then the keeper opens. Always leaves by 303, faults too, so that code
/// and state are in no address that stays (RFC 9700 section 4.2.4).
pub(crate) async fn finish<S: Store, K: Keepers>(
    context: &Context<'_, S, K>,
    request: &Request<Vec<u8>>,
    entropy: &mut Entropy,
) -> Served {
    let callback = Callback::parse(request.uri().query().unwrap_or_default());
    let Some(keeper) = callback.state.as_ref().map(KeeperName::of) else {
        return leave(context, entropy, None, Outcome::StateMissing);
    };
    let Some(cookie) = LoginCookie::find(request.headers(), &keeper) else {
        let outcome = without_cookie(request.headers(), &keeper, context.config);
        return leave(context, entropy, None, outcome);
    };
    let mut served = finish_own(context, entropy, callback, &keeper, &cookie).await;
    cookies::clear_login(&mut served.response, &keeper);
    served
}

/// The rest of it, for the browser that holds the login's cookie.
async fn finish_own<S: Store, K: Keepers>(
    context: &Context<'_, S, K>,
    entropy: &mut Entropy,
    callback: Callback,
    keeper: &KeeperName,
    cookie: &LoginCookie,
) -> Served {
    let transaction = match load(context, keeper, cookie).await {
        Ok(transaction) => transaction,
        Err(Unusable::Unknown) => return leave(context, entropy, None, Outcome::StateUnknown),
        Err(Unusable::Foreign) => return leave(context, entropy, None, Outcome::Failed),
    };
    let opened = match callback.judge(&transaction, context.now, context.config) {
        Verdict::Redeem(code) => open(context, entropy, keeper, code, &transaction.verifier).await,
        Verdict::Leave(outcome) => Err(outcome),
    };
    let outcome = opened.as_ref().err().copied().unwrap_or(Outcome::SignedIn);
    let mut served = leave(context, entropy, Some(&transaction), outcome);
    if let Ok(Some(session)) = opened {
        cookies::set_session(&mut served.response, &session, context.config);
        replace(context, transaction.previous, keeper).await;
    }
    served
}

/// The login's cookie is gone. Who holds the session that this `state` opened has used it; anyone else is a
/// stranger to it. Neither costs a hop.
fn without_cookie(sent: &HeaderMap, keeper: &KeeperName, config: &Config) -> Outcome {
    match cookies::session(sent, config.keys()) {
        Ok(session) if session.keeper == *keeper => Outcome::StateUsed,
        _ => Outcome::StateUnknown,
    }
}

/// The transaction from the store, or from the cookie where the store is late, full or down. Either opens for the
/// browser that started it only.
async fn load<S: Store, K>(
    context: &Context<'_, S, K>,
    keeper: &KeeperName,
    cookie: &LoginCookie,
) -> Result<Transaction, Unusable> {
    let stored = context.store.load(&transaction::key(keeper)).await.ok().flatten();
    let record = stored.as_ref().unwrap_or(&cookie.record);
    Transaction::open(context.config, keeper, &cookie.secret, record)
}

/// Has the keeper open. The session, or none for the loser of two callbacks: the winner's answer brings it.
async fn open<S, K: Keepers>(
    context: &Context<'_, S, K>,
    entropy: &mut Entropy,
    keeper: &KeeperName,
    code: AuthorizationCode,
    verifier: &PkceVerifier,
) -> Result<Option<SessionCookie>, Outcome> {
    let secret = SessionSecret::new(entropy.draw());
    let ask = Ask::Open { code, verifier: verifier.clone() };
    match context.keepers.ask(keeper, &Message { secret: secret.clone(), ask }).await {
        Ok(Reply::Session(_)) => Ok(Some(SessionCookie::issue(keeper.clone(), secret))),
        Ok(Reply::AlreadyOpened) => Ok(None),
        Ok(Reply::Fault(KeeperFault::CodeRefused)) => Err(Outcome::CodeRefused),
        Ok(Reply::Fault(
            KeeperFault::BoxUnavailable { .. }
            | KeeperFault::Busy { .. }
            | KeeperFault::RateLimited { .. }
            | KeeperFault::Recovering { .. },
        ))
        | Err(KeeperUnreachable::Slow) => Err(Outcome::BoxUnavailable),
        _ => Err(Outcome::Failed),
    }
}

/// The browser signed in anew: its earlier session ends. Should the keeper not hear it, that session ends by its
/// own limits; nobody holds its cookie any more.
async fn replace<S, K: Keepers>(
    context: &Context<'_, S, K>,
    previous: Option<SessionCookie>,
    keeper: &KeeperName,
) {
    if let Some(SessionCookie { keeper, secret, .. }) = previous.filter(|session| session.keeper != *keeper) {
        drop(context.keepers.ask(&keeper, &Message { secret, ask: Ask::Close(End::Replaced) }).await);
    }
}

/// Away by 303: to where the login returns to, or to a page of words for a popup and for who has nowhere to return.
fn leave<S, K>(
    context: &Context<'_, S, K>,
    entropy: &mut Entropy,
    transaction: Option<&Transaction>,
    outcome: Outcome,
) -> Served {
    let to = match transaction {
        Some(Transaction { return_to, opener: None, .. }) if outcome == Outcome::SignedIn => {
            return_to.as_str().to_owned()
        }
        Some(Transaction { return_to, opener: None, .. }) => return_to.with_outcome(outcome.word()),
        popup_or_nothing => {
            notice::done_address(context.config, context.now, entropy, popup_or_nothing, outcome)
        }
    };
    let response: Response<Body> = headers::redirect(StatusCode::SEE_OTHER, &to);
    Served::new(response, Some(outcome.word()).filter(|_| outcome != Outcome::SignedIn))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(path: &str, address: &str) -> Option<String> {
        let request = Request::builder().uri(path).header("cf-connecting-ip", address);
        rate_key(&request.body(()).unwrap())
    }

    #[test]
    fn s36_logins_are_counted_by_address_and_ipv6_by_network() {
        for (address, key) in [
            ("203.0.113.9", "203.0.113.9"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(key_of("/auth/login?return_to=/", address).as_deref(), Some(key), "{address}");
        }
    }

    #[test]
    fn s15_no_other_header_and_no_other_route_is_counted() {
        assert_eq!(key_of("/api/session", "203.0.113.9"), None);
        assert_eq!(key_of("/auth/login", "not an address"), None);
        let forwarded =
            Request::builder().uri("/auth/login").header("x-forwarded-for", "203.0.113.9").body(()).unwrap();
        assert_eq!(rate_key(&forwarded), None);
    }

    /// The example of RFC 7636, appendix B.
    #[test]
    fn s06_the_challenge_is_s256_of_the_verifier() {
        let challenge = code_challenge(&PkceVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
