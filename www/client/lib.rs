//! The browser's half of Keyhole: asks for tokens, keeps them in memory only, and shows a file.
//!
//! The modules that think come first, in the order an ask meets them. They know no browser and no clock
//! and run in native tests. `browser` acts: it is all the glue there is, and exists for wasm32 alone.

pub mod ask;
pub mod fault;
pub mod held;
pub mod hosts;
pub mod library;
pub mod popup;
pub mod want;
pub mod wishes;
pub mod words;

#[cfg(target_arch = "wasm32")]
pub mod browser;
