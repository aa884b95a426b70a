//! Uploads: a new file, a new version of one, and the question whether a file would be welcome.
//!
//! <https://developer.box.com/guides/uploads/direct/>

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName};
use serde::Deserialize;
use serde_json::json;

use crate::answer::{self, Response};
use crate::api::bearer::Bearer;
use crate::api::edits::{self, Parent};
use crate::emulator::Emulator;
use crate::multipart;
use crate::oauth::scopes::Right;
use crate::refusals::{self, ApiRefusal};
use crate::request::{self, Call};
use crate::world::account::{Item, ItemId, sha1_of};
use crate::world::blob::Blob;
use crate::world::changes;
use crate::world::dates;

/// What comes with the bytes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attributes {
    name: Option<String>,
    parent: Option<Parent>,
    /// Box's reference has it only for a change; boxsdk 3 sends it with each new file (`Folder.upload_stream`).
    description: Option<String>,
    content_created_at: Option<String>,
    content_modified_at: Option<String>,
    /// Bytes; only the question asks by it.
    size: Option<usize>,
}

impl Attributes {
    /// # Errors
    /// 400 for a date that is none, and for a description that is too long.
    fn check(self) -> Result<Self, ApiRefusal> {
        edits::check_description(self.description.as_deref())?;
        let bad = |date: &Option<String>| date.as_deref().is_some_and(|date| dates::read(date).is_none());
        if bad(&self.content_created_at) {
            return Err(refusals::bad_parameter("content_created_at"));
        }
        if bad(&self.content_modified_at) {
            return Err(refusals::bad_parameter("content_modified_at"));
        }
        Ok(self)
    }
}

/// `POST …/files/content`.
///
/// # Errors
/// 400 for a body that is not as Box wants it; as [`Bearer::folder`]; 409 for a name that is taken.
pub(crate) fn new_file(
    emulator: &mut Emulator,
    call: &Call,
    bearer: &Bearer,
) -> Result<Response, ApiRefusal> {
    let (attributes, bytes) = parts(call)?;
    let name = attributes.name.as_deref().ok_or_else(|| refusals::missing_parameter("name"))?;
    let parent = attributes.parent.as_ref().ok_or_else(|| refusals::missing_parameter("parent"))?;
    let (owner, folder) = welcome(emulator, bearer, name, &parent.id)?;
    let data = emulator.state.edit();
    let id = data.create_file(&owner, &folder, name, Blob::from(bytes), call.now_ms);
    uploaded(emulator, call, bearer, &owner, &attributes, ItemId::File(id), StatusCode::CREATED)
}

/// `POST …/files/{id}/content`. A `name` in the attributes renames the file; that, or a `description`, needs the right to.
///
/// # Errors
/// As [`new_file`], [`Bearer::file`]; 412.
pub(crate) fn new_version(
    emulator: &mut Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &str,
) -> Result<Response, ApiRefusal> {
    let (place, file) = bearer.file(emulator, id, Right::Upload)?;
    edits::precondition(call, Item::File(file))?;
    let (attributes, bytes) = parts(call)?;
    let id = ItemId::File(id.to_owned());
    let renamed = attributes.name.as_deref().filter(|name| *name != file.current.name);
    if let Some(name) = renamed {
        bearer.require_with(place, Item::File(file), Right::Rename)?;
        changes::check_name(name)?;
        edits::free_name(bearer, place, &file.parent, name, Some(&id))?;
    }
    if attributes.description.is_some() {
        bearer.require_with(place, Item::File(file), Right::Rename)?;
    }
    let owner = place.owner.to_owned();
    let data = emulator.state.edit();
    data.add_version(&owner, id.number(), Blob::from(bytes), call.now_ms);
    if let (Some(name), Some(account)) = (renamed, data.accounts.get_mut(&owner)) {
        account.rename(&id, name);
    }
    uploaded(emulator, call, bearer, &owner, &attributes, id, StatusCode::OK)
}

/// `OPTIONS /2.0/files/content` with a token: may this file come, and where to?
/// <https://developer.box.com/reference/options-files-content/>
///
/// # Errors
/// As [`new_file`].
pub(crate) fn ask_first(emulator: &Emulator, call: &Call, bearer: &Bearer) -> Result<Response, ApiRefusal> {
    let Attributes { name, parent, size, .. } = edits::body(call)?;
    if size.is_some_and(|size| size > request::UPLOAD_BYTES_MAX) {
        return Err(refusals::BODY_TOO_LARGE);
    }
    let name = name.ok_or_else(|| refusals::missing_parameter("name"))?;
    let parent = parent.ok_or_else(|| refusals::missing_parameter("parent"))?;
    welcome(emulator, bearer, &name, &parent.id)?;
    let url = format!("{}/upload/2.0/files/content", emulator.options.api_origin);
    Ok(answer::ok(&json!({"upload_url": url, "upload_token": null})))
}

/// Owner and id of the folder that takes a new file of this name.
fn welcome(
    emulator: &Emulator,
    bearer: &Bearer,
    name: &str,
    parent: &str,
) -> Result<(String, String), ApiRefusal> {
    let (place, folder) = bearer.folder(emulator, parent, Right::Upload)?;
    changes::check_name(name)?;
    edits::free_name(bearer, place, &folder.id, name, None)?;
    Ok((place.owner.to_owned(), folder.id.clone()))
}

fn uploaded(
    emulator: &mut Emulator,
    call: &Call,
    bearer: &Bearer,
    owner: &str,
    attributes: &Attributes,
    id: ItemId,
    status: StatusCode,
) -> Result<Response, ApiRefusal> {
    let account = emulator.state.edit().accounts.get_mut(owner);
    if let Some(about) = account.and_then(|account| account.about_mut(&id)) {
        if let Some(description) = &attributes.description {
            about.description.clone_from(description);
        }
        about.content_created_at.clone_from(&attributes.content_created_at);
        about.content_modified_at.clone_from(&attributes.content_modified_at);
    }
    let entry = edits::changed(emulator, call, bearer, &id)?;
    Ok(answer::json(status, &json!({"total_count": 1, "entries": [entry]})))
}

/// The two parts of an upload: first what it is, then the bytes, in a part that SDKs call `file` or `content`.
fn parts(call: &Call) -> Result<(Attributes, Vec<u8>), ApiRefusal> {
    let parts = multipart::read(call.header(&CONTENT_TYPE).unwrap_or_default(), &call.body);
    let mut parts = parts.ok_or_else(|| refusals::bad_parameter("body"))?.into_iter();
    let attributes = match parts.next() {
        None => return Err(refusals::missing_parameter("attributes")),
        Some(first) if first.name.as_deref() != Some("attributes") => {
            return Err(refusals::METADATA_AFTER_FILE);
        }
        Some(first) => serde_json::from_slice::<Attributes>(&first.bytes),
    };
    let attributes = attributes.map_err(|_| refusals::bad_parameter("attributes"))?.check()?;
    let bytes = parts.next().ok_or_else(|| refusals::missing_parameter("file"))?.bytes;
    if parts.next().is_some() {
        return Err(refusals::bad_parameter("body"));
    }
    let promised = call.header(&HeaderName::from_static("content-md5"));
    if promised.is_some_and(|promised| !promised.eq_ignore_ascii_case(&sha1_of(&bytes))) {
        return Err(refusals::BAD_DIGEST);
    }
    Ok((attributes, bytes.into()))
}
