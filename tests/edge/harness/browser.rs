//! A browser, as far as cookies, redirects and what it says of itself go.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use http::{Request, header, request::Builder};
use serde_json::{Value, json};
use url::Url;

use crate::harness::{
    Answer, Worker,
    answer::{query_of, send},
    local_box::Family,
};

/// The session's cookie.
pub(crate) const SESSION: &str = "__Host-Http-keyhole";

/// One person's browser at one Worker. Its threads may call at the same time.
pub(crate) struct Browser {
    origin: String,
    jar: Mutex<BTreeMap<String, Cookie>>,
    /// The code that Box gave last.
    code: Mutex<Option<String>>,
}

#[derive(Clone)]
struct Cookie {
    value: String,
    strict: bool,
}

impl Browser {
    pub(crate) fn new(worker: &Worker) -> Self {
        Self { origin: worker.origin.clone(), jar: Mutex::default(), code: Mutex::default() }
    }

    /// A new one, signed in.
    #[track_caller]
    pub(crate) fn signed_in(worker: &Worker) -> Self {
        let browser = Self::new(worker);
        browser.sign_in();
        browser
    }

    /// Signs in, from the button to the page.
    #[track_caller]
    pub(crate) fn sign_in(&self) {
        let landed = self.come_back(&self.up_to_callback("/auth/login"));
        assert_eq!(landed.header("location"), format!("{}/", self.origin), "{landed:?}");
        assert!(self.cookie(SESSION).is_some(), "{landed:?}");
    }

    /// A login up to the callback's address, which is not visited.
    #[track_caller]
    pub(crate) fn up_to_callback(&self, login: &str) -> Url {
        let at_box = self.open(login).expect(302).location();
        self.granted(&at_box)
    }

    /// What Box makes of the login at this address: the callback's address.
    #[track_caller]
    pub(crate) fn granted(&self, at_box: &Url) -> Url {
        let answer = send(Request::get(at_box.as_str()).body(Vec::new()).unwrap()).expect(302);
        let callback = answer.location();
        if let Some(code) = query_of(&callback, "code") {
            *lock(&self.code) = Some(code);
        }
        callback
    }

    /// Comes back from Box, another site: cookies that are `Strict` stay at home.
    #[track_caller]
    pub(crate) fn come_back(&self, callback: &Url) -> Answer {
        let request = navigation(callback.as_str(), "cross-site");
        self.exchange(request, Vec::new(), |cookie| !cookie.strict).expect(303)
    }

    /// Goes to a page of the Worker, as from the address bar.
    #[track_caller]
    pub(crate) fn open(&self, path: &str) -> Answer {
        self.exchange(navigation(&format!("{}{path}", self.origin), "none"), Vec::new(), |_| true)
    }

    /// A call of the page, without a body.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call(self.fetch("GET", path), Vec::new())
    }

    /// A call of the page, with JSON.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self.fetch("POST", path).header(header::CONTENT_TYPE, "application/json");
        self.call(request, body.to_string().into_bytes())
    }

    /// Asks for tokens: each item's answer.
    #[track_caller]
    pub(crate) fn tokens(&self, items: &[&str]) -> Value {
        self.post("/api/tokens", &json!({"items": items})).expect(200).json()["tokens"].take()
    }

    /// Asks for one token, which must be given.
    #[track_caller]
    pub(crate) fn token(&self, item: &str) -> String {
        let tokens = self.tokens(&[item]);
        tokens[item]["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
    }

    #[track_caller]
    pub(crate) fn sign_out(&self) -> Answer {
        self.call(self.fetch("POST", "/auth/logout"), Vec::new()).expect(204)
    }

    /// What `fetch` of the page sends: headers of `keyhole.js`, and those that the browser adds.
    pub(crate) fn fetch(&self, method: &str, path: &str) -> Builder {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin))
            .header("keyhole-request", "1")
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "cors")
            .header("sec-fetch-dest", "empty");
        if method == "GET" { request } else { request.header(header::ORIGIN, &self.origin) }
    }

    /// Any request, with all cookies.
    #[track_caller]
    pub(crate) fn call(&self, request: Builder, body: Vec<u8>) -> Answer {
        self.exchange(request, body, |_| true)
    }

    /// A cookie's value.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        lock(&self.jar).get(name).map(|cookie| cookie.value.clone())
    }

    /// Puts a cookie into the jar, as its owner could by hand.
    pub(crate) fn plant(&self, name: &str, value: &str) {
        let cookie = Cookie { value: value.to_owned(), strict: false };
        lock(&self.jar).insert(name.to_owned(), cookie);
    }

    /// The names of all cookies.
    pub(crate) fn cookie_names(&self) -> Vec<String> {
        lock(&self.jar).keys().cloned().collect()
    }

    /// The same cookies in another hand: a second tab, or a thief.
    pub(crate) fn twin(&self) -> Self {
        let (jar, code) = (lock(&self.jar).clone(), lock(&self.code).clone());
        Self { origin: self.origin.clone(), jar: Mutex::new(jar), code: Mutex::new(code) }
    }

    /// What Box issued for its latest login.
    #[track_caller]
    pub(crate) fn at_box(&self) -> Family {
        Family::of(lock(&self.code).as_ref().expect("a login"))
    }

    #[track_caller]
    fn exchange(&self, request: Builder, body: Vec<u8>, sends: impl Fn(&Cookie) -> bool) -> Answer {
        let cookies: Vec<String> = lock(&self.jar)
            .iter()
            .filter(|(_, cookie)| sends(cookie))
            .map(|(name, cookie)| format!("{name}={}", cookie.value))
            .collect();
        let request =
            if cookies.is_empty() { request } else { request.header(header::COOKIE, cookies.join("; ")) };
        let answer = send(request.body(body).unwrap());
        for (name, text) in answer.cookies() {
            self.keep(name, text);
        }
        answer
    }

    /// Takes a cookie as a browser does, and is stricter: items 25 and 26 of `tests/security.md`.
    #[track_caller]
    fn keep(&self, name: &str, text: &str) {
        let mut parts = text.split("; ");
        let value = parts.next().unwrap().split_once('=').unwrap().1.to_owned();
        let attributes: Vec<&str> = parts.collect();
        for needed in ["HttpOnly", "Secure", "Path=/"] {
            assert!(attributes.contains(&needed), "{needed}: {text}");
        }
        assert!(name.starts_with("__Host-Http-"), "{text}");
        assert!(!attributes.iter().any(|attribute| attribute.starts_with("Domain")), "{text}");
        let strict = attributes.contains(&"SameSite=Strict");
        assert_eq!((strict, !strict), (name == SESSION, attributes.contains(&"SameSite=Lax")), "{text}");
        if attributes.contains(&"Max-Age=0") {
            lock(&self.jar).remove(name);
        } else {
            lock(&self.jar).insert(name.to_owned(), Cookie { value, strict });
        }
    }
}

/// What a browser says of itself when a person goes somewhere.
fn navigation(address: &str, site: &str) -> Builder {
    Request::get(address)
        .header(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
        .header("sec-fetch-site", site)
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-user", "?1")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
