//! The developer console's part: apps.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Done, Outcome, Refusal, bad, body, conflict, done, made, not_found, people};
use crate::emulator::Emulator;
use crate::oauth::scopes;
use crate::request::{self, Call};
use crate::world::apps::{App, Auth};
use crate::world::dates;
use crate::world::people::{ENTERPRISE_ID, UserKind};

/// Ids and secrets are as long as Box's.
const ID_LENGTH: usize = 32;
const NAME_LENGTH_MAX: usize = 100;
const CREDENTIAL_LENGTH_MAX: usize = 128;

/// What can be said of an app; what is left out stays, or is as for a new one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: Option<String>,
    auth: Option<Auth>,
    client_id: Option<String>,
    client_secret: Option<String>,
    redirect_uris: Option<Vec<String>>,
    cors_origins: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    authorized: Option<bool>,
    may_act_as_users: Option<bool>,
    enterprise_access: Option<bool>,
}

pub(super) fn list(emulator: &Emulator) -> Done {
    let mut apps: Vec<&App> = emulator.state.apps.values().collect();
    apps.sort_by_key(|app| app.name.to_lowercase());
    let apps: Vec<Value> = apps.into_iter().map(|app| told(emulator, app)).collect();
    let scopes: Vec<Value> =
        scopes::all().map(|(name, words)| json!({"name": name, "words": words})).collect();
    done(json!({"apps": apps, "known_scopes": scopes}))
}

pub(super) fn register(emulator: &mut Emulator, call: &Call) -> Outcome {
    let wanted: Wanted = body(call)?;
    if wanted.name.is_none() {
        return Err(bad("an app has a name"));
    }
    let entropy = &mut emulator.state.edit().entropy;
    let client_id = wanted.client_id.clone().unwrap_or_else(|| entropy.text(ID_LENGTH).to_lowercase());
    let new = App {
        client_secret: entropy.text(ID_LENGTH),
        scopes: ["root_readwrite".to_owned()].into(),
        ..App::new(&client_id, wanted.auth.unwrap_or(Auth::OAuth2))
    };
    if emulator.app(&client_id).is_some() {
        return Err(conflict(format!("there is an app with the client id {client_id} already")));
    }
    if client_id.len() > CREDENTIAL_LENGTH_MAX || !client_id.bytes().all(is_plain) || client_id.is_empty() {
        return Err(bad("a client id is made of letters, digits, - and _"));
    }
    let mut app = new.with(wanted)?;
    if app.auth != Auth::OAuth2 {
        let kind = UserKind::ServiceAccount { client_id };
        app.service_account = Some(emulator.state.edit().add_user(&app.name, None, None, kind));
    }
    let told = told(emulator, &app);
    emulator.state.edit().apps.insert(app.client_id.clone(), app);
    Ok(made(told))
}

/// An app keeps its client id, and as at Box the way in which it gets tokens.
pub(super) fn change(emulator: &mut Emulator, call: &Call, client_id: &str) -> Outcome {
    let wanted: Wanted = body(call)?;
    let app = emulator.app(client_id).ok_or_else(unknown)?;
    if wanted.client_id.as_deref().is_some_and(|wanted| wanted != client_id) {
        return Err(bad("an app keeps its client id"));
    }
    if wanted.auth.is_some_and(|wanted| wanted != app.auth) {
        return Err(bad("an app keeps the way in which it gets tokens: make another app"));
    }
    let app = app.clone().with(wanted)?;
    let told = told(emulator, &app);
    emulator.state.edit().apps.insert(app.client_id.clone(), app);
    Ok(done(told))
}

/// Its tokens end, and whom it brought along goes with it.
pub(super) fn remove(emulator: &mut Emulator, client_id: &str) -> Outcome {
    emulator.app(client_id).ok_or_else(unknown)?;
    if client_id == emulator.options.client_id {
        let why = "this is the app that the program was started with: start it with another --client-id";
        return Err(conflict(why));
    }
    let belongs = |kind: &UserKind| match kind {
        UserKind::Managed => false,
        UserKind::AppUser { client_id: owner } | UserKind::ServiceAccount { client_id: owner } => {
            owner == client_id
        }
    };
    let users = emulator.state.users.values().filter(|user| belongs(&user.kind));
    let users: Vec<String> = users.map(|user| user.id.clone()).collect();
    for user in users {
        people::leave(emulator, &user);
    }
    let data = emulator.state.edit();
    data.book.revoke_all(|holder| holder.client_id == client_id);
    data.apps.remove(client_id);
    Ok(done(json!({})))
}

