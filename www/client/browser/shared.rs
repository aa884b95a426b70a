//! What all of a page's previews share with its client: the session, the tokens and the asks on their way.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use futures_channel::oneshot;
use gloo_net::http::Request;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Date, Function, Promise, Reflect};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::http::{self, ask};
use super::popup::{self, Beside};
use super::tabs::{Tabs, Word};
use super::{fault_of, get, object, promise, run, set, text, window};
use crate::ask::{Asks, Batch, Joined};
use crate::fault::{self, Fault};
use crate::held::{Held, PreviewToken};
use crate::hosts;
use crate::want::{Item, Scopes, Want};
use crate::wishes::Wishes;

/// What the Worker tells a page about itself.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) api_url: String,
    pub(super) app_url: String,
    pub(super) preview_library_url: String,
}

impl Settings {
    fn read(settings: &JsValue) -> Option<Self> {
        Some(Self {
            api_url: text(settings, "api_url")?,
            app_url: text(settings, "app_url")?,
            preview_library_url: text(settings, "preview_library_url")?,
        })
    }
}

/// What is known of the session.
#[derive(Default)]
struct Session {
    signed_in: Option<bool>,
    ended: Option<String>,
    settings: Option<Settings>,
    /// Why another tab says that it has ended.
    rumour: Option<String>,
    /// Who it was, to tell whether it is the same person again.
    login: Option<String>,
    asking: Option<Promise>,
    signing_in: Option<Promise>,
    /// This page is of another site: it does not see the session, and its tokens come by hand.
    by_hand: bool,
}

pub(super) struct Shared {
    origin: String,
    tell: Function,
    asks: RefCell<Asks<oneshot::Sender<Answer>>>,
    pub(super) held: RefCell<Held>,
    session: RefCell<Session>,
    tabs: Tabs,
    /// What a page of another origin wants a window to bring.
    wishes: RefCell<Wishes>,
    /// The window that asks in this page's place.
    courier: RefCell<Option<Rc<Beside>>>,
    /// The window in which somebody may be signing in.
    beside: RefCell<Weak<Beside>>,
    /// Who waits until somebody is signed in again.
    resuming: RefCell<Vec<oneshot::Sender<()>>>,
    /// Counts sessions, so that a token that arrives after the end of its session is not kept.
    epoch: Cell<u32>,
    /// Counts sign-ins, so that an answer from before the last one ends nothing.
    sign_ins: Cell<u32>,
    /// Counts sign-outs, so that nothing goes on in the name of whoever comes next.
    sign_outs: Cell<u32>,
}

pub(super) type Answer = Result<String, Fault>;

impl Shared {
    pub(super) fn new(origin: String, tell: Function) -> Rc<Self> {
        Rc::new_cyclic(|weak: &Weak<Self>| {
            let others = weak.clone();
            let tabs = Tabs::join(&origin, move |word| {
                if let Some(shared) = others.upgrade() {
                    run(Box::pin(shared.hear(word)));
                }
            });
            Self {
                origin,
                tell,
                asks: RefCell::default(),
                held: RefCell::default(),
                session: RefCell::default(),
                tabs,
                wishes: RefCell::default(),
                courier: RefCell::default(),
                beside: RefCell::default(),
                resuming: RefCell::default(),
                epoch: Cell::default(),
                sign_ins: Cell::default(),
                sign_outs: Cell::default(),
            }
        })
    }

    /// Another tab says that something has changed. The Worker is asked whether it is so, and the reason is the other
    /// tab's: for this one there is no session to ask about any more.
    async fn hear(self: Rc<Self>, word: Word) {
        if let Word::Ended(reason) = word {
            let mut session = self.session.borrow_mut();
            if session.signed_in == Some(false) {
                return;
            }
            session.rumour = reason;
        }
        JsFuture::from(self.session()).await.ok();
        self.session.borrow_mut().rumour = None;
    }

    pub(super) fn ended(&self) -> Option<String> {
        self.session.borrow().ended.clone()
    }

