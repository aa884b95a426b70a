//! Proves Keyhole without a runtime: the real core, request by request, over the real emulator. Only the shells
//! differ: KV, the keepers' objects, the network and the clock are a world in memory, in which everything that takes
//! time at the edge takes time, and in which everything that can fail there can be made to fail.

// The harness, from the inside out.
#[cfg(test)]
mod kv;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod world;

#[cfg(test)]
mod browser;
#[cfg(test)]
mod test_app;

// What is proven, in the order a user meets it.
#[cfg(test)]
mod settings;
#[cfg(test)]
mod signing_in;
#[cfg(test)]
mod signing_in_gone_wrong;

#[cfg(test)]
mod calling;
#[cfg(test)]
mod tokens;

#[cfg(test)]
mod session_ends;
#[cfg(test)]
mod stored;

// What somebody builds on core.
#[cfg(test)]
#[path = "examples/file_storage/file.rs"]
mod file_storage;
#[cfg(test)]
mod holders;

#[cfg(test)]
mod holding;
#[cfg(test)]
mod storages;

#[cfg(test)]
mod traceability;
