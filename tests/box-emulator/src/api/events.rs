//! `POST /2.0/events`: what the preview reports after a file was shown.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer::{self, Response};
use crate::api::bearer::Bearer;
use crate::emulator::Emulator;
use crate::oauth::scopes::Right;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;

/// One report, as `GET /emulator/calls` shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Event {
    at_ms: u64,
    event_type: String,
    source: Source,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Source {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

#[derive(Deserialize)]
struct Report {
    event_type: String,
    source: Source,
}

/// Keeps the report.
///
/// # Errors
/// 400 when it cannot be read or is about something else than a preview of a file; as [`Bearer::file`].
pub(crate) fn record(emulator: &mut Emulator, call: &Call, bearer: &Bearer) -> Result<Response, ApiRefusal> {
    let report: Report = serde_json::from_slice(&call.body).map_err(|_| refusals::bad_parameter("body"))?;
    if report.event_type != "preview" {
        return Err(refusals::bad_parameter("event_type"));
    }
    if report.source.kind != "file" {
        return Err(refusals::bad_parameter("source"));
    }
    bearer.file(emulator, &report.source.id, Right::Preview)?;
    let body = json!({"type": "event", "event_type": report.event_type, "source": report.source});
    emulator.events.push(Event { at_ms: call.now_ms, event_type: report.event_type, source: report.source });
    Ok(answer::json(StatusCode::CREATED, &body))
}
