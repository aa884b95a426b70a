//! CORS as Box does it: one list of origins per app, asked on the real request, never on the preflight.
//!
//! <https://developer.box.com/guides/security/cors/>

use http::StatusCode;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL,
};

use crate::answer::{self, Response};
use crate::refusals::{self, ApiRefusal};
use crate::request::{Call, Port};
use crate::world::apps::App;

const HEADERS: &str = "Authorization, BoxApi, X-Rep-Hints, X-Box-Client-Name, X-Box-Client-Version, Content-Type, \
                       Range, If-None-Match, Accept-Language, As-User";
const METHODS: &str = "GET, POST, PUT, DELETE, OPTIONS, HEAD";
/// What pages may read of a content answer: pdf.js needs the first four to load in ranges.
const CONTENT_HEADERS: &str =
    "Accept-Ranges, Content-Length, Content-Range, Content-Encoding, Content-Disposition";

/// A preflight carries no token, so no app can be asked: every origin is told yes.
pub(crate) fn preflight() -> Response {
    let mut response = answer::empty(StatusCode::OK);
    answer::readable_by_pages(&mut response);
    answer::set(&mut response, ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    answer::set(&mut response, ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    answer::set(&mut response, ACCESS_CONTROL_MAX_AGE, "600");
    response
}

/// Whether the page that sent `call` may use `app`'s tokens. No page, no question.
///
/// # Errors
/// Box's 403 `cors_origin_not_whitelisted`.
pub(crate) fn admit(app: Option<&App>, call: &Call) -> Result<(), ApiRefusal> {
    match call.origin() {
        Some(origin) if !app.is_some_and(|app| app.allows_origin(origin)) => {
            Err(refusals::origin_not_listed(origin))
        }
        _ => Ok(()),
    }
}

/// Adds what a page needs to read `response`, when it was a page that asked.
pub(crate) fn let_page_read(response: &mut Response, call: &Call) {
    if !response.headers().contains_key(CACHE_CONTROL) {
        answer::set(response, CACHE_CONTROL, "no-cache, no-store");
    }
    if call.origin().is_some() {
        answer::readable_by_pages(response);
        if call.port == Port::Content {
            answer::set(response, ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_HEADERS);
        }
    }
}

/// Whether `origin` is the one listed, or a subdomain of a listed `scheme://*.domain`.
pub(crate) fn matches(listed: &str, origin: &str) -> bool {
    let Some((scheme, domain)) = listed.split_once("://*.") else {
        return listed == origin;
    };
    let host = origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
    let below = host.and_then(|host| host.strip_suffix(domain)).and_then(|rest| rest.strip_suffix('.'));
    below.is_some_and(|label| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::matches;

    proptest! {
        #[test]
        fn a_wildcard_lets_in_only_what_lies_below_its_domain(
            origin in "https?://[a-z.:@/#?-]{0,12}(example\\.com|evil\\.example)?[.a-z:0-9/-]{0,6}",
        ) {
            if matches("https://*.example.com", &origin) {
                let url = Url::parse(&origin).expect("an origin");
                let below = url.host_str().is_some_and(|host| host.ends_with(".example.com"));
                prop_assert!(below && url.scheme() == "https" && url.port().is_none(), "{}", origin);
            }
        }
    }

    #[test]
    fn an_origin_is_the_listed_one_or_below_a_wildcard() {
        for (listed, origin, allowed) in [
            ("http://localhost:8787", "http://localhost:8787", true),
            ("http://localhost:8787", "http://localhost:8788", false),
            ("http://localhost:8787", "https://localhost:8787", false),
            ("http://localhost:8787", "null", false),
            ("https://*.example.com", "https://app.example.com", true),
            ("https://*.example.com", "https://a.b.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("https://*.example.com", "https://evilexample.com", false),
            ("https://*.example.com", "http://app.example.com", false),
            ("https://*.example.com", "https://app.example.com:8443", false),
            ("https://*.example.com:8443", "https://app.example.com:8443", true),
            ("https://*.example.com", "https://evil.test/.example.com", false),
        ] {
            assert_eq!(matches(listed, origin), allowed, "{origin} under {listed}");
        }
    }
}
