//! A Chromium for the browser tests.

use std::path::PathBuf;

use crate::apt;
use crate::failure::{Failure, Outcome, said};
use crate::process;
use crate::say::{self, Heartbeat};
use crate::setup::npm_program;

/// Where distributions put it.
const INSTALLED: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/snap/bin/chromium"];

/// The Chromium to test with; `None` is Playwright's own, which Playwright finds by itself.
///
/// # Errors
/// There is none and none can be had; the text says what to install.
pub(crate) fn chromium() -> Outcome<Option<PathBuf>> {
    if let Some(path) = installed() {
        return Ok(Some(path));
    }
    if apt::is_ours() {
        match apt::install("chromium") {
            Ok(()) => return Ok(installed()),
            Err(Failure::Interrupted) => return Err(Failure::Interrupted),
            Err(Failure::Said(text)) => {
                say::step(&format!("apt-get did not install chromium, so Playwright's own:\n{text}"))
            }
        }
    }
    match playwrights_own() {
        Ok(()) => Ok(None),
        Err(Failure::Interrupted) => Err(Failure::Interrupted),
        Err(Failure::Said(text)) => said(format!(
            "the browser tests need Chromium. On Debian and Ubuntu: apt-get install chromium. Elsewhere: \
             npx playwright install chromium, which said:\n{text}"
        )),
    }
}

fn installed() -> Option<PathBuf> {
    INSTALLED.iter().map(PathBuf::from).find(|path| path.is_file())
}

/// Downloads it unless it is there.
fn playwrights_own() -> Outcome {
    let _waiting = Heartbeat::start("making sure of Playwright's Chromium".to_owned());
    process::run_quietly(
        "playwright install chromium",
        npm_program("playwright")?.args(["install", "chromium"]),
    )
    .map(|_| ())
}
