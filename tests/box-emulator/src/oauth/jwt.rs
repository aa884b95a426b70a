//! A JSON Web Token: taken apart, its signature checked, its claims judged.
//!
//! Each step gives a type that only it can make, so no claim is believed before the signature is.
//! <https://developer.box.com/guides/authentication/jwt/without-sdk/>, RFC 7515, RFC 7519, RFC 7523.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rsa::pkcs1v15::Pkcs1v15Sign;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::control::rules::Rule;
use crate::oauth::keys::PublicKey;
use crate::refusals::{self, OAuthRefusal};

/// What every SDK writes into `aud`, wherever it sends the assertion.
pub(crate) const AUDIENCE: &str = "https://api.box.com/oauth2/token";
/// How far in the future an assertion may end.
const LIFE_SECONDS_MAX: u64 = 60;
const JTI_CHARACTERS: RangeInclusive<usize> = 16..=128;

/// A token taken apart. Nothing of it is believed yet.
#[derive(Debug)]
pub(crate) struct Jwt<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    None,
}

/// Claims whose author is known, or of which it was decided that nobody need know (`alg: none`).
#[derive(Debug)]
pub(crate) struct Claims(Map<String, Value>);

/// What claims are held to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) client_id: &'a str,
    /// The token endpoint's own addresses, which are as good as [`AUDIENCE`].
    pub(crate) own_addresses: &'a [String],
    /// Milliseconds since 1970.
    pub(crate) now_ms: u64,
    /// The rule that is not kept.
    pub(crate) broken: Option<Rule>,
}

/// Claims that hold at this time for this app.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Assertion {
    pub(crate) subject: String,
    /// The claim `box_sub_type`.
    pub(crate) subject_type: String,
    /// The claim `name`, of an annotator.
    pub(crate) name: Option<String>,
    pub(crate) id: String,
}

impl<'a> Jwt<'a> {
    /// Takes the compact form apart (RFC 7515 section 7.1).
    ///
    /// # Errors
    /// `invalid_grant`, in our words, for anything that is not three parts of which two are JSON objects, for
    /// another `typ`, for an `alg` that Box does not take, and for extensions (`crit`), of which we know none.
    pub(crate) fn read(text: &'a str) -> Result<Self, OAuthRefusal> {
        let (signed, signature) = text.rsplit_once('.').ok_or(refusals::JWT_UNREADABLE)?;
        let (header, claims) = signed.split_once('.').ok_or(refusals::JWT_UNREADABLE)?;
        let header = object(header)?;
        if header.contains_key("crit") {
            return Err(refusals::JWT_UNREADABLE);
        }
        let kind = header.get("typ").map(Value::as_str);
        if kind.is_some_and(|kind| !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("JWT"))) {
            return Err(refusals::JWT_TYPE);
        }
        let algorithm = match header.get("alg").and_then(Value::as_str) {
            Some("RS256") => Algorithm::Rs256,
            Some("RS384") => Algorithm::Rs384,
            Some("RS512") => Algorithm::Rs512,
            Some("none") => Algorithm::None,
            _ => return Err(refusals::JWT_ALGORITHM),
        };
        Ok(Self {
            algorithm,
            // What is no text names no key, which is not the same as naming none.
            key_id: header.get("kid").map(|id| id.as_str().unwrap_or_default().to_owned()),
            claims: object(claims)?,
            signed,
            signature: decode(signature)?,
        })
    }

    /// The claims, if one of `keys` signed them: the one named by `kid`, or the only one.
    ///
    /// # Errors
    /// `invalid_grant` for a key that is unknown or not said, and for a wrong signature.
    pub(crate) fn verify(self, keys: &[PublicKey]) -> Result<Claims, OAuthRefusal> {
        let scheme = match self.algorithm {
            Algorithm::Rs256 => (Pkcs1v15Sign::new::<Sha256>(), Sha256::digest(self.signed).to_vec()),
            Algorithm::Rs384 => (Pkcs1v15Sign::new::<Sha384>(), Sha384::digest(self.signed).to_vec()),
            Algorithm::Rs512 => (Pkcs1v15Sign::new::<Sha512>(), Sha512::digest(self.signed).to_vec()),
            Algorithm::None => return Err(refusals::JWT_ALGORITHM),
        };
        let key = match (&self.key_id, keys) {
            (Some(id), _) => keys.iter().find(|key| key.id == *id).ok_or(refusals::JWT_KEY_UNKNOWN)?,
            (None, [only]) => only,
            (None, _) => return Err(refusals::JWT_KEY_MISSING),
        };
        let key = key.read().ok_or(refusals::JWT_KEY_UNKNOWN)?;
        let (scheme, hash) = scheme;
        key.verify(scheme, &hash, &self.signature).map_err(|_| refusals::JWT_SIGNATURE)?;
        Ok(Claims(self.claims))
    }

    /// The claims if nobody signed them and the header says so (`alg: none`), or else as [`Jwt::verify`].
    ///
    /// # Errors
    /// Those of [`Jwt::verify`].
    pub(crate) fn verify_if_signed(self, keys: &[PublicKey]) -> Result<Claims, OAuthRefusal> {
        if self.algorithm == Algorithm::None && self.signature.is_empty() {
            return Ok(Claims(self.claims));
        }
        self.verify(keys)
    }
}

