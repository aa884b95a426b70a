//! `GET /2.0/files/{id}`, with every field that Box's preview asks for.
//!
//! <https://developer.box.com/reference/get-files-id/>

use http::header::IF_NONE_MATCH;
use serde_json::{Value, json};

use crate::answer::{self, Response};
use crate::api::bearer::{Bearer, Place};
use crate::api::content;
use crate::api::etags;
use crate::api::fields;
use crate::api::folders;
use crate::api::representations::{self, Hints};
use crate::api::shared_links;
use crate::api::users;
use crate::emulator::Emulator;
use crate::oauth::scopes::Right;
use crate::refusals::ApiRefusal;
use crate::request::Call;
use crate::world::account::{File, Item};

/// The answer without `fields`. Representations, permissions and the preview's own fields come on request.
const STANDARD: &[&str] = &[
    "type",
    "id",
    "file_version",
    "sequence_id",
    "etag",
    "sha1",
    "name",
    "description",
    "size",
    "path_collection",
    "created_at",
    "modified_at",
    "trashed_at",
    "purged_at",
    "content_created_at",
    "content_modified_at",
    "created_by",
    "modified_by",
    "owned_by",
    "shared_link",
    "parent",
    "item_status",
];

/// One file.
///
/// # Errors
/// As [`Bearer::file`]; 400 for hints that cannot be read.
pub(crate) fn info(
    emulator: &mut Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &str,
) -> Result<Response, ApiRefusal> {
    let hints = Hints::of(call)?;
    bearer.file(emulator, id, Right::Info)?;
    let asked = fields::asked(call);
    let wants_download = asked.as_ref().is_some_and(|asked| asked.iter().any(|name| name == "download_url"));
    let download_url =
        if wants_download { content::download_url(emulator, call, bearer, id).ok() } else { None };

    let (place, file) = bearer.file(emulator, id, Right::Info)?;
    let etag = file.about.etag();
    if call.header(&IF_NONE_MATCH).is_some_and(|known| etags::has(known, &etag)) {
        return Ok(etags::not_modified(&etag));
    }
    let view = View { emulator, bearer, place, file, now_ms: call.now_ms, hints, download_url };
    let body = fields::select(emulator, asked.as_deref(), STANDARD, |name| view.field(name))?;
    let mut response = answer::ok(&body);
    etags::put(&mut response, &etag);
    Ok(response)
}

/// The file as the answer to a change of it: whoever may not read it is told only what it is called.
///
/// # Errors
/// As [`fields::select`].
pub(crate) fn changed(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    place: Place<'_>,
    file: &File,
) -> Result<Value, ApiRefusal> {
    if !bearer.may_with(place, Item::File(file), Right::Info) {
        return Ok(name_only(file));
    }
    let view = View { emulator, bearer, place, file, now_ms: call.now_ms, hints: None, download_url: None };
    fields::select(emulator, fields::asked(call).as_deref(), STANDARD, |name| view.field(name))
}

/// The file inside a list: few fields, unless others are asked for.
///
/// # Errors
/// As [`fields::select`]; 400 for hints that cannot be read.
pub(crate) fn entry(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    place: Place<'_>,
    file: &File,
) -> Result<Value, ApiRefusal> {
    match fields::asked(call) {
        None => Ok(mini(file)),
        asked => {
            let (now_ms, hints) = (call.now_ms, Hints::of(call)?);
            let view = View { emulator, bearer, place, file, now_ms, hints, download_url: None };
            fields::select(emulator, asked.as_deref(), STANDARD, |name| view.field(name))
        }
    }
}

/// The file inside other answers.
pub(crate) fn mini(file: &File) -> Value {
    json!({
        "type": "file",
        "id": file.id,
        "file_version": version(file),
        "sequence_id": file.about.etag(),
        "etag": file.about.etag(),
        "sha1": file.current.sha1,
        "name": file.current.name,
    })
}

/// The file for those who may not read it.
pub(crate) fn name_only(file: &File) -> Value {
    json!({"type": "file", "id": file.id, "etag": file.about.etag(), "name": file.current.name})
}

fn version(file: &File) -> Value {
    json!({"type": "file_version", "id": file.current.id, "sha1": file.current.sha1})
}

/// What the user may do with the file, and the token, too.
/// <https://developer.box.com/guides/embed/ui-elements/access/>
pub(crate) fn permissions(bearer: &Bearer, place: Place<'_>, file: &File) -> Value {
    let may = |right: Right| bearer.may_with(place, Item::File(file), right);
    let (own, all) = (may(Right::SeeOwnAnnotations), may(Right::SeeAllAnnotations));
    json!({
        "can_preview": may(Right::Preview),
        "can_download": may(Right::Download),
        "can_upload": may(Right::Upload),
        "can_comment": may(Right::Comment),
        "can_rename": may(Right::Rename),
        "can_delete": may(Right::Delete),
        "can_share": may(Right::Share),
        "can_set_share_access": may(Right::Share),
        "can_invite_collaborator": may(Right::Share),
        "can_annotate": may(Right::Annotate),
        "can_create_annotations": may(Right::Annotate),
        "can_view_annotations": own || all,
        "can_view_annotations_self": own,
        "can_view_annotations_all": all,
    })
}

struct View<'a> {
    emulator: &'a Emulator,
    bearer: &'a Bearer,
    place: Place<'a>,
    file: &'a File,
    now_ms: u64,
    hints: Option<Hints>,
    /// `None`: not asked for, or not to be had.
    download_url: Option<String>,
}

impl View<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        let Self { emulator, bearer, place, file, .. } = *self;
        let item = Item::File(file);
        Some(match name {
            "type" => json!("file"),
            "id" => json!(file.id),
            "file_version" => version(file),
            "sequence_id" | "etag" => json!(file.about.etag()),
            "sha1" => json!(file.current.sha1),
            "name" => json!(file.current.name),
            "description" => json!(file.about.description),
            "size" => json!(file.current.size()),
            "extension" => json!(file.current.extension()),
            "version_number" => json!((file.earlier.len() + 1).to_string()),
            "path_collection" => folders::path_collection(bearer, place, item),
            "parent" => folders::parent(bearer, place, item),
            "created_at" => json!(file.about.created_at()),
            "modified_at" => json!(file.about.modified_at()),
            "content_created_at" => json!(file.about.content_created_at()),
            "content_modified_at" => json!(file.about.content_modified_at()),
            "trashed_at" | "purged_at" => Value::Null,
            "shared_link" => shared_links::field(emulator, item, self.now_ms),
            "created_by" | "modified_by" | "owned_by" => users::mini(emulator, place.owner),
            "item_status" => json!("active"),
            "permissions" => permissions(bearer, place, file),
            "representations" => representations::list(emulator, file, &file.current, self.hints.as_ref()),
            "watermark_info" => json!({"is_watermarked": false}),
            "is_download_available" => json!(true),
            // One enterprise, and nobody works on an item with anybody else.
            "has_collaborations" | "is_externally_owned" => json!(false),
            "authenticated_download_url" => json!(content::original_url(&emulator.options, file)),
            "download_url" => json!(self.download_url),
            _ => return None,
        })
    }
}
