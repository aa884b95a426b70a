//! A login under way: what must still be known when Box sends the browser back.
//!
//! Written once and read once, under a key that is fresh for each login: so an eventually consistent store may hold
//! it (KV `login:{H(state)}`, 600 s). The same bytes travel in the login cookie, for a store that is late or full.
//!
//! The record is JSON, sealed under master key *and* the login cookie's secret, and bound to H(state) and the app:
//! it opens for the browser that started the login and with the `state` it started with, or not at all.
//!
//! ```json
//! {"v":1,"return_to":"https://…","opener":"https://…","verifier":"…","expires_at":1700000000000,
//!  "previous":{"keeper":"…","secret":"…"}}
//! ```

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    cookies::SessionCookie,
    keeper::KeeperName,
    origin::Origin,
    return_to::ReturnTo,
    seal::{OpenFault, Place, Purpose},
    secret::{LoginSecret, SessionSecret},
    time::Timestamp,
};

/// How long a person may take at Box.
pub const LOGIN_LIFE: Duration = Duration::from_secs(600);

const VERSION: u8 = 1;

/// A login under way.
#[derive(Debug)]
pub struct Transaction {
    /// Where the browser goes in the end.
    pub return_to: ReturnTo,
    /// The page that opened a popup for this login; nothing when the page itself went to Box.
    pub opener: Option<Origin>,
    /// PKCE's verifier (RFC 7636 section 4.1).
    pub verifier: String,
    /// After this the login is over.
    pub expires_at: Timestamp,
    /// The session that the browser had when it started: a new one replaces it.
    pub previous: Option<SessionCookie>,
}

/// Why a record is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It does not open for this browser and this `state`.
    Unknown,
    /// It was sealed with a key, or in a version, that this deployment does not know.
    Foreign,
}

#[derive(Serialize, Deserialize)]
struct Record {
    v: u8,
    return_to: String,
    opener: Option<String>,
    verifier: String,
    expires_at: Timestamp,
    previous: Option<Previous>,
}

#[derive(Serialize, Deserialize)]
struct Previous {
    keeper: String,
    secret: String,
}

/// The key in KV.
#[must_use]
pub fn key(keeper: &KeeperName) -> String {
    format!("login:{keeper}")
}

impl Transaction {
    /// Seals it for the browser that holds `secret`.
    #[must_use]
    pub fn seal(
        &self,
        config: &Config,
        keeper: &KeeperName,
        secret: &LoginSecret,
        nonce: [u8; 24],
    ) -> Vec<u8> {
        let record = Record {
            v: VERSION,
            return_to: self.return_to.as_str().to_owned(),
            opener: self.opener.as_ref().map(Origin::to_string),
            verifier: self.verifier.clone(),
            expires_at: self.expires_at,
            previous: self.previous.as_ref().map(|session| Previous {
                keeper: session.keeper.to_string(),
                secret: session.secret.expose_text(),
            }),
        };
        // This form has string keys and no floats, so it always serialises.
        let plaintext = serde_json::to_vec(&record).unwrap_or_default();
        config.keys().seal(&place(config, keeper), Some(&salt(secret)), nonce, &plaintext)
    }

    /// Opens what [`Self::seal`] made. The addresses in it are judged again: the settings may have changed.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn open(
        config: &Config,
        keeper: &KeeperName,
        secret: &LoginSecret,
        record: &[u8],
    ) -> Result<Self, Unusable> {
        let plaintext =
            config.keys().open(&place(config, keeper), Some(&salt(secret)), record).map_err(|fault| {
                match fault {
                    OpenFault::UnknownKey(_) | OpenFault::UnknownVersion(_) => Unusable::Foreign,
                    OpenFault::CutShort | OpenFault::Refused => Unusable::Unknown,
                }
            })?;
        let record: Record = serde_json::from_slice(&plaintext).map_err(|_| Unusable::Foreign)?;
        if record.v != VERSION {
            return Err(Unusable::Foreign);
        }
        let previous = record.previous.and_then(|previous| {
            let keeper = KeeperName::parse(&previous.keeper)?;
            Some(SessionCookie::issue(keeper, SessionSecret::parse(&previous.secret)?))
        });
        Ok(Self {
            return_to: ReturnTo::parse(&record.return_to, config).unwrap_or_else(|| ReturnTo::home(config)),
            opener: record
                .opener
                .map(|opener| opener_of(&opener, config).ok_or(Unusable::Foreign))
                .transpose()?,
            verifier: record.verifier,
            expires_at: record.expires_at,
            previous,
        })
    }
}

/// The origin of a page that may open a popup: ours, or a listed one.
#[must_use]
pub fn opener_of(text: &str, config: &Config) -> Option<Origin> {
    let own = Some(&config.public_origin).filter(|own| own.as_str() == text);
    own.or_else(|| config.policy.listed(text)).cloned()
}

fn place<'a>(config: &'a Config, keeper: &'a KeeperName) -> Place<'a> {
    Place {
        purpose: Purpose::Login,
        keeper: keeper.as_str(),
        generation: 0,
        client_id: &config.app().client_id,
        detail: "",
    }
}

/// The seal takes a browser's secret as its salt; here it is the login's.
fn salt(secret: &LoginSecret) -> SessionSecret {
    SessionSecret::new(*secret.expose())
}

#[cfg(test)]
mod tests {
    use super::*;
}
