//! Signing in beside the page: how long its window is waited for.

/// A login is good for ten minutes; what comes later does not come.
const WAIT_MS_MAX: f64 = 10.0 * 60.0 * 1000.0;
/// A window that is closed may have been cut off from this page by Box's own pages, and still be in use.
const CLOSED_WAIT_MS_MAX: f64 = 2.0 * 60.0 * 1000.0;
/// A page of another site sees no session: only what a window said before it closed is still on its way.
const LAST_WORD_MS_MAX: f64 = 1500.0;
/// So long the session is looked at each second, then less often.
const EAGER_MS_MAX: f64 = 60.0 * 1000.0;

/// How long to wait, in milliseconds, before the session is looked at again. `None`: nobody will sign in there.
/// `since_open_ms` and `since_closed_ms` are the ages of the window and of the first sight of it closed; `by_word_only`
/// is for a page that cannot see the session.
#[must_use]
pub fn pause_ms(since_open_ms: f64, since_closed_ms: Option<f64>, by_word_only: bool) -> Option<u32> {
    let closed_max = if by_word_only { LAST_WORD_MS_MAX } else { CLOSED_WAIT_MS_MAX };
    if since_open_ms >= WAIT_MS_MAX || since_closed_ms.is_some_and(|age| age >= closed_max) {
        return None;
    }
    Some(if since_open_ms < EAGER_MS_MAX { 1000 } else { 3000 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_looked_at_each_second_and_after_a_minute_less_often() {
        assert_eq!(pause_ms(0.0, None, false), Some(1000));
        assert_eq!(pause_ms(59_999.0, None, false), Some(1000));
        assert_eq!(pause_ms(60_000.0, None, false), Some(3000));
    }

    #[test]
    fn a_login_that_can_no_longer_be_finished_is_not_waited_for() {
        assert_eq!(pause_ms(599_999.0, None, false), Some(3000));
        assert_eq!(pause_ms(600_000.0, None, false), None);
    }

    #[test]
    fn a_window_that_looks_closed_is_waited_for_a_while() {
        assert_eq!(pause_ms(10_000.0, Some(0.0), false), Some(1000));
        assert_eq!(pause_ms(200_000.0, Some(119_999.0), false), Some(3000));
        assert_eq!(pause_ms(200_000.0, Some(120_000.0), false), None);
    }

    #[test]
    fn a_page_of_another_site_waits_for_a_last_word_only() {
        assert_eq!(pause_ms(10_000.0, None, true), Some(1000));
        assert_eq!(pause_ms(10_000.0, Some(1000.0), true), Some(1000));
        assert_eq!(pause_ms(10_000.0, Some(1500.0), true), None);
    }
}
