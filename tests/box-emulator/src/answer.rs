//! Answers: JSON, pages, empty ones, and the two error shapes.

use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER, SET_COOKIE,
    VARY, WWW_AUTHENTICATE,
};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::refusals::{self, ApiRefusal, OAuthRefusal};

pub(crate) type Response = http::Response<Vec<u8>>;

/// For a name that is not this emulator's (RFC 9110 section 15.5.20). Box would not be asked at all.
pub(crate) fn misdirected() -> Response {
    bytes(
        StatusCode::MISDIRECTED_REQUEST,
        "text/plain; charset=utf-8",
        b"This is a Box emulator, and the Host of this request is not its own. Start it with --origin and \
          --content-origin to be reached under other names.\n"
            .to_vec(),
    )
}

/// What Box's error objects point to.
const HELP_URL: &str = "http://developers.box.com/docs/#errors";

pub(crate) fn bytes(status: StatusCode, content_type: &str, body: Vec<u8>) -> Response {
    let mut response = empty(status);
    *response.body_mut() = body;
    set(&mut response, CONTENT_TYPE, content_type);
    response
}

pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    response
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    bytes(status, "application/json", body.to_string().into_bytes())
}

pub(crate) fn ok(body: &Value) -> Response {
    json(StatusCode::OK, body)
}

pub(crate) fn redirect(status: StatusCode, location: &str) -> Response {
    let mut response = empty(status);
    set(&mut response, LOCATION, location);
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

/// The answer of the token endpoint. The cookies are what Box really sends: nobody may pass them on.
pub(crate) fn oauth(status: StatusCode, body: &Value) -> Response {
    let mut response = if body.is_null() { empty(status) } else { json(status, body) };
    set(&mut response, CACHE_CONTROL, "no-store");
    for junk in ["box_visitor_id=68f0c1a2b3c4d5.00000000", "bv=OPS-51000", "cn=42", "site_preference=desktop"]
    {
        add(&mut response, SET_COOKIE, &format!("{junk}; path=/; HttpOnly; SameSite=Lax"));
    }
    response
}

pub(crate) fn oauth_refusal(refusal: &OAuthRefusal) -> Response {
    oauth(refusal.status, &json!({"error": refusal.error, "error_description": refusal.description}))
}

pub(crate) fn api_refusal(refusal: &ApiRefusal, request_id: &str) -> Response {
    let mut response = json(
        refusal.status,
        &json!({
            "type": "error",
            "status": refusal.status.as_u16(),
            "code": refusal.code,
            "context_info": refusal.context_info,
            "help_url": HELP_URL,
            "message": refusal.message,
            "request_id": request_id,
        }),
    );
    if refusal.code == "insufficient_scope" {
        let challenge = format!(
            "Bearer realm=\"Service\", error=\"insufficient_scope\", error_description=\"{}\"",
            refusal.message
        );
        set(&mut response, WWW_AUTHENTICATE, &challenge);
    }
    response
}

/// Box's 429, which says when to come again.
pub(crate) fn rate_limited(seconds: u64, request_id: &str) -> Response {
    let mut response = api_refusal(&refusals::RATE_LIMIT_EXCEEDED, request_id);
    set(&mut response, RETRY_AFTER, &seconds.to_string());
    response
}

/// Box's 401: no body at all. SDKs tell an expired token from other refusals by that (box-node-sdk#157).
pub(crate) fn unauthorized(challenge: &str) -> Response {
    let mut response = empty(StatusCode::UNAUTHORIZED);
    set(&mut response, WWW_AUTHENTICATE, challenge);
    response
}

/// Lets pages of any origin read `response`; whether the origin is welcome was asked before.
pub(crate) fn readable_by_pages(response: &mut Response) {
    set(response, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(response, VARY, "Origin");
}

pub(crate) fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

pub(crate) fn add(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
}
