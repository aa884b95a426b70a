//! Files that the program was started with, put into Robin's account.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::emulator::Emulator;
use crate::world::account::{self, About, Account, Item, ROOT};
use crate::world::blob::Blob;
use crate::world::changes;
use crate::world::dates;
use crate::world::sample::{ROBIN_ID, Sample};
use crate::world::state::{Data, State};

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

/// Files that have a place in Robin's account.
#[derive(Clone, Debug, Default)]
pub struct OwnFiles(Vec<Hashed>);

#[derive(Clone, Debug)]
struct Hashed {
    file: OwnFile,
    sha1: String,
}

/// What was brought last from a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Brought {
    /// The file in the account, whatever it is called by now.
    id: String,
    sha1: String,
}

/// Why a file has no place in the account.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Misfit {
    /// Box would refuse the name.
    #[error("{path}: Box has no items named \"{name}\"")]
    Name {
        /// Of the file.
        path: String,
        /// The part of it.
        name: String,
    },
    /// Capitals make no difference in a folder at Box.
    #[error("{path}: \"{name}\" differs only in capitals from \"{there}\", which is there already")]
    Capitals {
        /// Of the file.
        path: String,
        /// The part of it.
        name: String,
        /// The item that is there.
        there: String,
    },
    /// A folder is where the file would be, or a file where a folder would be.
    #[error("{path}: \"{name}\" is a {there} in the account")]
    Kind {
        /// Of the file.
        path: String,
        /// The part of it.
        name: String,
        /// What is there: `file` or `folder`.
        there: &'static str,
    },
}

impl OwnFiles {
    /// `files`, to be brought into the account that `state` holds.
    ///
    /// # Errors
    /// The first that has no place there, among the sample's files, which come back with a reset, or beside another.
    pub fn new(files: Vec<OwnFile>, state: &State) -> Result<Self, Misfit> {
        let mut first = Sample::get().accounts.get(ROBIN_ID).cloned().unwrap_or_default();
        for OwnFile { path, .. } in &files {
            if find(&first, path)?.is_none() {
                put(&mut first, path, Blob::default(), "");
            }
        }
        let hashed = |file: OwnFile| Hashed { sha1: account::sha1_of(&file.bytes), file };
        let files: Vec<Hashed> = files.into_iter().map(hashed).collect();
        for file in files.iter().filter(|file| state.lacks(file)) {
            state.place(&file.file.path)?;
        }
        Ok(Self(files))
    }
}

impl Emulator {
    /// Brings each whose bytes are others than those it was brought with: what became of it since then stays.
    pub(crate) fn bring_files(&mut self) {
        let OwnFiles(files) = self.options.files.clone();
        for file in files {
            if self.state.accounts.contains_key(ROBIN_ID) && self.state.lacks(&file) {
                self.state.edit().bring(file);
            }
        }
    }
}

impl Data {
    /// Whether what is on disk was never brought.
    fn lacks(&self, file: &Hashed) -> bool {
        self.own_files.get(&file.file.path).is_none_or(|brought| brought.sha1 != file.sha1)
    }

    /// The file that `path` was last time, or that stands at its place now; `None` when the place is free.
    fn place(&self, path: &str) -> Result<Option<String>, Misfit> {
        let Some(account) = self.accounts.get(ROBIN_ID) else { return Ok(None) };
        match self.own_files.get(path).filter(|brought| account.file(&brought.id).is_some()) {
            Some(brought) => Ok(Some(brought.id.clone())),
            None => find(account, path),
        }
    }

    /// Makes it a new version of the file at its place, or a new file.
    fn bring(&mut self, Hashed { file: OwnFile { path, bytes, modified_at_ms }, sha1 }: Hashed) {
        // What has no place was refused before: `OwnFiles::new`.
        let Ok(there) = self.place(&path) else { return };
        let Some(account) = self.accounts.get_mut(ROBIN_ID) else { return };
        let bytes = Blob::Uploaded(bytes);
        let id = match there {
            Some(id) => {
                if account.file(&id).is_some_and(|file| file.current.sha1 != sha1) {
                    self.add_version(ROBIN_ID, &id, bytes, modified_at_ms);
                }
                id
            }
            None => put(account, &path, bytes, &dates::written(modified_at_ms)),
        };
        self.own_files.insert(path, Brought { id, sha1 });
    }
}

/// Makes the folders on the way; the file's id. Ids come from paths, so that they are the same on each start.
fn put(account: &mut Account, path: &str, bytes: Blob, modified_at: &str) -> String {
    let mut parent = ROOT.to_owned();
    let mut above = String::new();
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
        above = format!("{above}{folder}/");
        let known = changes::namesake(account, &parent, folder, None).map(|item| item.number().to_owned());
        parent = known.unwrap_or_else(|| account.add_folder(&parent, folder, &above, About::default()));
    }
    let about = About { modified_at: Some(modified_at.to_owned()), ..About::default() };
    account.add_file(&parent, name, bytes, path, about)
}

/// The id of the file at `path`; `None` when nothing is there and nothing in its way.
fn find(account: &Account, path: &str) -> Result<Option<String>, Misfit> {
    let mut parent = Some(ROOT);
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        let at = || (path.to_owned(), name.to_owned());
        if changes::check_name(name).is_err() {
            let (path, name) = at();
            return Err(Misfit::Name { path, name });
        }
        let is_last = names.peek().is_none();
        parent = match parent.and_then(|parent| changes::namesake(account, parent, name, None)) {
            None => None,
            Some(item) if item.name() != name => {
                let (path, name) = at();
                return Err(Misfit::Capitals { path, name, there: item.name().to_owned() });
            }
            Some(Item::File(file)) if is_last => return Ok(Some(file.id.clone())),
            Some(Item::Folder(folder)) if !is_last => Some(&folder.id),
            Some(item) => {
                let (path, name) = at();
                return Err(Misfit::Kind {
                    path,
                    name,
                    there: if item.is_file() { "file" } else { "folder" },
                });
            }
        };
    }
    Ok(None)
}
