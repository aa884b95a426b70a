//! What there is: apps, people and their files, and how all of it is written down.

pub(crate) mod account;
pub(crate) mod apps;
pub(crate) mod blob;
pub(crate) mod changes;
pub(crate) mod dates;
pub(crate) mod people;

pub(crate) mod own_files;
pub(crate) mod sample;

pub(crate) mod entropy;
pub(crate) mod state;
