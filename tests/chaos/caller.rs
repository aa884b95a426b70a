//! One exchange with the Worker over HTTP, on a connection of its own, as a browser's page makes it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::request::Builder;
use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::failure::{Failure, Outcome, While as _, said};

/// Longer than the Worker lets anybody wait.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// Where the Worker answers.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Where its socket is.
    pub(crate) address: SocketAddr,
    /// As browsers name it.
    pub(crate) origin: String,
}

/// An answer; its redirect is not followed.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as JSON; `null` where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header's text.
    pub(crate) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The cookies it sets, by name and value.
    pub(crate) fn cookies(&self) -> Vec<(String, String)> {
        let set = self.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        set.filter_map(|cookie| cookie.split(';').next()?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

/// What a request is, besides method and path.
pub(crate) enum Manner<'a> {
    /// A person goes somewhere.
    Navigation,
    /// The page reads.
    Reading,
    /// The page asks for something to be done, with JSON or without.
    Page(&'a Value),
}

impl Site {
    /// Sends one request and waits for the whole answer.
    ///
    /// # Errors
    /// The connection breaks, or nobody answers in time.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        cookie: Option<&str>,
        manner: Manner<'_>,
    ) -> Outcome<Answer> {
        let request = self.request(method, path, cookie, manner)?;
        match timeout(ANSWERED_WITHIN, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => said(format!("no answer within {} s", ANSWERED_WITHIN.as_secs())),
        }
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        cookie: Option<&str>,
        manner: Manner<'_>,
    ) -> Outcome<Request<Full<Bytes>>> {
        let host = self.origin.split_once("://").map_or("", |(_, host)| host);
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, host);
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let mut body = Bytes::new();
        match manner {
            Manner::Navigation => {
                request = request
                    .header(header::ACCEPT, "text/html")
                    .header("sec-fetch-site", "none")
                    .header("sec-fetch-mode", "navigate")
                    .header("sec-fetch-dest", "document");
            }
            Manner::Reading => request = fetch(request),
            Manner::Page(json) => {
                request = fetch(request).header(header::ORIGIN, &self.origin);
                if !json.is_null() {
                    request = request.header(header::CONTENT_TYPE, "application/json");
                    body = json.to_string().into();
                }
            }
        }
        request.body(Full::new(body)).or_say("making a request")
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Outcome<Answer> {
        let stream = TcpStream::connect(self.address).await.or_say("connecting to the Worker")?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.or_say("connecting to the Worker")?;
        let connection = tokio::spawn(connection);
        let answer = async {
            let (parts, body) = sender.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
        }
        .await;
        connection.abort();
        answer.map_err(|error: hyper::Error| Failure(format!("asking the Worker: {error}")))
    }
}

/// What `keyhole.js` sends, and what a browser adds to it.
fn fetch(request: Builder) -> Builder {
    request
        .header("keyhole-request", "1")
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "cors")
        .header("sec-fetch-dest", "empty")
}
