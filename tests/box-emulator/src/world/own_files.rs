//! Files that the program was started with, put into Robin's account.

use std::sync::Arc;

use crate::emulator::Emulator;
use crate::world::account::{About, Account, Item, ItemId, ROOT};
use crate::world::blob::Blob;
use crate::world::dates;
use crate::world::sample::ROBIN_ID;

/// One of them.
#[derive(Clone, Debug)]
pub struct OwnFile {
    /// Below the root of the account, with `/` between names.
    pub path: String,
    /// Its content.
    pub bytes: Arc<[u8]>,
    /// When it was changed, in milliseconds since 1970.
    pub modified_at_ms: u64,
}

impl Emulator {
    /// Puts them there. One that is there with other bytes gets a new version; a folder of its name gives way.
    pub(crate) fn bring_files(&mut self) {
        for OwnFile { path, bytes, modified_at_ms } in self.options.files.clone() {
            let there = find(self.account(ROBIN_ID), &path).map(|item| match item {
                Item::File(file) => (item.id(), *file.current.bytes == *bytes),
                Item::Folder(_) => (item.id(), false),
            });
            let bytes = Blob::Uploaded(bytes);
            match there {
                Some((_, true)) => {}
                Some((ItemId::File(id), false)) => {
                    self.state.edit().add_version(ROBIN_ID, &id, bytes, modified_at_ms);
                }
                _ => {
                    if let Some(account) = self.state.edit().accounts.get_mut(ROBIN_ID) {
                        put(account, &path, bytes, &dates::written(modified_at_ms));
                    }
                }
            }
        }
    }
}

/// Makes the folders on the way. Ids come from paths, so that they are the same on each start.
fn put(account: &mut Account, path: &str, bytes: Blob, modified_at: &str) {
    let mut parent = ROOT.to_owned();
    let mut above = String::new();
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
        above = format!("{above}{folder}/");
        let known = child(account, &parent, folder)
            .filter(|item| !item.is_file())
            .map(|item| item.number().to_owned());
        parent = known.unwrap_or_else(|| account.add_folder(&parent, folder, &above, About::default()));
    }
    if let Some(old) = child(account, &parent, name).map(Item::id) {
        account.remove(&old);
    }
    let about = About { modified_at: Some(modified_at.to_owned()), ..About::default() };
    account.add_file(&parent, name, bytes, path, about);
}

fn find<'a>(account: &'a Account, path: &str) -> Option<Item<'a>> {
    let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = match above {
        "" => ROOT,
        above => find(account, above)?.number(),
    };
    child(account, parent, name)
}

fn child<'a>(account: &'a Account, parent: &str, name: &str) -> Option<Item<'a>> {
    account.children(parent).into_iter().find(|item| item.name() == name)
}
