//! `<box-preview>` from the inside: asks for a token, brings the library, shows the file, and when it does
//! not come finds out why.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::{Function, Promise};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, HtmlElement, ShadowRoot};

use super::client::Client;
use super::loader::{self, Preview, listener};
use super::shared::{Settings, Shared};
use super::view::{Face, View};
use super::{fault_of, get, http, object, run, set, settling, text, wire};
use crate::fault::{self, Fault};
use crate::library::{Ask, Verdict, cause, is_fatal};
use crate::want::{Item, Scopes, Want, collection};
use crate::words::{self, Action, Words};

/// The inside of one `<box-preview>`.
#[wasm_bindgen]
pub struct Stage {
    inner: Rc<Inner>,
}

struct Inner {
    client: Rc<Shared>,
    view: View,
    intercept: Function,
    /// What the person can go through with the library's arrows.
    collection: RefCell<Vec<Item>>,
    /// What is to be shown is wished for as long as this is here.
    interest: RefCell<Rc<()>>,
    /// Counts what was asked to be shown, so that what comes late is recognised.
    turn: Cell<u32>,
    showing: RefCell<Option<Showing>>,
    mounted: RefCell<Option<Rc<Mounted>>>,
    /// Under a prompt, until somebody is signed in again: what had the focus there.
    paused: RefCell<Option<Paused>>,
}

struct Paused {
    focused: Option<HtmlElement>,
}

/// What is being shown, and what has become known about it.
struct Showing {
    want: Want,
    /// How often the library asked for this file's token: once, unless it retries. Loading takes one.
    asked: u32,
    loaded: bool,
    /// A dead token was replaced once already; a second time is a failure.
    healed: bool,
    verdict: Option<Verdict>,
}

/// The library's own instance, its container, and the token function that it calls.
struct Mounted {
    preview: Preview,
    stage: Element,
    token: JsValue,
}

#[wasm_bindgen]
impl Stage {
    /// `intercept` is the client's `requestInterceptor`.
    ///
    /// # Errors
    /// When the document cannot build the element's own tree.
    #[wasm_bindgen(constructor)]
    pub fn new(
        client: &Client,
        host: HtmlElement,
        root: &ShadowRoot,
        intercept: Function,
    ) -> Result<Self, JsValue> {
        let inner = Inner {
            client: client.share(),
            view: View::build(host, root)?,
            intercept,
            collection: RefCell::default(),
            interest: RefCell::default(),
            turn: Cell::default(),
            showing: RefCell::default(),
            mounted: RefCell::default(),
            paused: RefCell::default(),
        };
        Ok(Self { inner: Rc::new(inner) })
    }

    /// Shows what the attributes say now.
    pub fn refresh(&self) {
        self.inner.refresh(false);
    }

    /// The session is over. A file that is open stays, with a way back in over it; but not for who signed out.
    pub fn ended(&self, reason: Option<String>) {
        let loaded = self.inner.showing.borrow().as_ref().map(|showing| showing.loaded);
        match loaded {
            Some(true) if reason.as_deref() != Some("signed_out") => self.inner.pause(),
            Some(_) => self.inner.fail(&Fault::new(fault::SIGNED_OUT)),
            None => {}
        }
    }

    /// The element left the page.
    pub fn leave(&self) {
        self.inner.leave();
        self.inner.interest.take();
        self.inner.view.face(Face::Idle);
    }
}

impl Inner {
    fn refresh(self: &Rc<Self>, healed: bool) {
        let turn = self.turn.get().wrapping_add(1);
        self.turn.set(turn);
        let Some(collection) = collection(&self.view.attribute("collection").unwrap_or_default()) else {
            return self.fail(&Fault::new(fault::MALFORMED_ITEM));
        };
        let item = match (self.view.attribute("file"), collection.first()) {
            (Some(file), _) => Item::parse(&file).filter(Item::is_file),
            (None, Some(first)) => Some(first.clone()),
            (None, None) => {
                self.leave();
                self.interest.take();
                return self.view.face(Face::Idle);
            }
        };
        let Some(item) = item else { return self.fail(&Fault::new(fault::MALFORMED_ITEM)) };
        self.collection.replace(collection);
        let scopes = Scopes::parse(&self.view.attribute("scopes").unwrap_or_default());
        let want = Want { item, scopes };
        let interest = Rc::new(());
        self.client.wish(&want, Some(&interest));
        for item in &*self.collection.borrow() {
            self.client.wish(&Want { item: item.clone(), scopes: want.scopes.clone() }, Some(&interest));
        }
        self.interest.replace(interest);
        self.showing.replace(Some(Showing {
            want: want.clone(),
            asked: 0,
            loaded: false,
            healed,
            verdict: None,
        }));
        self.view.face(Face::Loading);
        let inner = Rc::clone(self);
        run(Box::pin(async move {
            let shown = inner.show(turn, want).await;
            match shown {
                Err(fault) if turn == inner.turn.get() => inner.fail(&fault),
                _ => {}
            }
        }));
    }

