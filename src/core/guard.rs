//! Who may call what. Cookies alone prove nothing here: sibling subdomains send them too, so these functions are
//! the wall (draft-ietf-oauth-browser-based-apps section 6.1.3.3, W3C Fetch Metadata).

use http::{HeaderMap, Method, header};
use thiserror::Error;

use crate::{config::Config, origin::Origin};

/// The header that every call must carry. A page of another origin cannot set it without our consent (CORS).
pub const STATIC_HEADER: &str = "keyhole-request";

/// What a request says of where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `GET` and `HEAD` change nothing.
    pub method: &'a Method,
    /// [`STATIC_HEADER`].
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
    /// [`STATIC_HEADER`] is missing.
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
            static_header: only(headers, STATIC_HEADER),
            origin: only(headers, "origin"),
            site: only(headers, "sec-fetch-site"),
            mode: only(headers, "sec-fetch-mode"),
            dest: only(headers, "sec-fetch-dest"),
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
    let named = [only(headers, "host"), authority];
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
    let ahead = ["sec-purpose", "purpose", "x-moz"].into_iter().any(|name| headers.contains_key(name));
    let mode = matches!(only(headers, "sec-fetch-mode"), None | Some("navigate"));
    let dest = matches!(only(headers, "sec-fetch-dest"), None | Some("document"));
    if mode && dest && !ahead { Ok(()) } else { Err(Refusal::NotANavigation) }
}

/// The header's value; the empty word where it is there twice or is not text.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let twice = values.next().is_some();
    Some(if twice { "" } else { first.to_str().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;
}
