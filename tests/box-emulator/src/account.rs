//! The sample account: one person, a tree of folders, a few dozen files, all embedded in the program.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::scopes::Right;

static TREE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sample/account");
const MANIFEST: &str = include_str!("../sample/manifest.json");

/// The root folder of every account.
pub(crate) const ROOT: &str = "0";
/// The date of a file that the manifest does not mention.
const SOME_DAY: &str = "2026-03-02T09:00:00+00:00";

/// A file or a folder by its id; written `file_1`, `folder_0`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) enum ItemId {
    File(String),
    Folder(String),
}

/// The one person of this Box.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) login: &'static str,
    pub(crate) password: &'static str,
}

/// The sample user. The password is no secret: it is printed wherever it is needed.
pub(crate) const ROBIN: User =
    User { id: "1100000001", name: "Robin Sample", login: "robin@example.com", password: "keyhole" };

#[derive(Debug)]
pub(crate) struct Account {
    folders: BTreeMap<String, Folder>,
    files: BTreeMap<String, File>,
}

#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) parent: Option<String>,
    pub(crate) about: About,
}

#[derive(Debug)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) version_id: String,
    pub(crate) name: String,
    pub(crate) parent: String,
    pub(crate) bytes: &'static [u8],
    pub(crate) sha1: String,
    pub(crate) about: About,
}

/// What an embedded tree cannot say by itself: dates, descriptions, and folders with nothing in them.
#[derive(Debug, Default, Deserialize)]
struct Manifest {
    /// By path of a file or a folder.
    files: BTreeMap<String, About>,
    #[serde(default)]
    empty_folders: Vec<String>,
}

/// What the manifest says about a path; all of it optional.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct About {
    pub(crate) pages: Option<u32>,
    pub(crate) created_at: Option<String>,
    pub(crate) modified_at: Option<String>,
    #[serde(default)]
    pub(crate) description: String,
    /// The user may look at this file, but not download it.
    #[serde(default)]
    pub(crate) preview_only: bool,
}

/// What stands in a folder, or a bearer may be limited to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    File(&'a File),
    Folder(&'a Folder),
}

impl Account {
    /// The embedded tree, read once.
    pub(crate) fn sample() -> &'static Self {
        static SAMPLE: LazyLock<Account> = LazyLock::new(Account::read);
        &SAMPLE
    }

    /// Ids come from paths, so that they stay the same on each start and when files are added.
    fn read() -> Self {
        let manifest: Manifest = serde_json::from_str(MANIFEST).unwrap_or_default();
        let mut account = Self { folders: BTreeMap::new(), files: BTreeMap::new() };
        let root = Folder {
            id: ROOT.to_owned(),
            name: "All Files".to_owned(),
            parent: None,
            about: About::default(),
        };
        account.folders.insert(ROOT.to_owned(), root);
        account.add(&TREE, ROOT, "", &manifest);
        account
    }

    fn add(&mut self, dir: &'static Dir<'static>, parent: &str, above: &str, manifest: &Manifest) {
        for child in dir.dirs() {
            let path = child.path().to_string_lossy().into_owned();
            let id = self.add_folder(&path, parent, manifest.files.get(&path));
            self.add(child, &id, &path, manifest);
        }
        for path in &manifest.empty_folders {
            if path.rsplit_once('/').map_or("", |(above, _)| above) == above {
                self.add_folder(path, parent, None);
            }
        }
        for child in dir.files() {
            let path = child.path().to_string_lossy().into_owned();
            if last_name(&path).starts_with('.') {
                continue;
            }
            let id = free_id("1200", &path, |id| self.files.contains_key(id));
            let sha1 = hex(&Sha1::digest(child.contents()));
            let file = File {
                version_id: number_from("1400", &format!("{path} {sha1}")),
                id: id.clone(),
                name: last_name(&path),
                parent: parent.to_owned(),
                bytes: child.contents(),
                sha1,
                about: manifest.files.get(&path).cloned().unwrap_or_default(),
            };
            self.files.insert(id, file);
        }
    }

    /// Returns the new folder's id.
    fn add_folder(&mut self, path: &str, parent: &str, about: Option<&About>) -> String {
        let id = free_id("3100", path, |id| self.folders.contains_key(id));
        let folder = Folder {
            id: id.clone(),
            name: last_name(path),
            parent: Some(parent.to_owned()),
            about: about.cloned().unwrap_or_default(),
        };
        self.folders.insert(id.clone(), folder);
        id
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

fn last_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// `prefix` and eight digits that `path` decides; the next ones when two paths decide the same.
fn free_id(prefix: &str, path: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut id = number_from(prefix, path);
    while taken(&id) {
        id = number_from(prefix, &format!("{path} {id}"));
    }
    id
}

fn number_from(prefix: &str, text: &str) -> String {
    let hash = Sha256::digest(text);
    let number = hash.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{prefix}{:08}", number % 100_000_000)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_speaks_only_of_paths_that_exist() {
        let manifest: Manifest = serde_json::from_str(MANIFEST).expect("readable");
        for path in manifest.files.keys() {
            assert!(TREE.get_entry(path).is_some(), "{path} is not in the account");
        }
        let account = Account::sample();
        for path in &manifest.empty_folders {
            let found = account.folders.values().find(|folder| folder.name == last_name(path)).expect(path);
            assert!(account.children(&found.id).is_empty(), "{path} is not empty");
        }
    }

    #[test]
    fn ids_are_numbers_and_the_same_on_each_start() {
        let (one, other) = (Account::read(), Account::read());
        assert_eq!(one.files.keys().collect::<Vec<_>>(), other.files.keys().collect::<Vec<_>>());
        assert!(!one.files.is_empty());
        assert!(one.files.keys().chain(one.folders.keys()).all(|id| is_id(id)));
    }

    #[test]
    fn a_file_that_may_only_be_looked_at_gives_its_user_no_other_right() {
        let account = Account::read();
        let mut file = account.files.into_values().next().expect("a file");
        assert!(file.user_may(Right::Download));
        file.about = serde_json::from_str("{\"preview_only\": true}").expect("readable");
        assert!(file.user_may(Right::Info) && file.user_may(Right::Preview));
        assert!(!file.user_may(Right::Download) && !file.user_may(Right::Rename));
    }
}
