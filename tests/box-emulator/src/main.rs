//! The program: the emulator on two ports of this machine, its state in a file.

mod pdfjs;
mod server;
mod store;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use box_emulator::{Emulator, Options, Rotation, Settings};
use clap::{Parser, ValueEnum};
use tokio::net::TcpListener;

use crate::pdfjs::Pdfjs;
use crate::server::Shared;
use crate::store::Store;

/// A local Box for development and tests: sign-in, tokens, previews. It is not Box and knows nobody real.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Port of the API and the authorize page on 127.0.0.1 (0: any free one).
    #[arg(long, default_value_t = 9400)]
    port: u16,
    /// Port of file content on 127.0.0.1 (0: any free one).
    #[arg(long, default_value_t = 9401)]
    content_port: u16,
    /// Where to keep tokens and sign-ins over restarts. Without it they end with the program.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// What becomes of a redeemed refresh token: replayable until the new pair is used, or dead at once.
    #[arg(long, value_enum, default_value_t = RotationMode::Lazy)]
    rotation: RotationMode,
    /// The npm package pdfjs-dist, unpacked; without it the preview stand-in shows no PDF.
    #[arg(long, value_name = "DIR")]
    pdfjs: Option<PathBuf>,
    /// The app's client id.
    #[arg(long, value_name = "ID", default_value_t = Options::default().client_id)]
    client_id: String,
    /// The app's client secret.
    #[arg(long, value_name = "SECRET", default_value_t = Options::default().client_secret)]
    client_secret: String,
    /// A redirect URI of the app (repeatable). Of a loopback address the port is ignored.
    #[arg(long, value_name = "URI", default_values_t = Options::default().redirect_uris)]
    redirect_uri: Vec<String>,
    /// An origin of the app's CORS allow-list (repeatable): https://app.example, https://*.example.
    #[arg(long, value_name = "ORIGIN", default_values_t = Options::default().cors_origins)]
    cors_origin: Vec<String>,
    /// Makes every token the same on each run. Without it they are random.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RotationMode {
    Lazy,
    Strict,
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
    let pdfjs = arguments.pdfjs.map(Pdfjs::open).transpose()?;
    let (api, api_origin) = listen(arguments.port, "--port").await?;
    let (content, content_origin) = listen(arguments.content_port, "--content-port").await?;
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => getrandom::u64().map_err(|fault| format!("the system gives no randomness: {fault}"))?,
    };
    let rotation = match arguments.rotation {
        RotationMode::Lazy => Rotation::Lazy,
        RotationMode::Strict => Rotation::Strict,
    };
    let options = Options {
        api_origin: api_origin.clone(),
        content_origin: content_origin.clone(),
        client_id: arguments.client_id,
        client_secret: arguments.client_secret,
        redirect_uris: arguments.redirect_uri,
        cors_origins: arguments.cors_origin,
        settings: Settings { rotation, ..Settings::default() },
        seed,
        ..Options::default()
    };
    let mut store = arguments.state.map(Store::new);
    let emulator = match &mut store {
        Some(store) => Emulator::resume(options, store.load(seed)?),
        None => Emulator::new(options),
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
         sign in  robin@example.com, password keyhole\n"
    );
    let _unheard = std::io::stdout().write_all(lines.as_bytes());
}

async fn listen(port: u16, flag: &str) -> Result<(TcpListener, String), String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let listener = TcpListener::bind(address).await.map_err(|fault| match fault.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("port {port} is in use; stop what uses it, or choose another with {flag}")
        }
        _ => format!("cannot listen on {address}: {fault}"),
    })?;
    let bound = listener.local_addr().map_err(|fault| format!("cannot listen on {address}: {fault}"))?;
    Ok((listener, format!("http://{bound}")))
}