    /// The token and the library come at the same time; the library is not loaded for someone signed out.
    async fn show(self: &Rc<Self>, turn: u32, want: Want) -> Result<(), Fault> {
        let settings = self.client.settings().await?;
        let library = loader::load(&settings.preview_library_url, self.view.attribute("locale").as_deref());
        let id = want.item.id().to_owned();
        self.client.token_for(want).await?;
        if !JsFuture::from(library).await.is_ok_and(|is_there| is_there.is_truthy()) {
            return Err(Fault::new(fault::LIBRARY_UNREACHABLE));
        }
        if turn != self.turn.get() {
            return Ok(());
        }
        let mounted = self.mount().map_err(|_| Fault::new(fault::LIBRARY_UNREACHABLE))?;
        let options = self.options(&settings, &mounted.stage);
        let shown = mounted.preview.show(&id, &mounted.token, &options);
        shown.map_err(|_| Fault::new("error_generic"))
    }

    /// What the page wants of the library, and over it what the element needs.
    fn options(&self, settings: &Settings, stage: &Element) -> JsValue {
        let ours: [(&str, JsValue); 5] = [
            ("container", stage.into()),
            ("apiHost", settings.api_url.as_str().into()),
            ("appHost", settings.app_url.as_str().into()),
            ("showDownload", self.view.has("show-download").into()),
            ("requestInterceptor", self.intercept.clone().into()),
        ];
        let options = js_sys::Object::new();
        if let Some(wanted) = self.view.property("options").dyn_ref() {
            js_sys::Object::assign(&options, wanted);
        }
        for (name, value) in ours {
            set(&options, name, value);
        }
        if let Some(header) = self.view.attribute("header") {
            set(&options, "header", header);
        }
        let ids: js_sys::Array =
            self.collection.borrow().iter().map(|item| JsValue::from(item.id())).collect();
        if ids.length() > 0 {
            set(&options, "collection", ids);
        }
        options.into()
    }

    /// The library's instance, made at the first file and kept for the next ones.
    fn mount(self: &Rc<Self>) -> Result<Rc<Mounted>, JsValue> {
        if let Some(mounted) = &*self.mounted.borrow() {
            return Ok(Rc::clone(mounted));
        }
        let preview = Preview::new()?;
        let weak = Rc::downgrade(self);
        let token = Closure::<dyn FnMut(JsValue) -> Promise>::new(move |items| answer(&weak, items));
        let weak = Rc::downgrade(self);
        preview.add_listener("load", &listener(move |event| with(&weak, |inner| inner.loaded(&event))))?;
        let weak = Rc::downgrade(self);
        preview.add_listener(
            "preview_error",
            &listener(move |event| with(&weak, |inner| inner.failed(&event))),
        )?;
        let weak = Rc::downgrade(self);
        preview.add_listener("navigate", &listener(move |to| with(&weak, |inner| inner.navigated(&to))))?;
        let mounted = Rc::new(Mounted { preview, stage: self.view.stage()?, token: token.into_js_value() });
        self.mounted.replace(Some(Rc::clone(&mounted)));
        wire::join(&self.client);
        Ok(mounted)
    }

    fn leave(&self) {
        self.turn.set(self.turn.get().wrapping_add(1));
        self.showing.replace(None);
        self.paused.replace(None);
        let mounted = self.mounted.borrow_mut().take();
        if let Some(mounted) = mounted {
            mounted.preview.remove_all_listeners().ok();
            mounted.preview.hide().ok();
            mounted.stage.remove();
            wire::leave(&self.client);
        }
    }

    /// The library asks for tokens. Asking again for a file is its retry after a failure that it does not tell: then
    /// Box is asked what is the matter, and a dead token is replaced.
    async fn tokens(self: Rc<Self>, items: JsValue) -> JsValue {
        let Some((want, ask)) = self.note(&items) else { return JsValue::NULL };
        match ask {
            Ask::First => {}
            Ask::Again => {
                if let Some(Verdict::Final(code)) = self.examine(&want).await {
                    self.fail_in_library(&Fault::new(code));
                }
            }
            Ask::InVain => {
                self.fail(&Fault::new(fault::TOKEN_REFUSED));
                return JsValue::NULL;
            }
        }
        self.client.tokens(&items, &want.scopes).await
    }

