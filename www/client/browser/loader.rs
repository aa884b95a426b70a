//! Loads Box's preview library into the page, once for all elements on it.

use std::cell::RefCell;

use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Promise};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, HtmlElement, HtmlLinkElement, HtmlScriptElement};

use super::{get, settling, window};
use crate::library::{Files, files};

#[wasm_bindgen]
extern "C" {
    /// `Box.Preview`, as the library defines it.
    pub(super) type Preview;

    #[wasm_bindgen(constructor, catch, js_namespace = Box)]
    pub(super) fn new() -> Result<Preview, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(super) fn show(this: &Preview, file: &str, token: &JsValue, options: &JsValue)
    -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(super) fn hide(this: &Preview) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = addListener)]
    pub(super) fn add_listener(this: &Preview, event: &str, listener: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = removeAllListeners)]
    pub(super) fn remove_all_listeners(this: &Preview) -> Result<(), JsValue>;
}

thread_local! {
    /// The one load of this page: under way or done. A failed one is forgotten, so that it can be retried.
    static LOADING: RefCell<Option<Promise>> = const { RefCell::new(None) };
}

/// A library that takes longer does not come.
const LOAD_MS_MAX: u32 = 30_000;

/// Resolves to whether `Box.Preview` is there. It does not reject: it may be awaited late, or never.
pub(super) fn load(script: &str, locale: Option<&str>) -> Promise {
    if is_there() {
        return Promise::resolve(&JsValue::TRUE);
    }
    if let Some(loading) = LOADING.with_borrow(Clone::clone) {
        return loading;
    }
    let files = files(script, locale);
    let loading = settling(Box::pin(async move {
        if let (Some(files), Some(document)) = (files, window().document()) {
            insert(&document, &files).await.ok();
        }
        if !is_there() {
            LOADING.set(None);
        }
        Ok(is_there().into())
    }));
    LOADING.set(Some(loading.clone()));
    loading
}

fn is_there() -> bool {
    get(&get(&window(), "Box"), "Preview").is_function()
}

/// Both elements carry the page's nonce, for a policy that lists no hosts, and ask without credentials.
async fn insert(document: &Document, files: &Files) -> Result<JsValue, JsValue> {
    let style: HtmlLinkElement = document.create_element("link")?.unchecked_into();
    style.set_rel("stylesheet");
    style.set_cross_origin(Some("anonymous"));
    style.set_href(&files.style);
    let script: HtmlScriptElement = document.create_element("script")?.unchecked_into();
    script.set_cross_origin(Some("anonymous"));
    script.set_src(&files.script);
    let head = document.head().ok_or(JsValue::UNDEFINED)?;
    let elements: [HtmlElement; 2] = [style.unchecked_into(), script.unchecked_into()];
    let arrivals = Array::new();
    for element in &elements {
        if let Some(nonce) = nonce(document) {
            element.set_nonce(&nonce);
        }
        arrivals.push(&arrival(element));
        head.append_child(element)?;
    }
    let late = settling(Box::pin(async {
        TimeoutFuture::new(LOAD_MS_MAX).await;
        Err(JsValue::UNDEFINED)
    }));
    let loaded = JsFuture::from(Promise::race(&Array::of2(&Promise::all(&arrivals), &late))).await;
    if loaded.is_err() {
        elements.iter().for_each(|element| element.remove());
    }
    loaded
}

fn nonce(document: &Document) -> Option<String> {
    let script = document.query_selector("script[nonce]").ok()??;
    Some(script.unchecked_into::<HtmlElement>().nonce()).filter(|nonce| !nonce.is_empty())
}

fn arrival(element: &HtmlElement) -> Promise {
    Promise::new(&mut |resolve, reject| {
        element.set_onload(Some(&resolve));
        element.set_onerror(Some(&reject));
    })
}

/// A function that takes one event, freed with whatever holds it.
pub(super) fn listener(act: impl FnMut(JsValue) + 'static) -> JsValue {
    Closure::<dyn FnMut(JsValue)>::new(act).into_js_value()
}
