//! Scopes: what each one allows, which one a token may be narrowed to, and how a person is told.
//!
//! <https://developer.box.com/guides/api-calls/permissions-and-errors/scopes/>

use std::collections::BTreeSet;

/// One thing that a token may do with an item it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// Ask who the user is.
    Account,
    /// Find items wherever they are. No scope for a UI element gives it.
    Search,
    /// List a folder.
    Browse,
    /// Read a file's name, size and the like.
    Info,
    /// Read what a preview is made of.
    Preview,
    /// Read the file itself.
    Download,
    Upload,
    Rename,
    Delete,
    Share,
    Comment,
    Annotate,
    SeeAllAnnotations,
    SeeOwnAnnotations,
    /// See and add people of the enterprise.
    ManageUsers,
    /// See and add the app's own users.
    ManageAppUsers,
}

use Right::{
    Account, Annotate, Browse, Comment, Delete, Download, Info, Preview, Rename, Search, SeeAllAnnotations,
    SeeOwnAnnotations, Share, Upload,
};

/// Everything that can be done with an account.
pub(crate) const READ_AND_WRITE_ALL: &str = "root_readwrite";

/// What the two scopes for a whole account allow.
const READ: &[Right] =
    &[Account, Search, Browse, Info, Preview, Download, SeeAllAnnotations, SeeOwnAnnotations];
const READ_AND_WRITE: &[Right] = &[
    Account,
    Search,
    Browse,
    Info,
    Preview,
    Download,
    Upload,
    Rename,
    Delete,
    Share,
    Comment,
    Annotate,
    SeeAllAnnotations,
    SeeOwnAnnotations,
];

/// Name, rights, and the words of the authorize page.
struct Scope(&'static str, &'static [Right], &'static str);

/// Scopes for content. The account scopes hold every other of them whose rights they include.
const CONTENT_SCOPES: &[Scope] = &[
    Scope(READ_AND_WRITE_ALL, READ_AND_WRITE, "Read and write all files and folders stored in Box"),
    Scope("root_readonly", READ, "Read all files and folders stored in Box"),
    Scope("base_explorer", &[Browse, Info], "Browse your folders"),
    Scope("base_picker", &[Browse, Info], "Browse your folders to pick files"),
    Scope("base_preview", &[Info, Preview], "Show previews of your files"),
    Scope("base_sidebar", &[Info], "Read basic information about your files"),
    Scope("base_upload", &[Upload], "Upload files to your folders"),
    Scope("item_preview", &[Info, Preview], "Show previews of your files"),
    Scope("item_download", &[Info, Download], "Download your files"),
    Scope("item_upload", &[Upload], "Upload files and edit their metadata"),
    Scope("item_rename", &[Rename], "Rename your files and folders"),
    Scope("item_delete", &[Delete], "Delete your files and folders"),
    Scope("item_share", &[Share], "Share your files and folders"),
    Scope("item_read", &[Info, Preview, Download], "Read your files"),
    Scope("item_readwrite", &[Info, Preview, Download, Upload], "Read and change your files"),
    Scope("item_comment", &[Comment], "Comment on your files"),
    Scope("item_task", &[Comment], "Assign tasks on your files"),
    Scope("item_execute_integration", &[Upload], "Open your files with other applications"),
    Scope("item_content_upload", &[Upload], "Upload files"),
    Scope("annotation_edit", &[Annotate, SeeOwnAnnotations], "Write annotations on your files"),
    Scope(
        "annotation_view_all",
        &[SeeAllAnnotations, SeeOwnAnnotations],
        "Read all annotations on your files",
    ),
    Scope("annotation_view_self", &[SeeOwnAnnotations], "Read your own annotations"),
];

/// Scopes that are about other things than files. Held only when named.
const OTHER_SCOPES: &[Scope] = &[
    Scope("ai.readwrite", &[], "Use Box AI"),
    Scope("sign_requests.readwrite", &[], "Manage signature requests"),
    Scope("manage_managed_users", &[Right::ManageUsers], "Manage managed users"),
    Scope("manage_app_users", &[Right::ManageAppUsers], "Manage app users"),
    Scope("manage_groups", &[], "Manage groups"),
    Scope("manage_webhook", &[], "Manage webhooks"),
    Scope("manage_enterprise_properties", &[], "Manage enterprise properties"),
    Scope("manage_data_retention", &[], "Manage retention policies"),
    // Box's documentation and its OpenAPI file spell this one differently; both are taken.
    Scope("manage_legal_holds", &[], "Manage legal holds"),
    Scope("manage_legal_hold", &[], "Manage legal holds"),
    Scope("manage_triggers", &[], "Manage triggers"),
    Scope("enterprise_content", &[], "Manage the enterprise's content"),
];

/// The scopes of a space separated list, or `None` when one of them does not exist.
pub(crate) fn parse(list: &str) -> Option<BTreeSet<String>> {
    list.split(' ')
        .filter(|name| !name.is_empty())
        .map(|name| find(name).map(|Scope(name, ..)| (*name).to_owned()))
        .collect()
}

/// Every scope there is, with its words.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    CONTENT_SCOPES.iter().chain(OTHER_SCOPES).map(|Scope(name, _, words)| (*name, *words))
}

