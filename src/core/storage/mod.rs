//! Storage as a port, for those who build on this crate: a place that holds one grant.
//!
//! Box's SDKs store, get and clear tokens. So does [`Storage`], with two differences. What it holds is sealed
//! ([`tokens`]), so a store need not be trusted with it. And everything that is put there has a generation: a write
//! says after which one it comes and is refused if anything else has come meanwhile, so that of two who write at
//! once one wins and the other learns what won.
//!
//! | | |
//! | --- | --- |
//! | [`Memory`] | forgets with its process |
//! | [`Copied`] | a truth, and a copy that outlives it |
//! | [`Remembered`] | a memory in front of another storage |
//! | `ObjectStorage`, `KvStorage` | at the edge, in `src/worker/storage.rs` |
//! | your own | `tests/native/examples/file_storage` shows one in a file |
//!
//! [`contract`] says what an implementation must do, as a function to run against it. [`Holder`] keeps somebody's
//! tokens in a storage: signs in, hands out an access token that is good, refreshes it once for all who share the
//! storage, and forgets it.

use core::{error::Error, fmt};

use crate::keeper::record::{Copy, SealedText};

pub mod contract;
mod copied;
mod holder;
mod memory;
mod remembered;
pub mod tokens;

pub use copied::Copied;
pub use holder::{Access, Holder, HolderFault, Shell};
pub use memory::Memory;
pub use remembered::Remembered;

/// A place that holds one grant.
///
/// Implementations provide [`get`](Self::get) and [`store`](Self::store); reading, [`Stored::gives_way`] and writing
/// are one step that nothing comes between. Any limit of time is the implementation's: these calls are waited for.
#[expect(
    async_fn_in_trait,
    reason = "on workerd nothing is Send; elsewhere the compiler sees through the types"
)]
pub trait Storage {
    /// What is there; [`Stored::empty`] where nothing ever was.
    ///
    /// # Errors
    /// [`StorageFault`]. A storage that cannot be asked is never taken for an empty one.
    async fn get(&self) -> Result<Stored, StorageFault>;

    /// Puts `new` in the place of what is there, if that has the generation `after`.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] with what is there otherwise; [`StoreFault::Failed`] if it is not known whether `new`
    /// was stored.
    async fn store(&self, after: Generation, new: &Stored) -> Result<(), StoreFault>;

    /// Clears what is there, if it has the generation `after`. The generation stays, and goes on: what was read
    /// before is never stored after, and a copy that lags behind is known to.
    ///
    /// # Errors
    /// As [`Self::store`].
    async fn clear(&self, after: Generation) -> Result<(), StoreFault> {
        self.store(after, &Stored::cleared(after.next())).await
    }

    /// The same as [`Self::get`], except that no memory answers in place of the storage behind it.
    ///
    /// # Errors
    /// As [`Self::get`].
    async fn get_latest(&self) -> Result<Stored, StorageFault> {
        self.get().await
    }
}

impl<S: Storage> Storage for &S {
    async fn get(&self) -> Result<Stored, StorageFault> {
        S::get(self).await
    }

    async fn store(&self, after: Generation, new: &Stored) -> Result<(), StoreFault> {
        S::store(self, after, new).await
    }

    async fn get_latest(&self) -> Result<Stored, StorageFault> {
        S::get_latest(self).await
    }
}

/// Counts what a place has held. It never goes back, and what is sealed opens at its own generation only: an older
/// grant cannot be passed off as a newer one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

impl Generation {
    /// Of a place that has never held anything.
    pub const NONE: Self = Self(0);

    /// From its number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What a place holds: a generation, and sealed bytes unless it is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    generation: Generation,
    sealed: Vec<u8>,
}

impl Stored {
    /// Sealed bytes of a generation. No bytes are an empty place.
    #[must_use]
    pub const fn new(generation: Generation, sealed: Vec<u8>) -> Self {
        Self { generation, sealed }
    }

    /// A place that has never held anything.
    #[must_use]
    pub const fn empty() -> Self {
        Self::cleared(Generation::NONE)
    }

