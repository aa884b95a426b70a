//! Debian's packages, for what neither cargo nor npm brings.

use std::path::Path;
use std::process::Command;

use crate::failure::Outcome;
use crate::process;
use crate::say::Heartbeat;

/// Whether this machine has apt and lets us use it.
pub(crate) fn is_ours() -> bool {
    rustix::process::geteuid().is_root() && Path::new("/usr/bin/apt-get").is_file()
}

/// Installs a package.
///
/// # Errors
/// apt cannot; the text holds its last lines.
pub(crate) fn install(package: &str) -> Outcome {
    let _waiting =
        Heartbeat::start(format!("installing Debian's {package} (about a minute, once per machine)"));
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        process::run_quietly("apt-get", &mut apt)
    };
    apt(&["update", "-q"])?;
    apt(&["install", "-q", "-y", "--no-install-recommends", package]).map(|_| ())
}
