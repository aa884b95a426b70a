//! Moments as Box writes them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// `2026-11-21T17:05:00Z` (RFC 3339 section 5.6) for milliseconds since 1970; whole seconds, as Box's are.
pub(crate) fn written(now_ms: u64) -> String {
    let seconds = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
    // Beyond the year 9999 there is no such text.
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn a_moment_is_written_with_its_day_and_its_second() {
        assert_eq!(written(1_790_000_000_999), "2026-09-21T14:13:20Z");
        assert_eq!(written(0), "1970-01-01T00:00:00Z");
    }
}
