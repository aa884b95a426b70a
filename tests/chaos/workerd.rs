//! workerd itself, started on a configuration of our own, killed without a goodbye, and started again.
//!
//! The socket that it listens on is the harness's: a caller that comes while it is dead waits in the queue, as behind a
//! load balancer, and a new start needs no new port.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::failure::{OrSaid as _, Outcome, While as _, said};

/// The key of the keepers' namespace, which object ids are derived from.
pub(crate) const NAMESPACE: &str = "keyhole-chaos";

/// The stand-in for the rate limiter: the harness signs in more often than a person.
const LIMITER: &str = "class Ratelimit { async limit() { return { success: true } } }
export default () => new Ratelimit();";

/// What a Worker is made of and where it finds the others.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The program.
    pub(crate) workerd: PathBuf,
    /// `index.js` and `index_bg.wasm`.
    pub(crate) build: PathBuf,
    /// The static assets.
    pub(crate) assets: PathBuf,
    /// `wrangler.toml`, of which the compatibility date is taken.
    pub(crate) wrangler: PathBuf,
    /// An empty directory.
    pub(crate) home: PathBuf,
    /// `address:port` of KV.
    pub(crate) kv: String,
    /// Settings and secrets.
    pub(crate) settings: Vec<(&'static str, String)>,
}

impl Setup {
    /// Where the objects' files are.
    pub(crate) fn objects(&self) -> PathBuf {
        self.home.join("objects")
    }

    fn config(&self) -> PathBuf {
        self.home.join("config.capnp")
    }

    /// Writes the configuration beside the Worker's code.
    fn write(&self) -> Outcome {
        for file in ["index.js", "index_bg.wasm"] {
            let from = self.build.join(file);
            fs::copy(&from, self.home.join(file)).or_say(&format!("copying {}", from.display()))?;
        }
        fs::create_dir_all(self.objects()).or_say("making the objects' directory")?;
        let wrangler = fs::read_to_string(&self.wrangler).or_say("reading wrangler.toml")?;
        let text = config(self, &compatibility_date(&wrangler)?);
        fs::write(self.config(), text).or_say("writing workerd's configuration")
    }
}

fn compatibility_date(wrangler: &str) -> Outcome<String> {
    let wrangler: toml::Table = wrangler.parse().or_say("reading wrangler.toml")?;
    if wrangler.contains_key("compatibility_flags") {
        return said("wrangler.toml has compatibility flags now: tests/chaos/workerd.rs must pass them on");
    }
    let date = wrangler.get("compatibility_date").and_then(toml::Value::as_str);
    date.map(str::to_owned).or_said("wrangler.toml has no compatibility_date")
}

/// Cap'n Proto text, as `workerd.capnp` defines it.
fn config(setup: &Setup, compatibility_date: &str) -> String {
    let settings: String = setup
        .settings
        .iter()
        .map(|(name, value)| format!("    (name = {}, text = {}),\n", quoted(name), quoted(value)))
        .collect();
    let path = |path: &Path| quoted(&path.to_string_lossy());
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "keyhole", worker = .keyhole),
    (name = "kv", external = (address = {kv}, http = ())),
    (name = "assets", disk = (path = {assets})),
    (name = "objects", disk = (path = {objects}, writable = true)),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", http = (), service = "keyhole")],
  extensions = [(modules = [(name = "chaos:limiter", internal = true, esModule = {limiter})])],
);

const keyhole :Workerd.Worker = (
  modules = [
    (name = "index.js", esModule = embed "index.js"),
    (name = "index_bg.wasm", wasm = embed "index_bg.wasm"),
  ],
  compatibilityDate = {compatibility_date},
  bindings = [
    (name = "STORE", kvNamespace = "kv"),
    (name = "KEEPERS", durableObjectNamespace = "Keeper"),
    (name = "ASSETS", service = "assets"),
    (name = "LOGIN_LIMIT", wrapped = (moduleName = "chaos:limiter")),
{settings}  ],
  durableObjectNamespaces = [(className = "Keeper", uniqueKey = "{NAMESPACE}", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),
);
"#,
        kv = quoted(&setup.kv),
        assets = path(&setup.assets),
        objects = path(&setup.objects()),
        limiter = quoted(LIMITER),
        compatibility_date = quoted(compatibility_date),
    )
}