    fn note(&self, items: &JsValue) -> Option<(Want, Ask)> {
        let mut showing = self.showing.borrow_mut();
        let showing = showing.as_mut()?;
        let own = showing.want.item.typed();
        let asks_for_own =
            js_sys::Array::from(items).iter().any(|item| item.as_string().as_deref() == Some(own));
        let ask = if asks_for_own { Ask::after(showing.asked, showing.loaded) } else { Ask::First };
        showing.asked = showing.asked.saturating_add(u32::from(asks_for_own));
        if showing.loaded {
            // What Box said at the start may be hours ago.
            showing.verdict = None;
        }
        Some((showing.want.clone(), ask))
    }

    /// What Box says about this file and its token. It is asked once, and again after a dead token.
    async fn examine(self: &Rc<Self>, want: &Want) -> Option<Verdict> {
        let turn = self.turn.get();
        let known = self.showing.borrow().as_ref().and_then(|showing| showing.verdict);
        if known.is_some_and(|verdict| verdict != Verdict::TokenRefused) {
            return known;
        }
        let settings = self.client.settings().await.ok()?;
        let token = self.client.token_for(want.clone()).await.ok()?;
        let verdict = http::examine(&settings.api_url, want.item.id(), &token).await;
        if verdict == Verdict::TokenRefused {
            self.client.refuse(&token);
        }
        if turn != self.turn.get() {
            return None;
        }
        if let Some(showing) = &mut *self.showing.borrow_mut() {
            showing.verdict = Some(verdict);
        }
        Some(verdict)
    }

    fn loaded(&self, event: &JsValue) {
        if text(event, "error").is_some() || !self.concerns(&get(event, "file")) {
            return;
        }
        if let Some(showing) = &mut *self.showing.borrow_mut() {
            showing.loaded = true;
            showing.asked = 1;
        }
        self.view.face(Face::Ready);
        let file = get(event, "file");
        let detail = object([("id", get(&file, "id")), ("name", get(&file, "name"))]);
        self.view.dispatch("keyhole-load", &detail);
    }

    /// The person went on to another file of the collection; the library says which, by its id or as an object.
    fn navigated(&self, to: &JsValue) {
        let id = to.as_string().or_else(|| text(to, "id"));
        let Some(item) = id.and_then(|id| Item::parse(&id)).filter(Item::is_file) else { return };
        if let Some(showing) = &mut *self.showing.borrow_mut() {
            let want = Want { item, scopes: showing.want.scopes.clone() };
            *showing = Showing { want, asked: 0, loaded: false, healed: false, verdict: None };
        }
    }

    /// With other files beside it, a file that does not come is the library's to tell: its arrows lead on.
    fn leads_on(&self) -> bool {
        self.mounted.borrow().is_some() && self.collection.borrow().len() > 1
    }

    /// An event of a file that is no longer shown changes nothing. One that names no file is about this one.
    fn concerns(&self, file: &JsValue) -> bool {
        let showing = self.showing.borrow();
        let Some(showing) = &*showing else { return false };
        text(file, "id").is_none_or(|id| id == showing.want.item.id())
    }

    fn failed(self: &Rc<Self>, event: &JsValue) {
        let error = get(event, "error");
        let code = text(&error, "code").unwrap_or_default();
        let said = text(&error, "displayMessage").unwrap_or_default();
        let known = self.showing.borrow().as_ref().map(|showing| (showing.want.clone(), showing.loaded));
        let Some((want, loaded)) = known else { return };
        if !is_fatal(&code, loaded) || !self.concerns(&get(event, "file")) {
            return;
        }
        let (inner, turn) = (Rc::clone(self), self.turn.get());
        run(Box::pin(async move {
            let verdict = inner.examine(&want).await;
            if turn != inner.turn.get() {
                return;
            }
            let healed = inner.showing.borrow().as_ref().is_none_or(|showing| showing.healed);
            if verdict == Some(Verdict::TokenRefused) && !healed {
                return inner.refresh(true);
            }
            inner.fail_in_library(&Fault { title: said, ..Fault::new(cause(&code, verdict)) });
        }));
    }

    /// With other files beside it, a file that does not come is the library's to say, whose arrows lead on. But of refused
    /// tokens it says nothing, with a film that stands still.
    fn fail_in_library(self: &Rc<Self>, fault: &Fault) {
        if self.leads_on() && !fault.ends_session() && fault.code != fault::TOKEN_REFUSED {
            self.view.face(Face::Ready);
            self.tell(fault, &words::of(&fault.code));
        } else {
            self.fail(fault);
        }
    }

