//! `cargo xtask build`: the Worker into `build/`, the browser module and the page into `www/dist/`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use crate::failure::{Outcome, While, said};
use crate::setup::{self, Tools, WASM_TARGET, cargo, npm_program, with_npm_programs};
use crate::stamp::{Stamp, hex};
use crate::{place, process, say};

/// What every build depends on besides its sources. This file is among them: it is the recipe.
const RECIPE: [&str; 5] =
    ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "package-lock.json", "xtask/src/build.rs"];
const WORKER_INPUTS: [&str; 2] = ["src/core", "src/worker"];
const WORKER_OUTPUT: &str = "build";
/// The Worker of the tests that is built on ours.
const STORAGE_WORKER: &str = "tests/storage-worker";
const STORAGE_WORKER_INPUTS: [&str; 6] = [
    "src/core",
    "src/worker",
    "tests/storage-worker/Cargo.toml",
    "tests/storage-worker/lib.rs",
    "tests/storage-worker/bench.rs",
    "tests/storage-worker/index.js",
];
const STORAGE_WORKER_OUTPUT: &str = "tests/storage-worker/build";
const WEB_INPUTS: [&str; 5] = ["www/client", "www/page", "www/index.html", "www/style.css", "www/_headers"];
const WEB_OUTPUT: &str = "www/dist";

/// Whether anything had to be built.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Built {
    Anew,
    NothingToDo,
}

/// Builds what has changed.
///
/// # Errors
/// A tool is missing and cannot be installed, or a build fails.
pub(crate) fn build() -> Outcome<Built> {
    let tools = setup::setup()?;
    let _alone = alone()?;
    let worker = when_changed("worker", &tools, &WORKER_INPUTS, WORKER_OUTPUT, || worker(&tools))?;
    let web = when_changed("web", &tools, &WEB_INPUTS, WEB_OUTPUT, || web(&tools))?;
    Ok(if worker == Built::NothingToDo && web == Built::NothingToDo {
        Built::NothingToDo
    } else {
        Built::Anew
    })
}

/// Builds the Worker once more, as one that panics when asked to: for `cargo xtask chaos`, and never where `main` in
/// `wrangler.toml` looks. Returns the directory.
///
/// # Errors
/// A tool is missing and cannot be installed, or the build fails.
pub(crate) fn panicking_worker() -> Outcome<PathBuf> {
    let tools = setup::setup()?;
    let _alone = alone()?;
    let output = place::scratch().join("panicking");
    let name = output.to_string_lossy().into_owned();
    when_changed("panicking", &tools, &WORKER_INPUTS, &name, || {
        say::step("building the Worker that panics when asked to");
        compile_worker(&tools, "src/worker", &name, &["--features", "panic-on-request"])
    })?;
    Ok(output)
}

/// Builds the Worker on which storages are tested, if it has changed.
///
/// # Errors
/// As [`build`].
pub(crate) fn build_storage_worker() -> Outcome<Built> {
    let tools = setup::setup()?;
    let _alone = alone()?;
    when_changed("storage-worker", &tools, &STORAGE_WORKER_INPUTS, STORAGE_WORKER_OUTPUT, || {
        say::step("building the Worker on which storages are tested");
        compile_worker(&tools, STORAGE_WORKER, STORAGE_WORKER_OUTPUT, &[])
    })
}

/// The turn to build: `wrangler dev` may start us while another of us is at work.
pub(crate) fn alone() -> Outcome<File> {
    let scratch = place::scratch();
    fs::create_dir_all(&scratch).or_say(|| format!("making {}", scratch.display()))?;
    let lock = File::create(scratch.join("build.lock")).or_say(|| "making the build's lock".to_owned())?;
    lock.lock().or_say(|| "waiting for another build".to_owned())?;
    Ok(lock)
}

pub(crate) fn when_changed(
    name: &str,
    tools: &Tools,
    inputs: &[&str],
    output: &str,
    build: impl FnOnce() -> Outcome,
) -> Outcome<Built> {
    let root = place::root();
    let inputs = [inputs, &RECIPE].concat();
    let file = place::scratch().join(format!("{name}.stamp"));
    let stamp = Stamp::new(file, &root, &inputs, &compilers(tools)?)?;
    if stamp.is_current(&root, &[output]) {
        return Ok(Built::NothingToDo);
    }
    build()?;
    stamp.record(&root, &[output])?;
    Ok(Built::Anew)
}

