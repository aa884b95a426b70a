//! Anybody's files, from behind: no token is asked for.

use serde_json::{Value, json};

use super::{Outcome, Refusal, bad, conflict, done, made, not_found, parameter};
use crate::account::{About, Account, Folder, Item, ItemId, ROOT};
use crate::blob::Blob;
use crate::emulator::Emulator;
use crate::moment;
use crate::request::Call;

/// Enough for two files of one name in one millisecond.
const SEED_LENGTH: usize = 16;
/// <https://support.box.com/hc/en-us/articles/360043697314>
const NAME_LENGTH_MAX: usize = 255;

/// What stands in a folder, folders first, by name.
pub(super) fn list(emulator: &Emulator, call: &Call) -> Outcome {
    let (account, folder) = place(emulator, call)?;
    let path: Vec<Value> = account.path_to(Item::Folder(folder)).into_iter().map(mini).collect();
    let mut children = account.children(&folder.id);
    children.sort_by_key(|item| (item.is_file(), item.name().to_lowercase()));
    let entries: Vec<Value> = children.into_iter().map(|item| told(account, item)).collect();
    let mut folder = mini(folder);
    if let Some(folder) = folder.as_object_mut() {
        folder.insert("path".to_owned(), json!(path));
    }
    Ok(done(json!({"folder": folder, "entries": entries})))
}

/// The body is the file.
pub(super) fn upload(emulator: &mut Emulator, call: &Call) -> Outcome {
    add(emulator, call, |account, parent, name, seed, about| {
        let id = account.add_file(parent, name, Blob::from(call.body.clone()), seed, about);
        ItemId::File(id)
    })
}

pub(super) fn make_folder(emulator: &mut Emulator, call: &Call) -> Outcome {
    add(emulator, call, |account, parent, name, seed, about| {
        ItemId::Folder(account.add_folder(parent, name, seed, about))
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
    put: impl FnOnce(&mut Account, &str, &str, &str, About) -> ItemId,
) -> Outcome {
    let name = parameter(call, "name")?;
    check_name(name)?;
    let user = parameter(call, "user")?;
    let (account, folder) = place(emulator, call)?;
    if account.children(&folder.id).into_iter().any(|item| item.name().eq_ignore_ascii_case(name)) {
        return Err(conflict(format!("there is something named {name} in that folder already")));
    }
    let parent = folder.id.clone();
    let now = moment::written(call.now_ms);
    let about = About { created_at: Some(now.clone()), modified_at: Some(now), ..About::default() };
    let data = emulator.state.edit();
    let seed = data.entropy.text(SEED_LENGTH);
    let account = data.accounts.get_mut(user).ok_or_else(no_user)?;
    let id = put(account, &parent, name, &seed, about);
    Ok(made(account.item(&id).map_or(Value::Null, |item| told(account, item))))
}

/// The account and the folder that the query names; without a folder the root.
fn place<'a>(emulator: &'a Emulator, call: &Call) -> Result<(&'a Account, &'a Folder), Refusal> {
    let account = emulator.state.accounts.get(parameter(call, "user")?).ok_or_else(no_user)?;
    let folder = account.folder(call.query.value("folder").unwrap_or(ROOT));
    Ok((account, folder.ok_or_else(|| not_found("there is no such folder in that account"))?))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let bad_letter = |letter: char| matches!(letter, '/' | '\\') || letter.is_control();
    if name.chars().count() > NAME_LENGTH_MAX {
        return Err(bad(format!("a name has at most {NAME_LENGTH_MAX} characters")));
    }
    if name.chars().any(bad_letter) || name.trim() != name || matches!(name, "." | "..") {
        return Err(bad("a name has no / or \\ in it and no space at its ends, and is not . or .."));
    }
    Ok(())
}

fn told(account: &Account, item: Item<'_>) -> Value {
    json!({
        "type": if item.is_file() { "file" } else { "folder" },
        "id": item.number(),
        "name": item.name(),
        "size": account.size(item),
        "modified_at": item.about().modified_at(),
        "preview_only": item.about().preview_only,
        "shared_link": null,
    })
}

fn mini(folder: &Folder) -> Value {
    json!({"id": folder.id, "name": folder.name})
}

fn no_user() -> Refusal {
    not_found("there is no such user")
}
