//! The clock and the generator of the runtime, read here and nowhere else.

use keyhole_core::{secret::Entropy, time::Timestamp};
use worker::{Date, Error, Result};

/// The time. The runtime moves it on between I/O only.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(Date::now().as_millis())
}

/// The randomness of one event.
pub(crate) fn entropy() -> Result<Entropy> {
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed).map_err(|_| Error::RustError("no randomness".into()))?;
    Ok(Entropy::new(seed))
}
