//! `cargo xtask dev`: Keyhole on this machine, with a local Box or the real one.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::failure::{Failure, Outcome, While, said};
use crate::process::{self, Server};
use crate::servers::{self, Changes, Emulator, Worker};
use crate::vars::Vars;
use crate::{build, place, say, vars};

/// Runs Keyhole on this machine until Ctrl-C
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Use the real Box, as the app in .dev.vars
    #[arg(long = "box")]
    real_box: bool,
    /// Forget all sessions and the emulator's state first
    #[arg(long)]
    fresh: bool,
    /// Do not open a browser
    #[arg(long)]
    no_open: bool,
    /// Where Keyhole answers: http://localhost:PORT
    #[arg(long, value_name = "PORT", default_value_t = 8787)]
    port: u16,
    /// Where the emulated Box answers
    #[arg(long, value_name = "PORT", default_value_t = 9400)]
    emulator_port: u16,
    /// Where the emulated Box serves contents
    #[arg(long, value_name = "PORT", default_value_t = 9401)]
    content_port: u16,
}

pub(crate) fn dev(options: &Options) -> Outcome {
    match run(options) {
        // How it is meant to end.
        Err(Failure::Interrupted) => Ok(()),
        other => other,
    }
}

fn run(options: &Options) -> Outcome {
    check_ports(options)?;
    let local = vars::local()?;
    if options.real_box {
        check_box_app(&local)?;
    }
    build::build()?;
    let state = State::of(options);
    if options.fresh {
        state.forget()?;
    }
    if options.real_box {
        with_real_box(options, &state, local)
    } else {
        with_emulator(options, &state, local)
    }
}

fn with_emulator(options: &Options, state: &State, local: Vars) -> Outcome {
    servers::build_emulator()?;
    say::step("starting the Box emulator and the Worker");
    let emulator = Emulator {
        port: options.emulator_port,
        content_port: options.content_port,
        state: &state.emulator,
        worker_origins: vec![servers::origin(options.port)],
        other_origins: Vec::new(),
    };
    fs::create_dir_all(place::local_state()).or_say(|| "making .wrangler/keyhole".to_owned())?;
    let (emulator_server, status) = emulator.start()?;
    let (worker, worker_server) = start_worker(options, state, for_emulator(local, emulator.vars()))?;
    println!("\n  Open {} and sign in as {}", say::bold(&worker), user(&status));
    serve_until_interrupted(options, &worker, vec![worker_server, emulator_server])
}

/// A local Box's settings win: those of a real app are of no use to it. Only the preview library may be a real one.
fn for_emulator(local: Vars, emulator: Vars) -> Vars {
    let library = local.get("PREVIEW_LIBRARY_URL").filter(|url| !url.is_empty()).cloned();
    let mut vars = local;
    vars.extend(emulator);
    vars.extend(library.map(|url| ("PREVIEW_LIBRARY_URL".to_owned(), url)));
    vars
}

fn with_real_box(options: &Options, state: &State, vars: Vars) -> Outcome {
    say::step("starting the Worker");
    let (worker, server) = start_worker(options, state, vars)?;
    println!("\n  Open {} and sign in with your Box account", say::bold(&worker));
    println!("\n  Your Box app's configuration must hold, in the Developer Console:");
    println!("    OAuth 2.0 Redirect URI   {}", servers::redirect_uri(&worker));
    println!("    CORS Allowed Origin      {worker}");
    serve_until_interrupted(options, &worker, vec![server])
}

/// Returns its address, too.
fn start_worker(options: &Options, state: &State, mut vars: Vars) -> Outcome<(String, Server)> {
    let origin = servers::origin(options.port);
    vars.insert(servers::PUBLIC_ORIGIN.to_owned(), origin.clone());
    let worker = Worker {
        name: "the Worker".to_owned(),
        port: options.port,
        home: place::local_state().join("worker"),
        state: state.worker.clone(),
        vars,
        config: servers::CONFIG.to_owned(),
        changes: Changes { login_limit: None, rebuilds: true },
    };
    // Until it is ready only an error is of interest, and that is shown with the last lines.
    let ready = Arc::new(AtomicBool::new(false));
    let show = Arc::clone(&ready);
    let mut server = worker.launch(move |line| {
        if show.load(Ordering::Relaxed) && !is_wranglers_request_line(line) {
            println!("{line}");
        }
    })?;
    worker.wait(&mut server)?;
    ready.store(true, Ordering::Relaxed);
    Ok((origin, server))
}

fn serve_until_interrupted(options: &Options, address: &str, mut servers: Vec<Server>) -> Outcome {
    println!("  Ctrl-C ends it; sessions stay for the next start.\n");
    if !options.no_open {
        open_browser(address);
    }
    loop {
        for server in &mut servers {
            server.check_alive()?;
        }
        if process::pause().is_err() {
            println!();
            say::step("stopping");
            return Err(Failure::Interrupted);
        }
    }
}

