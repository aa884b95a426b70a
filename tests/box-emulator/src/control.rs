//! `/emulator/…`: how tests drive the emulator. Not part of Box.
//!
//! It tells every secret there is, so it answers programs on this machine and no web page.

mod keys;
mod tokens;

use http::header::{CACHE_CONTROL, HeaderName};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::answer::{self, Response};
use crate::authorize::{Asked, Refused};
use crate::book::{Book, Kind};
use crate::emulator::Emulator;
use crate::faults::Fault;
use crate::people::ENTERPRISE_ID;
use crate::request::{self, Call, Form, Port};
use crate::sample::ROBIN_ID;
use crate::settings::Decision;

/// Whether `call` is for the control API.
pub(crate) fn is_for(call: &Call) -> bool {
    call.port == Port::Api && call.path.starts_with("/emulator/")
}

/// Answers it.
pub(crate) fn answer(emulator: &mut Emulator, call: &Call) -> Response {
    let mut response = match admit(emulator, call).and_then(|()| act(emulator, call)) {
        Ok((status, body)) => answer::json(status, &body),
        Err((status, fault)) => answer::json(status, &json!({"error": fault})),
    };
    answer::set(&mut response, CACHE_CONTROL, "no-store");
    response
}

type Refusal = (StatusCode, String);

/// No page: not by `fetch`, not by a form, not by a name that suddenly means this machine (DNS rebinding).
fn admit(emulator: &Emulator, call: &Call) -> Result<(), Refusal> {
    let refuse =
        |why: &str| Err((StatusCode::FORBIDDEN, format!("the control API is not for web pages: {why}")));
    if call.origin().is_some() {
        return refuse("the request has an Origin");
    }
    let site = call.header(&HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| site != "none") {
        return refuse("Sec-Fetch-Site is not none");
    }
    let own = emulator.options.api_origin.split_once("://").map_or("", |(_, authority)| authority);
    let here =
        Url::parse(&format!("http://{}/", call.authority)).is_ok_and(|url| request::is_this_machine(&url));
    if call.authority != own && !here {
        return refuse("the Host is another");
    }
    Ok(())
}

fn act(emulator: &mut Emulator, call: &Call) -> Result<(StatusCode, Value), Refusal> {
    let done = |body| (StatusCode::OK, body);
    match (&call.method, call.segments().as_slice()) {
        (&Method::POST, ["emulator", "apps", client_id, "keys"]) => keys::add(emulator, call, client_id),
        (&Method::DELETE, ["emulator", "apps", client_id, "keys", id]) => {
            keys::remove(emulator, client_id, id).map(done)
        }
        (&Method::POST, ["emulator", "tokens"]) => tokens::issue(emulator, call),
        (&Method::POST, ["emulator", "tokens", "revoke"]) => tokens::revoke(emulator, call).map(done),
        _ => drive(emulator, call).map(done),
    }
}

fn drive(emulator: &mut Emulator, call: &Call) -> Result<Value, Refusal> {
    match (&call.method, call.path.trim_start_matches("/emulator/")) {
        (&Method::GET, "status") => Ok(status(emulator, call)),
        (&Method::POST, "settings") => change_settings(emulator, call),
        (&Method::POST, "faults") => order_fault(emulator, call),
        (&Method::DELETE, "faults") => {
            emulator.faults.clear();
            Ok(json!({}))
        }
        (&Method::POST, "clock") => advance_clock(emulator, call),
        (&Method::POST, "expire") => expire(emulator, call),
        (&Method::GET, "ledger") => Ok(ledger(emulator, call)),
        (&Method::GET, "calls") => Ok(calls(emulator)),
        (&Method::DELETE, "calls") => {
            emulator.calls.clear();
            emulator.events.clear();
            Ok(json!({}))
        }
        (&Method::POST, "grant") => grant(emulator, call),
        (&Method::POST, "reset") => {
            emulator.reset();
            Ok(json!({}))
        }
        _ => Err((StatusCode::NOT_FOUND, format!("no {} {}", call.method, call.path))),
    }
}

