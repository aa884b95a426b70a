//! Who is signed in, and until when; and how a flow asks the keeper of the cookie that came along.

use http::{HeaderMap, StatusCode};
use serde::Serialize;

use crate::{
    app::{Context, Keepers, Served, Store},
    box_api::User,
    config::Config,
    cookies::{self, SessionCookie},
    fault::Fault,
    headers,
    keeper::message::{Ask, End, Message, Reply},
};

/// Answers whether there is a session, and mints nothing. To have none is no fault to the caller; the log says why
/// there is none.
pub(crate) async fn show<S: Store, K: Keepers>(
    context: &Context<'_, S, K>,
    sent: &HeaderMap,
) -> Result<Served, Fault> {
    let (session, fault) = match ask(context, sent, Ask::Session).await {
        Ok(Reply::Session(view)) => {
            (Some(SessionForm { user: view.user, expires_at: view.expires_at.seconds() }), None)
        }
        Ok(_) => return Err(Fault::Skewed),
        Err(fault @ (Fault::NoSession | Fault::DeadCookie | Fault::Unopened | Fault::Ended(_))) => {
            (None, Some(fault))
        }
        Err(fault) => return Err(fault),
    };
    let ended = match fault {
        Some(Fault::Ended(end)) => Some(end),
        _ => None,
    };
    let settings = SettingsForm::of(context.config);
    let mut response = headers::json(StatusCode::OK, &AnswerForm { session, ended, settings });
    if fault.is_some_and(Fault::clears_session) {
        cookies::clear_session(&mut response);
    }
    Ok(Served::new(response, fault.map(Fault::name)))
}

/// Asks the keeper of the session cookie. Without a cookie whose tag holds, no keeper is woken.
///
/// # Errors
/// [`Fault`] for everything but what was asked for.
pub(crate) async fn ask<S, K: Keepers>(
    context: &Context<'_, S, K>,
    sent: &HeaderMap,
    ask: Ask,
) -> Result<Reply, Fault> {
    let SessionCookie { keeper, secret, .. } = cookies::session(sent, context.config.keys())?;
    match context.keepers.ask(&keeper, &Message { secret, ask }).await? {
        Reply::Unopened => Err(Fault::Unopened),
        Reply::Ended(end) => Err(Fault::Ended(end)),
        Reply::Fault(fault) => Err(Fault::Keeper(fault)),
        Reply::Skewed => Err(Fault::Skewed),
        reply => Ok(reply),
    }
}

#[derive(Serialize)]
struct AnswerForm {
    session: Option<SessionForm>,
    ended: Option<End>,
    settings: SettingsForm,
}

#[derive(Serialize)]
struct SessionForm {
    user: Option<User>,
    expires_at: u64,
}

/// What a page needs to know to show a file.
#[derive(Serialize)]
struct SettingsForm {
    api_url: String,
    app_url: String,
    preview_library_url: String,
    scopes: Vec<String>,
    folders: bool,
}

impl SettingsForm {
    fn of(config: &Config) -> Self {
        Self {
            api_url: config.app().api_url.origin().ascii_serialization(),
            app_url: config.app_url.to_string(),
            preview_library_url: config.preview_library_url.to_string(),
            scopes: config.policy.default_scopes().iter().map(str::to_owned).collect(),
            folders: config.policy.folders,
        }
    }
}
