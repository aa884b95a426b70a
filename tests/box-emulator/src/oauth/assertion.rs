//! `urn:ietf:params:oauth:grant-type:jwt-bearer`: an app signs what it asks for.
//!
//! <https://developer.box.com/guides/authentication/jwt/without-sdk/>, RFC 7523.

use serde_json::Value;

use crate::control::rules::Rule;
use crate::emulator::Emulator;
use crate::oauth::jwt::{Jwt, Terms};
use crate::oauth::subject::{self, Denied, Subject};
use crate::oauth::token;
use crate::refusals::{self, OAuthRefusal};
use crate::request::{Call, Form};
use crate::world::apps::Auth;

/// # Errors
/// Box's sentence for the first thing that is wrong. An assertion is used up once its signature and its time are
/// right, whatever becomes of it: whoever asks again needs a new `jti`.
pub(crate) fn grant(emulator: &mut Emulator, call: &Call, form: &Form) -> Result<Value, OAuthRefusal> {
    if form.value("client_id").is_some_and(|client_id| emulator.app(client_id).is_none()) {
        return Err(refusals::JWT_ISS);
    }
    let app = token::client(emulator, form)?;
    token::require(app, Auth::Jwt)?;
    let client_id = app.client_id.clone();
    let jwt = Jwt::read(form.value("assertion").ok_or(refusals::ASSERTION_MISSING)?)?;
    let claims = jwt.verify(&app.keys)?;
    let own_addresses = token::own_addresses(emulator, call);
    let broken = emulator.settings.broken;
    let terms = Terms { client_id: &client_id, own_addresses: &own_addresses, now_ms: call.now_ms, broken };
    let assertion = claims.judge(&terms)?;
    let is_new = emulator.state.edit().used_assertions.enter(&client_id, &assertion.id, call.now_ms);
    if !is_new && emulator.settings.keeps(Rule::JtiReused) {
        return Err(refusals::JWT_JTI);
    }
    let app = emulator.app(&client_id).filter(|app| app.authorized).ok_or(refusals::APP_UNAUTHORIZED)?;
    let subject = Subject::read(&assertion.subject_type, &assertion.subject).ok_or(refusals::JWT_SUB_TYPE)?;
    let user_id = subject.find(emulator, app).map_err(|denied| match denied {
        Denied::Unknown => refusals::JWT_SUB,
        Denied::Configuration => refusals::USER_TOKEN_REFUSED,
    })?;
    Ok(token::body(&subject::issue(emulator, &client_id, user_id, call.now_ms)))
}
