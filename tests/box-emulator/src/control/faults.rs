//! Faults on order: what a test wants to go wrong.

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, RETRY_AFTER};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::answer::{self, Response};
use crate::api::bearer;
use crate::control::calls;
use crate::refusals;
use crate::request::{Call, Port};

/// The faults in the order they were asked for; the first that fits a call is taken.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

/// One fault, as `POST /emulator/faults` gives it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Absent: any.
    method: Option<String>,
    /// As in the request; a `*` at the end stands for any rest.
    path: String,
    /// The value in the form, or its last part: `token-exchange`.
    grant_type: Option<String>,
    /// How many calls it hits.
    #[serde(default = "once")]
    count: u64,
    #[serde(default)]
    delay_ms: u64,
    /// Answered in place of processing the call.
    status: Option<u16>,
    /// With `status`: answered all the same after processing the call, as a Box does that stumbles late.
    #[serde(default)]
    processed: bool,
    /// Seconds, with `status`.
    retry_after: Option<u64>,
    /// With `status`; otherwise Box's words for that status.
    body: Option<Value>,
    drop: Option<Drop>,
    /// Members put into the JSON answer of a processed call.
    rewrite: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Drop {
    /// The call is never processed.
    Before,
    /// The call is processed, and nobody hears of it.
    After,
}

/// What is to be done with one call. The default: nothing out of the ordinary.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) delay_ms: u64,
    pub(crate) answer_instead: Option<Response>,
    pub(crate) process_unheard: bool,
    pub(crate) drop_before: bool,
    pub(crate) drop_after: bool,
    pub(crate) rewrite: Option<Rewrite>,
}

/// Members for a JSON object.
#[derive(Debug)]
pub(crate) struct Rewrite(Map<String, Value>);

fn once() -> u64 {
    1
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Those that still hit something.
    pub(crate) fn waiting(&self) -> Vec<&Fault> {
        self.0.iter().filter(|fault| fault.count > 0).collect()
    }

    /// The order for `call`, which counts as one hit.
    pub(crate) fn take(&mut self, call: &Call, request_id: &str) -> Order {
        self.0.retain(|fault| fault.count > 0);
        let Some(fault) = self.0.iter_mut().find(|fault| fault.fits(call)) else { return Order::default() };
        fault.count -= 1;
        fault.order(call, request_id)
    }
}

impl Order {
    /// What is out of the ordinary about it, for the log.
    pub(crate) fn note(&self) -> Option<String> {
        let parts = [
            self.answer_instead.is_some().then(|| match self.process_unheard {
                true => "answered otherwise after it was done".to_owned(),
                false => "answered in its place".to_owned(),
            }),
            self.drop_before.then(|| "dropped before anything was done".to_owned()),
            self.drop_after.then(|| "dropped after it was done".to_owned()),
            self.rewrite.is_some().then(|| "answer rewritten".to_owned()),
            (self.delay_ms > 0).then(|| format!("answered {} ms late", self.delay_ms)),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("fault: {}", parts.join(", ")))
    }
}

impl Fault {
    /// # Errors
    /// A sentence for the caller.
    pub(crate) fn check(self) -> Result<Self, String> {
        if !self.path.starts_with('/') && self.path != "*" {
            return Err("path begins with /".to_owned());
        }
        if self.count == 0 {
            return Err("count is 1 or more".to_owned());
        }
        if self.drop == Some(Drop::Before) && (self.status.is_some() || self.rewrite.is_some()) {
            return Err(
                "what is dropped before it is done is answered nothing: no status, no rewrite".to_owned()
            );
        }
        match self.status {
            Some(status) if !(200..=599).contains(&status) => Err("status is from 200 to 599".to_owned()),
            None if self.body.is_some() || self.retry_after.is_some() || self.processed => {
                Err("body, retry_after and processed go with status".to_owned())
            }
            _ => Ok(self),
        }
    }

    fn fits(&self, call: &Call) -> bool {
        let path = match self.path.strip_suffix('*') {
            Some(start) => call.path.starts_with(start),
            None => call.path == self.path,
        };
        // A browser's question before the call is no call, unless it is meant.
        let method = self.method.as_ref().map_or(call.method != Method::OPTIONS, |method| {
            method.eq_ignore_ascii_case(call.method.as_str())
        });
        let grant_type = self.grant_type.as_ref().is_none_or(|wanted| {
            calls::grant_type(call).is_some_and(|found| found == calls::short_grant_type(wanted))
        });
        path && method && grant_type
    }

    fn order(&self, call: &Call, request_id: &str) -> Order {
        Order {
            delay_ms: self.delay_ms,
            answer_instead: self.answer(call, request_id),
            process_unheard: self.processed,
            drop_before: self.drop == Some(Drop::Before),
            drop_after: self.drop == Some(Drop::After),
            rewrite: self.rewrite.clone().map(Rewrite),
        }
    }

    fn answer(&self, call: &Call, request_id: &str) -> Option<Response> {
        let status = StatusCode::from_u16(self.status?).ok()?;
        let mut response = match &self.body {
            Some(Value::String(text)) => answer::bytes(status, "text/html", text.clone().into_bytes()),
            Some(body) => answer::json(status, body),
            None if status.is_success() => answer::empty(status),
            None if status == StatusCode::UNAUTHORIZED => answer::unauthorized(bearer::BAD_TOKEN),
            None => answer::api_refusal(&refusals::of_status(status), request_id),
        };
        if let Some(seconds) = self.retry_after {
            answer::set(&mut response, RETRY_AFTER, &seconds.to_string());
        }
        if call.port == Port::Api && call.path.ends_with("/oauth2/token") {
            answer::set(&mut response, CACHE_CONTROL, "no-store");
        }
        Some(response)
    }
}

impl Rewrite {
    /// Leaves answers that are no JSON object as they are.
    pub(crate) fn apply(self, response: &mut Response) {
        if let Ok(Value::Object(mut members)) = serde_json::from_slice(response.body()) {
            members.extend(self.0);
            *response.body_mut() = Value::Object(members).to_string().into_bytes();
            response.headers_mut().remove(CONTENT_LENGTH);
        }
    }
}
