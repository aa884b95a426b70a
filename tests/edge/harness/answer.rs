//! One exchange over HTTP, and what came back.

use std::{sync::OnceLock, time::Duration};

use http::{HeaderMap, Request, header};
use serde_json::Value;
use url::Url;

use crate::harness::{disk, stage};

/// Longer than the Worker lets anybody wait.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// An answer, its redirect not followed.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Sends a request as it is. Whatever the answer, it holds no secret of the deployment: item 1 of
/// `tests/security.md`, for all that any test receives.
#[track_caller]
pub(crate) fn send(request: Request<Vec<u8>>) -> Answer {
    let shown = format!("{} {}", request.method(), request.uri());
    let answer = send_to_box(request);
    let found = disk::search(stage::deployed_secrets(), &answer.bytes());
    assert!(found.is_empty(), "{shown} answers with {found:?}");
    answer
}

/// The same to Box, which knows what it knows.
#[track_caller]
pub(crate) fn send_to_box(request: Request<Vec<u8>>) -> Answer {
    let shown = format!("{} {}", request.method(), request.uri());
    let (parts, body) = request.into_parts();
    let agent = agent();
    let sent = if body.is_empty() {
        agent.run(Request::from_parts(parts, ()))
    } else {
        agent.run(Request::from_parts(parts, body))
    };
    let (parts, mut body) = sent.unwrap_or_else(|error| panic!("{shown}: {error}")).into_parts();
    let body = body.read_to_vec().unwrap_or_else(|error| panic!("{shown}: {error}"));
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

fn agent() -> &'static ureq::Agent {
    static AGENT: OnceLock<ureq::Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        ureq::Agent::config_builder()
            .timeout_global(Some(ANSWERED_WITHIN))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections_per_host(64)
            .build()
            .into()
    })
}

impl Answer {
    /// A header's text; the empty word where it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        core::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Where a redirect leads.
    #[track_caller]
    pub(crate) fn location(&self) -> Url {
        Url::parse(self.header("location")).unwrap_or_else(|_| panic!("leads nowhere: {self:?}"))
    }

    /// `?keyhole=` of a redirect, or nothing.
    #[track_caller]
    pub(crate) fn outcome(&self) -> Option<String> {
        query_of(&self.location(), "keyhole")
    }

    /// A status, or the test ends with the whole answer.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}\n{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// A problem of this status and code; its JSON.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let found = (self.status, self.header("content-type"), self.text());
        assert_eq!((found.0, found.1), (status, "application/problem+json"), "{found:?}");
        let problem = self.json();
        assert_eq!((&problem["status"], &problem["code"]), (&status.into(), &code.into()), "{problem}");
        problem
    }

    /// The names and whole texts of the cookies it sets.
    pub(crate) fn cookies(&self) -> Vec<(&str, &str)> {
        let all = self.headers.get_all(header::SET_COOKIE).iter();
        all.map(|cookie| cookie.to_str().unwrap())
            .map(|text| (text.split('=').next().unwrap(), text))
            .collect()
    }

    /// All of it, as bytes on a wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut all = format!("{:?}\n", self.headers).into_bytes();
        all.extend_from_slice(&self.body);
        all
    }
}

/// A parameter of an address.
pub(crate) fn query_of(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}
