//! What `<box-preview>` says when it cannot show a file: one sentence, and what a person can do.

use crate::fault;

/// A message in place of the preview.
pub struct Words {
    /// What is the matter.
    pub title: &'static str,
    /// What to do about it.
    pub text: &'static str,
    /// The button under it.
    pub action: Action,
}

/// What the message's button does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Goes to Box and comes back.
    SignIn,
    /// Tries the same again.
    Retry,
    /// There is no button: trying again cannot help.
    Nothing,
}

/// Over a preview whose session is over, and which stays where it is.
pub const PAUSED: Words = Words {
    title: "Your sign-in has ended",
    text: "Sign in again, and the file goes on where it is.",
    action: Action::SignIn,
};

/// The words for a code of the Worker's, of Box's or of ours. `said` is what the library itself says.
#[must_use]
pub fn of(code: &str) -> Words {
    if let Some((title, text)) = of_signing_in(code) {
        return Words { title, text, action: Action::SignIn };
    }
    let (title, text, action) = match code {
        fault::NOT_FOUND | "not_found" | fault::MALFORMED_ITEM => (
            "This file is not here",
            "It was moved or deleted, or it is not shared with you. Ask its owner for access.",
            Action::Nothing,
        ),
        fault::NOT_ALLOWED | "error_file_not_downloadable" => (
            "You may not see this file",
            "Your account has no permission to preview it. Ask its owner for access.",
            Action::Nothing,
        ),
        "scope_not_allowed" | "folders_not_allowed" | "origin_not_allowed" => (
            "This page asks for more than it may",
            "The operator of this Keyhole has not allowed it. The details name the rule.",
            Action::Nothing,
        ),
        fault::CORS => (
            "Box does not answer this page",
            "Most likely its address is missing from the “CORS domains” of the Box app. Whoever runs this page can add it in Box’s developer console, and see that the page’s own security policy lets it ask Box (connect-src).",
            Action::Retry,
        ),
        fault::TOKEN_REFUSED => ("Box refuses this page", "Try again, or sign out and in.", Action::Retry),
        fault::OFFLINE => {
            ("You are offline", "The file will show once you are connected again.", Action::Retry)
        }
        fault::UNREACHABLE | fault::TIMED_OUT | fault::UNREADABLE | "not_configured" => (
            "Keyhole does not answer",
            "The server that hands out access cannot be reached. Try again in a moment.",
            Action::Retry,
        ),
        "locked" => (
            "Your sign-in cannot be opened right now",
            "Whoever runs this Keyhole has to bring back a key. Nothing is lost. Try again later.",
            Action::Retry,
        ),
        fault::LIBRARY_UNREACHABLE => (
            "Box’s viewer did not load",
            "A network filter, an extension or the page’s security policy may be blocking it, or the computer is offline.",
            Action::Retry,
        ),
        "box_unavailable" | "busy" | "recovering" | "token_too_wide" => {
            ("Box is not available right now", "Nothing is lost. Try again in a moment.", Action::Retry)
        }
        "rate_limited" => {
            ("Too many files at once", "Box asks for a pause. Wait a minute, then try again.", Action::Retry)
        }
        "error_unsupported_file_type" | "error_unsupported_format" => {
            ("This kind of file has no preview", "Box cannot show it in a browser.", Action::Nothing)
        }
        "error_password_protected" => (
            "This file is locked with a password",
            "Box cannot show it without opening it first.",
            Action::Nothing,
        ),
        _ => (
            "The preview did not load",
            "Try again. If it stays so, the details help whoever looks into it.",
            Action::Retry,
        ),
    };
    Words { title, text, action }
}

/// What signing in, for the first time or again, takes care of.
fn of_signing_in(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        fault::SIGNED_OUT => {
            ("Sign in to see this file", "Box will ask who you are and bring you back here.")
        }
        fault::SIGN_IN_FAILED | fault::SIGN_IN_ABANDONED => (
            "You are not signed in",
            "The window for it was closed, or Box did not let you in. You can try again.",
        ),
        fault::POPUP_BLOCKED => (
            "Your browser blocked the window",
            "Allow this page to open windows, then press the button again.",
        ),
        fault::OUT_OF_SIGHT => (
            "Sign in there, then press again",
            "This page cannot see how the sign-in goes on in Box’s window. Once you are signed in there, or if you closed it, press the button again.",
        ),
        fault::CUT_OFF => (
            "The sign-in cannot reach this page",
            "Its window was closed early, or this page’s policy cuts it off. Whoever runs this page can use preview tickets instead.",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_out_visitor_is_offered_to_sign_in() {
        assert!(of(fault::SIGNED_OUT).action == Action::SignIn);
    }

    #[test]
    fn a_sign_in_that_came_to_nothing_can_be_begun_again_and_one_that_is_cut_off_names_tickets() {
        for code in [
            fault::SIGN_IN_FAILED,
            fault::SIGN_IN_ABANDONED,
            fault::OUT_OF_SIGHT,
            fault::POPUP_BLOCKED,
            fault::CUT_OFF,
        ] {
            assert!(of(code).action == Action::SignIn, "{code}");
        }
        assert!(of(fault::CUT_OFF).text.contains("preview tickets"));
    }

    #[test]
    fn what_may_pass_can_be_tried_again() {
        for code in [
            fault::OFFLINE,
            fault::UNREACHABLE,
            fault::TIMED_OUT,
            fault::LIBRARY_UNREACHABLE,
            fault::TOKEN_REFUSED,
            "rate_limited",
            "anything",
        ] {
            assert!(of(code).action == Action::Retry, "{code}");
        }
    }

    #[test]
    fn what_has_a_known_cause_names_it() {
        let unknown = of("anything").title;
        for code in [
            fault::OFFLINE,
            fault::CORS,
            fault::TIMED_OUT,
            fault::LIBRARY_UNREACHABLE,
            fault::TOKEN_REFUSED,
            "rate_limited",
        ] {
            assert_ne!(of(code).title, unknown, "{code}");
        }
    }

    #[test]
    fn what_cannot_pass_has_no_button() {
        for code in [fault::NOT_FOUND, fault::NOT_ALLOWED, "scope_not_allowed", "error_unsupported_file_type"]
        {
            assert!(of(code).action == Action::Nothing, "{code}");
        }
    }
}
