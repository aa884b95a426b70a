//! An app's keys for JWT assertions: public halves are kept, private halves are given away once.
//!
//! <https://developer.box.com/guides/authentication/jwt/jwt-setup/>

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use rsa::pkcs8::der::pem::PemLabel as _;
use rsa::pkcs8::pkcs5::pbes2;
use rsa::pkcs8::{
    DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, EncryptedPrivateKeyInfoRef,
    LineEnding, PrivateKeyInfoRef,
};
use rsa::traits::PublicKeyParts as _;
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use crate::world::apps::App;
use crate::world::entropy::Entropy;
use crate::world::people::ENTERPRISE_ID;

/// What Box's console makes, and the least that it takes.
const KEY_BITS: usize = 2048;
/// Box names keys like this: `z1p54uao`.
const ID_LENGTH: usize = 8;
const PASSPHRASE_LENGTH: usize = 32;
/// Rounds of PBKDF2, as many as OpenSSL does. The passphrase is random and stands beside the key: more would only
/// keep every start of a client waiting.
const ROUNDS: u32 = 2048;

/// The public half of a pair, as an app keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublicKey {
    /// The `kid` of the assertions that it verifies.
    pub(crate) id: String,
    /// `-----BEGIN PUBLIC KEY-----` (RFC 7468 section 13).
    pub(crate) pem: String,
    /// Milliseconds since 1970.
    pub(crate) created_at_ms: u64,
}

/// The private half, as it is given away.
#[derive(Debug)]
pub(crate) struct PrivateKey {
    /// `-----BEGIN ENCRYPTED PRIVATE KEY-----` (RFC 7468 section 11), in PBES2 with PBKDF2, HMAC-SHA-256 and
    /// AES-256-CBC, which OpenSSL 1.0 could read already.
    pem: String,
    passphrase: String,
}

/// Why there is no key.
#[derive(Debug, Error)]
pub(crate) enum KeyFault {
    /// Not PEM, not a public key, or not one for RSA.
    #[error("not an RSA public key in PEM: {0}")]
    Unreadable(#[from] rsa::pkcs8::spki::Error),
    /// Box takes 2048 bits and more.
    #[error("a key of {0} bits is too short: Box takes 2048 and more")]
    Short(u32),
    /// Not to be expected: every pair has a PEM form.
    #[error("no key pair could be made")]
    Unmade,
}

impl PublicKey {
    /// The key that somebody made, in one PEM form whatever the form it came in.
    ///
    /// # Errors
    /// [`KeyFault::Unreadable`], [`KeyFault::Short`].
    pub(crate) fn import(pem: &str, entropy: &mut Entropy, now_ms: u64) -> Result<Self, KeyFault> {
        let key = RsaPublicKey::from_public_key_pem(pem.trim())?;
        let bits = key.n().bits_vartime();
        if usize::try_from(bits).is_ok_and(|bits| bits < KEY_BITS) {
            return Err(KeyFault::Short(bits));
        }
        Self::new(&key, entropy, now_ms)
    }

    /// The key, ready to verify.
    pub(crate) fn read(&self) -> Option<RsaPublicKey> {
        RsaPublicKey::from_public_key_pem(&self.pem).ok()
    }

    fn new(key: &RsaPublicKey, entropy: &mut Entropy, now_ms: u64) -> Result<Self, KeyFault> {
        let id = entropy.text(ID_LENGTH).to_ascii_lowercase();
        Ok(Self { id, pem: key.to_public_key_pem(LineEnding::LF)?, created_at_ms: now_ms })
    }
}

/// A new pair. The same place in the stream of `entropy` gives the same pair.
///
/// # Errors
/// None in practice.
pub(crate) fn generate(entropy: &mut Entropy, now_ms: u64) -> Result<(PublicKey, PrivateKey), KeyFault> {
    let mut random = ChaCha20Rng::from_seed(entropy.seed());
    let key = RsaPrivateKey::new(&mut random, KEY_BITS).map_err(|_| KeyFault::Unmade)?;
    let passphrase = entropy.text(PASSPHRASE_LENGTH);
    let pem = encrypted(&key, &passphrase, &mut random).ok_or(KeyFault::Unmade)?;
    Ok((PublicKey::new(key.as_public_key(), entropy, now_ms)?, PrivateKey { pem, passphrase }))
}

fn encrypted(key: &RsaPrivateKey, passphrase: &str, random: &mut ChaCha20Rng) -> Option<String> {
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    random.fill_bytes(&mut salt);
    random.fill_bytes(&mut iv);
    let scheme = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, iv).ok()?;
    let plain = key.to_pkcs8_der().ok()?;
    let sealed =
        PrivateKeyInfoRef::try_from(plain.as_bytes()).ok()?.encrypt_with_params(scheme, passphrase).ok()?;
    let pem = sealed.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF).ok()?;
    Some(pem.as_str().to_owned())
}

