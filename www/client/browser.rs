//! The glue: promises, `fetch`, elements and Box's library. What it does is decided outside of it.

mod client;
mod http;
mod loader;
mod stage;
mod view;

use js_sys::{Array, Error, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::fault::Fault;
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

fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Array {
    texts.into_iter().map(JsValue::from_str).collect()
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

/// The window: a page has one. (A worker has none, and no use for this module.)
fn window() -> web_sys::Window {
    js_sys::global().unchecked_into()
}

fn is_online() -> bool {
    window().navigator().on_line()
}
