//! Origins (RFC 6454), compared byte for byte.

use core::fmt;

use thiserror::Error;
use url::{Host, Url};

/// `https://host[:port]`, or `http` on loopback, exactly as a browser writes it in an `Origin` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// Why a text is no origin that we would trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OriginFault {
    /// Not in a browser's form: a path, a default port, capitals, user info, or no URL at all.
    #[error("must be scheme://host[:port] and nothing more: no path, no closing slash, no default port")]
    Form,
    /// Plain `http` beyond this machine, or another scheme.
    #[error("must start with https:// (http:// is accepted for localhost only)")]
    Plain,
}

impl Origin {
    /// Parses an origin; `null` and everything that a browser would write otherwise is refused.
    ///
    /// # Errors
    /// [`OriginFault`].
    pub fn parse(text: &str) -> Result<Self, OriginFault> {
        let url = Url::parse(text).map_err(|_| OriginFault::Form)?;
        if !is_safe(&url) {
            return Err(OriginFault::Plain);
        }
        let canonical = url.origin().ascii_serialization();
        // URLs allow hosts with `*` or `;` in them; a header's or policy's syntax is not to be reached that way.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:/[]".contains(&byte);
        if canonical == text && canonical.bytes().all(plain) {
            Ok(Self(canonical))
        } else {
            Err(OriginFault::Form)
        }
    }

    /// The origin of a URL that was parsed before; `None` where it is not one that we would trust.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        is_safe(url).then(|| Self(url.origin().ascii_serialization()))
    }

    /// As in an `Origin` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `host[:port]`, as in a `Host` header.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, host)| host)
    }

    /// Whether it is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `https`, or `http` that does not leave this machine (RFC 9700 section 2.6).
#[must_use]
pub fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_writes() {
        for origin in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "http://localhost:8787",
            "http://127.0.0.1:9400",
            "http://[::1]:8787",
        ] {
            assert_eq!(Origin::parse(origin).unwrap().as_str(), origin);
        }
        assert_eq!(Origin::parse("http://localhost:8787").unwrap().host(), "localhost:8787");
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in [
            "",
            "null",
            "*",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com:443",
            "https://App.example.com",
            "https://robin@app.example.com",
            "https://app.example.com?x",
            "https://*.example.com",
            "https://app.example.com;script-src",
            "https://app.example.com,x",
            " https://app.example.com",
        ] {
            assert_eq!(Origin::parse(wrong), Err(OriginFault::Form), "{wrong}");
        }
    }

    #[test]
    fn s14_plain_http_is_for_this_machine_only() {
        for wrong in [
            "http://app.example.com",
            "http://192.168.0.1:8787",
            "http://localhost.evil.example",
            "ftp://localhost",
        ] {
            assert_eq!(Origin::parse(wrong), Err(OriginFault::Plain), "{wrong}");
        }
    }
}
