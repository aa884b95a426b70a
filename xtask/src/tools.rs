//! What is installed once per machine and version, in a cache that all clones share: above all tools that cargo
//! compiles.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::failure::{Outcome, While, said};
use crate::process;
use crate::say::Heartbeat;
use crate::stamp::hex;
use crate::{place, setup};

/// A program from crates.io.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// What it is called when installed.
    pub(crate) program: &'static str,
    /// Whether the tool's own lock file holds. Not every tool's does with every registry.
    pub(crate) locked: bool,
    /// How long compiling takes on two cores, for the person who waits.
    pub(crate) takes: &'static str,
}

pub(crate) const WASM_BINDGEN: Tool =
    Tool { name: "wasm-bindgen-cli", program: "wasm-bindgen", locked: false, takes: "about 2 minutes" };
pub(crate) const WORKER_BUILD: Tool =
    Tool { name: "worker-build", program: "worker-build", locked: true, takes: "about 4 minutes" };
pub(crate) const CARGO_DENY: Tool =
    Tool { name: "cargo-deny", program: "cargo-deny", locked: true, takes: "about 5 minutes" };

/// The path of the tool at this version, compiled first if this machine has not seen it yet.
///
/// # Errors
/// Cargo cannot install it.
pub(crate) fn installed(tool: &Tool, version: &str) -> Outcome<PathBuf> {
    installed_in(&place::tool_cache()?, tool, version, install)
}

fn installed_in(
    cache: &Path,
    tool: &Tool,
    version: &str,
    install: impl FnOnce(&Tool, &str, &Path) -> Outcome,
) -> Outcome<PathBuf> {
    let name = format!("{}-{version}", tool.name);
    let program = Path::new("bin").join(tool.program);
    Ok(kept_in(cache, &name, &program, |into| install(tool, version, into))?.join(program))
}

/// The directory `name` of the cache, filled by `install` if this machine has not seen it yet. `proof` is the file in
/// it by which it is known to be whole.
///
/// # Errors
/// It cannot be filled.
pub(crate) fn kept(name: &str, proof: &Path, install: impl FnOnce(&Path) -> Outcome) -> Outcome<PathBuf> {
    kept_in(&place::tool_cache()?, name, proof, install)
}

/// What pins npm's packages.
pub(crate) const NPM_PINS: [&str; 2] = ["package.json", "package-lock.json"];
/// Enough of a digest to tell pins apart.
const DIGEST_LENGTH: usize = 12;
/// Written last into a directory of pinned packages.
const WHOLE: &str = "whole";

/// A directory of the cache with what the `files` in `from` pin, filled by `install` if this machine has not seen these
/// pins yet. `install` finds copies of them there.
///
/// # Errors
/// The files cannot be read, or the directory cannot be filled.
pub(crate) fn pinned(
    name: &str,
    from: &Path,
    files: &[&str],
    install: impl FnOnce(&Path) -> Outcome,
) -> Outcome<PathBuf> {
    let mut pins = Vec::new();
    let mut all = Sha256::new();
    for file in files {
        let path = from.join(file);
        let text = fs::read_to_string(&path).or_say(|| format!("reading {}", path.display()))?;
        all.update(format!("{file} {} {text}", text.len()));
        pins.push((file, text));
    }
    let digest = hex(&all.finalize()).chars().take(DIGEST_LENGTH).collect::<String>();
    kept(&format!("{name}-{digest}"), Path::new(WHOLE), |into| {
        fs::create_dir_all(into).or_say(|| format!("making {}", into.display()))?;
        for (file, text) in &pins {
            fs::write(into.join(file), text).or_say(|| format!("writing {file}"))?;
        }
        install(into)?;
        fs::write(into.join(WHOLE), "").or_say(|| format!("noting that {name} is whole"))
    })
}

/// npm's packages as pinned in this directory, without running any script of theirs.
///
/// # Errors
/// npm cannot install them.
pub(crate) fn npm_ci(into: &Path) -> Outcome {
    let mut npm = Command::new("npm");
    npm.current_dir(into).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    process::run_quietly("npm ci", &mut npm).map(|_| ())
}

