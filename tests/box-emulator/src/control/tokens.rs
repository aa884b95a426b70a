//! `/emulator/tokens`: tokens as the developer console hands them out.

use std::collections::BTreeSet;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refusal, bad, body};
use crate::emulator::Emulator;
use crate::oauth::book::{Holder, Kind};
use crate::oauth::scopes;
use crate::request::Call;
use crate::world::apps::App;

/// <https://developer.box.com/guides/authentication/tokens/developer-tokens/>
const DEVELOPER_TOKEN_SECONDS: u64 = 60 * 60;

/// A developer token: 60 minutes for the one user, no refresh token. `user`: an id; left out, the app's service
/// account, or the first person who can sign in. `scopes`: left out, all of the app's.
///
/// # Errors
/// 404 for an unknown app or user, 400 for scopes that do not exist or that the app has not.
pub(super) fn issue(emulator: &mut Emulator, call: &Call) -> Result<(StatusCode, Value), Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        client_id: String,
        user: Option<String>,
        scopes: Option<Vec<String>>,
    }
    let Asked { client_id, user, scopes } = body(call)?;
    let not_found = |what: &str| (StatusCode::NOT_FOUND, format!("no {what}"));
    let app = emulator.app(&client_id).ok_or_else(|| not_found(&format!("app {client_id}")))?;
    let scopes = held_scopes(app, scopes)?;
    let user_id = match user {
        Some(user_id) => emulator.state.users.get(&user_id).map(|user| user.id.clone()),
        None => app.service_account.clone().or_else(|| emulator.someone().map(|user| user.id.clone())),
    };
    let user_id = user_id.ok_or_else(|| not_found("such user"))?;
    let holder = Holder { client_id, user_id, scopes };
    let seconds = Some(DEVELOPER_TOKEN_SECONDS);
    let issued = emulator.state.edit().issue_alone(holder, seconds, &emulator.settings, call.now_ms);
    let answer = json!({"access_token": issued.access, "expires_in": issued.expires_in_seconds});
    Ok((StatusCode::CREATED, answer))
}

/// Ends a token as `POST /oauth2/revoke` does, without the app's secret: by its value, or by its number in the ledger.
///
/// # Errors
/// 404 for an unknown token, 400 unless one of the two is given.
pub(super) fn revoke(emulator: &mut Emulator, call: &Call) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        value: Option<String>,
        number: Option<u64>,
    }
    let book = &emulator.state.book;
    let value = match body(call)? {
        Asked { value: Some(value), number: None } => book.find(&value).map(|_| value),
        Asked { value: None, number: Some(number) } => book.at(number).map(str::to_owned),
        _ => return Err(bad("give value or number".to_owned())),
    };
    let value = value.filter(|value| book.find(value).is_some_and(|token| token.kind != Kind::Code));
    let value = value.ok_or_else(|| (StatusCode::NOT_FOUND, "no such token".to_owned()))?;
    emulator.state.edit().book.revoke(&value);
    Ok(json!({}))
}

fn held_scopes(app: &App, asked: Option<Vec<String>>) -> Result<BTreeSet<String>, Refusal> {
    let Some(asked) = asked else { return Ok(app.scopes.clone()) };
    scopes::parse(&asked.join(" "))
        .filter(|asked| !asked.is_empty() && scopes::hold(&app.scopes, asked))
        .ok_or_else(|| bad("scopes are unknown, or more than the app has".to_owned()))
}
