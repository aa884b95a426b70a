//! The log that the console shows: what was asked and what was answered, for eyes.
//!
//! It holds no token, code or secret: of whatever may be one, the first letters.

use std::collections::VecDeque;

use http::StatusCode;
use http::header::{LOCATION, WWW_AUTHENTICATE};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::answer::Response;
use crate::control::calls;
use crate::emulator::Emulator;
use crate::request::Call;

/// Lines that are kept.
const LINES_MAX: usize = 500;
/// Tokens have 32 letters and digits or more; no word does.
const RUN_LENGTH_MAX: usize = 24;
/// Enough to tell two tokens apart, and of no use to anybody.
const LETTERS_SHOWN: usize = 4;
/// No part of a path that is no secret is longer.
const SEGMENT_LENGTH_MAX: usize = 20;
const NOTE_LENGTH_MAX: usize = 160;
/// Parameters of a query whose values are shown whole.
const PLAIN: [&str; 20] = [
    "box_client_name",
    "box_client_version",
    "client_id",
    "content_types",
    "direction",
    "fields",
    "file_extensions",
    "limit",
    "marker",
    "offset",
    "preview",
    "query",
    "redirect_uri",
    "response_type",
    "scope",
    "sort",
    "type",
    "usemarker",
    "user_type",
    "version",
];
const PLAIN_LENGTH_MAX: usize = 200;

/// The last [`LINES_MAX`] lines; not kept over restarts.
#[derive(Debug, Default)]
pub(crate) struct Log {
    last: u64,
    lines: VecDeque<Line>,
}

/// One call.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// Counts all lines there ever were, from 1.
    number: u64,
    at_ms: u64,
    method: String,
    /// With its query.
    path: String,
    /// Of the app that asked, where it is a known one.
    client_id: Option<String>,
    /// The login of the user that it asked for.
    user: Option<String>,
    grant_type: Option<String>,
    /// 0: nothing was answered.
    status: u16,
    /// What went wrong, or what was out of the ordinary.
    note: Option<String>,
}

impl Log {
    /// The lines after number `after`, oldest first.
    pub(crate) fn after(&self, after: u64) -> Vec<&Line> {
        self.lines.iter().filter(|line| line.number > after).collect()
    }

    /// The number of the oldest line that is kept; one more than [`Log::last`] when there is none.
    pub(crate) fn first(&self) -> u64 {
        self.lines.front().map_or(self.last + 1, |line| line.number)
    }

    /// The number of the newest line there ever was.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }
}

impl Emulator {
    /// Writes down what came of `call`; `response` is `None` when nothing was answered, `fault` what was ordered.
    pub(crate) fn write_down(&mut self, call: &Call, response: Option<&Response>, fault: Option<String>) {
        let (client_id, user) = self.who(call, response);
        let line = Line {
            number: self.log.last + 1,
            at_ms: call.now_ms,
            method: call.method.to_string(),
            path: self.shown_path(call),
            client_id,
            user,
            grant_type: calls::grant_type(call).map(|grant_type| cut(&grant_type, SEGMENT_LENGTH_MAX)),
            status: response.map_or(0, |response| response.status().as_u16()),
            note: fault.or_else(|| response.and_then(said)).map(|note| cut_end(&note, NOTE_LENGTH_MAX)),
        };
        self.log.last = line.number;
        if self.log.lines.len() == LINES_MAX {
            self.log.lines.pop_front();
        }
        self.log.lines.push_back(line);
    }

    /// The app and the login of the user, from the token that `call` shows or gets.
    fn who(&self, call: &Call, response: Option<&Response>) -> (Option<String>, Option<String>) {
        // Elsewhere a body is a file, or speaks of one: nothing to be looked for tokens.
        let is_oauth = call.path.contains("/oauth2/");
        let form = if is_oauth { call.form().ok() } else { None };
        let value = |name| form.and_then(|form| form.value(name));
        let got = response
            .filter(|_| is_oauth)
            .and_then(|response| serde_json::from_slice::<Value>(response.body()).ok())
            .and_then(|body| Some(body.get("access_token")?.as_str()?.to_owned()));
        let shown = ["code", "refresh_token", "subject_token", "token"].map(value);
        let holder = [call.bearer().flatten(), call.query.value("access_token"), got.as_deref()]
            .into_iter()
            .chain(shown)
            .flatten()
            .find_map(|value| self.state.book.find(value))
            .map(|token| &token.holder);
        let named = value("client_id").or_else(|| call.query.value("client_id"));
        let client_id = holder.map(|holder| holder.client_id.as_str()).or(named);
        let user_id = holder.map(|holder| holder.user_id.as_str()).or_else(|| self.user_without_token(call));
        (
            client_id.and_then(|id| self.app(id)).map(|app| app.client_id.clone()),
            user_id.and_then(|id| self.state.users.get(id)).map(|user| user.login.clone()),
        )
    }

