//! What can go wrong in the Worker, with the evidence, and the one place that says what others are told of it.

use thiserror::Error;

use crate::{
    app::{KeeperUnreachable, StoreFault},
    guard::Refusal,
    keeper::message::{End, KeeperFault},
    problem::Problem,
    seal::KeyId,
};

/// Every way in which a request does not get what it wanted.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Fault {
    /// No such address.
    #[error("no such address")]
    NotFound,
    /// The address is known, the method is not.
    #[error("the method does not fit the address")]
    MethodNotAllowed {
        /// For the `Allow` header.
        allow: &'static str,
    },
    /// The caller may not call this.
    #[error("the caller may not call this: {0}")]
    Refused(#[from] Refusal),
    /// More logins than the limit were started from one address.
    #[error("too many logins from one address")]
    TooManyLogins,
    /// A login asks to return to a place that is not ours and not listed.
    #[error("the return address is not allowed")]
    ReturnToNotAllowed,
    /// A popup's opener is not a listed origin.
    #[error("the opener's origin is not allowed")]
    OpenerNotAllowed,
    /// The body is not declared as JSON.
    #[error("the body is not JSON by its content type")]
    NotJson,
    /// The body is larger than the limit.
    #[error("the body is too large")]
    TooLarge,
    /// A part of the request is not of its form; the word says which.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// More items than the limit.
    #[error("too many items")]
    TooManyItems,
    /// Not one of Box's typed ids.
    #[error("not a typed id of Box")]
    MalformedItem,
    /// A scope beyond `ALLOWED_SCOPES`.
    #[error("a scope beyond the allowed ones")]
    ScopeNotAllowed,
    /// A folder where `ALLOW_FOLDERS` is off.
    #[error("folders are not allowed")]
    FoldersNotAllowed,
    /// No session cookie came along.
    #[error("no session cookie")]
    NoSession,
    /// The session cookie is none of ours, or leads to no session.
    #[error("the session cookie opens nothing")]
    DeadCookie,
    /// The session ended.
    #[error("the session ended")]
    Ended(End),
    /// The session cookie was tagged with a key that this deployment does not hold.
    #[error("the session cookie names an unknown key")]
    UnknownKey(KeyId),
    /// The session cookie's tag does not hold under the key that it names: `SEAL_KEYS` gives that key another value.
    #[error("the session cookie was tagged with another value of its key")]
    WrongKey(KeyId),
    /// The keeper of a cookie whose tag holds knows of no session. The cookie stays: KV may know it again tomorrow.
    #[error("the keeper of this cookie holds no session")]
    Unopened,
    /// The keeper could not do it.
    #[error("the keeper reports a fault")]
    Keeper(KeeperFault),
    /// The keeper could not be asked.
    #[error(transparent)]
    Unreachable(#[from] KeeperUnreachable),
    /// The keeper speaks another version or answered something else: a deploy is under way.
    #[error("the keeper and the Worker are of different versions")]
    Skewed,
    /// KV failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// What a caller is asked to wait where nobody said how long, in seconds: a hiccup of the platform.
const RETRY_AFTER_HICCUP_SECONDS: u64 = 2;

/// What a caller is asked to wait after too many logins, in seconds: the rate limiter counts by the minute.
const RETRY_AFTER_LOGINS_SECONDS: u64 = 60;

impl Fault {
    /// Whether the browser is to forget its session cookie.
    ///
    /// Not after [`End::Replaced`]: the browser is just getting the cookie of its new session, and this answer
    /// could arrive after it. Not without a cookie, for the same reason.
    #[must_use]
    pub const fn clears_session(self) -> bool {
        match self {
            Self::DeadCookie => true,
            Self::Ended(end) => !matches!(end, End::Replaced),
            _ => false,
        }
    }

    /// The key that `SEAL_KEYS` lacks, or holds with another value, if that is what went wrong: an operator has to know
    /// which.
    #[must_use]
    pub const fn missing_key(self) -> Option<KeyId> {
        match self {
            Self::UnknownKey(key) | Self::WrongKey(key) => Some(key),
            _ => None,
        }
    }

    /// The stable word for the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooManyLogins => "too_many_logins",
            Self::OpenerNotAllowed => "opener_not_allowed",
            Self::NoSession => "no_session",
            Self::DeadCookie => "dead_cookie",
            Self::Ended(_) => "ended",
            Self::UnknownKey(_) => "unknown_key",
            Self::WrongKey(_) => "wrong_key",
            Self::Unopened => "unopened",
            Self::Unreachable(KeeperUnreachable::Overloaded) => "keeper_overloaded",
            Self::Unreachable(KeeperUnreachable::Slow) => "keeper_slow",
            Self::Unreachable(KeeperUnreachable::Broken) => "keeper_broken",
            Self::Skewed => "skewed",
            Self::Store(_) => "store_failed",
            Self::Keeper(KeeperFault::CodeRefused) => "code_refused",
            Self::Keeper(KeeperFault::Misconfigured) => "misconfigured",
            _ => self.problem().code,
        }
    }

    /// What others are told: a status, a stable code and a sentence, and nothing that came from Box or a browser.
    #[must_use]
    pub fn problem(self) -> Problem {
        match self {
            Self::NotFound => Problem::new(404, "not_found", "There is nothing at this address."),
            Self::MethodNotAllowed { allow } => {
                Problem::new(405, "method_not_allowed", "This address does not know that method.")
                    .allow(allow)
            }
            Self::Refused(refusal) => refused(refusal),
            Self::TooManyLogins => {
                Problem::new(429, "rate_limited", "Too many sign-ins were started from here. Wait a minute.")
                    .retry_after(RETRY_AFTER_LOGINS_SECONDS)
            }
            Self::ReturnToNotAllowed => Problem::new(
                403,
                "return_to_not_allowed",
                "return_to must be a path of this site, or lie in an allowed origin.",
            )
            .rule("ALLOWED_ORIGINS"),
            Self::OpenerNotAllowed => Problem::new(
                403,
                "origin_not_allowed",
                "opener must be this site's origin or an allowed one.",
            )
            .rule("ALLOWED_ORIGINS"),
            Self::NotJson => {
                Problem::new(415, "not_json", "The body must be JSON, with Content-Type application/json.")
            }
            Self::TooLarge => Problem::new(413, "too_large", "The body is too large."),
            Self::Malformed(part) => {
                Problem::new(400, "malformed_request", "The request is not of the expected form.")
                    .detail(part)
            }
            Self::TooManyItems => {
                Problem::new(400, "too_many_items", "At most 25 items can be asked for at once.")
            }
            Self::MalformedItem => Problem::new(
                400,
                "malformed_item",
                "An item is not one of Box's typed ids, such as file_123.",
            ),
            Self::ScopeNotAllowed => Problem::new(
                403,
                "scope_not_allowed",
                "This deployment does not allow a scope that was asked for.",
            )
            .rule("ALLOWED_SCOPES"),
            Self::FoldersNotAllowed => {
                Problem::new(403, "folders_not_allowed", "This deployment gives out tokens for files only.")
                    .rule("ALLOW_FOLDERS")
            }
            Self::NoSession | Self::DeadCookie | Self::Unopened => signed_out(),
            Self::Ended(end) => signed_out().reason(end),
            Self::UnknownKey(_) | Self::WrongKey(_) => locked(),
            Self::Keeper(fault) => keeper(fault),
            Self::Unreachable(_) | Self::Skewed | Self::Store(_) => busy(RETRY_AFTER_HICCUP_SECONDS),
        }
    }
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::WrongHost => {
            Problem::new(421, "wrong_host", "This site is to be reached by the address in PUBLIC_ORIGIN.")
                .rule("PUBLIC_ORIGIN")
        }
        Refusal::MissingHeader => {
            Problem::new(403, "missing_header", "The header Keyhole-Request: 1 is missing.")
        }
        Refusal::OriginNotAllowed => {
            Problem::new(403, "origin_not_allowed", "Pages of this origin may not call Keyhole.")
                .rule("ALLOWED_ORIGINS")
        }
        Refusal::NotSameOrigin => {
            Problem::new(403, "not_same_origin", "The browser says that this call comes from elsewhere.")
        }
        Refusal::NotAFetch => Problem::new(403, "not_a_fetch", "This address answers fetch calls only."),
        Refusal::AuthorizationHeader => {
            Problem::new(400, "authorization_header", "Keyhole takes no Authorization header.")
        }
        Refusal::NotANavigation => Problem::new(
            403,
            "not_a_navigation",
            "A sign-in starts by going to this address, not by loading it.",
        ),
    }
}

