//! Representations: what a preview is made of, by the kind of file.
//!
//! <https://developer.box.com/guides/representations/>. Nothing is converted here: a representation is the
//! file itself, which is why each kind has those that its own bytes can serve.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::File;
use crate::answer::{self, Response};
use crate::bearer::Bearer;
use crate::emulator::{Emulator, Options};
use crate::refusals::{self, ApiRefusal};
use crate::scopes::Right;
use crate::settings::RepresentationStart;

/// How far the making of a representation has come, when they are made on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Progress {
    Pending,
    Success,
}

/// One representation of one kind of file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Representation {
    /// What hints ask for.
    kind: &'static str,
    /// Its name in addresses.
    name: &'static str,
    dimensions: Option<&'static str>,
    paged: Option<bool>,
    /// What `{+asset_path}` stands for.
    pub(crate) asset: &'static str,
}

const TEXT: Representation =
    Representation { kind: "text", name: "text", dimensions: None, paged: None, asset: "" };
const PDF: Representation =
    Representation { kind: "pdf", name: "pdf", dimensions: None, paged: None, asset: "" };
const PNG: Representation = Representation {
    kind: "png",
    name: "png_paged_2048x2048",
    dimensions: Some("2048x2048"),
    paged: Some(true),
    asset: "1.png",
};
const JPG: Representation = Representation {
    kind: "jpg",
    name: "jpg_paged_2048x2048",
    dimensions: Some("2048x2048"),
    paged: Some(true),
    asset: "1.jpg",
};
const JPG_UNPAGED: Representation = Representation {
    kind: "jpg",
    name: "jpg_1024x1024",
    dimensions: Some("1024x1024"),
    paged: Some(false),
    asset: "",
};

/// What Box's preview shows as text, of the kinds that people keep (its own list is longer).
const TEXT_EXTENSIONS: &[&str] = &[
    "txt",
    "log",
    "md",
    "csv",
    "tsv",
    "json",
    "js",
    "mjs",
    "ts",
    "jsx",
    "tsx",
    "css",
    "scss",
    "py",
    "rb",
    "rs",
    "go",
    "java",
    "c",
    "h",
    "cpp",
    "cs",
    "swift",
    "kt",
    "php",
    "pl",
    "sh",
    "sql",
    "toml",
    "yaml",
    "yml",
    "ini",
    "conf",
    "properties",
    "diff",
    "patch",
    "tex",
];

/// The representations of `file`. None: the preview takes the original (SVG, GIF, HTML, XML).
pub(crate) fn of(file: &File) -> &'static [Representation] {
    match file.extension().as_str() {
        "pdf" => &[PDF],
        "png" | "webp" | "bmp" => &[PNG],
        "jpg" | "jpeg" => &[JPG_UNPAGED, JPG],
        extension if TEXT_EXTENSIONS.contains(&extension) => &[TEXT],
        _ => &[],
    }
}

/// Whether the preview of `file` is the file itself, so that a token for previews must be able to read it.
pub(crate) fn shows_original(file: &File) -> bool {
    matches!(file.extension().as_str(), "svg" | "gif" | "html" | "htm" | "xhtml" | "xml" | "xsl" | "xsd")
}

/// The field `representations` of a file.
pub(crate) fn list(emulator: &Emulator, file: &File, hints: Option<&Hints>) -> Value {
    let all = of(file).iter();
    let entries: Vec<Value> = match hints {
        None => all.map(|found| entry(emulator, file, found)).collect(),
        Some(hints) => {
            hints.choose(all.as_slice()).into_iter().map(|found| entry(emulator, file, found)).collect()
        }
    };
    json!({"entries": entries})
}

/// `GET /2.0/internal_files/{file}/versions/{version}/representations/{name}`: the address in `info.url`.
///
/// Asking starts the making of one that is made on demand.
///
/// # Errors
/// As [`Bearer::file`]; 404 for a representation that this file has not.
pub(crate) fn status(
    emulator: &mut Emulator,
    bearer: &Bearer,
    file: &str,
    version: &str,
    name: &str,
) -> Result<Response, ApiRefusal> {
    let id = file;
    let file = bearer.file(emulator, id, Right::Preview)?;
    let found = find(file, version, name).ok_or(refusals::NOT_FOUND)?;
    let key = progress_key(file, found);
    if emulator.settings.representations == RepresentationStart::OnDemand {
        let next = match emulator.state.representations.get(&key) {
            None => Progress::Pending,
            Some(Progress::Pending | Progress::Success) => Progress::Success,
        };
        emulator.state.edit().representations.insert(key, next);
    }
    let file = bearer.file(emulator, id, Right::Preview)?;
    Ok(answer::ok(&entry(emulator, file, found)))
}

/// The representation `name` of version `version` of `file`.
pub(crate) fn find(file: &File, version: &str, name: &str) -> Option<&'static Representation> {
    if version != file.version_id {
        return None;
    }
    of(file).iter().find(|found| found.name == name)
}

/// `none`, `pending` or `success`.
pub(crate) fn state(emulator: &Emulator, file: &File, found: &Representation) -> &'static str {
    match (emulator.settings.representations, emulator.state.representations.get(&progress_key(file, found)))
    {
        (RepresentationStart::Success, _) | (_, Some(Progress::Success)) => "success",
        (_, Some(Progress::Pending)) => "pending",
        (_, None) => "none",
    }
}

