//! HTTP on loopback, in the harness's own process: what Box and KV are served by.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::failure::{Outcome, While as _};

/// Who answers.
pub(crate) trait Answers: Send + Sync + 'static {
    /// The answer; nothing closes the connection without one.
    fn answer(
        self: Arc<Self>,
        request: Request<Vec<u8>>,
    ) -> impl Future<Output = Option<Response<Vec<u8>>>> + Send;
}

/// A free port of loopback.
///
/// # Errors
/// There is none.
pub(crate) async fn listen() -> Outcome<(TcpListener, SocketAddr)> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.or_say("listening on a port of loopback")?;
    let address = listener.local_addr().or_say("listening on a port of loopback")?;
    Ok((listener, address))
}

/// Serves until the runtime ends.
pub(crate) async fn serve<A: Answers>(listener: TcpListener, answers: Arc<A>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, usually: some connection will end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let answers = Arc::clone(&answers);
        tokio::spawn(async move {
            let service = service_fn(move |request| one(Arc::clone(&answers), request));
            // Ends with an error when the caller dies or is to hear nothing: nobody is left to be told.
            let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// In a task of its own: a call goes on when its caller dies, as it would at Box and in KV.
async fn one<A: Answers>(
    answers: Arc<A>,
    request: Request<hyper::body::Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
    let answered = tokio::spawn(answers.answer(Request::from_parts(parts, body))).await;
    match answered.map_err(io::Error::other)? {
        Some(response) => Ok(response.map(|body| Full::new(body.into()))),
        None => Err(io::Error::other("not to be answered")),
    }
}
