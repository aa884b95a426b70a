//! The two servers that developing and testing need: the Worker on workerd, and a Box beside it.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::failure::{Outcome, While, said};
use crate::place;
use crate::process::{self, Server};
use crate::say::Stopwatch;
use crate::setup::{cargo, npm_program};
use crate::vars::{self, Vars};

/// The first start of workerd on a cold disk takes some 15 s; where sources changed since the build, wrangler builds
/// again first, and a busy machine takes its time. A server that ends is noticed at once.
const ANSWERS_WITHIN: Duration = Duration::from_secs(300);
const ONE_REQUEST_MAX: Duration = Duration::from_secs(5);

/// The emulator's app. Known to everyone, worth nothing.
const CLIENT_ID: &str = "keyhole-dev";
const CLIENT_SECRET: &str = "keyhole-dev-secret-not-a-secret";
/// The release of Box's preview library whose stand-in the emulator serves.
const LIBRARY_VERSION: &str = "3.81.0";

/// A Box emulator to start.
pub(crate) struct Emulator<'a> {
    pub(crate) port: u16,
    pub(crate) content_port: u16,
    pub(crate) state: &'a Path,
    /// Where browsers reach Workers: the app's redirect URIs and CORS origins follow from it.
    pub(crate) worker_origins: Vec<String>,
    /// Whose pages show previews beside the Workers' own: CORS origins, too.
    pub(crate) other_origins: Vec<String>,
}

