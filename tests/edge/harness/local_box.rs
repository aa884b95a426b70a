//! The Box emulator, from behind: its control API.

use http::{Request, header};
use serde_json::Value;

use crate::harness::{Answer, answer, stage};

/// Box's own address.
pub(crate) fn url() -> String {
    stage::variable("KEYHOLE_EMULATOR_URL")
}

/// A call of the control API.
#[track_caller]
pub(crate) fn control(method: &str, path: &str, body: Option<&Value>) -> Value {
    let request = Request::builder()
        .method(method)
        .uri(format!("{}/emulator/{path}", url()))
        .header(header::CONTENT_TYPE, "application/json");
    let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let answer = answer::send_to_box(request.body(body).unwrap()).expect(200);
    answer.json()
}

/// A code or token that Box once issued.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: String,
    pub(crate) value: String,
    pub(crate) parent: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) resource: Option<String>,
    pub(crate) state: String,
}

impl Token {
    fn read(row: &Value) -> Self {
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        let scopes = row["scopes"].as_array().unwrap().iter().filter_map(Value::as_str);
        Self {
            kind: text("kind").unwrap(),
            value: text("value").unwrap(),
            parent: text("parent"),
            scopes: scopes.map(str::to_owned).collect(),
            resource: text("resource"),
            state: text("state").unwrap(),
        }
    }
}

/// Everything that Box ever issued, oldest first.
pub(crate) fn ledger() -> Vec<Token> {
    control("GET", "ledger", None)["tokens"].as_array().unwrap().iter().map(Token::read).collect()
}

/// A code and all that was made from it.
#[derive(Clone, Debug)]
pub(crate) struct Family(Vec<Token>);

impl Family {
    /// The family of this code.
    pub(crate) fn of(code: &str) -> Self {
        let mut family: Vec<Token> = Vec::new();
        for token in ledger() {
            let parent = token.parent.as_deref();
            if token.value == code || family.iter().any(|member| parent == Some(&member.value)) {
                family.push(token);
            }
        }
        Self(family)
    }

    /// Its members of a kind, oldest first: `access`, `refresh` or `child`.
    pub(crate) fn all(&self, kind: &str) -> Vec<&Token> {
        self.0.iter().filter(|token| token.kind == kind).collect()
    }

    /// What became of the members of a kind.
    pub(crate) fn states(&self, kind: &str) -> Vec<&str> {
        self.all(kind).into_iter().map(|token| token.state.as_str()).collect()
    }

    /// Nothing of it is good any more.
    pub(crate) fn is_over(&self) -> bool {
        self.0.iter().all(|token| token.state != "live")
    }
}

/// The calls that Box has seen since its log was cleared last.
pub(crate) fn log() -> Vec<Value> {
    control("GET", "calls", None)["log"].as_array().unwrap().clone()
}

/// What Box answers to this token for an address of its API.
#[track_caller]
pub(crate) fn with_token(token: &str, path: &str) -> Answer {
    let request =
        Request::get(format!("{}{path}", url())).header(header::AUTHORIZATION, format!("Bearer {token}"));
    answer::send_to_box(request.body(Vec::new()).unwrap())
}

/// Redeems a code before the Worker can.
#[track_caller]
pub(crate) fn redeem(code: &str) {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("client_id", &stage::setting("BOX_CLIENT_ID"))
        .append_pair("client_secret", &stage::setting("BOX_CLIENT_SECRET"))
        .finish();
    let request = Request::post(format!("{}/oauth2/token", url()))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    answer::send_to_box(request.body(form.into_bytes()).unwrap()).expect(200);
}
