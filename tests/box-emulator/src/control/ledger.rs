//! Every code and token, and what can be done with them from behind.

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Done, Outcome, bad, body, done};
use crate::control::settings::Decision;
use crate::emulator::Emulator;
use crate::oauth::authorize::{Asked, Refused};
use crate::oauth::book::{Book, Kind, Token};
use crate::request::{Call, Form};
use crate::world::sample::ROBIN_ID;

/// All of them, oldest first.
pub(super) fn list(emulator: &Emulator, call: &Call) -> Done {
    let book: &Book = &emulator.state.book;
    let tokens: Vec<Value> =
        book.in_order().into_iter().map(|(value, token)| row(emulator, call.now_ms, value, token)).collect();
    let app = emulator.app(&emulator.options.client_id);
    done(json!({"client_secret": app.map(|app| &app.client_secret), "tokens": tokens}))
}

fn row(emulator: &Emulator, now_ms: u64, value: &str, token: &Token) -> Value {
    let user = emulator.state.users.get(&token.holder.user_id);
    json!({
        "number": token.number,
        "kind": token.kind,
        "value": value,
        "client_id": token.holder.client_id,
        "app": emulator.app(&token.holder.client_id).map(|app| &app.name),
        "user": user.map(|user| json!({"id": user.id, "login": user.login})),
        "parent": token.parent,
        "scopes": token.holder.scopes,
        "resource": token.resource,
        "actor": token.actor,
        "issued_at_ms": token.issued_at_ms,
        "expires_at_ms": token.expires_at_ms,
        "age_seconds": now_ms.saturating_sub(token.issued_at_ms) / 1000,
        "expires_in": token.expires_at_ms.saturating_sub(now_ms) / 1000,
        "uses": emulator.calls.uses(value),
        "state": emulator.state.book.standing(token, &emulator.settings, now_ms),
    })
}

/// All of one kind run out now.
pub(super) fn expire(emulator: &mut Emulator, call: &Call) -> Outcome {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Expire {
        kind: Kind,
    }
    let Expire { kind } = body(call)?;
    emulator.state.edit().book.expire(kind, call.now_ms);
    Ok(done(json!({})))
}

/// A login without the page, for the sample user.
pub(super) fn grant(emulator: &mut Emulator, call: &Call) -> Outcome {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Login {
        redirect_uri: Option<String>,
        state: Option<String>,
        scope: Option<String>,
    }
    let Login { redirect_uri, state, scope } = body(call)?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("response_type", "code").append_pair("client_id", &emulator.options.client_id);
    let given = [("redirect_uri", redirect_uri), ("state", state), ("scope", scope)];
    query.extend_pairs(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let asked =
        Asked::read(emulator, &Form::read(query.finish().as_bytes())).map_err(|refused| match refused {
            Refused::Here { code, .. } => bad(code),
            Refused::There(address) => bad(address),
        })?;
    let location = asked.decide(emulator, Decision::Grant, ROBIN_ID, call.now_ms);
    let code = Url::parse(&location).ok().and_then(|url| {
        url.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned())
    });
    Ok(done(json!({"code": code, "location": location})))
}