    /// Takes the preview away and says in words why, and what can be done.
    fn fail(self: &Rc<Self>, fault: &Fault) {
        let words = words::of(&fault.code);
        self.leave();
        let weak = Rc::downgrade(self);
        let act = listener(move |_| with(&weak, |inner| inner.act(words.action)));
        self.view.message(Face::Message, &words, &detail_of(fault), &act).ok();
        self.tell(fault, &words);
        if words.action == Action::SignIn {
            self.once_signed_in(|inner| inner.refresh(false));
        }
    }

    fn tell(&self, fault: &Fault, words: &Words) {
        let detail = object([("code", fault.code.as_str().into()), ("message", words.title.into())]);
        self.view.dispatch("keyhole-error", &detail);
    }

    /// Acts once somebody is signed in, here or in another tab, unless something else is to be shown by then.
    fn once_signed_in(self: &Rc<Self>, act: impl FnOnce(&Rc<Self>) + 'static) {
        let (weak, turn, signed_in) = (Rc::downgrade(self), self.turn.get(), self.client.signed_in_again());
        run(Box::pin(async move {
            signed_in.await.ok();
            with(&weak, |inner| {
                if turn == inner.turn.get() {
                    act(inner);
                }
            });
        }));
    }

    /// The file stays, out of reach, until somebody is signed in again: here, or in another tab.
    fn pause(self: &Rc<Self>) {
        self.paused.replace(Some(Paused { focused: self.view.focused() }));
        self.cover(&words::PAUSED, "");
        self.set_inert(true);
        let login = self.client.login();
        self.once_signed_in(move |inner| inner.resume(login.as_deref()));
    }

    /// Words over the file that stays, and the way back in under them.
    fn cover(self: &Rc<Self>, words: &Words, detail: &str) {
        let words = Words { action: Action::SignIn, ..*words };
        let weak = Rc::downgrade(self);
        let act = listener(move |_| with(&weak, |inner| inner.act(Action::SignIn)));
        self.view.message(Face::Paused, &words, detail, &act).ok();
        if self.paused.borrow().as_ref().is_some_and(|paused| paused.focused.is_some()) {
            self.view.focus_button();
        }
    }

    /// Somebody is signed in again. Unless they may see the file, too, it is asked for anew.
    fn resume(self: &Rc<Self>, login: Option<&str>) {
        self.set_inert(false);
        let paused = self.paused.take();
        let want = self.showing.borrow().as_ref().map(|showing| showing.want.clone());
        if want.is_some_and(|want| self.client.may_go_on(login, &want)) {
            self.view.face(Face::Ready);
            if let Some(focused) = paused.and_then(|paused| paused.focused) {
                focused.focus().ok();
            }
        } else {
            self.leave();
            self.refresh(false);
        }
    }

    fn set_inert(&self, inert: bool) {
        if let Some(mounted) = &*self.mounted.borrow() {
            mounted.stage.toggle_attribute_with_force("inert", inert).ok();
        }
    }

    fn act(self: &Rc<Self>, action: Action) {
        match action {
            Action::Retry => self.refresh(false),
            Action::SignIn if self.view.dispatch("keyhole-signin", &JsValue::NULL) => self.sign_in(),
            Action::SignIn | Action::Nothing => {}
        }
    }

    /// In a window beside the page, so that nothing on it is lost. What is shown comes by itself once it went well.
    fn sign_in(self: &Rc<Self>) {
        let (inner, turn) = (Rc::clone(self), self.turn.get());
        let signing_in = self.client.sign_in_beside(None);
        run(Box::pin(async move {
            let outcome = JsFuture::from(signing_in).await;
            let Err(error) = outcome else { return };
            let fault = fault_of(&error);
            if turn != inner.turn.get() {
                return;
            }
            if inner.paused.borrow().is_some() {
                inner.cover(&words::of(&fault.code), &detail_of(&fault));
            } else {
                inner.fail(&fault);
            }
        }));
    }
}

/// What helps whoever looks into it. That nobody is signed in needs no looking into.
fn detail_of(fault: &Fault) -> String {
    if fault.ends_session() && fault.reason.is_none() {
        return String::new();
    }
    let detail =
        [Some(fault.code.as_str()), fault.rule.as_deref(), fault.reason.as_deref(), Some(&fault.title)];
    let parts = detail.into_iter().flatten().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" · ")
}

fn with(inner: &Weak<Inner>, act: impl FnOnce(&Rc<Inner>)) {
    if let Some(inner) = inner.upgrade() {
        act(&inner);
    }
}

/// Always resolves: the library waits for ever on a promise that rejects.
fn answer(inner: &Weak<Inner>, items: JsValue) -> Promise {
    match inner.upgrade() {
        Some(inner) => settling(Box::pin(async move { Ok(inner.tokens(items).await) })),
        None => Promise::resolve(&JsValue::NULL),
    }
}
