//! What the emulator remembers, and how it is written down.

use std::collections::BTreeMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::api::content::Download;
use crate::api::representations::Progress;
use crate::control::settings::Settings;
use crate::oauth::authorize::Browser;
use crate::oauth::book::Book;
use crate::oauth::jwt::UsedAssertions;
use crate::world::account::Account;
use crate::world::apps::App;
use crate::world::blob::Blob;
use crate::world::entropy::Entropy;
use crate::world::own_files::Brought;
use crate::world::people::User;
use crate::world::sample::{self, Sample};

/// The version of the written form. A change of any field raises it; a switch that is new and has a default does not.
pub const FORMAT: u32 = 3;

/// Everything that outlives a restart: JSON, one object, the fields of [`Data`].
///
/// Read through `Deref`; written only through its own `edit`, which is how the program knows that there is
/// something to save.
#[derive(Clone, Debug)]
pub struct State {
    data: Data,
    revision: u64,
}

/// The fields of a [`State`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    format: u32,
    pub(crate) entropy: Entropy,
    pub(crate) clock_ahead_ms: u64,
    /// The switches, as the next start finds them.
    pub(crate) settings: Settings,
    /// By client id.
    pub(crate) apps: BTreeMap<String, App>,
    /// By user id.
    pub(crate) users: BTreeMap<String, User>,
    /// By user id.
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) book: Book,
    pub(crate) used_assertions: UsedAssertions,
    pub(crate) browsers: BTreeMap<String, Browser>,
    pub(crate) downloads: BTreeMap<String, Download>,
    pub(crate) representations: BTreeMap<String, Progress>,
    /// By the path below the folder of own files.
    pub(crate) own_files: BTreeMap<String, Brought>,
}

/// Why a written state was refused.
#[derive(Debug, Error)]
pub enum StateFault {
    /// Not the JSON this version writes.
    #[error("not a state of this emulator: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Written by another version.
    #[error("written in format {found}, this emulator reads {FORMAT}")]
    OtherFormat {
        /// The format named in the file.
        found: u32,
    },
    /// The bytes of a file of an account are not to be had.
    #[error("the bytes of the file \"{name}\" are missing (SHA-1 {sha1})")]
    BytesMissing {
        /// The file's name in the account.
        name: String,
        /// What the bytes are looked up by.
        sha1: String,
    },
}

impl State {
    /// A state in which nothing has happened yet: the sample's people, apps and files.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let Sample { users, apps, accounts } = Sample::get().clone();
        let data = Data {
            format: FORMAT,
            entropy: Entropy::new(seed),
            clock_ahead_ms: 0,
            settings: Settings::default(),
            apps: apps.into_iter().map(|app| (app.client_id.clone(), app)).collect(),
            users: users.into_iter().map(|user| (user.id.clone(), user)).collect(),
            accounts,
            book: Book::default(),
            used_assertions: UsedAssertions::default(),
            browsers: BTreeMap::new(),
            downloads: BTreeMap::new(),
            representations: BTreeMap::new(),
            own_files: BTreeMap::new(),
        };
        Self { data, revision: 0 }
    }

    /// The state that [`State::write`] wrote; `upload` finds those of [`State::uploads`] again, by SHA-1.
    ///
    /// # Errors
    /// [`StateFault`] when it was written by something else or by another version, or when bytes are missing.
    pub fn read(json: &[u8], upload: impl Fn(&str) -> Option<Vec<u8>>) -> Result<Self, StateFault> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(json)?;
        if head.format != FORMAT {
            return Err(StateFault::OtherFormat { found: head.format });
        }
        let mut data: Data = serde_json::from_slice(json)?;
        for version in data.accounts.values_mut().flat_map(Account::versions_mut) {
            let bytes = sample::embedded(&version.sha1).or_else(|| upload(&version.sha1).map(Blob::from));
            version.bytes = bytes.ok_or_else(|| StateFault::BytesMissing {
                name: version.name.clone(),
                sha1: version.sha1.clone(),
            })?;
        }
        Ok(Self { data, revision: 0 })
    }

    /// Sets the switches of these names.
    ///
    /// # Errors
    /// A sentence for the caller when a switch or its value does not exist.
    pub fn set(&mut self, named: impl IntoIterator<Item = (String, Value)>) -> Result<(), String> {
        let settings = self.settings.clone().with(named)?;
        if self.settings != settings {
            self.edit().settings = settings;
        }
        Ok(())
    }

    /// What people have uploaded, by SHA-1 in hexadecimal: kept beside the written form, not in it.
    pub fn uploads(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.accounts.values().flat_map(Account::versions).filter_map(|version| match &version.bytes {
            Blob::Uploaded(bytes) => Some((version.sha1.as_str(), &**bytes)),
            Blob::Embedded(_) => None,
        })
    }

    /// The written form, for [`State::read`].
    ///
    /// # Errors
    /// None in practice: every field has a JSON form.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&self.data)
    }

    /// Rises with every change; equal revisions of one emulator are equal states.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The fields, to be changed.
    pub(crate) fn edit(&mut self) -> &mut Data {
        self.revision += 1;
        &mut self.data
    }

    /// Forgets everything but the place in the stream of randomness: no token is ever issued twice.
    pub(crate) fn forget(&mut self) {
        let entropy = self.data.entropy.clone();
        let revision = self.revision + 1;
        *self = Self::new(0);
        self.data.entropy = entropy;
        self.revision = revision;
    }
}

impl Deref for State {
    type Target = Data;

    fn deref(&self) -> &Data {
        &self.data
    }
}
