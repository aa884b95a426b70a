//! The script tag that runs this build of the browser module and no other: for pages that pin what they embed.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha384};

use crate::failure::{Outcome, While, said};
use crate::{build, place, say, servers};

/// Where a Worker is that nobody has named yet.
pub(crate) const SOMEWHERE: &str = "https://YOUR-WORKER";

/// Prints the line for the Worker that `wrangler.toml` names.
///
/// # Errors
/// Nothing is built.
pub(crate) fn print() -> Outcome {
    let config = build::read(&place::root().join(servers::CONFIG))?;
    let line = line(&place::root().join("www/dist"), &public_origin(&config)?)?;
    say::step("to pin this very build, a page says");
    println!("  {line}");
    Ok(())
}

/// The line for what is built in `dist` and served from `origin`.
///
/// # Errors
/// Nothing is built.
pub(crate) fn line(dist: &Path, origin: &str) -> Outcome<String> {
    let modules = dist.join("k");
    let Some(module) = build::files_below(&modules)?.into_iter().find(|file| file.ends_with("keyhole.js"))
    else {
        return said(format!("there is no browser module in {}", modules.display()));
    };
    let bytes = fs::read(modules.join(&module)).or_say(|| format!("reading {}", module.display()))?;
    let integrity = BASE64_STANDARD.encode(Sha384::digest(bytes));
    let address = format!("{origin}/k/{}", module.display());
    Ok(format!(
        r#"<script type="module" src="{address}" integrity="sha384-{integrity}" crossorigin></script>"#
    ))
}

fn public_origin(config: &str) -> Outcome<String> {
    let config: toml::Table = config.parse().or_say(|| format!("reading {}", servers::CONFIG))?;
    let origin = config.get("vars").and_then(|vars| vars.get("PUBLIC_ORIGIN")).and_then(toml::Value::as_str);
    Ok(origin.unwrap_or(SOMEWHERE).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_the_hashed_file_and_its_digest() {
        let dist = tempfile::tempdir().unwrap();
        let module = dist.path().join("k/0123");
        fs::create_dir_all(&module).unwrap();
        fs::write(module.join("keyhole.js"), "abc").unwrap();
        fs::write(module.join("keyhole_bg.wasm"), "x").unwrap();
        // FIPS 180-2, the SHA-384 of `abc`.
        let digest = "ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn";
        assert_eq!(
            line(dist.path(), "https://a.example").unwrap(),
            format!(
                r#"<script type="module" src="https://a.example/k/0123/keyhole.js" integrity="sha384-{digest}" crossorigin></script>"#
            )
        );
    }

    #[test]
    fn nothing_is_pinned_before_it_is_built() {
        let dist = tempfile::tempdir().unwrap();
        assert!(line(dist.path(), "https://a.example").is_err());
    }

    #[test]
    fn the_worker_is_the_one_that_is_deployed() {
        let named = "[vars]\nPUBLIC_ORIGIN = \"https://a.example\"";
        assert_eq!(public_origin(named).unwrap(), "https://a.example");
        assert_eq!(public_origin("[vars]\nBOX_CLIENT_ID = \"x\"").unwrap(), SOMEWHERE);
        assert!(public_origin("=").is_err());
    }
}
