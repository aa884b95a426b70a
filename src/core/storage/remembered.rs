//! A memory in front of another storage.

use std::sync::{Mutex, PoisonError};

use super::{Generation, Storage, StorageFault, StoreFault, Stored};

/// Remembers what the storage behind it holds, so that reading costs nothing. Writing always goes to the storage
/// behind.
///
/// What others store there is noticed at the next write, which is refused and told what is there, and by
/// [`get_latest`](Storage::get_latest). Until then this memory answers with what it knows: an access token that
/// another has replaced or cleared is handed out until Box refuses it or its life runs low. An empty place is not
/// remembered: a sign-in elsewhere is seen at once.
#[derive(Debug)]
pub struct Remembered<S> {
    behind: S,
    memory: Mutex<Option<Stored>>,
}

impl<S: Storage> Remembered<S> {
    /// A memory, still empty, in front of `behind`.
    pub const fn new(behind: S) -> Self {
        Self { behind, memory: Mutex::new(None) }
    }

    fn known(&self) -> Option<Stored> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, stored: Option<Stored>) {
        let stored = stored.filter(|stored| stored.sealed().is_some());
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = stored;
    }
}

impl<S: Storage> Storage for Remembered<S> {
    async fn get(&self) -> Result<Stored, StorageFault> {
        match self.known() {
            Some(stored) => Ok(stored),
            None => self.get_latest().await,
        }
    }

    async fn store(&self, after: Generation, new: &Stored) -> Result<(), StoreFault> {
        let outcome = self.behind.store(after, new).await;
        self.remember(match &outcome {
            Ok(()) => Some(new.clone()),
            Err(StoreFault::Conflict { found }) => Some(found.clone()),
            Err(StoreFault::Failed(_)) => None,
        });
        outcome
    }

    async fn get_latest(&self) -> Result<Stored, StorageFault> {
        let stored = self.behind.get_latest().await?;
        self.remember(Some(stored.clone()));
        Ok(stored)
    }
}
