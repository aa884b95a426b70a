//! `GET /2.0/files/{id}`, with every field that Box's preview asks for.
//!
//! <https://developer.box.com/reference/get-files-id/>

use http::StatusCode;
use http::header::{ETAG, IF_NONE_MATCH};
use serde_json::{Value, json};

use crate::account::{File, Item};
use crate::answer::{self, Response};
use crate::bearer::Bearer;
use crate::content;
use crate::emulator::Emulator;
use crate::fields;
use crate::folders;
use crate::refusals::{self, ApiRefusal};
use crate::representations::{self, Hints};
use crate::request::Call;
use crate::scopes::Right;
use crate::users;

/// Files of the sample account never change.
const ETAG_OF_ALL: &str = "0";

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
    let hints = match call.named_header("x-rep-hints") {
        Some(written) => Some(Hints::read(written).ok_or_else(|| refusals::bad_parameter("X-Rep-Hints"))?),
        None => None,
    };
    bearer.file(emulator, id, Right::Info)?;
    let asked = fields::asked(call);
    let wants_download = asked.as_ref().is_some_and(|asked| asked.iter().any(|name| name == "download_url"));
    let download_url =
        if wants_download { content::download_url(emulator, call, bearer, id).ok() } else { None };

    let file = bearer.file(emulator, id, Right::Info)?;
    if call.header(&IF_NONE_MATCH).is_some_and(|known| known.trim_matches('"') == ETAG_OF_ALL) {
        return Ok(answer::empty(StatusCode::NOT_MODIFIED));
    }
    let view = View { emulator, bearer, file, hints, download_url };
    let mut response = answer::ok(&fields::select(asked.as_deref(), STANDARD, |name| view.field(name)));
    answer::set(&mut response, ETAG, &format!("\"{ETAG_OF_ALL}\""));
    Ok(response)
}

/// The file inside a folder's listing: few fields, unless others are asked for.
pub(crate) fn entry(emulator: &Emulator, bearer: &Bearer, file: &File, asked: Option<&[String]>) -> Value {
    match asked {
        None => mini(file),
        Some(_) => {
            let view = View { emulator, bearer, file, hints: None, download_url: None };
            fields::select(asked, STANDARD, |name| view.field(name))
        }
    }
}

/// The file inside other answers.
pub(crate) fn mini(file: &File) -> Value {
    json!({
        "type": "file",
        "id": file.id,
        "file_version": version(file),
        "sequence_id": "0",
        "etag": ETAG_OF_ALL,
        "sha1": file.sha1,
        "name": file.name,
    })
}

fn version(file: &File) -> Value {
    json!({"type": "file_version", "id": file.version_id, "sha1": file.sha1})
}

struct View<'a> {
    emulator: &'a Emulator,
    bearer: &'a Bearer,
    file: &'a File,
    hints: Option<Hints>,
    download_url: Option<String>,
}

impl View<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        let Self { emulator, bearer, file, .. } = *self;
        let item = Item::File(file);
        Some(match name {
            "type" => json!("file"),
            "id" => json!(file.id),
            "file_version" => version(file),
            "sequence_id" => json!("0"),
            "etag" => json!(ETAG_OF_ALL),
            "sha1" => json!(file.sha1),
            "name" => json!(file.name),
            "description" => json!(file.about.description),
            "size" => json!(bearer.account(emulator).size(item)),
            "extension" => json!(file.extension()),
            "path_collection" => folders::path_collection(bearer.account(emulator), bearer, item),
            "parent" => folders::parent(bearer.account(emulator), bearer, item),
            "created_at" | "content_created_at" => json!(file.about.created_at()),
            "modified_at" | "content_modified_at" => json!(file.about.modified_at()),
            "trashed_at" | "purged_at" | "shared_link" => Value::Null,
            "created_by" | "modified_by" | "owned_by" => users::mini(emulator, &bearer.holder.user_id),
            "item_status" => json!("active"),
            "permissions" => self.permissions(),
            "representations" => representations::list(emulator, file, self.hints.as_ref()),
            "watermark_info" => json!({"is_watermarked": false}),
            "is_download_available" => json!(true),
            "authenticated_download_url" => json!(content::original_url(&emulator.options, file)),
            "download_url" => json!(self.download_url.as_deref()?),
            _ => return None,
        })
    }

    /// What the user may do and the token, too.
    /// <https://developer.box.com/guides/embed/ui-elements/access/>
    fn permissions(&self) -> Value {
        let may = |right: Right| self.file.user_may(right) && self.bearer.may(right);
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
}
