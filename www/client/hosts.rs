//! Hosts: which are Box's, for the one place where a token in a header is replaced, and which share no cookies.

/// Whether a request to `host` (a URL's host name, without port) goes to Box: to the API that the Worker
/// named, or to one of Box's own domains, where content is served.
#[must_use]
pub fn is_box(host: &str, api_host: &str) -> bool {
    let owned = ["box.com", "boxcloud.com"]
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    !host.is_empty() && (host == api_host || owned)
}

/// Where a page is from: the scheme and the host of its address, without port.
#[derive(Clone, Copy)]
pub struct From<'a> {
    /// With its colon, as `location.protocol` has it.
    pub scheme: &'a str,
    /// An address of the sixth version in brackets, as `location.hostname` has it.
    pub host: &'a str,
}

impl<'a> From<'a> {
    /// Whether the two surely are of different sites, so that a Strict cookie of one is never sent from the other. Where
    /// both end alike it is not known: that takes the Public Suffix List, which only browsers hold.
    #[must_use]
    pub fn is_of_another_site(self, other: Self) -> bool {
        self.scheme != other.scheme || self.end() != other.end()
    }

    /// The last two labels of a name; of an address all of it.
    fn end(self) -> &'a str {
        let is_address = self.host.ends_with(|last: char| last == ']' || last.is_ascii_digit());
        let mut labels = self.host.rsplitn(3, '.');
        let (last, before) = (labels.next(), labels.next());
        match (last, before) {
            (Some(last), Some(before)) if !is_address => {
                let length = last.len() + before.len() + 1;
                self.host.get(self.host.len() - length..).unwrap_or(self.host)
            }
            _ => self.host,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_own_hosts_and_the_named_api_are_box() {
        for host in
            ["api.box.com", "dl.boxcloud.com", "dl12.boxcloud.com", "public.boxcloud.com", "127.0.0.1"]
        {
            assert!(is_box(host, "127.0.0.1"), "{host}");
        }
    }

    #[test]
    fn lookalikes_are_not() {
        for host in ["", "notbox.com", "box.com.example.com", "evilboxcloud.com", "example.com"] {
            assert!(!is_box(host, "api.box.com"), "{host}");
            assert!(!is_box(host, ""), "{host}");
        }
    }

    fn from(text: &str) -> From<'_> {
        let (scheme, host) = text.split_once("//").unwrap();
        From { scheme, host }
    }

    #[test]
    fn hosts_that_end_alike_may_be_of_one_site() {
        for (one, other) in [
            ("https://app.example.com", "https://auth.example.com"),
            ("https://example.com", "https://auth.example.com"),
            ("https://a.github.io", "https://b.github.io"),
            ("http://localhost", "http://localhost"),
            ("http://127.0.0.1", "http://127.0.0.1"),
        ] {
            assert!(!from(one).is_of_another_site(from(other)), "{one} {other}");
        }
    }

    #[test]
    fn hosts_that_end_otherwise_are_of_different_sites() {
        for (one, other) in [
            ("https://elsewhere.test", "https://auth.example.test"),
            ("http://auth.example.com", "https://auth.example.com"),
            ("http://localhost", "http://127.0.0.1"),
            ("http://10.0.0.1", "http://11.0.0.1"),
            ("http://[::1]", "http://[::2]"),
            ("http://localhost", "http://app.localhost"),
        ] {
            assert!(from(one).is_of_another_site(from(other)), "{one} {other}");
        }
    }
}