fn keeper(fault: KeeperFault) -> Problem {
    match fault {
        KeeperFault::ItemNotFound => {
            Problem::new(404, "item_not_found", "Box has no such item for this person.")
        }
        KeeperFault::Forbidden => {
            Problem::new(403, "not_allowed", "Box does not let this app or person have a token for it.")
        }
        KeeperFault::TokenTooWide => Problem::new(
            502,
            "token_too_wide",
            "Box's token opens more than was asked for. It was thrown away.",
        ),
        KeeperFault::CodeRefused => Problem::new(503, "box_unavailable", "Box did not accept the sign-in."),
        KeeperFault::BoxUnavailable { retry_after } => {
            Problem::new(503, "box_unavailable", "Box does not answer right now.").retry_after(retry_after)
        }
        KeeperFault::RateLimited { retry_after } => {
            Problem::new(429, "rate_limited", "Too many requests. Ask again later.").retry_after(retry_after)
        }
        KeeperFault::Busy { retry_after } => busy(retry_after),
        KeeperFault::Recovering { retry_after } => {
            Problem::new(503, "recovering", "An exchange with Box was cut off and is being cleared up.")
                .retry_after(retry_after)
        }
        KeeperFault::Misconfigured => not_configured(),
    }
}

fn signed_out() -> Problem {
    Problem::new(401, "signed_out", "Nobody is signed in here.")
}

/// Nobody is signed out for it: the operator brings the key back, and everybody goes on.
fn locked() -> Problem {
    Problem::new(
        503,
        "locked",
        "This sign-in is sealed with a key that is not at hand. Its operator must look.",
    )
    .retry_after(RETRY_AFTER_LOGINS_SECONDS)
}