/// The compilers, as far as no file of the clone names them.
fn compilers(tools: &Tools) -> Outcome<String> {
    let mut rustc = Command::new("rustc");
    let rustc = process::run_quietly("rustc", rustc.current_dir(place::root()).arg("-vV"))?;
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    Ok(format!("{rustc} {flags} {} {}", tools.wasm_bindgen.display(), tools.worker_build.display()))
}

/// The Worker: what `main` in `wrangler.toml` names.
fn worker(tools: &Tools) -> Outcome {
    say::step("building the Worker");
    compile_worker(tools, "src/worker", WORKER_OUTPUT, &[])?;
    let wasm = place::root().join(WORKER_OUTPUT).join("index_bg.wasm");
    optimize(&wasm, &wasm)
}

/// A crate of ours as a Worker, not yet optimized; `extra` goes to cargo.
fn compile_worker(tools: &Tools, source: &str, output: &str, extra: &[&str]) -> Outcome {
    let mut build = Command::new(&tools.worker_build);
    with_npm_programs(&mut build)?;
    build.current_dir(place::root()).args(["--release", source, "--out-dir"]);
    build.arg(place::root().join(output)).arg("--").args(extra);
    // Without these it would download its own.
    build
        .env("WASM_BINDGEN_BIN", &tools.wasm_bindgen)
        .env("WASM_OPT_BIN", setup::npm_bin().join("wasm-opt"))
        .env("ESBUILD_BIN", setup::npm_bin().join("esbuild"));
    process::run("worker-build", &mut build)
}

/// Smaller when gzipped, not only smaller: code that is inlined into its one caller no longer looks like other code,
/// which costs 8 % of the download. The names of functions, an eighth of the Worker, are for the stack traces of
/// panics; a panic's message names file and line without them.
///
/// Features are those that the file itself names, and the exceptions that wasm-bindgen's catching adds: with all that
/// wasm-opt knows it writes what no browser reads.
fn optimize(wasm: &Path, optimized: &Path) -> Outcome {
    let mut optimize = npm_program("wasm-opt")?;
    optimize.args(["-Os", "--enable-exception-handling", "--strip-debug", "--strip-producers"]).args([
        "--always-inline-max-function-size=0",
        "--flexible-inline-max-function-size=0",
        "--one-caller-inline-max-function-size=0",
    ]);
    optimize.arg(wasm).arg("-o").arg(optimized);
    process::run_quietly("wasm-opt", &mut optimize).map(|_| ())
}

/// All that a browser downloads as it is: the module, the page's own code, and how both are cached.
fn web(tools: &Tools) -> Outcome {
    say::step("building the browser module and the page");
    compile_web()?;

    let www = place::root().join("www");
    let staged = place::scratch().join("dist");
    start_empty(&staged)?;
    let client = bundle(tools, &client(Reader::Browser))?;
    let page =
        Bundle { name: "page", source: www.join("page"), krate: "keyhole_page", reader: Reader::Browser };
    let page = bundle(tools, &page)?;
    let style = minified_style(&www.join("style.css"))?;

    let module = put_hashed(&staged, "k", &client)?;
    write(&staged.join("keyhole.js"), format!("export * from \".{module}/keyhole.js\";\n").as_bytes())?;
    let page_dir = put_hashed(&staged, "page", &[page, vec![style]].concat())?;
    let html = with_hashed_references(&read(&www.join("index.html"))?, &page_dir)?;
    write(&staged.join("index.html"), html.as_bytes())?;
    write(&staged.join("_headers"), read(&www.join("_headers"))?.as_bytes())?;
    publish(&staged, &place::root().join(WEB_OUTPUT))?;
    Ok(())
}

/// Both crates that run in browsers.
fn compile_web() -> Outcome {
    let mut build = cargo();
    build.args(["build", "--release", "--target", WASM_TARGET, "-p", "keyhole-client", "-p", "keyhole-page"]);
    process::run("cargo build", &mut build)
}

/// A crate and the JavaScript that starts it, on their way to becoming two files.
struct Bundle {
    name: &'static str,
    source: PathBuf,
    krate: &'static str,
    reader: Reader,
}

/// Who reads the JavaScript.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// A browser, from the Worker, which is where Keyhole is.
    Browser,
    /// A bundler, from npm, and the developer who looks into the package.
    Bundler,
}

