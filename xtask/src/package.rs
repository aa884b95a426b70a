//! `cargo xtask package`: the browser module as a package for npm, and the proof that it is one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::build::{self, Asset, read, read_bytes, start_empty, write};
use crate::failure::{Outcome, While, said};
use crate::setup::{self, npm_program, with_npm_programs};
use crate::{place, process, say};

/// As `www/client/package/package.json` calls it.
const NAME: &str = "keyhole-client";
/// The one version of everything here; npm names the tarball by it.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What stands for the version in that file.
const NO_VERSION: &str = "0.0.0-workspace";
const INPUTS: [&str; 3] = ["www/client", "LICENSE", "xtask/src/package.rs"];
/// All that is in it, sorted.
const FILES: [&str; 7] =
    ["LICENSE", "README.md", "keyhole.d.ts", "keyhole.js", "keyhole_bg.wasm", "package.json", "react.d.ts"];
/// What everybody who installs it downloads: the module's budget, and what is there to read.
const KB_MAX: u64 = 110;
/// What a developer who installs it writes, and the compiler's settings for it.
pub(crate) const SAMPLES: &str = "tests/package";

/// Packs it, and says where it is.
///
/// # Errors
/// The build fails, or npm.
pub(crate) fn package() -> Outcome {
    let tarball = packed()?;
    say::step(&format!("npm install {}", tarball.display()));
    Ok(())
}

/// The tarball, packed anew if something has changed.
///
/// # Errors
/// As [`package`].
pub(crate) fn packed() -> Outcome<PathBuf> {
    let tools = setup::setup()?;
    let _alone = build::alone()?;
    let home = home();
    build::when_changed("npm", &tools, &INPUTS, &home.to_string_lossy(), || {
        say::step("packing the browser module for npm");
        let module = build::client_for_npm(&tools)?;
        start_empty(&home)?;
        let folder = home.join("package");
        assemble(&module, &folder)?;
        let mut pack = npm()?;
        pack.current_dir(&folder).args(["pack", "--pack-destination"]).arg(&home);
        process::run_quietly("npm pack", &mut pack).map(|_| ())
    })?;
    Ok(tarball())
}

fn home() -> PathBuf {
    place::scratch().join("npm")
}

fn tarball() -> PathBuf {
    home().join(format!("{NAME}-{VERSION}.tgz"))
}

/// The folder as it is packed.
fn assemble(module: &[Asset], folder: &Path) -> Outcome {
    let root = place::root();
    let client = root.join("www/client");
    for asset in module {
        write(&folder.join(&asset.name), &asset.bytes)?;
    }
    let copies = [
        ("LICENSE", root.join("LICENSE")),
        ("README.md", client.join("package/README.md")),
        ("keyhole.d.ts", client.join("keyhole.d.ts")),
        ("react.d.ts", client.join("react.d.ts")),
    ];
    for (name, from) in copies {
        write(&folder.join(name), &read_bytes(&from)?)?;
    }
    let manifest = read(&client.join("package/package.json"))?.replace(NO_VERSION, VERSION);
    write(&folder.join("package.json"), manifest.as_bytes())
}

