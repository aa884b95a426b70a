//! Where a login returns to: a path of ours, or a page of a listed origin. Parsed once, stored parsed.

use url::Url;

use crate::{config::Config, origin::Origin};

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

/// Our own machinery is no place to return to: a login that returns to a login never ends.
fn is_machinery(path: &str) -> bool {
    ["/auth/", "/api/", "/ticket/"].iter().any(|prefix| path.starts_with(prefix))
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
}
