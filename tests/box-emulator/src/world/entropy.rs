//! Randomness that a seed decides: the same seed and the same requests give the same tokens.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// SHA-256 in counter mode. Good enough that nobody guesses a token of a running emulator whose seed came
/// from the operating system; not meant for anything else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entropy {
    seed: u64,
    drawn: u64,
}

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl Entropy {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// `length` letters and digits, unlike any drawn before.
    pub(crate) fn text(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let wanted = length - text.len();
            text.extend(self.block().into_iter().filter_map(letter).take(wanted));
        }
        text
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        let drawn = self.block().into_iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(byte));
        low + drawn % (high - low + 1)
    }

    /// The seed of another stream, unlike any drawn before.
    pub(crate) fn seed(&mut self) -> [u8; 32] {
        self.block()
    }

    /// A name for request `number`, which needs no secrecy and leaves the state as it is.
    pub(crate) fn request_id(&self, number: u64) -> String {
        let hash = Sha256::digest(format!("request {} {number}", self.seed));
        hash.iter().filter_map(|byte| letter(*byte)).take(16).collect::<String>().to_ascii_lowercase()
    }

    fn block(&mut self) -> [u8; 32] {
        self.drawn += 1;
        Sha256::digest(format!("token {} {}", self.seed, self.drawn)).into()
    }
}

/// Bytes above the last whole multiple of 62 are thrown away, so that every letter is equally likely.
fn letter(byte: u8) -> Option<char> {
    if byte >= 248 {
        return None;
    }
    ALPHABET.get(usize::from(byte % 62)).copied().map(char::from)
}
