//! Where a login returns to: a path of ours, or a page of a listed origin. Parsed once, stored parsed.

use url::Url;

use crate::{config::Config, origin::Origin, route::HAND_OVER};

/// An address that a browser may be sent to. Only [`ReturnTo::parse`] and [`ReturnTo::home`] make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

/// Longer ones do not fit a cookie beside the rest.
const RETURN_TO_BYTES_MAX: usize = 1024;

/// The query parameter that tells the page how a login ended.
const OUTCOME_PARAMETER: &str = "keyhole";

impl ReturnTo {
    /// Parses what a page asked for. `None` for everything that is not an own path or a URL whose parsed origin is
    /// ours or listed: above all for what looks like a path and leads elsewhere (RFC 9700 section 4.11.1).
    #[must_use]
    pub fn parse(text: &str, config: &Config) -> Option<Self> {
        let odd = |character: char| character == '\\' || character.is_control() || character.is_whitespace();
        if text.is_empty() || text.len() > RETURN_TO_BYTES_MAX || text.contains(odd) {
            return None;
        }
        let home = Url::parse(config.public_origin.as_str()).ok()?;
        let url = if text.starts_with('/') { home.join(text) } else { Url::parse(text) }.ok()?;
        let origin = Origin::of(&url)?;
        let own = origin == config.public_origin;
        let listed = own || config.policy.listed(origin.as_str()).is_some();
        let bare = url.username().is_empty() && url.password().is_none();
        let fits = url.as_str().len() <= RETURN_TO_BYTES_MAX;
        (listed
            && bare
            && fits
            && is_plain(text)
            && is_plain_path(url.path())
            && !(own && is_machinery(url.path())))
        .then(|| Self(without_outcome(url).into()))
    }

