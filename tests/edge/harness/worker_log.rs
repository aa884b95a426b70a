//! What the Worker [main] wrote to its log.

use std::fs;

use serde_json::Value;

use crate::harness::stage;

/// The whole log, wrangler's own lines included.
pub(crate) fn text() -> String {
    fs::read_to_string(stage::variable("KEYHOLE_WORKER_LOG")).unwrap()
}

/// Our own lines.
pub(crate) fn lines() -> Vec<String> {
    let ours = |line: &&str| !line.starts_with("[wrangler:");
    text().lines().filter(ours).filter(|line| line.contains("\"event\"")).map(str::to_owned).collect()
}

/// Our own lines, read.
pub(crate) fn events() -> Vec<Value> {
    lines()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}
