//! What `<box-preview>` draws itself: a quiet placeholder, and messages. It lives in the shadow tree, safe
//! from the page's styles; the library's container stays outside of it, because its styles are the page's.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CssStyleSheet, Document, Element, HtmlElement, ShadowRoot};

use super::{get, object, set, window};
use crate::words::{Action, Words};

/// What the element shows. The host's attribute `data-keyhole` names it, for the page's styles and tests.
#[derive(Clone, Copy)]
pub(super) enum Face {
    Idle,
    Loading,
    Ready,
    Message,
    /// A message over the preview, which stays.
    Paused,
}

pub(super) struct View {
    document: Document,
    host: HtmlElement,
    loading: Element,
    message: Element,
}

impl View {
    /// Builds the shadow tree once.
    pub(super) fn build(host: HtmlElement, root: &ShadowRoot) -> Result<Self, JsValue> {
        let document = window().document().ok_or(JsValue::UNDEFINED)?;
        let sheet = CssStyleSheet::new()?;
        sheet.replace_sync(include_str!("box_preview.css"))?;
        set(root, "adoptedStyleSheets", js_sys::Array::of1(&sheet));
        root.set_text_content(None);
        let loading = part(&document, "div", "loading", None)?;
        loading.set_attribute("role", "status")?;
        let waiting = slot(&document, "loading")?;
        waiting.append_child(&*part(&document, "span", "spinner", None)?)?;
        waiting.append_child(&*part(&document, "span", "loading-text", Some("Loading the preview"))?)?;
        loading.append_child(&waiting)?;
        let message = part(&document, "div", "message", None)?;
        for child in [&slot(&document, STAGE)?, &loading, &message] {
            root.append_child(child)?;
        }
        let view = Self { document, host, loading, message };
        view.face(Face::Idle);
        Ok(view)
    }

    pub(super) fn face(&self, face: Face) {
        let name = match face {
            Face::Idle => "idle",
            Face::Loading => "loading",
            Face::Ready => "ready",
            Face::Message => "message",
            Face::Paused => "paused",
        };
        self.host.set_attribute("data-keyhole", name).ok();
        self.show(&self.loading, matches!(face, Face::Loading));
        self.show(&self.message, matches!(face, Face::Message | Face::Paused));
    }

    fn show(&self, element: &Element, shown: bool) {
        element.toggle_attribute_with_force("hidden", !shown).ok();
    }

    /// A message in place of the preview, or over it; `act` is what its button does. A page that puts something into the
    /// slot `sign-in` or `error` has that shown in its place.
    pub(super) fn message(
        &self,
        face: Face,
        words: &Words,
        detail: &str,
        act: &JsValue,
    ) -> Result<(), JsValue> {
        let urgent = !detail.is_empty();
        self.message.set_text_content(None);
        self.message.set_attribute("role", if urgent { "alert" } else { "status" })?;
        let message = slot(&self.document, if words.action == Action::SignIn { "sign-in" } else { "error" })?;
        self.message.append_child(&message)?;
        message.append_child(&*self.keyhole()?)?;
        message.append_child(&*part(&self.document, "p", "title", Some(words.title))?)?;
        message.append_child(&*part(&self.document, "p", "text", Some(words.text))?)?;
        let label = match words.action {
            Action::SignIn => Some("Sign in with Box"),
            Action::Retry => Some("Try again"),
            Action::Nothing => None,
        };
        if label.is_some() {
            let button = part(&self.document, "button", "button", label)?;
            button.set_attribute("type", "button")?;
            button.add_event_listener_with_callback("click", act.unchecked_ref())?;
            message.append_child(&button)?;
        }
        if urgent {
            let details = part(&self.document, "details", "details", None)?;
            details.append_child(&*part(&self.document, "summary", "summary", Some("Details"))?)?;
            details.append_child(&*part(&self.document, "code", "code", Some(detail))?)?;
            message.append_child(&details)?;
        }
        self.face(face);
        Ok(())
    }

    /// To the message's button, if it has one.
    pub(super) fn focus_button(&self) {
        let button = self.message.query_selector("button").ok().flatten();
        if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
            button.focus().ok();
        }
    }

    /// What has the focus among what the page holds in this element.
    pub(super) fn focused(&self) -> Option<HtmlElement> {
        let focused = self.document.active_element()?;
        let focused = focused.dyn_into::<HtmlElement>().ok()?;
        (self.host.contains(Some(&focused)) && focused != self.host).then_some(focused)
    }

    /// The emblem: a keyhole.
    fn keyhole(&self) -> Result<Element, JsValue> {
        const SVG: Option<&str> = Some("http://www.w3.org/2000/svg");
        let svg = self.document.create_element_ns(SVG, "svg")?;
        for (name, value) in [("part", "emblem"), ("viewBox", "0 0 24 24"), ("aria-hidden", "true")] {
            svg.set_attribute(name, value)?;
        }
        let path = self.document.create_element_ns(SVG, "path")?;
        path.set_attribute(
            "d",
            "M12 3a5 5 0 0 0-2.2 9.5L8.2 20a.8.8 0 0 0 .8 1h6a.8.8 0 0 0 .8-1l-1.6-7.5A5 5 0 0 0 12 3z",
        )?;
        svg.append_child(&path)?;
        Ok(svg)
    }

    /// The library's container: a fresh child in the page's own tree.
    pub(super) fn stage(&self) -> Result<Element, JsValue> {
        let stage = self.document.create_element("div")?;
        stage.set_attribute("slot", STAGE)?;
        self.host.append_child(&stage)?;
        Ok(stage)
    }

    /// Dispatches an event that leaves every tree. `false` when a listener prevented what follows.
    pub(super) fn dispatch(&self, name: &str, detail: &JsValue) -> bool {
        let init = object([
            ("bubbles", true.into()),
            ("composed", true.into()),
            ("cancelable", true.into()),
            ("detail", detail.clone()),
        ]);
        let event = web_sys::CustomEvent::new_with_event_init_dict(name, init.unchecked_ref());
        event.and_then(|event| self.host.dispatch_event(&event)).unwrap_or(true)
    }

    /// An attribute that is there and not empty.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        self.host.get_attribute(name).filter(|value| !value.is_empty())
    }

    pub(super) fn property(&self, name: &str) -> JsValue {
        get(&self.host, name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.host.has_attribute(name)
    }
}

const STAGE: &str = "keyhole-stage";

/// What is in it is shown unless the page puts something of its own into the slot.
fn slot(document: &Document, name: &str) -> Result<Element, JsValue> {
    let slot = document.create_element("slot")?;
    slot.set_attribute("name", name)?;
    Ok(slot)
}

fn part(document: &Document, tag: &str, name: &str, text: Option<&str>) -> Result<Element, JsValue> {
    let element = document.create_element(tag)?;
    element.set_attribute("part", name)?;
    if text.is_some() {
        element.set_text_content(text);
    }
    Ok(element)
}
