//! Why a command stopped.

use std::fmt::Display;

/// What every step returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong; the text tells a person what, and what to do.
    Said(String),
    /// Somebody pressed Ctrl-C. Nothing needs to be said.
    Interrupted,
}

/// A failure in words.
pub(crate) fn said<T>(text: impl Into<String>) -> Outcome<T> {
    Err(Failure::Said(text.into()))
}

/// Adds what was being done to an error that only says what happened.
pub(crate) trait While<T> {
    /// Turns an error into `{doing}: {error}`.
    fn or_say(self, doing: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: Display> While<T> for Result<T, E> {
    fn or_say(self, doing: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure::Said(format!("{}: {error}", doing())))
    }
}
