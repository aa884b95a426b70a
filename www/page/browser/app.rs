//! The views, the session, and the way through folders and files, kept in the browser's history.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, KeyboardEvent, PopStateEvent, UrlSearchParams};

use super::dom::{Page, clicked_link, detail, listen};
use super::keyhole::{Keyhole, User, code, get, trail};
use super::list::List;
use super::pane::Pane;
use super::passes::Passes;
use crate::trail::{Named, Trail};
use crate::words;

pub(super) struct App {
    pub(super) keyhole: Keyhole,
    pub(super) page: Page,
    pub(super) trail: RefCell<Trail>,
    pub(super) list: List,
    pub(super) pane: Pane,
    pub(super) passes: Passes,
    browsing: Cell<bool>,
}

/// How a place was reached: what happens to the history, and to the focus.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The page opened here: nothing takes the focus.
    Arrive,
    /// Someone chose it: a new entry in the history.
    Choose,
    /// Back or forward through the history.
    Return,
}

impl App {
    pub(super) fn start(keyhole: Keyhole, page: Page) {
        let app = Rc::new(Self {
            keyhole,
            page,
            trail: RefCell::new(Trail::root()),
            list: List::default(),
            pane: Pane::default(),
            passes: Passes::default(),
            browsing: Cell::new(false),
        });
        app.listen();
        app.list_listens();
        app.pane_listens();
        app.begin();
    }

