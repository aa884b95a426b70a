//! What workerd has written: KV and the objects' SQLite files, byte by byte.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::harness::{eventually, pass, stage};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// A file's path and what it holds.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// All files of KV and of the objects, write-ahead logs included. What else lies there is wrangler's own: its
/// record of requests, for its local dashboard, is none of what Cloudflare would store for us.
pub(crate) fn stored(state: &Path) -> Files {
    let mut files = Files::new();
    for part in ["v3/kv", "v3/do"] {
        collect(&state.join(part), &mut files);
    }
    files
}

fn collect(directory: &Path, files: &mut Files) {
    for entry in fs::read_dir(directory).into_iter().flatten().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if let Ok(bytes) = fs::read(&path) {
            // A file that is gone by now was a temporary one. Shared memory is no storage.
            if path.extension().is_none_or(|end| end != "sqlite-shm") {
                files.insert(path, bytes);
            }
        }
    }
}

/// The objects' files, of the Worker [main].
pub(crate) fn object_files() -> BTreeSet<PathBuf> {
    let mut files = Files::new();
    collect(&stage::state_dir().join("v3/do"), &mut files);
    let is_object = |path: &PathBuf| !path.to_string_lossy().contains("metadata.sqlite");
    files.into_keys().filter(is_object).collect()
}

/// The objects that have been woken, each by its file. Its log beside it comes and goes as the runtime sees fit.
pub(crate) fn objects() -> BTreeSet<PathBuf> {
    object_files().into_iter().filter(|file| file.extension().is_some_and(|end| end == "sqlite")).collect()
}

/// The files of KV's values, of the Worker [main]: one for each key that has one.
pub(crate) fn kv_values() -> BTreeSet<PathBuf> {
    let mut files = Files::new();
    collect(&stage::state_dir().join("v3/kv"), &mut files);
    files.into_keys().filter(|path| path.components().any(|part| part.as_os_str() == "blobs")).collect()
}

/// Waits until nothing is being written, and says what there is.
#[track_caller]
pub(crate) fn settled() -> Files {
    let mut last = stored(&stage::state_dir());
    eventually("the disk is at rest", Duration::from_secs(10), || {
        pass(Duration::from_millis(250));
        let before = std::mem::replace(&mut last, stored(&stage::state_dir()));
        (before == last).then(|| last.clone())
    })
}

/// Whether a file, or its write-ahead log, holds these bytes.
pub(crate) fn holds(file: &Path, bytes: &[u8]) -> bool {
    fs::read(file).unwrap_or_default().windows(bytes.len()).any(|found| found == bytes)
}

/// Something to look for, in every form in which it could have been written.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    pub(crate) name: String,
    forms: Vec<Vec<u8>>,
}

impl Needle {
    pub(crate) fn new(name: &str, value: &str) -> Self {
        assert!(value.len() >= 16, "{name} is too short to be found for certain");
        let mut forms = vec![value.as_bytes().to_vec(), utf16(value)];
        forms.extend(base64_forms(value.as_bytes()));
        let url_encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let percent_encoded = url_encoded.replace('+', "%20");
        let json = serde_json::to_string(value).unwrap().trim_matches('"').to_owned();
        forms.extend(base64_forms(json.as_bytes()));
        let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
        for form in [percent_encoded.to_lowercase(), percent_encoded, url_encoded, json, hex] {
            forms.push(form.into_bytes());
        }
        forms.sort();
        forms.dedup();
        Self { name: name.to_owned(), forms }
    }
}

/// The names of the needles that are somewhere in `bytes`, in whatever form. One pass for all: their first bytes
/// are looked up at each place.
pub(crate) fn search(needles: &[Needle], bytes: &[u8]) -> BTreeSet<String> {
    let mut by_start: HashMap<&[u8], Vec<(&Needle, &[u8])>> = HashMap::new();
    for needle in needles {
        for form in &needle.forms {
            by_start.entry(&form[..START]).or_default().push((needle, form));
        }
    }
    let mut found = BTreeSet::new();
    for (at, start) in bytes.windows(START).enumerate() {
        for (needle, form) in by_start.get(start).into_iter().flatten() {
            if bytes[at..].starts_with(form) {
                found.insert(needle.name.clone());
            }
        }
    }
    found
}

/// Every form of a needle is longer.
const START: usize = 12;

/// A text inside of others looks different in base64 by where it begins: at each of three offsets, the characters
/// that depend on nothing but it.
fn base64_forms(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for offset in 0..3 {
        let shifted = [&vec![0; offset][..], value].concat();
        // Whole groups only; the first group holds foreign bits unless the offset is 0.
        let whole = shifted.len() / 3 * 4;
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&shifted);
            let start = if offset == 0 { 0 } else { 4 };
            forms.push(text.as_bytes()[start..whole].to_vec());
        }
    }
    forms
}

fn utf16(value: &str) -> Vec<u8> {
    value.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_needle_is_found_in_every_form() {
    let value = "a/secret+value~of\"some\"length";
    let needle = [Needle::new("it", value)];
    let json = serde_json::to_string(&serde_json::json!({"a": value})).unwrap();
    for hay in [
        format!("before {value} after"),
        STANDARD.encode(value),
        STANDARD.encode(format!("x{value}y")),
        URL_SAFE_NO_PAD.encode(format!("xy{value}zw")),
        STANDARD.encode(&json),
        json,
        form_urlencoded::byte_serialize(value.as_bytes()).collect(),
    ] {
        assert_eq!(search(&needle, hay.as_bytes()).len(), 1, "{hay}");
    }
    let other = "a/secret+value~of some length";
    for hay in [other.to_owned(), STANDARD.encode(other), String::new()] {
        assert!(search(&needle, hay.as_bytes()).is_empty(), "{hay}");
    }
}
