//! Box's limits: so many calls a minute for a user, and fewer uploads and searches. Off unless the settings say so.
//!
//! <https://developer.box.com/guides/api-calls/permissions-and-errors/rate-limits/>

use std::collections::{BTreeMap, VecDeque};

use crate::control::settings::Settings;

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;

/// What counts against which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any call of the API.
    Call,
    Upload,
    Search,
    /// A call of the content host, which has no limit.
    Content,
    /// A call of the token endpoint, for an app instead of a user.
    Token,
}

/// When each of the counted calls came. Not kept over restarts.
#[derive(Debug, Default)]
pub(crate) struct Throttle(BTreeMap<(&'static str, String), VecDeque<u64>>);

/// One limit: its name, how many, in how many milliseconds.
type Limit = (&'static str, Option<u64>, u64);

impl Kind {
    fn limits(self, settings: &Settings) -> Vec<Limit> {
        let calls = ("calls", settings.requests_per_minute, MINUTE_MS);
        match self {
            Self::Call => vec![calls],
            Self::Content => Vec::new(),
            Self::Upload => vec![calls, ("uploads", settings.uploads_per_minute, MINUTE_MS)],
            Self::Search => vec![
                calls,
                ("searches a second", settings.searches_per_second, SECOND_MS),
                ("searches a minute", settings.searches_per_minute, MINUTE_MS),
            ],
            Self::Token => vec![("tokens", settings.token_requests_per_minute, MINUTE_MS)],
        }
    }
}

impl Throttle {
    /// Counts a call of `who`, unless one of its limits is reached. What is refused is not counted.
    ///
    /// # Errors
    /// After how many seconds there is room again.
    pub(crate) fn admit(
        &mut self,
        settings: &Settings,
        kind: Kind,
        who: &str,
        now_ms: u64,
    ) -> Result<(), u64> {
        let limits = kind.limits(settings).into_iter();
        let limits: Vec<_> =
            limits.filter_map(|(name, most, span_ms)| Some((name, most?, span_ms))).collect();
        let mut wait_ms = None;
        for (name, most, span_ms) in &limits {
            let seen = self.0.entry((*name, who.to_owned())).or_default();
            // A clock that was put back has no calls to come.
            seen.retain(|at_ms| *at_ms <= now_ms && at_ms.saturating_add(*span_ms) > now_ms);
            if u64::try_from(seen.len()).unwrap_or(u64::MAX) >= *most {
                let first_ms = seen.front().copied().unwrap_or(now_ms);
                wait_ms = wait_ms.max(Some(first_ms.saturating_add(*span_ms) - now_ms));
            }
        }
        if let Some(wait_ms) = wait_ms {
            return Err(wait_ms.div_ceil(SECOND_MS));
        }
        for (name, ..) in limits {
            self.0.entry((name, who.to_owned())).or_default().push_back(now_ms);
        }
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
