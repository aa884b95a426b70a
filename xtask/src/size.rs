//! `cargo xtask size`: what Cloudflare loads and what browsers download, held to budgets; and how long it takes a page to
//! ask for its first token.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};

use crate::failure::{Outcome, While, said};
use crate::setup::npm_program;
use crate::suites::Stage;
use crate::{browser, build, place, process};

/// Compressed, the Worker is loaded wherever it is not warm: this keeps a cold start to some tens of milliseconds.
const WORKER_KB_MAX: f64 = 250.0;
/// Every page that embeds a preview downloads this. We aim at 60.
const MODULE_KB_MAX: f64 = 100.0;
/// What the demo page adds of its own.
const PAGE_KB_MAX: f64 = 60.0;

/// A budget and what was found.
pub(crate) struct Measured {
    name: &'static str,
    files: Vec<(String, f64)>,
    kb_max: f64,
}

impl Measured {
    fn kb(&self) -> f64 {
        self.files.iter().map(|(_, kb)| kb).sum()
    }

    /// Something was found, and it is small enough.
    pub(crate) fn is_within_budget(&self) -> bool {
        !self.files.is_empty() && self.kb() <= self.kb_max
    }
}

/// Measures this clone's build.
///
/// # Errors
/// The build fails, or something is too big.
pub(crate) fn size() -> Outcome {
    build::build()?;
    let bundle = place::scratch().join("bundle");
    dry_run(&bundle)?;
    let measured = measure(&bundle, &place::root().join("www/dist"))?;
    print_table(&measured);
    first_token()?;
    if measured.iter().all(Measured::is_within_budget) { Ok(()) } else { said("too big") }
}

/// Measured on a stage as the browser tests have it, with nobody else on it; the script says how. No budget: the machine
/// has as much a part in it as the code.
fn first_token() -> Outcome {
    let chromium = browser::chromium()?;
    let stage = Stage::set("size", None)?;
    let mut measure = npm_program("node")?;
    measure.arg("tests/browser/first-token.mjs").envs(&stage.variables);
    if let Some(chromium) = chromium {
        measure.env("KEYHOLE_CHROMIUM", chromium);
    }
    process::run("the measurement", &mut measure)
}

/// Bundles exactly as a deploy would, and uploads nothing.
fn dry_run(bundle: &Path) -> Outcome {
    // Its file names change with their contents: an old bundle would be measured, too.
    build::start_empty(bundle)?;
    let mut wrangler = npm_program("wrangler")?;
    wrangler.args(["deploy", "--dry-run", "--outdir"]).arg(bundle);
    process::run_quietly("wrangler deploy --dry-run", &mut wrangler).map(|_| ())
}

/// `bundle` is what a dry run of the deploy left behind, `dist` the static assets.
pub(crate) fn measure(bundle: &Path, dist: &Path) -> Outcome<Vec<Measured>> {
    let code = |file: &Path| file.extension().is_some_and(|end| end == "js" || end == "wasm");
    let web = |file: &Path| code(file) || file.extension().is_some_and(|end| end == "css" || end == "html");
    let module = [files(&dist.join("k"), code)?, vec![dist.join("keyhole.js")]].concat();
    let page = [files(&dist.join("page"), web)?, vec![dist.join("index.html")]].concat();
    Ok(vec![
        measured("the Worker", WORKER_KB_MAX, bundle, files(bundle, code)?)?,
        measured("the browser module", MODULE_KB_MAX, dist, module)?,
        measured("the demo page's own", PAGE_KB_MAX, dist, page)?,
    ])
}

fn measured(name: &'static str, kb_max: f64, root: &Path, paths: Vec<PathBuf>) -> Outcome<Measured> {
    let mut files = Vec::new();
    for path in paths {
        let bytes = fs::read(&path).or_say(|| format!("reading {}", path.display()))?;
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        files.push((shown, gzipped_kb(&bytes)?));
    }
    Ok(Measured { name, files, kb_max })
}

/// Thousands of bytes after the compression that every server offers, at its best.
fn gzipped_kb(bytes: &[u8]) -> Outcome<f64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let small =
        encoder.write_all(bytes).and_then(|()| encoder.finish()).or_say(|| "compressing".to_owned())?;
    let length = u32::try_from(small.len()).or_say(|| "measuring".to_owned())?;
    Ok(f64::from(length) / 1000.0)
}

fn files(directory: &Path, wanted: impl Fn(&Path) -> bool) -> Outcome<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = Vec::new();
    for path in build::files_below(directory)? {
        if wanted(&path) {
            found.push(directory.join(path));
        }
    }
    found.sort();
    Ok(found)
}

/// One line per file, one per budget.
pub(crate) fn print_table(all: &[Measured]) {
    for measured in all {
        for (file, kb) in &measured.files {
            println!("  {file:<44} {kb:>7.1} KB");
        }
        let verdict = if measured.is_within_budget() { "fits" } else { "TOO BIG" };
        println!(
            "{:<46} {:>7.1} KB of {:.0} gzipped: {verdict}",
            measured.name,
            measured.kb(),
            measured.kb_max
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(files: &[f64]) -> Measured {
        let files = files.iter().map(|kb| ("a".to_owned(), *kb)).collect();
        Measured { name: "it", files, kb_max: 100.0 }
    }

    #[test]
    fn a_budget_holds_for_all_files_together() {
        assert!(with(&[60.0, 40.0]).is_within_budget());
        assert!(!with(&[60.0, 40.1]).is_within_budget());
    }

    #[test]
    fn a_budget_of_nothing_is_not_kept() {
        assert!(!with(&[]).is_within_budget());
    }

    #[test]
    fn compressed_bytes_are_counted() {
        let plain = vec![0; 100_000];
        let kb = gzipped_kb(&plain).unwrap();
        assert!(kb > 0.0 && kb < 1.0, "{kb}");
    }
}
