//! What the page says about a login that failed, a session that ended and a server that does not answer.

/// How a login went that did not succeed, by the outcome in the page's address.
#[must_use]
pub fn login(outcome: &str) -> &'static str {
    match outcome {
        "denied" => "You said no at Box, so nothing was opened. You can sign in whenever you like.",
        "state_missing" => {
            "The sign-in was not started in this browser, or its cookie is gone. Please start it here once more."
        }
        "state_unknown" => "This sign-in is not known here. Please start it once more.",
        "state_expired" => "The sign-in took too long and ran out. Please start it once more.",
        "state_used" => {
            "That sign-in was already completed. If you are not signed in now, please start it once more."
        }
        "code_refused" => "Box did not confirm the sign-in. Please start it once more.",
        "box_unavailable" => "Box does not answer right now. Please try again in a moment.",
        _ => "The sign-in did not work. Please try again.",
    }
}

/// Why someone who was signed in is not any more.
#[must_use]
pub fn ended(reason: &str) -> &'static str {
    match reason {
        "signed_out" => "You are signed out. Every pass is gone from this page.",
        "idle" => "You were away for a while, so your sign-in was ended. Sign in to go on.",
        "expired" => "Your sign-in has reached its age limit. Sign in to go on.",
        "revoked" => "Box no longer accepts this sign-in: it was withdrawn there. Sign in to go on.",
        "superseded" => {
            "Only an older copy of your sign-in was left, and Box no longer takes it. Sign in to go on."
        }
        "rotation_lost" => {
            "Box’s answer was lost at the very moment your sign-in was being renewed. That is rare; signing in mends it."
        }
        "replaced" => "You signed in anew, and that ended this sign-in. Sign in to go on.",
        _ => "Your sign-in has ended. Sign in to go on.",
    }
}

/// A heading and a sentence about what does not work.
pub struct Trouble {
    /// What is the matter.
    pub title: &'static str,
    /// What to do about it.
    pub text: &'static str,
}

/// The words for a code, when the page itself or a folder does not come.
#[must_use]
pub fn trouble(code: &str) -> Trouble {
    let (title, text) = match code {
        "offline" => ("You are offline", "Connect to the internet, then try again."),
        "not_allowed" => (
            "Box does not allow this",
            "Your account or the app lacks the right to read it. The app’s scopes are set in Box’s Developer Console.",
        ),
        "not_configured" => {
            ("This Keyhole is not set up yet", "Whoever runs it finds what is missing at /healthz.")
        }
        "locked" => (
            "Your sign-in cannot be opened right now",
            "It is sealed with a key that this Keyhole does not have at hand; whoever runs it finds which in the log. You can wait for it, or sign in anew.",
        ),
        "module_blocked" => (
            "This page could not start",
            "Its program did not load. An extension or a network filter may be blocking WebAssembly.",
        ),
        "box_unavailable" | "busy" | "recovering" => {
            ("Box does not answer right now", "Nothing is lost. Try again in a moment.")
        }
        "rate_limited" => ("A little too fast", "Wait a minute, then try again."),
        "item_not_found" | "not_found" => {
            ("This folder is not here", "It was moved or deleted, or it is not shared with you.")
        }
        _ => (
            "Keyhole does not answer",
            "Its server cannot be reached, or something there is wrong. Try again in a moment.",
        ),
    };
    Trouble { title, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_of_a_login_has_words_of_its_own() {
        let outcomes = [
            "denied",
            "state_missing",
            "state_unknown",
            "state_expired",
            "state_used",
            "code_refused",
            "box_unavailable",
            "failed",
        ];
        all_differ(&outcomes.map(login));
    }

    #[test]
    fn every_end_of_a_session_has_words_of_its_own() {
        let reasons =
            ["signed_out", "idle", "expired", "revoked", "superseded", "rotation_lost", "replaced", "?"];
        all_differ(&reasons.map(ended));
    }

    #[test]
    fn an_unknown_code_still_finds_words() {
        assert!(!login("<b>").is_empty() && !trouble("").title.is_empty());
    }

    #[track_caller]
    fn all_differ(texts: &[&str]) {
        for (at, text) in texts.iter().enumerate() {
            assert!(!texts.iter().skip(at + 1).any(|other| other == text), "{text}");
        }
    }
}
