//! `client_credentials`: an app's id and secret are enough for a token.
//!
//! <https://developer.box.com/guides/authentication/client-credentials/>

use serde_json::Value;

use crate::emulator::Emulator;
use crate::oauth::subject::{self, Subject};
use crate::oauth::token;
use crate::refusals::{self, OAuthRefusal};
use crate::request::{Call, Form};
use crate::world::apps::Auth;

/// # Errors
/// Box has one sentence for a wrong secret, a wrong subject and one that the app may not speak for.
pub(crate) fn grant(emulator: &mut Emulator, call: &Call, form: &Form) -> Result<Value, OAuthRefusal> {
    let app = token::client(emulator, form).map_err(|_| refusals::GRANT_CREDENTIALS_INVALID)?;
    token::require(app, Auth::ClientCredentials)?;
    if !app.authorized {
        return Err(refusals::APP_UNAUTHORIZED);
    }
    let subject = form
        .value("box_subject_type")
        .zip(form.value("box_subject_id"))
        .and_then(|(kind, id)| Subject::read(kind, id))
        // With "App Access Only" not even the enterprise's own: so says Box's page.
        .filter(|subject| app.enterprise_access || matches!(subject, Subject::User(_)))
        .ok_or(refusals::GRANT_CREDENTIALS_INVALID)?;
    let user_id = subject.find(emulator, app).map_err(|_| refusals::GRANT_CREDENTIALS_INVALID)?;
    let client_id = app.client_id.clone();
    Ok(token::body(&subject::issue(emulator, &client_id, user_id, call.now_ms)))
}
