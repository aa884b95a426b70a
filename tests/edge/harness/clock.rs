//! Time, as a test sees it pass.

use std::{
    thread,
    time::{Duration, Instant},
};

const GLANCE: Duration = Duration::from_millis(25);

/// Looks until there is something to see. `limit` is generous: only a failing test waits for it.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let started = now();
    while now().duration_since(started) < limit {
        if let Some(seen) = look() {
            return seen;
        }
        thread::sleep(GLANCE);
    }
    panic!("not within {} s: {what}", limit.as_secs())
}

/// Lets time pass where time itself is what is waited for: workerd's clock cannot be moved.
pub(crate) fn pass(time: Duration) {
    thread::sleep(time);
}

/// How long something takes.
pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let started = now();
    let result = act();
    (result, now().duration_since(started))
}

#[expect(clippy::disallowed_methods, reason = "a test of real servers lives in real time")]
fn now() -> Instant {
    Instant::now()
}
