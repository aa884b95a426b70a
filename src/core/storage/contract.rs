//! What a storage must do, as something to run: `contract::in_order(&yours).await?` in a test of your own.

use futures_util::future::join;

use super::{Generation, Storage, StorageFault, StoreFault, Stored};

/// A storage that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}, but: {seen}")]
pub struct Broken {
    /// What must hold.
    pub rule: &'static str,
    /// What was seen in its place.
    pub seen: String,
}

/// All that can be seen by one who reads and writes one after the other. `storage` has never held anything.
///
/// # Errors
/// [`Broken`]: the first rule that does not hold.
pub async fn in_order(storage: &impl Storage) -> Result<(), Broken> {
    let of = Generation::new;
    let value = |number: u64, text: &str| Stored::new(of(number), text.into());
    holds(storage, "a place that was never used is empty", &Stored::empty()).await?;
    refuses(storage, "what was never there cannot be followed", of(3), &value(4, "a")).await?;

    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(4096).collect();
    let first = Stored::new(of(1), bytes);
    stores(storage, "what is stored is there, byte for byte", Generation::NONE, &first).await?;
    refuses(storage, "a place is taken once", Generation::NONE, &value(1, "b")).await?;
    refuses(storage, "nobody overtakes by a high generation", Generation::NONE, &value(9, "c")).await?;
    refuses(storage, "a generation is used once", of(1), &value(1, "d")).await?;
    refuses(storage, "generations do not go back", of(1), &Stored::empty()).await?;

    stores(storage, "one may follow the other", of(1), &value(2, "e")).await?;
    stores(storage, "generations may be left out", of(2), &value(6, "f")).await?;
    refuses(storage, "what was replaced cannot be followed", of(2), &value(3, "g")).await?;

    let late = storage.clear(of(2)).await;
    conflicts("a clear comes after what is there as well", late, &value(6, "f"))?;
    holds(storage, "a clear that comes late clears nothing", &value(6, "f")).await?;
    let cleared = storage.clear(of(6)).await;
    succeeds("what is there can be cleared", cleared)?;
    holds(storage, "what was cleared is gone, and its generation goes on", &Stored::cleared(of(7))).await?;
    refuses(storage, "nothing from before a clear comes back", of(6), &value(7, "h")).await?;
    refuses(storage, "a cleared place is not as if never used", Generation::NONE, &value(1, "i")).await?;
    stores(storage, "a cleared place can be used again", of(7), &value(8, "j")).await
}

/// How often two meet in [`at_once`].
const MEETINGS: u64 = 20;

/// What is seen when two write at the same time: `one` and `other` lead to the same place, which has never held
/// anything. Run it besides from two threads or processes, where yours can be shared by them.
///
/// # Errors
/// [`Broken`]: the first rule that does not hold.
pub async fn at_once(one: &impl Storage, other: &impl Storage) -> Result<(), Broken> {
    for number in 0..MEETINGS {
        let after = Generation::new(number);
        let mine = Stored::new(after.next(), b"mine".to_vec());
        let theirs = Stored::new(after.next(), b"theirs".to_vec());
        let (winner, lost) = match join(one.store(after, &mine), other.store(after, &theirs)).await {
            (Ok(()), lost) => (mine, lost),
            (lost, Ok(())) => (theirs, lost),
            (lost, _) => return succeeds("of two who write at once one wins", lost),
        };
        conflicts("of two who write at once one loses, and learns what won", lost, &winner)?;
        let rule = "of two who write at once both find what won";
        expect(rule, &one.get_latest().await, &winner)?;
        expect(rule, &other.get_latest().await, &winner)?;
    }
    Ok(())
}

async fn holds(storage: &impl Storage, rule: &'static str, expected: &Stored) -> Result<(), Broken> {
    expect(rule, &storage.get().await, expected)?;
    expect(rule, &storage.get_latest().await, expected)
}

async fn stores(
    storage: &impl Storage,
    rule: &'static str,
    after: Generation,
    new: &Stored,
) -> Result<(), Broken> {
    succeeds(rule, storage.store(after, new).await)?;
    holds(storage, rule, new).await
}

async fn refuses(
    storage: &impl Storage,
    rule: &'static str,
    after: Generation,
    new: &Stored,
) -> Result<(), Broken> {
    let there = storage.get_latest().await.map_err(|fault| broken(rule, &fault))?;
    conflicts(rule, storage.store(after, new).await, &there)?;
    holds(storage, rule, &there).await
}

fn expect(rule: &'static str, seen: &Result<Stored, StorageFault>, expected: &Stored) -> Result<(), Broken> {
    match seen {
        Ok(seen) if seen == expected => Ok(()),
        seen => Err(broken(rule, seen)),
    }
}

fn succeeds(rule: &'static str, seen: Result<(), StoreFault>) -> Result<(), Broken> {
    seen.map_err(|fault| broken(rule, &fault))
}

fn conflicts(rule: &'static str, seen: Result<(), StoreFault>, there: &Stored) -> Result<(), Broken> {
    match seen {
        Err(StoreFault::Conflict { found }) if found == *there => Ok(()),
        seen => Err(broken(rule, &seen)),
    }
}

fn broken(rule: &'static str, seen: &impl core::fmt::Debug) -> Broken {
    Broken { rule, seen: format!("{seen:?}") }
}
