//! A folder of one's own files, read at the start.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use box_emulator::OwnFile;

/// All of it is held in memory.
const BYTES_MAX: u64 = 100 * 1000 * 1000;

/// The files below `dir`. What begins with a dot is left out, and what is a
/// link to a folder.
///
/// # Errors
/// A sentence for the person at the terminal, that names what is unreadable or too large.
pub(crate) fn read(dir: &Path) -> Result<Vec<OwnFile>, String> {
    let mut found = Found { files: Vec::new(), room: BYTES_MAX };
    found.read_folder(dir, "").map_err(|fault| format!("--files {}: {fault}", dir.display()))?;
    Ok(found.files)
}

struct Found {
    files: Vec<OwnFile>,
    room: u64,
}

impl Found {
    fn read_folder(&mut self, dir: &Path, above: &str) -> Result<(), String> {
        let cannot = |path: &Path, fault: std::io::Error| format!("cannot read {}: {fault}", path.display());
        let entries = fs::read_dir(dir).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut entries = entries.map_err(|fault| cannot(dir, fault))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| format!("the name {} is not UTF-8", path.display()))?;
            if name.starts_with('.') {
                continue;
            }
            let inner = format!("{above}{name}");
            if entry.file_type().map_err(|fault| cannot(&path, fault))?.is_dir() {
                self.read_folder(&path, &format!("{inner}/"))?;
            } else if path.is_file() {
                self.read_file(&path, inner).map_err(|fault| cannot(&path, fault))?;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Path, inner: String) -> std::io::Result<()> {
        let too_large =
            || std::io::Error::other(format!("with it these are more than {} MB", BYTES_MAX / 1_000_000));
        let about = fs::metadata(path)?;
        self.room = self.room.checked_sub(about.len()).ok_or_else(too_large)?;
        let since = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.files.push(OwnFile {
            path: inner,
            bytes: fs::read(path)?.into(),
            modified_at_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        });
        Ok(())
    }
}
