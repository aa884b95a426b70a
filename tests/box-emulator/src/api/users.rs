//! `/2.0/users`: oneself, others, and new ones.
//!
//! <https://developer.box.com/reference/get-users-me/>, <https://developer.box.com/reference/get-users/>,
//! <https://developer.box.com/reference/post-users/>

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{self, Response};
use crate::api::bearer::Bearer;
use crate::api::edits;
use crate::api::fields;
use crate::api::paging::{LIMIT_MAX, OFFSET_MAX, Page};
use crate::emulator::Emulator;
use crate::oauth::scopes::Right;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;
use crate::world::account;
use crate::world::people::{User, UserKind};

/// <https://developer.box.com/reference/post-users/>
const NAME_LENGTH_MAX: usize = 50;
const LIMIT_DEFAULT: usize = 100;

const STANDARD: &[&str] = &[
    "type",
    "id",
    "name",
    "login",
    "created_at",
    "modified_at",
    "language",
    "timezone",
    "space_amount",
    "space_used",
    "max_upload_size",
    "status",
    "job_title",
    "phone",
    "address",
    "avatar_url",
    "notification_email",
];

/// Whose token it is; a token narrowed to previews does not say.
///
/// # Errors
/// 403 `insufficient_scope`.
pub(crate) fn me(emulator: &Emulator, call: &Call, bearer: &Bearer) -> Result<Response, ApiRefusal> {
    bearer.require(Right::Account)?;
    let user = emulator.state.users.get(&bearer.holder.user_id).ok_or(refusals::NOT_FOUND)?;
    Ok(answer::ok(&full(emulator, call, user)?))
}

/// Somebody by their id.
///
/// # Errors
/// 405 for what is no id, 404 for whom the token may not see.
pub(crate) fn info(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &str,
) -> Result<Response, ApiRefusal> {
    if !account::is_id(id) {
        return Err(refusals::METHOD_NOT_ALLOWED);
    }
    let user = emulator.state.users.get(id).filter(|user| sees(bearer, user)).ok_or(refusals::NOT_FOUND)?;
    Ok(answer::ok(&full(emulator, call, user)?))
}

/// Everybody whom the token may see, in the order of their names; with `filter_term`, whose name or login starts so.
///
/// # Errors
/// 403 `insufficient_scope`; 400 for paging that cannot be read.
pub(crate) fn list(emulator: &Emulator, call: &Call, bearer: &Bearer) -> Result<Response, ApiRefusal> {
    if !bearer.may(Right::ManageAppUsers) {
        bearer.require(Right::ManageUsers)?;
    }
    bearer.require_whole()?;
    let page = Page::read(call, LIMIT_DEFAULT, LIMIT_MAX, OFFSET_MAX)?;
    let term = call.query.value("filter_term").unwrap_or_default().to_lowercase();
    let starts = |text: &str| text.to_lowercase().starts_with(&term);
    let users = emulator.state.users.values().filter(|user| sees(bearer, user));
    let mut all: Vec<&User> = users.filter(|user| starts(&user.name) || starts(&user.login)).collect();
    all.sort_by_key(|user| (user.name.to_lowercase(), &user.id));
    let entries = page.of(&all).map(|user| full(emulator, call, user)).collect::<Result<Vec<_>, _>>()?;
    Ok(answer::ok(&json!({
        "total_count": all.len(), "entries": entries, "limit": page.limit, "offset": page.offset,
    })))
}

/// A person of the enterprise, or with `is_platform_access_only` a user of the app's own.
///
/// # Errors
/// 403 `insufficient_scope`; 400 for a body that cannot be read; 409 for a login that is somebody's already.
pub(crate) fn create(emulator: &mut Emulator, call: &Call, bearer: &Bearer) -> Result<Response, ApiRefusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        name: String,
        login: Option<String>,
        #[serde(default)]
        is_platform_access_only: bool,
    }
    let Wanted { name, login, is_platform_access_only } = edits::body(call)?;
    bearer.require(if is_platform_access_only { Right::ManageAppUsers } else { Right::ManageUsers })?;
    bearer.require_whole()?;
    if name.trim().is_empty() || name.chars().count() > NAME_LENGTH_MAX {
        return Err(refusals::bad_parameter("name"));
    }
    let kind = match (is_platform_access_only, &login) {
        (true, None) => UserKind::AppUser { client_id: bearer.holder.client_id.clone() },
        (false, Some(login)) if login.contains('@') => UserKind::Managed,
        (false, None) => return Err(refusals::missing_parameter("login")),
        (true | false, Some(_)) => return Err(refusals::bad_parameter("login")),
    };
    let taken =
        |login: &String| emulator.state.users.values().any(|user| user.login.eq_ignore_ascii_case(login));
    if login.as_ref().is_some_and(taken) {
        return Err(refusals::USER_LOGIN_IN_USE);
    }
    let id = emulator.state.edit().add_user(&name, login.as_deref(), None, kind);
    let user = emulator.state.users.get(&id).ok_or(refusals::NOT_FOUND)?;
    Ok(answer::json(StatusCode::CREATED, &full(emulator, call, user)?))
}

/// Oneself; people of the enterprise, for who may manage them; an app's users, for that app.
fn sees(bearer: &Bearer, user: &User) -> bool {
    let client_id = &bearer.holder.client_id;
    let oneself = user.id == bearer.holder.user_id && bearer.may(Right::Account);
    oneself
        || match &user.kind {
            UserKind::Managed => bearer.may(Right::ManageUsers),
            UserKind::AppUser { client_id: app } | UserKind::ServiceAccount { client_id: app } => {
                app == client_id && (bearer.may(Right::ManageAppUsers) || bearer.may(Right::ManageUsers))
            }
        }
}

fn full(emulator: &Emulator, call: &Call, user: &User) -> Result<Value, ApiRefusal> {
    fields::select(emulator, fields::asked(call).as_deref(), STANDARD, |name| field(emulator, user, name))
}

/// The user inside other answers.
pub(crate) fn mini(emulator: &Emulator, user_id: &str) -> Value {
    let user = emulator.state.users.get(user_id);
    user.map_or(
        Value::Null,
        |user| json!({"type": "user", "id": user.id, "name": user.name, "login": user.login}),
    )
}

/// What the user is called.
pub(crate) fn name<'a>(emulator: &'a Emulator, user_id: &str) -> Option<&'a str> {
    emulator.state.users.get(user_id).map(|user| user.name.as_str())
}

fn field(emulator: &Emulator, user: &User, name: &str) -> Option<Value> {
    Some(match name {
        "type" => json!("user"),
        "id" => json!(user.id),
        "name" => json!(user.name),
        "login" => json!(user.login),
        "created_at" | "modified_at" => json!("2026-01-05T08:00:00+00:00"),
        "language" => json!("en"),
        "timezone" => json!("Europe/Berlin"),
        "space_amount" => json!(10_737_418_240_u64),
        "space_used" => json!(emulator.account(&user.id).space_used()),
        "max_upload_size" => json!(5_368_709_120_u64),
        "status" => json!("active"),
        "job_title" | "phone" | "address" | "avatar_url" => json!(""),
        "notification_email" => Value::Null,
        "is_platform_access_only" => json!(user.kind != UserKind::Managed),
        _ => return None,
    })
}
