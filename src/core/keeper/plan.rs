//! What is due when: margins, limits and the plan for an item. Pure and total.

use core::time::Duration;

use super::record::{Grant, Quota, Window};
use crate::{
    box_api::{BoxFault, Child, Unreachable},
    time::Timestamp,
};

/// The page renews a token while this much, or a quarter of its life, remains: the least of both.
pub const RENEW_MARGIN: Duration = Duration::from_secs(5 * 60);
/// A cached child is handed out again while this much, or half of its life, remains.
pub const SERVE_MARGIN: Duration = Duration::from_secs(10 * 60);
/// The parent is refreshed before minting when less than this, or a third of its life, remains.
pub const REFRESH_MARGIN: Duration = Duration::from_secs(20 * 60);

// What the page is about to renew must be answered with more life than it has, and that must be minted from a
// parent that outlives it.
const _: () = assert!(RENEW_MARGIN.as_secs() < SERVE_MARGIN.as_secs());
const _: () = assert!(SERVE_MARGIN.as_secs() < REFRESH_MARGIN.as_secs());

/// When a refresh could not be done just now, a parent with this much life still mints.
pub(crate) const LAST_RESORT: Duration = Duration::from_secs(60);

/// How long a caller waits before it is told to come again.
pub const CALLER_LIMIT: Duration = Duration::from_secs(10);
/// How long an exchange with Box may take. Aborting one that Box is committing would lose its answer.
pub const EXCHANGE_LIMIT: Duration = Duration::from_secs(60);
/// How long Box may take to say whose a session is: the name is not worth more.
pub const USER_LIMIT: Duration = Duration::from_secs(4);
/// How long a folder may take: its caller does not wait longer, and a refresh waits for it.
pub const BROWSE_LIMIT: Duration = Duration::from_secs(9);
/// A pair whose first sign of life never came is revoked after this: its browser never got the cookie.
pub const OPENING_GRACE: Duration = Duration::from_secs(60);
/// In this time a 401 makes for a refresh [`REFUSED_PARENTS_MAX`] times at most; more are not the parent's fault.
pub const REFUSED_PARENT_GRAIN: Duration = Duration::from_secs(5 * 60);
/// See [`REFUSED_PARENT_GRAIN`].
pub const REFUSED_PARENTS_MAX: u32 = 3;
/// From the start of a refresh until its answer can no longer arrive: the exchange's limit, and slack.
pub const ATTEMPT_LIFE: Duration = Duration::from_secs(90);
/// How long the save waits for the KV copy.
pub const ESCROW_LIMIT: Duration = Duration::from_millis(500);
/// How long after an attempt's deadline a KV read is sure to show what its instance put there.
pub const KV_SETTLE: Duration = Duration::from_secs(60);
/// How many calls to Box with the parent token run at once: the runtime has six connections.
pub const SHARED_CALLS_MAX: usize = 6;
/// How many callers wait at once. More are told to come again; none of them loses anything.
pub const CALLERS_MAX: usize = 200;
/// How many children a keeper holds. The one that ends first makes room.
pub const CHILDREN_MAX: usize = 200;
/// How many revocations an alarm works off.
pub const REVOKES_PER_ALARM: u32 = 40;
/// A token said to be refused is replaced once in this time.
pub const REFUSED_GRAIN: Duration = Duration::from_secs(30);
/// A keeper whose opening failed is forgotten after this: longer than any login or code lives.
pub const OPENING_LIFE: Duration = Duration::from_secs(60 * 60);
/// A tombstone outlives the KV copy's expiry by this.
pub const TOMBSTONE_SLACK: Duration = Duration::from_secs(24 * 60 * 60);
/// A refresh token unused for this long is dead at Box.
pub const REFRESH_TOKEN_LIFE: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// Whether a cached child has life enough to be handed out again.
pub(super) fn serves(child: &Child, now: Timestamp) -> bool {
    now.until(child.expires_at) >= SERVE_MARGIN.min(child.life / 2)
}

/// Whether the parent has life enough to mint, or must be refreshed first.
pub(super) fn parent_fit(grant: &Grant, now: Timestamp, refresh_paused: bool) -> bool {
    let remains = now.until(grant.access_expires_at);
    let margin = REFRESH_MARGIN.min(grant.access_life / 3);
    !remains.is_zero() && (remains >= margin || (refresh_paused && remains >= LAST_RESORT))
}

/// How coarse "last seen" is: a write for it at most this often.
pub(super) fn seen_grain(idle: Duration) -> Duration {
    idle / 16
}

/// The wait before try number `tries + 1`: 30 s, doubled each time, an hour at most.
pub(super) fn backoff(tries: u32) -> Duration {
    Duration::from_secs(30).saturating_mul(1 << tries.min(7)).min(Duration::from_secs(3600))
}

/// Another try of what Box could not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retry {
    tries: u32,
    /// Not before this time.
    pub(super) at: Timestamp,
}

/// How often Box is asked again before a caller is told: all that fits into the time it waits.
const RETRIES_MAX: u32 = 4;
const RETRY_FIRST: Duration = Duration::from_millis(300);
/// How many items are tried again at once: with 25 items a request, Box is called 40 times for it at most.
pub(super) const RETRIES_AT_ONCE: usize = 3;
/// A retry that would wait longer than this is the caller's own.
pub(super) const RETRY_WAIT_MAX: Duration = Duration::from_secs(4);

impl Retry {
    /// The next try after `last`, or none: Box said more than that it is down for a moment, or was asked often enough.
    /// Waits twice as long each time, half of it by chance (`jitter`), so that keepers do not come back all at once.
    pub(super) fn after(
        last: Option<Self>,
        fault: &BoxFault,
        now: Timestamp,
        jitter: [u8; 1],
    ) -> Option<Self> {
        let told = match fault {
            BoxFault::Down { retry_after, .. } => retry_after.unwrap_or_default(),
            BoxFault::Unreachable(Unreachable::Broken) => Duration::ZERO,
            _ => return None,
        };
        // What was tried for callers that have long gone does not count.
        let last = last.filter(|last| !last.is_old(now));
        let tries = last.map_or(0, |last| last.tries);
        let span = RETRY_FIRST.saturating_mul(1 << tries.min(RETRIES_MAX));
        let wait = (span / 2 + span / 2 * u32::from(jitter[0]) / 255).max(told);
        let again = tries < RETRIES_MAX && wait <= RETRY_WAIT_MAX;
        again.then(|| Self { tries: tries.saturating_add(1), at: now.plus(wait) })
    }

    /// Whether everybody it was made for has left.
    pub(super) fn is_old(&self, now: Timestamp) -> bool {
        now >= self.at.plus(CALLER_LIMIT)
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Quota {
    /// With one more new item, or how long until one is allowed.
    pub(super) fn and_one_more(
        mut self,
        now: Timestamp,
        per_minute: u32,
        per_day: u32,
    ) -> Result<Self, Duration> {
        for (window, span) in [(&mut self.minute, MINUTE), (&mut self.day, DAY)] {
            if now >= window.from.plus(span) {
                *window = Window { from: now, count: 0 };
            }
        }
        for (window, span, limit) in [(self.minute, MINUTE, per_minute), (self.day, DAY, per_day)] {
            if window.count >= limit {
                return Err(now.until(window.from.plus(span)));
            }
        }
        self.minute.count = self.minute.count.saturating_add(1);
        self.day.count = self.day.count.saturating_add(1);
        Ok(self)
    }
}
