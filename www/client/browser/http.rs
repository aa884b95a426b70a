//! Questions to the Worker, and the one direct question to Box.

use gloo_net::http::{Request, RequestBuilder, Response};
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestCredentials};

use super::{fault_of, get, is_online, text, window};
use crate::fault::{self, Fault};
use crate::library::{Verdict, judge};

/// The Worker gives up on Box after 10 s; what takes longer is lost on the way.
pub(super) const ANSWER_MS_MAX: u32 = 15_000;

/// Asks the Worker. The header is static: it forces a preflight wherever another origin asks.
pub(super) async fn ask(request: RequestBuilder, body: Option<JsValue>) -> Result<JsValue, Fault> {
    let request = request
        .header("Keyhole-Request", "1")
        .credentials(RequestCredentials::Include)
        .abort_signal(Some(&AbortSignal::timeout_with_u32(ANSWER_MS_MAX)));
    let request = match body {
        Some(body) => request.header("Content-Type", "application/json").body(json(&body)),
        None => request.build(),
    };
    let response = match request {
        Ok(request) => request.send().await.map_err(|error| unanswered(&error))?,
        Err(error) => return Err(unanswered(&error)),
    };
    match response.status() {
        204 => Ok(JsValue::UNDEFINED),
        200..=299 => body_of(response).await.ok_or_else(|| Fault::new(fault::UNREADABLE)),
        status => Err(problem(body_of(response).await, f64::from(status))),
    }
}

fn json(value: &JsValue) -> JsValue {
    js_sys::JSON::stringify(value).map_or(JsValue::UNDEFINED, JsValue::from)
}

async fn body_of(response: Response) -> Option<JsValue> {
    let reading = web_sys::Response::from(response).json().ok()?;
    JsFuture::from(reading).await.ok().filter(JsValue::is_object)
}

fn problem(body: Option<JsValue>, status: f64) -> Fault {
    let fault = body.map_or_else(|| Fault::new(fault::UNREADABLE), |body| fault_of(&body));
    Fault { status, ..fault }
}

fn unanswered(error: &gloo_net::Error) -> Fault {
    let timed_out = matches!(error, gloo_net::Error::JsError(error) if error.name == "TimeoutError");
    Fault::new(match (timed_out, is_online()) {
        (true, _) => fault::TIMED_OUT,
        (false, true) => fault::UNREACHABLE,
        (false, false) => fault::OFFLINE,
    })
}

/// Asks Box itself whether this token opens this file, to learn why a preview does not come: its library
/// tells all failures alike.
pub(super) async fn examine(api_url: &str, file: &str, token: &str) -> Verdict {
    let request = Request::get(&[api_url, "/2.0/files/", file, "?fields=id"].concat())
        .header("Authorization", &["Bearer ", token].concat())
        .credentials(RequestCredentials::Omit)
        .abort_signal(Some(&AbortSignal::timeout_with_u32(ANSWER_MS_MAX)))
        .send()
        .await;
    match request {
        Err(_) => judge(0, "", is_online()),
        Ok(response) if response.ok() => Verdict::Fine,
        Ok(response) => {
            let status = response.status();
            let code = body_of(response).await.and_then(|body| text(&body, "code")).unwrap_or_default();
            judge(status, &code, true)
        }
    }
}

/// The SHA-256 of a token in hex, by which a rejected one is reported. `None` where the page is not in a
/// secure context and the browser does not hash.
pub(super) async fn sha256_hex(token: &str) -> Option<String> {
    let subtle = get(&get(&window(), "crypto"), "subtle");
    let digest: js_sys::Function = get(&subtle, "digest").dyn_into().ok()?;
    let bytes = Uint8Array::from(token.as_bytes());
    let hashing: js_sys::Promise = digest.call2(&subtle, &"SHA-256".into(), &bytes).ok()?.dyn_into().ok()?;
    let hash = Uint8Array::new(&JsFuture::from(hashing).await.ok()?).to_vec();
    let digits = b"0123456789abcdef";
    let digit = |nibble: u8| digits.get(usize::from(nibble)).copied().map_or('0', char::from);
    Some(hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

/// The pairs of an object.
pub(super) fn entries(object: &JsValue) -> Vec<(String, JsValue)> {
    let Some(object) = object.dyn_ref::<Object>() else { return Vec::new() };
    let pairs = Object::entries(object);
    pairs
        .iter()
        .map(|pair| Array::from(&pair))
        .filter_map(|pair| Some((pair.get(0).as_string()?, pair.get(1))))
        .collect()
}
