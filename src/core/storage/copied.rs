//! Two storages as one: the truth, and a copy that outlives it.

use core::pin::pin;

use futures_util::future::{Either, select};

use super::{Generation, Storage, StorageFault, StoreFault, Stored};

/// A storage whose word counts, and another that still has the grant when the first has lost it, or when a process
/// died before it could write there. At the edge: an object, and KV.
///
/// What is written starts on its way to the copy first and has a head start before the truth is touched: whoever dies
/// in between has left it somewhere. So the copy may be ahead of the truth, and what is read is the later of both; a
/// copy that is ahead is moved into the truth before it is handed on. A copy that cannot be written costs nothing but
/// the copy; the next write brings it up. A copy that is behind, or stale, is never believed against the truth: the
/// truth keeps its generation, also when it is cleared.
#[derive(Debug)]
pub struct Copied<T, C, H> {
    truth: T,
    copy: C,
    head_start: H,
}

impl<T, C, H, W> Copied<T, C, H>
where
    T: Storage,
    C: Storage,
    H: Fn() -> W,
    W: Future<Output = ()>,
{
    /// `head_start` makes the time that the copy has before the truth is written; it ends sooner if the copy is done.
    pub const fn new(truth: T, copy: C, head_start: H) -> Self {
        Self { truth, copy, head_start }
    }

    /// Brings the copy up to `new`, whatever older it holds. It does not matter whether that worked.
    async fn bring_up(&self, after: Generation, new: &Stored) {
        let mut after = after;
        for _ in 0..TRIES {
            match self.copy.store(after, new).await {
                Err(StoreFault::Conflict { found }) if found.generation() < new.generation() => {
                    after = found.generation();
                }
                _ => return,
            }
        }
    }

    /// The later of both.
    async fn agreed(
        &self,
        truth: Result<Stored, StorageFault>,
        copy: Result<Stored, StorageFault>,
    ) -> Result<Stored, StorageFault> {
        let truth = truth?;
        let copy = match copy {
            Ok(copy) if copy.generation() > truth.generation() => copy,
            // Where the truth has lost everything, a copy that does not answer may hold it still.
            Err(fault) if truth == Stored::empty() => return Err(fault),
            _ => return Ok(truth),
        };
        match self.truth.store(truth.generation(), &copy).await {
            Ok(()) => Ok(copy),
            Err(StoreFault::Conflict { found }) => Ok(found),
            Err(StoreFault::Failed(fault)) => Err(fault),
        }
    }
}

/// How often the copy is tried: each time it turns out to hold something else that is older.
const TRIES: u32 = 3;

impl<T, C, H, W> Storage for Copied<T, C, H>
where
    T: Storage,
    C: Storage,
    H: Fn() -> W,
    W: Future<Output = ()>,
{
    async fn get(&self) -> Result<Stored, StorageFault> {
        self.agreed(self.truth.get().await, self.copy.get().await).await
    }

    async fn store(&self, after: Generation, new: &Stored) -> Result<(), StoreFault> {
        if new.generation() > after.next() {
            // Refused by the truth, it would outrank it: a generation that was skipped may be in use by then.
            self.truth.store(after, new).await?;
            self.bring_up(after, new).await;
            return Ok(());
        }
        let copying = pin!(self.bring_up(after, new));
        match select(copying, pin!((self.head_start)())).await {
            Either::Left(_) => self.truth.store(after, new).await,
            Either::Right(((), copying)) => {
                let outcome = self.truth.store(after, new).await;
                copying.await;
                outcome
            }
        }
    }

    async fn get_latest(&self) -> Result<Stored, StorageFault> {
        self.agreed(self.truth.get_latest().await, self.copy.get_latest().await).await
    }
}
