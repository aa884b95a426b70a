//! Previews that live: a viewer goes on asking Box with the header it was given when the file was opened, for as long
//! as the file is open. So while a preview is on the page, `fetch` puts the live token in place of the one that a
//! request to Box bears, if that is one of ours, and asks again where the network was away: a laptop that slept. It
//! touches nothing else, and leaves with the last preview.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, Response, Url};

use super::shared::{AUTHORIZATION, BEARER, Shared};
use super::{get, set, settling, text, window};
use crate::want::Want;

thread_local! {
    static WIRE: RefCell<Option<Wire>> = const { RefCell::new(None) };
}

/// What stands in the place of `fetch`.
struct Wire {
    original: Function,
    ours: JsValue,
    /// The client of each preview on the page.
    clients: Vec<Weak<Shared>>,
}

/// A preview of this client has come to the page.
pub(super) fn join(client: &Rc<Shared>) {
    WIRE.with_borrow_mut(|wire| {
        if wire.is_none() {
            *wire = install();
        }
        if let Some(wire) = wire {
            wire.clients.push(Rc::downgrade(client));
        }
    });
}

/// A preview of this client has left it.
pub(super) fn leave(client: &Rc<Shared>) {
    WIRE.with_borrow_mut(|wire| {
        let Some(there) = wire else { return };
        if let Some(at) = there.clients.iter().position(|known| known.as_ptr() == Rc::as_ptr(client)) {
            there.clients.swap_remove(at);
        }
        if there.clients.is_empty() {
            // Whoever wrapped `fetch` after us keeps what they put there; ours hands on what it gets.
            if get(&window(), FETCH) == there.ours {
                set(&window(), FETCH, there.original.clone());
            }
            *wire = None;
        }
    });
}

const FETCH: &str = "fetch";

/// Waits before the next try of a request that met no network. Awake again, a computer needs some seconds for its own.
const NETWORK_WAITS_MS: [u32; 3] = [500, 1_000, 2_000];

/// At once, unless the browser knows that it has no network.
async fn until_online() {
    if window().navigator().on_line() {
        return;
    }
    let online = Promise::new(&mut |resolve, _| {
        let once = web_sys::AddEventListenerOptions::new();
        once.set_once(true);
        window()
            .add_event_listener_with_callback_and_add_event_listener_options("online", &resolve, &once)
            .ok();
    });
    JsFuture::from(online).await.ok();
}

fn install() -> Option<Wire> {
    let original: Function = get(&window(), FETCH).dyn_into().ok()?;
    let under = original.clone();
    let ours =
        Closure::<dyn FnMut(JsValue, JsValue) -> Promise>::new(move |input, init| fetch(&under, input, init))
            .into_js_value();
    set(&window(), FETCH, ours.clone());
    Some(Wire { original, ours, clients: Vec::new() })
}

/// A request that bears a token of ours to Box.
struct Borne {
    client: Rc<Shared>,
    want: Want,
    headers: Headers,
    /// Whether it can be sent a second time.
    is_read: bool,
}

fn fetch(original: &Function, input: JsValue, init: JsValue) -> Promise {
    match borne(&input, &init) {
        Some(borne) => {
            let original = original.clone();
            settling(Box::pin(async move { borne.send(&original, &input, &init).await }))
        }
        None => call(original, &input, &init),
    }
}

fn call(original: &Function, input: &JsValue, init: &JsValue) -> Promise {
    let called = match init.is_undefined() {
        true => original.call1(&window(), input),
        false => original.call2(&window(), input, init),
    };
    called.map_or_else(|thrown| Promise::reject(&thrown), JsCast::unchecked_into)
}

fn borne(input: &JsValue, init: &JsValue) -> Option<Borne> {
    let request = input.dyn_ref::<Request>();
    let own_headers = get(init, "headers");
    let headers = match request {
        Some(request) if own_headers.is_undefined() => Headers::new_with_headers(&request.headers()),
        _ => Headers::new_with_str_sequence_sequence(&own_headers),
    };
    let headers = headers.ok()?;
    let header = headers.get(AUTHORIZATION).ok()??;
    // A string, a `Request`, or a `URL`. What else it may be is not ours.
    let url = request.map(Request::url).or_else(|| input.as_string()).or_else(|| text(input, "href"))?;
    let url = Url::new_with_base(&url, &window().location().href().ok()?).ok()?.href();
    let clients: Vec<Rc<Shared>> = WIRE
        .with_borrow(|wire| wire.iter().flat_map(|wire| &wire.clients).filter_map(Weak::upgrade).collect());
    let (client, want) =
        clients.into_iter().find_map(|client| client.wanted_by(&header, &url).map(|want| (client, want)))?;
    let method = text(init, "method").or_else(|| request.map(Request::method));
    let is_read = method.is_none_or(|method| matches!(method.to_ascii_uppercase().as_str(), "GET" | "HEAD"));
    Some(Borne { client, want, headers, is_read })
}

impl Borne {
    /// With the live token; and once more with the next, should Box say that this one is dead.
    async fn send(self, original: &Function, input: &JsValue, init: &JsValue) -> Result<JsValue, JsValue> {
        let (token, answer) = self.send_through(original, input, init).await?;
        let Some(token) = token.filter(|_| self.is_read && is_refused(&answer)) else { return Ok(answer) };
        self.client.refuse(&token);
        match self.client.token_to_go_on(&self.want).await {
            Ok(next) if next != token => self.send_with(Some(&next), original, input, init).await,
            _ => Ok(answer),
        }
    }

    /// Again while there is no network, to Box or for a token: as long as the browser knows of none, and a few times
    /// while it says that there is one.
    async fn send_through(
        &self,
        original: &Function,
        input: &JsValue,
        init: &JsValue,
    ) -> Result<(Option<String>, JsValue), JsValue> {
        let mut waits_ms = NETWORK_WAITS_MS.into_iter();
        loop {
            let token = self.client.token_to_go_on(&self.want).await;
            let answer = self.send_with(token.as_deref().ok(), original, input, init).await;
            let may_pass = match (&answer, &token) {
                (Ok(answer), Err(fault)) => is_refused(answer) && fault.may_pass(),
                (Ok(_), Ok(_)) => false,
                // An abort is no matter of the network.
                (Err(failure), _) => text(failure, "name").as_deref() == Some("TypeError"),
            };
            match waits_ms.next().filter(|_| self.is_read && may_pass) {
                Some(wait_ms) => {
                    until_online().await;
                    TimeoutFuture::new(wait_ms).await;
                }
                None => return answer.map(|answer| (token.ok(), answer)),
            }
        }
    }

    async fn send_with(
        &self,
        token: Option<&str>,
        original: &Function,
        input: &JsValue,
        init: &JsValue,
    ) -> Result<JsValue, JsValue> {
        if let Some(token) = token {
            self.headers.set(AUTHORIZATION, &[BEARER, token].concat())?;
        }
        let ours = Object::new();
        if let Some(init) = init.dyn_ref::<Object>() {
            Object::assign(&ours, init);
        }
        Reflect::set(&ours, &"headers".into(), &self.headers)?;
        JsFuture::from(call(original, input, &ours)).await
    }
}

fn is_refused(answer: &JsValue) -> bool {
    answer.dyn_ref::<Response>().is_some_and(|answer| answer.status() == 401)
}
