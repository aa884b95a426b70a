//! Sealing: what is stored is opened only by whom it was written for, where it was written, and as it was written.
//!
//! A sealed record is these bytes, one after the other:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | version, now 1 |
//! | 1 | length of the key id, 1 to 16 |
//! | 1-16 | key id, as in `SEAL_KEYS` |
//! | 24 | nonce, random |
//! | rest | XChaCha20-Poly1305 ciphertext and its tag |
//!
//! key = HKDF-SHA256(master key, salt = session secret or nothing, info = `keyhole seal v1` and the purpose);
//! associated data = purpose, keeper, generation, client id and detail, each with its length before it.
//! So a record does not open for another keeper, at another generation, for another app or another purpose.

use core::fmt;

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use serde::{Serialize, Serializer};
use sha2::Sha256;
use thiserror::Error;

use crate::secret::{MasterKey, SessionSecret};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// The name of a master key: 1 to 16 of `a-z` and `0-9`. It stands in clear before each record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyId {
    text: [u8; KEY_ID_BYTES_MAX],
    length: usize,
}

const KEY_ID_BYTES_MAX: usize = 16;

impl KeyId {
    /// Parses a key id; anything but 1 to 16 of `a-z0-9` is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let mut id = Self { text: [0; KEY_ID_BYTES_MAX], length: text.len() };
        id.text.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        (plain && !text.is_empty()).then_some(id)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.get(..self.length).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// What a key or a record is for. No key or record of one purpose serves another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A session's token pair and times.
    Grant,
    /// A narrowed token.
    Child,
    /// A token that is still to be revoked.
    Outbox,
    /// A login under way.
    Login,
    /// The word to a popup's opener.
    Done,
    /// A pair of tokens in a storage of somebody's own.
    Tokens,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Child => "child",
            Self::Outbox => "outbox",
            Self::Login => "login",
            Self::Done => "done",
            Self::Tokens => "tokens",
        }
    }
}

/// Where a record belongs; bound into it as associated data.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// What the record is for.
    pub purpose: Purpose,
    /// The keeper that holds it; empty where there is none yet.
    pub keeper: &'a str,
    /// The generation of the grant; 0 where there is none.
    pub generation: u64,
    /// The Box app's client id.
    pub client_id: &'a str,
    /// More that must match: a child's item and scopes, for one.
    pub detail: &'a str,
}

impl Place<'_> {
    fn associated_data(&self) -> Vec<u8> {
        let generation = self.generation.to_be_bytes();
        let parts: [&[u8]; 5] = [
            self.purpose.name().as_bytes(),
            self.keeper.as_bytes(),
            &generation,
            self.client_id.as_bytes(),
            self.detail.as_bytes(),
        ];
        let mut data = Vec::new();
        for part in parts {
            data.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

/// The key that a sealed record says it is sealed under.
#[must_use]
pub fn key_of(record: &[u8]) -> Option<KeyId> {
    let (_, rest) = record.split_first()?;
    let (&length, rest) = rest.split_first()?;
    KeyId::parse(core::str::from_utf8(rest.get(..usize::from(length))?).ok()?)
}

/// Why a record did not open. Never a reason to end a session: the record stays untouched and the answer is 503.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum OpenFault {
    /// Shorter than its own header says.
    #[error("a sealed record is cut short")]
    CutShort,
    /// Sealed by a later release.
    #[error("a sealed record has the unknown version {0}")]
    UnknownVersion(u8),
    /// Its key is not in `SEAL_KEYS`.
    #[error("a sealed record names the key `{}`, which SEAL_KEYS does not hold", .0.as_str())]
    UnknownKey(KeyId),
    /// Changed, moved, rolled back, of another app, or opened without its cookie.
    #[error("a sealed record does not open here")]
    Refused,
}

/// The master keys: the first seals, all open.
#[derive(Clone, Debug)]
pub struct SealKeys {
    first: (KeyId, MasterKey),
    others: Vec<(KeyId, MasterKey)>,
}

/// What is wrong with a `SEAL_KEYS` value, in words that name no key.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SealKeysFault {
    /// No entry at all.
    #[error("holds no key; `cargo xtask keys` makes one")]
    Empty,
    /// An entry is not `id:key`.
    #[error("entry {0} is not `id:key`, an id of 1-16 a-z0-9 and 32 bytes in base64url")]
    Malformed(usize),
    /// Two entries have one id.
    #[error("entry {0} repeats the id of an earlier one")]
    Repeated(usize),
}

