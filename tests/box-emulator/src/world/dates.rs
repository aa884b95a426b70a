//! Moments as the API writes them: RFC 3339, in UTC.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// `2026-03-02T09:00:00+00:00`.
pub(crate) fn written(at_ms: u64) -> String {
    let seconds = i64::try_from(at_ms / 1000).unwrap_or(i64::MAX);
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (at.date(), at.time());
    format!("{date}T{:02}:{:02}:{:02}+00:00", time.hour(), time.minute(), time.second())
}

/// Milliseconds since 1970; `None` for what is no date, or lies before that.
pub(crate) fn read(text: &str) -> Option<u64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(at.unix_timestamp()).ok()?.checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_moment_is_read_as_it_was_written(second in 0_u64..10_000_000_000) {
            prop_assert_eq!(read(&written(second * 1000)), Some(second * 1000));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-0-9T:Z+. ]{0,30}") {
            read(&text);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (at_ms, text) in [
            (0, "1970-01-01T00:00:00+00:00"),
            (1_772_442_000_000, "2026-03-02T09:00:00+00:00"),
            (1_790_000_000_999, "2026-09-21T14:13:20+00:00"),
        ] {
            assert_eq!(written(at_ms), text);
            assert_eq!(read(text), Some(at_ms / 1000 * 1000));
        }
        assert_eq!(read("2026-03-02T01:00:00-08:00"), Some(1_772_442_000_000));
        for text in ["", "2026-03-02", "tomorrow", "1969-01-01T00:00:00Z", "2026-13-02T09:00:00Z"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
