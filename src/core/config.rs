//! The settings: parsed once, all faults reported together by variable name.
//!
//! | variable | default | what |
//! | --- | --- | --- |
//! | `PUBLIC_ORIGIN` | required | where browsers reach this Worker, `https://host[:port]`; `http` on localhost only |
//! | `BOX_CLIENT_ID` | required | the app at Box |
//! | `BOX_CLIENT_SECRET` | required, secret | its secret |
//! | `SEAL_KEYS` | required, secret | `name:32 bytes in base64url`, comma separated; the first seals, all open |
//! | `BOX_AUTHORIZE_URL` | `https://account.box.com/api/oauth2/authorize` | where a person signs in |
//! | `BOX_API_URL` | `https://api.box.com` | Box's API, an origin |
//! | `BOX_APP_URL` | `https://app.box.com` | Box's web app, an origin; the preview library asks for it |
//! | `BOX_CONTENT_ORIGINS` | `https://*.boxcloud.com` | where content comes from: CSP sources, separated by spaces |
//! | `PREVIEW_LIBRARY_URL` | Box's CDN, 3.81.0, en-US | ends in `/{version}/{locale}/preview.js`, version 3.79 or later |
//! | `LOGIN_SCOPES` | empty: all of the app's | scopes to narrow a login to, separated by spaces |
//! | `ALLOWED_SCOPES` | `base_preview item_preview` | what a browser's token may hold at most |
//! | `ALLOW_FOLDERS` | `false` | whether a token may be for a folder |
//! | `ALLOWED_ORIGINS` | empty | whose pages may call and be returned to, separated by spaces |
//! | `FRAME_ANCESTORS` | empty: nobody | who may show the page in a frame: CSP sources |
//! | `SESSION_IDLE_SECONDS` | `1209600` (14 days) | a session not used for this long ends |
//! | `SESSION_ABSOLUTE_SECONDS` | `5184000` (60 days, the most) | a session ends this long after the sign-in |
//! | `NEW_ITEMS_PER_MINUTE` | `60` | items that a session may newly ask for |
//! | `NEW_ITEMS_PER_DAY` | `1000` | the same by the day |
//! | `BOX_DEVICE_ID`, `BOX_DEVICE_NAME` | empty | the device that Box shows for sign-ins |
//!
//! An empty value is an absent one.

use core::{fmt::Display, time::Duration};

use serde::Serialize;
use url::Url;

use crate::{
    box_api::{BoxApp, Device},
    item::Scopes,
    keeper,
    origin::{self, Origin},
    policy::Policy,
    seal::SealKeys,
    secret::ClientSecret,
};

/// All settings, each proven.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where browsers reach this Worker.
    pub public_origin: Origin,
    /// What the keepers need.
    pub keeper: keeper::Settings,
    /// Scopes to narrow a login to; empty for all of the app's.
    pub login_scopes: Scopes,
    /// What a browser may ask for.
    pub policy: Policy,
    /// Box's web app.
    pub app_url: Origin,
    /// Box's preview library.
    pub preview_library_url: Url,
    /// Where Box's content comes from.
    pub content_sources: Vec<Source>,
    /// Who may show the page in a frame.
    pub frame_ancestors: Vec<Source>,
}

impl Config {
    /// Parses the settings. `lookup` answers the value of a variable, or nothing.
    ///
    /// # Errors
    /// [`ConfigFaults`]: every variable that is missing or wrong.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
        let mut reader = Reader { lookup: &lookup, faults: Vec::new() };
        let (keeper, rest) = (reader.keeper(), reader.rest());
        let Some((keeper, rest)) = keeper.zip(rest).filter(|_| reader.faults.is_empty()) else {
            return Err(ConfigFaults(reader.faults));
        };
        Ok(rest(keeper))
    }

    /// Where Box sends a browser back to: a constant, never built from what a request says.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("{}/auth/callback", self.public_origin)
    }

    /// The app at Box.
    #[must_use]
    pub const fn app(&self) -> &BoxApp {
        &self.keeper.app
    }

    /// The keys that seal.
    #[must_use]
    pub const fn keys(&self) -> &SealKeys {
        &self.keeper.seal_keys
    }
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFaults(Vec<ConfigFault>);

/// What is wrong with one variable. Never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigFault {
    /// The variable, or the binding.
    pub variable: &'static str,
    /// What to do about it.
    pub fault: String,
}

impl ConfigFaults {
    /// No fault yet.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The same and a binding that is missing in `wrangler.toml`.
    #[must_use]
    pub fn and_missing_binding(mut self, binding: &'static str) -> Self {
        self.0.push(ConfigFault {
            variable: binding,
            fault: "this binding is missing: compare wrangler.toml with the original".to_owned(),
        });
        self
    }