    /// Where a login returns to that asked for nothing.
    #[must_use]
    pub fn home(config: &Config) -> Self {
        Self(format!("{}/", config.public_origin))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address, with word of how the login ended.
    #[must_use]
    pub fn with_outcome(&self, outcome: &'static str) -> String {
        let (address, fragment) = match self.0.split_once('#') {
            Some((address, fragment)) => (address, format!("#{fragment}")),
            None => (self.0.as_str(), String::new()),
        };
        let separator = if address.contains('?') { '&' } else { '?' };
        format!("{address}{separator}{OUTCOME_PARAMETER}={outcome}{fragment}")
    }
}

/// An own path must be one: `//host` and its encoded disguises are not.
fn is_plain(text: &str) -> bool {
    !text.starts_with('/') || is_plain_path(text)
}

/// Whether no second slash or backslash, in clear or encoded, follows the first: some proxies decode before they
/// look.
fn is_plain_path(path: &str) -> bool {
    let after = path.strip_prefix('/').unwrap_or(path).to_ascii_lowercase();
    !["/", "\\", "%2f", "%5c"].iter().any(|second| after.starts_with(second))
}

/// Our own machinery is no place to return to: a login that returns to a login never ends. The window that hands
/// tokens over starts one at most.
fn is_machinery(path: &str) -> bool {
    path != HAND_OVER && ["/auth/", "/api/", "/ticket/"].iter().any(|prefix| path.starts_with(prefix))
}

/// An earlier login's word does not stay in the address.
fn without_outcome(mut url: Url) -> Url {
    if url.query_pairs().any(|(name, _)| name == OUTCOME_PARAMETER) {
        let others: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| name != OUTCOME_PARAMETER)
            .map(|(k, v)| (k.into(), v.into()))
            .collect();
        url.set_query(None);
        if !others.is_empty() {
            url.query_pairs_mut().extend_pairs(others);
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::config;
    use proptest::prelude::*;

    #[track_caller]
    fn parsed(text: &str, expected: &str) {
        assert_eq!(ReturnTo::parse(text, &config()).as_ref().map(ReturnTo::as_str), Some(expected), "{text}");
    }

    #[test]
    fn an_own_path_or_a_page_of_a_listed_origin_is_returned_to() {
        for (text, expected) in [
            ("/", "https://keyhole.example.com/"),
            ("/files/7?sort=name#top", "https://keyhole.example.com/files/7?sort=name#top"),
            ("/a/../b", "https://keyhole.example.com/b"),
            ("/a//b", "https://keyhole.example.com/a//b"),
            ("/?next=//evil.example", "https://keyhole.example.com/?next=//evil.example"),
            ("https://keyhole.example.com/files", "https://keyhole.example.com/files"),
            ("https://app.example.com/page?x=1", "https://app.example.com/page?x=1"),
            ("https://APP.example.com:443", "https://app.example.com/"),
        ] {
            parsed(text, expected);
        }
    }

    #[test]
    fn s09_anything_that_leads_elsewhere_is_refused() {
        for wrong in [
            "",
            "files",
            "?x",
            "#x",
            "//evil.example",
            "//app.example.com/listed-but-no-path",
            "/%2Fapp.example.com",
            "///evil.example",
            "////evil.example/..",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/ /evil.example",
            "/%2f%2Fevil.example",
            "/%5Cevil.example",
            "%2f%2fevil.example",
            "/.//evil.example",
            "/x/..//evil.example",
            "/./%2Fevil.example",
            "https://evil.example",
            "https://evil.example/https://keyhole.example.com",
            "https://keyhole.example.com.evil.example",
            "https://keyhole.example.com@evil.example",
            "https://keyhole.example.com:password@app.example.com/",
            "https://robin@keyhole.example.com/",
            "https://evil.example#https://keyhole.example.com",
            "https:\\\\keyhole.example.com",
            "https://keyhole.example.com\\.evil.example",
            "https://keyhole.example.com:8443/",
            "https://sub.app.example.com/",
            "http://keyhole.example.com/",
            "https:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "blob:https://keyhole.example.com/1",
            "file:///etc/passwd",
            "mailto:robin@example.com",
        ] {
            assert_eq!(ReturnTo::parse(wrong, &config()), None, "{wrong:?}");
        }
    }

    #[test]
    fn our_own_machinery_is_no_place_to_return_to() {
        for wrong in ["/auth/login", "/auth/login?return_to=/", "/x/../auth/done", "/api/session"] {
            assert_eq!(ReturnTo::parse(wrong, &config()), None, "{wrong}");
        }
        parsed("https://app.example.com/auth/", "https://app.example.com/auth/");
        parsed("/auth/hand-over?opener=x", "https://keyhole.example.com/auth/hand-over?opener=x");
    }

    #[test]
    fn a_longer_address_than_a_cookie_carries_is_refused() {
        assert!(ReturnTo::parse(&format!("/{}", "a".repeat(990)), &config()).is_some());
        assert!(ReturnTo::parse(&format!("/{}", "a".repeat(1024)), &config()).is_none());
        // Short as text, long once it is encoded.
        assert!(ReturnTo::parse(&format!("/{}", "\u{e4}".repeat(400)), &config()).is_none());
    }

    #[test]
    fn the_outcome_is_said_in_the_query_and_an_earlier_one_goes() {
        let outcome = |text| ReturnTo::parse(text, &config()).unwrap().with_outcome("denied");
        assert_eq!(outcome("/"), "https://keyhole.example.com/?keyhole=denied");
        assert_eq!(outcome("/p?a=b#c"), "https://keyhole.example.com/p?a=b&keyhole=denied#c");
        assert_eq!(outcome("/?keyhole=failed"), "https://keyhole.example.com/?keyhole=denied");
        parsed("/?a=1&keyhole=failed&b=2", "https://keyhole.example.com/?a=1&b=2");
    }

    proptest! {
        #[test]
        fn s09_whatever_is_accepted_leads_home_or_to_a_listed_origin(text in "[/\\\\a-z.:@%25cfF#?\t -]{0,60}") {
            let prefixes = ["", "/", "https://keyhole.example.com", "https://app.example.com", "https:"];
            for prefix in prefixes {
                if let Some(accepted) = ReturnTo::parse(&format!("{prefix}{text}"), &config()) {
                    for address in [accepted.as_str().to_owned(), accepted.with_outcome("denied")] {
                        let url = Url::parse(&address).unwrap();
                        let origin = url.origin().ascii_serialization();
                        let known = ["https://keyhole.example.com", "https://app.example.com", "https://other.example"];
                        prop_assert!(known.contains(&origin.as_str()), "{}", address);
                        prop_assert!(url.username().is_empty() && url.password().is_none());
                        prop_assert!(!url.path().starts_with("//"), "{address}");
                        prop_assert!(http::HeaderValue::from_str(&address).is_ok(), "{address}");
                    }
                }
            }
        }

        #[test]
        fn s09_what_was_accepted_is_accepted_again_as_it_is(text in "/[a-z0-9/?=&#%.-]{0,60}") {
            if let Some(accepted) = ReturnTo::parse(&text, &config()) {
                prop_assert_eq!(ReturnTo::parse(accepted.as_str(), &config()), Some(accepted));
            }
        }
    }
}
