//! Etags: what a caller knows of an item (RFC 9110 sections 8.8.3 and 13.1).

use http::StatusCode;
use http::header::ETAG;

use crate::answer::{self, Response};

/// Whether the list of a header `If-Match` or `If-None-Match` has this etag. Whether it is weak makes no difference here.
pub(crate) fn has(list: &str, etag: &str) -> bool {
    let is_it = |one: &str| {
        let one = one.trim();
        one.strip_prefix("W/").unwrap_or(one).trim_matches('"') == etag
    };
    list.trim() == "*" || list.split(',').any(is_it)
}

/// Sets it, in its quotes.
pub(crate) fn put(response: &mut Response, etag: &str) {
    answer::set(response, ETAG, &format!("\"{etag}\""));
}

/// 304, which names the etag it is about (RFC 9110 section 15.4.5).
pub(crate) fn not_modified(etag: &str) -> Response {
    let mut response = answer::empty(StatusCode::NOT_MODIFIED);
    put(&mut response, etag);
    response
}

#[cfg(test)]
mod tests {
    use super::has;

    #[test]
    fn a_list_has_an_etag_with_or_without_quotes_weak_or_not_and_a_star_has_all() {
        for list in ["\"3\"", "3", "W/\"3\"", "\"1\", \"3\"", "\"1\",W/\"3\"", "*", " * "] {
            assert!(has(list, "3"), "{list}");
        }
        for list in ["", "\"33\"", "\"1\", \"2\"", "W/\"4\"", "**"] {
            assert!(!has(list, "3"), "{list}");
        }
    }
}
