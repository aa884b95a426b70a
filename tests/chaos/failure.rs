//! Why the harness itself cannot go on. What the Worker does wrong is counted, and is no [`Failure`].

use std::fmt::Display;

/// What every step of the harness returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// A sentence for a person.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

/// A failure in words.
pub(crate) fn said<T>(text: impl Into<String>) -> Outcome<T> {
    Err(Failure(text.into()))
}

/// Adds what was being done to an error that only says what happened.
pub(crate) trait While<T> {
    /// Turns an error into `{doing}: {error}`.
    fn or_say(self, doing: &str) -> Outcome<T>;
}

impl<T, E: Display> While<T> for Result<T, E> {
    fn or_say(self, doing: &str) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{doing}: {error}")))
    }
}

/// The same for what is simply not there.
pub(crate) trait OrSaid<T> {
    /// Turns nothing into a failure.
    fn or_said(self, text: &str) -> Outcome<T>;
}

impl<T> OrSaid<T> for Option<T> {
    fn or_said(self, text: &str) -> Outcome<T> {
        self.ok_or_else(|| Failure(text.to_owned()))
    }
}
