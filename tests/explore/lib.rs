//! Proves the keeper without a runtime: the real [`keyhole_core::keeper::Keeper`] under a fake runtime that is as
//! strict as workerd, in every order of events that can be enumerated, and in many that cannot.
//!
//! | file | is |
//! | --- | --- |
//! | `moves` | what can happen, one thing at a time; a schedule is a list of moves |
//! | `world` | the runtime: what can happen next, and what comes of it |
//! | `instance`, `storage`, `kv` | its parts: the object in memory behind its output gate, durable storage, KV |
//! | `asked`, `ledger` | Box, as far as its tokens go |
//! | `eye` | sees through the seals |
//! | `law`, `judge` | what must hold, what is conceded, and the judgement of each event |
//! | `coda` | how every schedule ends |
//! | `search` | every schedule with a few actors and one fault |
//! | `random` | many schedules with more of everything, from a seed |
//! | `twist` | deliberate mistakes, which must be found |

mod asked;
mod coda;
mod eye;
mod instance;
mod judge;
mod kv;
mod law;
mod ledger;
mod moves;
mod random;
mod search;
mod stage;
mod storage;
mod twist;
mod world;

#[cfg(test)]
mod at_random;
#[cfg(test)]
mod box_alike;
#[cfg(test)]
mod crash_table;
#[cfg(test)]
mod every_order;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod properties;

pub use coda::Outcome;
pub use law::{Concession, Rule, Violation};
pub use ledger::Rotation;
pub use moves::{CallName, Move, NoMove, Oddity, Want, parsed, written};
pub use random::{Dice, FoundAtRandom, Grounds, Tally};
pub use search::{Found, Report, Scenario, Start, Told, scenarios, search, told};
pub use twist::Twist;
