//! `POST /oauth2/revoke`: ends a downscoped token, or the whole pair of an access or refresh token.
//!
//! <https://developer.box.com/reference/post-oauth2-revoke/>, RFC 7009.

use http::StatusCode;
use serde_json::Value;

use crate::answer::{self, Response};
use crate::emulator::Emulator;
use crate::oauth::book::Kind;
use crate::oauth::token;
use crate::refusals::{self, OAuthRefusal};
use crate::request::Call;

/// 200 without a body. A token nobody knows, or of another app, is no fault (RFC 7009 section 2.2).
pub(crate) fn answer(emulator: &mut Emulator, call: &Call) -> Response {
    match revoke(emulator, call) {
        Ok(()) => answer::oauth(StatusCode::OK, &Value::Null),
        Err(refusal) => answer::oauth_refusal(&refusal),
    }
}

fn revoke(emulator: &mut Emulator, call: &Call) -> Result<(), OAuthRefusal> {
    let form = token::posted_form(emulator, call)?;
    let client_id = token::client(emulator, &form)?.client_id.clone();
    let value = form.value("token").ok_or(refusals::TOKEN_MISSING)?;
    let counts = emulator.state.book.find(value).is_some_and(|token| {
        token.kind != Kind::Code
            && token.holder.client_id == client_id
            && (token.end.is_none() || emulator.settings.dead_token_revokes_grant)
    });
    if counts {
        emulator.state.edit().book.revoke(value);
    }
    Ok(())
}
