//! A person's files: a tree of folders below their own root.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::api::shared_links::SharedLink;
use crate::oauth::scopes::Right;
use crate::world::blob::Blob;

/// The root folder of every account.
pub(crate) const ROOT: &str = "0";
/// The date of a file that nobody dated.
const SOME_DAY: &str = "2026-03-02T09:00:00+00:00";

/// A file or a folder by its id; written `file_1`, `folder_0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// What was deleted: gone for good, but told apart from what never was.
    trash: BTreeSet<ItemId>,
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
    pub(crate) parent: String,
    pub(crate) current: Version,
    /// Those before the current one, oldest first.
    pub(crate) earlier: Vec<Version>,
    pub(crate) about: About,
}

/// What a file holds, or held once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    pub(crate) id: String,
    /// The file's name as long as this is the current version, then what it was.
    pub(crate) name: String,
    /// Kept apart from the written state; `sha1` finds it again.
    #[serde(skip)]
    pub(crate) bytes: Blob,
    pub(crate) sha1: String,
    pub(crate) pages: Option<u32>,
    pub(crate) created_at: Option<String>,
}

/// What is known of an item beside its name and its bytes; all of it optional.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) created_at: Option<String>,
    pub(crate) modified_at: Option<String>,
    /// When the content was made and changed, as its uploader says.
    pub(crate) content_created_at: Option<String>,
    pub(crate) content_modified_at: Option<String>,
    #[serde(default)]
    pub(crate) description: String,
    /// The user may look at this file, but not download it.
    #[serde(default)]
    pub(crate) preview_only: bool,
    /// How often it was changed: its etag.
    #[serde(default)]
    pub(crate) edits: u64,
    pub(crate) shared_link: Option<SharedLink>,
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
        Self {
            folders: BTreeMap::from([(ROOT.to_owned(), root)]),
            files: BTreeMap::new(),
            trash: BTreeSet::new(),
        }
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
        let version_id = number_from("1400", &format!("{seed} {}", sha1_of(&bytes)));
        let current = Version::new(version_id, name, bytes, about.created_at.clone());
        self.put_file(File {
            id: id.clone(),
            parent: parent.to_owned(),
            current,
            earlier: Vec::new(),
            about,
        });
        id
    }

    /// Adds a folder to `parent` as [`Account::add_file`] adds a file.
    pub(crate) fn add_folder(&mut self, parent: &str, name: &str, seed: &str, about: About) -> String {
        let id = free_id("3100", seed, |id| self.folders.contains_key(id));
        let parent = Some(parent.to_owned());
        self.put_folder(Folder { id: id.clone(), name: name.to_owned(), parent, about });
        id
    }

    pub(crate) fn put_file(&mut self, file: File) {
        self.files.insert(file.id.clone(), file);
    }

    pub(crate) fn put_folder(&mut self, folder: Folder) {
        self.folders.insert(folder.id.clone(), folder);
    }

    /// Deletes an item and all below it. The root stays.
    pub(crate) fn remove(&mut self, id: &ItemId) {
        if id.is_root() {
            return;
        }
        if let ItemId::Folder(folder) = id {
            let below: Vec<ItemId> = self.children(folder).into_iter().map(Item::id).collect();
            below.iter().for_each(|child| self.remove(child));
        }
        let known = match id {
            ItemId::File(id) => self.files.remove(id).is_some(),
            ItemId::Folder(id) => self.folders.remove(id).is_some(),
        };
        if known {
            self.trash.insert(id.clone());
        }
    }

    /// Whether there was an item `id` that was deleted.
    pub(crate) fn has_deleted(&self, id: &ItemId) -> bool {
        self.trash.contains(id)
    }

    /// Whether a file, a folder or a version has or had that number.
    pub(crate) fn knows(&self, number: &str) -> bool {
        self.folders.contains_key(number)
            || self.files.contains_key(number)
            || self.trash.iter().any(|id| id.number() == number)
            || self.files.values().any(|file| file.version(number).is_some())
    }

    #[cfg(test)]
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Folder> {
        self.folders.values()
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    /// What every file holds and held.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &Version> {
        self.files.values().flat_map(File::versions)
    }

    pub(crate) fn versions_mut(&mut self) -> impl Iterator<Item = &mut Version> {
        self.files.values_mut().flat_map(|file| file.earlier.iter_mut().chain([&mut file.current]))
    }

    pub(crate) fn file(&self, id: &str) -> Option<&File> {
        self.files.get(id)
    }

    pub(crate) fn file_mut(&mut self, id: &str) -> Option<&mut File> {
        self.files.get_mut(id)
    }

    pub(crate) fn folder(&self, id: &str) -> Option<&Folder> {
        self.folders.get(id)
    }

    pub(crate) fn folder_mut(&mut self, id: &str) -> Option<&mut Folder> {
        self.folders.get_mut(id)
    }

    pub(crate) fn about_mut(&mut self, id: &ItemId) -> Option<&mut About> {
        match id {
            ItemId::File(id) => self.file_mut(id).map(|file| &mut file.about),
            ItemId::Folder(id) => self.folder_mut(id).map(|folder| &mut folder.about),
        }
    }

    /// All but the root, folders first.
    pub(crate) fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let folders = self.folders.values().filter(|folder| folder.parent.is_some()).map(Item::Folder);
        folders.chain(self.files.values().map(Item::File))
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
            Item::File(file) => file.current.size(),
            Item::Folder(folder) => self.children(&folder.id).into_iter().map(|child| self.size(child)).sum(),
        }
    }
}

