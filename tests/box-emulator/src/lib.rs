//! A local Box: OAuth, token exchange, revoke, and the API calls that previews, pickers and SDKs make.
//!
//! In scope: what Box answers, and above all what it refuses, with its literal words. Out of scope:
//! sockets, files, clocks and randomness. [`Emulator::handle`] takes a request and the time and gives an
//! answer; the program beside this library puts it on two ports and on disk.
//!
//! The files, in the order a client meets them:
mod authorize;
mod pages;

mod actor;
mod assertion;
mod ccg;
mod exchange;
mod jwt;
mod pkce;
mod revoke;
mod subject;
mod token;

mod bearer;
mod content;
mod cors;
mod dates;
mod events;
mod fields;
mod files;
mod folders;
mod paging;
mod search;
mod versions;

mod edits;
mod uploads;

mod representations;
mod scopes;
mod shared_links;
mod users;

mod account;
mod apps;
mod blob;
mod book;
mod changes;
mod entropy;
mod keys;
mod own_files;
mod people;
mod sample;
mod state;

mod calls;
mod console;
mod control;
mod faults;
mod log;
mod rules;
mod settings;
mod throttle;

mod answer;
mod assets;
mod emulator;
mod multipart;
mod refusals;
mod request;
mod route;

pub use assets::static_file;
pub use emulator::{Emulator, Options, Reply};
pub use own_files::OwnFile;
pub use request::{BodyTooLarge, body_bytes_max};
pub use rules::Rule;
pub use settings::{
    Decision, RepresentationStart, Rotation, ScopeNotHeld, Settings, Switch, WithoutResource,
};
pub use state::{Data, FORMAT, State, StateFault};
