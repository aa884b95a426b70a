//! Sees through the seals: which tokens a record holds. It opens them as a thief with all keys and the cookie would,
//! not by asking the keeper, so that what the keeper believes and what is stored can be told apart.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyhole_core::{
    keeper::{Change, KeeperName, Settings, record::Kind},
    seal::{Place, Purpose},
    secret::SessionSecret,
};
use serde_json::Value;

/// Where the row says that the session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Stands {
    /// There is no row.
    #[default]
    Nowhere,
    Opening,
    Open,
    Ended,
}

/// The tokens that an object's storage holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) stands: Stands,
    /// Why it ended.
    pub(crate) end: Option<String>,
    /// The grant of the row.
    pub(crate) grant: Option<GrantTokens>,
    /// Narrowed tokens, by the name of their record.
    pub(crate) children: BTreeMap<String, String>,
    /// Tokens to be revoked, by the name of their record.
    pub(crate) outbox: BTreeMap<String, String>,
}

/// What is inside the seal of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GrantTokens {
    pub(crate) generation: u64,
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) previous: Option<String>,
    sealed: String,
}

impl Held {
    /// Every token in it.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &str> {
        let grant = self.grant.iter().flat_map(|grant| {
            [Some(&grant.access), Some(&grant.refresh), grant.previous.as_ref()].into_iter().flatten()
        });
        grant.chain(self.children.values()).chain(self.outbox.values()).map(String::as_str)
    }

    /// Whether the token lies here.
    pub(crate) fn holds(&self, token: &str) -> bool {
        self.tokens().any(|held| held == token)
    }
}

/// The keys, the cookie and the name of the one session that is explored.
pub(crate) struct Eye<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) name: &'a KeeperName,
    pub(crate) secret: &'a SessionSecret,
}

impl Eye<'_> {
    /// What storage holds after these changes.
    pub(crate) fn follow(&self, held: &mut Held, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put(record) => match record.kind {
                    Kind::Session => self.row(held, &record.body),
                    Kind::Child => {
                        if let Some(token) = self.child(&record.name, &record.body) {
                            held.children.insert(record.name.clone(), token);
                        }
                    }
                    Kind::Outbox => {
                        if let Some(token) = self.outbox(&record.name, &record.body) {
                            held.outbox.insert(record.name.clone(), token);
                        }
                    }
                },
                Change::Delete(Kind::Child, name) => drop(held.children.remove(name)),
                Change::Delete(Kind::Outbox, name) => drop(held.outbox.remove(name)),
                Change::Delete(Kind::Session, _) | Change::Forget => *held = Held::default(),
                Change::Alarm(_) => {}
            }
        }
    }

    /// What a copy in KV holds.
    pub(crate) fn copy(&self, bytes: &[u8]) -> Option<GrantTokens> {
        let form: Value = serde_json::from_slice(bytes).ok()?;
        self.grant(form.get("generation")?.as_u64()?, form.get("grant")?.as_str()?)
    }

    fn row(&self, held: &mut Held, body: &str) {
        let row: Value = serde_json::from_str(body).unwrap_or_default();
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        held.stands = match text("status") {
            Some("opening") => Stands::Opening,
            Some("open") => Stands::Open,
            Some("ended") => Stands::Ended,
            _ => Stands::Nowhere,
        };
        held.end = text("end").map(str::to_owned);
        let Some(sealed) = text("grant") else {
            held.grant = None;
            return;
        };
        if held.grant.as_ref().is_none_or(|grant| grant.sealed != sealed) {
            let generation = row.get("generation").and_then(Value::as_u64).unwrap_or_default();
            held.grant = self.grant(generation, sealed);
        }
    }

    fn grant(&self, generation: u64, sealed: &str) -> Option<GrantTokens> {
        let form: Value = self.open(Purpose::Grant, generation, "", true, sealed)?;
        let text = |name: &str| form.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(GrantTokens {
            generation,
            access: text("access")?,
            refresh: text("refresh")?,
            previous: text("previous"),
            sealed: sealed.to_owned(),
        })
    }

    fn child(&self, name: &str, body: &str) -> Option<String> {
        let record: Value = serde_json::from_str(body).ok()?;
        let form = self.open(Purpose::Child, 0, name, true, record.get("sealed")?.as_str()?)?;
        Some(form.get("token")?.as_str()?.to_owned())
    }

    fn outbox(&self, name: &str, body: &str) -> Option<String> {
        let record: Value = serde_json::from_str(body).ok()?;
        let sealed = record.get("token")?.get("sealed")?.as_str()?;
        let bytes = self.unseal(Purpose::Outbox, 0, name, false, sealed)?;
        String::from_utf8(bytes).ok()
    }

    fn open(
        &self,
        purpose: Purpose,
        generation: u64,
        detail: &str,
        own: bool,
        sealed: &str,
    ) -> Option<Value> {
        serde_json::from_slice(&self.unseal(purpose, generation, detail, own, sealed)?).ok()
    }

    /// `own`: sealed under the session secret, not under the master key alone.
    fn unseal(
        &self,
        purpose: Purpose,
        generation: u64,
        detail: &str,
        own: bool,
        sealed: &str,
    ) -> Option<Vec<u8>> {
        let place = Place {
            purpose,
            keeper: self.name.as_str(),
            generation,
            client_id: &self.settings.app.client_id,
            detail,
        };
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        self.settings.seal_keys.open(&place, own.then_some(self.secret), &bytes).ok()
    }
}
