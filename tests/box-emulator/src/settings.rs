//! The switches: what Box documents nowhere, or what a test wants to see happen.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What `POST /emulator/settings` changes while the emulator runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What becomes of a refresh token that was redeemed.
    pub rotation: Rotation,
    /// Answers the authorize page at once, without a person. `None`: the page is shown.
    pub decision: Option<Decision>,
    /// Life of access tokens. `None`: random from 3600 to 4250, as Box was seen to answer.
    pub access_token_seconds: Option<u64>,
    /// Life of downscoped tokens, before the cap. `None`: random like access tokens.
    pub child_token_seconds: Option<u64>,
    /// Life of refresh tokens. Box: 60 days.
    pub refresh_token_seconds: u64,
    /// Box documents nowhere whether a downscoped token outlives the token it was made from.
    pub children_die_with_parent: bool,
    /// Box documents nowhere whether a downscoped token may last longer than the token it was made from.
    pub child_capped_by_parent: bool,
    /// Whether revoking a token that was used up or superseded still ends the grant it came from. Box documents it
    /// nowhere; off, nobody may count on it.
    pub dead_token_revokes_grant: bool,
    /// Whether a `code_challenge` must be met. Box has no PKCE: off, it is ignored.
    pub pkce: bool,
    /// The status for an item outside a token's resource, 404 or 403. Box documents it nowhere.
    pub outside_resource_status: u16,
    /// Whether previews exist from the start or are made when first asked for.
    pub representations: RepresentationStart,
}

/// What becomes of a refresh token that was redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It can be redeemed again, for the same new pair, until one of that pair is used.
    Lazy,
    /// It is dead at once.
    Strict,
}

/// What the scripted authorize page answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The sample user grants access.
    Grant,
    /// The sample user denies access.
    Deny,
}

/// In which state a file's representations start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepresentationStart {
    /// All are there: `success`.
    Success,
    /// `none` until the first question about one, which makes it `pending`, the next finds `success`.
    OnDemand,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rotation: Rotation::Lazy,
            decision: None,
            access_token_seconds: None,
            child_token_seconds: None,
            refresh_token_seconds: 60 * 24 * 60 * 60,
            children_die_with_parent: false,
            child_capped_by_parent: true,
            dead_token_revokes_grant: false,
            pkce: false,
            outside_resource_status: 404,
            representations: RepresentationStart::Success,
        }
    }
}

impl Settings {
    /// These settings with each named one replaced.
    ///
    /// # Errors
    /// A sentence for the caller when a setting or its value does not exist.
    pub fn with(self, named: impl IntoIterator<Item = (String, Value)>) -> Result<Self, String> {
        self.patched(Value::Object(named.into_iter().collect()))
    }

    /// These settings with those that `patch` names replaced.
    ///
    /// # Errors
    /// A sentence for the caller when `patch` is no object, or names an unknown setting or value.
    pub(crate) fn patched(&self, patch: Value) -> Result<Self, String> {
        let Value::Object(patch) = patch else {
            return Err("settings are a JSON object".to_owned());
        };
        let mut all = match serde_json::to_value(self) {
            Ok(Value::Object(all)) => all,
            _ => serde_json::Map::new(),
        };
        all.extend(patch);
        let settings: Self = serde_json::from_value(Value::Object(all)).map_err(|fault| fault.to_string())?;
        if !matches!(settings.outside_resource_status, 403 | 404) {
            return Err("outside_resource_status is 403 or 404".to_owned());
        }
        Ok(settings)
    }
}
