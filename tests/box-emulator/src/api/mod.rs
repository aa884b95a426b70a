//! What can be asked with a token: users, folders, files, previews, search, uploads.

pub(crate) mod bearer;
pub(crate) mod cors;
pub(crate) mod throttle;

pub(crate) mod edits;
pub(crate) mod etags;
pub(crate) mod fields;
pub(crate) mod files;
pub(crate) mod folders;
pub(crate) mod paging;
pub(crate) mod search;
pub(crate) mod shared_links;
pub(crate) mod uploads;
pub(crate) mod users;
pub(crate) mod versions;

pub(crate) mod content;
pub(crate) mod events;
pub(crate) mod film;
pub(crate) mod representations;
