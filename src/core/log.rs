//! One structured line for each request. It has no place for an id, a token, a code, an address, a path or a body.

use core::time::Duration;

use serde::Serialize;

use crate::seal::KeyId;

/// What is written down of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLog {
    /// The route's name; `none` for an unknown address.
    pub route: &'static str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The stable word for what went wrong, also where it was made good.
    pub fault: Option<&'static str>,
    /// The key of a cookie, if `SEAL_KEYS` lacks it. It stands in the line only then.
    pub missing_key: Option<KeyId>,
}

impl RequestLog {
    /// The line: `{"event":"request","route":"tokens","status":200,"fault":null,"duration_ms":12}`.
    #[must_use]
    pub fn line(&self, duration: Duration) -> String {
        #[derive(Serialize)]
        struct Line {
            event: &'static str,
            route: &'static str,
            status: u16,
            fault: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            missing_key: Option<KeyId>,
            duration_ms: u64,
        }
        let Self { route, status, fault, missing_key } = *self;
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        // This form has string keys and no floats, so it always serialises.
        serde_json::to_string(&Line { event: "request", route, status, fault, missing_key, duration_ms })
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_pinned() {
        let log = RequestLog { route: "tokens", status: 429, fault: Some("rate_limited"), missing_key: None };
        assert_eq!(
            log.line(Duration::from_micros(12_900)),
            r#"{"event":"request","route":"tokens","status":429,"fault":"rate_limited","duration_ms":12}"#
        );
        let log = RequestLog { missing_key: KeyId::parse("k2"), ..log };
        assert_eq!(
            log.line(Duration::ZERO),
            r#"{"event":"request","route":"tokens","status":429,"fault":"rate_limited","missing_key":"k2","duration_ms":0}"#
        );
    }
}