impl Claims {
    /// Everything that can be said without knowing who the subject is.
    ///
    /// # Errors
    /// Box's sentence for the first claim that does not hold.
    pub(crate) fn judge(&self, terms: &Terms<'_>) -> Result<Assertion, OAuthRefusal> {
        if self.text("iss") != Some(terms.client_id) {
            return Err(refusals::JWT_ISS);
        }
        if !self
            .text("aud")
            .is_some_and(|aud| aud == AUDIENCE || terms.own_addresses.iter().any(|own| own == aud))
        {
            return Err(refusals::JWT_AUD);
        }
        self.judge_times(terms)?;
        let id = self.text("jti").filter(|id| JTI_CHARACTERS.contains(&id.chars().count()));
        Ok(Assertion {
            subject: self.text("sub").ok_or(refusals::JWT_SUB)?.to_owned(),
            subject_type: self.text("box_sub_type").ok_or(refusals::JWT_SUB_TYPE)?.to_owned(),
            name: self.text("name").map(str::to_owned),
            id: id.ok_or(refusals::JWT_JTI)?.to_owned(),
        })
    }

    /// To the instant: Box tolerates no clock that is ahead of its own (box-node-sdk#96).
    fn judge_times(&self, terms: &Terms<'_>) -> Result<(), OAuthRefusal> {
        let now = Duration::from_millis(terms.now_ms).as_secs_f64();
        let latest =
            Duration::from_millis(terms.now_ms).saturating_add(Duration::from_secs(LIFE_SECONDS_MAX));
        let ends = self.0.get("exp").and_then(Value::as_f64).ok_or(refusals::JWT_EXP)?;
        let is_too_far = ends > latest.as_secs_f64() && terms.broken != Some(Rule::ExpTooFar);
        if ends <= now || is_too_far {
            return Err(refusals::JWT_EXP);
        }
        for begin in ["iat", "nbf"].into_iter().filter_map(|name| self.0.get(name)) {
            if !begin.as_f64().is_some_and(|begin| begin <= now) {
                return Err(refusals::JWT_IAT_OR_NBF);
            }
        }
        Ok(())
    }

    /// A claim that is text: an id given as a number is none.
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }
}

/// The `jti` of every assertion that could still be brought again, by client id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct UsedAssertions(BTreeMap<String, BTreeMap<String, u64>>);

impl UsedAssertions {
    /// Remembers `id` until no assertion that was good at `now_ms` can still be. `false`: it was used before.
    pub(crate) fn enter(&mut self, client_id: &str, id: &str, now_ms: u64) -> bool {
        self.0.retain(|_, used| {
            used.retain(|_, until_ms| *until_ms > now_ms);
            !used.is_empty()
        });
        let until_ms = now_ms.saturating_add((LIFE_SECONDS_MAX + 1) * 1000);
        self.0.entry(client_id.to_owned()).or_default().insert(id.to_owned(), until_ms).is_none()
    }
}