fn told(emulator: &Emulator, app: &App) -> Value {
    let service_account = app.service_account.as_ref().and_then(|id| emulator.state.users.get(id));
    let keys =
        app.keys.iter().map(|key| json!({"id": key.id, "created_at": dates::written(key.created_at_ms)}));
    let keys: Vec<Value> = keys.collect();
    json!({
        "name": app.name,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "auth": app.auth,
        "redirect_uris": app.redirect_uris,
        "cors_origins": app.cors_origins,
        "scopes": app.scopes,
        "authorized": app.authorized,
        "may_act_as_users": app.may_act_as_users,
        "enterprise_access": app.enterprise_access,
        "enterprise_id": ENTERPRISE_ID,
        "service_account":
            service_account.map(|user| json!({"id": user.id, "name": user.name, "login": user.login})),
        "keys": keys,
        "stays": app.client_id == emulator.options.client_id,
    })
}

fn unknown() -> Refusal {
    not_found("there is no app with that client id")
}

impl App {
    /// This app with what `wanted` says of it.
    ///
    /// # Errors
    /// 400 with what is wrong.
    fn with(self, wanted: Wanted) -> Result<Self, Refusal> {
        let app = Self {
            name: wanted.name.map_or(self.name, |name| name.trim().to_owned()),
            client_secret: wanted.client_secret.unwrap_or(self.client_secret),
            redirect_uris: wanted.redirect_uris.unwrap_or(self.redirect_uris),
            cors_origins: wanted.cors_origins.unwrap_or(self.cors_origins),
            scopes: wanted.scopes.map_or(self.scopes, |scopes| scopes.into_iter().collect()),
            authorized: wanted.authorized.unwrap_or(self.authorized),
            may_act_as_users: wanted.may_act_as_users.unwrap_or(self.may_act_as_users),
            enterprise_access: wanted.enterprise_access.unwrap_or(self.enterprise_access),
            ..self
        };
        if app.name.is_empty() || app.name.chars().count() > NAME_LENGTH_MAX {
            return Err(bad(format!("a name has 1 to {NAME_LENGTH_MAX} characters")));
        }
        let secret = &app.client_secret;
        if secret.is_empty()
            || secret.len() > CREDENTIAL_LENGTH_MAX
            || !secret.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(bad("a client secret is made of visible ASCII characters"));
        }
        check_each(&app.redirect_uris, redirect_uri)?;
        check_each(&app.cors_origins, cors_origin)?;
        match app.scopes.iter().find(|scope| scopes::parse(scope).is_none_or(|found| found.len() != 1)) {
            Some(unknown) => Err(bad(format!("there is no scope {unknown}"))),
            None => Ok(app),
        }
    }
}

/// # Errors
/// The first that is not `good`, or that is there twice, which Box does not store.
fn check_each(values: &[String], good: impl Fn(&str) -> Result<String, String>) -> Result<(), Refusal> {
    for value in values {
        good(value).map_err(bad)?;
    }
    let mut seen = BTreeSet::new();
    match values.iter().find(|value| !seen.insert(*value)) {
        Some(twice) => Err(bad(format!("{twice} is there twice"))),
        None => Ok(()),
    }
}

/// `uri`, if an app can have it registered.
///
/// # Errors
/// A sentence that says what it has to be.
pub fn redirect_uri(uri: &str) -> Result<String, String> {
    is_redirect_uri(uri).then(|| uri.to_owned()).ok_or_else(|| {
        format!("{uri} is no redirect URI: https://…, or http:// for this machine, without a fragment")
    })
}

/// `origin`, if it can stand in an app's CORS allow-list.
///
/// # Errors
/// A sentence that says what it has to be.
pub fn cors_origin(origin: &str) -> Result<String, String> {
    is_origin(origin).then(|| origin.to_owned()).ok_or_else(|| {
        format!("{origin} is no origin: like https://app.example or https://*.example, without a path")
    })
}

/// <https://developer.box.com/guides/authentication/oauth2/oauth2-setup/>
fn is_redirect_uri(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| {
        url.fragment().is_none()
            && (url.scheme() == "https" || url.scheme() == "http" && request::is_this_machine(&url))
    })
}

/// `scheme://host:port`, or `scheme://*.host:port`. <https://developer.box.com/guides/security/cors/>
fn is_origin(origin: &str) -> bool {
    let plain = origin.replacen("://*.", "://", 1);
    Url::parse(&plain).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && !plain.contains('*')
            && url.origin().ascii_serialization() == plain
    })
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_is_https_or_leads_to_this_machine() {
        for (uri, good) in [
            ("https://app.example/back", true),
            ("http://localhost:3000/back", true),
            ("http://127.0.0.1/", true),
            ("http://app.example/back", false),
            ("https://app.example/back#here", false),
            ("app://back", false),
            ("/back", false),
            ("", false),
        ] {
            assert_eq!(is_redirect_uri(uri), good, "{uri}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        for (origin, good) in [
            ("https://app.example", true),
            ("http://localhost:3000", true),
            ("https://*.app.example", true),
            ("https://app.example/", false),
            ("https://app.example:443", false),
            ("https://APP.example", false),
            ("https://*", false),
            ("*", false),
            ("app.example", false),
            ("file:///", false),
        ] {
            assert_eq!(is_origin(origin), good, "{origin}");
        }
    }
}
