//! A Worker of a test's own, with the settings of [main], that can be killed and started again on its state.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::harness::{Worker, eventually, stage};

/// The first start of workerd on a busy machine takes long.
const ANSWERS_WITHIN: Duration = Duration::from_secs(90);

/// Its state lives as long as this value.
pub(crate) struct OwnWorker {
    home: TempDir,
    port: u16,
    running: Option<Child>,
}

impl OwnWorker {
    /// Starts it on fresh state.
    #[track_caller]
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let home = tempfile::tempdir().unwrap();
        let main = PathBuf::from(stage::variable("KEYHOLE_VARS_FILE")).parent().unwrap().to_path_buf();
        fs::copy(main.join("wrangler.toml"), home.path().join("wrangler.toml")).unwrap();
        let mut own = Self { home, port, running: None };
        let theirs = stage::setting("PUBLIC_ORIGIN");
        let vars = fs::read_to_string(main.join(".dev.vars")).unwrap();
        fs::write(own.home.path().join(".dev.vars"), vars.replace(&theirs, &own.worker().origin)).unwrap();
        own.restart();
        own
    }

    pub(crate) fn worker(&self) -> Worker {
        Worker { origin: format!("http://localhost:{}", self.port) }
    }

    /// Where its KV and objects lie.
    pub(crate) fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// Changes a setting; it takes effect at the next start.
    #[track_caller]
    pub(crate) fn set(&self, name: &str, value: &str) {
        let file = self.home.path().join(".dev.vars");
        let vars = fs::read_to_string(&file).unwrap();
        let is_it = |line: &&str| line.split_once('=').is_some_and(|(held, _)| held.trim() == name);
        let others: Vec<&str> = vars.lines().filter(|line| !is_it(line)).collect();
        assert!(others.len() < vars.lines().count(), "{name} is set");
        fs::write(file, format!("{}\n{name}=\"{value}\"\n", others.join("\n"))).unwrap();
    }

    /// As by a power cut: no process of it says goodbye.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            let group = i32::try_from(running.id()).ok().and_then(Pid::from_raw).unwrap();
            // An error would mean that it is gone already.
            let _gone = kill_process_group(group, Signal::KILL);
            running.wait().unwrap();
        }
    }

    /// Starts it on the state it left.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node_modules/.bin");
        let home = self.home.path();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
        let log = File::options().create(true).append(true).open(home.join("output.txt")).unwrap();
        let mut wrangler = Command::new(programs.join("wrangler"));
        wrangler
            .args(["dev", "--local", "--ip", "127.0.0.1", "--show-interactive-dev-session=false"])
            .args(["--port", &self.port.to_string(), "--inspector-port", "0", "--config"])
            .arg(home.join("wrangler.toml"))
            .arg("--persist-to")
            .arg(self.state())
            .env("PATH", path)
            .env("WRANGLER_REGISTRY_PATH", home.join("registry"))
            .env("WRANGLER_LOG_PATH", home.join("logs"))
            .env("WRANGLER_SEND_METRICS", "false")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        self.running = Some(wrangler.spawn().unwrap());
        let health = format!("{}/healthz", self.worker().origin);
        eventually("the test's own Worker answers", ANSWERS_WITHIN, || {
            ureq::get(&health).config().timeout_global(Some(Duration::from_secs(5))).build().call().ok()
        });
    }

    /// What it wrote since its first start.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("output.txt")).unwrap()
    }
}

impl Drop for OwnWorker {
    fn drop(&mut self) {
        self.kill();
    }
}