    /// Each fault.
    #[must_use]
    pub fn list(&self) -> &[ConfigFault] {
        &self.0
    }
}

/// A source expression of CSP (Content Security Policy Level 3 section 2.3.1): an origin, or all subdomains of a
/// host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(String);

impl Source {
    /// Parses `https://host`, `https://*.host` or `http` on loopback.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.replacen("://*.", "://", 1);
        let known = Origin::parse(&plain).ok()?;
        (text == plain || known.is_https()).then(|| Self(text.to_owned()))
    }

    /// As it stands in a policy.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A refresh token of Box lives 60 days: no session outlives it.
const SESSION_SECONDS_MAX: u64 = 60 * 24 * 60 * 60;

/// Before this version Box's preview library puts tokens into URLs.
const PREVIEW_LIBRARY_VERSION_MIN: (u32, u32) = (3, 79);

/// Not generic: each place that parses would have a copy of its own.
struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<ConfigFault>,
}

impl Reader<'_> {
    fn keeper(&mut self) -> Option<keeper::Settings> {
        let client_id = self.required("BOX_CLIENT_ID", plain_text);
        let client_secret = self.required("BOX_CLIENT_SECRET", plain_text);
        let seal_keys = self.required("SEAL_KEYS", |text| SealKeys::parse(text).map_err(words));
        let authorize_url =
            self.or_default("BOX_AUTHORIZE_URL", "https://account.box.com/api/oauth2/authorize", safe_url);
        let api_url = self.or_default("BOX_API_URL", "https://api.box.com", api_origin);
        let device_id = self.optional("BOX_DEVICE_ID", plain_text);
        let device_name = self.optional("BOX_DEVICE_NAME", plain_text);
        let session_idle = self.or_default("SESSION_IDLE_SECONDS", "1209600", session_seconds);
        let session_absolute = self.or_default("SESSION_ABSOLUTE_SECONDS", "5184000", session_seconds);
        if session_idle > session_absolute && session_absolute.is_some() {
            self.fault::<()>("SESSION_IDLE_SECONDS", "must not be more than SESSION_ABSOLUTE_SECONDS");
        }
        let new_items_per_minute = self.or_default("NEW_ITEMS_PER_MINUTE", "60", count);
        let new_items_per_day = self.or_default("NEW_ITEMS_PER_DAY", "1000", count);
        Some(keeper::Settings {
            app: BoxApp {
                client_id: client_id?,
                client_secret: ClientSecret::new(client_secret?),
                authorize_url: authorize_url?,
                api_url: api_url?,
            },
            device: Device { id: device_id?, name: device_name? },
            seal_keys: seal_keys?,
            session_idle: session_idle?,
            session_absolute: session_absolute?,
            new_items_per_minute: new_items_per_minute?,
            new_items_per_day: new_items_per_day?,
        })
    }

    fn rest(&mut self) -> Option<impl FnOnce(keeper::Settings) -> Config + use<>> {
        let public_origin = self.required("PUBLIC_ORIGIN", |text| Origin::parse(text).map_err(words));
        let login_scopes = self.or_default("LOGIN_SCOPES", "", scopes);
        let allowed_scopes = self.or_default("ALLOWED_SCOPES", "base_preview item_preview", scopes);
        let folders = self.or_default("ALLOW_FOLDERS", "false", switch);
        let origins = self.or_default("ALLOWED_ORIGINS", "", origins);
        let app_url =
            self.or_default("BOX_APP_URL", "https://app.box.com", |text| Origin::parse(text).map_err(words));
        let preview_library_url = self.or_default("PREVIEW_LIBRARY_URL", PREVIEW_LIBRARY_URL, library_url);
        let content_sources = self.or_default("BOX_CONTENT_ORIGINS", "https://*.boxcloud.com", sources);
        let frame_ancestors = self.or_default("FRAME_ANCESTORS", "", sources);
        let policy = Policy { scopes: allowed_scopes?, folders: folders?, origins: origins? };
        let (public_origin, login_scopes, app_url) = (public_origin?, login_scopes?, app_url?);
        let (preview_library_url, content_sources) = (preview_library_url?, content_sources?);
        let frame_ancestors = frame_ancestors?;
        Some(move |keeper| Config {
            public_origin,
            keeper,
            login_scopes,
            policy,
            app_url,
            preview_library_url,
            content_sources,
            frame_ancestors,
        })
    }

    /// The value without white space around it; an empty one is an absent one.
    fn value(&self, variable: &str) -> Option<String> {
        (self.lookup)(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn required<T>(&mut self, variable: &'static str, parse: impl FnOnce(&str) -> Parsed<T>) -> Option<T> {
        match self.value(variable) {
            Some(value) => self.noted(variable, parse(&value)),
            None => self.fault(variable, "is missing"),
        }
    }

    fn or_default<T>(
        &mut self,
        variable: &'static str,
        default: &str,
        parse: impl FnOnce(&str) -> Parsed<T>,
    ) -> Option<T> {
        let value = self.value(variable);
        self.noted(variable, parse(value.as_deref().unwrap_or(default)))
    }

    /// The outer `Option` is empty for a fault, the inner one for an absent value.
    fn optional<T>(
        &mut self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Parsed<T>,
    ) -> Option<Option<T>> {
        match self.value(variable) {
            Some(value) => self.noted(variable, parse(&value)).map(Some),
            None => Some(None),
        }
    }

    fn noted<T>(&mut self, variable: &'static str, parsed: Parsed<T>) -> Option<T> {
        parsed.map_or_else(|fault| self.fault(variable, fault), Some)
    }

    fn fault<T>(&mut self, variable: &'static str, fault: impl Into<String>) -> Option<T> {
        self.faults.push(ConfigFault { variable, fault: fault.into() });
        None
    }
}

type Parsed<T> = Result<T, String>;

const PREVIEW_LIBRARY_URL: &str = "https://cdn01.boxcdn.net/platform/preview/3.81.0/en-US/preview.js";

fn words(fault: impl Display) -> String {
    fault.to_string()
}

fn plain_text(text: &str) -> Parsed<String> {
    if text.chars().any(char::is_control) {
        return Err("must not hold control characters".to_owned());
    }
    Ok(text.to_owned())
}

fn safe_url(text: &str) -> Parsed<Url> {
    let url = Url::parse(text).map_err(|_| "must be a URL".to_owned())?;
    if !origin::is_safe(&url) {
        return Err(words(origin::OriginFault::Plain));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("must hold neither user name, password nor fragment".to_owned());
    }
    Ok(url)
}

fn api_origin(text: &str) -> Parsed<Url> {
    let url = safe_url(text)?;
    if url.path() != "/" || url.query().is_some() {
        return Err("must be an origin without a path: /oauth2/token and /2.0 are added".to_owned());
    }
    Ok(url)
}

fn library_url(text: &str) -> Parsed<Url> {
    let form = || "must end in /{version}/{locale}/preview.js".to_owned();
    let url = safe_url(text)?;
    if url.query().is_some() {
        return Err(form());
    }
    let mut segments = url.path().rsplit('/');
    let (file, locale, version) = (segments.next(), segments.next(), segments.next());
    let mut numbers = version.unwrap_or_default().split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return Err(form()) };
    if file != Some("preview.js") || locale.is_none_or(str::is_empty) || numbers.any(|number| number.is_err())
    {
        return Err(form());
    }
    if (major, minor) < PREVIEW_LIBRARY_VERSION_MIN {
        return Err("must be of version 3.79 or later: older ones put tokens into URLs".to_owned());
    }
    Ok(url)
}

