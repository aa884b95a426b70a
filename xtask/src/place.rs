//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::{Outcome, said};

/// The clone this command was started in. Cargo tells; a binary started by hand belongs to the clone it was built in.
pub(crate) fn root() -> PathBuf {
    let crate_dir = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    crate_dir.parent().map_or_else(|| crate_dir.clone(), Path::to_path_buf)
}

/// Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Our own corner of the target directory: stamps, staging, bundles to measure.
pub(crate) fn scratch() -> PathBuf {
    target().join("keyhole")
}

/// State of `cargo xtask dev` that survives a restart.
pub(crate) fn local_state() -> PathBuf {
    root().join(".wrangler/keyhole")
}

/// Compiled tools, shared by all clones of this user.
///
/// # Errors
/// Neither `XDG_CACHE_HOME` nor `HOME` is set.
pub(crate) fn tool_cache() -> Outcome<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    match set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache"))) {
        Some(cache) => Ok(cache.join("keyhole/tools")),
        None => said("neither HOME nor XDG_CACHE_HOME is set, so there is no place for compiled tools"),
    }
}