impl SealKeys {
    /// Parses `kid:key[,kid:key…]`, each key 32 bytes in base64url without padding.
    ///
    /// # Errors
    /// [`SealKeysFault`] with the entry's number, counted from 1.
    pub fn parse(text: &str) -> Result<Self, SealKeysFault> {
        let mut keys: Vec<(KeyId, MasterKey)> = Vec::new();
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        for (number, entry) in (1..).zip(entries) {
            let (id, key) = entry.split_once(':').ok_or(SealKeysFault::Malformed(number))?;
            let id = KeyId::parse(id).ok_or(SealKeysFault::Malformed(number))?;
            let key = MasterKey::parse(key).ok_or(SealKeysFault::Malformed(number))?;
            if keys.iter().any(|(earlier, _)| *earlier == id) {
                return Err(SealKeysFault::Repeated(number));
            }
            keys.push((id, key));
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(SealKeysFault::Empty)?;
        Ok(Self { first, others: keys.collect() })
    }

    /// The id of the key that seals.
    #[must_use]
    pub const fn sealing_id(&self) -> &KeyId {
        &self.first.0
    }

    /// Seals `plaintext` for `place`. With a session secret, only who brings that secret again can open it.
    #[must_use]
    pub fn seal(
        &self,
        place: &Place<'_>,
        session: Option<&SessionSecret>,
        nonce: [u8; NONCE_BYTES],
        plaintext: &[u8],
    ) -> Vec<u8> {
        let (id, master) = &self.first;
        let id = id.as_str().as_bytes();
        let mut record = vec![VERSION, u8::try_from(id.len()).unwrap_or(u8::MAX)];
        record.extend_from_slice(id);
        record.extend_from_slice(&nonce);
        let payload = Payload { msg: plaintext, aad: &place.associated_data() };
        let cipher = cipher(master, place.purpose, session);
        // Encryption fails only beyond 2^38 bytes; an empty ciphertext then never opens.
        record.extend(cipher.encrypt(&XNonce::from(nonce), payload).unwrap_or_default());
        record
    }

    /// Opens a record that [`Self::seal`] made for the same place and session.
    ///
    /// # Errors
    /// [`OpenFault`]: cut short, of an unknown version or key, or refused.
    pub fn open(
        &self,
        place: &Place<'_>,
        session: Option<&SessionSecret>,
        record: &[u8],
    ) -> Result<Vec<u8>, OpenFault> {
        let (&version, rest) = record.split_first().ok_or(OpenFault::CutShort)?;
        if version != VERSION {
            return Err(OpenFault::UnknownVersion(version));
        }
        let (&id_length, rest) = rest.split_first().ok_or(OpenFault::CutShort)?;
        let (id, rest) = rest.split_at_checked(usize::from(id_length)).ok_or(OpenFault::CutShort)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(OpenFault::CutShort)?;
        let id = core::str::from_utf8(id).ok().and_then(KeyId::parse).ok_or(OpenFault::Refused)?;
        let Some(master) = self.key(&id) else { return Err(OpenFault::UnknownKey(id)) };
        let payload = Payload { msg: ciphertext, aad: &place.associated_data() };
        cipher(master, place.purpose, session)
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| OpenFault::Refused)
    }

    /// A tag over `message` under the key named `id`, for values that a browser carries and must not change.
    /// `None` when that key is not held.
    #[must_use]
    pub fn tag(&self, id: &KeyId, label: &str, message: &[u8]) -> Option<[u8; 32]> {
        Some(mac(self.key(id)?, label, message)?.finalize().into_bytes().into())
    }

    /// Whether `tag` is what [`Self::tag`] makes, in constant time. `false` as well when the key is not held.
    #[must_use]
    pub fn tag_holds(&self, id: &KeyId, label: &str, message: &[u8], tag: &[u8]) -> bool {
        let mac = self.key(id).and_then(|key| mac(key, label, message));
        mac.is_some_and(|mac| mac.verify_slice(tag).is_ok())
    }

    fn key(&self, id: &KeyId) -> Option<&MasterKey> {
        core::iter::once(&self.first).chain(&self.others).find(|(held, _)| held == id).map(|(_, key)| key)
    }
}

fn cipher(master: &MasterKey, purpose: Purpose, session: Option<&SessionSecret>) -> XChaCha20Poly1305 {
    let salt = session.map(|secret| secret.expose().as_slice());
    XChaCha20Poly1305::new(&derive(master, salt, &["keyhole seal v1 ", purpose.name()]).into())
}

fn mac(master: &MasterKey, label: &str, message: &[u8]) -> Option<Hmac<Sha256>> {
    let key = derive(master, None, &["keyhole tag v1 ", label]);
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&key).ok()?;
    mac.update(message);
    Some(mac)
}

