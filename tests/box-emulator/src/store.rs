//! The state in a file: written whole beside it and moved into its place.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use box_emulator::State;

/// The file, and which revision of the state it holds.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    saved_revision: Option<u64>,
}

impl Store {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, saved_revision: None }
    }

    /// The state of the last run; a new one when there was none.
    ///
    /// # Errors
    /// A sentence for the person at the terminal, when the file is there and of no use.
    pub(crate) fn load(&self, seed: u64) -> Result<State, String> {
        let path = self.path.display();
        match fs::read(&self.path) {
            Ok(json) => State::read(&json)
                .map_err(|fault| format!("{path}: {fault}. Move the file away to start with nothing.")),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(State::new(seed)),
            Err(fault) => Err(format!("cannot read {path}: {fault}")),
        }
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
        self.replace(&json).map_err(|fault| format!("cannot write {}: {fault}", self.path.display()))?;
        self.saved_revision = Some(state.revision());
        Ok(())
    }

    /// Readers see the file as it was or as it is, never half of it. It holds tokens: for its owner's eyes only.
    fn replace(&self, json: &[u8]) -> io::Result<()> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&beside)?.write_all(json)?;
        fs::rename(&beside, &self.path)
    }
}
