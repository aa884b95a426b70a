//! `GET /2.0/search`.
//!
//! <https://developer.box.com/reference/get-search/>

use serde_json::json;

use crate::answer::{self, Response};
use crate::api::bearer::Bearer;
use crate::api::folders;
use crate::api::paging::{OFFSET_MAX, Page};
use crate::api::representations;
use crate::emulator::Emulator;
use crate::oauth::scopes::Right;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;
use crate::world::account::{Account, Item, ItemId};

const LIMIT_DEFAULT: usize = 30;
const LIMIT_MAX: usize = 200;

/// Filters that this emulator does not know: better refused than left out.
const UNKNOWN: &[&str] = &[
    "created_at_range",
    "updated_at_range",
    "size_range",
    "owner_user_ids",
    "recent_updater_user_ids",
    "mdfilters",
    "include_recent_shared_links",
    "deleted_user_ids",
    "deleted_at_range",
];

/// Items of the user whose name, description or text holds every word, those whose name does first.
///
/// # Errors
/// 403 `insufficient_scope` for a token that has only scopes for UI elements (box-ui-elements#326); 400 without a
/// query, for a filter that cannot be read or is not known here; 404 for a folder that is not there.
pub(crate) fn search(emulator: &Emulator, call: &Call, bearer: &Bearer) -> Result<Response, ApiRefusal> {
    bearer.require(Right::Search)?;
    let page = Page::read(call, LIMIT_DEFAULT, LIMIT_MAX, OFFSET_MAX)?;
    let wanted = Wanted::read(emulator, call, bearer)?;
    let place = bearer.home(emulator);
    let mut found: Vec<(bool, Item<'_>)> = place
        .account
        .items()
        .filter(|item| bearer.reaches(place, *item) && wanted.admits(place.account, *item))
        .filter_map(|item| wanted.matches(item).map(|by_name| (!by_name, item)))
        .collect();
    found.sort_by_key(|(elsewhere, item)| {
        let date = if wanted.by_date { item.about().modified_at() } else { "" };
        (std::cmp::Reverse(date), *elsewhere, item.name().to_lowercase(), item.number())
    });
    if wanted.ascending {
        found.reverse();
    }
    let entries = page.of(&found).map(|(_, item)| folders::entry(emulator, call, bearer, place, *item));
    Ok(answer::ok(&json!({
        "type": "search_results_items",
        "total_count": found.len(),
        "limit": page.limit,
        "offset": page.offset,
        "entries": entries.collect::<Result<Vec<_>, _>>()?,
    })))
}

struct Wanted {
    /// Lower case; what stood in quotes is one.
    words: Vec<String>,
    kind: Option<&'static str>,
    extensions: Option<Vec<String>>,
    folders: Option<Vec<ItemId>>,
    parts: Parts,
    by_date: bool,
    ascending: bool,
}

/// Where to look for the words.
struct Parts {
    name: bool,
    description: bool,
    content: bool,
}

impl Wanted {
    fn read(emulator: &Emulator, call: &Call, bearer: &Bearer) -> Result<Self, ApiRefusal> {
        if let Some(name) = UNKNOWN.iter().find(|name| call.query.has(name)) {
            return Err(refusals::bad_parameter(name));
        }
        let words = words(call.query.value("query").unwrap_or_default());
        if words.is_empty() {
            return Err(refusals::missing_parameter("query"));
        }
        match call.query.value("scope") {
            None | Some("user_content") => {}
            // Box turns it on for whoever asks its support.
            Some("enterprise_content") => return Err(refusals::INSUFFICIENT_SCOPE),
            Some(_) => return Err(refusals::bad_parameter("scope")),
        }
        let kind = match call.query.value("type") {
            None => None,
            Some("file") => Some("file"),
            Some("folder") => Some("folder"),
            Some("web_link") => Some("web_link"),
            Some(_) => return Err(refusals::bad_parameter("type")),
        };
        if !matches!(call.query.value("trash_content"), None | Some("non_trashed_only")) {
            return Err(refusals::bad_parameter("trash_content"));
        }
        let by_date = match call.query.value("sort") {
            None | Some("relevance") => false,
            Some("modified_at") => true,
            Some(_) => return Err(refusals::bad_parameter("sort")),
        };
        let ascending = match call.query.value("direction") {
            None | Some("DESC") => false,
            // What is sorted by relevance has one direction.
            Some("ASC") => by_date,
            Some(_) => return Err(refusals::bad_parameter("direction")),
        };
        Ok(Self {
            words,
            kind,
            extensions: listed(call, "file_extensions"),
            folders: folders_asked(emulator, call, bearer)?,
            parts: Parts::read(call)?,
            by_date,
            ascending,
        })
    }

    /// Whether the filters let `item` through.
    fn admits(&self, account: &Account, item: Item<'_>) -> bool {
        let kind = if item.is_file() { "file" } else { "folder" };
        let extension = |item: Item<'_>| match item {
            Item::File(file) => file.current.extension(),
            Item::Folder(_) => String::new(),
        };
        let below = |folder: &ItemId| item.id() != *folder && account.lies_in(item, folder);
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.extensions.as_ref().is_none_or(|wanted| wanted.contains(&extension(item)))
            && self.folders.as_ref().is_none_or(|folders| folders.iter().any(below))
    }

    /// Whether every word is there; `Some(true)`: all of them in the name.
    fn matches(&self, item: Item<'_>) -> Option<bool> {
        let name = if self.parts.name { item.name().to_lowercase() } else { String::new() };
        if self.words.iter().all(|word| name.contains(word)) {
            return Some(true);
        }
        let description =
            if self.parts.description { item.about().description.to_lowercase() } else { String::new() };
        let text = match item {
            Item::File(file) if self.parts.content && representations::is_text(&file.current) => {
                String::from_utf8_lossy(&file.current.bytes).to_lowercase()
            }
            _ => String::new(),
        };
        let there = |word: &String| name.contains(word) || description.contains(word) || text.contains(word);
        self.words.iter().all(there).then_some(false)
    }
}

