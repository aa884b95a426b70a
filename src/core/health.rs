//! Whether this deployment is fit to work.

use http::{Response, StatusCode};
use serde::Serialize;

use crate::{app::Body, config::ConfigFaults, headers, problem::Problem};

/// The settings parsed, or this would not be running.
pub(crate) fn healthy() -> Response<Body> {
    #[derive(Serialize)]
    struct Health {
        status: &'static str,
    }
    headers::json(StatusCode::OK, &Health { status: "ok" })
}

/// What is wrong with the settings, by variable name and never by value.
pub(crate) fn not_configured(faults: &ConfigFaults) -> Problem {
    Problem::new(503, "not_configured", "This deployment's settings do not fit.")
        .faults(faults.list().to_vec())
}
