//! What `cargo xtask test edge` has started, and how tests share it.

use std::{
    env, fs,
    path::PathBuf,
    sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use serde_json::{Value, json};

use crate::harness::{Browser, disk::Needle, local_box};

/// Where a Worker answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Worker {
    pub(crate) origin: String,
}

impl Worker {
    /// With the settings of most deployments.
    pub(crate) fn main() -> Self {
        Self { origin: variable("KEYHOLE_WORKER_URL") }
    }

    /// Without its secrets.
    pub(crate) fn bare() -> Self {
        Self { origin: variable("KEYHOLE_BARE_WORKER_URL") }
    }

    /// Whose sessions end after a few seconds.
    pub(crate) fn short() -> Self {
        Self { origin: variable("KEYHOLE_SHORT_WORKER_URL") }
    }

    /// With the login limit of a deployment.
    pub(crate) fn limited() -> Self {
        Self { origin: variable("KEYHOLE_LIMITED_WORKER_URL") }
    }

    /// That other origins' pages may call, with folders allowed and few new items at a time.
    pub(crate) fn open() -> Self {
        Self { origin: variable("KEYHOLE_OPEN_WORKER_URL") }
    }
}

/// A Worker of somebody's own, built on Keyhole's storages: see `tests/storage-worker`.
pub(crate) fn storage_worker() -> Worker {
    Worker { origin: variable("KEYHOLE_STORAGE_WORKER_URL") }
}

/// What xtask told us.
#[track_caller]
pub(crate) fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test edge`"))
}

/// A setting or secret of the Worker [main].
#[track_caller]
pub(crate) fn setting(name: &str) -> String {
    let text = fs::read_to_string(variable("KEYHOLE_VARS_FILE")).unwrap();
    let values = text.lines().filter_map(|line| line.split_once('='));
    let value = values.into_iter().find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim());
    value.unwrap_or_else(|| panic!("{name} is not set")).trim_matches(['"', '\'']).to_owned()
}

/// What no answer, no log and no storage may hold in any form.
pub(crate) fn deployed_secrets() -> &'static [Needle] {
    static SECRETS: OnceLock<Vec<Needle>> = OnceLock::new();
    SECRETS.get_or_init(|| {
        let keys = setting("SEAL_KEYS");
        let key = keys.split_once(':').map(|(_, key)| key).unwrap();
        vec![
            Needle::new("the client secret", &setting("BOX_CLIENT_SECRET")),
            Needle::new("a sealing key", key),
        ]
    })
}

/// KV and objects of the Worker [main] on disk.
pub(crate) fn state_dir() -> PathBuf {
    variable("KEYHOLE_STATE_DIR").into()
}

static ROOM: RwLock<()> = RwLock::new(());

/// Beside other tests. What the test counts, it counts of its own session.
pub(crate) fn together() -> RwLockReadGuard<'static, ()> {
    set_the_scene();
    ROOM.read().unwrap_or_else(PoisonError::into_inner)
}

/// With the stage to itself: then Box may be changed and its calls counted.
#[must_use]
pub(crate) fn alone() -> Alone {
    set_the_scene();
    let room = ROOM.write().unwrap_or_else(PoisonError::into_inner);
    local_box::control("DELETE", "calls", None);
    Alone { _room: room }
}

/// Dropping it puts Box in order again.
pub(crate) struct Alone {
    _room: RwLockWriteGuard<'static, ()>,
}

impl Alone {
    /// Changes Box's settings.
    pub(crate) fn set(&self, settings: &Value) {
        local_box::control("POST", "settings", Some(settings));
    }

    /// Orders a fault.
    pub(crate) fn order(&self, fault: &Value) {
        local_box::control("POST", "faults", Some(fault));
    }

    /// Ends all live tokens of a kind.
    pub(crate) fn expire(&self, kind: &str) {
        local_box::control("POST", "expire", Some(&json!({"kind": kind})));
    }

    /// How often Box was asked this, by the emulator's key, since the test began.
    pub(crate) fn count(&self, key: &str) -> u64 {
        local_box::control("GET", "calls", None)["counts"][key].as_u64().unwrap_or_default()
    }

    /// How often Box was asked anything.
    pub(crate) fn count_all(&self) -> u64 {
        let calls = local_box::control("GET", "calls", None);
        calls["counts"].as_object().unwrap().values().filter_map(Value::as_u64).sum()
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        local_box::control("DELETE", "faults", None);
        local_box::control("POST", "settings", Some(&ordinary()));
    }
}

/// Box as most tests want it: a person who grants at once, and otherwise as Box is.
fn ordinary() -> Value {
    json!({
        "decision": "grant", "rotation": "lazy", "pkce": false,
        "access_token_seconds": null, "child_token_seconds": null,
    })
}

/// Once, before the first test.
fn set_the_scene() {
    static SCENE: OnceLock<()> = OnceLock::new();
    SCENE.get_or_init(|| {
        local_box::control("DELETE", "faults", None);
        local_box::control("POST", "settings", Some(&ordinary()));
        FILES.get_or_init(look_for_files);
    });
}

static FILES: OnceLock<Vec<String>> = OnceLock::new();

/// Typed ids of files in Box, always the same ones.
pub(crate) fn sample_files() -> &'static [String] {
    FILES.get_or_init(look_for_files)
}

fn look_for_files() -> Vec<String> {
    let scout = Browser::signed_in(&Worker::main());
    let (mut files, mut folders) = (Vec::new(), vec!["0".to_owned()]);
    while let Some(folder) = folders.pop() {
        let page = scout.get(&format!("/api/folders/{folder}/items?limit=1000")).expect(200).json();
        for entry in page["entries"].as_array().unwrap() {
            let id = entry["id"].as_str().unwrap();
            match entry["type"].as_str() {
                Some("folder") => folders.push(id.to_owned()),
                Some("file") => files.push(format!("file_{id}")),
                _ => {}
            }
        }
    }
    assert!(files.len() >= 26, "the sample account has a few dozen files, found {files:?}");
    files
}
