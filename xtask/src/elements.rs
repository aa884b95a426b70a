//! Box's own components, and the React of the sample: what browser tests show and Keyhole is not made of.

use std::path::PathBuf;

use crate::failure::Outcome;
use crate::say::Heartbeat;
use crate::vars::Vars;
use crate::{place, tools};

/// The components' pins, and npm's setting without which it looks for dozens of peers that prebuilt files do not need.
const ELEMENTS_PINS: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// Where tests find them, by the name of a variable; they are installed if this machine has not seen these pins yet.
///
/// # Errors
/// npm cannot install them.
pub(crate) fn variables() -> Outcome<Vars> {
    let elements =
        packages("box-ui-elements", "tests/browser/elements", &ELEMENTS_PINS, "Box's UI elements, 110 MB")?;
    let react = packages("example-react", "www/examples/react", &tools::NPM_PINS, "React")?;
    let found =
        [("KEYHOLE_ELEMENTS_DIR", elements.join("box-ui-elements/dist")), ("KEYHOLE_REACT_DIR", react)];
    Ok(found.map(|(name, path)| (name.to_owned(), path.display().to_string())).into())
}

/// What a folder of this clone pins.
fn packages(name: &str, folder: &str, pins: &[&str], what: &str) -> Outcome<PathBuf> {
    let home = tools::pinned(name, &place::root().join(folder), pins, |into| {
        let _waiting = Heartbeat::start(format!("installing {what} (once per machine)"));
        tools::npm_ci(into)
    })?;
    Ok(home.join("node_modules"))
}
