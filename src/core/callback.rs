//! What Box's redirect says, judged: redeem a code, or leave with a word. Pure.

use crate::{
    config::Config,
    secret::{AuthorizationCode, State},
    time::Timestamp,
    transaction::Transaction,
};

/// How a login ended. The words are an interface: pages and popups act on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is a session.
    SignedIn,
    /// The person said no at Box.
    Denied,
    /// Box's redirect has no `state`.
    StateMissing,
    /// This browser started no login with this `state`.
    StateUnknown,
    /// The login took longer than 10 minutes.
    StateExpired,
    /// This browser is signed in by this very login.
    StateUsed,
    /// Box did not take its own code.
    CodeRefused,
    /// Box was down or slow.
    BoxUnavailable,
    /// Anything else; an operator finds it in the log.
    Failed,
}

impl Outcome {
    const ALL: [Self; 9] = [
        Self::SignedIn,
        Self::Denied,
        Self::StateMissing,
        Self::StateUnknown,
        Self::StateExpired,
        Self::StateUsed,
        Self::CodeRefused,
        Self::BoxUnavailable,
        Self::Failed,
    ];

    /// Reads what [`Self::word`] wrote.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }

    /// The stable word, for addresses and the log.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::Denied => "denied",
            Self::StateMissing => "state_missing",
            Self::StateUnknown => "state_unknown",
            Self::StateExpired => "state_expired",
            Self::StateUsed => "state_used",
            Self::CodeRefused => "code_refused",
            Self::BoxUnavailable => "box_unavailable",
            Self::Failed => "failed",
        }
    }
}

/// What is to be done about a callback.
#[derive(Debug)]
pub enum Verdict {
    /// Redeem this code, at once: it lives 30 seconds.
    Redeem(AuthorizationCode),
    /// Nothing to redeem.
    Leave(Outcome),
}

/// The parameters of Box's redirect (RFC 6749 section 4.1.2, RFC 9207). Others are ignored, as section 4.1.2 asks:
/// Box adds some of its own.
#[derive(Debug, Default)]
pub struct Callback {
    /// The one-time `state`, of our form.
    pub state: Option<State>,
    code: Parameter,
    error: Parameter,
    iss: Parameter,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Parameter {
    #[default]
    Absent,
    Given(String),
    /// There more than once, or longer than any honest one: RFC 6749 section 3.1 allows neither to mean anything.
    Spoilt,
}

/// Box's codes have 32 characters.
const PARAMETER_BYTES_MAX: usize = 1024;

impl Callback {
    /// Reads the query.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let mut callback = Self::default();
        let mut state = Parameter::Absent;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "state" => state.give(&value),
                "code" => callback.code.give(&value),
                "error" => callback.error.give(&value),
                "iss" => callback.iss.give(&value),
                _ => {}
            }
        }
        if let Parameter::Given(text) = state {
            callback.state = State::parse(&text);
        }
        callback
    }

    /// Judges it against the login that its `state` belongs to.
    #[must_use]
    pub fn judge(self, transaction: &Transaction, now: Timestamp, config: &Config) -> Verdict {
        if now >= transaction.expires_at {
            return Verdict::Leave(Outcome::StateExpired);
        }
        let issuer = config.app().authorize_url.origin().ascii_serialization();
        match self.iss {
            Parameter::Absent => {}
            Parameter::Given(iss) if iss == issuer => {}
            Parameter::Given(_) | Parameter::Spoilt => return Verdict::Leave(Outcome::Failed),
        }
        match (self.error, self.code) {
            (Parameter::Absent, Parameter::Given(code)) => Verdict::Redeem(AuthorizationCode::new(code)),
            (Parameter::Given(error), Parameter::Absent) if error == "access_denied" => {
                Verdict::Leave(Outcome::Denied)
            }
            _ => Verdict::Leave(Outcome::Failed),
        }
    }
}

impl Parameter {
    fn give(&mut self, value: &str) {
        let fits = (1..=PARAMETER_BYTES_MAX).contains(&value.len());
        *self = match self {
            Self::Absent if fits => Self::Given(value.to_owned()),
            _ => Self::Spoilt,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::tests::config, return_to::ReturnTo};

    const STATE: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const EXPIRY: u64 = 1_000_000;

    fn judged_at(query: &str, millis: u64) -> Result<String, Outcome> {
        let config = config();
        let transaction = Transaction {
            return_to: ReturnTo::home(&config),
            opener: None,
            verifier: crate::secret::PkceVerifier::new(""),
            expires_at: Timestamp::from_millis(EXPIRY),
            previous: None,
        };
        let callback = Callback::parse(&format!("state={STATE}&{query}"));
        assert!(callback.state.is_some());
        match callback.judge(&transaction, Timestamp::from_millis(millis), &config) {
            Verdict::Redeem(code) => Ok(code.expose().to_owned()),
            Verdict::Leave(outcome) => Err(outcome),
        }
    }

    #[track_caller]
    fn left(query: &str, outcome: Outcome) {
        assert_eq!(judged_at(query, 0), Err(outcome), "{query}");
    }

    #[test]
    fn a_code_is_redeemed_whatever_else_box_says() {
        assert_eq!(judged_at("code=c0de", 0).unwrap(), "c0de");
        assert_eq!(judged_at("code=c%2B0&base_domain=box.com&session_state=1", 0).unwrap(), "c+0");
    }

    #[test]
    fn a_denial_is_told_apart_from_what_goes_wrong() {
        left("error=access_denied&error_description=The+user+denied+access", Outcome::Denied);
        for query in [
            "error=server_error",
            "error=access_denied&code=c0de",
            "error=access_denied&error=access_denied",
            "error=",
            "",
            "code=",
            "code=a&code=b",
        ] {
            left(query, Outcome::Failed);
        }
        left(&format!("code={}", "a".repeat(1025)), Outcome::Failed);
    }

    #[test]
    fn s08_an_issuer_that_is_not_ours_aborts() {
        assert!(judged_at("code=c0de&iss=https%3A%2F%2Faccount.box.com", 0).is_ok());
        for iss in ["https://evil.example", "https://account.box.com/", "", "https://account.box.com&iss=x"] {
            left(&format!("code=c0de&iss={iss}"), Outcome::Failed);
            left(&format!("error=access_denied&iss={iss}"), Outcome::Failed);
        }
    }

    #[test]
    fn s03_a_login_is_over_after_its_time() {
        assert!(judged_at("code=c0de", EXPIRY - 1).is_ok());
        assert_eq!(judged_at("code=c0de", EXPIRY), Err(Outcome::StateExpired));
        assert_eq!(judged_at("error=access_denied", EXPIRY), Err(Outcome::StateExpired));
    }

    #[test]
    fn s03_a_state_that_is_not_of_our_form_is_none() {
        for query in
            ["", "state=", "state=short", &format!("state={STATE}A"), &format!("state={STATE}&state={STATE}")]
        {
            assert!(Callback::parse(query).state.is_none(), "{query}");
        }
    }

    #[test]
    fn an_outcome_survives_its_word_and_no_other_word_is_one() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.word()), Some(outcome));
        }
        assert_eq!(Outcome::parse("signed_in "), None);
    }
}
