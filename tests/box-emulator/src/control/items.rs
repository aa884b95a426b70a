//! Anybody's files, from behind: no token is asked for.

use serde_json::{Value, json};

use super::{Outcome, Refusal, bad, conflict, done, made, not_found, parameter};
use crate::api::shared_links;
use crate::emulator::Emulator;
use crate::request::Call;
use crate::world::account::{Account, Folder, Item, ItemId, ROOT};
use crate::world::blob::Blob;
use crate::world::changes;
use crate::world::state::Data;

/// What stands in a folder, folders first, by name.
pub(super) fn list(emulator: &Emulator, call: &Call) -> Outcome {
    let (account, folder) = place(emulator, call)?;
    let path: Vec<Value> = account.path_to(Item::Folder(folder)).into_iter().map(mini).collect();
    let mut children = account.children(&folder.id);
    children.sort_by_key(|item| (item.is_file(), item.name().to_lowercase()));
    let entries: Vec<Value> = children.into_iter().map(|item| told(emulator, call, account, item)).collect();
    let mut folder = mini(folder);
    if let Some(folder) = folder.as_object_mut() {
        folder.insert("path".to_owned(), json!(path));
    }
    Ok(done(json!({"folder": folder, "entries": entries})))
}

/// The body is the file.
pub(super) fn upload(emulator: &mut Emulator, call: &Call) -> Outcome {
    add(emulator, call, |data, owner, parent, name| {
        ItemId::File(data.create_file(owner, parent, name, Blob::from(call.body.clone()), call.now_ms))
    })
}

pub(super) fn make_folder(emulator: &mut Emulator, call: &Call) -> Outcome {
    add(emulator, call, |data, owner, parent, name| {
        ItemId::Folder(data.create_folder(owner, parent, name, call.now_ms))
    })
}

/// With all that is in it. As with a delete through Box's API, the id is known as one in the trash.
pub(super) fn remove(emulator: &mut Emulator, call: &Call, item: &str) -> Outcome {
    let item = ItemId::try_from(item.to_owned()).map_err(bad)?;
    let user = parameter(call, "user")?;
    if item == ItemId::Folder(ROOT.to_owned()) {
        return Err(bad("an account keeps its root"));
    }
    let account = emulator.state.accounts.get(user).ok_or_else(no_user)?;
    if account.item(&item).is_none() {
        return Err(not_found(format!("there is no {item} in that account")));
    }
    if let Some(account) = emulator.state.edit().accounts.get_mut(user) {
        account.remove(&item);
    }
    Ok(done(json!({})))
}

fn add(
    emulator: &mut Emulator,
    call: &Call,
    put: impl FnOnce(&mut Data, &str, &str, &str) -> ItemId,
) -> Outcome {
    let name = parameter(call, "name")?;
    changes::check_name(name).map_err(|_| {
        bad("a name has at most 255 characters, no / or \\ in it and no space at its ends, and is not . or ..")
    })?;
    let user = parameter(call, "user")?;
    let (account, folder) = place(emulator, call)?;
    if changes::namesake(account, &folder.id, name, None).is_some() {
        return Err(conflict(format!("there is something named {name} in that folder already")));
    }
    let parent = folder.id.clone();
    let id = put(emulator.state.edit(), user, &parent, name);
    let account = emulator.account(user);
    Ok(made(account.item(&id).map_or(Value::Null, |item| told(emulator, call, account, item))))
}

/// The account and the folder that the query names; without a folder the root.
fn place<'a>(emulator: &'a Emulator, call: &Call) -> Result<(&'a Account, &'a Folder), Refusal> {
    let account = emulator.state.accounts.get(parameter(call, "user")?).ok_or_else(no_user)?;
    let folder = account.folder(call.query.value("folder").unwrap_or(ROOT));
    Ok((account, folder.ok_or_else(|| not_found("there is no such folder in that account"))?))
}

fn told(emulator: &Emulator, call: &Call, account: &Account, item: Item<'_>) -> Value {
    json!({
        "type": if item.is_file() { "file" } else { "folder" },
        "id": item.number(),
        "name": item.name(),
        "size": account.size(item),
        "modified_at": item.about().modified_at(),
        "preview_only": item.about().preview_only,
        "shared_link": shared_links::field(emulator, item, call.now_ms).get("url"),
    })
}

fn mini(folder: &Folder) -> Value {
    json!({"id": folder.id, "name": folder.name})
}

fn no_user() -> Refusal {
    not_found("there is no such user")
}
