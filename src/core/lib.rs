//! What Keyhole decides. This crate has no network, clock, randomness, JavaScript or Worker types: time and
//! entropy are arguments, requests and answers are values, and the keeper is a state machine whose every step
//! returns the effects that a shell then performs.
//!
//! The modules stand in the order in which a user meets them.

pub mod box_api;
pub mod item;
pub mod keeper;
pub mod seal;
pub mod secret;
pub mod time;
