//! `/emulator/apps/{client_id}/keys`: what the developer console's "Generate a Public/Private Keypair" does.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refusal, bad, body};
use crate::emulator::Emulator;
use crate::oauth::keys::{self, PublicKey};
use crate::request::Call;

/// A new pair, whose private half is in the answer and nowhere else, or the public half of one made elsewhere.
///
/// # Errors
/// 404 for an unknown app, 400 for what is no public key.
pub(super) fn add(
    emulator: &mut Emulator,
    call: &Call,
    client_id: &str,
) -> Result<(StatusCode, Value), Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        public_key: Option<String>,
    }
    let Asked { public_key } = body(call)?;
    let app = emulator.app(client_id).cloned().ok_or_else(|| no_app(client_id))?;
    let entropy = &mut emulator.state.edit().entropy;
    let (public, answer) = match public_key {
        Some(pem) => {
            let key =
                PublicKey::import(&pem, entropy, call.now_ms).map_err(|fault| bad(fault.to_string()))?;
            let answer = json!({"id": key.id});
            (key, answer)
        }
        None => {
            let (public, private) =
                keys::generate(entropy, call.now_ms).map_err(|fault| bad(fault.to_string()))?;
            let answer = keys::settings_file(&app, &public, &private);
            (public, answer)
        }
    };
    if let Some(app) = emulator.state.edit().apps.get_mut(client_id) {
        app.keys.push(public);
    }
    Ok((StatusCode::CREATED, answer))
}

/// Assertions signed with the key are refused from now on; tokens live on.
///
/// # Errors
/// 404 for an unknown app or key.
pub(super) fn remove(emulator: &mut Emulator, client_id: &str, id: &str) -> Result<Value, Refusal> {
    let app = emulator.state.edit().apps.get_mut(client_id).ok_or_else(|| no_app(client_id))?;
    let place = app.keys.iter().position(|key| key.id == id);
    let place = place.ok_or_else(|| (StatusCode::NOT_FOUND, format!("no key {id}")))?;
    app.keys.remove(place);
    Ok(json!({}))
}

fn no_app(client_id: &str) -> Refusal {
    (StatusCode::NOT_FOUND, format!("no app {client_id}"))
}
