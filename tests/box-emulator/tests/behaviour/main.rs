//! What the emulator answers and what it refuses, asked over HTTP as any client would.
#[cfg(test)]
mod signer;
#[cfg(test)]
mod support;

#[cfg(test)]
mod actor;
#[cfg(test)]
mod authorize;
#[cfg(test)]
mod ccg;
#[cfg(test)]
mod code;
#[cfg(test)]
mod developer_tokens;
mod doors;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod jwt;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod revoke;
#[cfg(test)]
mod rotation;

#[cfg(test)]
mod bearer;
#[cfg(test)]
mod content;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod elements;
#[cfg(test)]
mod files;
#[cfg(test)]
mod folders;
#[cfg(test)]
mod search;
#[cfg(test)]
mod shared_links;
#[cfg(test)]
mod users;

#[cfg(test)]
mod edits;
#[cfg(test)]
mod uploads;

#[cfg(test)]
mod any_request;
#[cfg(test)]
mod api_words;
#[cfg(test)]
mod narrowing;

#[cfg(test)]
mod switches;
#[cfg(test)]
mod throttling;

#[cfg(test)]
mod console;
#[cfg(test)]
mod control;
#[cfg(test)]
mod control_apps;
#[cfg(test)]
mod control_items;
#[cfg(test)]
mod control_people;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod log;
#[cfg(test)]
mod own_files;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod state;
#[cfg(test)]
mod words;
