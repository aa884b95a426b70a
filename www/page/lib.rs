//! The demo page: sign in, pick a file, see it, and see what the browser holds meanwhile.
//!
//! What thinks comes first and runs in native tests; `browser` acts on the document, and exists for wasm32
//! alone. The page knows Keyhole only by its public JavaScript API.

pub mod human;
pub mod trail;
pub mod words;

#[cfg(target_arch = "wasm32")]
pub mod browser;
