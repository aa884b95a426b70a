//! `GET /2.0/users/me`. <https://developer.box.com/reference/get-users-me/>

use serde_json::{Value, json};

use crate::account::ROBIN;
use crate::answer::{self, Response};
use crate::bearer::Bearer;
use crate::fields;
use crate::refusals::ApiRefusal;
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
pub(crate) fn me(call: &Call, bearer: &Bearer) -> Result<Response, ApiRefusal> {
    bearer.require(Right::Account)?;
    let asked = fields::asked(call);
    Ok(answer::ok(&fields::select(asked.as_deref(), STANDARD, field)))
}

/// The user inside other answers.
pub(crate) fn mini() -> Value {
    json!({"type": "user", "id": ROBIN.id, "name": ROBIN.name, "login": ROBIN.login})
}

fn field(name: &str) -> Option<Value> {
    Some(match name {
        "type" => json!("user"),
        "id" => json!(ROBIN.id),
        "name" => json!(ROBIN.name),
        "login" => json!(ROBIN.login),
        "created_at" | "modified_at" => json!("2026-01-05T08:00:00+00:00"),
        "language" => json!("en"),
        "timezone" => json!("Europe/Berlin"),
        "space_amount" => json!(10_737_418_240_u64),
        "space_used" => json!(0),
        "max_upload_size" => json!(5_368_709_120_u64),
        "status" => json!("active"),
        "job_title" | "phone" | "address" | "avatar_url" => json!(""),
        "notification_email" => Value::Null,
        _ => return None,
    })
}
