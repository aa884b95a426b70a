//! Who may use the control API: programs on this machine, and the console that this emulator itself serves.
//!
//! No other page: not by `fetch`, not by a form, not by a name that suddenly means this machine (DNS rebinding).

use http::StatusCode;
use http::header::HeaderName;

use super::Refusal;
use crate::emulator::Emulator;
use crate::request::Call;

/// Browsers say by it where a request comes from, and no page can change it. Programs do not send it.
/// <https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The Host has been looked at before: a page of another name does not come so far.
///
/// # Errors
/// 403 for everybody else.
pub(super) fn admit(emulator: &Emulator, call: &Call) -> Result<(), Refusal> {
    let refuse = |why: &str| {
        Err((StatusCode::FORBIDDEN, format!("the control API is not for other web pages: {why}")))
    };
    let site = call.header(&SITE);
    if site.is_some_and(|site| !matches!(site, "none" | "same-origin")) {
        return refuse("Sec-Fetch-Site is neither none nor same-origin");
    }
    match call.origin() {
        None => Ok(()),
        // Browsers tell the site only where they trust the connection, which is not the case for http in a network.
        Some(origin) if site != Some("none") && is_own(emulator, origin, &call.authority) => Ok(()),
        Some(_) => refuse("the request has an Origin"),
    }
}

/// Whether a page sent it: after [`admit`] that is the console.
pub(super) fn is_from_a_page(call: &Call) -> bool {
    call.origin().is_some() || call.header(&SITE).is_some_and(|site| site != "none")
}

/// Whether a page of `origin` is one that was served under `authority`.
fn is_own(emulator: &Emulator, origin: &str, authority: &str) -> bool {
    origin == emulator.options.api_origin && origin.ends_with(&format!("://{authority}"))
        || origin == format!("http://{authority}")
}
