//! What was asked, how often, and what came of it.

use std::collections::{BTreeMap, VecDeque};

use http::StatusCode;
use serde::Serialize;

use crate::request::Call;
use crate::world::account;

/// The log keeps this many; the counts go on.
const LOG_MAX: usize = 10_000;

/// Counts and log since the start or the last time they were cleared. Not kept over restarts.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Calls {
    #[serde(skip)]
    number: u64,
    counts: BTreeMap<String, u64>,
    refused: BTreeMap<String, u64>,
    log: VecDeque<Entry>,
    /// By value: how often each token was brought. A refresh token that was brought twice is a race.
    #[serde(skip)]
    uses: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct Entry {
    at_ms: u64,
    method: String,
    path: String,
    grant_type: Option<String>,
    /// 0: the connection was dropped before the call was processed.
    status: u16,
    origin: Option<String>,
    has_query_token: bool,
}

impl Calls {
    /// Numbers every request, those to the control API too.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// `status`: `None` for a call that was never processed.
    pub(crate) fn record(&mut self, call: &Call, status: Option<StatusCode>) {
        let key = key(call);
        if status.is_some_and(|status| status.is_client_error() || status.is_server_error()) {
            *self.refused.entry(key.clone()).or_default() += 1;
        }
        *self.counts.entry(key).or_default() += 1;
        if self.log.len() == LOG_MAX {
            self.log.pop_front();
        }
        self.log.push_back(Entry {
            at_ms: call.now_ms,
            method: call.method.to_string(),
            path: call.path.clone(),
            grant_type: grant_type(call),
            status: status.map_or(0, |status| status.as_u16()),
            origin: call.origin().map(str::to_owned),
            has_query_token: call.query.has("access_token"),
        });
    }

    /// Counts one use of `token`, which exists.
    pub(crate) fn count_use(&mut self, token: &str) {
        *self.uses.entry(token.to_owned()).or_default() += 1;
    }

    /// How often `token` was brought.
    pub(crate) fn uses(&self, token: &str) -> u64 {
        self.uses.get(token).copied().unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.uses.clear();
        self.counts.clear();
        self.refused.clear();
        self.log.clear();
    }
}

/// The token or code that a call brings, for itself or to have another for it.
pub(crate) fn token_brought(call: &Call) -> Option<String> {
    if call.path.ends_with("/oauth2/token") {
        let form = call.form().ok()?;
        let names = ["code", "refresh_token", "subject_token"];
        return names.iter().find_map(|name| form.value(name)).map(str::to_owned);
    }
    call.bearer().unwrap_or_else(|| call.query.value("access_token")).map(str::to_owned)
}

/// The grant type of a call to the token endpoint, in short.
pub(crate) fn grant_type(call: &Call) -> Option<String> {
    if !call.path.ends_with("/oauth2/token") {
        return None;
    }
    let form = call.form().ok()?;
    form.value("grant_type").map(short_grant_type).map(str::to_owned)
}

/// `token-exchange` for `urn:ietf:params:oauth:grant-type:token-exchange`.
pub(crate) fn short_grant_type(written: &str) -> &str {
    written.rsplit(':').next().unwrap_or(written)
}

/// `GET /2.0/files/*`: ids are left out, and a legacy address counts as the one it stands for.
fn key(call: &Call) -> String {
    let path = match call.path.as_str() {
        "/api/oauth2/token" => "/oauth2/token",
        "/api/oauth2/revoke" => "/oauth2/revoke",
        path => path,
    };
    let segments: Vec<&str> = match call.segments().as_slice() {
        ["platform", "preview", ..] => vec!["", "platform", "preview", "*"],
        ["d", "1", ..] => vec!["", "d", "1", "*", "download"],
        ["2.0", "users", "me"] => vec!["", "2.0", "users", "me"],
        _ => path.split('/').map(|segment| if account::is_id(segment) { "*" } else { segment }).collect(),
    };
    let path = segments.join("/");
    match grant_type(call) {
        Some(grant_type) => format!("{} {path} {grant_type}", call.method),
        None => format!("{} {path}", call.method),
    }
}
