//! The applications registered at this Box: who may ask, from where, and for how much.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::api::cors;
use crate::oauth::keys::PublicKey;

/// One application, as the developer console holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct App {
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) auth: Auth,
    pub(crate) redirect_uris: Vec<String>,
    /// The CORS allow-list: `https://example.com`, `https://*.example.com`.
    pub(crate) cors_origins: Vec<String>,
    /// What a login may ask for at most, and what a token of its own holds.
    pub(crate) scopes: BTreeSet<String>,
    /// Whether an admin of the enterprise has let it in. Nobody asks for an app that people log in to themselves.
    pub(crate) authorized: bool,
    /// "Generate user access tokens": it may speak for users of the enterprise and for its own app users.
    pub(crate) may_act_as_users: bool,
    /// "App + Enterprise Access": it may meet managed users, not only those that it made itself.
    /// <https://developer.box.com/guides/authentication/jwt/jwt-setup/#application-access>
    pub(crate) enterprise_access: bool,
    /// What its JWT assertions are verified with.
    pub(crate) keys: Vec<PublicKey>,
    /// The id of the user that the app itself is.
    pub(crate) service_account: Option<String>,
}

/// How an app proves that it may have a token. An app has one way.
/// <https://developer.box.com/guides/authentication/select/>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Auth {
    /// A person logs in.
    #[serde(rename = "oauth2")]
    OAuth2,
    /// Its client id and secret are enough.
    ClientCredentials,
    /// It signs an assertion.
    Jwt,
}

impl App {
    /// An app that may do nothing yet.
    pub(crate) fn new(client_id: &str, auth: Auth) -> Self {
        Self {
            name: client_id.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: String::new(),
            auth,
            redirect_uris: Vec::new(),
            cors_origins: Vec::new(),
            scopes: BTreeSet::new(),
            authorized: true,
            may_act_as_users: false,
            enterprise_access: true,
            keys: Vec::new(),
            service_account: None,
        }
    }

    /// Whether `secret` is this app's.
    pub(crate) fn has_secret(&self, secret: &str) -> bool {
        self.client_secret.as_bytes().ct_eq(secret.as_bytes()).into()
    }

    /// Whether `asked` is registered: the same string, but for the port of a loopback host.
    ///
    /// <https://developer.box.com/guides/authentication/oauth2/oauth2-setup/>
    pub(crate) fn may_return_to(&self, asked: &str) -> bool {
        let asked = without_loopback_port(asked);
        self.redirect_uris.iter().any(|registered| without_loopback_port(registered) == asked)
    }

    /// Whether pages of `origin` may call the API with this app's tokens.
    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        self.cors_origins.iter().any(|listed| cors::matches(listed, origin))
    }
}

/// `uri` as it is compared: works on the text, because parsing would make different texts equal.
fn without_loopback_port(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    if matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
        return format!("{scheme}://{host}{tail}");
    }
    uri.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(registered: &str) -> App {
        App { redirect_uris: vec![registered.to_owned()], ..App::new("id", Auth::OAuth2) }
    }

    #[test]
    fn a_redirect_uri_is_compared_letter_by_letter_but_for_a_loopback_port() {
        let loopback = "http://localhost:8787/auth/callback";
        for (registered, asked, allowed) in [
            (loopback, loopback, true),
            (loopback, "http://localhost:9999/auth/callback", true),
            (loopback, "http://localhost/auth/callback", true),
            ("http://[::1]:1/a", "http://[::1]:2/a", true),
            (loopback, "https://localhost:8787/auth/callback", false),
            (loopback, "http://127.0.0.1:8787/auth/callback", false),
            (loopback, "http://localhost:8787/auth/callback/", false),
            (loopback, "http://localhost:8787/auth/callback?x=1", false),
            (loopback, "http://localhost:8787/auth/../auth/callback", false),
            (loopback, "http://localhost:8787@evil.example/auth/callback", false),
            (loopback, "http://localhost:evil/auth/callback", false),
            (loopback, "http://localhost.evil.example:8787/auth/callback", false),
            ("https://app.example/cb", "https://app.example:8443/cb", false),
            ("https://app.example/cb", "https://APP.example/cb", false),
        ] {
            assert_eq!(app(registered).may_return_to(asked), allowed, "{registered} asked as {asked}");
        }
    }
}
