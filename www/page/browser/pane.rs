//! The file that is open, shown by `<box-preview>`.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::app::{App, Step};
use super::dom::detail;
use crate::trail::{Named, Trail};

#[derive(Default)]
pub(super) struct Pane {
    preview: RefCell<Option<HtmlElement>>,
}

impl App {
    pub(super) fn pane_listens(self: &Rc<Self>) {
        self.page.on("pane-close", "click", self.acting(|app, _| app.close_file()));
        self.page.on(
            "stage",
            "keyhole-load",
            self.acting(|app, event| {
                let named = detail(&event, "id").zip(detail(&event, "name"));
                if let Some((id, name)) = named {
                    app.list.learn(Named { id, name });
                    app.name_open_file();
                }
                let name = app.trail.borrow().file.as_ref().map(|file| file.name.clone());
                app.page.say(&[name.as_deref().unwrap_or("The file"), " is shown"].concat());
            }),
        );
    }

    /// Shows the file of a place, or nothing.
    pub(super) fn pane_follows(self: &Rc<Self>, next: &Trail, step: Step) {
        let Some(file) = &next.file else { return self.pane_closes() };
        self.page.text("file-name", if file.name.is_empty() { "A file" } else { &file.name });
        self.page.show("pane-none", false);
        self.page.show("pane-file", true);
        if let Some(body) = self.page.document.body() {
            body.dataset().set("file", &file.id).ok();
        }
        if let Some(preview) = self.preview() {
            preview.set_attribute("file", &file.id).ok();
        }
        if step != Step::Arrive {
            self.page.focus("file-name");
        }
    }

    /// The element, made for the first file and kept for the next ones. It asks this page's own client.
    fn preview(&self) -> Option<HtmlElement> {
        if let Some(preview) = &*self.pane.preview.borrow() {
            return Some(preview.clone());
        }
        let preview: HtmlElement = self.page.document.create_element("box-preview").ok()?.dyn_into().ok()?;
        Reflect::set(&preview, &"keyhole".into(), &self.keyhole).ok()?;
        preview.set_attribute("header", "none").ok()?;
        self.page.find("stage")?.append_child(&preview).ok()?;
        self.pane.preview.replace(Some(preview.clone()));
        Some(preview)
    }

    pub(super) fn pane_closes(&self) {
        if let Some(preview) = self.pane.preview.take() {
            preview.remove();
        }
        if let Some(body) = self.page.document.body() {
            body.dataset().delete("file");
        }
        self.page.show("pane-file", false);
        self.page.show("pane-none", true);
    }

    /// Back to the list: one step back where that is where it is.
    pub(super) fn close_file(self: &Rc<Self>) {
        let here = self.trail.borrow().clone();
        let went_back =
            here.from_list && self.page.window.history().and_then(|history| history.back()).is_ok();
        if !went_back {
            self.go(here.without_file(), Step::Choose);
        }
    }

    /// A file that was opened by its address has no name until the folder or the preview tells it.
    pub(super) fn name_open_file(&self) {
        let named = {
            let mut trail = self.trail.borrow_mut();
            let Some(file) = trail.file.as_mut().filter(|file| file.name.is_empty()) else { return };
            let Some(name) = self.list.name_of(&file.id) else { return };
            file.name = name;
            trail.clone()
        };
        if let (Some(file), Ok(state)) = (&named.file, serde_wasm_bindgen::to_value(&named)) {
            self.page.text("file-name", &file.name);
            self.replace_state(&state, &named.fragment());
        }
        self.title(&named);
    }
}
