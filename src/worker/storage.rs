//! The edge, for Workers that are built on [`keyhole_core::storage`]: a storage in an object, one in KV, and the shell
//! that a holder needs. Keyhole's own sessions have their keeper and use none of this.

use core::{cell::RefCell, time::Duration};

use keyhole_core::{
    box_api::{BoxAnswer, BoxRequest, Unreachable},
    secret::Entropy,
    storage::{Generation, Shell, Storage, StorageFault, StoreFault, Stored},
    time::Timestamp,
};
use worker::{Delay, Result, SqlStorage, SqlStorageValue, State, kv::KvStore};

use crate::{ask_box, kv::KvBinding, now};

/// How long KV may take before the truth is written all the same: the head start of a `Copied`.
pub async fn head_start() {
    Delay::from(keyhole_core::keeper::plan::ESCROW_LIMIT).await;
}

/// A place in a Durable Object. Reading, comparing and writing are one synchronous block, and nobody else has this
/// object's storage: here a compare-and-set is one.
#[derive(Clone, Debug)]
pub struct ObjectStorage {
    sql: SqlStorage,
    name: String,
}

impl ObjectStorage {
    /// The place of this name. Nothing is written before something is stored, not even a schema.
    #[must_use]
    pub fn new(state: &State, name: impl Into<String>) -> Self {
        Self { sql: state.storage().sql(), name: name.into() }
    }

    fn read(&self) -> core::result::Result<Stored, StorageFault> {
        match self.bodies().map_err(failed)?.as_slice() {
            [] => Ok(Stored::empty()),
            [SqlStorageValue::String(body), ..] => Stored::decode(body.as_bytes()),
            _ => Err(StorageFault::Unreadable),
        }
    }

    /// What the one row of this name holds; none if it is not there.
    fn bodies(&self) -> Result<Vec<SqlStorageValue>> {
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'storage'";
        if self.sql.exec(tables, None)?.raw().next().is_none() {
            return Ok(Vec::new());
        }
        let rows =
            self.sql.exec("SELECT body FROM storage WHERE name = ?", vec![self.name.as_str().into()])?;
        let rows: Result<Vec<Vec<SqlStorageValue>>> = rows.raw().collect();
        Ok(rows?.into_iter().flatten().collect())
    }

    fn write(&self, new: &Stored) -> Result<()> {
        let body = String::from_utf8_lossy(&new.encode()).into_owned();
        self.sql.exec(TABLE, None)?;
        let row = vec![self.name.as_str().into(), body.into()];
        self.sql.exec("INSERT OR REPLACE INTO storage (name, body) VALUES (?, ?)", row)?;
        Ok(())
    }
}

const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS storage (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID";

impl Storage for ObjectStorage {
    async fn get(&self) -> core::result::Result<Stored, StorageFault> {
        self.read()
    }

    async fn store(&self, after: Generation, new: &Stored) -> core::result::Result<(), StoreFault> {
        self.read()?.gives_way(after, new)?;
        self.write(new).map_err(failed)?;
        Ok(())
    }
}

/// A place in KV, for the copy in a `Copied`, and never the truth. KV knows no compare-and-set, and what has changed is
/// seen elsewhere after a minute, or later: of two who write at once both are told that they did, and what is read may
/// be old. What can be seen to be of another generation is refused.
#[derive(Debug)]
pub struct KvStorage {
    kv: KvBinding,
    key: String,
    life: Duration,
}

impl KvStorage {
    /// The place of this name in a namespace. What was stored is forgotten after `life`, a minute at least.
    #[must_use]
    pub fn new(kv: KvStore, name: &str, life: Duration) -> Self {
        let life = life.max(Duration::from_secs(60));
        Self { kv: KvBinding::of(kv), key: format!("tokens:{name}"), life }
    }
}

impl Storage for KvStorage {
    async fn get(&self) -> core::result::Result<Stored, StorageFault> {
        match self.kv.read(&self.key).await {
            Ok(Some(bytes)) => Stored::decode(&bytes),
            Ok(None) => Ok(Stored::empty()),
            Err(_) => Err(StorageFault::failed("KV did not answer")),
        }
    }

    async fn store(&self, after: Generation, new: &Stored) -> core::result::Result<(), StoreFault> {
        self.get().await?.gives_way(after, new)?;
        if self.kv.put(&self.key, &new.encode(), None, now::now().plus(self.life)).await {
            Ok(())
        } else {
            Err(StorageFault::failed("KV did not confirm the put").into())
        }
    }
}

/// The runtime's clock, randomness and way to Box.
#[derive(Debug)]
pub struct Edge(RefCell<Entropy>);

impl Edge {
    /// Draws the randomness.
    ///
    /// # Errors
    /// The runtime has none.
    pub fn new() -> Result<Self> {
        Ok(Self(RefCell::new(now::entropy()?)))
    }
}

impl Shell for Edge {
    fn now(&self) -> Timestamp {
        now::now()
    }

    fn entropy(&self) -> Entropy {
        Entropy::new(self.0.borrow_mut().draw())
    }

    async fn ask_box(
        &self,
        request: BoxRequest,
        limit: Duration,
    ) -> core::result::Result<BoxAnswer, Unreachable> {
        ask_box::send(request, limit).await
    }

    async fn wait(&self, span: Duration) {
        Delay::from(span).await;
    }
}

/// Only the words go along: what the runtime throws is no error that could be sent.
fn failed(error: worker::Error) -> StorageFault {
    StorageFault::failed(error.to_string())
}
