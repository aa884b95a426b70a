//! Representations: what a preview is made of, by the kind of file.
//!
//! <https://developer.box.com/guides/representations/>. Nothing is converted here: a representation is the
//! file itself, which is why each kind has those that its own bytes can serve.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{self, Response};
use crate::api::bearer::Bearer;
use crate::api::film::{self, Film};
use crate::control::settings::RepresentationStart;
use crate::emulator::{Emulator, Options};
use crate::oauth::scopes::Right;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;
use crate::world::account::{File, Version};

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
    pub(crate) assets: &'static [&'static str],
}

const TEXT: Representation =
    Representation { kind: "text", name: "text", dimensions: None, paged: None, assets: &[""] };
const PDF: Representation =
    Representation { kind: "pdf", name: "pdf", dimensions: None, paged: None, assets: &[""] };
/// What a listing of Box's ContentExplorer asks for (`X_REP_HINT_PNG_DIMENSIONS_DEFAULT` of box-ui-elements).
const PNG_SMALL: Representation = Representation {
    kind: "png",
    name: "png_paged_1024x1024",
    dimensions: Some("1024x1024"),
    paged: Some(true),
    assets: &["1.png"],
};
const PNG: Representation = Representation {
    kind: "png",
    name: "png_paged_2048x2048",
    dimensions: Some("2048x2048"),
    paged: Some(true),
    assets: &["1.png"],
};
const JPG: Representation = Representation {
    kind: "jpg",
    name: "jpg_paged_2048x2048",
    dimensions: Some("2048x2048"),
    paged: Some(true),
    assets: &["1.jpg"],
};
const JPG_UNPAGED: Representation = Representation {
    kind: "jpg",
    name: "jpg_1024x1024",
    dimensions: Some("1024x1024"),
    paged: Some(false),
    assets: &[""],
};
const DASH: Representation = Representation {
    kind: "dash",
    name: "dash",
    dimensions: None,
    paged: None,
    assets: &[film::MANIFEST, film::PIECES],
};
const MP4: Representation =
    Representation { kind: "mp4", name: "mp4", dimensions: None, paged: None, assets: &[""] };

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

/// The representations of `version`. None: the preview takes the original (SVG, GIF, HTML, XML).
pub(crate) fn of(version: &Version) -> &'static [Representation] {
    match version.extension().as_str() {
        "pdf" => &[PDF],
        "png" | "webp" | "bmp" => &[PNG_SMALL, PNG],
        "jpg" | "jpeg" => &[JPG_UNPAGED, JPG],
        "mp4" | "m4v" if Film::read(&version.bytes).is_some() => &[DASH, MP4],
        "mp4" | "m4v" => &[MP4],
        extension if TEXT_EXTENSIONS.contains(&extension) => &[TEXT],
        _ => &[],
    }
}

/// Whether `version` holds text.
pub(crate) fn is_text(version: &Version) -> bool {
    of(version).contains(&TEXT)
}

/// Whether the preview of `version` is the file itself, so that a token for previews must be able to read it.
pub(crate) fn shows_original(version: &Version) -> bool {
    matches!(version.extension().as_str(), "svg" | "gif" | "html" | "htm" | "xhtml" | "xml" | "xsl" | "xsd")
}

/// The field `representations` of a file, or of one of its versions.
pub(crate) fn list(emulator: &Emulator, file: &File, version: &Version, hints: Option<&Hints>) -> Value {
    let all = of(version);
    let chosen = match hints {
        None => all.iter().collect(),
        Some(hints) => hints.choose(all),
    };
    let entries: Vec<Value> = chosen.into_iter().map(|found| entry(emulator, file, version, found)).collect();
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
    let (_, found) = bearer.file(emulator, file, Right::Preview)?;
    let (held, representation) = find(found, version, name).ok_or(refusals::NOT_FOUND)?;
    let key = progress_key(held, representation);
    if emulator.settings.representations == RepresentationStart::OnDemand {
        let next = match emulator.state.representations.get(&key) {
            None => Progress::Pending,
            Some(Progress::Pending | Progress::Success) => Progress::Success,
        };
        emulator.state.edit().representations.insert(key, next);
    }
    let (_, found) = bearer.file(emulator, file, Right::Preview)?;
    let held = found.version(version).ok_or(refusals::NOT_FOUND)?;
    Ok(answer::ok(&entry(emulator, found, held, representation)))
}

/// The representation `name` of version `version` of `file`.
pub(crate) fn find<'a>(
    file: &'a File,
    version: &str,
    name: &str,
) -> Option<(&'a Version, &'static Representation)> {
    let version = file.version(version)?;
    of(version).iter().find(|found| found.name == name).map(|found| (version, found))
}

