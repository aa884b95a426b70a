//! A storage in a file, for all processes of this machine: the part to copy.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use keyhole_core::storage::{Generation, Storage, StorageFault, StoreFault, Stored};

/// One grant in one file. Beside it lie a file whose lock is the turn to write, and for a moment the next contents.
#[derive(Clone, Debug)]
pub(crate) struct FileStorage(PathBuf);

impl FileStorage {
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    fn read(&self) -> Result<Stored, StorageFault> {
        match fs::read(&self.0) {
            Ok(bytes) => Stored::decode(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Stored::empty()),
            Err(error) => Err(StorageFault::failed(error)),
        }
    }

    /// Readers see the old contents or the new, also after a power cut, and never half of either.
    fn replace(&self, contents: &[u8]) -> io::Result<()> {
        let beside = self.0.with_extension("new");
        let mut file = private().truncate(true).open(&beside)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&beside, &self.0)?;
        let directory = self.0.parent().unwrap_or_else(|| Path::new("."));
        File::open(directory)?.sync_all()
    }

    /// The turn to write, until it is dropped or its process dies.
    fn turn(&self) -> io::Result<File> {
        let lock = private().open(self.0.with_extension("lock"))?;
        lock.lock()?;
        Ok(lock)
    }
}

impl Storage for FileStorage {
    async fn get(&self) -> Result<Stored, StorageFault> {
        self.read()
    }

    async fn store(&self, after: Generation, new: &Stored) -> Result<(), StoreFault> {
        let turn = self.turn().map_err(StorageFault::failed)?;
        self.read()?.gives_way(after, new)?;
        self.replace(&new.encode()).map_err(StorageFault::failed)?;
        drop(turn);
        Ok(())
    }
}

/// For its owner's eyes only: what is in there is sealed, and nobody's business all the same.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
