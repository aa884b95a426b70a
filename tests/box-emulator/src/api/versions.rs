//! `GET /2.0/files/{id}/versions` and one of them.
//!
//! <https://developer.box.com/reference/get-files-id-versions/>

use serde_json::{Value, json};

use crate::answer::{self, Response};
use crate::api::bearer::{Bearer, Place};
use crate::api::content;
use crate::api::fields;
use crate::api::files;
use crate::api::paging::{LIMIT_MAX, OFFSET_MAX, Page};
use crate::api::representations::{self, Hints};
use crate::api::users;
use crate::emulator::Emulator;
use crate::oauth::scopes::Right;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;
use crate::world::account::{File, Version};

const STANDARD: &[&str] = &[
    "type",
    "id",
    "sha1",
    "name",
    "size",
    "created_at",
    "modified_at",
    "modified_by",
    "trashed_at",
    "trashed_by",
    "restored_at",
    "restored_by",
    "purged_at",
    "uploader_display_name",
    "version_number",
];

/// What a file held before, newest first. The current version is not among them.
///
/// # Errors
/// As [`Bearer::file`]; 400 for paging that cannot be read.
pub(crate) fn list(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &str,
) -> Result<Response, ApiRefusal> {
    let (place, file) = bearer.file(emulator, id, Right::Info)?;
    let page = Page::read(call, LIMIT_MAX, LIMIT_MAX, OFFSET_MAX)?;
    let all: Vec<&Version> = file.versions().skip(1).collect();
    let view = |version: &&Version| View { emulator, bearer, place, file, version, hints: None }.select(call);
    let entries = page.of(&all).map(view).collect::<Result<Vec<_>, _>>()?;
    Ok(answer::ok(&json!({
        "total_count": all.len(),
        "entries": entries,
        "offset": page.offset,
        "limit": page.limit,
        "order": [{"by": "created_at", "direction": "DESC"}],
    })))
}

/// One version, current or not. The preview asks here for the fields that it asks of a file.
///
/// # Errors
/// As [`Bearer::file`]; 400 for hints that cannot be read.
pub(crate) fn info(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &str,
    version: &str,
) -> Result<Response, ApiRefusal> {
    let hints = Hints::of(call)?;
    let (place, file) = bearer.file(emulator, id, Right::Info)?;
    let version = file.version(version).ok_or(refusals::NOT_FOUND)?;
    Ok(answer::ok(&View { emulator, bearer, place, file, version, hints }.select(call)?))
}

struct View<'a> {
    emulator: &'a Emulator,
    bearer: &'a Bearer,
    place: Place<'a>,
    file: &'a File,
    version: &'a Version,
    hints: Option<Hints>,
}

impl View<'_> {
    fn select(&self, call: &Call) -> Result<Value, ApiRefusal> {
        fields::select(self.emulator, fields::asked(call).as_deref(), STANDARD, |name| self.field(name))
    }

    fn field(&self, name: &str) -> Option<Value> {
        let Self { emulator, bearer, place, file, version, .. } = *self;
        Some(match name {
            "type" => json!("file_version"),
            "id" => json!(version.id),
            "sha1" => json!(version.sha1),
            "name" => json!(version.name),
            "size" => json!(version.size()),
            "extension" => json!(version.extension()),
            "created_at" | "modified_at" => json!(version.created_at()),
            "modified_by" => users::mini(emulator, place.owner),
            "uploader_display_name" => json!(users::name(emulator, place.owner)),
            "trashed_at" | "trashed_by" | "restored_at" | "restored_by" | "purged_at" => Value::Null,
            "version_number" => json!(self.number().to_string()),
            "permissions" => files::permissions(bearer, place, file),
            "representations" => representations::list(emulator, file, version, self.hints.as_ref()),
            "watermark_info" => json!({"is_watermarked": false}),
            "is_download_available" => json!(true),
            "authenticated_download_url" => json!(content::original_url(&emulator.options, file)),
            _ => return None,
        })
    }

    /// The first is 1.
    fn number(&self) -> usize {
        let newer = self.file.versions().take_while(|version| version.id != self.version.id).count();
        self.file.earlier.len() + 1 - newer
    }
}
