//! The switches: what Box documents nowhere, or what a test wants to see happen.
//!
//! One list makes all there is to know of them: the fields, their defaults, their meaning, what each may be, and where
//! that comes from.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::control::rules::Rule;

/// One line of [`Settings::switches`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Switch {
    /// The field.
    pub name: &'static str,
    /// What it is now.
    pub value: Value,
    /// All that it may be; `None`: anything of its type.
    pub values: Option<Vec<Value>>,
    /// What it does, in the words of its doc comment.
    pub about: String,
    /// Who says what Box does, or that nobody says.
    pub source: &'static str,
}

/// `/// about` `name: type = default, [all values, or none for any], "source";`
macro_rules! switches {
    ($($(#[doc = $about:literal])+ $name:ident: $kind:ty = $default:expr, $values:tt, $source:literal;)+) => {
        /// What `POST /emulator/settings` changes while the emulator runs.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Settings {
            $($(#[doc = $about])+ pub $name: $kind,)+
            /// The rule that is not kept. Not among the settings that callers see or change.
            #[serde(skip)]
            pub broken: Option<Rule>,
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)+ broken: None }
            }
        }

        /// How far the clock may be set from the real one: a hundred years.
pub(crate) const CLOCK_SECONDS_MAX: u64 = 100 * 365 * 24 * 60 * 60;

impl Settings {
            /// Every setting with what is to be said of it, in the order of the list.
            #[must_use]
            pub fn switches(&self) -> Vec<Switch> {
                vec![$(Switch {
                    name: stringify!($name),
                    value: json!(self.$name),
                    values: values(json!($values)),
                    about: [$($about),+].map(str::trim).join(" "),
                    source: $source,
                },)+]
            }
        }
    };
}