/// A file that is built.
#[derive(Clone)]
pub(crate) struct Asset {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// The browser module as npm's packages hold it: `keyhole.js` and its wasm.
///
/// # Errors
/// As [`build`].
pub(crate) fn client_for_npm(tools: &Tools) -> Outcome<Vec<Asset>> {
    compile_web()?;
    bundle(tools, &client(Reader::Bundler))
}

fn client(reader: Reader) -> Bundle {
    Bundle { name: "keyhole", source: place::root().join("www/client"), krate: "keyhole_client", reader }
}

/// `{name}.js`, which knows name and digest of its wasm, and `{name}_bg.wasm`.
fn bundle(tools: &Tools, bundle: &Bundle) -> Outcome<Vec<Asset>> {
    let Bundle { name, source, krate, reader } = bundle;
    let stage = place::scratch().join(krate);
    start_empty(&stage)?;
    copy_javascript(source, &stage)?;

    let compiled = place::target().join(WASM_TARGET).join("release").join(format!("{krate}.wasm"));
    let pkg = stage.join("pkg");
    let mut bindgen = Command::new(&tools.wasm_bindgen);
    // The address of the wasm is ours to say; the one that it would guess, bundlers would look for in vain.
    bindgen.args(["--target", "web", "--no-typescript", "--omit-default-module-path", "--out-dir"]);
    process::run_quietly("wasm-bindgen", bindgen.arg(&pkg).arg(compiled))?;

    let wasm = stage.join("optimized.wasm");
    optimize(&pkg.join(format!("{krate}_bg.wasm")), &wasm)?;
    let wasm = Asset { name: format!("{name}_bg.wasm"), bytes: read_bytes(&wasm)? };

    let script = stage.join("bundled.js");
    let integrity = BASE64_STANDARD.encode(Sha256::digest(&wasm.bytes));
    let is_from_worker = *reader == Reader::Browser;
    let mut esbuild = npm_program("esbuild")?;
    esbuild
        .current_dir(&stage)
        .arg(format!("{name}.js"))
        .args(["--bundle", "--format=esm", "--target=es2022", "--legal-comments=none"])
        .arg(if is_from_worker { "--minify" } else { "--minify-syntax" })
        .args(["--log-level=warning", "--external:/keyhole.js"])
        .arg(format!("--define:__KEYHOLE_WASM__=\"./{}\"", wasm.name))
        .arg(format!("--define:__KEYHOLE_WASM_INTEGRITY__=\"sha256-{integrity}\""))
        .arg(format!("--define:__KEYHOLE_FROM_WORKER__={is_from_worker}"))
        .arg(format!("--outfile={}", script.display()));
    process::run_quietly("esbuild", &mut esbuild)?;
    Ok(vec![Asset { name: format!("{name}.js"), bytes: read_bytes(&script)? }, wasm])
}

fn minified_style(source: &Path) -> Outcome<Asset> {
    let small = place::scratch().join("style.css");
    let mut esbuild = npm_program("esbuild")?;
    esbuild
        .arg(source)
        .args(["--minify", "--log-level=warning"])
        .arg(format!("--outfile={}", small.display()));
    process::run_quietly("esbuild", &mut esbuild)?;
    Ok(Asset { name: "style.css".to_owned(), bytes: read_bytes(&small)? })
}

/// Writes the assets to a directory named by their contents; returns its path as a browser names it.
fn put_hashed(dist: &Path, prefix: &str, assets: &[Asset]) -> Outcome<String> {
    let mut all = Sha256::new();
    for asset in assets {
        all.update(asset.name.as_bytes());
        all.update(Sha256::digest(&asset.bytes));
    }
    let hash: String = hex(&all.finalize()).chars().take(16).collect();
    for asset in assets {
        write(&dist.join(prefix).join(&hash).join(&asset.name), &asset.bytes)?;
    }
    Ok(format!("/{prefix}/{hash}"))
}

/// The page's source names its files without a hash.
fn with_hashed_references(html: &str, page_dir: &str) -> Outcome<String> {
    let mut html = html.to_owned();
    for name in ["page.js", "style.css"] {
        let plain = format!("\"/page/{name}\"");
        if !html.contains(&plain) {
            return said(format!("www/index.html does not refer to {plain}"));
        }
        html = html.replace(&plain, &format!("\"{page_dir}/{name}\""));
    }
    Ok(html)
}

/// Makes `to` equal to `from`: new files first, the ones that refer to them after, what is stale last. A page that
/// loads meanwhile finds one state or the other.
fn publish(from: &Path, to: &Path) -> Outcome {
    let mut files = files_below(from)?;
    files.sort_by_key(|file| (file.components().count() == 1, file.clone()));
    for file in &files {
        let bytes = read_bytes(&from.join(file))?;
        if fs::read(to.join(file)).ok().as_ref() != Some(&bytes) {
            write(&to.join(file), &bytes)?;
        }
    }
    for stale in files_below(to)?.iter().filter(|file| !files.contains(file)) {
        let stale = to.join(stale);
        fs::remove_file(&stale).or_say(|| format!("removing {}", stale.display()))?;
        // Fails, as it should, while something else is in there.
        let _ = stale.parent().map(fs::remove_dir);
    }
    Ok(())
}

/// Paths relative to `root`.
pub(crate) fn files_below(root: &Path) -> Outcome<Vec<PathBuf>> {
    let (mut files, mut directories) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(directory) = directories.pop() {
        if !directory.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&directory).or_say(|| format!("reading {}", directory.display()))? {
            let path = entry.or_say(|| format!("reading {}", directory.display()))?.path();
            if path.is_dir() {
                directories.push(path);
            } else if let Ok(relative) = path.strip_prefix(root) {
                files.push(relative.to_path_buf());
            }
        }
    }
    Ok(files)
}

