//! The client behind `class Keyhole`: what JavaScript calls, and nothing that decides.

use std::rc::Rc;

use gloo_net::http::Request;
use js_sys::{Array, Date, Function, Promise};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::promise;
use super::shared::{Shared, plain};
use crate::fault::{self, Fault};
use crate::want::{Item, Scopes, Want};

/// The client of one Keyhole. Clones of the inner part are shared with the previews on the page.
#[wasm_bindgen]
pub struct Client {
    shared: Rc<Shared>,
}

#[wasm_bindgen]
impl Client {
    /// `origin` is the Worker's; `tell(type, detail)` dispatches an event on the `Keyhole`.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(origin: String, tell: Function) -> Self {
        Self { shared: Shared::new(origin, tell) }
    }

    pub(super) fn share(&self) -> Rc<Shared> {
        Rc::clone(&self.shared)
    }

    /// What the page's own code asks for is nobody else's wish, and stays.
    fn wish(&self, items: &Array, scopes: &Scopes) {
        for item in items.iter().filter_map(|item| Item::parse(&item.as_string()?)) {
            self.shared.wish(&Want { item, scopes: scopes.clone() }, None);
        }
    }

    /// Who is signed in, asked anew: `null` or `{user, expires_at}`.
    pub fn session(&self) -> Promise {
        self.shared.session()
    }

    /// Why the session before was ended, where the Worker said so.
    #[must_use]
    pub fn ended(&self) -> Option<String> {
        self.shared.ended()
    }

    /// Leaves the page for Box's login, to come back to `return_to` (else to this very place).
    #[wasm_bindgen(js_name = signIn)]
    pub fn sign_in(&self, return_to: Option<String>) {
        self.shared.sign_in(return_to);
    }

    /// Box's login in a window beside the page. Resolves to the session; where windows are blocked, leaves the page.
    /// `items` are what a page of another site wants from that window, beside what it has asked for before.
    #[wasm_bindgen(js_name = signInBeside)]
    pub fn sign_in_beside(&self, return_to: Option<String>, items: &Array) -> Promise {
        self.wish(items, &Scopes::parse(""));
        self.shared.sign_in_beside(return_to)
    }

    /// Ends the session: at Keyhole now, at Box as soon as Box confirms.
    #[wasm_bindgen(js_name = signOut)]
    pub fn sign_out(&self) -> Promise {
        let shared = self.share();
        promise(Box::pin(async move { shared.sign_out().await }))
    }

    /// The token function: a typed id or an array of them in; a string or a map out; `null` on failure. Without
    /// scopes the choice is Keyhole's.
    pub fn token(&self, items: JsValue, scopes: &str) -> Promise {
        let shared = self.share();
        let scopes = Scopes::parse(scopes);
        self.wish(&listed(&items), &scopes);
        promise(Box::pin(async move { Ok(shared.tokens(&items, &scopes).await) }))
    }

    /// A token for one item under these scopes; the promise rejects with the reason.
    #[wasm_bindgen(js_name = tokenFor)]
    pub fn token_for(&self, item: &str, scopes: &str) -> Promise {
        let shared = self.share();
        let item = Item::parse(item);
        let scopes = Scopes::parse(scopes);
        promise(Box::pin(async move {
            let want = Want { item: item.ok_or_else(|| Fault::new(fault::MALFORMED_ITEM))?, scopes };
            shared.wish(&want, None);
            shared.token_for(want).await.map(JsValue::from)
        }))
    }

    /// A page of a folder's items, as the Worker answers it.
    pub fn items(&self, folder: &str, offset: u32, limit: u32) -> Promise {
        let shared = self.share();
        let folder = js_sys::encode_uri_component(folder);
        let query = ["?offset=", &offset.to_string(), "&limit=", &limit.to_string()].concat();
        let url = [&shared.url("/api/folders/"), String::from(folder).as_str(), "/items", &query].concat();
        promise(Box::pin(async move { shared.ask(Request::get(&url), None).await }))
    }

    /// What this page holds now: never a token.
    #[must_use]
    pub fn held(&self) -> Array {
        let held = self.shared.held.borrow();
        held.list(Date::now())
            .map(|holding| {
                plain(&HeldRow {
                    item: holding.item().typed(),
                    scopes: holding.scopes().split_ascii_whitespace().collect(),
                    expires_at: (holding.expires_at_ms() / 1000.0).floor(),
                })
            })
            .collect()
    }

    /// Box rejected this token. The next ask for its item brings another.
    pub fn refused(&self, token: &str) {
        self.shared.refuse(token);
    }

    /// For the library's `requestInterceptor`: a request to Box that carries a token of ours goes out with
    /// that item's live one.
    #[must_use]
    pub fn intercept(&self, config: JsValue) -> JsValue {
        self.shared.intercept(config)
    }
}

/// One id as a list of one.
fn listed(items: &JsValue) -> Array {
    if items.is_array() { Array::from(items) } else { Array::of1(items) }
}

/// A row of [`Client::held`].
#[derive(Serialize)]
struct HeldRow<'a> {
    item: &'a str,
    scopes: Vec<&'a str>,
    expires_at: f64,
}