    /// A place that holds nothing any more.
    #[must_use]
    pub const fn cleared(generation: Generation) -> Self {
        Self { generation, sealed: Vec::new() }
    }

    /// Its generation.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// The sealed bytes; `None` in an empty place.
    #[must_use]
    pub fn sealed(&self) -> Option<&[u8]> {
        (!self.sealed.is_empty()).then_some(&self.sealed)
    }

    /// The rule that every implementation's `store` follows: what is there gives way to `new` if it has the
    /// generation `after`, and `new` a later one.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] with what is there.
    pub fn gives_way(self, after: Generation, new: &Self) -> Result<(), StoreFault> {
        if self.generation == after && new.generation > after {
            Ok(())
        } else {
            Err(StoreFault::Conflict { found: self })
        }
    }

    /// As bytes to be stored: the form of a keeper's copy in KV, `{"v":1,"generation":7,"grant":"…"}`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Copy::new(self.generation.0, SealedText::new(&self.sealed)).encode()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`StorageFault::Unreadable`].
    pub fn decode(bytes: &[u8]) -> Result<Self, StorageFault> {
        let copy = Copy::decode(bytes).map_err(|_| StorageFault::Unreadable)?;
        let sealed = copy.grant.bytes().map_err(|_| StorageFault::Unreadable)?;
        Ok(Self { generation: Generation(copy.generation), sealed })
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored(generation {}, {} sealed bytes)", self.generation.0, self.sealed.len())
    }
}

/// A storage did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageFault {
    /// It could not be asked, or did not answer. The cause is the implementation's.
    #[error("the storage failed: {0}")]
    Failed(Box<dyn Error + Send + Sync>),
    /// What it holds is damaged, or of a later release. It stays untouched.
    #[error("what is stored does not parse")]
    Unreadable,
}

impl StorageFault {
    /// It failed, for this reason.
    pub fn failed(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(cause.into())
    }
}

/// Nothing was stored, or it is not known.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// Something else has come meanwhile. What is there stays.
    #[error("something else has been stored meanwhile")]
    Conflict {
        /// What is there.
        found: Stored,
    },
    /// It failed, before or after storing.
    #[error(transparent)]
    Failed(#[from] StorageFault),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The format is stored: a change needs a new version and a way to read the old one.
    #[test]
    fn the_stored_format_is_that_of_a_keepers_copy() {
        let stored = Stored::new(Generation::new(7), vec![0, 255, 7]);
        assert_eq!(String::from_utf8(stored.encode()).unwrap(), r#"{"v":1,"generation":7,"grant":"AP8H"}"#);
        assert_eq!(Stored::decode(&stored.encode()).unwrap(), stored);
        let cleared = Stored::cleared(Generation::new(8));
        assert_eq!(String::from_utf8(cleared.encode()).unwrap(), r#"{"v":1,"generation":8,"grant":""}"#);
        assert_eq!(Stored::decode(&cleared.encode()).unwrap(), cleared);
        assert_eq!(cleared.sealed(), None);
    }

    #[test]
    fn what_is_damaged_or_of_a_later_release_is_neither_read_nor_taken_for_nothing() {
        for wrong in
            ["", "{}", r#"{"v":2,"generation":7,"grant":"AP8H"}"#, r#"{"v":1,"generation":7,"grant":"!"}"#]
        {
            assert!(matches!(Stored::decode(wrong.as_bytes()), Err(StorageFault::Unreadable)), "{wrong}");
        }
    }

    #[test]
    fn only_a_later_generation_comes_after_the_one_that_is_there() {
        let of = |number| Stored::new(Generation::new(number), vec![1]);
        let gives_way = |there, after, new| of(there).gives_way(Generation::new(after), &of(new)).is_ok();
        assert!(gives_way(3, 3, 4) && gives_way(3, 3, 9));
        assert!(!gives_way(3, 2, 4) && !gives_way(3, 4, 5) && !gives_way(3, 3, 3) && !gives_way(3, 3, 2));
        assert!(!gives_way(u64::MAX, u64::MAX, Generation::new(u64::MAX).next().number()));
    }
}
