//! What a page asks for: one item, and what it wants to do with it.

/// One file or folder, as Box's own components write it: `file_123`, `folder_456`.
#[derive(Clone, PartialEq, Eq)]
pub struct Item(String);

/// The files of a collection, parted by blanks or commas. `None` when one of them is none.
#[must_use]
pub fn collection(list: &str) -> Option<Vec<Item>> {
    let names = list.split([' ', ',', '\t', '\n']).filter(|name| !name.is_empty());
    names.map(|name| Item::parse(name).filter(Item::is_file)).collect()
}

impl Item {
    /// Reads a typed id. A bare number is a file: the preview library's older ids.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let typed = if is_id(text) { ["file_", text].concat() } else { text.to_owned() };
        let id = typed.strip_prefix("file_").or_else(|| typed.strip_prefix("folder_"))?;
        is_id(id).then_some(Self(typed))
    }

    /// `file_123`.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.0
    }

    /// `123`, as Box's API and `Box.Preview.show` take it.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.split_once('_').map_or("", |(_, id)| id)
    }

    /// Whether it is a file, the only kind that a preview shows.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.0.starts_with("file_")
    }
}

/// Box's ids are decimal numbers of at most 20 digits.
const ID_DIGITS_MAX: usize = 20;

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID_DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The scopes asked for, each once and in order, so that equal wishes compare equal.
/// Empty means: what Keyhole gives when nothing is said.
#[derive(Clone, PartialEq, Eq)]
pub struct Scopes(String);

impl Scopes {
    /// Reads names that white space or commas part.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut names: Vec<&str> = Vec::new();
        for name in text.split([' ', ',', '\n', '\t']).filter(|name| !name.is_empty()) {
            // A few names at most: the library's sort would weigh more than it saves.
            if let Err(at) = names.binary_search(&name) {
                names.insert(at, name);
            }
        }
        Self(names.join(" "))
    }

    /// The names, or `None` where the choice is Keyhole's.
    #[must_use]
    pub fn names(&self) -> Option<Vec<&str>> {
        (!self.0.is_empty()).then(|| self.0.split(' ').collect())
    }
}

/// An item together with the scopes wanted for it: what a token is kept and looked up under.
#[derive(Clone, PartialEq, Eq)]
pub struct Want {
    /// The one item.
    pub item: Item,
    /// What the page wants to do with it.
    pub scopes: Scopes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn typed(text: &str) -> Option<String> {
        Item::parse(text).map(|item| item.typed().to_owned())
    }

    #[test]
    fn typed_ids_and_bare_numbers_are_items() {
        assert_eq!(typed("file_123").as_deref(), Some("file_123"));
        assert_eq!(typed("folder_0").as_deref(), Some("folder_0"));
        assert_eq!(typed("123").as_deref(), Some("file_123"));
        assert_eq!(Item::parse("file_123").unwrap().id(), "123");
    }

    #[test]
    fn anything_else_is_no_item() {
        let too_long = ["file_", &"9".repeat(21)].concat();
        for text in
            ["", "file_", "file_1x", "web_link_1", "file_-1", "file_1/../2", " 1", "FILE_1", &too_long]
        {
            assert!(typed(text).is_none(), "{text}");
        }
    }

    #[test]
    fn only_files_are_previewed() {
        assert!(Item::parse("file_1").unwrap().is_file());
        assert!(!Item::parse("folder_1").unwrap().is_file());
    }

    #[test]
    fn scopes_compare_equal_whatever_their_order() {
        assert!(
            Scopes::parse("item_preview base_preview")
                == Scopes::parse("base_preview, item_preview item_preview")
        );
        assert!(Scopes::parse("item_preview") != Scopes::parse("base_preview"));
        assert_eq!(Scopes::parse("b a").names(), Some(vec!["a", "b"]));
    }

    #[test]
    fn no_scopes_leave_the_choice_to_keyhole() {
        assert!(Scopes::parse(" \n ").names().is_none());
    }

    #[test]
    fn a_collection_is_a_list_of_files_or_nothing() {
        let ids = |list: &str| {
            collection(list).map(|items| items.iter().map(|item| item.id().to_owned()).collect::<Vec<_>>())
        };
        for list in ["1 2", "1,2", " file_1,\n 2 "] {
            assert_eq!(ids(list).as_deref(), Some(&["1".to_owned(), "2".to_owned()][..]), "{list}");
        }
        assert_eq!(ids("").as_deref(), Some(&[][..]));
        for list in ["1 folder_2", "1 x", "../2"] {
            assert!(ids(list).is_none(), "{list}");
        }
    }
}
