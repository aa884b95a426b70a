//! The keeper: the one owner of a session's refresh token, as a state machine without I/O.

use core::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    box_api::{BoxApp, Device},
    seal::SealKeys,
    secret::State,
};

pub mod message;

/// The name of a keeper: SHA-256 of the `state` of the login that opens it, in base64url. So a `state` is redeemed
/// once: it leads to one keeper, and a keeper opens once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeeperName(String);

impl KeeperName {
    /// The keeper that this login opens.
    #[must_use]
    pub fn of(state: &State) -> Self {
        Self(URL_SAFE_NO_PAD.encode(state.hash().bytes()))
    }

    /// Parses a name from a cookie: 43 characters of base64url.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeeperName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a keeper needs to know of the deployment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The app at Box.
    pub app: BoxApp,
    /// The device it signs in as.
    pub device: Device,
    /// The master keys.
    pub seal_keys: SealKeys,
    /// A session ends when it was not used for this long.
    pub session_idle: Duration,
    /// A session ends this long after it was opened.
    pub session_absolute: Duration,
    /// How many new items a session may ask tokens for in a minute.
    pub new_items_per_minute: u32,
    /// How many in a day.
    pub new_items_per_day: u32,
}