switches! {
    /// What becomes of a refresh token that was redeemed: `lazy`, it brings the same new pair again until one of that
    /// pair is used; `strict`, it is dead at once.
    rotation: Rotation = Rotation::Lazy, ["lazy", "strict"],
        "Documented: one use. Seen: box-typescript-sdk-gen#34, box-node-sdk#157.";
    /// With lazy rotation, how long a redeemed refresh token can be redeemed again. `null`: until the new pair is used.
    replay_seconds: Option<u64> = None, [], "Documented nowhere.";
    /// With lazy rotation, whether redeeming a refresh token again brings another pair, which pushes the one before it
    /// out, so that two refresh tokens live at most. Off: the same pair again.
    replay_brings_new_pair: bool = false, [true, false],
        "On: box-windows-sdk-v2#110 and a comment in box-node-sdk's persistent-session.ts. Off: the younger \
         box-typescript-sdk-gen#34.";
    /// Answers the authorize page at once, without a person. `null`: the page is shown.
    decision: Option<Decision> = None, [null, "grant", "deny"], "For tests.";
    /// Life of access tokens. `null`: random from 3600 to 4250, as Box was seen to answer.
    access_token_seconds: Option<u64> = None, [], "box-windows-sdk-v2#85, samples of the guide on downscoping.";
    /// Life of downscoped tokens, before the cap. `null`: random like access tokens.
    child_token_seconds: Option<u64> = None, [], "Samples of the guide on downscoping.";
    /// Life of refresh tokens.
    refresh_token_seconds: u64 = 60 * 24 * 60 * 60, [],
        "60 days: <https://developer.box.com/guides/api-calls/permissions-and-errors/expiration/>.";
    /// Whether revoking a grant ends what was narrowed from it. Off, whoever signs somebody out must revoke each.
    children_die_on_revoke: bool = false, [true, false], "Documented nowhere.";
    /// Whether a downscoped token ends when a refresh supersedes the token it was made from.
    children_die_on_rotation: bool = false, [true, false],
        "Documented nowhere. Their lives are independent, says \
         <https://developer.box.com/guides/embed/ui-elements/access/>, \"Token Lifespan\".";
    /// Whether a downscoped token lasts no longer than the token it was made from.
    child_capped_by_parent: bool = true, [true, false], "Documented nowhere.";
    /// Whether revoking a token that was used up or superseded still ends the grant it came from. Off, nobody may
    /// count on it.
    dead_token_revokes_grant: bool = false, [true, false], "Documented nowhere.";
    /// Whether a downscoped token can be narrowed further.
    nested_exchange: bool = true, [true, false],
        "Nobody was seen to try. A file token is the subject in \
         <https://developer.box.com/guides/authentication/tokens/annotator-tokens/>.";
    /// Whether the root folder can be the resource of an exchange. Off, nobody may count on it.
    root_as_resource: bool = false, [true, false], "Documented nowhere.";
    /// What `restricted_to` holds for a token without a resource: an entry for each scope, without an object, or
    /// nothing.
    restricted_to_without_resource: WithoutResource = WithoutResource::Scopes, ["scopes", "empty"],
        "Documented nowhere.";
    /// The status for an exchange that asks for a scope which the subject token does not hold.
    scope_not_held_status: u16 = 401, [401, 400], "Box's OpenAPI text says 401; no answer was seen.";
    /// The error of that answer.
    scope_not_held_error: ScopeNotHeld = ScopeNotHeld::InvalidScope, ["invalid_scope", "insufficient_scope"],
        "Documented nowhere. RFC 6749 section 5.2 has the first, the API the second.";
    /// The status for an exchange whose subject token has ended, or never was.
    dead_subject_status: u16 = 400, [400, 401], "Documented nowhere.";
    /// Whether the authorize page brings `state` along when it sends an error back.
    state_on_errors: bool = true, [true, false],
        "Box's OpenAPI text does not say; adammbalogh/box-php-sdk expects it.";
    /// Whether the token endpoints take `multipart/form-data`. Off, nobody may count on it.
    multipart_forms: bool = false, [true, false],
        "Box documents only the other kind of form; this one was seen to work: `curl -F`, box-node-sdk#174.";
    /// Whether an app may prove itself by HTTP Basic (RFC 6749 section 2.3.1).
    basic_auth: bool = false, [true, false],
        "Box was seen to answer such an app that its credentials are invalid: scribejava#842.";
    /// Whether a `code_challenge` must be met. Off, it is ignored.
    pkce: bool = false, [true, false], "Box has no PKCE: box-swift-sdk-gen#540.";
    /// The status for an item outside a token's resource.
    outside_resource_status: u16 = 404, [404, 403], "Documented nowhere; what a user cannot see is 404.";
    /// Whether previews exist from the start (`success`), are made when first asked for (`on_demand`), cannot be made
    /// (`error`), or are said to be there and are not (`deleted`: their content is 202).
    representations: RepresentationStart = RepresentationStart::Success,
        ["success", "on_demand", "error", "deleted"],
        "Reference of the representations field; box-content-preview, RepStatus.js and error_deleted_reps.";
    /// The `status.code` of previews that cannot be made.
    representation_error_code: String = "error_conversion_failed".to_owned(), [],
        "box-content-preview, events.js names the codes.";
    /// Whether a name in `fields` that no item has is refused with 400. Off, it is left out.
    unknown_fields_refused: bool = false, [true, false], "Documented nowhere; believed to be ignored.";
    /// How many items of a folder come when the call names no `limit`.
    folder_items_limit: u64 = 100, [], "The guide on paging: depends on the API. The folder's reference: 100.";
    /// How many calls of the API a user may make in a minute; `null`: any number. Box: about 1000.
    requests_per_minute: Option<u64> = None, [],
        "<https://developer.box.com/guides/api-calls/permissions-and-errors/rate-limits/>.";
    /// How many of them may be uploads. Box: 240.
    uploads_per_minute: Option<u64> = None, [], "As for `requests_per_minute`.";
    /// How many searches a user may make in a second. Box: 6.
    searches_per_second: Option<u64> = None, [], "As for `requests_per_minute`.";
    /// How many searches a user may make in a minute. Box: 60.
    searches_per_minute: Option<u64> = None, [], "As for `requests_per_minute`.";
    /// How often an app may ask the token endpoint in a minute; `null`: as often as it likes.
    token_requests_per_minute: Option<u64> = None, [],
        "Box publishes no figure; 429 was seen: box-python-sdk-gen#731.";
    /// By how much the clock here is ahead of the real one, or behind it: the header `Date`, the life of tokens, the
    /// judgement of assertions.
    clock_offset_seconds: i64 = 0, [], "For tests; SDKs correct their clocks by Box's: box-node-sdk#96.";
    /// Whether a token made with `box_shared_link` still needs the header `BoxApi` to reach what its user cannot see
    /// without that link.
    link_token_needs_header: bool = true, [true, false], "Documented nowhere; box-ui-elements always sends both.";
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
    /// None can be made.
    Error,
    /// All are said to be there, and none is.
    Deleted,
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
        // One by one, so that a refusal names the one that is wrong.
        let mut settings = self.clone();
        for (name, value) in patch {
            if !all.contains_key(&name) {
                return Err(format!("there is no switch {name}; the console lists them"));
            }
            all.insert(name.clone(), value);
            settings = serde_json::from_value(Value::Object(all.clone()))
                .map_err(|fault| format!("{name}: {fault}"))?;
        }
        if settings.clock_offset_seconds.unsigned_abs() > CLOCK_SECONDS_MAX {
            return Err(format!("clock_offset_seconds is at most {CLOCK_SECONDS_MAX}, either way"));
        }
        for Switch { name, value, values, .. } in settings.switches() {
            if let Some(values) = values.filter(|values| !values.contains(&value)) {
                return Err(format!("{name} is one of {}", Value::Array(values)));
            }
        }
        Ok(Self { broken: self.broken, ..settings })
    }
}

