//! `GET /2.0/folders/{id}` and `/items`: listing, by offset or by marker.
//!
//! <https://developer.box.com/guides/api-calls/pagination/>

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::IF_NONE_MATCH;
use serde_json::{Value, json};

use crate::answer::{self, Response};
use crate::api::bearer::{Bearer, Place};
use crate::api::etags;
use crate::api::fields;
use crate::api::files;
use crate::api::paging::{LIMIT_MAX, Page};
use crate::api::shared_links;
use crate::api::users;
use crate::emulator::Emulator;
use crate::oauth::scopes::Right;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;
use crate::world::account::{Account, Folder, Item, ROOT};

/// Whoever needs more uses markers. <https://developer.box.com/reference/get-folders-id-items/>
const OFFSET_MAX: usize = 9999;

const STANDARD: &[&str] = &[
    "type",
    "id",
    "sequence_id",
    "etag",
    "name",
    "created_at",
    "modified_at",
    "description",
    "size",
    "path_collection",
    "created_by",
    "modified_by",
    "trashed_at",
    "purged_at",
    "content_created_at",
    "content_modified_at",
    "owned_by",
    "shared_link",
    "parent",
    "item_status",
    "item_collection",
];

/// One folder with the first of its items.
///
/// # Errors
/// As [`Bearer::folder`]; 400 for paging that cannot be read.
pub(crate) fn info(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &str,
) -> Result<Response, ApiRefusal> {
    let (place, folder) = bearer.folder(emulator, id, Right::Browse)?;
    if let (Some(known), Some(etag)) = (call.header(&IF_NONE_MATCH), etag(folder))
        && etags::has(known, &etag)
    {
        return Ok(etags::not_modified(&etag));
    }
    let mut response = answer::ok(&full(emulator, call, bearer, place, folder)?);
    if let Some(etag) = etag(folder) {
        etags::put(&mut response, &etag);
    }
    Ok(response)
}

fn full(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    place: Place<'_>,
    folder: &Folder,
) -> Result<Value, ApiRefusal> {
    let asked = fields::asked(call);
    let items = by_offset(emulator, call, bearer, place, folder)?;
    fields::select(emulator, asked.as_deref(), STANDARD, |name| match name {
        "item_collection" => Some(items.clone()),
        name => field(emulator, call, bearer, place, folder, name),
    })
}

/// The folder as the answer to a change of it: whoever may not list it is told only what it is called.
///
/// # Errors
/// As [`fields::select`].
pub(crate) fn changed(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    place: Place<'_>,
    folder: &Folder,
) -> Result<Value, ApiRefusal> {
    if bearer.may_with(place, Item::Folder(folder), Right::Browse) {
        full(emulator, call, bearer, place, folder)
    } else {
        Ok(mini(folder))
    }
}

/// The items of a folder: folders first, then files.
///
/// # Errors
/// As [`Bearer::folder`]; 400 for paging that cannot be read.
pub(crate) fn items(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &str,
) -> Result<Response, ApiRefusal> {
    let (place, folder) = bearer.folder(emulator, id, Right::Browse)?;
    // Box's SDKs for Python write `True`.
    let body = match call.query.value("usemarker").map(str::to_ascii_lowercase).as_deref() {
        Some("true") => by_marker(emulator, call, bearer, place, folder)?,
        None | Some("false") => by_offset(emulator, call, bearer, place, folder)?,
        Some(_) => return Err(refusals::bad_parameter("usemarker")),
    };
    Ok(answer::ok(&body))
}

/// The folder inside other answers.
pub(crate) fn mini(folder: &Folder) -> Value {
    json!({"type": "folder", "id": folder.id, "sequence_id": etag(folder), "etag": etag(folder), "name": folder.name})
}

/// The folders above an item, as far as the token reaches.
pub(crate) fn path_collection(bearer: &Bearer, place: Place<'_>, item: Item<'_>) -> Value {
    let path: Vec<Value> = visible_path(bearer, place, item).into_iter().map(mini).collect();
    json!({"total_count": path.len(), "entries": path})
}

/// The folder an item stands in, if the token reaches it.
pub(crate) fn parent(bearer: &Bearer, place: Place<'_>, item: Item<'_>) -> Value {
    // What a token reaches goes down from one folder: if it reaches any above the item, then the nearest.
    visible_path(bearer, place, item).last().map_or(Value::Null, |folder| mini(folder))
}

fn visible_path<'a>(bearer: &Bearer, place: Place<'a>, item: Item<'_>) -> Vec<&'a Folder> {
    let path = place.account.path_to(item).into_iter();
    path.filter(|folder| bearer.reaches(place, Item::Folder(folder))).collect()
}

/// The root folder has none.
fn etag(folder: &Folder) -> Option<String> {
    (folder.id != ROOT).then(|| folder.about.etag())
}

fn by_offset(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    place: Place<'_>,
    folder: &Folder,
) -> Result<Value, ApiRefusal> {
    let page = page(emulator, call)?;
    let order = Order::read(call)?;
    let all = order.apply(place.account, folder);
    let entries = page.of(&all).map(|item| entry(emulator, call, bearer, place, *item));
    Ok(json!({
        "total_count": all.len(),
        "entries": entries.collect::<Result<Vec<_>, _>>()?,
        "offset": page.offset,
        "limit": page.limit,
        "order": [
            {"by": "type", "direction": "ASC"},
            {"by": order.by.name(), "direction": if order.descending { "DESC" } else { "ASC" }},
        ],
    }))
}

