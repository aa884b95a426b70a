//! Time, as the harness sees it pass.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep};

/// How often something is looked at that is waited for.
pub(crate) const GLANCE: Duration = Duration::from_millis(100);

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the harness's one look at the clock")]
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Looks again and again until there is something, or `limit` is over.
pub(crate) async fn eventually<T>(limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let over = Instant::now() + limit;
    loop {
        if let Some(found) = look().await {
            return Some(found);
        }
        if Instant::now() >= over {
            return None;
        }
        sleep(GLANCE).await;
    }
}
