//! From a keeper to Box: no redirects, a bounded answer, a time limit, and only hosts of the configuration, because
//! the request was built in core from nothing else.

use core::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use keyhole_core::box_api::{ANSWER_BYTES_MAX, BoxAnswer, BoxRequest, Unreachable};
use worker::{
    AbortController, AbortSignal, Delay, Error, Fetch, Request, RequestInit, RequestRedirect, Result,
    wasm_bindgen::JsValue,
};

use crate::convert;

/// Box's whole answer, or why there is none.
pub(crate) async fn send(
    request: BoxRequest,
    limit: Duration,
) -> core::result::Result<BoxAnswer, Unreachable> {
    let abort = AbortController::default();
    let signal = abort.signal();
    let exchange = pin!(exchange(request, &signal));
    match select(exchange, pin!(Delay::from(limit))).await {
        Either::Left((Ok(answer), _)) => answer,
        Either::Left((Err(_), _)) => Err(Unreachable::Broken),
        Either::Right(_) => {
            abort.abort();
            Err(Unreachable::Slow)
        }
    }
}

async fn exchange(
    request: BoxRequest,
    signal: &AbortSignal,
) -> Result<core::result::Result<BoxAnswer, Unreachable>> {
    let mut init = RequestInit::new();
    init.with_method(request.method().as_str().to_owned().into())
        .with_headers(convert::headers_out(request.headers())?)
        .with_redirect(RequestRedirect::Manual);
    let uri = request.uri().to_string();
    let body = request.into_body();
    if !body.is_empty() {
        init.with_body(Some(JsValue::from(body)));
    }
    let request = Request::new_with_init(&uri, &init)?;
    let mut response = Fetch::Request(request).send_with_signal(signal).await?;
    let mut answer = http::Response::new(Vec::new());
    *answer.status_mut() = http::StatusCode::from_u16(response.status_code())
        .map_err(|_| Error::RustError("Box's status is none".into()))?;
    // All that is judged: nothing else of Box's headers, cookies least of all, comes any further.
    if let Some(value) = response.headers().get("retry-after")?
        && let Ok(value) = value.parse()
    {
        answer.headers_mut().insert(http::header::RETRY_AFTER, value);
    }
    let (body, too_large) = convert::read(response.stream()?, ANSWER_BYTES_MAX).await?;
    *answer.body_mut() = body;
    Ok(if too_large { Err(Unreachable::TooLarge) } else { Ok(answer) })
}