fn values(listed: Value) -> Option<Vec<Value>> {
    match listed {
        Value::Array(all) if !all.is_empty() => Some(all),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_in_the_table_with_words_and_a_source() {
        let settings = Settings::default();
        let written = serde_json::to_value(&settings).expect("JSON");
        let switches = settings.switches();
        let fields: Vec<&String> = written.as_object().expect("an object").keys().collect();
        assert_eq!(fields.len(), switches.len());
        for Switch { name, value, about, source, .. } in switches {
            assert_eq!(written[name], value, "{name}");
            assert!(about.ends_with('.') && about.len() > 20, "{name}: {about}");
            assert!(source.ends_with('.'), "{name}: {source}");
        }
    }

    #[test]
    fn the_readme_has_a_line_for_every_setting_with_its_default() {
        for Switch { name, value, .. } in Settings::default().switches() {
            let mut rows = include_str!("../../README.md").lines().filter(|line| line.starts_with("| `"));
            let row = rows.find(|row| row.contains(&format!("`{name}`"))).unwrap_or_default();
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let default = row.split(" | ").nth(1).unwrap_or_default();
            assert!(default.contains(&value), "{name} is {value}, says the code; {default}, says the README");
        }
    }

    #[test]
    fn a_setting_is_what_the_table_says_it_may_be_and_nothing_else() {
        for Switch { name, values, .. } in Settings::default().switches() {
            for value in values.iter().flatten() {
                let patched = Settings::default().patched(json!({name: value}));
                assert_eq!(json!(patched.expect(name))[name], *value);
            }
            let refused = Settings::default().patched(json!({name: "anything else"}));
            assert!(values.is_none() || refused.is_err(), "{name}");
        }
        let refused = Settings::default().patched(json!({"outside_resource_status": 500}));
        assert_eq!(refused, Err("outside_resource_status is one of [404,403]".to_owned()));
    }
}
