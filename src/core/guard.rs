//! Who may call what. Cookies alone prove nothing here: sibling subdomains send them too, so these functions are
//! the wall (draft-ietf-oauth-browser-based-apps section 6.1.3.3, W3C Fetch Metadata).

use http::{HeaderMap, HeaderName, Method, header};
use thiserror::Error;

use crate::{config::Config, origin::Origin, sent};

/// What a request says of where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `GET` and `HEAD` change nothing.
    pub method: &'a Method,
    /// [`sent::STATIC_NAME`].
    pub static_header: Option<&'a str>,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// `Sec-Fetch-Site`.
    pub site: Option<&'a str>,
    /// `Sec-Fetch-Mode`.
    pub mode: Option<&'a str>,
    /// `Sec-Fetch-Dest`.
    pub dest: Option<&'a str>,
    /// Whether there is an `Authorization` header.
    pub authorization: bool,
}

/// Why a caller is turned away.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// The request is for another host than the configured one.
    #[error("wrong host")]
    WrongHost,
    /// [`sent::STATIC_NAME`] is missing.
    #[error("static header missing")]
    MissingHeader,
    /// `Origin` is neither ours nor listed.
    #[error("origin not allowed")]
    OriginNotAllowed,
    /// The browser says that the call comes from elsewhere, or does not say enough.
    #[error("not same-origin")]
    NotSameOrigin,
    /// A navigation, an image, a script: anything but a fetch.
    #[error("not a fetch")]
    NotAFetch,
    /// An `Authorization` header: a caller that takes us for a resource server.
    #[error("authorization header")]
    AuthorizationHeader,
    /// A login that is not a document navigation, or a prefetch.
    #[error("not a navigation")]
    NotANavigation,
}

impl<'a> Call<'a> {
    /// Reads what the request says. A header that is there twice or is not text counts as the empty word,
    /// which no rule accepts.
    #[must_use]
    pub fn read(method: &'a Method, headers: &'a HeaderMap) -> Self {
        Self {
            method,
            static_header: only(headers, &sent::STATIC),
            origin: only(headers, &header::ORIGIN),
            site: only(headers, &sent::FETCH_SITE),
            mode: only(headers, &sent::FETCH_MODE),
            dest: only(headers, &sent::FETCH_DEST),
            authorization: headers.contains_key(header::AUTHORIZATION),
        }
    }
}

/// The one rule for `/api/*` and sign-out.
///
/// # Errors
/// [`Refusal`]; the first that applies, in the order of the lines below.
pub fn may_call(call: &Call<'_>, config: &Config) -> Result<(), Refusal> {
    if call.static_header != Some("1") {
        return Err(Refusal::MissingHeader);
    }
    if call.authorization {
        return Err(Refusal::AuthorizationHeader);
    }
    if !matches!(call.dest, None | Some("empty")) || matches!(call.mode, Some("navigate" | "")) {
        return Err(Refusal::NotAFetch);
    }
    match call.site {
        None | Some("same-origin" | "same-site" | "cross-site") => {}
        Some("none") => return Err(Refusal::NotAFetch),
        Some(_) => return Err(Refusal::NotSameOrigin),
    }
    match call.origin {
        Some(origin) if origin == config.public_origin.as_str() => own(call),
        Some(origin) if config.policy.listed(origin).is_some() => Ok(()),
        Some(_) => Err(Refusal::OriginNotAllowed),
        None => without_origin(call),
    }
}

/// Our own origin is not at home on a sibling or another site: one of the two headers lies.
fn own(call: &Call<'_>) -> Result<(), Refusal> {
    match call.site {
        None | Some("same-origin") => Ok(()),
        Some(_) => Err(Refusal::NotSameOrigin),
    }
}

/// Browsers send no `Origin` on a same-origin GET; then Fetch Metadata decides, and where a browser sends
/// neither, the static header does: no page of another origin gets it past CORS.
fn without_origin(call: &Call<'_>) -> Result<(), Refusal> {
    if !matches!(*call.method, Method::GET | Method::HEAD) {
        return Err(Refusal::NotSameOrigin);
    }
    match (call.site, call.mode, call.dest) {
        (Some("same-origin"), _, _) | (None, None, None) => Ok(()),
        _ => Err(Refusal::NotSameOrigin),
    }
}