    /// Whoever is signed in on the authorize page, or whose download it is.
    fn user_without_token(&self, call: &Call) -> Option<&str> {
        match call.segments().as_slice() {
            ["d", "1", token, ..] => Some(self.state.downloads.get(*token)?.user_id.as_str()),
            ["api", "oauth2", "authorize"] => {
                let browser = self.known_browser(call)?;
                self.signed_in(&browser).map(|user| user.id.as_str())
            }
            _ => None,
        }
    }

    fn shown_path(&self, call: &Call) -> String {
        let mut path: String = call
            .path
            .split('/')
            .map(|segment| cut(segment, SEGMENT_LENGTH_MAX))
            .collect::<Vec<_>>()
            .join("/");
        let mut before = '?';
        for (name, value) in call.query.pairs() {
            path.push(before);
            path.push_str(&cut(name, SEGMENT_LENGTH_MAX));
            path.push('=');
            path.push_str(&self.shown_value(name, value));
            before = '&';
        }
        path
    }

    fn shown_value(&self, name: &str, value: &str) -> String {
        let secret =
            holds_a_token(value) || self.state.apps.values().any(|app| value.contains(&app.client_secret));
        if PLAIN.contains(&name) && !secret {
            cut_end(value, PLAIN_LENGTH_MAX)
        } else {
            cut(value, LETTERS_SHOWN)
        }
    }
}

/// Whether so many letters and digits stand together as only a token has them, or most of one.
fn holds_a_token(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|run| run.len() >= RUN_LENGTH_MAX)
}

/// The first letters of what is longer than `length_max`.
fn cut(text: &str, length_max: usize) -> String {
    if text.chars().count() <= length_max {
        return text.to_owned();
    }
    text.chars().take(LETTERS_SHOWN).chain(['…']).collect()
}

/// All but the end of what is longer than `length_max`.
fn cut_end(text: &str, length_max: usize) -> String {
    if text.chars().count() <= length_max {
        return text.to_owned();
    }
    text.chars().take(length_max).chain(['…']).collect()
}

/// What an answer says of itself, in Box's words.
fn said(response: &Response) -> Option<String> {
    if response.status() == StatusCode::FOUND {
        let location = Url::parse(response.headers().get(LOCATION)?.to_str().ok()?).ok()?;
        let mut pairs = location.query_pairs();
        return pairs.find_map(|(name, value)| match &*name {
            "code" => Some("granted".to_owned()),
            "error" => Some(value.into_owned()),
            _ => None,
        });
    }
    if response.status().is_success() {
        return None;
    }
    if let Ok(body) = serde_json::from_slice::<Value>(response.body()) {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        return match (text("error"), text("error_description")) {
            (Some(error), Some(description)) => Some(format!("{error}: {description}")),
            (error, _) => error.or_else(|| text("code")).map(str::to_owned),
        };
    }
    let challenge = response.headers().get(WWW_AUTHENTICATE)?.to_str().ok()?;
    Some(if challenge.contains("invalid_token") { "invalid_token" } else { "no token" }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_length_also_in_part_and_within_other_words() {
        for (text, known) in [
            ("KaJG4kME6efwmaSmthQcLNH16J4UAo6e", true),
            ("xKaJG4kME6efwmaSmthQcLNH16J4UAo", true),
            ("id,name,KaJG4kME6efwmaSmthQcLNH16J4UAo6e", true),
            ("authenticated_download_url,is_download_available", false),
            ("http://localhost:8787/auth/callback", false),
            ("", false),
        ] {
            assert_eq!(holds_a_token(text), known, "{text}");
        }
    }

    #[test]
    fn what_is_long_is_cut_to_its_first_letters() {
        assert_eq!(cut("abcdefgh", 8), "abcdefgh");
        assert_eq!(cut("abcdefghi", 8), "abcd…");
        assert_eq!(cut("äöüß€", 4), "äöüß…");
        assert_eq!(cut_end("abcdefghi", 8), "abcdefgh…");
    }
}