/// The Worker writes a line per request itself, and says more.
fn is_wranglers_request_line(line: &str) -> bool {
    let methods = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];
    line.strip_prefix("[wrangler:info] ")
        .is_some_and(|rest| methods.iter().any(|method| rest.starts_with(method)))
}

/// Who can sign in, and how, as the emulator tells.
fn user(status: &Value) -> String {
    let of = |field: &str| {
        status.pointer(&format!("/user/{field}")).and_then(Value::as_str).unwrap_or("?").to_owned()
    };
    format!("{} with the password {}", say::bold(&of("login")), say::bold(&of("password")))
}

fn check_ports(options: &Options) -> Outcome {
    servers::check_port_is_free(options.port, "--port")?;
    if !options.real_box {
        servers::check_port_is_free(options.emulator_port, "--emulator-port")?;
        servers::check_port_is_free(options.content_port, "--content-port")?;
    }
    Ok(())
}

fn check_box_app(vars: &Vars) -> Outcome {
    let is_missing = |name: &&str| vars.get(*name).is_none_or(String::is_empty);
    let missing: Vec<_> = ["BOX_CLIENT_ID", "BOX_CLIENT_SECRET"].into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    said(format!(
        "{} missing in .dev.vars. Both are in Box's Developer Console: your app, Configuration, OAuth 2.0 \
         Credentials. The README walks through making the app; without --box none is needed.",
        missing.join(" and ")
    ))
}

/// What survives a restart. The real Box's sessions and the emulator's never meet.
struct State {
    worker: PathBuf,
    emulator: PathBuf,
}

impl State {
    fn of(options: &Options) -> Self {
        let local = place::local_state();
        let worker = local.join(if options.real_box { "box-state" } else { "state" });
        Self { worker, emulator: local.join("emulator.json") }
    }

    fn forget(&self) -> Outcome {
        say::step("forgetting all sessions");
        if self.worker.exists() {
            fs::remove_dir_all(&self.worker).or_say(|| format!("removing {}", self.worker.display()))?;
        }
        if self.emulator.exists() {
            fs::remove_file(&self.emulator).or_say(|| format!("removing {}", self.emulator.display()))?;
        }
        Ok(())
    }
}

/// A convenience: where it does not work, the address is on the screen.
fn open_browser(address: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(opener);
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // In a group of its own: the browser stays when we end.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let _ = command.spawn();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> Vars {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_real_box_needs_an_app_and_the_error_names_what_is_missing() {
        let check = |pairs: &[(&str, &str)]| match check_box_app(&vars(pairs)) {
            Err(Failure::Said(text)) => text,
            _ => String::new(),
        };
        assert_eq!(check(&[("BOX_CLIENT_ID", "a"), ("BOX_CLIENT_SECRET", "b")]), "");
        assert!(
            check(&[("BOX_CLIENT_ID", "a"), ("BOX_CLIENT_SECRET", "")])
                .starts_with("BOX_CLIENT_SECRET missing")
        );
        assert!(check(&[]).starts_with("BOX_CLIENT_ID and BOX_CLIENT_SECRET missing"));
    }

    #[test]
    fn wranglers_own_request_lines_are_left_out_and_nothing_else() {
        assert!(is_wranglers_request_line("[wrangler:info] GET /healthz 200 OK (5ms)"));
        assert!(!is_wranglers_request_line("[wrangler:info] Updated and ready on http://127.0.0.1:8787"));
        assert!(!is_wranglers_request_line(r#"{"event":"request","route":"session","status":200}"#));
    }

    #[test]
    fn the_emulator_is_box_whatever_app_is_set_but_the_preview_library_may_be_real() {
        let emulator = vars(&[("BOX_CLIENT_ID", "emulated"), ("PREVIEW_LIBRARY_URL", "stand-in")]);
        let local = vars(&[("BOX_CLIENT_ID", "real"), ("SEAL_KEYS", "k"), ("PREVIEW_LIBRARY_URL", "")]);
        let plain =
            vars(&[("BOX_CLIENT_ID", "emulated"), ("SEAL_KEYS", "k"), ("PREVIEW_LIBRARY_URL", "stand-in")]);
        assert_eq!(for_emulator(local, emulator.clone()), plain);
        let local = vars(&[("PREVIEW_LIBRARY_URL", "real")]);
        assert_eq!(
            for_emulator(local, emulator).get("PREVIEW_LIBRARY_URL").map(String::as_str),
            Some("real")
        );
    }

    #[test]
    fn the_emulators_user_is_named_with_the_password() {
        let status = serde_json::json!({"user": {"name": "Robin", "login": "robin@example.com", "password": "keyhole"}});
        let text = user(&status);
        assert!(text.contains("robin@example.com") && text.contains("keyhole"), "{text}");
    }
}