/// A string of Cap'n Proto's text form.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// A workerd that runs, or does not.
pub(crate) struct Workerd {
    setup: Setup,
    listener: TcpListener,
    running: Mutex<Option<Child>>,
}

impl Workerd {
    /// Starts it for the first time. It listens where `listener` does.
    ///
    /// # Errors
    /// A file is missing, or the program does not start.
    pub(crate) fn start(setup: Setup, listener: TcpListener) -> Outcome<Self> {
        setup.write()?;
        let workerd = Self { setup, listener, running: Mutex::new(None) };
        workerd.restart()?;
        Ok(workerd)
    }

    /// As by a power cut, for the process: it says no goodbye. What it wrote is in the system's hands.
    ///
    /// # Errors
    /// It had ended by itself.
    pub(crate) fn kill(&self) -> Outcome {
        let Some(mut child) = lock(&self.running).take() else { return Ok(()) };
        if let Some(status) = child.try_wait().or_say("looking after workerd")? {
            return said(format!("workerd ended by itself ({status}): see {}", self.log().display()));
        }
        child.kill().or_say("killing workerd")?;
        child.wait().or_say("waiting for workerd's end").map(|_| ())
    }

    /// Starts it on the state it left.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn restart(&self) -> Outcome {
        let log =
            File::options().create(true).append(true).open(self.log()).or_say("opening workerd's log")?;
        let errors = log.try_clone().or_say("opening workerd's log")?;
        let socket: OwnedFd = self.listener.try_clone().or_say("handing the socket on")?.into();
        let child = Command::new(&self.setup.workerd)
            .args(["serve", "--experimental", "--socket-fd", "http=0"])
            .arg(self.setup.config())
            .stdin(Stdio::from(socket))
            .stdout(log)
            .stderr(errors)
            .spawn()
            .or_say("starting workerd")?;
        *lock(&self.running) = Some(child);
        Ok(())
    }

    /// What it wrote since its first start.
    pub(crate) fn log(&self) -> PathBuf {
        self.setup.home.join("output.log")
    }

    /// Where its objects' files are.
    pub(crate) fn objects(&self) -> PathBuf {
        self.setup.objects()
    }
}

impl Drop for Workerd {
    fn drop(&mut self) {
        // An error says that it is gone already.
        let _gone = self.kill();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_quotes_and_line_ends() {
        assert_eq!(quoted("a \"b\"\n\\c"), r#""a \"b\"\n\\c""#);
    }

    #[test]
    fn the_runtime_behaves_as_at_the_deployed_date() {
        let wrangler = include_str!("../../wrangler.toml");
        assert_eq!(compatibility_date(wrangler).unwrap().len(), "2026-10-15".len());
        assert!(compatibility_date("compatibility_date = \"2026-10-15\"\ncompatibility_flags = []").is_err());
    }

    /// What `wrangler.toml` binds, the configuration binds too.
    #[test]
    fn every_binding_of_the_deployed_worker_is_there() {
        let path = PathBuf::from("/p");
        let (workerd, build, assets) = (path.clone(), path.clone(), path.clone());
        let (wrangler, home, kv) = (path.clone(), path, "127.0.0.1:1".to_owned());
        let setup = Setup { workerd, build, assets, wrangler, home, kv, settings: Vec::new() };
        let text = config(&setup, "2026-10-15");
        let deployed: toml::Table = include_str!("../../wrangler.toml").parse().unwrap();
        let mut bindings = vec![deployed["assets"]["binding"].as_str().unwrap()];
        let tables = [
            (&deployed["kv_namespaces"], "binding"),
            (&deployed["durable_objects"]["bindings"], "name"),
            (&deployed["ratelimits"], "name"),
        ];
        for (table, key) in tables {
            bindings.extend(table.as_array().unwrap().iter().map(|binding| binding[key].as_str().unwrap()));
        }
        assert_eq!(bindings.len(), 4);
        for binding in bindings {
            assert!(text.contains(&format!("(name = \"{binding}\"")), "{binding}");
        }
    }
}
