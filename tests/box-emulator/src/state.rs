//! What the emulator remembers, and how it is written down.

use std::collections::BTreeMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::authorize::Browser;
use crate::book::Book;
use crate::content::Download;
use crate::entropy::Entropy;
use crate::representations::Progress;

/// The version of the written form. A change of any field raises it.
pub const FORMAT: u32 = 1;

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
    pub(crate) book: Book,
    pub(crate) browsers: BTreeMap<String, Browser>,
    pub(crate) downloads: BTreeMap<String, Download>,
    pub(crate) representations: BTreeMap<String, Progress>,
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
}

impl State {
    /// A state in which nothing has happened yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let data = Data {
            format: FORMAT,
            entropy: Entropy::new(seed),
            clock_ahead_ms: 0,
            book: Book::default(),
            browsers: BTreeMap::new(),
            downloads: BTreeMap::new(),
            representations: BTreeMap::new(),
        };
        Self { data, revision: 0 }
    }

    /// The state that [`State::write`] wrote.
    ///
    /// # Errors
    /// [`StateFault`] when it was written by something else or by another version.
    pub fn read(json: &[u8]) -> Result<Self, StateFault> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(json)?;
        if head.format != FORMAT {
            return Err(StateFault::OtherFormat { found: head.format });
        }
        Ok(Self { data: serde_json::from_slice(json)?, revision: 0 })
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
