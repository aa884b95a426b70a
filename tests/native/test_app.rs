//! The whole app: requests in, answers out, and what a test wants to know of the world behind it.

use core::{pin::Pin, time::Duration};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use box_emulator::{Emulator, Options};
use http::{Request, Response};
use keyhole_core::{
    app::{Body, Visit, answer},
    config::{Config, ConfigFaults},
    login,
    secret::MasterKey,
};
use serde_json::{Value, json};

use crate::{browser::Browser, world::World};

/// Where the app is.
pub(crate) const OWN: &str = "http://localhost:8787";
/// Where Box is: another site than the app, as in life.
pub(crate) const BOX: &str = "http://127.0.0.1:9400";
/// An origin of another site that may call.
pub(crate) const LISTED: &str = "https://app.example.com";

/// Must be found nowhere that a browser sees.
pub(crate) const CLIENT_SECRET: &str = "keyhole-dev-secret-not-a-secret";

pub(crate) struct TestApp {
    pub(crate) world: World,
    config: RefCell<Rc<Config>>,
    /// What the rate limiter says.
    pub(crate) login_admitted: Cell<bool>,
    /// Every answer as bytes: status, headers, body.
    pub(crate) sent_out: RefCell<Vec<String>>,
    /// The same, as they were.
    pub(crate) answers: RefCell<Vec<Response<Vec<u8>>>>,
}

/// A master key for tests.
pub(crate) fn seal_keys() -> String {
    format!("k1:{}", MasterKey::new([7; 32]).expose_text())
}