/// What Box's console offers for download when it makes a pair, and what every SDK reads.
/// <https://developer.box.com/guides/authentication/jwt/without-sdk/>
pub(crate) fn settings_file(app: &App, public: &PublicKey, private: &PrivateKey) -> Value {
    json!({
        "boxAppSettings": {
            "clientID": app.client_id,
            "clientSecret": app.client_secret,
            "appAuth": {
                "publicKeyID": public.id,
                "privateKey": private.pem,
                "passphrase": private.passphrase,
            },
        },
        "enterpriseID": ENTERPRISE_ID,
    })
}

#[cfg(test)]
mod tests {
    use rsa::pkcs8::DecodePrivateKey as _;

    use super::*;
    use crate::world::apps::Auth;

    /// RSA of 1024 bits, and no RSA at all: both made with Node's crypto.
    const SHORT: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC4/+/p6YIUUeOc6z2J+MnFAGDN
e9v0No6EQa8A5zHa25pCxdGS52jtAk29a0iTYT0ktrCyiFy17oOo695kKJ1m/Hg+
ztFNqeqAZ6p/0RBxluS5cmKiUy1UumWUaQBR3xddQhLg2idNUj2u88yBAz3qigUQ
0u5ijYa4Dq3PdsWadwIDAQAB
-----END PUBLIC KEY-----
";
    const CURVE: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE6V0fWuO1OVM//DwopseMoh62mC4M
3Z/RGMAUjO6BLe3p3UozpibcXxenurtFvcG/gxD2lOau4KOzr7uSLdNKvQ==
-----END PUBLIC KEY-----
";

    #[test]
    fn a_pair_is_as_box_s_console_makes_it_and_the_same_seed_gives_the_same() {
        let (public, private) = generate(&mut Entropy::new(7), 5).expect("a pair");
        assert!(public.id.len() == 8 && public.id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(public.pem.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{}", public.pem);
        assert!(private.pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{}", private.pem);
        let opened =
            RsaPrivateKey::from_pkcs8_encrypted_pem(&private.pem, &private.passphrase).expect("opens");
        assert_eq!(opened.to_public_key(), public.read().expect("reads"));
        assert_eq!(opened.n().bits_vartime(), 2048);
        assert!(RsaPrivateKey::from_pkcs8_encrypted_pem(&private.pem, "another").is_err());

        let (again, _) = generate(&mut Entropy::new(7), 5).expect("a pair");
        assert_eq!(again, public);
        let (other, _) = generate(&mut Entropy::new(8), 5).expect("a pair");
        assert!(other.id != public.id && other.pem != public.pem);
    }
    #[test]
    fn a_public_key_is_taken_if_it_is_one_for_rsa_and_long_enough() {
        let entropy = &mut Entropy::new(7);
        let (public, private) = generate(entropy, 5).expect("a pair");
        let windows = format!("  {}\r\n", public.pem.replace('\n', "\r\n"));
        let taken = PublicKey::import(&windows, entropy, 5).expect("taken");
        assert_eq!(taken.pem, public.pem);
        assert_ne!(taken.id, public.id, "each has a name of its own");
        let refused = |pem: &str, entropy: &mut Entropy| {
            PublicKey::import(pem, entropy, 5).expect_err("refused").to_string()
        };
        assert_eq!(refused(SHORT, entropy), "a key of 1024 bits is too short: Box takes 2048 and more");
        for pem in ["", "a key", CURVE, &private.pem, &public.pem.replace("PUBLIC KEY", "RSA PUBLIC KEY")] {
            let words = refused(pem, entropy);
            assert!(words.starts_with("not an RSA public key in PEM: "), "{words}");
        }
    }

    #[test]
    fn the_settings_file_has_the_members_of_box_s() {
        let app = App { client_secret: "secret".to_owned(), ..App::new("app", Auth::Jwt) };
        let (public, private) = generate(&mut Entropy::new(7), 5).expect("a pair");
        let file = settings_file(&app, &public, &private);
        let expected = json!({
            "boxAppSettings": {
                "clientID": "app",
                "clientSecret": "secret",
                "appAuth": {
                    "publicKeyID": public.id,
                    "privateKey": private.pem,
                    "passphrase": private.passphrase,
                },
            },
            "enterpriseID": "900000001",
        });
        assert_eq!(file, expected);
        assert!(file.to_string().contains("PRIVATE KEY-----\\nMII"), "line ends are written as \\n");
    }
}
