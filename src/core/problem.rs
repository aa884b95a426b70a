//! A fault as others see it: `application/problem+json` (RFC 9457) with a stable `code`.
//!
//! Codes are an interface: pages act on them. The literal test below pins the form.

use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{app::Body, config::ConfigFault, headers, keeper::message::End};

/// What went wrong, in words of ours only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A sentence for people.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Stable, for programs.
    pub code: &'static str,
    /// Which part of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'static str>,
    /// The setting that forbids it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    /// Why the session ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<End>,
    /// When asking again makes sense, seconds from now. Also in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// What is wrong with the settings, by variable name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<ConfigFault>,
    /// For the `Allow` header of a 405.
    #[serde(skip)]
    pub allow: Option<&'static str>,
}

impl Problem {
    /// A status, a code and a sentence.
    #[must_use]
    pub const fn new(status: u16, code: &'static str, title: &'static str) -> Self {
        Self {
            title,
            status,
            code,
            detail: None,
            rule: None,
            reason: None,
            retry_after_seconds: None,
            faults: Vec::new(),
            allow: None,
        }
    }

    pub(crate) fn detail(self, part: &'static str) -> Self {
        Self { detail: Some(part), ..self }
    }

    pub(crate) fn rule(self, setting: &'static str) -> Self {
        Self { rule: Some(setting), ..self }
    }

    pub(crate) fn reason(self, end: End) -> Self {
        Self { reason: Some(end), ..self }
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    pub(crate) fn allow(self, methods: &'static str) -> Self {
        Self { allow: Some(methods), ..self }
    }

    pub(crate) fn faults(self, faults: Vec<ConfigFault>) -> Self {
        Self { faults, ..self }
    }

    /// Its status; 500 for a number that is none.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// As an answer.
    #[must_use]
    pub fn answer(&self) -> Response<Body> {
        let mut response = headers::json(self.status(), self);
        let content_type = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        self.carry(response)
    }

    /// Adds the headers that belong to it, whatever its body is.
    pub(crate) fn carry(&self, mut response: Response<Body>) -> Response<Body> {
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(allow) = self.allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    #[test]
    fn the_form_is_pinned() {
        let json = serde_json::to_string(&Fault::Ended(End::RotationLost).problem()).unwrap();
        assert_eq!(
            json,
            r#"{"title":"Nobody is signed in here.","status":401,"code":"signed_out","reason":"rotation_lost"}"#
        );
    }

    #[test]
    fn s36_a_pause_is_said_in_the_header_and_in_the_body() {
        let answer = Fault::TooManyLogins.problem().answer();
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()["retry-after"], "60");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let answer = Fault::MethodNotAllowed { allow: "POST" }.problem().answer();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["allow"]),
            (405, &HeaderValue::from_static("POST"))
        );
    }
}
