//! A browser, as far as cookies, redirects and what it says of itself go.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use http::{Request, Response, header};
use serde_json::Value;
use url::Url;

use crate::test_app::{BOX, LISTED, OWN, TestApp, body};

/// Who starts a navigation or a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// The person, by the address bar.
    Typed,
    /// A page of this origin.
    Page(&'static str),
}

#[derive(Clone, Debug)]
struct Cookie {
    value: String,
    strict: bool,
    expires_at_ms: u64,
}

pub(crate) struct Browser {
    app: Rc<TestApp>,
    jar: RefCell<BTreeMap<String, Cookie>>,
    /// Loses the cookies of answers, as when a tab is closed too early.
    pub(crate) forgetful: Cell<bool>,
    /// Every address that was ever in the address bar, or on the way there.
    pub(crate) visited: RefCell<Vec<Url>>,
}

/// Where a navigation ended.
pub(crate) struct Landing {
    pub(crate) url: Url,
    pub(crate) response: Response<Vec<u8>>,
    /// Each answer on the way, the last one included.
    pub(crate) hops: Vec<(Url, Response<Vec<u8>>)>,
}

impl Landing {
    /// The answer of our callback on the way.
    #[track_caller]
    pub(crate) fn callback(&self) -> &Response<Vec<u8>> {
        let hop = self.hops.iter().find(|(url, _)| url.path() == "/auth/callback");
        &hop.expect("the callback was on the way").1
    }

    /// The word in `?keyhole=`.
    pub(crate) fn outcome(&self) -> Option<String> {
        self.url.query_pairs().find(|(name, _)| name == "keyhole").map(|(_, value)| value.into_owned())
    }

    pub(crate) fn text(&self) -> &str {
        core::str::from_utf8(self.response.body()).unwrap()
    }
}

impl Browser {
    pub(crate) fn new(app: Rc<TestApp>) -> Self {
        Self { app, jar: RefCell::default(), forgetful: Cell::new(false), visited: RefCell::default() }
    }

    /// Signs in from the page, and waits until everything has settled.
    #[track_caller]
    pub(crate) fn sign_in(&self) -> Landing {
        let landing = self.go(From::Page(OWN), &format!("{OWN}/auth/login"));
        assert_eq!(landing.url.as_str(), format!("{OWN}/"), "{}", landing.text());
        self.app.settle();
        landing
    }

    /// Starts a login and stops before Box: the address of Box.
    #[track_caller]
    pub(crate) fn leave_for_box(&self, query: &str) -> Url {
        let url = Url::parse(&format!("{OWN}/auth/login{query}")).unwrap();
        let response = self.step(&url, From::Page(OWN), false);
        assert_eq!(response.status(), 302, "{}", String::from_utf8_lossy(response.body()));
        Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
    }

    /// Box's answer to that address: the address of our callback, with a code.
    #[track_caller]
    pub(crate) fn granted(&self, at_box: &Url) -> Url {
        let response = self.step(at_box, From::Page(OWN), true);
        Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
    }

    /// A login up to the callback's address, which is not visited.
    #[track_caller]
    pub(crate) fn up_to_callback(&self, query: &str) -> Url {
        self.granted(&self.leave_for_box(query))
    }

    /// Comes back from Box.
    #[track_caller]
    pub(crate) fn come_back(&self, callback: &Url) -> Landing {
        self.go(From::Page(BOX), callback.as_str())
    }

    /// Goes somewhere, through all redirects.
    #[track_caller]
    pub(crate) fn go(&self, from: From, address: &str) -> Landing {
        let mut url = Url::parse(address).unwrap();
        let mut left_the_site = false;
        let mut hops = Vec::new();
        for _ in 0..10 {
            self.visited.borrow_mut().push(url.clone());
            let response = self.step(&url, from, left_the_site);
            hops.push((url.clone(), response.clone()));
            let Some(location) = response.headers().get(header::LOCATION) else {
                return Landing { url, response, hops };
            };
            left_the_site |= site(&url) != site_of(OWN);
            url = url.join(location.to_str().unwrap()).unwrap();
        }
        panic!("redirects without end: {hops:?}");
    }

    /// One request of a navigation.
    fn step(&self, url: &Url, from: From, left_the_site: bool) -> Response<Vec<u8>> {
        let fetch_site = match from {
            From::Typed => "none",
            From::Page(origin) if left_the_site || site_of(origin) != site(url) => "cross-site",
            From::Page(_) => "same-origin",
        };
        let request = Request::builder()
            .uri(url.as_str())
            .header(header::HOST, url.authority_with_port())
            .header("accept", "text/html,application/xhtml+xml")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-site", fetch_site);
        if site(url) != site_of(OWN) {
            let request = request.body(Vec::new()).unwrap();
            return self.app.world.emulator.borrow_mut().handle(request, self.app.world.now_ms()).response;
        }
        let strict = fetch_site != "cross-site" && !left_the_site;
        let request = self.with_cookies(request, strict).body(Vec::new()).unwrap();
        let response = self.app.send(request);
        self.remember(&response);
        response
    }