/// Two clones may ask at once: one installs, the other waits, and nobody ever sees half a directory.
fn kept_in(
    cache: &Path,
    name: &str,
    proof: &Path,
    install: impl FnOnce(&Path) -> Outcome,
) -> Outcome<PathBuf> {
    let home = cache.join(name);
    if home.join(proof).is_file() {
        return Ok(home);
    }
    fs::create_dir_all(cache).or_say(|| format!("making {}", cache.display()))?;
    let _lock = lock(&cache.join(format!("{name}.lock")), name)?;
    if home.join(proof).is_file() {
        return Ok(home);
    }
    // The lock is ours: what lies here was left by an install that was cut short.
    let half = cache.join(format!("{name}.half"));
    let clear = |path: &Path| if path.exists() { fs::remove_dir_all(path) } else { Ok(()) };
    clear(&half).and_then(|()| clear(&home)).or_say(|| format!("clearing {}", half.display()))?;
    install(&half)?;
    if !half.join(proof).is_file() {
        return said(format!("installing {name} left no {}", proof.display()));
    }
    fs::rename(&half, &home).or_say(|| format!("moving {name} into place"))?;
    Ok(home)
}

/// Held until dropped, or until we die.
fn lock(path: &Path, name: &str) -> Outcome<File> {
    let file = File::create(path).or_say(|| format!("making {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let _waiting = Heartbeat::start(format!("waiting for another clone that installs {name}"));
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(file),
                    Err(TryLockError::WouldBlock) => process::pause()?,
                    Err(TryLockError::Error(error)) => {
                        return said(format!("locking {}: {error}", path.display()));
                    }
                }
            }
        }
        Err(TryLockError::Error(error)) => said(format!("locking {}: {error}", path.display())),
    }
}

fn install(tool: &Tool, version: &str, into: &Path) -> Outcome {
    let Tool { name, takes, .. } = tool;
    let _waiting = Heartbeat::start(format!("compiling {name} {version} ({takes}, once per machine)"));
    let mut cargo = Command::new("cargo");
    setup::forget_our_cargo(&mut cargo);
    cargo.args(["install", name, "--version", &format!("={version}"), "--no-track", "--root"]).arg(into);
    if tool.locked {
        cargo.arg("--locked");
    }
    // Away from the clone: its cargo settings are not the tool's, and its target directory stays small.
    let parent = into.parent().unwrap_or(into);
    cargo.current_dir(parent).env("CARGO_TARGET_DIR", into.join("target"));
    process::run_quietly(&format!("cargo install {name}"), &mut cargo)?;
    fs::remove_dir_all(into.join("target")).or_say(|| format!("clearing up after {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    const TOOL: Tool = Tool { name: "thing", program: "thing-do", locked: true, takes: "no time" };

    fn put_program(_: &Tool, _: &str, into: &Path) -> Outcome {
        fs::create_dir_all(into.join("bin")).unwrap();
        fs::write(into.join("bin/thing-do"), "x").unwrap();
        Ok(())
    }

    #[test]
    fn a_tool_is_installed_once_per_version() {
        let cache = tempfile::tempdir().unwrap();
        let first = installed_in(cache.path(), &TOOL, "1.0.0", put_program).unwrap();
        assert!(first.ends_with("thing-1.0.0/bin/thing-do"));
        let again = installed_in(cache.path(), &TOOL, "1.0.0", |_, _, _| said("asked twice")).unwrap();
        assert_eq!(first, again);
        assert!(installed_in(cache.path(), &TOOL, "1.0.1", |_, _, _| said("another version")).is_err());
    }

    #[test]
    fn an_install_that_was_cut_short_is_started_over() {
        let cache = tempfile::tempdir().unwrap();
        let cut_short = |_: &Tool, _: &str, into: &Path| {
            fs::create_dir_all(into).unwrap();
            fs::write(into.join("half a file"), "x").unwrap();
            said("cut short")
        };
        assert!(installed_in(cache.path(), &TOOL, "1.0.0", cut_short).is_err());
        let program = installed_in(cache.path(), &TOOL, "1.0.0", put_program).unwrap();
        assert!(!program.ancestors().nth(2).unwrap().join("half a file").exists());
    }

    #[test]
    fn two_clones_that_ask_at_once_install_once() {
        let cache = tempfile::tempdir().unwrap();
        let (arrived, installs) = (AtomicU32::new(0), AtomicU32::new(0));
        let lock = cache.path().join("thing-1.0.0.lock");
        let ask = || {
            arrived.fetch_add(1, Ordering::Relaxed);
            installed_in(cache.path(), &TOOL, "1.0.0", |tool, version, into| {
                installs.fetch_add(1, Ordering::Relaxed);
                assert!(matches!(File::open(&lock).unwrap().try_lock(), Err(TryLockError::WouldBlock)));
                while arrived.load(Ordering::Relaxed) < 4 {
                    std::thread::yield_now();
                }
                put_program(tool, version, into)
            })
            .unwrap();
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(ask);
            }
        });
        assert_eq!(installs.into_inner(), 1);
    }
}
