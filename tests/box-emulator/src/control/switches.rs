//! What the emulator is told to do: switches, faults, time, and a new start.

use serde::Deserialize;
use serde_json::json;

use super::{Done, Outcome, bad, body, done};
use crate::control::faults::Fault;
use crate::control::settings::CLOCK_SECONDS_MAX;
use crate::emulator::Emulator;
use crate::request::Call;
use crate::world::people::ENTERPRISE_ID;

pub(super) fn status(emulator: &Emulator, call: &Call) -> Done {
    let user = emulator
        .someone()
        .map(|user| json!({"name": user.name, "login": user.login, "password": user.password}));
    done(json!({
        "name": "box-emulator",
        "user": user,
        "client_id": emulator.options.client_id,
        "enterprise_id": ENTERPRISE_ID,
        "api_origin": emulator.options.api_origin,
        "content_origin": emulator.options.content_origin,
        "settings": emulator.settings,
        "now_ms": call.now_ms,
    }))
}

pub(super) fn settings(emulator: &Emulator) -> Done {
    done(json!({"settings": emulator.settings, "switches": emulator.settings.switches()}))
}

pub(super) fn change_settings(emulator: &mut Emulator, call: &Call) -> Outcome {
    emulator.set(emulator.settings.patched(body(call)?).map_err(bad)?);
    Ok(done(json!(emulator.settings)))
}

/// Those that still wait for a call.
pub(super) fn faults(emulator: &Emulator) -> Done {
    done(json!({"faults": emulator.faults.waiting()}))
}

pub(super) fn order_fault(emulator: &mut Emulator, call: &Call) -> Outcome {
    let fault: Fault = body(call)?;
    emulator.faults.add(fault.check().map_err(bad)?);
    Ok(done(json!({})))
}

pub(super) fn forget_faults(emulator: &mut Emulator) -> Done {
    emulator.faults.clear();
    done(json!({}))
}

/// The clock goes forward only.
pub(super) fn advance_clock(emulator: &mut Emulator, call: &Call) -> Outcome {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Clock {
        advance_seconds: u64,
    }
    let Clock { advance_seconds } = body(call)?;
    let ahead_ms = advance_seconds.saturating_mul(1000);
    let ahead = emulator.state.clock_ahead_ms.saturating_add(ahead_ms) / 1000;
    if ahead > CLOCK_SECONDS_MAX {
        return Err(bad(format!("the clock goes ahead by {CLOCK_SECONDS_MAX} seconds at most, all in all")));
    }
    let data = emulator.state.edit();
    data.clock_ahead_ms = data.clock_ahead_ms.saturating_add(ahead_ms);
    Ok(done(json!({"now_ms": call.now_ms.saturating_add(ahead_ms)})))
}

/// As after a first start: nobody signed in, no token good, settings as given then.
pub(super) fn reset(emulator: &mut Emulator) -> Done {
    emulator.state.forget();
    emulator.prepare();
    emulator.set(emulator.options.settings.clone());
    emulator.faults.clear();
    emulator.calls.clear();
    emulator.throttle.clear();
    emulator.events.clear();
    emulator.log.clear();
    done(json!({}))
}
