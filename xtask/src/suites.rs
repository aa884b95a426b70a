//! What each suite of `cargo xtask test` does.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::{self, Built};
use crate::count::{self, Tally};
use crate::failure::{Failure, Outcome, While, said};
use crate::process::{self, Server};
use crate::servers::{self, Changes, Emulator, PUBLIC_ORIGIN, Worker};
use crate::setup::{self, WASM_TARGET, cargo, npm_program};
use crate::test::{Options, Suite};
use crate::variants::{self, MAIN, Variant};
use crate::vars::Vars;
use crate::{
    browser, chaos, conformance, elements, examples, fresh_clone, keys, package, pin, place, say, size,
};

/// More logins per minute than tests start.
const LOGIN_LIMIT: i64 = 100_000;
/// Crates that run in a browser or at the edge.
const WASM_CRATES: [&str; 5] =
    ["keyhole-core", "keyhole-worker", "keyhole-storage-worker", "keyhole-client", "keyhole-page"];
/// Crates whose tests need nothing beside them: what cargo builds by default, and what browser code decides.
const UNIT_CRATES: [&str; 8] = [
    "keyhole-core",
    "box-emulator",
    "keyhole-native-tests",
    "keyhole-explore",
    "keyhole-chaos",
    "xtask",
    "keyhole-client",
    "keyhole-page",
];

/// Runs a suite and counts.
///
/// # Errors
/// It could not even begin, or somebody pressed Ctrl-C.
pub(crate) fn run(suite: Suite, options: &Options) -> Outcome<Tally> {
    match suite {
        Suite::Lint => lint(),
        Suite::Unit => unit(&options.runner_arguments),
        Suite::Build => builds(),
        Suite::Deploy => deploy(),
        Suite::Edge => edge(&options.runner_arguments),
        Suite::Conformance => conformance::suite(),
        Suite::Chaos => chaos::short(),
        Suite::Browser => in_browser("module", options),
        Suite::Page => in_browser("page", options),
        Suite::Samples => in_browser(SAMPLES, options),
        Suite::Console => in_browser("console", options),
    }
}

