//! The page at work: `app` holds the views and the way between them, the others one part of the screen each.

mod app;
mod dom;
mod keyhole;
mod list;
mod pane;
mod passes;

use wasm_bindgen::prelude::wasm_bindgen;

pub use keyhole::Keyhole;

/// Starts the page with a client of its own Keyhole.
#[wasm_bindgen]
pub fn start(keyhole: Keyhole) {
    if let Some(page) = dom::Page::here() {
        app::App::start(keyhole, page);
    }
}
