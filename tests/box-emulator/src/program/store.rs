//! The state in a file: written whole beside it and moved into its place. What people have uploaded lies in the folder
//! `FILE.uploads`, one file for each content. While `FILE.lock` is locked, the file is some program's.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use box_emulator::{State, StateFault};

/// The file, and which revision of the state it holds.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    saved_revision: Option<u64>,
    /// By SHA-1; what lies in the folder.
    saved_uploads: BTreeSet<String>,
    /// Held as long as this lives. The system lets go of it however the program ends.
    _lock: File,
}

impl Store {
    /// The file at `path`, for this program alone.
    ///
    /// # Errors
    /// A sentence for the person at the terminal, when another program has it or nothing can be written there.
    pub(crate) fn open(path: PathBuf) -> Result<Self, String> {
        let beside = beside(&path, ".lock");
        let cannot = |fault| format!("cannot write {}: {fault}", beside.display());
        let lock = private().open(&beside).map_err(cannot)?;
        lock.try_lock().map_err(|fault| match fault {
            TryLockError::WouldBlock => format!(
                "another box-emulator has its state in {}; stop it, or choose another file with --state",
                path.display()
            ),
            TryLockError::Error(fault) => format!("cannot lock {}: {fault}", beside.display()),
        })?;
        Ok(Self { path, saved_revision: None, saved_uploads: BTreeSet::new(), _lock: lock })
    }

    /// The state of the last run; a new one when there was none.
    ///
    /// # Errors
    /// A sentence for the person at the terminal, when the file is there and of no use.
    pub(crate) fn load(&mut self, seed: u64) -> Result<State, String> {
        let path = self.path.display();
        let json = match fs::read(&self.path) {
            Ok(json) => json,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(State::new(seed)),
            Err(fault) => return Err(format!("cannot read {path}: {fault}")),
        };
        let state = match State::read(&json, |sha1| fs::read(self.upload(sha1)).ok()) {
            Err(StateFault::OtherFormat { found }) => {
                return self.start_anew(found, seed);
            }
            state => state
                .map_err(|fault| format!("{path}: {fault}. Move the file away to start with nothing."))?,
        };
        self.saved_uploads = state.uploads().map(|(sha1, _)| sha1.to_owned()).collect();
        Ok(state)
    }

    /// Another version wrote the file: it is put aside for that version.
    fn start_anew(&self, found: u32, seed: u64) -> Result<State, String> {
        let aside = beside(&self.path, &format!(".format-{found}"));
        let cannot = |fault| format!("cannot rename {} to {}: {fault}", self.path.display(), aside.display());
        fs::rename(&self.path, &aside).map_err(cannot)?;
        eprintln!(
            "box-emulator: {} is of another version of this program (format {found}). It is kept as {}; this starts \
             with nothing.",
            self.path.display(),
            aside.display()
        );
        Ok(State::new(seed))
    }

    /// Writes `state` if it has changed.
    ///
    /// # Errors
    /// A sentence for the person at the terminal.
    pub(crate) fn save(&mut self, state: &State) -> Result<(), String> {
        if self.saved_revision == Some(state.revision()) {
            return Ok(());
        }
        let json = state.write().map_err(|fault| format!("the state has no JSON form: {fault}"))?;
        let cannot = |path: &Path, fault: io::Error| format!("cannot write {}: {fault}", path.display());
        // The bytes first: a state never names any that are not there.
        let mut uploads = BTreeSet::new();
        for (sha1, bytes) in state.uploads() {
            if !self.saved_uploads.contains(sha1) && !uploads.contains(sha1) {
                let path = self.upload(sha1);
                write_upload(&path, bytes).map_err(|fault| cannot(&path, fault))?;
            }
            uploads.insert(sha1.to_owned());
        }
        replace(&self.path, &json).map_err(|fault| cannot(&self.path, fault))?;
        for gone in self.saved_uploads.difference(&uploads) {
            // Left behind, it takes some room and does no harm.
            let _left = fs::remove_file(self.upload(gone));
        }
        (self.saved_revision, self.saved_uploads) = (Some(state.revision()), uploads);
        Ok(())
    }

    fn upload(&self, sha1: &str) -> PathBuf {
        beside(&self.path, ".uploads").join(sha1)
    }
}

fn write_upload(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    replace(path, bytes)
}

/// Readers see the file as it was or as it is, never half of it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, ".new");
    private().open(&new)?.write_all(bytes)?;
    fs::rename(&new, path)
}

/// To write a file anew. It holds tokens: for its owner's eyes only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(ending);
    name.into()
}
