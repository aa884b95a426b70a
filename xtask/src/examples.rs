//! What the tests of `www/examples` need beside a stage: an app that has installed our package, and bundlers.

use std::path::PathBuf;

use crate::failure::Outcome;
use crate::say::Heartbeat;
use crate::vars::Vars;
use crate::{package, place, setup, tools};

/// Where tests find them, by the name of a variable.
///
/// # Errors
/// The package cannot be built, or Vite not installed.
pub(crate) fn variables() -> Outcome<Vars> {
    let app = place::scratch().join("npm-app");
    package::install_in(&app)?;
    let found = [
        ("KEYHOLE_NPM_APP", app),
        ("KEYHOLE_VITE", vite()?),
        ("KEYHOLE_ESBUILD", setup::npm_bin().join("esbuild")),
    ];
    Ok(found.map(|(name, path)| (name.to_owned(), path.display().to_string())).into())
}

/// The program, as the example pins it.
fn vite() -> Outcome<PathBuf> {
    let example = place::root().join("www/examples/vite");
    let home = tools::pinned("example-vite", &example, &tools::NPM_PINS, |into| {
        let _waiting = Heartbeat::start("installing Vite (once per machine)".to_owned());
        tools::npm_ci(into)
    })?;
    Ok(home.join("node_modules/.bin/vite"))
}
