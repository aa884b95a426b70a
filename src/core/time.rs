//! Time as a value: nothing in this crate reads a clock.

use core::time::Duration;
use serde::Serialize;

/// An instant: milliseconds since the Unix epoch, as the shell read them when the event arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, the unit of `exp`, KV and browsers.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// This instant and `span` more; the far future instead of an overflow.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long from here until `later`; nothing when `later` has passed.
    #[must_use]
    pub const fn until(self, later: Self) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_never_overflows_and_a_passed_one_is_no_time_away() {
        let now = Timestamp::from_millis(5_000);
        assert_eq!(now.plus(Duration::MAX).millis(), u64::MAX);
        assert_eq!(now.until(Timestamp::from_millis(4_000)), Duration::ZERO);
        assert_eq!(now.until(Timestamp::from_millis(7_500)), Duration::from_millis(2_500));
        assert_eq!(now.seconds(), 5);
    }
}