fn scopes(text: &str) -> Parsed<Scopes> {
    Scopes::parse(text).map_err(|_| "must be names of Box's scopes, separated by spaces".to_owned())
}

fn switch(text: &str) -> Parsed<bool> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

fn origins(text: &str) -> Parsed<Vec<Origin>> {
    listed(text, |word| Origin::parse(word).map_err(words))
}

fn sources(text: &str) -> Parsed<Vec<Source>> {
    listed(text, |word| {
        Source::parse(word).ok_or_else(|| "must be https://host or https://*.host, without a path".to_owned())
    })
}

/// Parses each word and says which one is wrong by its place: values may be nobody else's business.
fn listed<T>(text: &str, parse: impl Fn(&str) -> Parsed<T>) -> Parsed<Vec<T>> {
    let words = text.split_ascii_whitespace().enumerate();
    words.map(|(at, word)| parse(word).map_err(|fault| format!("entry {} {fault}", at + 1))).collect()
}

fn session_seconds(text: &str) -> Parsed<Duration> {
    let seconds = text.parse().ok().filter(|seconds| (1..=SESSION_SECONDS_MAX).contains(seconds));
    let fault = "must be seconds, 1 to 5184000: Box's refresh tokens live 60 days";
    seconds.map(Duration::from_secs).ok_or_else(|| fault.to_owned())
}

