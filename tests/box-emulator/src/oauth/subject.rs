//! Whom an app that signs in by itself may speak for: its service account, or a user.
//!
//! <https://developer.box.com/platform/user-types/>

use crate::emulator::Emulator;
use crate::oauth::book::{Holder, Issued};
use crate::world::apps::App;
use crate::world::people::{ENTERPRISE_ID, UserKind};

/// What an app asks for, by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// The app itself, by the enterprise that let it in.
    Enterprise(&'a str),
    /// One of the users of the enterprise, or of the app's own.
    User(&'a str),
}

/// Why there is nobody to speak for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No such user, or one of another app.
    Unknown,
    /// The app lacks "Generate user access tokens", or "App + Enterprise Access" for a managed user, or asked for
    /// its service account as for a user (support.box.com 360044192553).
    Configuration,
}

impl<'a> Subject<'a> {
    /// `kind` as in `box_subject_type` and `box_sub_type`.
    pub(crate) fn read(kind: &str, id: &'a str) -> Option<Self> {
        match kind {
            "enterprise" => Some(Self::Enterprise(id)),
            "user" => Some(Self::User(id)),
            _ => None,
        }
    }

    /// The id of the user that `app` may speak for.
    ///
    /// # Errors
    /// [`Denied`].
    pub(crate) fn find(self, emulator: &Emulator, app: &App) -> Result<String, Denied> {
        let id = match self {
            Self::Enterprise(ENTERPRISE_ID) => {
                return app.service_account.clone().ok_or(Denied::Unknown);
            }
            Self::Enterprise(_) => return Err(Denied::Unknown),
            Self::User(id) => id,
        };
        let user = emulator.state.users.get(id).ok_or(Denied::Unknown)?;
        let configured = match &user.kind {
            UserKind::Managed => app.enterprise_access,
            UserKind::AppUser { client_id } if *client_id == app.client_id => true,
            UserKind::ServiceAccount { client_id } if *client_id == app.client_id => false,
            UserKind::AppUser { .. } | UserKind::ServiceAccount { .. } => return Err(Denied::Unknown),
        };
        if configured && app.may_act_as_users { Ok(user.id.clone()) } else { Err(Denied::Configuration) }
    }
}

/// An access token with which the app `client_id` speaks for `user_id`, with every scope that the app has.
pub(crate) fn issue(emulator: &mut Emulator, client_id: &str, user_id: String, now_ms: u64) -> Issued {
    let scopes = emulator.app(client_id).map(|app| app.scopes.clone()).unwrap_or_default();
    let holder = Holder { client_id: client_id.to_owned(), user_id, scopes };
    emulator.state.edit().issue_alone(holder, None, &emulator.settings, now_ms)
}