/// HKDF-SHA256 (RFC 5869), one block out.
fn derive(master: &MasterKey, salt: Option<&[u8]>, info: &[&str]) -> [u8; 32] {
    let mut key = [0_u8; 32];
    let info: Vec<&[u8]> = info.iter().map(|part| part.as_bytes()).collect();
    let expanded = Hkdf::<Sha256>::new(salt, master.expose()).expand_multi_info(&info, &mut key);
    debug_assert!(expanded.is_ok(), "one block is within RFC 5869's 255");
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: Place<'static> =
        Place { purpose: Purpose::Grant, keeper: "k1", generation: 7, client_id: "app", detail: "" };

    fn keys() -> SealKeys {
        let (a, b) = (MasterKey::new([1; 32]).expose_text(), MasterKey::new([2; 32]).expose_text());
        SealKeys::parse(&format!("new:{a}, old:{b}")).unwrap()
    }

    fn session() -> SessionSecret {
        SessionSecret::new([3; 32])
    }

    fn sealed() -> Vec<u8> {
        keys().seal(&PLACE, Some(&session()), [4; 24], b"the pair")
    }

    fn open(place: &Place<'_>, record: &[u8]) -> Result<Vec<u8>, OpenFault> {
        keys().open(place, Some(&session()), record)
    }

    #[test]
    fn a_sealed_record_opens_where_it_belongs_and_shows_nothing() {
        assert_eq!(open(&PLACE, &sealed()).unwrap(), b"the pair");
        assert!(!sealed().windows(4).any(|window| window == b"pair"));
    }

    /// The format is stored: a change needs a new version byte and a migration.
    #[test]
    fn the_sealed_format_is_pinned() {
        let hex: String = sealed().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "01036e65770404040404040404040404040404040404040404040404044af44208bc926ade71139750481d18b03f1c40d2f81e7850"
        );
    }

    #[test]
    fn s17_a_record_moved_rolled_back_or_of_another_app_does_not_open() {
        for elsewhere in [
            Place { keeper: "k2", ..PLACE },
            Place { generation: 6, ..PLACE },
            Place { client_id: "other", ..PLACE },
            Place { purpose: Purpose::Child, ..PLACE },
            Place { detail: "file_1", ..PLACE },
            // The parts have their lengths before them: what leaves one and enters the next is not the same.
            Place { keeper: "k", client_id: "1app", ..PLACE },
        ] {
            assert_eq!(open(&elsewhere, &sealed()), Err(OpenFault::Refused), "{elsewhere:?}");
        }
    }

    #[test]
    fn s17_without_the_browsers_secret_the_master_key_opens_nothing() {
        assert_eq!(keys().open(&PLACE, None, &sealed()), Err(OpenFault::Refused));
        let another = SessionSecret::new([5; 32]);
        assert_eq!(keys().open(&PLACE, Some(&another), &sealed()), Err(OpenFault::Refused));
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let record = sealed();
        for at in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(open(&PLACE, &flipped).is_err(), "bit {at}");
        }
    }

    #[test]
    fn a_record_cut_short_anywhere_is_noticed() {
        let record = sealed();
        for length in 0..record.len() {
            assert!(open(&PLACE, &record[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn an_unknown_key_or_version_is_named_and_not_taken_for_a_forgery() {
        let mut later = sealed();
        later[0] = 2;
        assert_eq!(open(&PLACE, &later), Err(OpenFault::UnknownVersion(2)));
        let only_old = SealKeys::parse(&format!("old:{}", MasterKey::new([2; 32]).expose_text())).unwrap();
        let unknown = only_old.open(&PLACE, Some(&session()), &sealed());
        assert_eq!(unknown, Err(OpenFault::UnknownKey(KeyId::parse("new").unwrap())));
    }

    #[test]
    fn every_listed_key_opens_and_the_first_seals() {
        let old_first = SealKeys::parse(&format!(
            "old:{},new:{}",
            MasterKey::new([2; 32]).expose_text(),
            MasterKey::new([1; 32]).expose_text()
        ))
        .unwrap();
        assert_eq!(old_first.open(&PLACE, Some(&session()), &sealed()).unwrap(), b"the pair");
        assert_eq!(old_first.sealing_id().as_str(), "old");
    }

    #[test]
    fn a_tag_holds_for_its_message_label_and_key_only() {
        let (new, old) = (KeyId::parse("new").unwrap(), KeyId::parse("old").unwrap());
        let tag = keys().tag(&new, "cookie", b"message").unwrap();
        assert!(keys().tag_holds(&new, "cookie", b"message", &tag));
        assert!(!keys().tag_holds(&new, "cookie", b"messagf", &tag));
        assert!(!keys().tag_holds(&new, "other", b"message", &tag));
        assert!(!keys().tag_holds(&old, "cookie", b"message", &tag));
        assert!(!keys().tag_holds(&new, "cookie", b"message", &tag[..31]));
    }

    /// Where and for whom something was sealed, all of it arbitrary.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Spot {
        purpose: Purpose,
        keeper: String,
        generation: u64,
        client_id: String,
        detail: String,
        session: Option<[u8; 32]>,
    }

    impl Spot {
        fn place(&self) -> Place<'_> {
            let Self { purpose, keeper, generation, client_id, detail, .. } = self;
            Place { purpose: *purpose, keeper, generation: *generation, client_id, detail }
        }

        fn session(&self) -> Option<SessionSecret> {
            self.session.map(SessionSecret::new)
        }
    }

    fn spot() -> impl Strategy<Value = Spot> {
        let purpose = prop::sample::select(vec![
            Purpose::Grant,
            Purpose::Child,
            Purpose::Outbox,
            Purpose::Login,
            Purpose::Done,
        ]);
        let session = prop::option::of(prop::sample::select(vec![[1; 32], [2; 32]]));
        (purpose, "[ab]{0,3}", 0..3_u64, "[ab]{0,3}", "[ab]{0,3}", session).prop_map(
            |(purpose, keeper, generation, client_id, detail, session)| Spot {
                purpose,
                keeper,
                generation,
                client_id,
                detail,
                session,
            },
        )
    }

    impl Spot {
        /// This spot with one part of another, or with the same letters divided otherwise between two parts.
        fn but(self, part: usize, other: Self) -> Self {
            match part {
                0 => Self { purpose: other.purpose, ..self },
                1 => Self { keeper: other.keeper, ..self },
                2 => Self { generation: other.generation, ..self },
                3 => Self { client_id: other.client_id, ..self },
                4 => Self { detail: other.detail, ..self },
                5 => Self { session: other.session, ..self },
                _ => Self { client_id: String::new(), detail: self.client_id + &self.detail, ..self },
            }
        }
    }

    proptest! {
        #[test]
        fn s17_what_is_sealed_opens_where_it_was_sealed_and_nowhere_else(
            here in spot(), part in 0..7_usize, other in spot(), plaintext: Vec<u8>, nonce: [u8; 24],
        ) {
            let there = here.clone().but(part, other);
            let sealed = keys().seal(&here.place(), here.session().as_ref(), nonce, &plaintext);
            let opened = keys().open(&here.place(), here.session().as_ref(), &sealed);
            prop_assert_eq!(opened, Ok(plaintext.clone()));
            let moved = keys().open(&there.place(), there.session().as_ref(), &sealed);
            prop_assert_eq!(moved, if here == there { Ok(plaintext) } else { Err(OpenFault::Refused) });
        }

        #[test]
        fn s17_no_generation_is_replayed_as_another(
            here in spot(), generation: u64, plaintext: Vec<u8>, nonce: [u8; 24],
        ) {
            prop_assume!(generation != here.generation);
            let sealed = keys().seal(&here.place(), here.session().as_ref(), nonce, &plaintext);
            let replayed = Place { generation, ..here.place() };
            let opened = keys().open(&replayed, here.session().as_ref(), &sealed);
            prop_assert_eq!(opened, Err(OpenFault::Refused));
        }

        #[test]
        fn any_flipped_bit_of_any_record_is_noticed(
            here in spot(), plaintext: Vec<u8>, nonce: [u8; 24], bit: prop::sample::Index,
        ) {
            let mut sealed = keys().seal(&here.place(), here.session().as_ref(), nonce, &plaintext);
            let bit = bit.index(sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(keys().open(&here.place(), here.session().as_ref(), &sealed).is_err());
        }
    }

    #[test]
    fn seal_keys_that_do_not_parse_say_which_entry() {
        let key = MasterKey::new([1; 32]).expose_text();
        for (text, fault) in [
            (String::new(), SealKeysFault::Empty),
            ("k1".to_owned(), SealKeysFault::Malformed(1)),
            (format!("k1:{key},K2:{key}"), SealKeysFault::Malformed(2)),
            (format!("k1:{}", key.get(1..).unwrap()), SealKeysFault::Malformed(1)),
            (format!("k1:{key},k1:{key}"), SealKeysFault::Repeated(2)),
        ] {
            assert_eq!(SealKeys::parse(&text).unwrap_err(), fault, "{text}");
        }
    }
}
