//! The session ends, here at once and at Box as soon as Box confirms.

use http::{HeaderMap, Response, StatusCode};

use crate::{
    app::{Body, Context, Keepers, Store},
    cookies,
    fault::Fault,
    headers,
    keeper::message::{Ask, End, Reply},
    session,
};

/// Ends it. Where there is none, it is as good as ended; where the keeper cannot be asked, the browser keeps its
/// cookie and is told, because nothing has ended.
pub(crate) async fn logout<S: Store, K: Keepers>(
    context: &Context<'_, S, K>,
    sent: &HeaderMap,
) -> Result<Response<Body>, Fault> {
    match session::ask(context, sent, Ask::Close(End::SignedOut)).await {
        Ok(Reply::Closed) | Err(Fault::NoSession | Fault::DeadCookie | Fault::Unopened | Fault::Ended(_)) => {
        }
        Ok(_) => return Err(Fault::Skewed),
        Err(fault) => return Err(fault),
    }
    let mut response = headers::empty(StatusCode::NO_CONTENT);
    cookies::clear_session(&mut response);
    Ok(response)
}
