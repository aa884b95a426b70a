//! What a token can be for: one item of Box, and scopes.

use core::fmt;

/// A file or a folder of Box by its typed id, as Box's preview library writes it: `file_123`, `folder_0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    kind: ItemKind,
    id: String,
}

/// The kinds of item a token can be narrowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// A file.
    File,
    /// A folder; a token for it covers all that is below (Box, "Downscope a token").
    Folder,
}

impl ItemKind {
    /// As Box names the type in JSON: `file` or `folder`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
        }
    }

    const fn collection(self) -> &'static str {
        match self {
            Self::File => "files",
            Self::Folder => "folders",
        }
    }
}

/// Box's ids are decimal numbers of 64 bits at most.
const ID_DIGITS_MAX: usize = 20;

impl Item {
    /// Parses a typed id; anything that is not Box's form is `None`.
    #[must_use]
    pub fn parse(typed_id: &str) -> Option<Self> {
        let (kind, id) = typed_id.split_once('_')?;
        let kind = match kind {
            "file" => ItemKind::File,
            "folder" => ItemKind::Folder,
            _ => return None,
        };
        is_id(id).then(|| Self { kind, id: id.to_owned() })
    }

    /// The folder with this plain id; `None` when it is not one of Box's ids.
    #[must_use]
    pub fn folder(id: &str) -> Option<Self> {
        is_id(id).then(|| Self { kind: ItemKind::Folder, id: id.to_owned() })
    }

    /// File or folder.
    #[must_use]
    pub const fn kind(&self) -> ItemKind {
        self.kind
    }

    /// The plain id: digits only.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it is the folder that holds all others.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.kind == ItemKind::Folder && self.id.bytes().all(|digit| digit == b'0')
    }

    /// The path of the item's API resource, `/2.0/files/123`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/2.0/{}/{}", self.kind.collection(), self.id)
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.kind.name(), self.id)
    }
}

fn is_id(text: &str) -> bool {
    (1..=ID_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A set of Box scopes, sorted, each once (RFC 6749 section 3.3; Box, "Scopes").
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scopes(Vec<String>);

const SCOPE_BYTES_MAX: usize = 64;

impl Scopes {
    /// Parses scopes separated by white space; a word that cannot be a scope of Box is returned as the fault.
    ///
    /// # Errors
    /// The first word that is longer than 64 bytes or holds anything but `a-z`, `0-9`, `_` and `.`.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split_ascii_whitespace()
            .map(|word| is_scope(word).then_some(word).ok_or(word))
            .try_fold(Self::default(), |mut scopes, word| {
                let word = word?;
                if let Err(at) = scopes.find(word) {
                    scopes.0.insert(at, word.to_owned());
                }
                Ok(scopes)
            })
            .map_err(str::to_owned)
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each scope, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether `scope` is among them.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.find(scope).is_ok()
    }

    /// Where a scope is, or belongs.
    fn find(&self, scope: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|held| held.as_str().cmp(scope))
    }

    /// The first scope that `allowed` does not hold.
    #[must_use]
    pub fn beyond<'a>(&'a self, allowed: &Self) -> Option<&'a str> {
        self.iter().find(|scope| !allowed.contains(scope))
    }

    /// Those that `other` holds too.
    #[must_use]
    pub fn shared_with(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|scope| other.contains(scope)).cloned().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

fn is_scope(word: &str) -> bool {
    word.len() <= SCOPE_BYTES_MAX
        && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_boxs_typed_ids_parse() {
        assert_eq!(Item::parse("file_123").unwrap().path(), "/2.0/files/123");
        assert_eq!(Item::parse("folder_0").unwrap().path(), "/2.0/folders/0");
        assert_eq!(Item::parse("folder_0").unwrap().to_string(), "folder_0");
        for wrong in [
            "",
            "123",
            "file_",
            "file_12a",
            "file_../1",
            "web_link_1",
            "FILE_1",
            "file_1 ",
            "file_123456789012345678901",
        ] {
            assert_eq!(Item::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn scopes_are_a_set_and_strange_words_are_named() {
        let scopes = Scopes::parse(" item_preview base_preview  item_preview ").unwrap();
        assert_eq!(scopes.to_string(), "base_preview item_preview");
        assert_eq!(Scopes::parse("base_preview ITEM\"").unwrap_err(), "ITEM\"");
        assert!(Scopes::parse("").unwrap().is_empty());
    }

    #[test]
    fn s24_a_scope_beyond_the_allowed_ones_is_found() {
        let allowed = Scopes::parse("base_preview item_preview").unwrap();
        assert_eq!(Scopes::parse("item_preview").unwrap().beyond(&allowed), None);
        assert_eq!(
            Scopes::parse("item_download item_preview").unwrap().beyond(&allowed),
            Some("item_download")
        );
    }
}
