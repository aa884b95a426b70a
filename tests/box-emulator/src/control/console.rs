//! `/console`: the page on which a person sees and changes what is in the emulator. It is files only; what it shows it
//! asks of the control API.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{Method, StatusCode};
use include_dir::{Dir, include_dir};

use crate::answer::{self, Response};
use crate::assets;
use crate::request::{Call, Port};

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/control/page");
const PAGE: &str = "index.html";

/// Scripts and styles from here, questions to here, and nothing else: what a name or a file's name holds cannot act.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Whether `call` is for the console. It is no part of Box: nothing of it is counted or goes wrong on order.
pub(crate) fn is_for(call: &Call) -> bool {
    call.port == Port::Api && (call.path == "/console" || call.path.starts_with("/console/"))
}

/// Answers it.
pub(crate) fn answer(call: &Call) -> Response {
    if call.method != Method::GET && call.method != Method::HEAD {
        let mut response = answer::empty(StatusCode::METHOD_NOT_ALLOWED);
        answer::set(&mut response, ALLOW, "GET, HEAD");
        return response;
    }
    let name = call.path.strip_prefix("/console/").filter(|name| !name.is_empty()).unwrap_or(PAGE);
    let (status, bytes) = match (name, FILES.get_file(name)) {
        ("style.css", _) => (StatusCode::OK, assets::AUTHORIZE_STYLE.as_bytes()),
        (_, Some(file)) => (StatusCode::OK, file.contents()),
        (_, None) => (StatusCode::NOT_FOUND, [].as_slice()),
    };
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let mut response = answer::bytes(status, assets::content_type(extension), bytes.to_vec());
    answer::set(&mut response, CONTENT_SECURITY_POLICY, POLICY);
    answer::set(&mut response, CACHE_CONTROL, "no-store");
    answer::set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    answer::set(&mut response, X_FRAME_OPTIONS, "DENY");
    answer::set(&mut response, REFERRER_POLICY, "no-referrer");
    answer::set(&mut response, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    answer::set(&mut response, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    response
}