impl Parts {
    fn read(call: &Call) -> Result<Self, ApiRefusal> {
        let Some(listed) = listed(call, "content_types") else {
            return Ok(Self { name: true, description: true, content: true });
        };
        let known = ["name", "description", "file_content", "comments", "tags"];
        if listed.iter().any(|name| !known.contains(&name.as_str())) {
            return Err(refusals::bad_parameter("content_types"));
        }
        let has = |name: &str| listed.iter().any(|listed| listed == name);
        Ok(Self { name: has("name"), description: has("description"), content: has("file_content") })
    }
}

fn listed(call: &Call, name: &str) -> Option<Vec<String>> {
    let list = call.query.value(name)?;
    Some(list.split(',').map(|one| one.trim().to_lowercase()).filter(|one| !one.is_empty()).collect())
}

fn folders_asked(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
) -> Result<Option<Vec<ItemId>>, ApiRefusal> {
    let Some(ids) = listed(call, "ancestor_folder_ids") else { return Ok(None) };
    let folder = |id: &String| bearer.folder(emulator, id, Right::Browse).map(|_| ItemId::Folder(id.clone()));
    ids.iter().map(folder).collect::<Result<_, _>>().map(Some)
}

/// `one "two three"`: two of them.
fn words(query: &str) -> Vec<String> {
    let quoted = |(place, part): (usize, &str)| match place % 2 {
        0 => part.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>(),
        _ => vec![part.trim().to_lowercase()],
    };
    query.split('"').enumerate().flat_map(quoted).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::words;

    proptest! {
        #[test]
        fn no_word_is_empty_and_none_is_made_up(query in "[a-zA-Z\" ]{0,40}") {
            for word in words(&query) {
                prop_assert!(!word.is_empty() && query.to_lowercase().contains(&word), "{:?} of {:?}", word, query);
            }
        }
    }

    #[test]
    fn what_stands_in_quotes_is_one_word() {
        for (query, wanted) in [
            ("Sea kale", &["sea", "kale"][..]),
            ("\"Sea kale\"", &["sea kale"]),
            ("a \"b c\" d", &["a", "b c", "d"]),
            ("a \"b c", &["a", "b c"]),
            ("\"\"", &[]),
        ] {
            assert_eq!(words(query), wanted, "{query}");
        }
    }
}
