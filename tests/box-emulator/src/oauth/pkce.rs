//! PKCE, which Box does not have: behind a switch, for clients that want to be ready for it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Whether `verifier` answers the `challenge` that came with the login (RFC 7636 section 4.6, S256 only).
///
/// A verifier without a challenge is refused, too: someone cut the challenge off (RFC 9700 section 2.1.1).
pub(crate) fn met(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            (43..=128).contains(&verifier.len())
                && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::met;

    #[test]
    fn the_example_of_rfc_7636_appendix_b_is_met_and_nothing_else() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(met(Some(challenge), Some(verifier)));
        assert!(met(None, None));
        assert!(!met(Some(challenge), None));
        assert!(!met(None, Some(verifier)));
        assert!(!met(Some(challenge), Some(&verifier.replace('d', "e"))));
        assert!(!met(Some(verifier), Some(verifier)), "plain is not S256");
    }
}