    pub(super) async fn sign_out(self: &Rc<Self>) -> Result<JsValue, Fault> {
        if self.is_elsewhere() && (popup::is_of_another_site(&self.origin) || !self.sees_a_session().await) {
            popup::sign_out(self).await?;
        } else {
            ask(Request::post(&self.url("/auth/logout")), None).await?;
        }
        self.sign_outs.set(self.sign_outs.get().wrapping_add(1));
        self.end(Some("signed_out".to_owned()));
        Ok(JsValue::UNDEFINED)
    }

    /// Whether this page is of another origin than Keyhole.
    pub(super) fn is_elsewhere(&self) -> bool {
        window().location().origin().is_ok_and(|here| here != self.origin)
    }

    /// Whether the session's cookie reaches Keyhole from here; it is asked where that is not known.
    async fn sees_a_session(self: &Rc<Self>) -> bool {
        if self.session.borrow().signed_in.is_none() {
            JsFuture::from(self.session()).await.ok();
        }
        let session = self.session.borrow();
        session.signed_in == Some(true) && !session.by_hand
    }

    pub(super) fn url(&self, path: &str) -> String {
        [&self.origin, path].concat()
    }

    fn tell(&self, event: &str, detail: &JsValue) {
        self.tell.call2(&JsValue::UNDEFINED, &event.into(), detail).ok();
    }

    /// Asks the Worker, and notices when it says that the session is over: unless there never was one that it could see
    /// from here, or somebody has signed in while it answered.
    pub(super) async fn ask(
        &self,
        request: gloo_net::http::RequestBuilder,
        body: Option<JsValue>,
    ) -> Result<JsValue, Fault> {
        let sign_ins = self.sign_ins.get();
        let answer = ask(request, body).await;
        if let Err(fault) = &answer
            && fault.ends_session()
            && sign_ins == self.sign_ins.get()
            && !self.session.borrow().by_hand
        {
            self.end(fault.reason.clone());
        }
        answer
    }

    /// The session is over: every token goes, and whoever listens is told, once.
    fn end(&self, reason: Option<String>) {
        self.held.borrow_mut().clear();
        self.over(reason);
    }

    fn over(&self, reason: Option<String>) {
        self.epoch.set(self.epoch.get().wrapping_add(1));
        let (was_over, was_by_hand) = {
            let mut session = self.session.borrow_mut();
            session.ended.clone_from(&reason);
            (session.signed_in.replace(false) == Some(false), core::mem::take(&mut session.by_hand))
        };
        if !was_over {
            if !was_by_hand {
                self.tabs.tell(&Word::Ended(reason.clone()));
            }
            self.tell("ended", &object([("reason", reason.into())]));
            self.tell("change", &JsValue::UNDEFINED);
        }
    }

    /// One question about the session at a time; who asks meanwhile gets its answer.
    pub(super) fn session(self: &Rc<Self>) -> Promise {
        if let Some(asking) = &self.session.borrow().asking {
            return asking.clone();
        }
        let shared = Rc::clone(self);
        let asking = promise(Box::pin(async move {
            let answer = shared.ask_session().await;
            shared.session.borrow_mut().asking = None;
            answer
        }));
        self.session.borrow_mut().asking = Some(asking.clone());
        asking
    }

    async fn ask_session(&self) -> Result<JsValue, Fault> {
        let answer = ask(Request::get(&self.url("/api/session")), None).await?;
        let settings =
            Settings::read(&get(&answer, "settings")).ok_or_else(|| Fault::new(fault::UNREADABLE))?;
        self.session.borrow_mut().settings = Some(settings);
        let session = get(&answer, "session");
        if session.is_object() {
            let login = text(&get(&session, "user"), "login");
            let is_another = {
                let known = self.session.borrow();
                known.signed_in == Some(true) && !known.by_hand && known.login != login
            };
            if is_another {
                self.end(Some("replaced".to_owned()));
            }
            let known = {
                let mut known = self.session.borrow_mut();
                known.login = login;
                known.by_hand = false;
                known.signed_in.replace(true)
            };
            if known != Some(true) {
                self.tabs.tell(&Word::SignedIn);
                self.resume();
            }
            return Ok(session);
        }
        if self.session.borrow().by_hand {
            return Ok(JsValue::NULL);
        }
        let (known, rumour) = {
            let mut known = self.session.borrow_mut();
            (known.signed_in, known.rumour.take())
        };
        match known {
            None => {
                let mut known = self.session.borrow_mut();
                known.signed_in = Some(false);
                known.ended = text(&answer, "ended");
            }
            Some(true) => self.end(text(&answer, "ended").or(rumour)),
            Some(false) => {}
        }
        Ok(JsValue::NULL)
    }