/// Each step counts as one test.
fn lint() -> Outcome<Tally> {
    setup::setup()?;
    let wasm = WASM_CRATES.map(|name| ["-p", name]).concat();
    let mut tally = Tally::default();
    tally += check("cargo fmt", cargo().args(["fmt", "--all", "--check"]))?;
    let mut host = cargo();
    host.args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    tally += check("clippy for this machine", &mut host)?;
    let mut edge = cargo();
    edge.args(["clippy", "--quiet", "--target", WASM_TARGET]).args(wasm).args(["--", "-D", "warnings"]);
    tally += check("clippy for wasm32", &mut edge)?;
    let mut doc = cargo();
    doc.args(["doc", "--quiet", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    tally += check("cargo doc", &mut doc)?;
    tally += check(
        "tsc, of a sample of what developers write",
        npm_program("tsc")?.args(["-p", package::SAMPLES]),
    )?;
    Ok(tally)
}

/// A program whose success is a test.
fn check(name: &str, command: &mut Command) -> Outcome<Tally> {
    say::step(name);
    verdict(process::run(name, command))
}

/// A step whose success is a test.
fn verdict<T>(outcome: Outcome<T>) -> Outcome<Tally> {
    match outcome {
        Ok(_) => Ok(Tally::one(true)),
        Err(Failure::Interrupted) => Err(Failure::Interrupted),
        Err(Failure::Said(text)) => {
            say::failure(&text);
            Ok(Tally::one(false))
        }
    }
}

fn unit(arguments: &[String]) -> Outcome<Tally> {
    let packages = UNIT_CRATES.map(|name| ["-p", name]).concat();
    let mut test = cargo();
    test.args(["test", "--no-fail-fast"]).args(packages).arg("--").args(arguments);
    cargo_test(&mut test)
}

/// Runs and counts; tests that do not compile are one failure.
fn cargo_test(command: &mut Command) -> Outcome<Tally> {
    let mut tally = Tally::default();
    let status = process::run_reading("cargo test", command, |line| {
        println!("{line}");
        if let Some(counted) = count::cargo_test_line(line) {
            tally += counted;
        }
    })?;
    if !status.success() && tally.failed == 0 {
        tally += Tally::one(false);
    }
    Ok(tally)
}

fn builds() -> Outcome<Tally> {
    let mut tally = verdict(build::build())?;
    if tally.failed == 0 {
        say::step("a second build has nothing to do");
        tally += verdict(match build::build()? {
            Built::NothingToDo => Ok(()),
            Built::Anew => {
                said("a second build did everything again: it does not know its inputs or outputs")
            }
        })?;
        tally += packages()?;
    }
    Ok(tally)
}

/// What npm would publish, packed and installed.
fn packages() -> Outcome<Tally> {
    let app = package::app();
    let mut tally = verdict(package::install_in(&app))?;
    if tally.failed == 0 {
        for (claim, holds) in package::PROOFS {
            say::step(claim);
            tally += verdict(holds(&app))?;
        }
    }
    Ok(tally)
}

fn deploy() -> Outcome<Tally> {
    say::step("npx wrangler deploy --dry-run, from a fresh clone");
    let clone = fresh_clone::make()?;
    let bundle = place::scratch().join("bundle");
    let mut tally = verdict(fresh_clone::dry_run(&clone, &bundle))?;
    if tally.failed == 0 {
        let measured = size::measure(&bundle, &clone.join("www/dist"))?;
        size::print_table(&measured);
        for budget in &measured {
            tally += Tally::one(budget.is_within_budget());
        }
    }
    Ok(tally)
}

fn edge(arguments: &[String]) -> Outcome<Tally> {
    build::build()?;
    build::build_storage_worker()?;
    // Compiled before the servers start, so that nobody's session idles meanwhile.
    process::run("cargo test", cargo().args(["test", "--quiet", "--no-run", "-p", "keyhole-edge-tests"]))?;
    let stage = Stage::set("edge", None)?;
    let mut test = cargo();
    test.args(["test", "--no-fail-fast", "-p", "keyhole-edge-tests", "--"]).args(arguments);
    test.envs(&stage.variables);
    cargo_test(&mut test)
}

/// The folder of stories that use what others publish: a bundler, React, Box's own components.
const SAMPLES: &str = "samples";

/// The stories of one folder, in Chromium.
fn in_browser(stories: &str, options: &Options) -> Outcome<Tally> {
    build::build()?;
    let chromium = browser::chromium()?;
    let stage = Stage::set("browser", options.preview_library.as_deref())?;
    let report = stage.home.join("report.json");
    let mut test = npm_program("playwright")?;
    test.args(["test", "--config", "tests/browser", "--reporter=list,json"]).args(&options.runner_arguments);
    test.envs(&stage.variables).env("PLAYWRIGHT_JSON_OUTPUT_NAME", &report).env("KEYHOLE_STORIES", stories);
    if stories == SAMPLES {
        test.envs(examples::variables()?).envs(elements::variables()?);
        test.env("KEYHOLE_PIN", pin::line(&place::root().join("www/dist"), pin::SOMEWHERE)?);
    }
    if let Some(chromium) = chromium {
        test.env("KEYHOLE_CHROMIUM", chromium);
    }
    if let Some(library) = &options.preview_library {
        test.env("KEYHOLE_PREVIEW_LIBRARY_URL", library);
    }
    let status = process::run_reading("playwright", &mut test, |line| println!("{line}"))?;
    let report = fs::read_to_string(&report).or_say(|| "Playwright wrote no report".to_owned())?;
    let mut tally = count::playwright_report(&report)?;
    if !status.success() && tally.failed == 0 {
        tally += Tally::one(false);
    }
    Ok(tally)
}

/// A Box and some Workers, all fresh, and where tests find them. Dropping it ends them.
pub(crate) struct Stage {
    home: PathBuf,
    pub(crate) variables: Vars,
    _servers: Vec<Server>,
}

impl Stage {
    /// The stage that `tests/workers.toml` describes for a suite.
    ///
    /// # Errors
    /// A server does not start.
    pub(crate) fn set(suite: &str, preview_library: Option<&str>) -> Outcome<Self> {
        servers::build_emulator()?;
        let variants = variants::of_suite(suite)?;
        say::step(&format!("starting the Box emulator and {} Workers", variants.len()));
        let home = place::local_state().join("test").join(suite);
        if home.exists() {
            fs::remove_dir_all(&home).or_say(|| format!("clearing {}", home.display()))?;
        }
        fs::create_dir_all(&home).or_say(|| format!("making {}", home.display()))?;

        let mut ports = servers::free_ports(variants.len() + 2)?;
        let state = home.join("emulator.json");
        let mut take =
            || ports.pop().ok_or_else(|| Failure::Said("there are not enough free ports".to_owned()));
        let (port, content_port) = (take()?, take()?);
        let own_origins = variants.iter().zip(&ports).map(|(variant, port)| public_origin(variant, *port));
        let others = variants.iter().flat_map(Variant::allowed_origins);
        let emulator = Emulator {
            port,
            content_port,
            state: &state,
            worker_origins: own_origins.collect(),
            other_origins: others.collect(),
        };
        let (server, _) = emulator.start()?;
        let mut running = vec![server];
        let mut shared = emulator.vars();
        shared.insert("SEAL_KEYS".to_owned(), keys::entry("k1")?);

        let mut variables = Vars::new();
        variables.insert("KEYHOLE_EMULATOR_URL".to_owned(), emulator.url());
        variables.insert("KEYHOLE_CONTENT_URL".to_owned(), emulator.content_url());
        // All at once, then wait for each.
        let mut workers = Vec::new();
        for (variant, port) in variants.iter().zip(ports) {
            let mut worker = worker(variant, port, &home, &shared);
            if let Some(library) = preview_library {
                worker.vars.insert("PREVIEW_LIBRARY_URL".to_owned(), library.to_owned());
            }
            announce(variant, &worker, &mut variables);
            let server = worker.launch(log_to(&log_file(&worker.home))?)?;
            workers.push((worker, server));
        }
        for (worker, mut server) in workers {
            worker.wait(&mut server)?;
            running.push(server);
        }
        Ok(Self { home, variables, _servers: running })
    }
}

/// Where browsers reach it: on its port, unless it says otherwise.
fn public_origin(variant: &Variant, port: u16) -> String {
    variant.vars.get(PUBLIC_ORIGIN).cloned().unwrap_or_else(|| servers::origin(port))
}

fn worker(variant: &Variant, port: u16, stage: &Path, shared: &Vars) -> Worker {
    let home = stage.join(&variant.name);
    let mut vars = shared.clone();
    vars.extend(variant.vars.clone());
    vars.insert(PUBLIC_ORIGIN.to_owned(), public_origin(variant, port));
    vars.retain(|name, _| !variant.without.contains(name));
    Worker {
        name: format!("the Worker [{}]", variant.name),
        port,
        state: home.join("state"),
        home,
        vars,
        config: variant.config.clone(),
        changes: Changes { login_limit: Some(variant.login_limit.unwrap_or(LOGIN_LIMIT)), rebuilds: false },
    }
}

/// Tells tests about a Worker.
fn announce(variant: &Variant, worker: &Worker, variables: &mut Vars) {
    variables.insert(variant.url_variable(), servers::origin(worker.port));
    if variant.name == MAIN {
        let path = |path: PathBuf| path.display().to_string();
        variables.insert("KEYHOLE_STATE_DIR".to_owned(), path(worker.state.clone()));
        variables.insert("KEYHOLE_VARS_FILE".to_owned(), path(worker.home.join(".dev.vars")));
        variables.insert("KEYHOLE_WORKER_LOG".to_owned(), path(log_file(&worker.home)));
    }
}

fn log_file(home: &Path) -> PathBuf {
    home.join("output.log")
}

/// What a Worker writes is kept for tests that look for secrets in it, and for people who look for a cause.
fn log_to(path: &Path) -> Outcome<impl Fn(&str) + Send + 'static> {
    let doing = || format!("making {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).or_say(doing)?;
    }
    let file = File::create(path).or_say(doing)?;
    Ok(move |line: &str| {
        let _ = writeln!(&file, "{line}");
    })
}
