//! The runtime's requests and responses, as values and back.

use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use keyhole_core::{app::BODY_BYTES_MAX, sent};
use worker::{ByteStream, Error, Headers, Request, Response, Result};

/// The request with its body read; a longer one than any route takes arrives cut, one byte over the limit.
pub(crate) async fn request_in(mut request: Request) -> Result<http::Request<Vec<u8>>> {
    let raw = request.inner();
    let mut converted = http::Request::new(Vec::new());
    *converted.method_mut() =
        raw.method().parse().map_err(|_| Error::RustError("the method is no token".into()))?;
    *converted.uri_mut() = raw.url().parse().map_err(|_| Error::RustError("the address is no URI".into()))?;
    *converted.headers_mut() = headers_in(request.headers());
    if raw.body().is_some() {
        let (body, _) = read(request.stream()?, BODY_BYTES_MAX).await?;
        *converted.body_mut() = body;
    }
    Ok(converted)
}

/// Reads a body; `true` if there was more than `bytes_max`.
pub(crate) async fn read(mut stream: ByteStream, bytes_max: usize) -> Result<(Vec<u8>, bool)> {
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk?);
        if body.len() > bytes_max {
            body.truncate(bytes_max.saturating_add(1));
            return Ok((body, true));
        }
    }
    Ok((body, false))
}

/// The headers that core reads; a value that is none is left out. The runtime has joined repeated ones by commas.
fn headers_in(headers: &Headers) -> HeaderMap {
    let one = |name: &HeaderName| {
        let value = headers.get(name.as_str()).ok()??;
        Some((name.clone(), HeaderValue::try_from(value).ok()?))
    };
    sent::all().filter_map(one).collect()
}

/// Headers for the runtime.
pub(crate) fn headers_out(headers: &HeaderMap) -> Result<Headers> {
    let converted = Headers::new();
    for (name, value) in headers {
        let value = value.to_str().map_err(|_| Error::RustError("a header is not ASCII".into()))?;
        converted.append(name.as_str(), value)?;
    }
    Ok(converted)
}

/// The response for the runtime.
pub(crate) fn response_out(parts: http::response::Parts, body: Vec<u8>) -> Result<Response> {
    let builder =
        Response::builder().with_status(parts.status.as_u16()).with_headers(headers_out(&parts.headers)?);
    Ok(if body.is_empty() { builder.empty() } else { builder.fixed(body) })
}