impl Emulator<'_> {
    /// Another site than the Worker's `localhost`, as Box is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn content_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.content_port)
    }

    /// What makes a Worker take this for Box.
    pub(crate) fn vars(&self) -> Vars {
        let url = self.url();
        let library = format!("{url}/platform/preview/{LIBRARY_VERSION}/en-US/preview.js");
        let vars = [
            ("BOX_CLIENT_ID", CLIENT_ID.to_owned()),
            ("BOX_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("BOX_AUTHORIZE_URL", format!("{url}/api/oauth2/authorize")),
            ("BOX_API_URL", url.clone()),
            ("BOX_APP_URL", url),
            ("BOX_CONTENT_ORIGINS", self.content_url()),
            ("PREVIEW_LIBRARY_URL", library),
        ];
        vars.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Starts it and waits until it answers. Returns what it says of itself.
    pub(crate) fn start(&self) -> Outcome<(Server, Value)> {
        let mut command = Command::new(place::target().join("debug/box-emulator"));
        command
            .arg("--port")
            .arg(self.port.to_string())
            .arg("--content-port")
            .arg(self.content_port.to_string());
        command.arg("--state").arg(self.state).args([
            "--client-id",
            CLIENT_ID,
            "--client-secret",
            CLIENT_SECRET,
        ]);
        command.arg("--pdfjs").arg(place::root().join("node_modules/pdfjs-dist"));
        for origin in self.worker_origins.iter().chain(&self.other_origins) {
            command.arg("--cors-origin").arg(origin);
        }
        for origin in to_register(&self.worker_origins) {
            command.arg("--redirect-uri").arg(redirect_uri(origin));
        }
        let mut server = process::serve("the Box emulator", &mut command, |_| ())?;
        let status = wait_for(&mut server, &format!("{}/emulator/status", self.url()))?;
        let status = serde_json::from_str(&status).or_say(|| "reading the emulator's status".to_owned())?;
        Ok((server, status))
    }
}

/// Compiles the emulator.
pub(crate) fn build_emulator() -> Outcome {
    process::run("cargo build", cargo().args(["build", "--quiet", "-p", "box-emulator"]))
}

/// Where Box sends people back to.
pub(crate) fn redirect_uri(origin: &str) -> String {
    format!("{origin}/auth/callback")
}

/// The origins whose redirect URI an app has to have. Of `localhost` Box ignores the port, so that one is enough; and an
/// app with one alone may leave it out of its requests.
fn to_register(origins: &[String]) -> Vec<&String> {
    let (local, others): (Vec<_>, Vec<_>) =
        origins.iter().partition(|origin| origin.starts_with("http://localhost:"));
    local.into_iter().take(1).chain(others).collect()
}

/// Where a local Worker answers: `localhost`, which browsers treat as secure.
pub(crate) fn origin(port: u16) -> String {
    format!("http://localhost:{port}")
}

/// The setting that says where browsers reach a Worker.
pub(crate) const PUBLIC_ORIGIN: &str = "PUBLIC_ORIGIN";

/// Keyhole's own configuration, from the root of the clone.
pub(crate) const CONFIG: &str = "wrangler.toml";

/// A Worker to start with `wrangler dev`.
pub(crate) struct Worker {
    pub(crate) name: String,
    pub(crate) port: u16,
    /// Where its configuration, its settings and wrangler's own files lie.
    pub(crate) home: PathBuf,
    /// Where KV and objects are stored.
    pub(crate) state: PathBuf,
    pub(crate) vars: Vars,
    /// Its configuration, from the root of the clone.
    pub(crate) config: String,
    pub(crate) changes: Changes,
}

/// How a local Worker's configuration differs from the deployed one's.
#[derive(Clone, Copy, Default)]
pub(crate) struct Changes {
    /// Logins per minute, where `wrangler.toml`'s number would be in the way.
    pub(crate) login_limit: Option<i64>,
    /// Build again when sources change.
    pub(crate) rebuilds: bool,
}

impl Worker {
    /// Starts it; it does not answer yet.
    pub(crate) fn launch(&self, on_line: impl Fn(&str) + Send + 'static) -> Outcome<Server> {
        fs::create_dir_all(&self.home).or_say(|| format!("making {}", self.home.display()))?;
        let config = place::root().join(&self.config);
        let config = fs::read_to_string(&config).or_say(|| format!("reading {}", config.display()))?;
        let file = self.home.join("wrangler.toml");
        fs::write(&file, local_config(&config, &place::root(), &self.home, self.changes)?)
            .or_say(|| format!("writing {}", file.display()))?;
        // Beside the configuration is where wrangler looks for them: no secret is on a command line.
        vars::write(&self.home.join(".dev.vars"), &self.vars)?;

        let mut wrangler = npm_program("wrangler")?;
        wrangler.args([
            "dev",
            "--local",
            "--ip",
            "127.0.0.1",
            "--show-interactive-dev-session=false",
            "--port",
        ]);
        wrangler.arg(self.port.to_string()).args(["--inspector-port", "0"]);
        wrangler.arg("--config").arg(&file).arg("--persist-to").arg(&self.state);
        if self.vars.get(PUBLIC_ORIGIN).is_some_and(|origin| origin.starts_with("https://")) {
            // Somebody ends TLS before it, and says so (`X-Forwarded-Proto`). Otherwise wrangler writes `http` into
            // every header that holds the Worker's own address.
            wrangler.args(["--upstream-protocol", "https"]);
        }
        // It would ask Cloudflare where in the world we are.
        wrangler.env("CLOUDFLARE_CF_FETCH_ENABLED", "false");
        // Its registry of local Workers and its logs stay ours, so that several can run at once.
        wrangler.env("WRANGLER_REGISTRY_PATH", self.home.join("registry"));
        wrangler.env("WRANGLER_LOG_PATH", self.home.join("logs")).env("WRANGLER_HIDE_BANNER", "true");
        // It would keep a trace of each request on disk, addresses with codes and states among it.
        wrangler.env("X_LOCAL_OBSERVABILITY", "false");
        process::serve(&self.name, &mut wrangler, on_line)
    }

    /// Waits until it answers.
    pub(crate) fn wait(&self, server: &mut Server) -> Outcome {
        wait_for(server, &format!("{}/healthz", origin(self.port))).map(|_| ())
    }
}

/// `wrangler.toml` for a local run: the same Worker, from another directory.
fn local_config(deployed: &str, root: &Path, home: &Path, changes: Changes) -> Outcome<String> {
    let mut config: toml::Table = deployed.parse().or_say(|| "reading wrangler.toml".to_owned())?;
    let absolute = |path: &str| toml::Value::from(root.join(path).to_string_lossy().into_owned());
    if let Some(main) = config.get_mut("main") {
        *main = absolute(main.as_str().unwrap_or_default());
    }
    if let Some(directory) = config.get_mut("assets").and_then(|assets| assets.get_mut("directory")) {
        *directory = absolute(directory.as_str().unwrap_or_default());
    }
    match config.get_mut("build").and_then(toml::Value::as_table_mut) {
        Some(build) if changes.rebuilds => {
            build.insert("cwd".to_owned(), absolute(""));
            for watched in
                build.get_mut("watch_dir").and_then(toml::Value::as_array_mut).into_iter().flatten()
            {
                // Wrangler takes these, and only these, from the configuration's directory even if absolute.
                *watched = upwards(home, root, watched.as_str().unwrap_or_default()).into();
            }
        }
        _ => {
            config.remove("build");
        }
    }
    if let Some(limit) = changes.login_limit {
        for rule in config.get_mut("ratelimits").and_then(toml::Value::as_array_mut).into_iter().flatten() {
            if let Some(simple) = rule.get_mut("simple").and_then(toml::Value::as_table_mut) {
                simple.insert("limit".to_owned(), limit.into());
            }
        }
    }
    Ok(config.to_string())
}

/// `path` below `root`, as seen from `home` below `root`.
fn upwards(home: &Path, root: &Path, path: &str) -> String {
    let depth = home.strip_prefix(root).map_or(0, |below| below.components().count());
    "../".repeat(depth) + path
}

/// Waits until there is any answer at `url`; returns its body.
fn wait_for(server: &mut Server, url: &str) -> Outcome<String> {
    let watch = Stopwatch::start();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(ONE_REQUEST_MAX))
        .http_status_as_error(false)
        .build()
        .into();
    while watch.elapsed() < ANSWERS_WITHIN {
        server.check_alive()?;
        if let Ok(mut answer) = agent.get(url).call() {
            return answer.body_mut().read_to_string().or_say(|| format!("reading {url}"));
        }
        process::pause()?;
    }
    said(format!(
        "no answer at {url} within {} s. It said last:\n{}",
        ANSWERS_WITHIN.as_secs(),
        server.last_lines()
    ))
}

