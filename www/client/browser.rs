//! The glue: promises, `fetch`, elements and Box's library. What it does is decided outside of it.

mod client;
mod http;
mod loader;
mod popup;
mod shared;
mod stage;
mod tabs;
mod view;
mod wire;

use std::pin::Pin;

use js_sys::{Error, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{future_to_promise, spawn_local};

use crate::fault::{self, Fault};
use crate::words;

pub use client::Client;
pub use stage::Stage;

/// Sets a property of an object made here, which cannot fail: such an object is not frozen.
fn set(object: &JsValue, name: &str, value: impl Into<JsValue>) {
    Reflect::set(object, &JsValue::from_str(name), &value.into()).ok();
}

/// A property, or `undefined` where the value is no object.
fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

fn text(object: &JsValue, name: &str) -> Option<String> {
    get(object, name).as_string()
}

/// An object of these properties.
fn object<const N: usize>(properties: [(&str, JsValue); N]) -> JsValue {
    let object: JsValue = Object::new().into();
    for (name, value) in properties {
        set(&object, name, value);
    }
    object
}

/// The error that a page catches: an `Error` named `KeyholeError`, with the stable `code`.
fn thrown(fault: &Fault) -> JsValue {
    let message = if fault.title.is_empty() { words::of(&fault.code).title } else { &fault.title };
    let error: JsValue = Error::new(message).into();
    set(&error, "name", "KeyholeError");
    set(&error, "code", &fault.code);
    set(&error, "status", fault.status);
    set(&error, "rule", fault.rule.as_deref());
    set(&error, "reason", fault.reason.as_deref());
    set(&error, "retryAfterSeconds", fault.retry_after_seconds);
    error
}

/// Reads a problem of the Worker's, or an error that [`thrown`] made. By hand, as all that is read here:
/// the reading half of serde brings the formatting of floats along, 18 KB that every page would download.
fn fault_of(problem: &JsValue) -> Fault {
    let number = |name| get(problem, name).as_f64();
    Fault {
        status: number("status").unwrap_or_default(),
        title: text(problem, "title").unwrap_or_default(),
        rule: text(problem, "rule"),
        reason: text(problem, "reason"),
        retry_after_seconds: number("retry_after_seconds"),
        ..Fault::new(&text(problem, "code").unwrap_or_else(|| fault::UNREADABLE.to_owned()))
    }
}

/// Work on its way. Boxed, so that the machinery behind a promise is compiled once and not for each.
type Work<T> = Pin<Box<dyn Future<Output = T>>>;

/// Runs to a promise; a fault rejects it.
fn promise(work: Work<Result<JsValue, Fault>>) -> Promise {
    settling(Box::pin(async move { work.await.map_err(|fault| thrown(&fault)) }))
}

/// Runs to a promise, as it is.
fn settling(work: Work<Result<JsValue, JsValue>>) -> Promise {
    future_to_promise(work)
}

/// Runs on its own.
fn run(work: Work<()>) {
    spawn_local(work);
}

/// The window: a page has one. (A worker has none, and no use for this module.)
fn window() -> web_sys::Window {
    js_sys::global().unchecked_into()
}

fn is_online() -> bool {
    window().navigator().on_line()
}
