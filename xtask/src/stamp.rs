//! Whether a build would bring anything new: inputs and outputs are known by the digest of their contents.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::failure::{Outcome, While};

/// What a build made of what. Written when it succeeds, believed only while both sides still match.
pub(crate) struct Stamp {
    file: PathBuf,
    inputs: String,
}

impl Stamp {
    /// `extra` is input that is no file, such as the version of a tool.
    pub(crate) fn new(file: PathBuf, root: &Path, inputs: &[&str], extra: &str) -> Outcome<Self> {
        let inputs = hex(&Sha256::digest(format!("{} {extra}", digest(root, inputs)?)));
        Ok(Self { file, inputs })
    }

    /// Nothing went in that had not gone in before, and what came out is untouched.
    pub(crate) fn is_current(&self, root: &Path, outputs: &[&str]) -> bool {
        let Ok(outputs) = digest(root, outputs) else { return false };
        fs::read_to_string(&self.file).is_ok_and(|text| text == format!("{} {outputs}", self.inputs))
    }

    /// Remembers what came out.
    pub(crate) fn record(&self, root: &Path, outputs: &[&str]) -> Outcome {
        let text = format!("{} {}", self.inputs, digest(root, outputs)?);
        if let Some(parent) = self.file.parent() {
            fs::create_dir_all(parent).or_say(|| format!("making {}", parent.display()))?;
        }
        fs::write(&self.file, text).or_say(|| format!("writing {}", self.file.display()))
    }
}

/// One digest over names and contents of files and directories below `root`.
///
/// # Errors
/// One of them cannot be read.
pub(crate) fn digest(root: &Path, paths: &[&str]) -> Outcome<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(&root.join(path), &mut files).or_say(|| format!("reading {path}"))?;
    }
    files.sort();
    let mut all = Sha256::new();
    for file in &files {
        let bytes = fs::read(file).or_say(|| format!("reading {}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(file);
        all.update(name.to_string_lossy().as_bytes());
        all.update([0]);
        all.update(Sha256::digest(bytes));
    }
    Ok(hex(&all.finalize()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clone_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[track_caller]
    fn built(root: &Path) -> Stamp {
        let stamp = new_stamp(root);
        stamp.record(root, &["out"]).unwrap();
        assert!(stamp.is_current(root, &["out"]));
        stamp
    }

    fn new_stamp(root: &Path) -> Stamp {
        Stamp::new(root.join("stamp"), root, &["src", "lock"], "tool 1").unwrap()
    }

    const FILES: [(&str, &str); 3] = [("src/a/b.rs", "1"), ("lock", "1"), ("out/it.wasm", "1")];

    #[test]
    fn a_changed_input_means_building_again() {
        let root = clone_with(&FILES);
        built(root.path());
        fs::write(root.path().join("src/a/b.rs"), "2").unwrap();
        assert!(!new_stamp(root.path()).is_current(root.path(), &["out"]));
    }

    #[test]
    fn a_new_or_renamed_input_means_building_again() {
        let root = clone_with(&FILES);
        built(root.path());
        fs::rename(root.path().join("src/a/b.rs"), root.path().join("src/a/c.rs")).unwrap();
        assert!(!new_stamp(root.path()).is_current(root.path(), &["out"]));
    }

    #[test]
    fn another_tool_means_building_again() {
        let root = clone_with(&FILES);
        built(root.path());
        let other = Stamp::new(root.path().join("stamp"), root.path(), &["src", "lock"], "tool 2").unwrap();
        assert!(!other.is_current(root.path(), &["out"]));
    }

    #[test]
    fn a_touched_or_missing_output_means_building_again() {
        let root = clone_with(&FILES);
        let stamp = built(root.path());
        fs::write(root.path().join("out/it.wasm"), "2").unwrap();
        assert!(!stamp.is_current(root.path(), &["out"]));
        fs::remove_dir_all(root.path().join("out")).unwrap();
        assert!(!stamp.is_current(root.path(), &["out"]));
    }
}
