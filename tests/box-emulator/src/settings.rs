//! The switches: what Box documents nowhere, or what a test wants to see happen.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rules::Rule;

/// What `POST /emulator/settings` changes while the emulator runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What becomes of a refresh token that was redeemed.
    pub rotation: Rotation,
    /// With lazy rotation, how long a redeemed refresh token can be redeemed again. `None`: until the new pair is used.
    /// Box documents no time.
    pub replay_seconds: Option<u64>,
    /// With lazy rotation, whether redeeming a refresh token again brings another pair, which pushes the one before it
    /// out, so that two refresh tokens live at most (box-windows-sdk-v2#110, and a comment in box-node-sdk's
    /// `persistent-session.ts`). Off: the same pair again (box-typescript-sdk-gen#34, the younger report).
    pub replay_brings_new_pair: bool,
    /// Answers the authorize page at once, without a person. `None`: the page is shown.
    pub decision: Option<Decision>,
    /// Life of access tokens. `None`: random from 3600 to 4250, as Box was seen to answer.
    pub access_token_seconds: Option<u64>,
    /// Life of downscoped tokens, before the cap. `None`: random like access tokens.
    pub child_token_seconds: Option<u64>,
    /// Life of refresh tokens. Box: 60 days.
    pub refresh_token_seconds: u64,
    /// Whether revoking a grant ends what was narrowed from it. Box documents it nowhere: off, whoever signs somebody
    /// out must revoke each.
    pub children_die_on_revoke: bool,
    /// Whether a downscoped token ends when a refresh supersedes the token it was made from. Box documents it nowhere;
    /// its page says that their lives are independent
    /// (<https://developer.box.com/guides/embed/ui-elements/access/>, "Token Lifespan").
    pub children_die_on_rotation: bool,
    /// Box documents nowhere whether a downscoped token may last longer than the token it was made from.
    pub child_capped_by_parent: bool,
    /// Whether revoking a token that was used up or superseded still ends the grant it came from. Box documents it
    /// nowhere; off, nobody may count on it.
    pub dead_token_revokes_grant: bool,
    /// Whether a downscoped token can be narrowed further. Box's page on annotator tokens lets a file token be the
    /// subject (<https://developer.box.com/guides/authentication/tokens/annotator-tokens/>); nobody was seen to try.
    pub nested_exchange: bool,
    /// Whether the root folder can be the resource of an exchange. Box documents it nowhere: off, nobody may count on
    /// it.
    pub root_as_resource: bool,
    /// What `restricted_to` holds for a token without a resource. Box documents it nowhere.
    pub restricted_to_without_resource: WithoutResource,
    /// The status for an exchange that asks for a scope which the subject token does not hold, 401 or 400. Box's
    /// OpenAPI text says 401; no answer was seen.
    pub scope_not_held_status: u16,
    /// The error of that answer. Box documents it nowhere.
    pub scope_not_held_error: ScopeNotHeld,
    /// The status for an exchange whose subject token has ended, or never was, 400 or 401. Box documents it nowhere.
    pub dead_subject_status: u16,
    /// Whether the authorize page brings `state` along when it sends an error back. Box's OpenAPI text does not say;
    /// clients were seen to expect it (adammbalogh/box-php-sdk).
    pub state_on_errors: bool,
    /// Whether the token endpoints take `multipart/form-data`. Box documents only the other kind of form; this one was
    /// seen to work (`curl -F`, box-node-sdk#174). Off, nobody may count on it.
    pub multipart_forms: bool,
    /// Whether an app may prove itself by HTTP Basic (RFC 6749 section 2.3.1). Box was seen to answer such an app that
    /// its credentials are invalid (scribejava#842).
    pub basic_auth: bool,
    /// Whether a `code_challenge` must be met. Box has no PKCE: off, it is ignored.
    pub pkce: bool,
    /// The status for an item outside a token's resource, 404 or 403. Box documents it nowhere.
    pub outside_resource_status: u16,
    /// Whether previews exist from the start or are made when first asked for.
    pub representations: RepresentationStart,
    /// The rule that is not kept. Not among the settings that callers see or change.
    #[serde(skip)]
    pub broken: Option<Rule>,
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

/// What `restricted_to` holds for a token that is not restricted to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutResource {
    /// An entry for each scope, without an object.
    Scopes,
    /// Nothing.
    Empty,
}

/// What an exchange is told that asks for more than its subject token holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeNotHeld {
    /// As RFC 6749 section 5.2 has it.
    InvalidScope,
    /// As the API has it.
    InsufficientScope,
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
            replay_seconds: None,
            replay_brings_new_pair: false,
            decision: None,
            access_token_seconds: None,
            child_token_seconds: None,
            refresh_token_seconds: 60 * 24 * 60 * 60,
            children_die_on_revoke: false,
            children_die_on_rotation: false,
            child_capped_by_parent: true,
            dead_token_revokes_grant: false,
            nested_exchange: true,
            root_as_resource: false,
            restricted_to_without_resource: WithoutResource::Scopes,
            scope_not_held_status: 401,
            scope_not_held_error: ScopeNotHeld::InvalidScope,
            dead_subject_status: 400,
            state_on_errors: true,
            multipart_forms: false,
            basic_auth: false,
            pkce: false,
            outside_resource_status: 404,
            representations: RepresentationStart::Success,
            broken: None,
        }
    }
}

impl Settings {
    /// Whether `rule` is kept.
    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }

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
        for (name, status, [one, other]) in [
            ("outside_resource_status", settings.outside_resource_status, [403, 404]),
            ("scope_not_held_status", settings.scope_not_held_status, [400, 401]),
            ("dead_subject_status", settings.dead_subject_status, [400, 401]),
        ] {
            if status != one && status != other {
                return Err(format!("{name} is {one} or {other}"));
            }
        }
        Ok(Self { broken: self.broken, ..settings })
    }
}
