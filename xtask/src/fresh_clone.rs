//! A copy of this clone as somebody gets it who has just cloned it: nothing installed, nothing built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Outcome, While};
use crate::{build, place, process, setup};

/// What commands leave in a clone. Cargo's target directory is shared with ours, or this would take minutes.
const LEFT_BY_COMMANDS: [&str; 4] = ["node_modules", "build", "www/dist", ".wrangler"];

/// Not below the target directory: of a package there cargo remembers the copy's sources and not ours, and then takes
/// ours for compiled whatever becomes of them.
fn place() -> PathBuf {
    place::local_state().join("fresh-clone")
}

/// Makes the copy: what git knows, and what it would if it were added.
///
/// # Errors
/// git cannot tell, or copying fails.
pub(crate) fn make() -> Outcome<PathBuf> {
    let (root, clone) = (place::root(), place());
    let mut git = Command::new("git");
    git.current_dir(&root).args(["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
    let mut known = Vec::new();
    process::run_reading("git ls-files", &mut git, |line| known.push(PathBuf::from(line)))?;
    known.retain(|file| root.join(file).is_file());

    for left in LEFT_BY_COMMANDS {
        let left = clone.join(left);
        if left.exists() {
            fs::remove_dir_all(&left).or_say(|| format!("clearing {}", left.display()))?;
        }
    }
    copy_changed(&known, &root, &clone)?;
    Ok(clone)
}

/// A file that has not changed keeps its time, so that cargo need not compile it again.
fn copy_changed(files: &[PathBuf], from: &Path, to: &Path) -> Outcome {
    for file in files {
        let (from, to) = (from.join(file), to.join(file));
        let bytes = fs::read(&from).or_say(|| format!("reading {}", from.display()))?;
        if fs::read(&to).is_ok_and(|present| present == bytes) {
            continue;
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).or_say(|| format!("making {}", parent.display()))?;
        }
        fs::copy(&from, &to).or_say(|| format!("writing {}", to.display()))?;
    }
    for stale in build::files_below(to)?.iter().filter(|file| !files.contains(file)) {
        fs::remove_file(to.join(stale)).or_say(|| format!("removing {}", stale.display()))?;
    }
    Ok(())
}

/// What the README tells somebody who deploys, but for the secrets and the upload.
///
/// # Errors
/// A command fails.
pub(crate) fn dry_run(clone: &Path, bundle: &Path) -> Outcome {
    build::start_empty(bundle)?;
    let command = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        setup::forget_our_cargo(&mut command);
        command.current_dir(clone).args(arguments).env("CARGO_TARGET_DIR", place::target());
        command.env("WRANGLER_SEND_METRICS", "false");
        command
    };
    process::run("npm ci", &mut command("npm", &["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    let mut wrangler = command("npx", &["wrangler", "deploy", "--dry-run", "--outdir"]);
    process::run("npx wrangler deploy --dry-run", wrangler.arg(bundle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_holds_what_is_known_and_nothing_else() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(from.path().join("src")).unwrap();
        fs::write(from.path().join("src/lib.rs"), "new").unwrap();
        fs::write(from.path().join("secret"), "x").unwrap();
        fs::write(to.path().join("stale"), "x").unwrap();
        copy_changed(&[PathBuf::from("src/lib.rs")], from.path(), to.path()).unwrap();
        assert_eq!(build::files_below(to.path()).unwrap(), [PathBuf::from("src/lib.rs")]);
        assert_eq!(fs::read_to_string(to.path().join("src/lib.rs")).unwrap(), "new");
    }

    #[test]
    fn what_the_copy_compiles_is_not_taken_for_ours() {
        assert!(!place().starts_with(place::target()));
    }

    #[test]
    fn a_file_that_has_not_changed_keeps_its_time() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = [PathBuf::from("a")];
        fs::write(from.path().join("a"), "1").unwrap();
        copy_changed(&files, from.path(), to.path()).unwrap();
        let time = |dir: &tempfile::TempDir| fs::metadata(dir.path().join("a")).unwrap().modified().unwrap();
        let first = time(&to);
        fs::write(from.path().join("a"), "1").unwrap();
        copy_changed(&files, from.path(), to.path()).unwrap();
        assert_eq!(time(&to), first);
    }
}
