//! The program: the emulator on two ports of this machine, its state in a file.

mod files_dir;
mod pdfjs;
mod server;
mod store;

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use box_emulator::{Emulator, Options, OwnFiles, Rotation, Rule, Settings, State, cors_origin, redirect_uri};
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::pdfjs::Pdfjs;
use crate::server::Shared;
use crate::store::Store;

/// A local Box for development and tests: sign-in, tokens, files, previews. It is not Box and knows nobody real.
///
/// Start it, open the address it prints followed by /console, and point your client at that address instead of
/// https://api.box.com and https://account.box.com.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Arguments {
    /// Port of the API, the authorize page and the console (0: any free one).
    #[arg(long, default_value_t = 9400)]
    port: u16,
    /// Port of file content, a second origin as at Box (0: any free one).
    #[arg(long, default_value_t = 9401)]
    content_port: u16,
    /// The address to listen on. Anybody who reaches it can do everything: the console asks for no password.
    #[arg(long, value_name = "IP", default_value_t = Ipv4Addr::LOCALHOST.into())]
    bind: IpAddr,
    /// How others reach the API, if not at the address it listens on: http://box.test:9400.
    #[arg(long, value_name = "ORIGIN", value_parser = own_origin)]
    origin: Option<String>,
    /// The same for file content; must differ from the API's.
    #[arg(long, value_name = "ORIGIN", value_parser = own_origin)]
    content_origin: Option<String>,
    /// Where to keep apps, people, files, tokens and switches over restarts; uploads go into the folder FILE.uploads.
    /// The log and faults on order are not kept. Without it all ends with the program.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// What becomes of a redeemed refresh token: replayable until the new pair is used, or dead at once.
    #[arg(long, value_enum)]
    rotation: Option<RotationMode>,
    /// A switch at the start (repeatable), as the console lists them: children_die_on_revoke=true.
    #[arg(long, value_name = "NAME=VALUE", value_parser = switch)]
    set: Vec<(String, Value)>,
    /// The npm package pdfjs-dist, unpacked; without it the preview stand-in shows no PDF.
    #[arg(long, value_name = "DIR")]
    pdfjs: Option<PathBuf>,
    /// A folder whose files are put into Robin's account: up to 100 MB, without those that begin with a dot.
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// The app's client id.
    #[arg(long, value_name = "ID", default_value_t = Options::default().client_id)]
    client_id: String,
    /// The app's client secret; at first keyhole-dev-secret-not-a-secret.
    #[arg(long, value_name = "SECRET")]
    client_secret: Option<String>,
    /// A redirect URI of the app (repeatable); at first http://localhost:8787/auth/callback. Of a loopback address the
    /// port is ignored.
    #[arg(long, value_name = "URI", value_parser = redirect_uri)]
    redirect_uri: Vec<String>,
    /// An origin of the app's CORS allow-list (repeatable): https://app.example, https://*.example; at first
    /// http://localhost:8787.
    #[arg(long, value_name = "ORIGIN", value_parser = cors_origin)]
    cors_origin: Vec<String>,
    /// Makes every token the same on each run that starts with nothing; a state that is kept goes on with its own.
    /// Without it tokens are random.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// A rule that this Box does not keep, so that tests can be seen to notice.
    #[arg(long = "break", value_name = "RULE", hide = true)]
    broken: Option<Rule>,
}

const AFTER_HELP: &str = "\
Examples:
  box-emulator                               everything in memory, on ports 9400 and 9401
  box-emulator --state box.json              goes on where it stopped
  box-emulator --rotation strict --set outside_resource_status=403
  box-emulator --redirect-uri http://localhost:3000/callback --cors-origin http://localhost:3000";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RotationMode {
    Lazy,
    Strict,
}

