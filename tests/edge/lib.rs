//! Proves the Worker where it will run: over HTTP, on real workerd, with real KV and real Durable Objects, against
//! the Box emulator. `cargo xtask test edge` starts all of them (`tests/workers.toml`) and says by variables where
//! they are.
//!
//! What can be shown without a runtime is shown in `tests/native`, where a whole day passes in an instant. Here is
//! what only the runtime can show: that storage holds what the shell wrote and nothing in clear, that callers at the
//! same instant meet in one object, that alarms ring, that a killed process comes back with its sessions.

#[cfg(test)]
mod harness;
#[cfg(test)]
mod tests;
