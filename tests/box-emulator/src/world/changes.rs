//! How files and folders come and change: ids, names, etags and dates. Who may do so is asked elsewhere.

use crate::refusals::{self, ApiRefusal};
use crate::world::account::{About, Account, File, Folder, Item, ItemId, Version};
use crate::world::blob::Blob;
use crate::world::dates;
use crate::world::state::Data;

/// Box takes no longer names.
/// <https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors/>
const NAME_LENGTH_MAX: usize = 255;
/// What the numbers of files, folders and versions start with.
const FILE_PREFIX: &str = "1200";
const FOLDER_PREFIX: &str = "3100";
const VERSION_PREFIX: &str = "1400";

/// Whether an item can be called that.
///
/// # Errors
/// 400 `item_name_invalid`, `item_name_too_long`.
pub(crate) fn check_name(name: &str) -> Result<(), ApiRefusal> {
    let unprintable = |letter: char| letter.is_ascii_control() || matches!(letter, '/' | '\\');
    if name.is_empty() || name.trim() != name || matches!(name, "." | "..") || name.contains(unprintable) {
        return Err(refusals::ITEM_NAME_INVALID);
    }
    if name.chars().count() > NAME_LENGTH_MAX {
        return Err(refusals::ITEM_NAME_TOO_LONG);
    }
    Ok(())
}

/// The item of `folder`, other than `except`, that has this name already. Capitals make no difference.
pub(crate) fn namesake<'a>(
    account: &'a Account,
    folder: &str,
    name: &str,
    except: Option<&ItemId>,
) -> Option<Item<'a>> {
    let same = |item: &Item<'_>| item.name().to_lowercase() == name.to_lowercase();
    account.children(folder).into_iter().find(|item| same(item) && Some(&item.id()) != except)
}

impl Data {
    /// A new file in the folder `parent` of `owner`; its id.
    pub(crate) fn create_file(
        &mut self,
        owner: &str,
        parent: &str,
        name: &str,
        bytes: Blob,
        now_ms: u64,
    ) -> String {
        let now = dates::written(now_ms);
        let id = self.free_number(FILE_PREFIX);
        let version_id = self.free_number(VERSION_PREFIX);
        let current = Version::new(version_id, name, bytes, Some(now.clone()));
        let about = About { created_at: Some(now), ..About::default() };
        let file = File { id: id.clone(), parent: parent.to_owned(), current, earlier: Vec::new(), about };
        self.accounts.entry(owner.to_owned()).or_default().put_file(file);
        id
    }

    /// A new folder in the folder `parent` of `owner`; its id.
    pub(crate) fn create_folder(&mut self, owner: &str, parent: &str, name: &str, now_ms: u64) -> String {
        let id = self.free_number(FOLDER_PREFIX);
        let about = About { created_at: Some(dates::written(now_ms)), ..About::default() };
        let folder = Folder { id: id.clone(), name: name.to_owned(), parent: Some(parent.to_owned()), about };
        self.accounts.entry(owner.to_owned()).or_default().put_folder(folder);
        id
    }

    /// New content for the file `id` of `owner`; what it held becomes an earlier version.
    pub(crate) fn add_version(&mut self, owner: &str, id: &str, bytes: Blob, now_ms: u64) {
        let version_id = self.free_number(VERSION_PREFIX);
        let Some(file) = self.accounts.get_mut(owner).and_then(|account| account.file_mut(id)) else {
            return;
        };
        let name = file.current.name.clone();
        let new = Version::new(version_id, &name, bytes, Some(dates::written(now_ms)));
        file.earlier.push(std::mem::replace(&mut file.current, new));
        (file.about.content_created_at, file.about.content_modified_at) = (None, None);
        file.about.touch(now_ms);
    }

    /// A number that nothing has or had, in no account.
    fn free_number(&mut self, prefix: &str) -> String {
        loop {
            let number = format!("{prefix}{:08}", self.entropy.between(0, 99_999_999));
            if !self.accounts.values().any(|account| account.knows(&number)) {
                return number;
            }
        }
    }
}

impl Account {
    /// Gives the item `id` another name.
    pub(crate) fn rename(&mut self, id: &ItemId, name: &str) {
        let known = match id {
            ItemId::File(id) => self.file_mut(id).map(|file| &mut file.current.name),
            ItemId::Folder(id) => self.folder_mut(id).map(|folder| &mut folder.name),
        };
        if let Some(known) = known {
            name.clone_into(known);
        }
    }

    /// Puts the item `id` into another folder.
    pub(crate) fn carry(&mut self, id: &ItemId, parent: &str) {
        match id {
            ItemId::File(id) => {
                if let Some(file) = self.file_mut(id) {
                    parent.clone_into(&mut file.parent);
                }
            }
            ItemId::Folder(id) => {
                if let Some(folder) = self.folder_mut(id) {
                    folder.parent = Some(parent.to_owned());
                }
            }
        }
    }
}

impl About {
    /// The item was changed: another etag, another date.
    pub(crate) fn touch(&mut self, now_ms: u64) {
        self.edits = self.edits.saturating_add(1);
        self.modified_at = Some(dates::written(now_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::account::ROOT;
    use crate::world::state::State;

    #[test]
    fn no_number_is_given_twice_not_even_after_its_item_is_gone() {
        let mut state = State::new(1);
        let data = state.edit();
        let chance = data.entropy.clone();
        let mut create = |owner: &str| {
            data.entropy = chance.clone();
            let id = data.create_file(owner, ROOT, "a.txt", Blob::default(), 0);
            let version = data.accounts[owner].file(&id).expect("a file").current.id.clone();
            (id, version)
        };
        let (first, second) = (create("one"), create("other"));
        assert!(first.0 != second.0 && first.1 != second.1);
        let account = data.accounts.get_mut("one").expect("an account");
        account.remove(&ItemId::File(first.0.clone()));
        data.entropy = chance;
        assert_ne!(data.create_file("one", ROOT, "a.txt", Blob::default(), 0), first.0);
    }

    #[test]
    fn names_are_those_that_box_takes() {
        for name in ["a", "New Folder", "Grüße.txt", "a.b.c", "...", "<b>:|?*-"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", " ", ".", "..", "a/b", "a\\b", "a\n", "\u{7f}", " a", "a "] {
            assert_eq!(
                check_name(name).map_err(|refusal| refusal.code),
                Err("item_name_invalid"),
                "{name:?}"
            );
        }
        assert!(check_name(&"ü".repeat(255)).is_ok());
        let long = check_name(&"ü".repeat(256)).map_err(|refusal| refusal.code);
        assert_eq!(long, Err("item_name_too_long"));
    }
}