/// The `.js` files of a crate's directory; wasm-bindgen's output will lie beside them in `pkg`.
fn copy_javascript(from: &Path, to: &Path) -> Outcome {
    for file in files_below(from)?.iter().filter(|file| file.extension().is_some_and(|end| end == "js")) {
        write(&to.join(file), &read_bytes(&from.join(file))?)?;
    }
    Ok(())
}

/// An empty directory, whatever was there.
pub(crate) fn start_empty(directory: &Path) -> Outcome {
    if directory.exists() {
        fs::remove_dir_all(directory).or_say(|| format!("clearing {}", directory.display()))?;
    }
    fs::create_dir_all(directory).or_say(|| format!("making {}", directory.display()))
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Outcome {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).or_say(|| format!("making {}", parent.display()))?;
    }
    fs::write(path, bytes).or_say(|| format!("writing {}", path.display()))
}

pub(crate) fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).or_say(|| format!("reading {}", path.display()))
}

pub(crate) fn read_bytes(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).or_say(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(name: &str, text: &str) -> Asset {
        Asset { name: name.to_owned(), bytes: text.into() }
    }

    #[test]
    fn a_directory_is_named_by_all_its_contents() {
        let dist = tempfile::tempdir().unwrap();
        let put = |assets: &[Asset]| put_hashed(dist.path(), "k", assets).unwrap();
        let first = put(&[asset("a.js", "1"), asset("a.wasm", "1")]);
        assert_eq!(first.len(), "/k/".len() + 16);
        assert_eq!(first, put(&[asset("a.js", "1"), asset("a.wasm", "1")]));
        assert_ne!(first, put(&[asset("a.js", "1"), asset("a.wasm", "2")]));
        assert_eq!(fs::read_to_string(dist.path().join(format!(".{first}/a.wasm"))).unwrap(), "1");
    }

    #[test]
    fn the_page_refers_to_its_hashed_files() {
        let html = r#"<link href="/page/style.css"><script src="/page/page.js"></script>"#;
        let hashed = with_hashed_references(html, "/page/0123").unwrap();
        assert_eq!(hashed, r#"<link href="/page/0123/style.css"><script src="/page/0123/page.js"></script>"#);
    }

    #[test]
    fn the_worker_that_panics_when_asked_to_is_nobodys_default() {
        let manifest = fs::read_to_string(place::root().join("src/worker/Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let features = manifest["features"].as_table().unwrap();
        assert_eq!(features.keys().collect::<Vec<_>>(), ["panic-on-request"]);
        for other in ["Cargo.toml", "wrangler.toml", "package.json"] {
            let text = fs::read_to_string(place::root().join(other)).unwrap();
            assert!(!text.contains("panic-on-request"), "{other}");
        }
    }

    #[test]
    fn a_page_without_its_script_is_an_error() {
        assert!(with_hashed_references(r#"<link href="/page/style.css">"#, "/page/0123").is_err());
    }

    #[test]
    fn publishing_leaves_nothing_stale_behind() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(&from.path().join("k/1/a.js"), b"new").unwrap();
        write(&from.path().join("index.html"), b"new").unwrap();
        write(&to.path().join("k/0/a.js"), b"old").unwrap();
        write(&to.path().join("index.html"), b"old").unwrap();
        publish(from.path(), to.path()).unwrap();
        assert_eq!(read(&to.path().join("index.html")).unwrap(), "new");
        assert_eq!(read(&to.path().join("k/1/a.js")).unwrap(), "new");
        assert!(!to.path().join("k/0").exists());
    }
}
