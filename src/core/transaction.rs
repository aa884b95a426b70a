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

use serde::Serialize;

use crate::{
    config::Config,
    cookies::SessionCookie,
    json::Object,
    keeper::KeeperName,
    origin::Origin,
    return_to::ReturnTo,
    seal::{OpenFault, Place, Purpose},
    secret::{LoginSecret, PkceVerifier, SessionSecret},
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
    pub verifier: PkceVerifier,
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

#[derive(Serialize)]
struct Record {
    v: u8,
    return_to: String,
    opener: Option<String>,
    verifier: String,
    expires_at: Timestamp,
    previous: Option<Previous>,
}

#[derive(Serialize)]
struct Previous {
    keeper: String,
    secret: String,
}

impl Record {
    fn read(mut form: Object) -> Option<Self> {
        if form.number("v") != Some(u64::from(VERSION)) {
            return None;
        }
        Some(Self {
            v: VERSION,
            return_to: form.text("return_to")?,
            opener: form.optional("opener", Object::text)?,
            verifier: form.text("verifier")?,
            expires_at: form.time("expires_at")?,
            previous: form.optional("previous", |form, name| Previous::read(form.object(name)?))?,
        })
    }
}

impl Previous {
    fn read(mut form: Object) -> Option<Self> {
        Some(Self { keeper: form.text("keeper")?, secret: form.text("secret")? })
    }
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
            verifier: self.verifier.expose().to_owned(),
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
        let record = Object::parse(&plaintext).and_then(Record::read).ok_or(Unusable::Foreign)?;
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
            verifier: PkceVerifier::new(record.verifier),
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
    use crate::{
        config::tests::{config, config_with},
        secret::{MasterKey, State},
    };

    fn keeper() -> KeeperName {
        KeeperName::of(&State::new([1; 32]))
    }

    fn secret() -> LoginSecret {
        LoginSecret::new([2; 32])
    }

    fn login() -> Transaction {
        Transaction {
            return_to: ReturnTo::parse("/files?id=7", &config()).unwrap(),
            opener: Some(Origin::parse("https://app.example.com").unwrap()),
            verifier: PkceVerifier::new("verifier"),
            expires_at: Timestamp::from_millis(1_700_000_000_000),
            previous: Some(SessionCookie::issue(keeper(), SessionSecret::new([4; 32]))),
        }
    }

    fn sealed() -> Vec<u8> {
        login().seal(&config(), &keeper(), &secret(), [5; 24])
    }

    fn open(record: &[u8]) -> Result<Transaction, Unusable> {
        Transaction::open(&config(), &keeper(), &secret(), record)
    }

    #[test]
    fn what_was_written_down_is_read_again() {
        let login = open(&sealed()).unwrap();
        assert_eq!(login.return_to.as_str(), "https://keyhole.example.com/files?id=7");
        assert_eq!(login.opener.unwrap().as_str(), "https://app.example.com");
        assert_eq!((login.verifier.expose(), login.expires_at.millis()), ("verifier", 1_700_000_000_000));
        assert_eq!(login.previous.unwrap().secret.expose(), &[4; 32]);
    }

    /// The format is stored, for ten minutes: a release must read what the one before it wrote.
    #[test]
    fn the_record_is_pinned() {
        let plaintext =
            config().keys().open(&place(&config(), &keeper()), Some(&salt(&secret())), &sealed()).unwrap();
        assert_eq!(
            String::from_utf8(plaintext).unwrap(),
            r#"{"v":1,"return_to":"https://keyhole.example.com/files?id=7","opener":"https://app.example.com","verifier":"verifier","expires_at":1700000000000,"previous":{"keeper":"cs1uhCLEB_ttCYaQ8RMLfe1-wvf14dML2dUh8BU2N5M","secret":"BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ"}}"#
        );
        assert_eq!(key(&keeper()), "login:cs1uhCLEB_ttCYaQ8RMLfe1-wvf14dML2dUh8BU2N5M");
    }

    #[test]
    fn s05_a_flipped_bit_anywhere_is_noticed() {
        let record = sealed();
        for at in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(open(&flipped).is_err(), "bit {at}");
        }
    }

    #[test]
    fn s03_it_opens_for_its_browser_and_its_state_only() {
        let another = LoginSecret::new([9; 32]);
        assert_eq!(
            Transaction::open(&config(), &keeper(), &another, &sealed()).unwrap_err(),
            Unusable::Unknown
        );
        let elsewhere = KeeperName::of(&State::new([9; 32]));
        assert_eq!(
            Transaction::open(&config(), &elsewhere, &secret(), &sealed()).unwrap_err(),
            Unusable::Unknown
        );
    }

    #[test]
    fn s08_it_opens_for_its_app_only() {
        let other_app = config_with(&[("BOX_CLIENT_ID", "other")]);
        assert_eq!(
            Transaction::open(&other_app, &keeper(), &secret(), &sealed()).unwrap_err(),
            Unusable::Unknown
        );
    }

    #[test]
    fn a_key_that_is_gone_is_not_taken_for_a_forgery() {
        let other = format!("k2:{}", MasterKey::new([8; 32]).expose_text());
        let elsewhere = config_with(&[("SEAL_KEYS", &other)]);
        assert_eq!(
            Transaction::open(&elsewhere, &keeper(), &secret(), &sealed()).unwrap_err(),
            Unusable::Foreign
        );
    }

    #[test]
    fn s09_an_address_that_is_no_longer_listed_is_not_returned_to() {
        let login = Transaction {
            return_to: ReturnTo::parse("https://app.example.com/page", &config()).unwrap(),
            opener: None,
            ..login()
        };
        let record = login.seal(&config(), &keeper(), &secret(), [5; 24]);
        let narrowed = config_with(&[("ALLOWED_ORIGINS", "")]);
        let opened = Transaction::open(&narrowed, &keeper(), &secret(), &record).unwrap();
        assert_eq!(opened.return_to, ReturnTo::home(&narrowed));
        let popup = Transaction::open(&narrowed, &keeper(), &secret(), &sealed());
        assert_eq!(popup.unwrap_err(), Unusable::Foreign);
    }

    #[test]
    fn the_largest_record_fits_a_cookie() {
        let host = format!(
            "https://{}.example",
            ["a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(60)].join(".")
        );
        let config = config_with(&[("ALLOWED_ORIGINS", &host)]);
        let address = |length: usize| format!("{host}/{}", "e".repeat(length));
        let accepted = |length: &usize| ReturnTo::parse(&address(*length), &config).is_some();
        let longest = address((0..4096).rev().find(accepted).unwrap());
        let login = Transaction {
            return_to: ReturnTo::parse(&longest, &config).unwrap(),
            opener: Some(Origin::parse(&host).unwrap()),
            verifier: PkceVerifier::new("v".repeat(43)),
            ..login()
        };
        let record = login.seal(&config, &keeper(), &secret(), [5; 24]);
        // Browsers keep 4096 bytes of name and value (RFC 6265 section 6.1); a third is added by base64url.
        assert!(record.len() * 4 / 3 + 44 + 34 + 2 < 4096, "{}", record.len());
    }
}