impl File {
    /// The current version and those before it, newest first.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &Version> {
        [&self.current].into_iter().chain(self.earlier.iter().rev())
    }

    /// The version `id`, current or not.
    pub(crate) fn version(&self, id: &str) -> Option<&Version> {
        self.versions().find(|version| version.id == id)
    }

    /// Whether the person may do that with this file, whatever their token allows.
    pub(crate) fn user_may(&self, right: Right) -> bool {
        !self.about.preview_only || matches!(right, Right::Info | Right::Preview)
    }
}

impl Version {
    /// `created_at`: RFC 3339.
    pub(crate) fn new(id: String, name: &str, bytes: Blob, created_at: Option<String>) -> Self {
        Self { id, name: name.to_owned(), sha1: sha1_of(&bytes), bytes, pages: None, created_at }
    }

    /// Lower case, without the dot; empty when the name has none.
    pub(crate) fn extension(&self) -> String {
        self.name.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_ascii_lowercase())
    }

    /// In bytes.
    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    pub(crate) fn created_at(&self) -> &str {
        self.created_at.as_deref().unwrap_or(SOME_DAY)
    }
}

impl About {
    pub(crate) fn created_at(&self) -> &str {
        self.created_at.as_deref().unwrap_or(SOME_DAY)
    }

    pub(crate) fn modified_at(&self) -> &str {
        self.modified_at.as_deref().unwrap_or_else(|| self.created_at())
    }

    pub(crate) fn content_created_at(&self) -> &str {
        self.content_created_at.as_deref().unwrap_or_else(|| self.created_at())
    }

    pub(crate) fn content_modified_at(&self) -> &str {
        self.content_modified_at.as_deref().unwrap_or_else(|| self.modified_at())
    }

    /// Changes with the item.
    pub(crate) fn etag(&self) -> String {
        self.edits.to_string()
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
            Item::File(file) => &file.current.name,
            Item::Folder(folder) => &folder.name,
        }
    }

    pub(crate) fn about(self) -> &'a About {
        match self {
            Item::File(file) => &file.about,
            Item::Folder(folder) => &folder.about,
        }
    }

    /// Whether the person may do that with this item, whatever their token allows.
    pub(crate) fn user_may(self, right: Right) -> bool {
        match self {
            Item::File(file) => file.user_may(right),
            Item::Folder(_) => true,
        }
    }

    pub(crate) fn is_file(self) -> bool {
        matches!(self, Item::File(_))
    }

    pub(crate) fn parent(self) -> Option<&'a str> {
        match self {
            Item::File(file) => Some(&file.parent),
            Item::Folder(folder) => folder.parent.as_deref(),
        }
    }
}

impl ItemId {
    /// Without the kind.
    pub(crate) fn number(&self) -> &str {
        match self {
            Self::File(id) | Self::Folder(id) => id,
        }
    }

    /// Whether it is the root folder, which every account has one of.
    pub(crate) fn is_root(&self) -> bool {
        matches!(self, Self::Folder(id) if id == ROOT)
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
        let file = account.file_mut(&id).expect("a file");
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
