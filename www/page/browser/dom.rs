//! The document in few words. Text goes in as text only; nothing here writes HTML.

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, HtmlTemplateElement, Window};

/// The page's document, whose elements `index.html` names by id.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) window: Window,
    pub(super) document: Document,
}

impl Page {
    pub(super) fn here() -> Option<Self> {
        let window = web_sys::window()?;
        let document = window.document()?;
        Some(Self { window, document })
    }

    pub(super) fn find(&self, id: &str) -> Option<HtmlElement> {
        self.document.get_element_by_id(id)?.dyn_into().ok()
    }

    pub(super) fn text(&self, id: &str, text: &str) {
        if let Some(element) = self.find(id) {
            element.set_text_content(Some(text));
        }
    }

    pub(super) fn show(&self, id: &str, shown: bool) {
        if let Some(element) = self.find(id) {
            element.set_hidden(!shown);
        }
    }

    pub(super) fn focus(&self, id: &str) {
        if let Some(element) = self.find(id) {
            element.focus().ok();
        }
    }

    pub(super) fn disable(&self, id: &str, disabled: bool) {
        if let Some(element) = self.find(id) {
            element.toggle_attribute_with_force("disabled", disabled).ok();
        }
    }

    /// Listens for as long as the page lives.
    pub(super) fn on(&self, id: &str, event: &str, act: impl FnMut(Event) + 'static) {
        if let Some(element) = self.find(id) {
            listen(&element, event, act);
        }
    }

    /// Says something to those who hear the page.
    pub(super) fn say(&self, text: &str) {
        self.text("say", text);
    }

    pub(super) fn element(&self, tag: &str, text: &str) -> Option<Element> {
        let element = self.document.create_element(tag).ok()?;
        element.set_text_content(Some(text));
        Some(element)
    }

    /// A fresh copy of a `<template>`'s only child.
    pub(super) fn copy_of(&self, template: &str) -> Option<Element> {
        let template: HtmlTemplateElement = self.document.get_element_by_id(template)?.dyn_into().ok()?;
        template.content().first_element_child()?.clone_node_with_deep(true).ok()?.dyn_into().ok()
    }
}

/// Listens for as long as the target lives.
pub(super) fn listen(target: &EventTarget, event: &str, act: impl FnMut(Event) + 'static) {
    let act: Box<dyn FnMut(Event)> = Box::new(act);
    let listener = Closure::wrap(act).into_js_value();
    target.add_event_listener_with_callback(event, listener.unchecked_ref()).ok();
}

/// Sets the text of the first descendant that matches.
pub(super) fn fill(within: &Element, selector: &str, text: &str) {
    if let Ok(Some(element)) = within.query_selector(selector) {
        element.set_text_content(Some(text));
    }
}

/// The nearest link around an event's target, when the click is a plain one: others are the browser's.
pub(super) fn clicked_link(event: &Event) -> Option<Element> {
    let mouse = event.dyn_ref::<web_sys::MouseEvent>()?;
    if mouse.button() != 0 || mouse.meta_key() || mouse.ctrl_key() || mouse.shift_key() || mouse.alt_key() {
        return None;
    }
    let link = event.target()?.dyn_ref::<Element>()?.closest("a").ok()??;
    event.prevent_default();
    Some(link)
}

/// A property of an event's `detail`.
pub(super) fn detail(event: &Event, name: &str) -> Option<String> {
    let detail = event.dyn_ref::<web_sys::CustomEvent>()?.detail();
    js_sys::Reflect::get(&detail, &JsValue::from_str(name)).ok()?.as_string()
}
