//! Who may have a token, for whom and for how much: the authorize page, every grant, and the end of tokens.

pub(crate) mod authorize;
pub(crate) mod pages;

pub(crate) mod actor;
pub(crate) mod assertion;
pub(crate) mod ccg;
pub(crate) mod exchange;
pub(crate) mod jwt;
pub(crate) mod keys;
pub(crate) mod pkce;
pub(crate) mod revoke;
pub(crate) mod subject;
pub(crate) mod token;

pub(crate) mod book;
pub(crate) mod scopes;