    fn resume(&self) {
        self.sign_ins.set(self.sign_ins.get().wrapping_add(1));
        for waiter in self.resuming.take() {
            waiter.send(()).ok();
        }
        self.tell("change", &JsValue::UNDEFINED);
    }

    /// The Worker's settings, for someone who is signed in.
    pub(super) async fn settings(self: &Rc<Self>) -> Result<Settings, Fault> {
        let known = {
            let session = self.session.borrow();
            session.settings.clone().filter(|_| session.signed_in == Some(true))
        };
        if let Some(settings) = known {
            return Ok(settings);
        }
        JsFuture::from(self.session()).await.map_err(|error| fault_of(&error))?;
        let session = self.session.borrow();
        match (&session.settings, session.signed_in) {
            (Some(settings), Some(true)) => Ok(settings.clone()),
            _ => Err(Fault { reason: session.ended.clone(), ..Fault::new(fault::SIGNED_OUT) }),
        }
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Where a login starts that comes back to `return_to`, else to this very place. `opener`: in a window that tells
    /// this origin how it ended.
    pub(super) fn login_address(&self, return_to: Option<&str>, opener: Option<&str>) -> String {
        let encoded = |text: &str| String::from(js_sys::encode_uri_component(text));
        let here = || {
            let href = window().location().href().unwrap_or_default();
            match href.strip_prefix(self.origin.as_str()) {
                Some(path) if path.starts_with('/') => path.to_owned(),
                _ => href,
            }
        };
        let return_to = return_to.map_or_else(here, str::to_owned);
        let mut address = [&self.url("/auth/login?return_to="), encoded(&return_to).as_str()].concat();
        if let Some(opener) = opener {
            address.push_str("&opener=");
            address.push_str(&encoded(opener));
        }
        address
    }

    /// Where a page of the origin `here` opens a window to ask in its place.
    pub(super) fn hand_over_address(&self, here: &str, purpose: &str) -> String {
        let opener = String::from(js_sys::encode_uri_component(here));
        [&self.url("/auth/hand-over?opener="), opener.as_str(), purpose].concat()
    }

    pub(super) fn sign_in(&self, return_to: Option<String>) {
        window().location().assign(&self.login_address(return_to.as_deref(), None)).ok();
    }

    /// A window beside the page, at most one: who asks meanwhile waits for the same, and sees it again.
    pub(super) fn sign_in_beside(self: &Rc<Self>, return_to: Option<String>) -> Promise {
        if let Some(signing_in) = &self.session.borrow().signing_in {
            if let Some(beside) = self.beside.borrow().upgrade() {
                beside.bring_forward();
            }
            return signing_in.clone();
        }
        let shared = Rc::clone(self);
        let signing_in = promise(Box::pin(async move {
            let outcome = popup::sign_in(Rc::clone(&shared), return_to).await;
            shared.session.borrow_mut().signing_in = None;
            outcome
        }));
        self.session.borrow_mut().signing_in = Some(signing_in.clone());
        signing_in
    }

    /// What the library's token function answers; see `Client::token`.
    pub(super) async fn tokens(self: &Rc<Self>, items: &JsValue, scopes: &Scopes) -> JsValue {
        if let Some(one) = items.as_string() {
            return self.token_or_null(&one, scopes.clone()).await;
        }
        let Some(items) = items.dyn_ref::<Array>() else { return JsValue::NULL };
        // All are asked for before the first is awaited: one tick, one request.
        let asked: Vec<(JsValue, Promise)> = items
            .iter()
            .map(|item| {
                let (shared, scopes) = (Rc::clone(self), scopes.clone());
                let typed = item.as_string().unwrap_or_default();
                (item, promise(Box::pin(async move { Ok(shared.token_or_null(&typed, scopes).await) })))
            })
            .collect();
        let map = object([]);
        let mut any = false;
        for (item, token) in asked {
            let token = JsFuture::from(token).await.unwrap_or(JsValue::NULL);
            any |= token.is_string();
            Reflect::set(&map, &item, &token).ok();
        }
        if any { map } else { JsValue::NULL }
    }

    async fn token_or_null(self: &Rc<Self>, item: &str, scopes: Scopes) -> JsValue {
        let Some(item) = Item::parse(item) else { return JsValue::NULL };
        self.token_for(Want { item, scopes }).await.map_or(JsValue::NULL, JsValue::from)
    }

    /// From memory while it is fresh; else asked for, together with whatever else this tick asks for.
    pub(super) async fn token_for(self: &Rc<Self>, want: Want) -> Answer {
        if let Some(token) = self.fresh(&want) {
            return Ok(token);
        }
        if self.session.borrow().by_hand && self.courier.borrow().is_none() {
            return self.left_by_hand(&want);
        }
        self.asked_for(want).await
    }

    async fn asked_for(self: &Rc<Self>, want: Want) -> Answer {
        let (waiter, answer) = oneshot::channel();
        if self.asks.borrow_mut().join(want, waiter) == Joined::First {
            let shared = Rc::clone(self);
            run(Box::pin(async move {
                TimeoutFuture::new(0).await;
                let batches = shared.asks.borrow_mut().batches();
                for batch in batches {
                    run(Box::pin(Rc::clone(&shared).send(batch)));
                }
            }));
        }
        answer.await.unwrap_or_else(|_| Err(Fault::new(fault::UNREACHABLE)))
    }

    /// Notes what a page of another origin wants: the next window brings all of it. `of` is whose wish it is.
    pub(super) fn wish(&self, want: &Want, of: Option<&Rc<()>>) {
        if self.is_elsewhere() {
            self.wishes.borrow_mut().add(want, of.map(Rc::downgrade));
        }
    }

    /// What a window has left behind for this wish. What has died since, another window brings, and every preview is
    /// told that one is needed; what no window was asked for concerns only whoever wants it.
    fn left_by_hand(&self, want: &Want) -> Answer {
        let (left, was_held) = {
            let held = self.held.borrow();
            (held.alive(want, Date::now()).map(|token| token.expose().to_owned()), held.was_for(want))
        };
        if let Some(token) = left {
            return Ok(token);
        }
        if let Some(fault) = self.wishes.borrow_mut().refusal(want) {
            return Err(fault);
        }
        if was_held {
            // What Box has rejected is to be reported by the next window.
            self.held.borrow_mut().run_dry();
            self.over(Some("expired".to_owned()));
        }
        Err(Fault::new(fault::SIGNED_OUT))
    }

    /// Somebody is signed in beside this page, which cannot see it: the window asks for all that is wished for, anew,
    /// because it may be somebody else than before.
    pub(super) async fn take_by_hand(self: &Rc<Self>, beside: &Rc<Beside>) -> Result<JsValue, Fault> {
        self.courier.replace(Some(Rc::clone(beside)));
        let wants = self.wishes.borrow_mut().all();
        // All are asked for before the first is awaited: as few requests as the limit allows.
        let ask = |want: &Want| {
            let (shared, want) = (Rc::clone(self), want.clone());
            promise(Box::pin(async move { shared.asked_for(want).await.map(JsValue::from) }))
        };
        let asked: Vec<Promise> = wants.iter().map(ask).collect();
        let (mut granted, mut refused) = (0, Vec::new());
        for (want, token) in wants.iter().zip(asked) {
            let fault = JsFuture::from(token).await.err().map(|error| fault_of(&error));
            self.wishes.borrow_mut().answer(want, fault.clone());
            match fault {
                None => granted += 1,
                Some(fault) => refused.push(fault),
            }
        }
        self.courier.replace(None);
        self.held.borrow_mut().keep_only(&wants);
        let is_answered = granted > 0 || refused.iter().any(|fault| !fault.may_pass());
        if is_answered {
            let mut session = self.session.borrow_mut();
            (session.by_hand, session.signed_in) = (true, Some(true));
            drop(session);
            self.resume();
        }
        match refused.into_iter().next() {
            Some(fault) if granted == 0 => Err(fault),
            _ => Ok(JsValue::NULL),
        }
    }

    /// The window in which somebody may be signing in, to be brought forward by whoever asks again.
    pub(super) fn is_out(&self, beside: &Rc<Beside>) {
        self.beside.replace(Rc::downgrade(beside));
    }

    /// One request for a batch; whatever comes, every waiter is told.
    async fn send(self: Rc<Self>, batch: Batch) {
        let (asked_at_ms, epoch) = (Date::now(), self.epoch.get());
        let body = self.request_body(&batch).await;
        let courier = self.courier.borrow().clone();
        let answer = match courier {
            Some(beside) => beside.ask("ask", &body).await,
            None if self.session.borrow().by_hand => Err(Fault::new(fault::SIGNED_OUT)),
            None => self.ask(Request::post(&self.url("/api/tokens")), Some(body)).await,
        };
        let answer = match answer {
            Ok(_) if epoch != self.epoch.get() => Err(Fault::new(fault::SIGNED_OUT)),
            answer => answer.map(|body| http::entries(&get(&body, "tokens"))),
        };
        for item in batch.items {
            let given = match &answer {
                Ok(tokens) => match tokens.iter().find(|(id, _)| id == item.typed()) {
                    Some((_, given)) => granted(given),
                    None => Err(Fault::new(fault::UNREADABLE)),
                },
                Err(fault) => Err(fault.clone()),
            };
            self.settle(Want { item, scopes: batch.scopes.clone() }, given, asked_at_ms);
        }
        self.tell("change", &JsValue::UNDEFINED);
    }

    async fn request_body(&self, batch: &Batch) -> JsValue {
        let mut refused = Vec::new();
        for item in &batch.items {
            let want = Want { item: item.clone(), scopes: batch.scopes.clone() };
            let token = self.held.borrow_mut().take_refused(&want);
            if let Some(token) = token {
                refused.extend(http::sha256_hex(&token).await);
            }
        }
        let items = batch.items.iter().map(Item::typed).collect();
        plain(&TokensAsked { items, scopes: batch.scopes.names(), refused })
    }

    fn settle(&self, want: Want, given: Result<Granted, Fault>, asked_at_ms: f64) {
        let answer = match given {
            Ok(given) => {
                let text = given.access_token.clone();
                let token = PreviewToken::new(given.access_token);
                let mut held = self.held.borrow_mut();
                held.keep(want.clone(), token, given.scope, asked_at_ms, given.expires_in);
                Ok(text)
            }
            Err(fault) if fault.may_pass() => {
                let held = self.held.borrow();
                held.alive(&want, Date::now()).map(|token| token.expose().to_owned()).ok_or(fault)
            }
            Err(fault) => {
                if !fault.ends_session() {
                    self.held.borrow_mut().forget(&want);
                }
                Err(fault)
            }
        };
        let waiters = self.asks.borrow_mut().settle(&want);
        for waiter in waiters {
            waiter.send(answer.clone()).ok();
        }
    }

    pub(super) fn refuse(&self, token: &str) {
        let ours = self.held.borrow_mut().refuse(token);
        if ours {
            self.tell("change", &JsValue::UNDEFINED);
        }
    }

    pub(super) fn intercept(self: &Rc<Self>, config: JsValue) -> JsValue {
        let headers = get(&config, "headers");
        let header = text(&headers, AUTHORIZATION);
        let wanted =
            header.and_then(|header| self.wanted_by(&header, &text(&config, "url").unwrap_or_default()));
        let Some(want) = wanted else { return config };
        if let Some(token) = self.fresh(&want) {
            set(&headers, AUTHORIZATION, [BEARER, &token].concat());
            return config;
        }
        let shared = Rc::clone(self);
        promise(Box::pin(async move {
            if let Ok(token) = shared.token_for(want).await {
                set(&headers, AUTHORIZATION, [BEARER, &token].concat());
            }
            Ok(config)
        }))
        .into()
    }

    fn fresh(&self, want: &Want) -> Option<String> {
        self.held.borrow().fresh(want, Date::now()).map(|token| token.expose().to_owned())
    }

    /// The wish behind an `Authorization` header, if it holds a token of ours and the request goes to Box.
    pub(super) fn wanted_by(&self, header: &str, url: &str) -> Option<Want> {
        let want = self.held.borrow().want_of(header.strip_prefix(BEARER)?).cloned()?;
        let api_url = self.session.borrow().settings.as_ref().map(|settings| settings.api_url.clone())?;
        hosts::is_box(&host(url)?, &host(&api_url)?).then_some(want)
    }

    /// Who is, or was last, signed in, as far as this page is told.
    pub(super) fn login(&self) -> Option<String> {
        self.session.borrow().login.clone()
    }

    /// Whether a file that `login` had open may stay open for whoever has signed in since: it is the same person, or
    /// the window has just brought this one a token for it.
    pub(super) fn may_go_on(&self, login: Option<&str>, want: &Want) -> bool {
        let session = self.session.borrow();
        if session.by_hand {
            return self.held.borrow().alive(want, Date::now()).is_some();
        }
        login.is_some() && session.login.as_deref() == login
    }

    /// Resolves once somebody is signed in again, counted from this call.
    pub(super) fn signed_in_again(&self) -> oneshot::Receiver<()> {
        let (waiter, resumed) = oneshot::channel();
        self.resuming.borrow_mut().push(waiter);
        resumed
    }

    /// The live token for an open preview. Where the session is over, it is waited for: the preview goes on once
    /// somebody has signed in again, but not after a sign-out, and not for somebody else.
    pub(super) async fn token_to_go_on(self: &Rc<Self>, want: &Want) -> Answer {
        let (sign_outs, login) = (self.sign_outs.get(), self.login());
        loop {
            match self.token_for(want.clone()).await {
                Err(fault) if fault.ends_session() => {
                    self.signed_in_again().await.ok();
                    let may_go_on =
                        sign_outs == self.sign_outs.get() && self.may_go_on(login.as_deref(), want);
                    if !may_go_on {
                        return Err(fault);
                    }
                }
                answer => return answer,
            }
        }
    }
}

pub(super) const AUTHORIZATION: &str = "Authorization";
pub(super) const BEARER: &str = "Bearer ";

fn host(url: &str) -> Option<String> {
    web_sys::Url::new(url).ok().map(|url| url.hostname())
}

/// The body of `POST /api/tokens`.
#[derive(Serialize)]
struct TokensAsked<'a> {
    items: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<&'a str>>,
    /// SHA-256, in hex, of tokens that Box rejected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<String>,
}

pub(super) fn plain(value: &impl Serialize) -> JsValue {
    serde_wasm_bindgen::to_value(value).unwrap_or(JsValue::UNDEFINED)
}

/// One item's part of the Worker's answer that went well.
struct Granted {
    access_token: String,
    expires_in: f64,
    scope: String,
}

fn granted(given: &JsValue) -> Result<Granted, Fault> {
    let error = get(given, "error");
    if error.is_object() {
        return Err(fault_of(&error));
    }
    let granted = || {
        Some(Granted {
            access_token: text(given, "access_token")?,
            expires_in: get(given, "expires_in").as_f64()?,
            scope: text(given, "scope")?,
        })
    };
    granted().ok_or_else(|| Fault::new(fault::UNREADABLE))
}
