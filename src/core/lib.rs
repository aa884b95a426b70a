//! What Keyhole decides. This crate has no network, clock, randomness, JavaScript or Worker types: time and
//! entropy are arguments, requests and answers are values, and the keeper is a state machine whose every step
//! returns the effects that a shell then performs.
//!
//! The modules stand in the order in which a user meets them.

// A request comes in.
pub mod app;
pub mod config;
pub mod guard;
pub mod route;
pub mod sent;

// Someone signs in,
pub mod login;
pub mod page;

pub mod callback;
pub mod cookies;
pub mod notice;
pub mod return_to;
pub mod transaction;

// picks a file, sees it, and signs out.
pub mod items;
pub mod session;
pub mod tokens;

mod hand_over;

pub mod health;
pub mod logout;

// What the operator allows, and what is answered when it does not go well.
pub mod origin;
pub mod policy;

pub mod fault;
pub mod headers;
pub mod log;
pub mod problem;

// Behind each session stands a keeper, and behind that Box.
pub mod box_api;
pub mod keeper;

// Who builds something else keeps tokens with this.
pub mod storage;

pub mod item;
mod json;
pub mod seal;
pub mod secret;
pub mod time;
