//! The `fields` parameter: which fields of an item an answer holds.

use serde_json::{Map, Value};

use crate::emulator::Emulator;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;

/// In every answer about an item.
const BASE: [&str; 3] = ["type", "id", "etag"];

/// What an item, a version or a user can have beside [`BASE`]. A list may be asked for what only some of its entries have.
const KNOWN: [&str; 48] = [
    "address",
    "authenticated_download_url",
    "avatar_url",
    "content_created_at",
    "content_modified_at",
    "created_at",
    "created_by",
    "description",
    "download_url",
    "extension",
    "file_version",
    "has_collaborations",
    "is_download_available",
    "is_externally_owned",
    "is_platform_access_only",
    "item_collection",
    "item_status",
    "job_title",
    "language",
    "login",
    "max_upload_size",
    "modified_at",
    "modified_by",
    "name",
    "notification_email",
    "owned_by",
    "parent",
    "path_collection",
    "permissions",
    "phone",
    "purged_at",
    "representations",
    "restored_at",
    "restored_by",
    "sequence_id",
    "sha1",
    "shared_link",
    "size",
    "space_amount",
    "space_used",
    "status",
    "timezone",
    "trashed_at",
    "trashed_by",
    "uploader_display_name",
    "url",
    "version_number",
    "watermark_info",
];

/// The names asked for, or `None` when the caller left it to Box.
pub(crate) fn asked(call: &Call) -> Option<Vec<String>> {
    let list = call.query.value("fields")?;
    Some(list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// The base fields and those `asked`, or the `standard` ones.
///
/// <https://developer.box.com/guides/api-calls/request-extra-fields/>
///
/// # Errors
/// 400 for a name that nothing has, if the settings are so strict. What `field` does not know is left out.
pub(crate) fn select(
    emulator: &Emulator,
    asked: Option<&[String]>,
    standard: &[&str],
    field: impl Fn(&str) -> Option<Value>,
) -> Result<Value, ApiRefusal> {
    let mut selected = Map::new();
    let names: Vec<&str> = match asked {
        Some(asked) => {
            let unknown = |name: &String| !BASE.into_iter().chain(KNOWN).any(|known| known == name);
            if emulator.settings.unknown_fields_refused && asked.iter().any(unknown) {
                return Err(refusals::bad_parameter("fields"));
            }
            BASE.into_iter().chain(asked.iter().map(String::as_str)).collect()
        }
        None => standard.to_vec(),
    };
    for name in names {
        if let Some(value) = field(name) {
            selected.insert(name.to_owned(), value);
        }
    }
    Ok(Value::Object(selected))
}