fn object(part: &str) -> Result<Map<String, Value>, OAuthRefusal> {
    serde_json::from_slice(&decode(part)?).map_err(|_| refusals::JWT_UNREADABLE)
}

/// One text for one value: neither padding nor loose bits at the end.
fn decode(part: &str) -> Result<Vec<u8>, OAuthRefusal> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| refusals::JWT_UNREADABLE)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use chacha20::ChaCha20Rng;
    use chacha20::rand_core::SeedableRng as _;
    use proptest::prelude::*;
    use rsa::RsaPrivateKey;
    use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
    use serde_json::json;

    use super::*;

    const NOW_MS: u64 = 1_790_000_000_500;
    const NOW: u64 = NOW_MS / 1000;
    const TERMS: Terms<'_> = Terms { client_id: "app", own_addresses: &[], now_ms: NOW_MS, broken: None };

    /// Node's crypto made this key and signed these three with it.
    const ELSEWHERE: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs548XiW8IQWZ3263FKGw
wxEewU7QqELwdFyfuLLf+c1uJmQwW+5hqFnu78+akYfVJuXVofdXkvmXS6YXIg6G
N8X2bBr6z00MTlHszcNPL+QiYHVApKJqc717nt+h4rYZD4sElhlPndMQCQFTg9dZ
u5gwIysUxgG4Dy4/2BlQwSmW+uLJhdnrlo+kAGtCYCkLoJyEW0T1NdEqIP583B7K
Kz7JsrG0S5Vt05trm7uucerNBXGTq6XqtICK90sHSDnr+Ss/qailR2KcoujCD7oz
w6+yUc+5G8fcWapMZKw3ywLefLK+DEzDRoOHR3swGOZboGB94hGEW5hvA1ItnpKn
+QIDAQAB
-----END PUBLIC KEY-----
";
    const SIGNED_ELSEWHERE: [&str; 3] = [
        concat!(
            "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhcHAifQ.KlzMWz82kemE-",
            "kEqdUrWsGtXLquoHouPdVhI0K_rzdEWlWY1JoJru81H5eEL8F167S9jCzxtD2XcXUKdB8dGC-MyureF4IGUoW9kJd0gR1sH3",
            "nI0FAnMEqTXcgRJ0nEsTGkWXO6Pj4lifqoRgFogePICLPpmFMaGcEYFBDBh7rR9SY0e5C-",
            "fvK2CQuVSssrquaGgZdsi8D00_GzlYu7TQW1rN-fOTfIHrAtcrJJYpkEB9pSrLVTNJ4P7Ai8tKVXu91lvOKtwGlzDXieqhF6",
            "n_StrI0uPxIk3IcvFyJNodPPZ3titq1mfBdZxv1KkffH0IMhdBkPGyp7I21teMJTSgQ",
        ),
        concat!(
            "eyJhbGciOiJSUzM4NCIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhcHAifQ.n2l5rN7Xl0UtkviTjiGNLTLdQZnJUIubxFKaa-QQ",
            "nCH0gYiT2cLLtiXKAia42LHGjOpc_BuO5VAHirNgCMy5ZXdGIo1sjQOSOJn5s61iZ21MiPMw-",
            "Y1F8BzdxHVfzPfjHuLwSrE23iZFZbIlh_1yyWcZ32yOXzdcK7GBLaLQB8N-",
            "aBoQxBIEfS3qK4Nvgm2_czbtyG1l34NgJ264JKn-",
            "KlnyYTQVz8bWl2TokhpEYLoAtKrDubdub9TRTbFVyweh9QqTJpZ3ZfCCqaQjKkW4cFLWF4pF-",
            "nP3SLQ6DAPd4TeZZimueU7i383ut_fNMQ93a7WY5NAekLxJs3zLWUoD4g",
        ),
        concat!(
            "eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhcHAifQ.hilyAP2Kucxwj4xULbDqmlQEVsuJmpj9R3lB319D",
            "zYB59h9_kHWFterr8FlKQvG-Anje7AUCd7_WYjn5Oeh_Eg1MjRPUNhokMG2bIN6_6GHDZhRSsGT7HatrpceSwc0EPfTxE1rS",
            "9Z3pBlgzHEYwz7yg7WLR0FOEd6BpefmclVXzXLiLupI8dvmgwGK6VBsEnUgkctutZ1XG6jw7qHsDSw2g4IHC5oz98IWCGLyZ",
            "GiqXpluLfHHTTn0V3yqoZxiLRVjg2oYsBgQlFP2ILnkc5mzrlLC7s-",
            "NIf8YGj_ylpSs8EkTgdFUCwW39eDYNVNLymzD9Dps9JEA0ffpSHlxgyQ",
        ),
    ];

    struct Pair {
        public: PublicKey,
        private: RsaPrivateKey,
    }

    static FIRST: LazyLock<Pair> = LazyLock::new(|| pair("first", 1));
    static SECOND: LazyLock<Pair> = LazyLock::new(|| pair("second", 2));

    fn pair(id: &str, seed: u8) -> Pair {
        let private = RsaPrivateKey::new(&mut ChaCha20Rng::from_seed([seed; 32]), 2048).expect("a key");
        let pem = private.to_public_key().to_public_key_pem(LineEnding::LF).expect("PEM");
        Pair { public: PublicKey { id: id.to_owned(), pem, created_at_ms: 0 }, private }
    }

    fn claims() -> Value {
        json!({
            "iss": "app",
            "sub": "900000001",
            "box_sub_type": "enterprise",
            "aud": AUDIENCE,
            "jti": "a0123456789abcde",
            "exp": NOW + 45,
        })
    }

    /// `claims` with one of them replaced, or left out if it is `null`.
    fn except(name: &str, value: Value) -> Value {
        let mut claims = claims();
        let object = claims.as_object_mut().expect("an object");
        match value {
            Value::Null => object.remove(name),
            value => object.insert(name.to_owned(), value),
        };
        claims
    }

    fn encode(part: &[u8]) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(part)
    }

    fn sign_as(header: &Value, claims: &Value, pair: &Pair) -> String {
        let signed =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let hash = Sha256::digest(&signed);
        let signature = pair.private.sign(Pkcs1v15Sign::new::<Sha256>(), &hash).expect("signed");
        format!("{signed}.{}", encode(&signature))
    }

    fn sign(claims: &Value) -> String {
        sign_as(&json!({"alg": "RS256", "typ": "JWT", "kid": "first"}), claims, &FIRST)
    }

    fn judged(text: &str) -> Result<Assertion, OAuthRefusal> {
        Jwt::read(text)?.verify(&[SECOND.public.clone(), FIRST.public.clone()])?.judge(&TERMS)
    }

    #[test]
    fn a_good_assertion_says_who_is_meant() {
        let assertion = judged(&sign(&claims())).expect("good");
        let expected = Assertion {
            subject: "900000001".to_owned(),
            subject_type: "enterprise".to_owned(),
            name: None,
            id: "a0123456789abcde".to_owned(),
        };
        assert_eq!(assertion, expected);
    }

    #[test]
    fn the_three_algorithms_of_box_are_known() {
        let keys = [PublicKey { id: "any".to_owned(), pem: ELSEWHERE.to_owned(), created_at_ms: 0 }];
        for text in SIGNED_ELSEWHERE {
            let claims = Jwt::read(text).and_then(|jwt| jwt.verify(&keys)).expect("verified");
            assert_eq!(claims.text("iss"), Some("app"));
            let other = Jwt::read(text).and_then(|jwt| jwt.verify(std::slice::from_ref(&FIRST.public)));
            assert_eq!(other.expect_err("another key"), refusals::JWT_SIGNATURE);
        }
        let [one, two, three] = SIGNED_ELSEWHERE.map(|text| text.split_once('.').expect("parts"));
        for (header, rest) in [(one.0, two.1), (two.0, three.1), (three.0, one.1)] {
            let mixed = format!("{header}.{rest}");
            let refused = Jwt::read(&mixed).and_then(|jwt| jwt.verify(&keys)).expect_err("mixed");
            assert_eq!(refused, refusals::JWT_SIGNATURE);
        }
    }

    #[test]
    fn each_claim_is_held_to_its_rule() {
        for (name, value, expected) in [
            ("iss", json!(null), Some(refusals::JWT_ISS)),
            ("iss", json!("another"), Some(refusals::JWT_ISS)),
            ("aud", json!(null), Some(refusals::JWT_AUD)),
            ("aud", json!("https://api.box.com/oauth2/token/"), Some(refusals::JWT_AUD)),
            ("aud", json!("https://api.box.com"), Some(refusals::JWT_AUD)),
            ("aud", json!([AUDIENCE]), Some(refusals::JWT_AUD)),
            ("exp", json!(null), Some(refusals::JWT_EXP)),
            ("exp", json!("soon"), Some(refusals::JWT_EXP)),
            ("exp", json!(NOW + 61), Some(refusals::JWT_EXP)),
            ("exp", json!(NOW_MS + 45_000), Some(refusals::JWT_EXP)),
            ("exp", json!(NOW + 60), None),
            ("exp", json!(NOW + 1), None),
            ("exp", json!(NOW), Some(refusals::JWT_EXP)),
            ("exp", json!(1_790_000_000.6), None),
            ("exp", json!(-1), Some(refusals::JWT_EXP)),
            ("iat", json!(NOW), None),
            ("iat", json!(NOW + 1), Some(refusals::JWT_IAT_OR_NBF)),
            ("iat", json!("now"), Some(refusals::JWT_IAT_OR_NBF)),
            ("nbf", json!(NOW), None),
            ("nbf", json!(NOW + 1), Some(refusals::JWT_IAT_OR_NBF)),
            ("jti", json!(null), Some(refusals::JWT_JTI)),
            ("jti", json!(1_234_567_890_123_456_u64), Some(refusals::JWT_JTI)),
            ("jti", json!("x".repeat(15)), Some(refusals::JWT_JTI)),
            ("jti", json!("x".repeat(16)), None),
            ("jti", json!("x".repeat(128)), None),
            ("jti", json!("x".repeat(129)), Some(refusals::JWT_JTI)),
            ("sub", json!(null), Some(refusals::JWT_SUB)),
            ("sub", json!(900_000_001), Some(refusals::JWT_SUB)),
            ("box_sub_type", json!(null), Some(refusals::JWT_SUB_TYPE)),
        ] {
            let told = format!("{name} {value}");
            assert_eq!(judged(&sign(&except(name, value))).err(), expected, "{told}");
        }
    }

    #[test]
    fn the_header_names_algorithm_type_and_key() {
        let rs256 = |more: Value| {
            let mut header = json!({"alg": "RS256"});
            let object = header.as_object_mut().expect("an object");
            object.extend(more.as_object().expect("an object").clone());
            header
        };
        for (header, expected) in [
            (rs256(json!({"kid": "first"})), None),
            (rs256(json!({"kid": "first", "typ": "jwt"})), None),
            (rs256(json!({"kid": "first", "typ": "at+jwt"})), Some(refusals::JWT_TYPE)),
            (rs256(json!({"kid": "first", "typ": 1})), Some(refusals::JWT_TYPE)),
            (rs256(json!({"kid": "first", "crit": ["exp"]})), Some(refusals::JWT_UNREADABLE)),
            (rs256(json!({"kid": "second"})), Some(refusals::JWT_SIGNATURE)),
            (rs256(json!({"kid": "third"})), Some(refusals::JWT_KEY_UNKNOWN)),
            (rs256(json!({"kid": 1})), Some(refusals::JWT_KEY_UNKNOWN)),
            (rs256(json!({"kid": null})), Some(refusals::JWT_KEY_UNKNOWN)),
            (rs256(json!({})), Some(refusals::JWT_KEY_MISSING)),
            (json!({"alg": "RS384", "kid": "first"}), Some(refusals::JWT_SIGNATURE)),
            (json!({"alg": "HS256", "kid": "first"}), Some(refusals::JWT_ALGORITHM)),
            (json!({"alg": "none", "kid": "first"}), Some(refusals::JWT_ALGORITHM)),
            (json!({"kid": "first"}), Some(refusals::JWT_ALGORITHM)),
        ] {
            assert_eq!(judged(&sign_as(&header, &claims(), &FIRST)).err(), expected, "{header}");
        }
    }

    #[test]
    fn without_a_kid_the_only_key_is_taken_and_none_of_several() {
        let text = sign_as(&json!({"alg": "RS256"}), &claims(), &FIRST);
        let with = |keys: &[PublicKey]| Jwt::read(&text).and_then(|jwt| jwt.verify(keys)).map(|_| ());
        assert_eq!(with(std::slice::from_ref(&FIRST.public)), Ok(()));
        assert_eq!(with(std::slice::from_ref(&SECOND.public)), Err(refusals::JWT_SIGNATURE));
        assert_eq!(with(&[FIRST.public.clone(), SECOND.public.clone()]), Err(refusals::JWT_KEY_MISSING));
        assert_eq!(with(&[]), Err(refusals::JWT_KEY_MISSING));
    }

    #[test]
    fn what_nobody_signed_is_taken_only_where_that_is_asked_for() {
        let parts = sign_as(&json!({"alg": "none"}), &claims(), &FIRST);
        let (signed, _) = parts.rsplit_once('.').expect("parts");
        let unsigned = format!("{signed}.");
        assert_eq!(judged(&unsigned), Err(refusals::JWT_ALGORITHM));
        let keys = std::slice::from_ref(&FIRST.public);
        let taken = |text: &str| Jwt::read(text)?.verify_if_signed(keys)?.judge(&TERMS).map(|_| ());
        assert_eq!(taken(&unsigned), Ok(()));
        assert_eq!(taken(&sign(&claims())), Ok(()));
        assert_eq!(taken(&parts), Err(refusals::JWT_ALGORITHM), "none is no name for a signature");
        let cut = sign(&claims()).rsplit_once('.').map(|(signed, _)| format!("{signed}.")).expect("parts");
        assert_eq!(taken(&cut), Err(refusals::JWT_SIGNATURE), "nor is nothing one");
    }

    #[test]
    fn an_id_is_good_once_until_its_assertion_has_ended() {
        let mut used = UsedAssertions::default();
        assert!(used.enter("app", "one", NOW_MS));
        assert!(!used.enter("app", "one", NOW_MS + 60_999));
        assert!(used.enter("other", "one", NOW_MS), "each app has its own");
        assert!(used.enter("app", "two", NOW_MS + 200_000));
        assert_eq!((used.0.len(), used.0["app"].len()), (1, 1), "the old are forgotten");
        assert!(used.enter("app", "one", NOW_MS + 200_000));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,300}", parts in "[A-Za-z0-9_=.-]{0,300}") {
            prop_assert!(judged(&text).is_err());
            prop_assert!(judged(&parts).is_err());
        }

        #[test]
        fn no_header_and_no_claims_make_it_panic(header in any::<Vec<u8>>(), claims in any::<Vec<u8>>()) {
            let text = format!("{}.{}.", encode(&header), encode(&claims));
            prop_assert!(judged(&text).is_err());
        }

        #[test]
        fn a_flipped_bit_is_never_accepted(place in any::<prop::sample::Index>(), bit in 0_u8..7) {
            let mut bytes = sign(&claims()).into_bytes();
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
            let text = String::from_utf8(bytes).expect("still ASCII");
            prop_assert!(judged(&text).is_err(), "bit {} of {}", bit, place);
        }
    }
}
