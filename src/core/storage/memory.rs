//! A storage in memory.

use std::sync::{Mutex, PoisonError};

use super::{Generation, Storage, StorageFault, StoreFault, Stored};

/// Forgets with its process: for tests, for programs that sign in at each start, and behind nothing else.
#[derive(Debug)]
pub struct Memory(Mutex<Stored>);

impl Memory {
    /// One that has never held anything.
    #[must_use]
    pub const fn new() -> Self {
        Self::holding(Stored::empty())
    }

    /// One that holds this already.
    #[must_use]
    pub const fn holding(stored: Stored) -> Self {
        Self(Mutex::new(stored))
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Storage for Memory {
    async fn get(&self) -> Result<Stored, StorageFault> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn store(&self, after: Generation, new: &Stored) -> Result<(), StoreFault> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone().gives_way(after, new)?;
        *held = new.clone();
        Ok(())
    }
}
