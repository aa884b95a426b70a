//! Who may use the control API: programs on this machine, and the console that this emulator itself serves.
//!
//! No other page: not by `fetch`, not by a form, not by a name that suddenly means this machine (DNS rebinding).

use http::StatusCode;
use http::header::HeaderName;
use url::Url;

use super::Refusal;
use crate::emulator::Emulator;
use crate::request::{self, Call};

/// Browsers say by it where a request comes from, and no page can change it. Programs do not send it.
/// <https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// # Errors
/// 403 for everybody else.
pub(super) fn admit(emulator: &Emulator, call: &Call) -> Result<(), Refusal> {
    let refuse = |why: &str| {
        Err((StatusCode::FORBIDDEN, format!("the control API is not for other web pages: {why}")))
    };
    if !is_here(emulator, &call.authority) {
        return refuse("the Host is another");
    }
    let own_page = match call.header(&SITE) {
        None | Some("none") => false,
        Some("same-origin") => true,
        Some(_) => return refuse("Sec-Fetch-Site is neither none nor same-origin"),
    };
    match call.origin() {
        None => Ok(()),
        Some(origin) if own_page && is_own(emulator, origin, &call.authority) => Ok(()),
        Some(_) => refuse("the request has an Origin"),
    }
}

/// Whether a page sent it: after [`admit`] that is the console.
pub(super) fn is_from_a_page(call: &Call) -> bool {
    call.header(&SITE).is_some_and(|site| site != "none")
}

/// Whether a page of `origin` is one that was served under `authority`.
fn is_own(emulator: &Emulator, origin: &str, authority: &str) -> bool {
    origin == emulator.options.api_origin && origin.ends_with(&format!("://{authority}"))
        || origin == format!("http://{authority}")
}

fn is_here(emulator: &Emulator, authority: &str) -> bool {
    let own = emulator.options.api_origin.split_once("://").map_or("", |(_, authority)| authority);
    authority == own
        || Url::parse(&format!("http://{authority}/")).is_ok_and(|url| request::is_this_machine(&url))
}
