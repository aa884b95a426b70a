//! The SDKs, from their registries, each in a directory of its own in the cache: two of them share a name.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::table::Sdk;
use crate::failure::{Failure, Outcome, said};
use crate::say::{self, Heartbeat};
use crate::setup::npm_bin;
use crate::{apt, process, tools};

const VENV: &str = "venv";

/// An SDK that is installed.
pub(crate) struct Installed {
    home: PathBuf,
}

impl Installed {
    /// The SDK as pinned; it is installed if this machine has not seen these pins yet.
    ///
    /// # Errors
    /// It cannot be installed; the text says what is missing.
    pub(crate) fn of(sdk: &Sdk) -> Outcome<Self> {
        let files = if sdk.is_python() { &["requirements.txt"][..] } else { &tools::NPM_PINS };
        let home = tools::pinned(&sdk.name, &sdk.pins(), files, |into| {
            let _waiting = Heartbeat::start(format!("installing {} (once per machine)", sdk.label()?));
            if sdk.is_python() { venv(into) } else { tools::npm_ci(into) }
        })?;
        Ok(Self { home })
    }

    /// The program that runs `sdk`'s cases.
    pub(crate) fn driver(&self, sdk: &Sdk) -> Outcome<Command> {
        let mut command = if sdk.is_python() {
            let mut python = Command::new(python_in(&self.home));
            python.env("PYTHONDONTWRITEBYTECODE", "1");
            python
        } else {
            let mut node = Command::new(npm_bin().join("node"));
            node.env("SDK_HOME", &self.home);
            node
        };
        command.arg(super::home().join(&sdk.driver));
        Ok(command)
    }
}

fn venv(into: &Path) -> Outcome {
    let mut made = empty_venv(into);
    if let Err(Failure::Said(text)) = &made
        && apt::is_ours()
    {
        say::step(&format!("no venv could be made:\n{text}"));
        made = apt::install("python3-venv").and_then(|()| empty_venv(into));
    }
    if let Err(Failure::Said(text)) = made {
        return said(format!(
            "the conformance tests need Python 3.9 or later with venv. On Debian and Ubuntu: apt-get install \
             python3-venv. It said:\n{text}"
        ));
    }
    made?;
    let mut pip = Command::new(python_in(into));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    process::run_quietly("pip install", pip.arg(into.join("requirements.txt"))).map(|_| ())
}

fn empty_venv(into: &Path) -> Outcome {
    let mut python = Command::new("python3");
    python.args(["-m", "venv", "--clear"]).arg(into.join(VENV));
    process::run_quietly("python3 -m venv", &mut python).map(|_| ())
}

/// A venv may be moved as long as it is entered by its Python.
fn python_in(home: &Path) -> PathBuf {
    home.join(VENV).join("bin/python")
}
