//! pdf.js for the preview stand-in, from the npm package `pdfjs-dist` on this machine.

use std::fs;
use std::path::PathBuf;

use box_emulator::static_file;
use http::Response;

const ADDRESS: &str = "/platform/preview/third-party/pdfjs/";
/// The folders of the package that a viewer reads.
const FOLDERS: [&str; 4] = ["build", "web", "cmaps", "standard_fonts"];

/// An unpacked `pdfjs-dist`.
#[derive(Debug)]
pub(crate) struct Pdfjs {
    folder: PathBuf,
}

impl Pdfjs {
    /// # Errors
    /// A sentence for the person at the terminal, when `folder` is something else.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, String> {
        if !folder.join("build/pdf.mjs").is_file() {
            return Err(format!("--pdfjs {}: there is no build/pdf.mjs in it", folder.display()));
        }
        Ok(Self { folder })
    }

    /// The file at `path`; `None` when it is none of pdf.js's, which leaves the 404 to the emulator.
    pub(crate) fn answer(&self, path: &str) -> Option<Response<Vec<u8>>> {
        let file = path.strip_prefix(ADDRESS)?;
        let segments: Vec<&str> = file.split('/').collect();
        let plain = segments.iter().all(|segment| {
            !segment.is_empty()
                && !segment.starts_with('.')
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte))
        });
        let known = segments.first().is_some_and(|first| FOLDERS.contains(first));
        if !plain || !known {
            return None;
        }
        let bytes = fs::read(self.folder.join(segments.iter().collect::<PathBuf>())).ok()?;
        Some(static_file(file, bytes))
    }
}