/// Whether a token with the scopes `held` may be narrowed to all of `wanted`.
pub(crate) fn hold(held: &BTreeSet<String>, wanted: &BTreeSet<String>) -> bool {
    wanted.iter().all(|scope| held.contains(scope) || account_scope_holds(held, scope))
}

/// Whether one of `scopes` gives `right`.
pub(crate) fn allow(scopes: &BTreeSet<String>, right: Right) -> bool {
    scopes.iter().filter_map(|name| find(name)).any(|Scope(_, rights, _)| rights.contains(&right))
}

/// The words for each of `scopes`, none twice.
pub(crate) fn in_words(scopes: &BTreeSet<String>) -> BTreeSet<&'static str> {
    scopes.iter().filter_map(|name| find(name)).map(|Scope(_, _, words)| *words).collect()
}

fn find(name: &str) -> Option<&'static Scope> {
    CONTENT_SCOPES.iter().chain(OTHER_SCOPES).find(|Scope(found, ..)| *found == name)
}

fn account_scope_holds(held: &BTreeSet<String>, wanted: &str) -> bool {
    let Some(Scope(_, wanted, _)) = CONTENT_SCOPES.iter().find(|Scope(name, ..)| *name == wanted) else {
        return false;
    };
    let includes = |rights: &[Right]| wanted.iter().all(|right| rights.contains(right));
    (held.contains(READ_AND_WRITE_ALL) && includes(READ_AND_WRITE))
        || (held.contains("root_readonly") && includes(READ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn set(list: &str) -> BTreeSet<String> {
        parse(list).expect("known scopes")
    }

    #[test]
    fn a_token_is_narrowed_and_never_widened() {
        for (held, wanted, holds) in [
            ("root_readwrite", "base_preview item_preview", true),
            ("root_readwrite", "root_readonly", true),
            ("root_readwrite", "ai.readwrite", false),
            ("root_readonly", "root_readwrite", false),
            ("root_readonly", "item_download", true),
            ("root_readonly", "item_rename", false),
            ("root_readonly", "item_task", false),
            ("base_preview item_preview", "item_preview", true),
            ("item_preview", "base_preview", false),
            ("item_download", "item_preview", false),
            ("ai.readwrite", "ai.readwrite", true),
        ] {
            assert_eq!(hold(&set(held), &set(wanted)), holds, "{held} narrowed to {wanted}");
        }
    }

    #[test]
    fn preview_scopes_let_nobody_download_list_or_ask_who_it_is() {
        for scope in ["base_preview", "item_preview"] {
            let scopes = set(scope);
            assert!(allow(&scopes, Info) && allow(&scopes, Preview));
            for right in [Account, Search, Browse, Download, Upload, Rename, Delete, Share, Comment, Annotate]
            {
                assert!(!allow(&scopes, right), "{scope} gives {right:?}");
            }
        }
    }

    #[test]
    fn an_unknown_scope_spoils_the_list() {
        assert!(parse("base_preview gcm").is_none());
        assert!(parse("").is_some_and(|scopes| scopes.is_empty()));
    }
}