fn status(emulator: &Emulator, call: &Call) -> Value {
    let user = emulator
        .someone()
        .map(|user| json!({"name": user.name, "login": user.login, "password": user.password}));
    json!({
        "name": "box-emulator",
        "user": user,
        "client_id": emulator.options.client_id,
        "enterprise_id": ENTERPRISE_ID,
        "api_origin": emulator.options.api_origin,
        "content_origin": emulator.options.content_origin,
        "settings": emulator.settings,
        "now_ms": call.now_ms,
    })
}

fn change_settings(emulator: &mut Emulator, call: &Call) -> Result<Value, Refusal> {
    emulator.settings = emulator.settings.patched(body(call)?).map_err(bad)?;
    Ok(json!(emulator.settings))
}

fn order_fault(emulator: &mut Emulator, call: &Call) -> Result<Value, Refusal> {
    let fault: Fault = body(call)?;
    emulator.faults.add(fault.check().map_err(bad)?);
    Ok(json!({}))
}

/// The clock goes forward only.
fn advance_clock(emulator: &mut Emulator, call: &Call) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Clock {
        advance_seconds: u64,
    }
    let Clock { advance_seconds } = body(call)?;
    let ahead_ms = advance_seconds.saturating_mul(1000);
    let data = emulator.state.edit();
    data.clock_ahead_ms = data.clock_ahead_ms.saturating_add(ahead_ms);
    Ok(json!({"now_ms": call.now_ms.saturating_add(ahead_ms)}))
}

fn expire(emulator: &mut Emulator, call: &Call) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Expire {
        kind: Kind,
    }
    let Expire { kind } = body(call)?;
    emulator.state.edit().book.expire(kind, call.now_ms);
    Ok(json!({}))
}

fn ledger(emulator: &Emulator, call: &Call) -> Value {
    let book: &Book = &emulator.state.book;
    let row = |(value, token): (&str, &crate::book::Token)| {
        json!({
            "number": token.number,
            "kind": token.kind,
            "value": value,
            "client_id": token.holder.client_id,
            "parent": token.parent,
            "scopes": token.holder.scopes,
            "resource": token.resource,
            "actor": token.actor,
            "issued_at_ms": token.issued_at_ms,
            "expires_at_ms": token.expires_at_ms,
            "state": book.standing(token, &emulator.settings, call.now_ms),
        })
    };
    let tokens: Vec<Value> = book.in_order().into_iter().map(row).collect();
    json!({"client_secret": emulator.options.client_secret, "tokens": tokens})
}

fn calls(emulator: &Emulator) -> Value {
    let mut calls = json!(emulator.calls);
    if let Some(calls) = calls.as_object_mut() {
        calls.insert("events".to_owned(), json!(emulator.events));
    }
    calls
}

/// A login without the page, for the sample user.
fn grant(emulator: &mut Emulator, call: &Call) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Login {
        redirect_uri: Option<String>,
        state: Option<String>,
        scope: Option<String>,
    }
    let Login { redirect_uri, state, scope } = body(call)?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("response_type", "code").append_pair("client_id", &emulator.options.client_id);
    let given = [("redirect_uri", redirect_uri), ("state", state), ("scope", scope)];
    query.extend_pairs(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let asked =
        Asked::read(emulator, &Form::read(query.finish().as_bytes())).map_err(|refused| match refused {
            Refused::Here { code, .. } => bad(code.to_owned()),
            Refused::There(address) => bad(address),
        })?;
    let location = asked.decide(emulator, Decision::Grant, ROBIN_ID, call.now_ms);
    let code = Url::parse(&location).ok().and_then(|url| {
        url.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned())
    });
    Ok(json!({"code": code, "location": location}))
}

fn body<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    serde_json::from_slice(&call.body).map_err(|fault| bad(fault.to_string()))
}

fn bad(fault: String) -> Refusal {
    (StatusCode::BAD_REQUEST, fault)
}

impl Emulator {
    /// As after a first start: nobody signed in, no token good, settings as given then.
    fn reset(&mut self) {
        self.state.forget();
        self.register_app();
        self.settings = self.options.settings.clone();
        self.faults.clear();
        self.calls.clear();
        self.events.clear();
    }
}