    /// A handler that holds the app.
    pub(super) fn acting(
        self: &Rc<Self>,
        mut act: impl FnMut(&Rc<Self>, Event) + 'static,
    ) -> impl FnMut(Event) + 'static {
        let app = Rc::clone(self);
        move |event| act(&app, event)
    }

    fn listen(self: &Rc<Self>) {
        let page = &self.page;
        page.on("sign-in", "click", self.acting(|app, _| app.sign_in()));
        page.on("sign-out", "click", self.acting(|app, _| app.sign_out()));
        page.on("trouble-retry", "click", self.acting(|app, _| app.begin()));
        page.on("trouble-sign-in", "click", self.acting(|app, _| app.sign_in()));
        page.on(
            "skip",
            "click",
            self.acting(|app, event| {
                event.prevent_default();
                app.page.focus("main");
            }),
        );
        listen(&page.window, "popstate", self.acting(|app, event| app.returned(&event)));
        // A page that comes back out of the browser's cache may have lost its session meanwhile.
        listen(
            &page.window,
            "pageshow",
            self.acting(|app, event| {
                let kept = get(&event, "persisted").is_truthy();
                if kept {
                    app.begin();
                }
            }),
        );
        listen(
            &page.document,
            "keydown",
            self.acting(|app, event| {
                let key = event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key);
                if key.as_deref() == Some("Escape")
                    && !event.default_prevented()
                    && app.trail.borrow().file.is_some()
                {
                    app.close_file();
                }
            }),
        );
        listen(
            &self.keyhole,
            "ended",
            self.acting(|app, event| app.ended(&detail(&event, "reason").unwrap_or_default())),
        );
        listen(&self.keyhole, "change", self.acting(|app, _| app.passes.draw(app)));
    }

    /// Asks who is signed in, and shows what there is to see.
    fn begin(self: &Rc<Self>) {
        let outcome = self.take_outcome();
        self.view("loading");
        let app = Rc::clone(self);
        spawn_local(async move {
            let session = app.keyhole.session().await;
            let notice = outcome.as_deref().map(words::login);
            match session {
                Ok(session) if session.is_object() => {
                    app.notice(notice.unwrap_or_default());
                    app.browse(User::of(&session));
                }
                Ok(_) => {
                    let ended = app.keyhole.ended();
                    app.notice(notice.or_else(|| ended.as_deref().map(words::ended)).unwrap_or_default());
                    app.welcome();
                }
                Err(error) => app.trouble(&code(&error)),
            }
        });
    }

    /// The outcome of a failed login, which leaves the address at once: a reload does not repeat it.
    fn take_outcome(&self) -> Option<String> {
        let location = self.page.window.location();
        let query = UrlSearchParams::new_with_str(&location.search().ok()?).ok()?;
        let outcome = query.get("keyhole")?;
        query.delete("keyhole");
        let rest = query.to_string().as_string().filter(|rest| !rest.is_empty());
        let rest = rest.map(|rest| ["?", &rest].concat()).unwrap_or_default();
        let url = [location.pathname().ok()?, rest, location.hash().ok()?].concat();
        self.replace_state(&self.state(), &url);
        Some(outcome)
    }

    fn view(&self, name: &str) {
        if let Some(body) = self.page.document.body() {
            body.dataset().set("view", name).ok();
        }
        self.browsing.set(name == "browse");
        self.page.show("who", name == "browse");
    }

    /// Nothing of the files stays behind, unseen parts and what is read aloud included.
    fn welcome(&self) {
        self.pane_closes();
        for id in
            ["say", "file-name", "rows", "folder-name", "folder-count", "crumbs", "who-name", "who-login"]
        {
            self.page.text(id, "");
        }
        self.page.disable("sign-in", false);
        self.page.text("sign-in", "Sign in with Box");
        self.page.document.set_title("Keyhole");
        self.view("welcome");
    }

    fn trouble(&self, code: &str) {
        let words = words::trouble(code);
        self.page.text("trouble-title", words.title);
        self.page.text("trouble-text", words.text);
        self.page.text("trouble-code", code);
        self.page.show("trouble-sign-in", code == "locked");
        self.view("trouble");
        self.page.focus("trouble-title");
    }

    fn browse(self: &Rc<Self>, user: Option<User>) {
        let (name, login) = user.as_ref().map_or(("", ""), |user| (user.name.as_str(), user.login.as_str()));
        self.page.text("who-name", name);
        self.page.text("who-login", login);
        self.view("browse");
        self.passes.watch(self);
        let fragment = self.page.window.location().hash().unwrap_or_default();
        let place = trail(&self.state()).filter(|trail| trail.fragment() == fragment);
        let place = place.unwrap_or_else(|| Trail::from_fragment(&fragment));
        self.list.forget();
        self.go(place, Step::Arrive);
    }

    fn sign_in(self: &Rc<Self>) {
        self.page.disable("sign-in", true);
        self.page.text("sign-in", "Going to Box …");
        let app = Rc::clone(self);
        spawn_local(async move {
            if let Err(error) = app.keyhole.sign_in().await {
                app.trouble(&code(&error));
            }
        });
    }

    fn sign_out(self: &Rc<Self>) {
        self.page.disable("sign-out", true);
        let app = Rc::clone(self);
        spawn_local(async move {
            let done = app.keyhole.sign_out().await;
            app.page.disable("sign-out", false);
            if done.is_err() {
                app.notice(
                    "Signing out did not reach Keyhole, so you are still signed in. Please try again.",
                );
            }
        });
    }

    /// After a sign-out the address starts anew; after any other end, signing in leads back to this place.
    fn ended(self: &Rc<Self>, reason: &str) {
        if !self.browsing.get() {
            return;
        }
        if reason == "signed_out" {
            self.trail.replace(Trail::root());
            self.replace_state(&JsValue::NULL, "/");
        }
        self.welcome();
        self.notice(words::ended(reason));
        self.page.focus("welcome-title");
    }

    /// One sentence above everything, until it is dismissed or replaced.
    pub(super) fn notice(&self, text: &str) {
        let Some(notice) = self.page.find("notice") else { return };
        notice.set_text_content(None);
        if text.is_empty() {
            return;
        }
        let parts = (
            self.page.element("div", ""),
            self.page.element("p", text),
            self.page.element("button", "Got it"),
        );
        let (Some(frame), Some(words), Some(button)) = parts else { return };
        button.set_class_name("quiet");
        listen(&button, "click", self.dismissing());
        frame.append_with_node_2(&words, &button).ok();
        notice.append_child(&frame).ok();
    }

    fn dismissing(&self) -> impl FnMut(Event) + 'static {
        let page = self.page.clone();
        move |_| {
            page.text("notice", "");
            page.focus("main");
        }
    }

    /// Goes to a place: the history, the title, the crumbs, the list and the file follow.
    pub(super) fn go(self: &Rc<Self>, next: Trail, step: Step) {
        let before = self.trail.replace(next.clone());
        let url = next.fragment();
        match (step, serde_wasm_bindgen::to_value(&next)) {
            (Step::Choose, Ok(state)) => self.push_state(&state, &url),
            (Step::Arrive, Ok(state)) => self.replace_state(&state, &url),
            _ => {}
        }
        self.crumbs(&next);
        self.title(&next);
        self.list_follows(&before, &next, step);
        self.pane_follows(&next, step);
        self.passes.draw(self);
    }

    fn returned(self: &Rc<Self>, event: &Event) {
        if !self.browsing.get() {
            return;
        }
        let state = event.dyn_ref::<PopStateEvent>().map_or(JsValue::NULL, PopStateEvent::state);
        let fragment = self.page.window.location().hash().unwrap_or_default();
        let place = trail(&state).unwrap_or_else(|| Trail::from_fragment(&fragment));
        self.go(place, Step::Return);
    }

    pub(super) fn title(&self, trail: &Trail) {
        let name = trail.file.as_ref().or_else(|| trail.folders.last()).map(|named| named.name.as_str());
        match name.filter(|name| !name.is_empty()) {
            Some(name) => self.page.document.set_title(&[name, " – Keyhole"].concat()),
            None => self.page.document.set_title("Keyhole"),
        }
    }

    fn crumbs(self: &Rc<Self>, trail: &Trail) {
        let Some(crumbs) = self.page.find("crumbs") else { return };
        crumbs.set_text_content(None);
        let root = Named::new(crate::trail::ROOT, "All files");
        let above = std::iter::once(&root).chain(&trail.folders).take(trail.folders.len());
        for (depth, folder) in above.enumerate() {
            let (Some(item), Some(link)) =
                (self.page.element("li", ""), self.page.element("a", &folder.name))
            else {
                return;
            };
            link.set_attribute("href", &trail.up_to(depth).fragment()).ok();
            let app = Rc::clone(self);
            listen(&link, "click", move |event| {
                if clicked_link(&event).is_some() {
                    let up = app.trail.borrow().up_to(depth);
                    app.go(up, Step::Choose);
                }
            });
            item.append_child(&link).ok();
            if let Some(chevron) = self.icon("#i-chevron") {
                item.append_child(&chevron).ok();
            }
            crumbs.append_child(&item).ok();
        }
        let name = trail.folders.last().map_or("All files", |folder| &folder.name);
        self.page.text("folder-name", if name.is_empty() { "A folder" } else { name });
    }

    fn icon(&self, symbol: &str) -> Option<web_sys::Element> {
        const SVG: Option<&str> = Some("http://www.w3.org/2000/svg");
        let svg = self.page.document.create_element_ns(SVG, "svg").ok()?;
        svg.set_attribute("aria-hidden", "true").ok()?;
        let shape = self.page.document.create_element_ns(SVG, "use").ok()?;
        shape.set_attribute("href", symbol).ok()?;
        svg.append_child(&shape).ok()?;
        Some(svg)
    }

    fn state(&self) -> JsValue {
        self.page.window.history().and_then(|history| history.state()).unwrap_or(JsValue::NULL)
    }

    pub(super) fn replace_state(&self, state: &JsValue, url: &str) {
        if let Ok(history) = self.page.window.history() {
            history.replace_state_with_url(state, "", Some(url)).ok();
        }
    }

    fn push_state(&self, state: &JsValue, url: &str) {
        if let Ok(history) = self.page.window.history() {
            history.push_state_with_url(state, "", Some(url)).ok();
        }
    }
}
