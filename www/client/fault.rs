//! What went wrong, as a stable code with the evidence a page may show.

/// The Worker's problem (RFC 9457), or one of our own codes where no answer came.
#[derive(Clone)]
pub struct Fault {
    /// Stable: `signed_out`, `item_not_found`, `rate_limited`, …; ours are the constants below.
    pub code: String,
    /// A sentence for people.
    pub title: String,
    /// The HTTP status, 0 where there was none.
    pub status: f64,
    /// The name of the setting that forbids it.
    pub rule: Option<String>,
    /// Why a session is over.
    pub reason: Option<String>,
    /// When asking again makes sense.
    pub retry_after_seconds: Option<f64>,
}

/// The browser says that it has no network.
pub const OFFLINE: &str = "offline";
/// No answer came: network, DNS, or a server that does not let this page ask.
pub const UNREACHABLE: &str = "unreachable";
/// No answer came in time.
pub const TIMED_OUT: &str = "timed_out";
/// An answer came that is not the Worker's.
pub const UNREADABLE: &str = "unreadable";
/// What was asked for is not a Box id.
pub const MALFORMED_ITEM: &str = "malformed_item";
/// Nobody is signed in.
pub const SIGNED_OUT: &str = "signed_out";
/// The window beside the page came to its end, and nobody is signed in.
pub const SIGN_IN_FAILED: &str = "sign_in_failed";
/// Nobody signed in beside the page, for as long as that makes sense.
pub const SIGN_IN_ABANDONED: &str = "sign_in_abandoned";
/// The browser did not let the window open, and leaving this page instead would not help it.
pub const POPUP_BLOCKED: &str = "popup_blocked";
/// The window beside the page never reached it: a policy of the page's, or of the browser's, keeps them apart.
pub const CUT_OFF: &str = "sign_in_cut_off";
/// The window beside the page is out of its sight, closed or cut off by Box's own pages, and only there it is known how
/// the sign-in ended.
pub const OUT_OF_SIGHT: &str = "sign_in_out_of_sight";
/// Box's preview library did not load.
pub const LIBRARY_UNREACHABLE: &str = "library_unreachable";
/// Box does not let this page's origin ask.
pub const CORS: &str = "cors_origin_not_whitelisted";
/// Box rejected the token.
pub const TOKEN_REFUSED: &str = "token_refused";
/// Box has no such file for this person.
pub const NOT_FOUND: &str = "item_not_found";
/// Box does not let this person see the file.
pub const NOT_ALLOWED: &str = "not_allowed";

impl Fault {
    /// A fault of our own, without an answer behind it.
    #[must_use]
    pub fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            title: String::new(),
            status: 0.0,
            rule: None,
            reason: None,
            retry_after_seconds: None,
        }
    }

    /// Whether the session is over, so that every token goes.
    #[must_use]
    pub fn ends_session(&self) -> bool {
        self.code == SIGNED_OUT
    }

    /// Whether asking again later may go well, so that a token that still lives is kept in use.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.status == 0.0 || self.status == 429.0 || self.status >= 500.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn answered(status: f64) -> Fault {
        Fault { status, ..Fault::new("any") }
    }

    #[test]
    fn silence_overload_and_trouble_may_pass() {
        for status in [0.0, 429.0, 500.0, 503.0] {
            assert!(answered(status).may_pass(), "{status}");
        }
    }

    #[test]
    fn a_refusal_does_not_pass() {
        for status in [400.0, 401.0, 403.0, 404.0] {
            assert!(!answered(status).may_pass(), "{status}");
        }
    }

    #[test]
    fn only_a_signed_out_answer_ends_the_session() {
        assert!(Fault::new(SIGNED_OUT).ends_session());
        assert!(!Fault::new(NOT_FOUND).ends_session());
    }
}
