//! Secrets are types: they cannot be printed, compared by accident, or serialised without saying so.
//!
//! Reading one is always spelled `expose()`, so that a search finds every place.

use core::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

macro_rules! secret_text {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(String);

        impl $name {
            /// Takes the text in; from here on it prints as `[redacted]`.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The secret itself, for the wire or the seal.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )*};
}

secret_text! {
    /// The app's secret at Box (RFC 6749 section 2.3.1).
    ClientSecret;
    /// An authorization code: 30 seconds, one use (RFC 6749 section 1.3.1; Box, "Token & URL expiration").
    AuthorizationCode;
    /// PKCE's verifier (RFC 7636 section 4.1), which Box ignores today.
    PkceVerifier;
    /// The token that brings new pairs: 60 days, one use (Box, "Refresh a token").
    RefreshToken;
    /// An access token that is not narrowed. It never leaves the keeper.
    ParentToken;
    /// An access token narrowed to one item (RFC 8693; Box, "Downscope a token"). This is what browsers get.
    ChildToken;
}

macro_rules! secret_bytes {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes 32 bytes in; from here on they print as `[redacted]`.
            #[must_use]
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// From 43 characters of base64url without padding; anything else is `None`.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
                Some(Self(bytes.try_into().ok()?))
            }

            /// The bytes themselves.
            #[must_use]
            pub const fn expose(&self) -> &[u8; 32] {
                &self.0
            }

            /// As base64url without padding, for a cookie or a URL.
            #[must_use]
            pub fn expose_text(&self) -> String {
                URL_SAFE_NO_PAD.encode(self.0)
            }

            /// SHA-256 of it: what may be stored where the secret itself may not.
            #[must_use]
            pub fn hash(&self) -> Digest {
                Digest(Sha256::digest(self.0).into())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )*};
}

secret_bytes! {
    /// What a browser's session cookie proves; the seal of its grant is derived from it, and it is stored nowhere else.
    SessionSecret;
    /// What a browser's login cookie proves, for one login.
    LoginSecret;
    /// The one-time `state` of an authorization request (RFC 6749 section 10.12).
    State;
    /// A master key of `SEAL_KEYS`.
    MasterKey;
}

/// A SHA-256 of a secret. Compared in constant time.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of any text, such as a token that a browser says was refused.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// From 64 hexadecimal digits, lower case; anything else is `None`.
    #[must_use]
    pub fn parse_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0_u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let &[high, low] = pair else { return None };
            *byte = (hex_digit(high)? << 4) | hex_digit(low)?;
        }
        Some(Self(bytes))
    }

    /// As 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are of the same secret, in constant time.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// The randomness of one event: 32 bytes that the shell drew, stretched with HKDF (RFC 5869) into as many
/// independent values as the event needs. Not `Clone`: no value is drawn twice.
pub struct Entropy {
    source: Hkdf<Sha256>,
    drawn: u32,
}

impl Entropy {
    /// From 32 bytes of the platform's generator.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self { source: Hkdf::new(Some(b"keyhole entropy v1"), &seed), drawn: 0 }
    }

    /// The next `N` bytes, independent of all before.
    pub fn draw<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 64, "one draw is two blocks of SHA-256 at most") };
        let mut bytes = [0_u8; N];
        let drawn = self.source.expand(&self.drawn.to_be_bytes(), &mut bytes);
        debug_assert!(drawn.is_ok(), "64 bytes are within RFC 5869's 255 blocks");
        self.drawn = self.drawn.wrapping_add(1);
        bytes
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s42_no_secret_can_be_printed() {
        let all = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            ClientSecret::new("hush"),
            RefreshToken::new("hush"),
            ParentToken::new("hush"),
            ChildToken::new("hush"),
            SessionSecret::new(*b"hushhushhushhushhushhushhushhush"),
            Entropy::new([7; 32]),
        );
        assert!(!all.contains("hush"), "{all}");
    }

    #[test]
    fn a_digest_survives_its_hexadecimal_form_and_nothing_else_parses() {
        let digest = Digest::of("token");
        assert!(Digest::parse_hex(&digest.hex()).unwrap().same(&digest));
        assert!(!digest.same(&Digest::of("other")));
        for wrong in ["", "zz", &digest.hex().to_uppercase(), digest.hex().get(1..).unwrap()] {
            assert!(Digest::parse_hex(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn entropy_never_repeats_itself_and_follows_from_its_seed() {
        let mut one = Entropy::new([1; 32]);
        let mut same = Entropy::new([1; 32]);
        let first = one.draw::<32>();
        assert_eq!(first, same.draw::<32>());
        assert_ne!(first, one.draw::<32>());
        assert_ne!(first, Entropy::new([2; 32]).draw::<32>());
    }

    #[test]
    fn a_secret_of_the_wrong_length_does_not_parse() {
        let state = State::new([9; 32]);
        assert_eq!(State::parse(&state.expose_text()).unwrap().expose(), state.expose());
        assert!(State::parse("c2hvcnQ").is_none());
        assert!(State::parse(&format!("{}A", state.expose_text())).is_none());
    }
}
