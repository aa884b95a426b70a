//! A client with a clock of its own, and assertions in two words.

use box_emulator::{Emulator, Options, Reply, State};
use http::{HeaderMap, Request};
use serde_json::{Value, json};

pub(crate) const CALLBACK: &str = "http://localhost:8787/auth/callback";
pub(crate) const PAGE: &str = "http://localhost:8787";
pub(crate) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
pub(crate) const PREVIEW: &str = "base_preview item_preview";

/// Somewhere in 2026.
const START_MS: u64 = 1_790_000_000_000;

pub(crate) struct Client {
    pub(crate) emulator: Emulator,
    pub(crate) now_ms: u64,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) expires_in: u64,
}

/// A request in the making.
pub(crate) struct Ask<'a> {
    client: &'a mut Client,
    method: &'a str,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        Self { emulator: Emulator::new(options), now_ms: START_MS }
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now_ms += seconds * 1000;
    }

    /// `target`: a path at the API, or a whole address.
    pub(crate) fn ask<'a>(&'a mut self, method: &'a str, target: &str) -> Ask<'a> {
        let url = if target.starts_with('/') {
            format!("http://127.0.0.1:9400{target}")
        } else {
            target.to_owned()
        };
        Ask { client: self, method, url, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(&mut self, token: &str, target: &str) -> Answer {
        self.ask("GET", target).bearer(token).send()
    }

    pub(crate) fn control(&mut self, path: &str, body: Value) -> Value {
        let answer = self.ask("POST", &format!("/emulator/{path}")).json(body).send();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Changes what the emulator remembers, as if somebody had edited its state file between two runs.
    pub(crate) fn edit_state(&mut self, edit: impl FnOnce(&mut Value)) {
        let written = self.emulator.state().write().expect("JSON");
        let mut state: Value = serde_json::from_slice(&written).expect("JSON");
        edit(&mut state);
        let state = State::read(state.to_string().as_bytes(), |_| None).expect("readable");
        self.emulator = Emulator::resume(Options::default(), state);
    }

    /// Changes one member of an app.
    pub(crate) fn edit_app(&mut self, client_id: &str, member: &str, value: Value) {
        self.edit_state(|state| state["apps"][client_id][member] = value);
    }

    /// The same with any method, for what a test expects to be refused, too.
    pub(crate) fn drive(&mut self, method: &str, path: &str, body: Value) -> Answer {
        let ask = self.ask(method, &format!("/emulator/{path}"));
        if body.is_null() { ask.send() } else { ask.json(body).send() }
    }

    pub(crate) fn settings(&mut self, settings: Value) {
        self.control("settings", settings);
    }

    pub(crate) fn ledger(&mut self) -> Vec<Value> {
        let ledger = self.ask("GET", "/emulator/ledger").send().json();
        ledger["tokens"].as_array().expect("tokens").clone()
    }

    pub(crate) fn state_of(&mut self, value: &str) -> String {
        let ledger = self.ledger();
        let row = ledger.iter().find(|row| row["value"] == value).expect("in the ledger");
        row["state"].as_str().expect("state").to_owned()
    }

    pub(crate) fn code(&mut self) -> String {
        let granted = self.control("grant", json!({"redirect_uri": CALLBACK, "state": "s"}));
        granted["code"].as_str().expect("code").to_owned()
    }

    pub(crate) fn token(&mut self, form: &[(&str, &str)]) -> Answer {
        self.ask("POST", "/oauth2/token").form(form).send()
    }

    /// With the app's credentials.
    pub(crate) fn client_token(&mut self, form: &[(&str, &str)]) -> Answer {
        self.token(&[form, CREDENTIALS].concat())
    }

    pub(crate) fn redeem(&mut self, code: &str) -> Answer {
        self.client_token(&[("grant_type", "authorization_code"), ("code", code)])
    }

    pub(crate) fn refresh(&mut self, refresh: &str) -> Answer {
        self.client_token(&[("grant_type", "refresh_token"), ("refresh_token", refresh)])
    }

    pub(crate) fn revoke(&mut self, token: &str) -> Answer {
        let form = [&[("token", token)], CREDENTIALS].concat();
        self.ask("POST", "/oauth2/revoke").form(&form).send()
    }

    pub(crate) fn login(&mut self) -> Pair {
        let code = self.code();
        self.redeem(&code).pair()
    }

    pub(crate) fn exchange(&mut self, subject: &str, scope: &str, resource: Option<&str>) -> Answer {
        let mut form = vec![
            ("grant_type", EXCHANGE),
            ("subject_token", subject),
            ("subject_token_type", ACCESS_TOKEN),
            ("scope", scope),
        ];
        form.extend(resource.map(|resource| ("resource", resource)));
        self.token(&form)
    }

    /// A downscoped token for `item`, `files/1` or `folders/1`.
    pub(crate) fn child(&mut self, subject: &str, scope: &str, item: &str) -> String {
        let resource = format!("https://api.box.com/2.0/{item}");
        let answer = self.exchange(subject, scope, Some(&resource));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().expect("token").to_owned()
    }

    /// The id at `path`, like `Letters/Fish & chips.md`, found by listing.
    pub(crate) fn id_of(&mut self, token: &str, path: &str) -> String {
        let mut id = "0".to_owned();
        for name in path.split('/') {
            let listed = self.get(token, &format!("/2.0/folders/{id}/items?limit=1000")).json();
            let entries = listed["entries"].as_array().expect("entries").clone();
            let found =
                entries.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no {path}"));
            found["id"].as_str().expect("id").clone_into(&mut id);
        }
        id
    }

    pub(crate) fn put(&mut self, token: &str, target: &str, body: Value) -> Answer {
        self.ask("PUT", target).bearer(token).json(body).send()
    }

    pub(crate) fn post(&mut self, token: &str, target: &str, body: Value) -> Answer {
        self.ask("POST", target).bearer(token).json(body).send()
    }

    pub(crate) fn delete(&mut self, token: &str, target: &str) -> Answer {
        self.ask("DELETE", target).bearer(token).send()
    }

    /// A new file in the folder `parent`.
    pub(crate) fn upload(&mut self, token: &str, parent: &str, name: &str, bytes: &[u8]) -> Answer {
        let attributes = json!({"name": name, "parent": {"id": parent}}).to_string();
        let parts: [(&str, &[u8]); 2] = [("attributes", attributes.as_bytes()), ("file", bytes)];
        self.ask("POST", "/upload/2.0/files/content").bearer(token).parts(&parts).send()
    }

    /// Its id.
    #[track_caller]
    pub(crate) fn uploaded(&mut self, token: &str, parent: &str, name: &str, bytes: &[u8]) -> String {
        let answer = self.upload(token, parent, name, bytes);
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["entries"][0]["id"].as_str().expect("id").to_owned()
    }

    /// New content for the file `id`.
    pub(crate) fn replace(&mut self, token: &str, id: &str, bytes: &[u8]) -> Answer {
        let parts: [(&str, &[u8]); 2] = [("attributes", b"{}"), ("file", bytes)];
        self.ask("POST", &format!("/upload/2.0/files/{id}/content")).bearer(token).parts(&parts).send()
    }

    /// What lies at the file's short-lived address.
    #[track_caller]
    pub(crate) fn download(&mut self, token: &str, target: &str) -> Vec<u8> {
        let answer = self.get(token, target);
        assert_eq!(answer.status, 302, "{}", answer.text());
        let address = answer.header("location").expect("an address").to_owned();
        self.ask("GET", &address).send().body
    }

    /// A restart with a state that somebody changed in between. Switches stay.
    pub(crate) fn rewrite(&mut self, change: impl FnOnce(&mut Value)) {
        let state = self.emulator.state();
        let mut written = serde_json::from_slice(&state.write().expect("JSON")).expect("JSON");
        change(&mut written);
        let written = serde_json::to_vec(&written).expect("JSON");
        let upload = |wanted: &str| {
            let mut uploads = state.uploads();
            uploads.find_map(|(sha1, bytes)| (sha1 == wanted).then(|| bytes.to_vec()))
        };
        let state = State::read(&written, upload).expect("a state");
        self.emulator = Emulator::resume(Options::default(), state);
    }

    /// A token of the app `keyhole-jwt` that speaks for `user`.
    pub(crate) fn token_of(&mut self, user: &str) -> String {
        let asked = json!({"client_id": "keyhole-jwt", "user": user});
        let answer = self.ask("POST", "/emulator/tokens").json(asked).send();
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["access_token"].as_str().expect("a token").to_owned()
    }

    /// Whether `access` still opens anything.
    pub(crate) fn works(&mut self, access: &str) -> bool {
        self.get(access, "/2.0/users/me").status == 200
    }
}

pub(crate) const CREDENTIALS: &[(&str, &str)] =
    &[("client_id", "keyhole-dev"), ("client_secret", "keyhole-dev-secret-not-a-secret")];

impl Ask<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn origin(self, origin: &str) -> Self {
        self.header("origin", origin)
    }

    pub(crate) fn bytes(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    pub(crate) fn form(mut self, form: &[(&str, &str)]) -> Self {
        self.body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish().into_bytes();
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// Any body, with the headers that describe it.
    pub(crate) fn raw(mut self, headers: &[(&str, &str)], body: &[u8]) -> Self {
        self.headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.body = body.to_vec();
        self
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.header("content-type", "application/json")
    }

    /// An upload as SDKs send it: the parts by name, in this order.
    pub(crate) fn parts(mut self, parts: &[(&str, &[u8])]) -> Self {
        for (name, bytes) in parts {
            let file = if *name == "attributes" { "" } else { "; filename=\"unused\"" };
            let head = format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
            self.body.extend_from_slice(head.as_bytes());
            self.body.extend_from_slice(bytes);
            self.body.extend_from_slice(b"\r\n");
        }
        self.body.extend_from_slice(b"--b0undary--\r\n");
        self.header("content-type", "multipart/form-data; boundary=b0undary")
    }

    pub(crate) fn reply(self) -> Reply {
        let mut request = Request::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(self.body).expect("a request");
        self.client.emulator.handle(request, self.client.now_ms)
    }

    pub(crate) fn send(self) -> Answer {
        let reply = self.reply();
        assert!(!reply.drop_connection, "the connection was dropped");
        let (parts, body) = reply.response.into_parts();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.status, self.text()))
    }

    #[track_caller]
    pub(crate) fn pair(&self) -> Pair {
        assert_eq!(self.status, 200, "{}", self.text());
        let body = self.json();
        Pair {
            access: body["access_token"].as_str().expect("access_token").to_owned(),
            refresh: body["refresh_token"].as_str().expect("refresh_token").to_owned(),
            expires_in: body["expires_in"].as_u64().expect("a number"),
        }
    }

    /// An OAuth refusal, word by word.
    #[track_caller]
    pub(crate) fn is_oauth(&self, status: u16, error: &str, description: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.json(), json!({"error": error, "error_description": description}));
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }

    /// An ordinary answer without a refresh token, and the access token in it.
    #[track_caller]
    pub(crate) fn alone(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text());
        let body = self.json();
        let names: Vec<&String> = body.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["access_token", "expires_in", "restricted_to", "token_type"]);
        assert_eq!((&body["restricted_to"], &body["token_type"]), (&json!([]), &json!("bearer")));
        assert!(body["expires_in"].as_u64().is_some_and(|seconds| (3600..=4250).contains(&seconds)));
        body["access_token"].as_str().expect("a token").to_owned()
    }

    /// An error object of the API, word by word.
    #[track_caller]
    pub(crate) fn is_api(&self, status: u16, code: &str, message: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        let body = self.json();
        assert_eq!((&body["type"], &body["status"]), (&json!("error"), &json!(status)));
        assert_eq!((&body["code"], &body["message"]), (&json!(code), &json!(message)));
        assert_eq!(body["help_url"], "http://developers.box.com/docs/#errors");
        assert_eq!(body["request_id"].as_str(), self.header("box-request-id"));
    }

    #[track_caller]
    pub(crate) fn is_unauthorized(&self) {
        assert_eq!(self.status, 401, "{}", self.text());
        assert_eq!(self.text(), "", "Box's 401 has no body");
        assert_eq!(
            self.header("www-authenticate"),
            Some(
                "Bearer realm=\"Service\", error=\"invalid_token\", \
                 error_description=\"The access token provided is invalid.\""
            )
        );
    }

    #[track_caller]
    pub(crate) fn is_not_found(&self) {
        self.is_api(404, "not_found", "Not Found");
    }

    /// 400 because of the parameter `name`.
    #[track_caller]
    pub(crate) fn is_bad(&self, reason: &str, name: &str) {
        self.is_api(400, "bad_request", "Bad Request");
        let told = json!({"errors": [{"reason": reason, "name": name}]});
        assert_eq!(self.json()["context_info"], told);
    }

    /// The user may not, whatever the token.
    #[track_caller]
    pub(crate) fn lacks_permission(&self) {
        self.is_api(403, "access_denied_insufficient_permissions", "Access denied - insufficient permission");
    }

    #[track_caller]
    pub(crate) fn lacks_scope(&self) {
        let message = "The request requires higher privileges than provided by the access token.";
        self.is_api(403, "insufficient_scope", message);
        assert_eq!(
            self.header("www-authenticate"),
            Some(
                "Bearer realm=\"Service\", error=\"insufficient_scope\", error_description=\"The request requires \
                 higher privileges than provided by the access token.\""
            )
        );
    }
}