impl RotationMode {
    /// As the switch of that name has it.
    fn value(self) -> Value {
        json!(match self {
            Self::Lazy => Rotation::Lazy,
            Self::Strict => Rotation::Strict,
        })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("box-emulator: {fault}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let files = arguments.files.as_deref().map(files_dir::read).transpose()?.unwrap_or_default();
    let pdfjs = arguments.pdfjs.map(Pdfjs::open).transpose()?;
    let (api, api_origin) = listen(arguments.bind, arguments.port, "--port").await?;
    let (content, content_origin) = listen(arguments.bind, arguments.content_port, "--content-port").await?;
    let api_origin = arguments.origin.unwrap_or(api_origin);
    let content_origin = arguments.content_origin.unwrap_or(content_origin);
    apart(&api_origin, &content_origin)?;
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => getrandom::u64().map_err(|fault| format!("the system gives no randomness: {fault}"))?,
    };
    let mut store = arguments.state.map(Store::open).transpose()?;
    let state = store.as_mut().map(|store| store.load(seed)).transpose()?;
    let fresh = State::new(seed);
    let files = OwnFiles::new(files, state.as_ref().unwrap_or(&fresh))
        .map_err(|fault| format!("--files: {fault}"))?;
    let rotation = arguments.rotation.map(|mode| ("rotation".to_owned(), mode.value()));
    let given: Vec<(String, Value)> = rotation.into_iter().chain(arguments.set).collect();
    let some = |given: Vec<String>| (!given.is_empty()).then_some(given);
    let options = Options {
        api_origin: api_origin.clone(),
        content_origin: content_origin.clone(),
        client_id: arguments.client_id,
        client_secret: arguments.client_secret,
        redirect_uris: some(arguments.redirect_uri),
        cors_origins: some(arguments.cors_origin),
        settings: Settings { broken: arguments.broken, ..Settings::default() }
            .with(given.clone())
            .map_err(|fault| format!("--set: {fault}"))?,
        files,
        seed,
        ..Options::default()
    };
    let emulator = match (&mut store, state) {
        (Some(store), Some(mut state)) => {
            state.set(given).map_err(|fault| format!("--set: {fault}"))?;
            let emulator = Emulator::resume(options, state);
            store.save(emulator.state())?;
            emulator
        }
        _ => Emulator::new(options),
    };
    announce(&api_origin, &content_origin);
    let shared = Shared::new(emulator, store, pdfjs);
    tokio::select! {
        () = server::serve(api, shared.clone()) => {}
        () = server::serve(content, shared) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

/// Says where it is, to whoever listens; nobody needs to.
fn announce(api_origin: &str, content_origin: &str) {
    let lines = format!(
        "Box emulator. It is not Box.\n  API      {api_origin}\n  content  {content_origin}\n  \
         console  {api_origin}/console\n  sign in  robin@example.com, password keyhole\n"
    );
    let _unheard = std::io::stdout().write_all(lines.as_bytes());
}

/// `NAME=VALUE`; a value that is no JSON is a word.
fn switch(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("a switch is NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    let named = (name.to_owned(), value);
    Settings::default().with([named.clone()]).map(|_| named)
}

/// One host, unlike in a CORS list.
fn own_origin(text: &str) -> Result<String, String> {
    if text.contains('*') {
        return Err("one host, without *".to_owned());
    }
    cors_origin(text)
}

/// The two are told apart by the `Host` of a request, which has no scheme.
fn apart(api_origin: &str, content_origin: &str) -> Result<(), String> {
    let host = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
    if host(api_origin) == host(content_origin) {
        return Err(format!(
            "the API and file content are both {api_origin}: --origin and --content-origin must differ in host or port"
        ));
    }
    Ok(())
}

async fn listen(ip: IpAddr, port: u16, flag: &str) -> Result<(TcpListener, String), String> {
    let address = SocketAddr::new(ip, port);
    let listener = TcpListener::bind(address).await.map_err(|fault| match fault.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("port {port} is in use; stop what uses it, or choose another with {flag}")
        }
        _ => format!("cannot listen on {address}: {fault}"),
    })?;
    let bound = listener.local_addr().map_err(|fault| format!("cannot listen on {address}: {fault}"))?;
    if ip.is_unspecified() {
        return Ok((listener, format!("http://localhost:{}", bound.port())));
    }
    Ok((listener, format!("http://{bound}")))
}
