//! `/emulator/…`: how tests and the console drive the emulator. Not part of Box.
//!
//! It tells every secret there is: see `admission` for whom it answers.

pub(crate) mod apps;
pub(crate) mod calls;
pub(crate) mod console;
pub(crate) mod faults;
pub(crate) mod log;
pub(crate) mod rules;
pub(crate) mod settings;

mod admission;
mod items;
mod keys;
mod ledger;
mod people;
mod switches;
mod tokens;
mod traffic;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answer::{self, Response};
use crate::emulator::Emulator;
use crate::request::{Call, Port, body_bytes_max};

/// Whether `call` is for the control API.
pub(crate) fn is_for(call: &Call) -> bool {
    call.port == Port::Api && call.path.starts_with("/emulator/")
}

/// Answers it.
pub(crate) fn answer(emulator: &mut Emulator, call: &Call) -> Response {
    let mut response = match admission::admit(emulator, call).and_then(|()| act(emulator, call)) {
        Ok((status, body)) => answer::json(status, &body),
        Err((status, fault)) => answer::json(status, &json!({"error": fault})),
    };
    answer::set(&mut response, CACHE_CONTROL, "no-store");
    response
}

/// What was done, as it is told.
type Done = (StatusCode, Value);

/// What was not done, and a sentence that says why.
type Refusal = (StatusCode, String);

type Outcome = Result<Done, Refusal>;

fn act(emulator: &mut Emulator, call: &Call) -> Outcome {
    let segments = call.segments();
    let get = call.method == Method::GET;
    let post = call.method == Method::POST;
    let delete = call.method == Method::DELETE;
    if call.too_large {
        let limit = body_bytes_max(&call.path);
        return Err((StatusCode::PAYLOAD_TOO_LARGE, format!("a body here has at most {limit} bytes")));
    }
    match segments.get(1..).unwrap_or_default() {
        ["status"] if get => Ok(switches::status(emulator, call)),
        ["settings"] if get => Ok(switches::settings(emulator)),
        ["settings"] if post => switches::change_settings(emulator, call),
        ["faults"] if get => Ok(switches::faults(emulator)),
        ["faults"] if post => switches::order_fault(emulator, call),
        ["faults"] if delete => Ok(switches::forget_faults(emulator)),
        ["clock"] if post => switches::advance_clock(emulator, call),
        ["reset"] if post => Ok(switches::reset(emulator)),

        ["apps"] if get => Ok(apps::list(emulator)),
        ["apps"] if post => apps::register(emulator, call),
        ["apps", id] if call.method == Method::PATCH => apps::change(emulator, call, id),
        ["apps", id] if delete => apps::remove(emulator, id),
        ["apps", id, "keys"] if post => keys::add(emulator, call, id),
        ["apps", id, "keys", key] if delete => keys::remove(emulator, id, key).map(done),

        ["users"] if get => Ok(people::list(emulator)),
        ["users"] if post => people::add(emulator, call),
        ["users", id] if delete => people::remove(emulator, id),

        ["items"] if get => items::list(emulator, call),
        ["items"] if post => items::upload(emulator, call),
        ["items", item] if delete => items::remove(emulator, call, item),
        ["folders"] if post => items::make_folder(emulator, call),

        ["ledger"] if get => Ok(ledger::list(emulator, call)),
        ["tokens"] if post => tokens::issue(emulator, call),
        ["tokens", "revoke"] if post => tokens::revoke(emulator, call).map(done),
        ["expire"] if post => ledger::expire(emulator, call),
        ["grant"] if post => ledger::grant(emulator, call),

        ["calls"] if get => Ok(traffic::calls(emulator)),
        ["calls"] if delete => Ok(traffic::forget_calls(emulator)),
        ["log"] if get => traffic::log(emulator, call),
        _ => Err(not_found(format!("there is no {} {} here", call.method, call.path))),
    }
}

/// The JSON body. A page has to say that it is JSON, which no form can (<https://fetch.spec.whatwg.org/#cors-safelisted-request-header>).
fn body<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    let kind = call.header(&CONTENT_TYPE).unwrap_or_default();
    let is_json = kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json");
    if admission::is_from_a_page(call) && !is_json {
        return Err(bad("the Content-Type is not application/json"));
    }
    serde_json::from_slice(&call.body).map_err(|fault| bad(fault.to_string()))
}

/// A parameter of the query that has to be there.
fn parameter<'a>(call: &'a Call, name: &str) -> Result<&'a str, Refusal> {
    call.query.value(name).ok_or_else(|| bad(format!("the query has no {name}")))
}

fn done(body: Value) -> Done {
    (StatusCode::OK, body)
}

fn made(body: Value) -> Done {
    (StatusCode::CREATED, body)
}

fn bad(fault: impl Into<String>) -> Refusal {
    (StatusCode::BAD_REQUEST, fault.into())
}

fn not_found(fault: impl Into<String>) -> Refusal {
    (StatusCode::NOT_FOUND, fault.into())
}

fn conflict(fault: impl Into<String>) -> Refusal {
    (StatusCode::CONFLICT, fault.into())
}
