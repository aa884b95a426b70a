//! `GET /2.0/users/me`. <https://developer.box.com/reference/get-users-me/>

use serde_json::{Value, json};

use crate::answer::{self, Response};
use crate::bearer::Bearer;
use crate::emulator::Emulator;
use crate::fields;
use crate::people::User;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;
use crate::scopes::Right;

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
    let asked = fields::asked(call);
    Ok(answer::ok(&fields::select(emulator, asked.as_deref(), STANDARD, |name| field(emulator, user, name))?))
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
        _ => return None,
    })
}