/// `none`, `pending`, `success` or `error`.
pub(crate) fn state(emulator: &Emulator, version: &Version, found: &Representation) -> &'static str {
    let progress = emulator.state.representations.get(&progress_key(version, found));
    match (emulator.settings.representations, progress) {
        (RepresentationStart::Error, _) => "error",
        (RepresentationStart::Success | RepresentationStart::Deleted, _) | (_, Some(Progress::Success)) => {
            "success"
        }
        (RepresentationStart::OnDemand, Some(Progress::Pending)) => "pending",
        (RepresentationStart::OnDemand, None) => "none",
    }
}

/// Whether its bytes can be had.
pub(crate) fn is_there(emulator: &Emulator, version: &Version, found: &Representation) -> bool {
    emulator.settings.representations != RepresentationStart::Deleted
        && state(emulator, version, found) == "success"
}

fn progress_key(version: &Version, found: &Representation) -> String {
    format!("{} {}", version.id, found.name)
}

/// Numbers and booleans of `properties` are strings, as Box writes them.
fn entry(emulator: &Emulator, file: &File, version: &Version, found: &Representation) -> Value {
    let Options { api_origin, content_origin, .. } = &emulator.options;
    let path = format!("internal_files/{}/versions/{}/representations/{}", file.id, version.id, found.name);
    let status = match state(emulator, version, found) {
        "error" => json!({"state": "error", "code": emulator.settings.representation_error_code}),
        state => json!({"state": state}),
    };
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
        "status": status,
        "content": {"url_template": format!("{content_origin}/api/2.0/{path}/content/{{+asset_path}}")},
    });
    let pages = match found.kind {
        "pdf" => Some(pages(version)),
        "text" | "dash" | "mp4" => None,
        _ => Some(1),
    };
    if let (Some(pages), Some(entry)) = (pages, entry.as_object_mut()) {
        entry.insert("metadata".to_owned(), json!({"pages": pages}));
    }
    entry
}

/// From the manifest, otherwise by counting page objects, which plain files show.
fn pages(version: &Version) -> u32 {
    version.pages.unwrap_or_else(|| {
        let marks = version
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
    /// Those of the call's header, if it has one.
    ///
    /// # Errors
    /// 400 when they cannot be read.
    pub(crate) fn of(call: &Call) -> Result<Option<Self>, ApiRefusal> {
        let Some(written) = call.named_header("x-rep-hints") else { return Ok(None) };
        Self::read(written).map(Some).ok_or_else(|| refusals::bad_parameter("X-Rep-Hints"))
    }

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
    use proptest::prelude::*;

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
        assert_eq!(hints.choose(&[DASH, MP4]), [&DASH], "a film comes in pieces if it can");
        assert_eq!(hints.choose(&[MP4]), [&MP4]);
        let either = Hints::read("[png,jpg]").expect("readable");
        assert_eq!(either.choose(&[JPG, PNG]), [&PNG], "the first alternative wins");
        assert!(Hints::read("[mp4]").expect("readable").choose(&[JPG]).is_empty());
        assert!(Hints::read("[jpg?dimensions=32x32]").expect("readable").choose(&[JPG]).is_empty());
    }

    proptest! {
        #[test]
        fn hints_are_read_as_they_were_written(
            written in prop::collection::vec(
                prop::collection::vec(
                    ("[a-z0-9_]{1,8}", prop::collection::vec(("[a-z]{1,6}", "[a-z0-9]{0,9}"), 0..3)), 1..3,
                ),
                1..4,
            ),
        ) {
            let condition = |(name, value): &(String, String)| format!("{name}={value}");
            let hint = |(kind, conditions): &(String, Vec<(String, String)>)| match conditions.as_slice() {
                [] => kind.clone(),
                all => format!("{kind}?{}", all.iter().map(condition).collect::<Vec<_>>().join("&")),
            };
            let bracket = |all: &Vec<_>| format!("[{}]", all.iter().map(hint).collect::<Vec<_>>().join(","));
            let text: String = written.iter().map(bracket).collect();
            let read = Hints::read(&text).expect("readable");
            let meant = |(kind, conditions): (String, Vec<_>)| Hint { kind, conditions };
            let meant = written.into_iter().map(|all| all.into_iter().map(meant).collect()).collect();
            prop_assert_eq!(read, Hints(meant));
        }

        #[test]
        fn no_text_makes_the_hints_panic_and_none_chooses_twice(text in "[\\[\\]a-z?=&,%x0-9]{0,40}") {
            if let Some(hints) = Hints::read(&text) {
                let chosen = hints.choose(&[JPG_UNPAGED, JPG]);
                prop_assert!(chosen.len() <= 2 && (chosen.len() < 2 || chosen[0] != chosen[1]));
            }
        }
    }

    #[test]
    fn hints_without_their_brackets_are_no_hints() {
        for text in ["", "pdf", "[pdf", "pdf]", "[]", "[[pdf]]", "[pdf][", "[pdf][]"] {
            assert_eq!(Hints::read(text), None, "{text}");
        }
    }
}
