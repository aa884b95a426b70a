//! `cargo xtask setup`: the wasm target, compiled tools, npm's packages. Every command that needs them calls this.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::{Outcome, While, said};
use crate::tools::{self, WASM_BINDGEN, WORKER_BUILD};
use crate::{place, process, say};

/// What Keyhole is compiled to, three times: the Worker, the browser module, the page.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Where the tools are.
pub(crate) struct Tools {
    pub(crate) wasm_bindgen: PathBuf,
    pub(crate) worker_build: PathBuf,
}

/// Makes sure of everything that building and running need. Quick when nothing is missing.
///
/// # Errors
/// Something cannot be installed; the text says what.
pub(crate) fn setup() -> Outcome<Tools> {
    wasm_target()?;
    npm_packages()?;
    let lock = read(&place::root().join("Cargo.lock"))?;
    let wasm_bindgen = tools::installed(&WASM_BINDGEN, &locked_version(&lock, "wasm-bindgen")?)?;
    // The crate and its build tool are released together.
    let worker_build = tools::installed(&WORKER_BUILD, &locked_version(&lock, "worker")?)?;
    Ok(Tools { wasm_bindgen, worker_build })
}

/// A cargo for this clone.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    forget_our_cargo(&mut cargo);
    cargo.current_dir(place::root());
    cargo
}

/// A program from npm's packages, run by npm's Node.
pub(crate) fn npm_program(name: &str) -> Outcome<Command> {
    let mut command = Command::new(npm_bin().join(name));
    with_npm_programs(&mut command)?;
    command.current_dir(place::root());
    Ok(command)
}

/// Where npm puts its packages' programs.
pub(crate) fn npm_bin() -> PathBuf {
    place::root().join("node_modules/.bin")
}

/// npm's programs, Node among them, come first for this command and all that it starts; nothing phones home.
pub(crate) fn with_npm_programs(command: &mut Command) -> Outcome {
    forget_our_cargo(command);
    let before = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(std::iter::once(npm_bin()).chain(env::split_paths(&before)))
        .or_say(|| "putting node_modules/.bin on the PATH".to_owned())?;
    command
        .env("PATH", path)
        .env("WRANGLER_SEND_METRICS", "false")
        .env("WRANGLER_SEND_ERROR_REPORTS", "false");
    Ok(())
}

/// Cargo describes us to ourselves in variables; to a cargo that we start they would describe the wrong crate.
pub(crate) fn forget_our_cargo(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_")
            || name.starts_with("CARGO_MANIFEST_")
            || name == "CARGO_PRIMARY_PACKAGE"
        {
            command.env_remove(name.as_ref());
        }
    }
}

fn wasm_target() -> Outcome {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(place::root()).args(["--print", "target-libdir", "--target", WASM_TARGET]);
    let directory = process::run_quietly("rustc", &mut rustc)?;
    if Path::new(directory.trim()).is_dir() {
        return Ok(());
    }
    say::step(&format!("adding Rust's {WASM_TARGET} target"));
    let mut rustup = Command::new("rustup");
    process::run("rustup target add", rustup.current_dir(place::root()).args(["target", "add", WASM_TARGET]))
}

/// npm's own record tells what is installed: whoever ran npm, nothing is installed twice, and never under the feet of
/// a wrangler that started us.
///
/// # Errors
/// npm cannot install them.
pub(crate) fn npm_packages() -> Outcome {
    let root = place::root();
    let wanted = read(&root.join("package-lock.json"))?;
    let record = root.join("node_modules/.package-lock.json");
    let node = npm_bin().join("node");
    if fs::read_to_string(record).is_ok_and(|record| is_installed(&wanted, &record)) && node.exists() {
        return Ok(());
    }
    say::step("installing npm packages, Node 22 among them (about a minute)");
    let mut npm = Command::new("npm");
    npm.current_dir(&root).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    process::run("npm ci", &mut npm)?;
    if node.exists() {
        Ok(())
    } else {
        said("npm's package `node` brought no Node: are its install scripts switched off?")
    }
}

/// Whether npm's record of what it installed holds every package of the lock at its version. A package for another
/// platform may be missing.
fn is_installed(lock: &str, record: &str) -> bool {
    let packages = |text: &str| {
        let mut whole: Value = serde_json::from_str(text).ok()?;
        whole.get_mut("packages").map(Value::take)
    };
    let (Some(Value::Object(wanted)), Some(present)) = (packages(lock), packages(record)) else {
        return false;
    };
    wanted.iter().filter(|(path, _)| !path.is_empty()).all(|(path, package)| match present.get(path) {
        Some(installed) => installed.get("version") == package.get("version"),
        None => package.get("optional").and_then(Value::as_bool) == Some(true),
    })
}

/// The version of a package in `Cargo.lock`.
fn locked_version(lock: &str, package: &str) -> Outcome<String> {
    let lock: toml::Table = lock.parse().or_say(|| "reading Cargo.lock".to_owned())?;
    let packages = lock.get("package").and_then(toml::Value::as_array).map_or(&[][..], Vec::as_slice);
    let named = |entry: &&toml::Value| entry.get("name").and_then(toml::Value::as_str) == Some(package);
    match packages.iter().find(named).and_then(|entry| entry.get("version")).and_then(toml::Value::as_str) {
        Some(version) => Ok(version.to_owned()),
        None => said(format!("Cargo.lock holds no package named {package}")),
    }
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).or_say(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bindgen_program_has_the_version_of_the_crate() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.80\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").unwrap(), "0.2.130");
    }

    #[test]
    fn a_package_that_is_not_locked_is_an_error() {
        assert!(locked_version("", "wasm-bindgen").is_err());
    }

    #[test]
    fn packages_are_installed_when_npm_recorded_each_at_its_version() {
        let lock =
            r#"{"packages":{"":{},"node_modules/a":{"version":"1"},"node_modules/b":{"version":"2"}}}"#;
        let record = |b: &str| format!(r#"{{"packages":{{"node_modules/a":{{"version":"1"}}{b}}}}}"#);
        assert!(is_installed(lock, &record(r#","node_modules/b":{"version":"2"}"#)));
        assert!(!is_installed(lock, &record(r#","node_modules/b":{"version":"3"}"#)));
        assert!(!is_installed(lock, &record("")));
        assert!(!is_installed(lock, ""));
    }

    #[test]
    fn a_package_for_another_platform_may_be_missing() {
        let lock = r#"{"packages":{"":{},"node_modules/mac":{"version":"1","optional":true}}}"#;
        assert!(is_installed(lock, r#"{"packages":{}}"#));
    }

    #[test]
    fn this_clone_locks_every_tool_it_needs() {
        let lock = read(&place::root().join("Cargo.lock")).unwrap();
        for package in ["wasm-bindgen", "worker"] {
            assert!(locked_version(&lock, package).is_ok(), "{package}");
        }
    }
}
