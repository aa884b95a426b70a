//! The enterprise admin's part: users.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Done, Outcome, bad, body, conflict, done, made, not_found};
use crate::emulator::Emulator;
use crate::request::Call;
use crate::world::people::{ENTERPRISE_ID, User, UserKind};
use crate::world::sample::ROBIN_ID;

/// Box's own limit. <https://developer.box.com/reference/post-users/>
const NAME_LENGTH_MAX: usize = 50;

pub(super) fn list(emulator: &Emulator) -> Done {
    let users: Vec<Value> = emulator.state.users.values().map(|user| told(emulator, user)).collect();
    done(json!({"enterprise_id": ENTERPRISE_ID, "users": users}))
}

/// A managed user, or an app's user. An app's service account comes with the app.
pub(super) fn add(emulator: &mut Emulator, call: &Call) -> Outcome {
    #[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Managed,
        AppUser,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        name: String,
        login: Option<String>,
        password: Option<String>,
        kind: Option<Kind>,
        client_id: Option<String>,
    }
    let wanted: Wanted = body(call)?;
    let name = wanted.name.trim();
    if name.is_empty() || name.chars().count() > NAME_LENGTH_MAX {
        return Err(bad(format!("a name has 1 to {NAME_LENGTH_MAX} characters")));
    }
    let kind = match (wanted.kind.unwrap_or(Kind::Managed), wanted.client_id) {
        (Kind::Managed, None) => UserKind::Managed,
        (Kind::Managed, Some(_)) => return Err(bad("a managed user belongs to no app")),
        (Kind::AppUser, Some(client_id)) if emulator.app(&client_id).is_some() => {
            UserKind::AppUser { client_id }
        }
        (Kind::AppUser, _) => return Err(bad("an app user belongs to an app: say its client_id")),
    };
    let login = wanted.login.as_deref().map(str::trim);
    match (&kind, login) {
        (UserKind::Managed, Some(login)) if login.contains('@') => {}
        (UserKind::Managed, _) => return Err(bad("a managed user has an email address as login")),
        (_, None) if wanted.password.is_none() => {}
        _ => return Err(bad("an app user never signs in: it has neither login nor password")),
    }
    let taken =
        |login: &str| emulator.state.users.values().any(|user| user.login.eq_ignore_ascii_case(login));
    if let Some(login) = login.filter(|login| taken(login)) {
        return Err(conflict(format!("{login} is somebody's already")));
    }
    let password = wanted.password.filter(|password| !password.is_empty());
    let id = emulator.state.edit().add_user(name, login, password, kind);
    let user = emulator.state.users.get(&id);
    Ok(made(user.map_or(Value::Null, |user| told(emulator, user))))
}

pub(super) fn remove(emulator: &mut Emulator, id: &str) -> Outcome {
    let user = emulator.state.users.get(id).ok_or_else(|| not_found("there is no such user"))?;
    if user.id == ROBIN_ID {
        return Err(conflict(format!("{} stays: scripted sign-ins are theirs", user.name)));
    }
    if let UserKind::ServiceAccount { .. } = user.kind {
        return Err(conflict("a service account goes with its app"));
    }
    leave(emulator, id);
    Ok(done(json!({})))
}

/// Tokens end, browsers are signed out, files are gone.
pub(super) fn leave(emulator: &mut Emulator, id: &str) {
    let data = emulator.state.edit();
    data.book.revoke_all(|holder| holder.user_id == id);
    data.browsers.retain(|_, browser| !browser.is_of(id));
    data.accounts.remove(id);
    data.users.remove(id);
}

fn told(emulator: &Emulator, user: &User) -> Value {
    let (kind, client_id) = match &user.kind {
        UserKind::Managed => ("managed", None),
        UserKind::AppUser { client_id } => ("app_user", Some(client_id)),
        UserKind::ServiceAccount { client_id } => ("service_account", Some(client_id)),
    };
    json!({
        "id": user.id,
        "name": user.name,
        "login": user.login,
        "password": user.password,
        "kind": kind,
        "client_id": client_id,
        "space_used": emulator.account(&user.id).space_used(),
        "stays": user.id == ROBIN_ID || kind == "service_account",
    })
}