/// # Errors
/// Somebody listens there; the text names the port and the flag that changes it.
pub(crate) fn check_port_is_free(port: u16, flag: &str) -> Outcome {
    if is_free(port) {
        Ok(())
    } else {
        said(format!("port {port} is in use. Choose another with {flag} PORT"))
    }
}

/// `localhost` may lead to either address.
fn is_free(port: u16) -> bool {
    let taken = |address: SocketAddr| {
        TcpListener::bind(address).is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
    };
    !taken((Ipv4Addr::LOCALHOST, port).into()) && !taken((Ipv6Addr::LOCALHOST, port).into())
}

/// Below those that systems hand out to outgoing connections, so that none of these gets in before our servers.
const TEST_PORTS: Range<u16> = 20_000..32_000;

/// Ports that nobody uses right now, no two the same.
///
/// # Errors
/// There are not enough.
pub(crate) fn free_ports(count: usize) -> Outcome<Vec<u16>> {
    // From anywhere, so that two runs at the same time do not meet.
    let anywhere = getrandom::u32().or_say(|| "asking the system for random bytes".to_owned())?;
    let start = TEST_PORTS.start + u16::try_from(anywhere % 10_000).unwrap_or_default();
    let ports: Vec<u16> = (start..TEST_PORTS.end).filter(|port| is_free(*port)).take(count).collect();
    if ports.len() == count { Ok(ports) } else { said("there are not enough free ports") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployed() -> String {
        fs::read_to_string(place::root().join("wrangler.toml")).unwrap()
    }

    fn local(changes: Changes) -> toml::Table {
        local_config(&deployed(), Path::new("/clone"), Path::new("/clone/.wrangler/x"), changes)
            .unwrap()
            .parse()
            .unwrap()
    }

    #[test]
    fn a_local_worker_is_the_deployed_one_from_another_directory() {
        let (mut local, deployed) = (local(Changes::default()), deployed().parse::<toml::Table>().unwrap());
        assert_eq!(local["main"].as_str(), Some("/clone/build/index.js"));
        assert_eq!(local["assets"]["directory"].as_str(), Some("/clone/www/dist"));
        assert!(!local.contains_key("build"));
        local["main"] = deployed["main"].clone();
        local["assets"]["directory"] = deployed["assets"]["directory"].clone();
        local.insert("build".to_owned(), deployed["build"].clone());
        assert_eq!(local, deployed);
    }

    #[test]
    fn a_local_worker_may_have_another_login_limit_and_build_itself() {
        let local = local(Changes { login_limit: Some(9), rebuilds: true });
        assert_eq!(local["ratelimits"][0]["simple"]["limit"].as_integer(), Some(9));
        assert_eq!(local["ratelimits"][0]["simple"]["period"].as_integer(), Some(60));
        assert_eq!(local["build"]["watch_dir"][0].as_str(), Some("../../src"));
    }

    #[test]
    fn wrangler_toml_binds_what_the_worker_asks_for() {
        let config: toml::Table = deployed().parse().unwrap();
        assert_eq!(config["kv_namespaces"][0]["binding"].as_str(), Some("STORE"));
        assert_eq!(config["assets"]["binding"].as_str(), Some("ASSETS"));
        assert_eq!(config["ratelimits"][0]["name"].as_str(), Some("LOGIN_LIMIT"));
        let object = &config["durable_objects"]["bindings"][0];
        assert_eq!(
            (object["name"].as_str(), object["class_name"].as_str()),
            (Some("KEEPERS"), Some("Keeper"))
        );
        assert_eq!(config["migrations"][0]["new_sqlite_classes"][0].as_str(), Some("Keeper"));
    }

    #[test]
    fn the_worker_answers_first_where_answers_depend_on_settings() {
        let config: toml::Table = deployed().parse().unwrap();
        let first = config["assets"]["run_worker_first"].as_array().unwrap();
        let first: Vec<_> = first.iter().filter_map(toml::Value::as_str).collect();
        assert_eq!(first, ["/", "/index.html", "/auth/*", "/api/*", "/ticket/*", "/healthz"]);
    }

    #[test]
    fn no_secret_is_in_wrangler_toml() {
        let config: toml::Table = deployed().parse().unwrap();
        let vars = config.get("vars").and_then(toml::Value::as_table).cloned().unwrap_or_default();
        assert!(!vars.contains_key("SEAL_KEYS") && !vars.contains_key("BOX_CLIENT_SECRET"));
    }

    #[test]
    fn invocation_logs_stay_off() {
        let config: toml::Table = deployed().parse().unwrap();
        assert_eq!(config["observability"]["logs"]["invocation_logs"].as_bool(), Some(false));
    }

    #[test]
    fn a_port_in_use_is_an_error_that_names_port_and_flag() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let Err(crate::failure::Failure::Said(text)) = check_port_is_free(port, "--port") else {
            panic!("it is free")
        };
        assert!(text.contains(&port.to_string()) && text.contains("--port"), "{text}");
        drop(listener);
        assert!(check_port_is_free(port, "--port").is_ok());
    }

    #[test]
    fn of_localhost_one_redirect_uri_is_registered() {
        let origins =
            ["http://localhost:1", "https://auth.example.test", "http://localhost:2"].map(str::to_owned);
        assert_eq!(to_register(&origins), ["http://localhost:1", "https://auth.example.test"]);
    }

    #[test]
    fn free_ports_are_free_and_no_two_the_same() {
        let ports = free_ports(100).unwrap();
        let listeners: Vec<_> =
            ports.iter().map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port))).collect();
        assert!(listeners.iter().all(Result::is_ok));
        assert!(ports.iter().all(|port| !is_free(*port)));
    }
}
