//! The shell: sockets, the clock, waiting, and dropped connections.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use box_emulator::{BodyTooLarge, Emulator, Reply, body_bytes_max};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;

use crate::pdfjs::Pdfjs;
use crate::store::Store;

/// What all connections share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

struct Inner {
    running: Mutex<Running>,
    pdfjs: Option<Pdfjs>,
}

struct Running {
    emulator: Emulator,
    store: Option<Store>,
}

impl Shared {
    pub(crate) fn new(emulator: Emulator, store: Option<Store>, pdfjs: Option<Pdfjs>) -> Self {
        Self(Arc::new(Inner { running: Mutex::new(Running { emulator, store }), pdfjs }))
    }

    /// Answers and saves before anyone hears of it, so that what was answered survives a restart. What cannot be saved
    /// is not answered.
    fn handle(&self, request: Request<Vec<u8>>) -> Reply {
        let now_ms = now_ms();
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Running { emulator, store } = &mut *running;
        let reply = emulator.handle(request, now_ms);
        if let Some(store) = store
            && let Err(fault) = store.save(emulator.state())
        {
            eprintln!("box-emulator: {fault}");
            return Reply { response: not_saved(&fault), ..reply };
        }
        reply
    }
}

/// Serves connections until the program ends.
pub(crate) async fn serve(listener: TcpListener, shared: Shared) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, usually: some connection will end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(shared.clone(), request));
            let mut connection = http1::Builder::new();
            connection.timer(TokioTimer::new());
            // Ends with an error when the client leaves or a drop was ordered: nobody is left to be told.
            let _ended = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// An error closes the connection without an answer.
async fn answer(shared: Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
    if let Some(response) = shared.0.pdfjs.as_ref().and_then(|pdfjs| pdfjs.answer(request.uri().path())) {
        return Ok(response.map(|body| Full::new(body.into())));
    }
    let (mut parts, body) = request.into_parts();
    let body = match Limited::new(body, body_bytes_max(parts.uri.path())).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(_) => {
            parts.extensions.insert(BodyTooLarge);
            Vec::new()
        }
    };
    let reply = shared.handle(Request::from_parts(parts, body));
    if reply.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(reply.delay_ms)).await;
    }
    if reply.drop_connection {
        return Err(io::Error::other("dropped on order"));
    }
    Ok(reply.response.map(|body| Full::new(body.into())))
}

/// No word of Box's: Box has no state file.
fn not_saved(fault: &str) -> Response<Vec<u8>> {
    let told =
        json!({"error": format!("this was not answered, because it would not survive a restart: {fault}")});
    let mut response = Response::new(told.to_string().into_bytes());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[expect(clippy::disallowed_methods, reason = "the program's one look at the clock")]
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