fn by_marker(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    place: Place<'_>,
    folder: &Folder,
) -> Result<Value, ApiRefusal> {
    if folder.id == ROOT && call.query.has("sort") {
        return Err(refusals::bad_parameter("sort"));
    }
    let limit = page(emulator, call)?.limit;
    if limit == 0 {
        // The next page would be this one again, for ever.
        return Err(refusals::bad_parameter("limit"));
    }
    let offset = match call.query.value("marker") {
        None => 0,
        Some(marker) => read_marker(marker, folder).ok_or_else(|| refusals::bad_parameter("marker"))?,
    };
    let all = Order::read(call)?.apply(place.account, folder);
    let entries = Page { limit, offset }.of(&all).map(|item| entry(emulator, call, bearer, place, *item));
    let end = offset.saturating_add(limit);
    let next = (end < all.len()).then(|| write_marker(end, folder));
    Ok(json!({"entries": entries.collect::<Result<Vec<_>, _>>()?, "limit": limit, "next_marker": next}))
}

/// Markers are opaque to callers and good for one folder only.
fn write_marker(place: usize, folder: &Folder) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{place}", folder.id))
}

fn read_marker(marker: &str, folder: &Folder) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(marker).ok()?).ok()?;
    let (id, place) = text.split_once(':')?;
    if id == folder.id { place.parse().ok() } else { None }
}

fn page(emulator: &Emulator, call: &Call) -> Result<Page, ApiRefusal> {
    let default = usize::try_from(emulator.settings.folder_items_limit).unwrap_or(LIMIT_MAX);
    Page::read(call, default, LIMIT_MAX, OFFSET_MAX)
}

/// The folder or the file inside a list.
///
/// # Errors
/// As [`fields::select`] and [`files::entry`].
pub(crate) fn entry(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    place: Place<'_>,
    item: Item<'_>,
) -> Result<Value, ApiRefusal> {
    match (item, fields::asked(call)) {
        (Item::File(file), _) => files::entry(emulator, call, bearer, place, file),
        (Item::Folder(folder), None) => Ok(mini(folder)),
        (Item::Folder(folder), asked) => fields::select(emulator, asked.as_deref(), STANDARD, |name| {
            field(emulator, call, bearer, place, folder, name)
        }),
    }
}

fn field(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    place: Place<'_>,
    folder: &Folder,
    name: &str,
) -> Option<Value> {
    let item = Item::Folder(folder);
    let may = |right: Right| bearer.may_with(place, item, right);
    let unless_root = |value: Value| if folder.id == ROOT { Value::Null } else { value };
    Some(match name {
        "type" => json!("folder"),
        "id" => json!(folder.id),
        "sequence_id" | "etag" => json!(etag(folder)),
        "name" => json!(folder.name),
        "description" => json!(folder.about.description),
        "size" => json!(place.account.size(item)),
        "path_collection" => path_collection(bearer, place, item),
        "parent" => parent(bearer, place, item),
        "created_at" => unless_root(json!(folder.about.created_at())),
        "modified_at" => unless_root(json!(folder.about.modified_at())),
        "content_created_at" => unless_root(json!(folder.about.content_created_at())),
        "content_modified_at" => unless_root(json!(folder.about.content_modified_at())),
        "created_by" | "modified_by" | "owned_by" => users::mini(emulator, place.owner),
        "trashed_at" | "purged_at" => Value::Null,
        "shared_link" => shared_links::field(emulator, item, call.now_ms),
        "item_status" => json!("active"),
        "has_collaborations" | "is_externally_owned" => json!(false),
        "permissions" => json!({
            "can_download": may(Right::Download),
            "can_upload": may(Right::Upload),
            "can_rename": may(Right::Rename),
            "can_delete": may(Right::Delete),
            "can_share": may(Right::Share),
            "can_set_share_access": may(Right::Share),
            "can_invite_collaborator": may(Right::Share),
        }),
        _ => return None,
    })
}

#[derive(Clone, Copy)]
enum By {
    Id,
    Name,
    Date,
    Size,
}

/// `sort` and `direction`. Folders come before files, whatever they say.
#[derive(Clone, Copy)]
struct Order {
    by: By,
    descending: bool,
}

impl By {
    fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Date => "date",
            Self::Size => "size",
        }
    }
}

impl Order {
    fn read(call: &Call) -> Result<Self, ApiRefusal> {
        let by = match call.query.value("sort").map(str::to_ascii_lowercase).as_deref() {
            None | Some("name") => By::Name,
            Some("id") => By::Id,
            Some("date") => By::Date,
            Some("size") => By::Size,
            Some(_) => return Err(refusals::bad_parameter("sort")),
        };
        let descending = match call.query.value("direction").map(str::to_ascii_uppercase).as_deref() {
            None | Some("ASC") => false,
            Some("DESC") => true,
            Some(_) => return Err(refusals::bad_parameter("direction")),
        };
        Ok(Self { by, descending })
    }

    fn apply<'a>(self, account: &'a Account, folder: &Folder) -> Vec<Item<'a>> {
        let mut items = account.children(&folder.id);
        items.sort_by(|one, other| {
            let inside = self.compare(account, *one, *other);
            one.is_file().cmp(&other.is_file()).then(if self.descending { inside.reverse() } else { inside })
        });
        items
    }

    fn compare(self, account: &Account, one: Item<'_>, other: Item<'_>) -> Ordering {
        let by_name = || one.name().to_lowercase().cmp(&other.name().to_lowercase());
        let first = match self.by {
            By::Id => Ordering::Equal,
            By::Name => by_name(),
            By::Date => one.about().modified_at().cmp(other.about().modified_at()).then_with(by_name),
            By::Size => account.size(one).cmp(&account.size(other)).then_with(by_name),
        };
        first.then_with(|| one.number().cmp(other.number()))
    }
}
