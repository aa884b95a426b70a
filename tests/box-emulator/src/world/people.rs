//! Who has an account here: people, and those that apps bring with them.

use serde::{Deserialize, Serialize};

use crate::world::account::Account;
use crate::world::state::Data;

/// The one enterprise of this Box.
pub(crate) const ENTERPRISE_ID: &str = "900000001";

/// Somebody whom tokens speak for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) login: String,
    /// Only who has one can sign in on the authorize page. It is no secret: it is printed wherever it is needed.
    pub(crate) password: Option<String>,
    #[serde(flatten)]
    pub(crate) kind: UserKind,
}

/// <https://developer.box.com/platform/user-types/>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum UserKind {
    /// A person of the enterprise.
    Managed,
    /// Made by an app, without a login of its own.
    AppUser { client_id: String },
    /// The app itself.
    ServiceAccount { client_id: String },
}

impl Data {
    /// Adds somebody with an empty account; returns the id. Without a login the user gets one as Box makes them.
    pub(crate) fn add_user(
        &mut self,
        name: &str,
        login: Option<&str>,
        password: Option<String>,
        kind: UserKind,
    ) -> String {
        let id = loop {
            let id = self.entropy.between(1_100_000_000, 1_199_999_999).to_string();
            if !self.users.contains_key(&id) {
                break id;
            }
        };
        let login = login.map_or_else(
            || match kind {
                UserKind::ServiceAccount { .. } => format!("AutomationUser_{id}@boxdevedition.example"),
                UserKind::AppUser { .. } | UserKind::Managed => format!("AppUser_{id}@boxdevedition.example"),
            },
            str::to_owned,
        );
        let user = User { id: id.clone(), name: name.to_owned(), login, password, kind };
        self.users.insert(id.clone(), user);
        self.accounts.insert(id.clone(), Account::default());
        id
    }
}

impl User {
    /// Whether `login` and `password` are this user's.
    pub(crate) fn signs_in_with(&self, login: &str, password: &str) -> bool {
        self.login.eq_ignore_ascii_case(login) && self.password.as_deref() == Some(password)
    }
}
