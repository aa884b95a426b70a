//! What was asked of this Box.

use serde_json::json;

use super::{Done, Outcome, bad, done};
use crate::emulator::Emulator;
use crate::request::Call;

/// Counts, all calls as programs want to see them, and the preview events.
pub(super) fn calls(emulator: &Emulator) -> Done {
    let mut calls = json!(emulator.calls);
    if let Some(calls) = calls.as_object_mut() {
        calls.insert("events".to_owned(), json!(emulator.events));
    }
    done(calls)
}

pub(super) fn forget_calls(emulator: &mut Emulator) -> Done {
    emulator.calls.clear();
    emulator.events.clear();
    done(json!({}))
}

/// The lines after number `after`, oldest first; without it all that are kept.
pub(super) fn log(emulator: &Emulator, call: &Call) -> Outcome {
    let after = match call.query.value("after") {
        Some(after) => after.parse().map_err(|_| bad("after is not a number"))?,
        None => 0,
    };
    let log = &emulator.log;
    Ok(done(json!({"entries": log.after(after), "first": log.first(), "last": log.last()})))
}