/// An empty app at `app` that has installed the tarball, as npm does it.
///
/// # Errors
/// As [`package`].
pub(crate) fn install_in(app: &Path) -> Outcome {
    let tarball = packed()?;
    start_empty(app)?;
    write(&app.join("package.json"), br#"{ "private": true, "type": "module" }"#)?;
    let mut install = npm()?;
    // It depends on nothing, so nothing is asked of a registry.
    install.current_dir(app).args(["install", "--offline", "--no-audit", "--no-fund", "--loglevel=error"]);
    process::run_quietly("npm install", install.arg(tarball)).map(|_| ())
}

/// Npm, run by its own Node 22.
fn npm() -> Outcome<Command> {
    let mut npm = Command::new("npm");
    with_npm_programs(&mut npm)?;
    Ok(npm)
}

/// A claim about the package, and whether it holds.
pub(crate) type Proof = (&'static str, fn(&Path) -> Outcome);

/// What is proven of the package, in an app that has installed it.
pub(crate) const PROOFS: [Proof; 5] = [
    ("the package holds what it should, and nothing else", holds_its_files),
    ("the package is small", is_small),
    ("a server can import the package", serves_a_server),
    ("a bundler's TypeScript finds the package's types", |app| compiles(app, "esnext", "bundler")),
    ("Node's TypeScript finds the package's types", |app| compiles(app, "node16", "node16")),
];

/// Where [`PROOFS`] are made.
pub(crate) fn app() -> PathBuf {
    place::scratch().join("npm-app")
}

fn home_in(app: &Path) -> PathBuf {
    app.join("node_modules").join(NAME)
}

fn holds_its_files(app: &Path) -> Outcome {
    let mut found: Vec<_> =
        build::files_below(&home_in(app))?.iter().map(|file| file.display().to_string()).collect();
    found.sort();
    if found == FILES { Ok(()) } else { said(format!("the package holds {found:?}, and not {FILES:?}")) }
}

fn is_small(_: &Path) -> Outcome {
    let bytes = fs::metadata(tarball()).or_say(|| "measuring the package".to_owned())?.len();
    if bytes <= KB_MAX * 1000 { Ok(()) } else { said(format!("its {bytes} bytes are more than {KB_MAX} KB")) }
}

fn serves_a_server(app: &Path) -> Outcome {
    copy_samples(app, &["server.mjs", "names.mjs"])?;
    let mut node = npm_program("node")?;
    node.current_dir(app).args(["--test", "server.mjs"]);
    process::run_quietly("node --test server.mjs", &mut node).map(|_| ())
}

/// The samples that `cargo xtask test lint` compiles against the sources, against the package.
fn compiles(app: &Path, module: &str, resolution: &str) -> Outcome {
    let samples = ["sample.ts", "react.tsx", "names.mjs"];
    copy_samples(app, &samples)?;
    let root = place::root();
    let react = |path: &str| [root.join("node_modules/@types/react").join(path)];
    let config = json!({
        "extends": root.join(SAMPLES).join("tsconfig.json"),
        "compilerOptions": {
            "module": module,
            "moduleResolution": resolution,
            "paths": { "react": react(""), "react/*": react("*") },
        },
        "files": samples,
    });
    write(&app.join("tsconfig.json"), config.to_string().as_bytes())?;
    let mut compile = npm_program("tsc")?;
    process::run_quietly("tsc", compile.arg("-p").arg(app)).map(|_| ())
}

fn copy_samples(app: &Path, names: &[&str]) -> Outcome {
    for name in names {
        let from = place::root().join(SAMPLES).join(name);
        fs::copy(&from, app.join(name)).or_say(|| format!("copying {}", from.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn manifest() -> Value {
        serde_json::from_str(&read(&place::root().join("www/client/package/package.json")).unwrap()).unwrap()
    }

    #[test]
    fn the_version_is_written_in_one_place() {
        assert_eq!(manifest()["version"], NO_VERSION);
    }

    #[test]
    fn importing_it_defines_an_element_so_no_bundler_may_leave_that_out() {
        assert_eq!(manifest()["sideEffects"], json!(["./keyhole.js"]));
    }

    #[test]
    fn types_are_found_before_what_they_are_of() {
        // As text: `Value` sorts.
        let text = read(&place::root().join("www/client/package/package.json")).unwrap();
        assert!(text.find(r#""types": "./keyhole.d.ts""#) < text.find(r#""default": "./keyhole.js""#));
    }

    #[test]
    fn every_door_of_the_package_leads_to_a_file_of_it() {
        fn leaves(value: &Value, into: &mut Vec<String>) {
            match value {
                Value::Object(members) => members.values().for_each(|member| leaves(member, into)),
                other => into.push(other.as_str().unwrap().replace("./", "")),
            }
        }
        let mut doors = Vec::new();
        leaves(&manifest()["exports"], &mut doors);
        assert_eq!(doors.len(), 5);
        assert!(doors.iter().all(|door| FILES.contains(&door.as_str())), "{doors:?}");
    }
}
