//! An app that signs, with the settings file that it was given.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePrivateKey as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Answer, Client};

pub(crate) const JWT_APP: &str = "keyhole-jwt";
pub(crate) const JWT_CREDENTIALS: &[(&str, &str)] =
    &[("client_id", JWT_APP), ("client_secret", "keyhole-jwt-secret-not-a-secret")];
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(crate) const AUDIENCE: &str = "https://api.box.com/oauth2/token";

pub(crate) struct Signer {
    pub(crate) settings: Value,
    key: RsaPrivateKey,
    signed: u64,
}

impl Signer {
    /// With a new pair for the app `keyhole-jwt`.
    pub(crate) fn new(client: &mut Client) -> Self {
        let answer = client.ask("POST", "/emulator/apps/keyhole-jwt/keys").json(json!({})).send();
        assert_eq!(answer.status, 201, "{}", answer.text());
        let settings = answer.json();
        let auth = &settings["boxAppSettings"]["appAuth"];
        let (key, passphrase) = (auth["privateKey"].as_str(), auth["passphrase"].as_str());
        let key = RsaPrivateKey::from_pkcs8_encrypted_pem(key.expect("key"), passphrase.expect("passphrase"));
        Self { key: key.expect("opens"), settings, signed: 0 }
    }

    pub(crate) fn key_id(&self) -> &str {
        self.settings["boxAppSettings"]["appAuth"]["publicKeyID"].as_str().expect("an id")
    }

    /// As SDKs make them: 30 seconds, a new `jti`.
    pub(crate) fn claims(&mut self, client: &Client, subject_type: &str, subject: &str) -> Value {
        self.signed += 1;
        json!({
            "iss": JWT_APP,
            "sub": subject,
            "box_sub_type": subject_type,
            "aud": AUDIENCE,
            "jti": format!("{:016}", self.signed),
            "exp": client.now_ms / 1000 + 30,
        })
    }

    /// With the key's name in the header.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({"alg": "RS256", "typ": "JWT", "kid": self.key_id()}), claims)
    }

    pub(crate) fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let hash = Sha256::digest(&signed);
        let signature = self.key.sign(Pkcs1v15Sign::new::<Sha256>(), &hash).expect("signed");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// The answer to an assertion for that subject.
    pub(crate) fn ask(&mut self, client: &mut Client, subject_type: &str, subject: &str) -> Answer {
        let claims = self.claims(client, subject_type, subject);
        bring(client, &self.sign(&claims))
    }
}

/// Header and claims without a signature.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string())).join(".")
}

/// The answer to `assertion`, brought by `keyhole-jwt`.
pub(crate) fn bring(client: &mut Client, assertion: &str) -> Answer {
    let form = [("grant_type", JWT_BEARER), ("assertion", assertion)];
    client.token(&[&form[..], JWT_CREDENTIALS].concat())
}
