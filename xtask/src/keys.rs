//! `cargo xtask keys`: a new key for `SEAL_KEYS`.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::failure::{Outcome, While};
use crate::stamp::hex;

/// Bytes of a sealing key.
const KEY_BYTES: usize = 32;

/// Prints a key with a name of its own. Where there are keys already it belongs at their end: the first seals, all
/// open, and a Worker that is still being replaced must be able to open what the new one seals.
pub(crate) fn print_new() -> Outcome {
    let name: [u8; 3] = random()?;
    println!("{}", entry(&format!("k{}", hex(&name)))?);
    eprintln!("Add it at the end of SEAL_KEYS, deploy, then move it to the front and deploy again.");
    Ok(())
}

/// `name:key`, as `SEAL_KEYS` holds it.
///
/// # Errors
/// The system has no randomness to give.
pub(crate) fn entry(name: &str) -> Outcome<String> {
    let key: [u8; KEY_BYTES] = random()?;
    Ok(format!("{name}:{}", BASE64_URL_SAFE_NO_PAD.encode(key)))
}

fn random<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).or_say(|| "asking the system for random bytes".to_owned())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_name_and_32_bytes() {
        let entry = entry("k1").unwrap();
        let (name, key) = entry.split_once(':').unwrap();
        assert_eq!(name, "k1");
        assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(key).unwrap().len(), 32);
    }

    #[test]
    fn no_two_keys_are_alike() {
        assert_ne!(entry("k1").unwrap(), entry("k1").unwrap());
    }
}
