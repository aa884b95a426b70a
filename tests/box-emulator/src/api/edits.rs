//! `PUT` and `DELETE` of files and folders, and `POST /2.0/folders`.
//!
//! <https://developer.box.com/reference/put-files-id/>, <https://developer.box.com/reference/put-folders-id/>

use http::StatusCode;
use http::header::IF_MATCH;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answer::{self, Response};
use crate::api::bearer::{Bearer, Place};
use crate::api::etags;
use crate::api::files;
use crate::api::folders;
use crate::api::shared_links::{self, given};
use crate::emulator::Emulator;
use crate::oauth::scopes::Right;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;
use crate::world::account::{Account, Item, ItemId};
use crate::world::changes;

/// <https://developer.box.com/reference/put-files-id/>
const DESCRIPTION_LENGTH_MAX: usize = 256;

/// A member that is not here, such as `lock` or `tags`, is refused: better than to seem to do it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    description: Option<String>,
    parent: Option<Parent>,
    #[serde(default, deserialize_with = "given")]
    shared_link: Option<Option<shared_links::Asked>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Parent {
    pub(crate) id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFolder {
    name: String,
    parent: Parent,
}

impl Change {
    /// What one must be allowed to do with the item. A move takes it away here and adds it there.
    fn rights(&self) -> Vec<Right> {
        let mut rights = Vec::new();
        if self.name.is_some() || self.description.is_some() {
            rights.push(Right::Rename);
        }
        if self.parent.is_some() {
            rights.push(Right::Delete);
        }
        if self.shared_link.is_some() {
            rights.push(Right::Share);
        }
        if rights.is_empty() {
            rights.push(Right::Info);
        }
        rights
    }
}

/// Changes the item `id`: name, description, folder, shared link, any of them.
///
/// # Errors
/// As [`Bearer::item`]; 403 for a right that one of the changes needs; 412; 400 and 409 for what cannot be.
pub(crate) fn change(
    emulator: &mut Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &ItemId,
) -> Result<Response, ApiRefusal> {
    let (place, item) = bearer.item(emulator, id)?;
    let change: Change = body(call)?;
    change.rights().into_iter().try_for_each(|right| bearer.require_with(place, item, right))?;
    precondition(call, item)?;
    check_description(change.description.as_deref())?;
    may_become(emulator, bearer, place, item, &change)?;

    let owner = place.owner.to_owned();
    let before = item.about().shared_link.clone();
    let link = match &change.shared_link {
        None => before,
        Some(asked) => shared_links::change(emulator, before.as_ref(), asked.as_ref(), call.now_ms)?,
    };
    if let Some(account) = emulator.state.edit().accounts.get_mut(&owner) {
        if let Some(name) = &change.name {
            account.rename(id, name);
        }
        if let Some(parent) = &change.parent {
            account.carry(id, &parent.id);
        }
        if let Some(about) = account.about_mut(id) {
            about.description = change.description.unwrap_or_else(|| about.description.clone());
            about.shared_link = link;
            about.touch(call.now_ms);
        }
    }
    Ok(answer::ok(&changed(emulator, call, bearer, id)?))
}

/// # Errors
/// 400 for one that is too long.
pub(crate) fn check_description(description: Option<&str>) -> Result<(), ApiRefusal> {
    if description.is_some_and(|text| text.chars().count() > DESCRIPTION_LENGTH_MAX) {
        return Err(refusals::bad_parameter("description"));
    }
    Ok(())
}

/// Whether the item can get that name in that folder.
fn may_become(
    emulator: &Emulator,
    bearer: &Bearer,
    place: Place<'_>,
    item: Item<'_>,
    change: &Change,
) -> Result<(), ApiRefusal> {
    let id = item.id();
    let moved_or_renamed = change.name.is_some() || change.parent.is_some();
    if id.is_root() {
        return Err(refusals::INSUFFICIENT_PERMISSIONS);
    }
    if !moved_or_renamed {
        return Ok(());
    }
    let name = change.name.as_deref().unwrap_or_else(|| item.name());
    changes::check_name(name)?;
    let parent = match &change.parent {
        None => item.parent().unwrap_or_default(),
        Some(parent) => {
            let (there, folder) = bearer.folder(emulator, &parent.id, Right::Upload)?;
            if there.account.lies_in(Item::Folder(folder), &id) {
                return Err(refusals::CYCLICAL_FOLDERS);
            }
            folder.id.as_str()
        }
    };
    free_name(bearer, place, parent, name, Some(&id))
}

/// Whether `folder` has nothing else of that name.
///
/// # Errors
/// 409 `item_name_in_use`, which tells of the other only what the token may know.
pub(crate) fn free_name(
    bearer: &Bearer,
    place: Place<'_>,
    folder: &str,
    name: &str,
    except: Option<&ItemId>,
) -> Result<(), ApiRefusal> {
    let Some(other) = changes::namesake(place.account, folder, name, except) else { return Ok(()) };
    let told = match other {
        _ if !bearer.reaches(place, other) => None,
        Item::Folder(folder) => Some(json!([folders::mini(folder)])),
        Item::File(file) if bearer.may_with(place, other, Right::Info) => Some(files::mini(file)),
        Item::File(file) => Some(files::name_only(file)),
    };
    Err(refusals::name_in_use(told))
}

/// Deletes the item `id`; a folder that is not empty only with `recursive=true`.
///
/// # Errors
/// As [`change`]; 400 `folder_not_empty`.
pub(crate) fn delete(
    emulator: &mut Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &ItemId,
) -> Result<Response, ApiRefusal> {
    let (place, item) = bearer.item(emulator, id)?;
    bearer.require_with(place, item, Right::Delete)?;
    if id.is_root() {
        return Err(refusals::INSUFFICIENT_PERMISSIONS);
    }
    precondition(call, item)?;
    if holds_more(place.account, item) && call.query.value("recursive") != Some("true") {
        return Err(refusals::FOLDER_NOT_EMPTY);
    }
    let owner = place.owner.to_owned();
    if let Some(account) = emulator.state.edit().accounts.get_mut(&owner) {
        account.remove(id);
    }
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

fn holds_more(account: &Account, item: Item<'_>) -> bool {
    matches!(item, Item::Folder(folder) if !account.children(&folder.id).is_empty())
}

/// `POST /2.0/folders`.
///
/// # Errors
/// As [`Bearer::folder`]; 400 and 409 for a name that cannot be.
pub(crate) fn create_folder(
    emulator: &mut Emulator,
    call: &Call,
    bearer: &Bearer,
) -> Result<Response, ApiRefusal> {
    let NewFolder { name, parent } = body(call)?;
    let (place, folder) = bearer.folder(emulator, &parent.id, Right::Upload)?;
    changes::check_name(&name)?;
    free_name(bearer, place, &folder.id, &name, None)?;
    let (owner, parent) = (place.owner.to_owned(), folder.id.clone());
    let id = emulator.state.edit().create_folder(&owner, &parent, &name, call.now_ms);
    let body = changed(emulator, call, bearer, &ItemId::Folder(id))?;
    Ok(answer::json(StatusCode::CREATED, &body))
}

/// The item after a change of it.
///
/// # Errors
/// As [`Bearer::item`] and [`crate::api::fields::select`].
pub(crate) fn changed(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &ItemId,
) -> Result<Value, ApiRefusal> {
    match bearer.item(emulator, id)? {
        (place, Item::File(file)) => files::changed(emulator, call, bearer, place, file),
        (place, Item::Folder(folder)) => folders::changed(emulator, call, bearer, place, folder),
    }
}

/// Whether the item is still what the caller knows of it.
/// <https://developer.box.com/guides/api-calls/ensure-consistency/>
///
/// # Errors
/// 412.
pub(crate) fn precondition(call: &Call, item: Item<'_>) -> Result<(), ApiRefusal> {
    match call.header(&IF_MATCH) {
        Some(known) if !etags::has(known, &item.about().etag()) => Err(refusals::PRECONDITION_FAILED),
        _ => Ok(()),
    }
}

/// The body as JSON.
///
/// # Errors
/// 400.
pub(crate) fn body<T: DeserializeOwned>(call: &Call) -> Result<T, ApiRefusal> {
    serde_json::from_slice(&call.body).map_err(|_| refusals::bad_parameter("body"))
}
