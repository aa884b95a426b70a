//! A person's files: a tree of folders below their own root.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::blob::Blob;
use crate::scopes::Right;

/// The root folder of every account.
pub(crate) const ROOT: &str = "0";
/// The date of a file that nobody dated.
const SOME_DAY: &str = "2026-03-02T09:00:00+00:00";

/// A file or a folder by its id; written `file_1`, `folder_0`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) enum ItemId {
    File(String),
    Folder(String),
}

/// All that one user owns.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    folders: BTreeMap<String, Folder>,
    files: BTreeMap<String, File>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Folder {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) parent: Option<String>,
    pub(crate) about: About,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) version_id: String,
    pub(crate) name: String,
    pub(crate) parent: String,
    /// Kept apart from the written state; `sha1` finds it again.
    #[serde(skip)]
    pub(crate) bytes: Blob,
    pub(crate) sha1: String,
    pub(crate) about: About,
}

/// What is known of an item beside its name and its bytes; all of it optional.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) pages: Option<u32>,
    pub(crate) created_at: Option<String>,
    pub(crate) modified_at: Option<String>,
    #[serde(default)]
    pub(crate) description: String,
    /// The user may look at this file, but not download it.
    #[serde(default)]
    pub(crate) preview_only: bool,
    /// How often it was changed: its etag.
    #[serde(default)]
    pub(crate) edits: u64,
}

/// What stands in a folder, or a bearer may be limited to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    File(&'a File),
    Folder(&'a Folder),
}

impl Default for Account {
    /// Nothing but the root.
    fn default() -> Self {
        let root = Folder {
            id: ROOT.to_owned(),
            name: "All Files".to_owned(),
            parent: None,
            about: About::default(),
        };
        Self { folders: BTreeMap::from([(ROOT.to_owned(), root)]), files: BTreeMap::new() }
    }
}

impl Account {
    /// Adds a file to `parent`; `seed` decides its ids, and another id is found when they are taken.
    pub(crate) fn add_file(
        &mut self,
        parent: &str,
        name: &str,
        bytes: Blob,
        seed: &str,
        about: About,
    ) -> String {
        let id = free_id("1200", seed, |id| self.files.contains_key(id));
        let sha1 = sha1_of(&bytes);
        let file = File {
            version_id: number_from("1400", &format!("{seed} {sha1}")),
            id: id.clone(),
            name: name.to_owned(),
            parent: parent.to_owned(),
            bytes,
            sha1,
            about,
        };
        self.files.insert(id.clone(), file);
        id
    }

    /// Adds a folder to `parent` as [`Account::add_file`] adds a file.
    pub(crate) fn add_folder(&mut self, parent: &str, name: &str, seed: &str, about: About) -> String {
        let id = free_id("3100", seed, |id| self.folders.contains_key(id));
        let folder = Folder { id: id.clone(), name: name.to_owned(), parent: Some(parent.to_owned()), about };
        self.folders.insert(id.clone(), folder);
        id
    }

    #[cfg(test)]
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Folder> {
        self.folders.values()
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    pub(crate) fn files_mut(&mut self) -> impl Iterator<Item = &mut File> {
        self.files.values_mut()
    }

    pub(crate) fn file(&self, id: &str) -> Option<&File> {
        self.files.get(id)
    }

    pub(crate) fn folder(&self, id: &str) -> Option<&Folder> {
        self.folders.get(id)
    }

    pub(crate) fn item(&self, id: &ItemId) -> Option<Item<'_>> {
        match id {
            ItemId::File(id) => self.file(id).map(Item::File),
            ItemId::Folder(id) => self.folder(id).map(Item::Folder),
        }
    }

