//! What this deployment lets a browser ask for, and who may ask.

use crate::{
    fault::Fault,
    item::{Item, ItemKind, Scopes},
    origin::Origin,
};

/// The rules an operator sets.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `ALLOWED_SCOPES`: a browser gets no token with a scope beyond these. Never empty.
    pub scopes: Scopes,
    /// `ALLOW_FOLDERS`: whether a token may be for a folder, with all that is below it.
    pub folders: bool,
    /// `ALLOWED_ORIGINS`: whose pages, besides our own, may call the API and be returned to.
    pub origins: Vec<Origin>,
}

/// What a preview needs (Box, "Scopes", as tried with Box's preview library).
const PREVIEW_SCOPES: [&str; 2] = ["base_preview", "item_preview"];

impl Policy {
    /// The scopes of a token that nobody asked special ones for: those of a preview, as far as they are allowed.
    #[must_use]
    pub fn default_scopes(&self) -> Scopes {
        Scopes::parse(&PREVIEW_SCOPES.join(" ")).unwrap_or_default().shared_with(&self.scopes)
    }

    /// The scopes a token is asked with: `asked`, or the default ones.
    ///
    /// # Errors
    /// [`Fault::ScopeNotAllowed`] for one beyond `ALLOWED_SCOPES`, or when none is left.
    pub fn scopes(&self, asked: Option<Scopes>) -> Result<Scopes, Fault> {
        let scopes = asked.unwrap_or_else(|| self.default_scopes());
        if scopes.is_empty() || scopes.beyond(&self.scopes).is_some() {
            return Err(Fault::ScopeNotAllowed);
        }
        Ok(scopes)
    }

    /// Whether a token may be for this item.
    ///
    /// # Errors
    /// [`Fault::FoldersNotAllowed`].
    pub fn item(&self, item: &Item) -> Result<(), Fault> {
        match item.kind() {
            ItemKind::File => Ok(()),
            // The root is no one folder: a token for it would open the whole account.
            ItemKind::Folder if self.folders && !item.is_root() => Ok(()),
            ItemKind::Folder => Err(Fault::FoldersNotAllowed),
        }
    }

    /// The listed origin that is equal to `text` byte for byte. `null` is never listed.
    #[must_use]
    pub fn listed(&self, text: &str) -> Option<&Origin> {
        self.origins.iter().find(|origin| origin.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(scopes: &str, folders: bool) -> Policy {
        let origins = vec![Origin::parse("https://app.example.com").unwrap()];
        Policy { scopes: Scopes::parse(scopes).unwrap(), folders, origins }
    }

    fn scopes(text: &str) -> Option<Scopes> {
        Some(Scopes::parse(text).unwrap())
    }

    #[test]
    fn s24_a_scope_beyond_the_allowed_ones_is_refused() {
        let policy = policy("base_preview item_preview", false);
        assert_eq!(policy.scopes(scopes("item_preview")).unwrap().to_string(), "item_preview");
        assert_eq!(policy.scopes(scopes("item_preview item_download")), Err(Fault::ScopeNotAllowed));
        assert_eq!(policy.scopes(scopes("root_readwrite")), Err(Fault::ScopeNotAllowed));
        assert_eq!(policy.scopes(scopes("")), Err(Fault::ScopeNotAllowed));
    }

    #[test]
    fn s22_the_default_is_what_a_preview_needs_and_no_more_than_is_allowed() {
        assert_eq!(
            policy("base_preview item_download item_preview", false).default_scopes().to_string(),
            "base_preview item_preview"
        );
        assert_eq!(policy("item_preview", false).scopes(None).unwrap().to_string(), "item_preview");
        assert_eq!(policy("item_download", false).scopes(None), Err(Fault::ScopeNotAllowed));
    }

    #[test]
    fn s24_a_folder_is_refused_where_only_files_are_allowed() {
        let (file, folder) = (Item::parse("file_1").unwrap(), Item::parse("folder_1").unwrap());
        assert_eq!(policy("item_preview", false).item(&file), Ok(()));
        assert_eq!(policy("item_preview", false).item(&folder), Err(Fault::FoldersNotAllowed));
        assert_eq!(policy("item_preview", true).item(&folder), Ok(()));
        for root in ["folder_0", "folder_00"] {
            let root = Item::parse(root).unwrap();
            assert_eq!(
                policy("item_preview", true).item(&root),
                Err(Fault::FoldersNotAllowed),
                "all is no item"
            );
        }
    }

    #[test]
    fn s28_an_origin_is_listed_byte_for_byte() {
        let policy = policy("item_preview", false);
        assert!(policy.listed("https://app.example.com").is_some());
        for wrong in [
            "null",
            "",
            "https://app.example.com/",
            "https://APP.example.com",
            "https://app.example.com.evil.example",
            "http://app.example.com",
            "https://app.example.com:443",
        ] {
            assert!(policy.listed(wrong).is_none(), "{wrong}");
        }
    }
}
