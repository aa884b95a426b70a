//! A local Box: OAuth, token exchange, revoke, and the API calls that previews, pickers and SDKs make.
//!
//! In scope: what Box answers, and above all what it refuses, with its literal words. Out of scope:
//! sockets, files, clocks and randomness. [`Emulator::handle`] takes a request and the time and gives an
//! answer; the program beside this library puts it on two ports and on disk.
//!
//! A call is read (`request`), led to its flow (`route`) and answered: by `oauth`, where tokens come from, by `api`,
//! where they are used, or by `control`, where tests and the console sit behind the scene. `world` is what there is.

mod emulator;
mod request;
mod route;

mod api;
mod control;
mod oauth;
mod world;

mod answer;
mod assets;
mod multipart;
mod refusals;

pub use assets::static_file;
pub use control::apps::{cors_origin, redirect_uri};
pub use control::rules::Rule;
pub use control::settings::{
    Decision, RepresentationStart, Rotation, ScopeNotHeld, Settings, Switch, WithoutResource,
};
pub use emulator::{Emulator, Options, Reply};
pub use request::{BodyTooLarge, body_bytes_max};
pub use world::own_files::{Misfit, OwnFile, OwnFiles};
pub use world::state::{Data, FORMAT, State, StateFault};