fn progress_key(file: &File, found: &Representation) -> String {
    format!("{} {}", file.version_id, found.name)
}

/// Numbers and booleans of `properties` are strings, as Box writes them.
fn entry(emulator: &Emulator, file: &File, found: &Representation) -> Value {
    let Options { api_origin, content_origin, .. } = &emulator.options;
    let path =
        format!("internal_files/{}/versions/{}/representations/{}", file.id, file.version_id, found.name);
    let properties = match (found.dimensions, found.paged) {
        (Some(dimensions), Some(paged)) => {
            json!({"dimensions": dimensions, "paged": paged.to_string(), "thumb": "false"})
        }
        _ => json!({}),
    };
    let mut entry = json!({
        "representation": found.kind,
        "properties": properties,
        "info": {"url": format!("{api_origin}/2.0/{path}")},
        "status": {"state": state(emulator, file, found)},
        "content": {"url_template": format!("{content_origin}/api/2.0/{path}/content/{{+asset_path}}")},
    });
    let pages = match found.kind {
        "pdf" => Some(pages(file)),
        "text" => None,
        _ => Some(1),
    };
    if let (Some(pages), Some(entry)) = (pages, entry.as_object_mut()) {
        entry.insert("metadata".to_owned(), json!({"pages": pages}));
    }
    entry
}

/// From the manifest, otherwise by counting page objects, which plain files show.
fn pages(file: &File) -> u32 {
    file.about.pages.unwrap_or_else(|| {
        let marks = file
            .bytes
            .windows(11)
            .filter(|window| window.starts_with(b"/Type /Page") || window.starts_with(b"/Type/Page"));
        let leaves = marks.filter(|window| !window.starts_with(b"/Type/Pages")).count();
        u32::try_from(leaves).unwrap_or(1).max(1)
    })
}

/// `X-Rep-Hints: [a][b?x=y,c?x=y]`: of each bracket, the first that the file has.
/// <https://developer.box.com/guides/representations/request-a-representation/>
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hints(Vec<Vec<Hint>>);

#[derive(Debug, PartialEq, Eq)]
struct Hint {
    kind: String,
    conditions: Vec<(String, String)>,
}

impl Hints {
    /// `None` when the brackets do not match or there are none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let inside = text.trim().strip_prefix('[')?.strip_suffix(']')?;
        let brackets = inside.split("][").map(|bracket| {
            let good = !bracket.is_empty() && !bracket.contains(['[', ']']);
            good.then(|| bracket.split(',').map(Hint::read).collect())
        });
        brackets.collect::<Option<Vec<_>>>().map(Self)
    }

    fn choose<'a>(&self, all: &'a [Representation]) -> Vec<&'a Representation> {
        let mut chosen: Vec<&Representation> = Vec::new();
        for bracket in &self.0 {
            let first = bracket.iter().find_map(|hint| all.iter().find(|found| hint.fits(found)));
            if let Some(found) = first.filter(|found| !chosen.contains(found)) {
                chosen.push(found);
            }
        }
        chosen
    }
}

impl Hint {
    fn read(text: &str) -> Self {
        let text = text.trim();
        let (kind, conditions) = text.split_once('?').unwrap_or((text, ""));
        let conditions = form_urlencoded::parse(conditions.as_bytes()).into_owned().collect();
        Self { kind: kind.to_owned(), conditions }
    }

    fn fits(&self, found: &Representation) -> bool {
        let holds = |name: &str, value: &str| match name {
            "dimensions" => found.dimensions == Some(value),
            "paged" => found.paged.is_some_and(|paged| paged.to_string() == value),
            "thumb" => value == "false",
            _ => true,
        };
        self.kind == found.kind && self.conditions.iter().all(|(name, value)| holds(name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Box's preview 3.81 sends.
    const PREVIEW: &str = "[3d][pdf][text][mp3][json][jpg?dimensions=1024x1024&paged=false]\
                           [jpg?dimensions=2048x2048,png?dimensions=2048x2048][dash,mp4][filmstrip]";

    #[test]
    fn brackets_are_all_wanted_and_commas_are_alternatives() {
        let hints = Hints::read(PREVIEW).expect("readable");
        assert_eq!(hints.choose(&[JPG_UNPAGED, JPG]), [&JPG_UNPAGED, &JPG]);
        assert_eq!(hints.choose(&[PNG]), [&PNG]);
        assert_eq!(hints.choose(&[TEXT]), [&TEXT]);
        assert!(hints.choose(&[]).is_empty());
        let either = Hints::read("[png,jpg]").expect("readable");
        assert_eq!(either.choose(&[JPG, PNG]), [&PNG], "the first alternative wins");
        assert!(Hints::read("[mp4]").expect("readable").choose(&[JPG]).is_empty());
        assert!(Hints::read("[jpg?dimensions=32x32]").expect("readable").choose(&[JPG]).is_empty());
    }

    #[test]
    fn hints_without_their_brackets_are_no_hints() {
        for text in ["", "pdf", "[pdf", "pdf]", "[]", "[[pdf]]", "[pdf][", "[pdf][]"] {
            assert_eq!(Hints::read(text), None, "{text}");
        }
    }
}
