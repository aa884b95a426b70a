//! The public API of `keyhole.js`, as far as the page uses it.

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::human::whole;
use crate::trail::{Named, Trail};

#[wasm_bindgen]
extern "C" {
    /// `class Keyhole`.
    #[wasm_bindgen(extends = web_sys::EventTarget)]
    pub type Keyhole;

    #[wasm_bindgen(method, catch)]
    pub(super) async fn session(this: &Keyhole) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = signIn)]
    pub(super) async fn sign_in(this: &Keyhole) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = signOut)]
    pub(super) async fn sign_out(this: &Keyhole) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(super) async fn items(this: &Keyhole, folder: &str, page: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method)]
    pub(super) fn held(this: &Keyhole) -> Array;

    #[wasm_bindgen(method, getter)]
    pub(super) fn ended(this: &Keyhole) -> Option<String>;
}

/// Who is signed in, of what `session()` resolves to.
pub(super) struct User {
    pub(super) name: String,
    pub(super) login: String,
}

impl User {
    pub(super) fn of(session: &JsValue) -> Option<Self> {
        let user = get(session, "user");
        Some(Self { name: text(&user, "name")?, login: text(&user, "login")? })
    }
}

/// What `items()` resolves to.
pub(super) struct FolderPage {
    pub(super) entries: Vec<Entry>,
    pub(super) total: u64,
}

pub(super) struct Entry {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) size: Option<u64>,
    pub(super) modified_at: Option<String>,
}

impl FolderPage {
    pub(super) fn of(page: &JsValue) -> Option<Self> {
        let entry = |entry: JsValue| {
            Some(Entry {
                kind: text(&entry, "type")?,
                id: text(&entry, "id")?,
                name: text(&entry, "name")?,
                size: get(&entry, "size").as_f64().map(whole),
                modified_at: text(&entry, "modified_at"),
            })
        };
        let entries = Array::from(&get(page, "entries"));
        Some(Self {
            entries: entries.iter().filter_map(entry).collect(),
            total: whole(get(page, "total").as_f64()?),
        })
    }
}

/// One of what `held()` answers.
pub(super) struct Holding {
    pub(super) item: String,
    pub(super) scopes: String,
    pub(super) expires_at: f64,
}

impl Holding {
    pub(super) fn all(held: &Array) -> Vec<Self> {
        let holding = |holding: JsValue| {
            Some(Self {
                item: text(&holding, "item")?,
                scopes: Array::from(&get(&holding, "scopes")).join(" ").into(),
                expires_at: get(&holding, "expires_at").as_f64()?,
            })
        };
        held.iter().filter_map(holding).collect()
    }
}

/// A place as the history keeps it, if it is one.
pub(super) fn trail(state: &JsValue) -> Option<Trail> {
    let named = |named: JsValue| Some(Named { id: text(&named, "id")?, name: text(&named, "name")? });
    Some(Trail {
        folders: get(state, "folders").dyn_ref::<Array>()?.iter().filter_map(named).collect(),
        file: named(get(state, "file")),
        from_list: get(state, "from_list").is_truthy(),
    })
}

/// The stable code of what a promise of Keyhole's rejected with.
pub(super) fn code(error: &JsValue) -> String {
    text(error, "code").unwrap_or_default()
}

/// A property, or `undefined`. Answers are read by hand: the reading half of serde brings the formatting of
/// floats along, and weighs as much as the rest of the page.
pub(super) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

pub(super) fn text(object: &JsValue, name: &str) -> Option<String> {
    get(object, name).as_string()
}