/// The settings that every test starts from.
pub(crate) fn variables(changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let seal_keys = seal_keys();
    let authorize = format!("{BOX}/api/oauth2/authorize");
    let library = format!("{BOX}/platform/preview/3.81.0/en-US/preview.js");
    let mut variables = BTreeMap::from([
        ("PUBLIC_ORIGIN", OWN),
        ("BOX_CLIENT_ID", "keyhole-dev"),
        ("BOX_CLIENT_SECRET", CLIENT_SECRET),
        ("SEAL_KEYS", &seal_keys),
        ("BOX_AUTHORIZE_URL", &authorize),
        ("BOX_API_URL", BOX),
        ("BOX_APP_URL", BOX),
        ("BOX_CONTENT_ORIGINS", "http://127.0.0.1:9401"),
        ("PREVIEW_LIBRARY_URL", &library),
        ("ALLOWED_ORIGINS", LISTED),
    ]);
    variables.extend(changes.iter().copied());
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(crate) fn parsed(variables: &BTreeMap<String, String>) -> Result<Config, ConfigFaults> {
    Config::parse(|name| variables.get(name).cloned())
}

impl TestApp {
    pub(crate) fn new() -> Rc<Self> {
        Self::with(&[])
    }

    /// An app with these settings changed, before a Box whose person always grants access.
    pub(crate) fn with(changes: &[(&str, &str)]) -> Rc<Self> {
        let config = parsed(&variables(changes)).unwrap();
        let world = World::new(Emulator::new(Options::default()), config.keeper.clone());
        let app = Self {
            world,
            config: RefCell::new(Rc::new(config)),
            login_admitted: Cell::new(true),
            sent_out: RefCell::default(),
            answers: RefCell::default(),
        };
        app.tell_box("settings", json!({"decision": "grant"}));
        Rc::new(app)
    }

    /// A deploy with these settings changed: every instance starts anew, what is stored stays.
    pub(crate) fn deploy(&self, changes: &[(&str, &str)]) {
        let config = parsed(&variables(changes)).unwrap();
        self.world.deploy(config.keeper.clone());
        *self.config.borrow_mut() = Rc::new(config);
    }

    pub(crate) fn browser(self: &Rc<Self>) -> Browser {
        Browser::new(Rc::clone(self))
    }

    /// One request to its end.
    #[track_caller]
    pub(crate) fn send(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        self.send_all(vec![request]).remove(0)
    }

    /// All at the same instant.
    #[track_caller]
    pub(crate) fn send_all(&self, requests: Vec<Request<Vec<u8>>>) -> Vec<Response<Vec<u8>>> {
        let config = Rc::clone(&self.config.borrow());
        let answers = self.world.run(requests.into_iter().map(|request| {
            let login_admitted = login::rate_key(&request).is_none() || self.login_admitted.get();
            let visit = Visit { now: self.world.now(), entropy: self.world.entropy(), login_admitted };
            let answer = answer(request, visit, &config, &self.world, &self.world);
            let boxed: Pin<Box<dyn Future<Output = _>>> = Box::pin(answer);
            boxed
        }));
        answers
            .into_iter()
            .map(|answer| {
                self.world.log.borrow_mut().push(answer.log.line(Duration::from_millis(1)));
                self.wire(answer.response)
            })
            .collect()
    }

    /// What the shell puts on the wire; kept for those who search every byte.
    fn wire(&self, response: Response<Body>) -> Response<Vec<u8>> {
        let response = response.map(|body| match body {
            Body::Bytes(bytes) => bytes,
            Body::Page(page) => page.fill(TEMPLATE),
        });
        let headers =
            response.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let mut text = format!("{}\n{}\n\n", response.status(), headers.collect::<Vec<_>>().join("\n"));
        text.push_str(core::str::from_utf8(response.body()).unwrap());
        self.sent_out.borrow_mut().push(text);
        self.answers.borrow_mut().push(response.clone());
        response
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.world.pass(Duration::from_secs(seconds));
    }

    /// Lets what is on its way arrive.
    pub(crate) fn settle(&self) {
        self.pass(1);
    }

    /// Turns one of the emulator's switches: `/emulator/{what}`.
    #[track_caller]
    pub(crate) fn tell_box(&self, what: &str, body: Value) -> Value {
        self.control("POST", what, body.to_string())
    }

    /// Asks the emulator what it knows.
    #[track_caller]
    pub(crate) fn ask_box(&self, what: &str) -> Value {
        self.control("GET", what, String::new())
    }

    #[track_caller]
    fn control(&self, method: &str, what: &str, body: String) -> Value {
        let request = Request::builder().method(method).uri(format!("{BOX}/emulator/{what}"));
        let request = request.header("content-type", "application/json").body(body.into_bytes()).unwrap();
        let reply = self.world.emulator.borrow_mut().handle(request, self.world.now_ms());
        let text = String::from_utf8_lossy(reply.response.body()).into_owned();
        assert!(reply.response.status().is_success(), "{what}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// How often Box was called: `POST /oauth2/token refresh_token`, for one.
    pub(crate) fn box_calls(&self, key: &str) -> u64 {
        self.ask_box("calls")["counts"][key].as_u64().unwrap_or_default()
    }

    /// How often Box was called at all.
    pub(crate) fn all_box_calls(&self) -> u64 {
        let calls = self.ask_box("calls");
        calls["counts"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, _)| !key.contains("authorize"))
            .filter_map(|(_, count)| count.as_u64())
            .sum()
    }

    /// Every token of this kind that Box ever gave: its value and its state.
    pub(crate) fn ledger(&self, kind: &str) -> Vec<(String, String)> {
        let ledger = self.ask_box("ledger");
        let tokens = ledger["tokens"].as_array().unwrap().iter().filter(|token| token["kind"] == kind);
        tokens
            .map(|token| {
                let text = |member: &str| token[member].as_str().unwrap().to_owned();
                (text("value"), text("state"))
            })
            .collect()
    }

    /// The id of a sample file or folder by its name, from the root or below a folder.
    #[track_caller]
    pub(crate) fn item(&self, browser: &Browser, folder: &str, name: &str) -> String {
        let page = browser.get(&format!("/api/folders/{folder}/items?limit=1000"));
        assert_eq!(page.status(), 200);
        let page: Value = serde_json::from_slice(page.body()).unwrap();
        let entry = page["entries"].as_array().unwrap().iter().find(|entry| entry["name"] == name);
        entry.unwrap_or_else(|| panic!("{name} in {page}"))["id"].as_str().unwrap().to_owned()
    }
}

const TEMPLATE: &str =
    "<!doctype html><style nonce=\"__NONCE__\"></style><script nonce=\"__NONCE__\"></script>";

/// A body as JSON.
#[track_caller]
pub(crate) fn body(response: &Response<Vec<u8>>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_else(|_| panic!("no JSON: {response:?}"))
}

/// A header as text.
pub(crate) fn header<'a>(response: &'a Response<Vec<u8>>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// The cookies that an answer sets, each whole.
pub(crate) fn set_cookies(response: &Response<Vec<u8>>) -> Vec<&str> {
    response.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
}

/// That it is this problem.
#[track_caller]
pub(crate) fn assert_problem(response: &Response<Vec<u8>>, status: u16, code: &str) {
    assert_eq!(header(response, "content-type"), Some("application/problem+json"), "{response:?}");
    let problem = body(response);
    assert_eq!((response.status().as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem}");
    assert_eq!(problem["status"], status);
}