/// Only the configured host is ours: not what a header such as `X-Forwarded-Host` says, nor an address that
/// happens to lead here.
///
/// # Errors
/// [`Refusal::WrongHost`].
pub fn is_our_host(authority: Option<&str>, headers: &HeaderMap, own: &Origin) -> Result<(), Refusal> {
    let named = [only(headers, &header::HOST), authority];
    let mut named = named.into_iter().flatten().peekable();
    if named.peek().is_some() && named.all(|host| host.eq_ignore_ascii_case(own.host())) {
        Ok(())
    } else {
        Err(Refusal::WrongHost)
    }
}

/// A login starts with a person going there: no prefetch, no frame, no image.
///
/// # Errors
/// [`Refusal::NotANavigation`].
pub fn may_navigate(headers: &HeaderMap) -> Result<(), Refusal> {
    let ahead = sent::AHEAD.iter().any(|name| headers.contains_key(name));
    let mode = matches!(only(headers, &sent::FETCH_MODE), None | Some("navigate"));
    let dest = matches!(only(headers, &sent::FETCH_DEST), None | Some("document"));
    if mode && dest && !ahead { Ok(()) } else { Err(Refusal::NotANavigation) }
}

/// The header's value; the empty word where it is there twice or is not text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let twice = values.next().is_some();
    Some(if twice { "" } else { first.to_str().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::config;

    const OWN: &str = "https://keyhole.example.com";
    const LISTED: &str = "https://app.example.com";

    /// As a browser sends it from our own page.
    const OWN_POST: Call<'static> = Call {
        method: &Method::POST,
        static_header: Some("1"),
        origin: Some(OWN),
        site: Some("same-origin"),
        mode: Some("cors"),
        dest: Some("empty"),
        authorization: false,
    };
    /// Browsers send no `Origin` on a same-origin GET.
    const OWN_GET: Call<'static> = Call { method: &Method::GET, origin: None, ..OWN_POST };
    const LISTED_GET: Call<'static> =
        Call { method: &Method::GET, origin: Some(LISTED), site: Some("cross-site"), ..OWN_POST };
    /// A browser from before Fetch Metadata, or no browser.
    const QUIET: Call<'static> = Call { site: None, mode: None, dest: None, ..OWN_POST };

    #[track_caller]
    fn decided(call: &Call<'_>, expected: Result<(), Refusal>) {
        assert_eq!(may_call(call, &config()), expected, "{call:?}");
    }

    #[test]
    fn our_own_pages_and_listed_ones_may_call() {
        for call in [
            OWN_POST,
            OWN_GET,
            Call { method: &Method::HEAD, ..OWN_GET },
            Call { origin: Some(OWN), ..OWN_GET },
            LISTED_GET,
            Call { method: &Method::POST, ..LISTED_GET },
            Call { site: Some("same-site"), ..LISTED_GET },
            QUIET,
            Call { origin: Some(LISTED), ..QUIET },
            Call { method: &Method::GET, origin: None, ..QUIET },
            Call { mode: Some("same-origin"), ..OWN_GET },
        ] {
            decided(&call, Ok(()));
        }
    }

    #[test]
    fn s28_without_the_static_header_nobody_may() {
        for header in [None, Some(""), Some("0"), Some("true"), Some("1 ")] {
            for call in [OWN_POST, OWN_GET, LISTED_GET, QUIET] {
                decided(&Call { static_header: header, ..call }, Err(Refusal::MissingHeader));
            }
        }
    }

    #[test]
    fn s27_an_origin_that_is_not_listed_may_not() {
        for origin in [
            "null",
            "",
            "https://evil.example",
            "https://app.example.com.evil.example",
            "https://sibling.keyhole.example.com",
            "http://keyhole.example.com",
            "https://keyhole.example.com/",
            "https://KEYHOLE.example.com",
            "https://keyhole.example.com, https://app.example.com",
        ] {
            for call in [OWN_POST, OWN_GET, LISTED_GET, QUIET] {
                decided(&Call { origin: Some(origin), ..call }, Err(Refusal::OriginNotAllowed));
            }
        }
    }

    #[test]
    fn s28_a_sibling_subdomain_may_not_although_it_sends_the_cookie() {
        for site in ["same-site", "cross-site"] {
            decided(&Call { site: Some(site), ..OWN_GET }, Err(Refusal::NotSameOrigin));
            decided(&Call { site: Some(site), ..OWN_POST }, Err(Refusal::NotSameOrigin));
        }
    }

    #[test]
    fn s28_without_an_origin_only_reading_is_possible_and_only_from_here() {
        for method in [&Method::POST, &Method::PUT, &Method::DELETE] {
            decided(&Call { method, ..OWN_GET }, Err(Refusal::NotSameOrigin));
            decided(&Call { method, origin: None, ..QUIET }, Err(Refusal::NotSameOrigin));
        }
        // Half of Fetch Metadata is none of a browser's.
        for call in [Call { mode: Some("cors"), ..QUIET }, Call { dest: Some("empty"), ..QUIET }] {
            decided(&Call { method: &Method::GET, origin: None, ..call }, Err(Refusal::NotSameOrigin));
        }
    }

    #[test]
    fn s29_only_a_fetch_is_answered() {
        for dest in ["document", "iframe", "image", "script", "style", "object", "worker", ""] {
            for call in [OWN_POST, OWN_GET, LISTED_GET] {
                decided(&Call { dest: Some(dest), ..call }, Err(Refusal::NotAFetch));
            }
        }
        for call in [OWN_POST, OWN_GET, LISTED_GET] {
            decided(&Call { mode: Some("navigate"), ..call }, Err(Refusal::NotAFetch));
            decided(&Call { site: Some("none"), ..call }, Err(Refusal::NotAFetch));
            decided(&Call { site: Some("sideways"), ..call }, Err(Refusal::NotSameOrigin));
        }
    }

    #[test]
    fn a_caller_with_a_bearer_token_is_at_the_wrong_door() {
        decided(&Call { authorization: true, ..OWN_POST }, Err(Refusal::AuthorizationHeader));
    }

    #[test]
    fn a_header_that_is_there_twice_is_accepted_by_no_rule() {
        for (name, refusal) in [
            (sent::STATIC_NAME, Refusal::MissingHeader),
            ("origin", Refusal::OriginNotAllowed),
            ("sec-fetch-site", Refusal::NotSameOrigin),
            ("sec-fetch-mode", Refusal::NotAFetch),
            ("sec-fetch-dest", Refusal::NotAFetch),
        ] {
            let mut headers = HeaderMap::new();
            for (known, value) in [
                (sent::STATIC_NAME, "1"),
                ("origin", OWN),
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "cors"),
                ("sec-fetch-dest", "empty"),
            ] {
                headers.append(known, value.parse().unwrap());
                if known == name {
                    headers.append(known, value.parse().unwrap());
                }
            }
            decided(&Call::read(&Method::POST, &headers), Err(refusal));
        }
    }

    fn sent(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn s15_only_the_configured_host_is_ours_whatever_was_forwarded() {
        let own = Origin::parse(OWN).unwrap();
        let host = |pairs: &[_], authority| is_our_host(authority, &sent(pairs), &own);
        assert_eq!(host(&[("host", "keyhole.example.com")], None), Ok(()));
        assert_eq!(host(&[], Some("keyhole.example.com")), Ok(()));
        assert_eq!(host(&[("host", "Keyhole.Example.com")], Some("keyhole.example.com")), Ok(()));
        for (pairs, authority) in [
            (&[][..], None),
            (&[("host", "evil.example")], None),
            (&[("host", "keyhole.example.com:8443")], None),
            (&[("host", "keyhole.example.com")], Some("evil.example")),
            (&[("x-forwarded-host", "keyhole.example.com")], None),
            (&[("host", "evil.example"), ("x-forwarded-host", "keyhole.example.com")], None),
        ] {
            assert_eq!(host(pairs, authority), Err(Refusal::WrongHost), "{pairs:?} {authority:?}");
        }
    }

    #[test]
    fn s31_a_login_starts_by_a_persons_navigation_only() {
        for pairs in [
            &[][..],
            &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
        ] {
            assert_eq!(may_navigate(&sent(pairs)), Ok(()), "{pairs:?}");
        }
        for pairs in [
            &[("sec-purpose", "prefetch;prerender")][..],
            &[("purpose", "prefetch")],
            &[("x-moz", "prefetch")],
            &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
            &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
            &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
        ] {
            assert_eq!(may_navigate(&sent(pairs)), Err(Refusal::NotANavigation), "{pairs:?}");
        }
    }
}
