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
/// the copy: it is behind until the next write, which then brings it up after the truth. A copy that is behind, or
/// stale, is never believed against the truth: that keeps its generation, also when it is cleared.
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

    /// Brings the copy up to `new`, which the truth holds, over whatever older it has. It does not matter whether
    /// that worked.
    async fn bring_up(&self, behind: Generation, new: &Stored) {
        let mut behind = behind;
        for _ in 0..TRIES {
            match self.copy.store(behind, new).await {
                Err(StoreFault::Conflict { found }) if found.generation() < new.generation() => {
                    behind = found.generation();
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
            // In the copy it would outrank what has come meanwhile under a generation that was left out.
            self.truth.store(after, new).await?;
            self.bring_up(after, new).await;
            return Ok(());
        }
        let copying = pin!(self.copy.store(after, new));
        let (outcome, copied) = match select(copying, pin!((self.head_start)())).await {
            Either::Left((copied, _)) => (self.truth.store(after, new).await, copied),
            Either::Right(((), copying)) => (self.truth.store(after, new).await, copying.await),
        };
        match (outcome, copied) {
            (Ok(()), Err(StoreFault::Conflict { found })) => {
                self.bring_up(found.generation(), new).await;
                Ok(())
            }
            // Somebody has read it from the copy meanwhile.
            (Err(StoreFault::Conflict { found }), Ok(())) if found == *new => Ok(()),
            // The truth has lost what the copy still had.
            (Err(StoreFault::Conflict { found }), Ok(())) if found.generation() < after => {
                self.truth.store(found.generation(), new).await
            }
            (outcome, _) => outcome,
        }
    }

    async fn get_latest(&self) -> Result<Stored, StorageFault> {
        self.agreed(self.truth.get_latest().await, self.copy.get_latest().await).await
    }
}