    /// Folders first, then files, each in no promised order.
    pub(crate) fn children(&self, folder: &str) -> Vec<Item<'_>> {
        let folders = self.folders.values().filter(|found| found.parent.as_deref() == Some(folder));
        let files = self.files.values().filter(|found| found.parent == folder);
        folders.map(Item::Folder).chain(files.map(Item::File)).collect()
    }

    /// The folders above an item, from the root down.
    pub(crate) fn path_to(&self, item: Item<'_>) -> Vec<&Folder> {
        let mut path = Vec::new();
        let mut above = item.parent().and_then(|id| self.folder(id));
        while let Some(folder) = above {
            path.push(folder);
            above = folder.parent.as_deref().and_then(|id| self.folder(id));
        }
        path.reverse();
        path
    }

    /// Whether `item` is `whole`, or lies below it.
    pub(crate) fn lies_in(&self, item: Item<'_>, whole: &ItemId) -> bool {
        item.id() == *whole
            || self.path_to(item).into_iter().any(|folder| Item::Folder(folder).id() == *whole)
    }

    /// All bytes of all files.
    pub(crate) fn space_used(&self) -> u64 {
        self.files().map(|file| self.size(Item::File(file))).sum()
    }

    /// All bytes below.
    pub(crate) fn size(&self, item: Item<'_>) -> u64 {
        match item {
            Item::File(file) => u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
            Item::Folder(folder) => self.children(&folder.id).into_iter().map(|child| self.size(child)).sum(),
        }
    }
}

impl File {
    /// Lower case, without the dot; empty when the name has none.
    pub(crate) fn extension(&self) -> String {
        self.name.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_ascii_lowercase())
    }

    /// Whether the person may do that with this file, whatever their token allows.
    pub(crate) fn user_may(&self, right: Right) -> bool {
        !self.about.preview_only || matches!(right, Right::Info | Right::Preview)
    }
}

impl About {
    pub(crate) fn created_at(&self) -> &str {
        self.created_at.as_deref().unwrap_or(SOME_DAY)
    }

    pub(crate) fn modified_at(&self) -> &str {
        self.modified_at.as_deref().unwrap_or_else(|| self.created_at())
    }
}

impl<'a> Item<'a> {
    pub(crate) fn id(self) -> ItemId {
        match self {
            Item::File(file) => ItemId::File(file.id.clone()),
            Item::Folder(folder) => ItemId::Folder(folder.id.clone()),
        }
    }

    pub(crate) fn number(self) -> &'a str {
        match self {
            Item::File(file) => &file.id,
            Item::Folder(folder) => &folder.id,
        }
    }

    pub(crate) fn name(self) -> &'a str {
        match self {
            Item::File(file) => &file.name,
            Item::Folder(folder) => &folder.name,
        }
    }

    pub(crate) fn about(self) -> &'a About {
        match self {
            Item::File(file) => &file.about,
            Item::Folder(folder) => &folder.about,
        }
    }

    pub(crate) fn is_file(self) -> bool {
        matches!(self, Item::File(_))
    }

    fn parent(self) -> Option<&'a str> {
        match self {
            Item::File(file) => Some(&file.parent),
            Item::Folder(folder) => folder.parent.as_deref(),
        }
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(id) => write!(out, "file_{id}"),
            Self::Folder(id) => write!(out, "folder_{id}"),
        }
    }
}

impl From<ItemId> for String {
    fn from(id: ItemId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for ItemId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once('_') {
            Some(("file", id)) => Ok(Self::File(id.to_owned())),
            Some(("folder", id)) => Ok(Self::Folder(id.to_owned())),
            _ => Err("not file_ or folder_ and a number"),
        }
    }
}

/// Whether `id` looks like an id of Box at all: digits.
pub(crate) fn is_id(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// In hexadecimal, as Box writes it.
pub(crate) fn sha1_of(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `prefix` and eight digits that `seed` decides; the next ones when two seeds decide the same.
fn free_id(prefix: &str, seed: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut id = number_from(prefix, seed);
    while taken(&id) {
        id = number_from(prefix, &format!("{seed} {id}"));
    }
    id
}

fn number_from(prefix: &str, text: &str) -> String {
    let hash = Sha256::digest(text);
    let number = hash.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{prefix}{:08}", number % 100_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_may_only_be_looked_at_gives_its_user_no_other_right() {
        let mut account = Account::default();
        let id = account.add_file(ROOT, "a.txt", Blob::default(), "a.txt", About::default());
        assert!(account.file(&id).expect("a file").user_may(Right::Download));
        let file = account.files_mut().next().expect("a file");
        file.about = serde_json::from_str("{\"preview_only\": true}").expect("readable");
        assert!(file.user_may(Right::Info) && file.user_may(Right::Preview));
        assert!(!file.user_may(Right::Download) && !file.user_may(Right::Rename));
    }

    #[test]
    fn what_has_the_same_seed_has_another_id() {
        let mut account = Account::default();
        let mut add = || account.add_file(ROOT, "a.txt", Blob::default(), "a.txt", About::default());
        assert_ne!(add(), add());
    }
}