fn count(text: &str) -> Parsed<u32> {
    text.parse().ok().filter(|&count| count > 0).ok_or_else(|| "must be a whole number above 0".to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::secret::MasterKey;

    fn seal_keys() -> String {
        format!("k1:{}", MasterKey::new([7; 32]).expose_text())
    }

    fn parse(changes: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
        let seal_keys = seal_keys();
        let mut variables = BTreeMap::from([
            ("PUBLIC_ORIGIN", "https://keyhole.example.com"),
            ("BOX_CLIENT_ID", "app"),
            ("BOX_CLIENT_SECRET", "hush-hush"),
            ("SEAL_KEYS", &seal_keys),
            ("ALLOWED_ORIGINS", "https://app.example.com https://other.example"),
        ]);
        variables.extend(changes.iter().copied());
        Config::parse(|variable| variables.get(variable).map(|&value| value.to_owned()))
    }

    /// A deployment's settings with these changed.
    pub(crate) fn config_with(changes: &[(&str, &str)]) -> Config {
        parse(changes).unwrap()
    }

    /// A deployment's settings.
    pub(crate) fn config() -> Config {
        config_with(&[])
    }

    #[track_caller]
    fn faulty(changes: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let faults = parse(changes).unwrap_err();
        faults.list().iter().map(|fault| (fault.variable, fault.fault.clone())).collect()
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let config = config();
        assert_eq!(config.app().authorize_url.as_str(), "https://account.box.com/api/oauth2/authorize");
        assert_eq!(config.app().api_url.as_str(), "https://api.box.com/");
        assert_eq!(config.app_url.as_str(), "https://app.box.com");
        assert_eq!(config.policy.scopes.to_string(), "base_preview item_preview");
        assert_eq!(config.keeper.session_idle, Duration::from_secs(14 * 24 * 60 * 60));
        assert_eq!(config.keeper.session_absolute, Duration::from_secs(60 * 24 * 60 * 60));
        assert_eq!((config.keeper.new_items_per_minute, config.keeper.new_items_per_day), (60, 1000));
        assert!(
            !config.policy.folders && config.login_scopes.is_empty() && config.frame_ancestors.is_empty()
        );
    }

    #[test]
    fn an_empty_value_is_an_absent_one() {
        let emptied =
            config_with(&[("BOX_API_URL", ""), ("ALLOWED_SCOPES", "  "), ("SESSION_IDLE_SECONDS", "")]);
        assert_eq!(emptied.app().api_url.as_str(), "https://api.box.com/");
        assert_eq!(emptied.policy.scopes.to_string(), "base_preview item_preview");
        assert_eq!(faulty(&[("SEAL_KEYS", " ")]), [("SEAL_KEYS", "is missing".to_owned())]);
    }

    #[test]
    fn all_faults_are_told_together_by_name() {
        let nothing = Config::parse(|_| None).unwrap_err();
        let variables: Vec<&str> = nothing.list().iter().map(|fault| fault.variable).collect();
        assert_eq!(variables, ["BOX_CLIENT_ID", "BOX_CLIENT_SECRET", "SEAL_KEYS", "PUBLIC_ORIGIN"]);
        let some = faulty(&[
            ("BOX_DEVICE_NAME", "a\u{7}b"),
            ("ALLOW_FOLDERS", "yes"),
            ("NEW_ITEMS_PER_DAY", "0"),
            ("PUBLIC_ORIGIN", ""),
        ]);
        let variables: Vec<&str> = some.iter().map(|(variable, _)| *variable).collect();
        assert_eq!(variables, ["BOX_DEVICE_NAME", "NEW_ITEMS_PER_DAY", "PUBLIC_ORIGIN", "ALLOW_FOLDERS"]);
    }

    #[test]
    fn s01_a_fault_never_repeats_a_value() {
        let faults = faulty(&[
            ("SEAL_KEYS", "hush-hush"),
            ("ALLOWED_ORIGINS", "https://ok.example hush-hush"),
            ("ALLOWED_SCOPES", "Hush-Hush"),
            ("BOX_API_URL", "https://hush-hush:hush-hush@api.box.com"),
        ]);
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(!format!("{faults:?}").to_lowercase().contains("hush"), "{faults:?}");
        assert!(format!("{faults:?}").contains("entry 2 must be"), "{faults:?}");
    }

    #[test]
    fn s14_an_address_without_tls_is_refused_unless_it_is_this_machine() {
        for (variable, wrong) in [
            ("PUBLIC_ORIGIN", "http://keyhole.example.com"),
            ("BOX_AUTHORIZE_URL", "http://account.box.com/api/oauth2/authorize"),
            ("BOX_API_URL", "http://api.box.com"),
            ("BOX_APP_URL", "http://app.box.com"),
            ("PREVIEW_LIBRARY_URL", "http://cdn.example/preview/3.81.0/en-US/preview.js"),
        ] {
            assert_eq!(faulty(&[(variable, wrong)])[0].0, variable);
        }
        let local = config_with(&[
            ("PUBLIC_ORIGIN", "http://localhost:8787"),
            ("BOX_API_URL", "http://127.0.0.1:9400"),
        ]);
        assert_eq!(local.redirect_uri(), "http://localhost:8787/auth/callback");
    }

    #[test]
    fn s20_no_session_outlives_boxs_refresh_token() {
        assert_eq!(faulty(&[("SESSION_ABSOLUTE_SECONDS", "5184001")])[0].0, "SESSION_ABSOLUTE_SECONDS");
        let longer = [("SESSION_IDLE_SECONDS", "3601"), ("SESSION_ABSOLUTE_SECONDS", "3600")];
        let words = "must not be more than SESSION_ABSOLUTE_SECONDS".to_owned();
        assert_eq!(faulty(&longer), [("SESSION_IDLE_SECONDS", words)]);
        assert!(parse(&[("SESSION_IDLE_SECONDS", "3600"), ("SESSION_ABSOLUTE_SECONDS", "3600")]).is_ok());
        for wrong in ["0", "-1", "1.5", "14d"] {
            assert_eq!(faulty(&[("SESSION_IDLE_SECONDS", wrong)])[0].0, "SESSION_IDLE_SECONDS", "{wrong}");
        }
    }

    #[test]
    fn s12_a_preview_library_that_puts_tokens_into_urls_is_refused() {
        for right in [
            "https://cdn01.boxcdn.net/platform/preview/3.79.0/en-US/preview.js",
            "https://cdn01.boxcdn.net/platform/preview/4.0/de-DE/preview.js",
            "http://127.0.0.1:9400/platform/preview/3.81.0/en-US/preview.js",
        ] {
            assert!(parse(&[("PREVIEW_LIBRARY_URL", right)]).is_ok(), "{right}");
        }
        for wrong in [
            "https://cdn01.boxcdn.net/platform/preview/3.78.0/en-US/preview.js",
            "https://cdn01.boxcdn.net/platform/preview/2.106.0/en-US/preview.js",
            "https://cdn01.boxcdn.net/platform/preview/3.81.0/en-US/preview.css",
            "https://cdn01.boxcdn.net/platform/preview/latest/en-US/preview.js",
            "https://cdn01.boxcdn.net/platform/preview/3.81.0-rc/en-US/preview.js",
            "https://cdn01.boxcdn.net/platform/preview/3.81.0//preview.js",
            "https://cdn01.boxcdn.net/preview.js",
            "https://cdn01.boxcdn.net/platform/preview/3.81.0/en-US/preview.js?x=1",
        ] {
            assert_eq!(faulty(&[("PREVIEW_LIBRARY_URL", wrong)])[0].0, "PREVIEW_LIBRARY_URL", "{wrong}");
        }
    }

    #[test]
    fn s27_allowed_origins_are_exact_and_null_is_none() {
        for wrong in
            ["null", "*", "https://*.example.com", "https://app.example.com/", "http://app.example.com"]
        {
            assert_eq!(faulty(&[("ALLOWED_ORIGINS", wrong)])[0].0, "ALLOWED_ORIGINS", "{wrong}");
        }
    }

    #[test]
    fn s40_what_enters_the_policy_is_a_source_and_nothing_more() {
        for right in
            ["https://*.boxcloud.com", "https://dl.example https://dl2.example:8443", "http://127.0.0.1:9401"]
        {
            assert!(parse(&[("BOX_CONTENT_ORIGINS", right), ("FRAME_ANCESTORS", right)]).is_ok(), "{right}");
        }
        for wrong in [
            "*",
            "https:",
            "https://*",
            "https://*.",
            "'unsafe-inline'",
            "https://a.example;script-src",
            "https://a.example/path",
            "http://*.localhost",
            "https://a.*.example",
        ] {
            for variable in ["BOX_CONTENT_ORIGINS", "FRAME_ANCESTORS"] {
                assert_eq!(faulty(&[(variable, wrong)])[0].0, variable, "{wrong}");
            }
        }
    }

    #[test]
    fn an_api_address_with_a_path_would_be_asked_at_the_wrong_place() {
        assert_eq!(faulty(&[("BOX_API_URL", "https://api.box.com/2.0")])[0].0, "BOX_API_URL");
    }

    #[test]
    fn a_missing_binding_is_told_like_a_setting() {
        let faults = ConfigFaults::none().and_missing_binding("KEEPERS");
        assert_eq!(faults.list()[0].variable, "KEEPERS");
    }
}