    /// A call of our own page.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Response<Vec<u8>> {
        self.call(self.request("GET", path, Vec::new()))
    }

    /// A call of our own page.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Response<Vec<u8>> {
        self.call(self.request("POST", path, body.to_string().into_bytes()))
    }

    /// Asks for tokens for these items.
    #[track_caller]
    pub(crate) fn tokens(&self, items: &[&str]) -> Value {
        let response = self.post("/api/tokens", &serde_json::json!({ "items": items }));
        assert_eq!(response.status(), 200, "{}", String::from_utf8_lossy(response.body()));
        body(&response)["tokens"].clone()
    }

    /// Sends it and keeps the cookies of the answer.
    #[track_caller]
    pub(crate) fn call(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let response = self.app.send(request);
        self.remember(&response);
        response
    }

    /// A fetch of our own page, as a browser sends it: an `Origin` only where something may change.
    pub(crate) fn request(&self, method: &str, path: &str, body: Vec<u8>) -> Request<Vec<u8>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{OWN}{path}"))
            .header(header::HOST, "localhost:8787")
            .header("keyhole-request", "1")
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "cors")
            .header("sec-fetch-dest", "empty");
        if method != "GET" {
            request = request.header("origin", OWN).header("content-type", "application/json");
        }
        self.with_cookies(request, true).body(body).unwrap()
    }

    /// A fetch of a listed page on another site: its cookies are not sent along.
    pub(crate) fn listed_request(&self, method: &str, path: &str) -> Request<Vec<u8>> {
        let mut request = self.request(method, path, Vec::new());
        request.headers_mut().remove(header::COOKIE);
        request.headers_mut().insert("origin", LISTED.parse().unwrap());
        request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        request
    }

    fn with_cookies(&self, request: http::request::Builder, strict: bool) -> http::request::Builder {
        let now = self.app.world.now_ms();
        let jar = self.jar.borrow();
        let sent: Vec<String> = jar
            .iter()
            .filter(|(_, cookie)| cookie.expires_at_ms > now && (strict || !cookie.strict))
            .map(|(name, cookie)| format!("{name}={}", cookie.value))
            .collect();
        if sent.is_empty() { request } else { request.header(header::COOKIE, sent.join("; ")) }
    }

    /// Takes the cookies that browsers take, and no others.
    fn remember(&self, response: &Response<Vec<u8>>) {
        if self.forgetful.get() {
            return;
        }
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (pair, attributes) = text.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(pair.len() <= 4096, "browsers take no cookie above 4096 bytes");
            let has = |attribute: &str| attributes.split("; ").any(|found| found == attribute);
            assert!(name.starts_with("__Host-Http-"), "{text}");
            assert!(
                has("Secure") && has("HttpOnly") && has("Path=/") && !attributes.contains("Domain"),
                "{text}"
            );
            let seconds: u64 = attributes
                .split("; ")
                .find_map(|found| found.strip_prefix("Max-Age="))
                .unwrap()
                .parse()
                .unwrap();
            let expires_at_ms = self.app.world.now_ms() + seconds * 1000;
            let cookie = Cookie { value: value.to_owned(), strict: has("SameSite=Strict"), expires_at_ms };
            assert!(cookie.strict || has("SameSite=Lax"), "{text}");
            self.jar.borrow_mut().insert(name.to_owned(), cookie);
        }
    }

    /// The cookies it would send from our own page.
    pub(crate) fn cookies(&self) -> BTreeMap<String, String> {
        let now = self.app.world.now_ms();
        let jar = self.jar.borrow();
        let live = jar.iter().filter(|(_, cookie)| cookie.expires_at_ms > now);
        live.map(|(name, cookie)| (name.clone(), cookie.value.clone())).collect()
    }

    /// The session cookie's value.
    pub(crate) fn session_cookie(&self) -> Option<String> {
        self.cookies().get("__Host-Http-keyhole").cloned()
    }

    /// Changes a cookie, as an attacker with the browser in hand would.
    pub(crate) fn plant(&self, name: &str, value: &str) {
        let strict = name == "__Host-Http-keyhole";
        let cookie = Cookie { value: value.to_owned(), strict, expires_at_ms: u64::MAX };
        self.jar.borrow_mut().insert(name.to_owned(), cookie);
    }
}

/// Scheme and host: ports do not part sites.
fn site(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.host_str().unwrap())
}

fn site_of(origin: &str) -> String {
    site(&Url::parse(origin).unwrap())
}

trait Authority {
    fn authority_with_port(&self) -> String;
}

impl Authority for Url {
    fn authority_with_port(&self) -> String {
        self[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
    }
}