fn not_configured() -> Problem {
    Problem::new(503, "not_configured", "This deployment's settings do not fit. Its operator must look.")
        .retry_after(RETRY_AFTER_LOGINS_SECONDS)
}

fn busy(retry_after: u64) -> Problem {
    Problem::new(503, "busy", "It is taking longer than usual. Ask again in a moment.")
        .retry_after(retry_after)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes are an interface: pages act on them.
    #[test]
    fn every_fault_has_its_status_and_code() {
        for (fault, status, code) in [
            (Fault::NotFound, 404, "not_found"),
            (Fault::MethodNotAllowed { allow: "GET" }, 405, "method_not_allowed"),
            (Fault::Refused(Refusal::WrongHost), 421, "wrong_host"),
            (Fault::Refused(Refusal::MissingHeader), 403, "missing_header"),
            (Fault::Refused(Refusal::OriginNotAllowed), 403, "origin_not_allowed"),
            (Fault::Refused(Refusal::NotSameOrigin), 403, "not_same_origin"),
            (Fault::Refused(Refusal::NotAFetch), 403, "not_a_fetch"),
            (Fault::Refused(Refusal::AuthorizationHeader), 400, "authorization_header"),
            (Fault::Refused(Refusal::NotANavigation), 403, "not_a_navigation"),
            (Fault::TooManyLogins, 429, "rate_limited"),
            (Fault::ReturnToNotAllowed, 403, "return_to_not_allowed"),
            (Fault::OpenerNotAllowed, 403, "origin_not_allowed"),
            (Fault::NotJson, 415, "not_json"),
            (Fault::TooLarge, 413, "too_large"),
            (Fault::Malformed("items"), 400, "malformed_request"),
            (Fault::TooManyItems, 400, "too_many_items"),
            (Fault::MalformedItem, 400, "malformed_item"),
            (Fault::ScopeNotAllowed, 403, "scope_not_allowed"),
            (Fault::FoldersNotAllowed, 403, "folders_not_allowed"),
            (Fault::NoSession, 401, "signed_out"),
            (Fault::DeadCookie, 401, "signed_out"),
            (Fault::Ended(End::Idle), 401, "signed_out"),
            (Fault::UnknownKey(KeyId::parse("k9").unwrap()), 503, "locked"),
            (Fault::WrongKey(KeyId::parse("k9").unwrap()), 503, "locked"),
            (Fault::Unopened, 401, "signed_out"),
            (Fault::Keeper(KeeperFault::CodeRefused), 503, "box_unavailable"),
            (Fault::Keeper(KeeperFault::ItemNotFound), 404, "item_not_found"),
            (Fault::Keeper(KeeperFault::Forbidden), 403, "not_allowed"),
            (Fault::Keeper(KeeperFault::TokenTooWide), 502, "token_too_wide"),
            (Fault::Keeper(KeeperFault::BoxUnavailable { retry_after: 5 }), 503, "box_unavailable"),
            (Fault::Keeper(KeeperFault::RateLimited { retry_after: 5 }), 429, "rate_limited"),
            (Fault::Keeper(KeeperFault::Busy { retry_after: 5 }), 503, "busy"),
            (Fault::Keeper(KeeperFault::Recovering { retry_after: 5 }), 503, "recovering"),
            (Fault::Keeper(KeeperFault::Misconfigured), 503, "not_configured"),
            (Fault::Unreachable(KeeperUnreachable::Slow), 503, "busy"),
            (Fault::Skewed, 503, "busy"),
            (Fault::Store(StoreFault), 503, "busy"),
        ] {
            let problem = fault.problem();
            assert_eq!((problem.status, problem.code), (status, code), "{fault:?}");
        }
    }

    #[test]
    fn s36_who_may_come_again_is_told_when() {
        for fault in [
            Fault::TooManyLogins,
            Fault::UnknownKey(KeyId::parse("k9").unwrap()),
            Fault::Keeper(KeeperFault::BoxUnavailable { retry_after: 5 }),
            Fault::Keeper(KeeperFault::RateLimited { retry_after: 5 }),
            Fault::Unreachable(KeeperUnreachable::Overloaded),
            Fault::Skewed,
        ] {
            assert!(fault.problem().retry_after_seconds > Some(0), "{fault:?}");
        }
    }

    #[test]
    fn a_session_that_could_not_be_asked_for_is_not_taken_from_the_browser() {
        for fault in [
            Fault::NoSession,
            Fault::UnknownKey(KeyId::parse("k9").unwrap()),
            Fault::Ended(End::Replaced),
            Fault::Keeper(KeeperFault::Misconfigured),
            Fault::Unreachable(KeeperUnreachable::Broken),
            Fault::Skewed,
        ] {
            assert!(!fault.clears_session(), "{fault:?}");
        }
        for fault in [Fault::DeadCookie, Fault::Ended(End::SignedOut), Fault::Ended(End::RotationLost)] {
            assert!(fault.clears_session(), "{fault:?}");
        }
    }
}
