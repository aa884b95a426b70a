//! What is proven, in the order in which a user meets it.

mod settings;
mod story;

mod callback;
mod callers;
mod pages;
mod policy;
mod unopened;

mod at_once;
mod hot_path;
mod master_keys;
mod refresh;
mod restart;

mod ends;
mod limits;
mod sign_out;

mod at_rest;
mod pkce;
mod traces;

mod storages;
