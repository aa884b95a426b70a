//! Every storage that needs no runtime keeps the contract, alone and in company. Those of the edge are put to it in
//! `tests/edge`, on workerd.

use core::{
    cell::{Cell, RefCell},
    future::{Ready, pending, ready},
    task::{Context, Waker},
};
use std::{env, fs, pin::pin, process::Command, sync::Barrier, thread};

use keyhole_core::storage::{
    Copied, Generation, Memory, Remembered, Storage, StorageFault, StoreFault, Stored, contract,
};

use crate::{
    file_storage::FileStorage,
    holders::{now, pause},
};

fn value(number: u64, text: &str) -> Stored {
    Stored::new(Generation::new(number), text.into())
}

fn no_head_start() -> Ready<()> {
    ready(())
}

/// A storage whose every call takes its time.
struct Slow<S>(S);

impl<S: Storage> Storage for Slow<S> {
    async fn get(&self) -> Result<Stored, StorageFault> {
        pause().await;
        self.0.get().await
    }

    async fn store(&self, after: Generation, new: &Stored) -> Result<(), StoreFault> {
        pause().await;
        self.0.store(after, new).await
    }
}

/// A storage that may be down, and counts what is read.
#[derive(Default)]
struct Watched {
    memory: Memory,
    is_down: Cell<bool>,
    reads: Cell<u32>,
}

impl Storage for Watched {
    async fn get(&self) -> Result<Stored, StorageFault> {
        self.reads.set(self.reads.get() + 1);
        if self.is_down.get() { Err(StorageFault::failed("down")) } else { self.memory.get().await }
    }

    async fn store(&self, after: Generation, new: &Stored) -> Result<(), StoreFault> {
        if self.is_down.get() {
            return Err(StorageFault::failed("down").into());
        }
        self.memory.store(after, new).await
    }
}

#[test]
fn every_storage_keeps_the_contract() {
    now(contract::in_order(&Memory::new())).unwrap();
    now(contract::in_order(&Slow(Memory::new()))).unwrap();
    now(contract::in_order(&Remembered::new(Memory::new()))).unwrap();
    now(contract::in_order(&Copied::new(Memory::new(), Memory::new(), no_head_start))).unwrap();
    now(contract::in_order(&Copied::new(Memory::new(), Memory::new(), pending::<()>))).unwrap();
    let slow = Copied::new(Slow(Memory::new()), Slow(Slow(Memory::new())), no_head_start);
    now(contract::in_order(&Remembered::new(slow))).unwrap();
    let home = tempfile::tempdir().unwrap();
    now(contract::in_order(&FileStorage::at(home.path().join("plain.json")))).unwrap();
    now(contract::in_order(&Remembered::new(FileStorage::at(home.path().join("remembered.json"))))).unwrap();
}

#[test]
fn of_two_who_write_at_once_one_wins_in_every_storage() {
    let memory = Slow(Memory::new());
    now(contract::at_once(&memory, &memory)).unwrap();
    let memory = Memory::new();
    now(contract::at_once(&Remembered::new(Slow(&memory)), &Remembered::new(Slow(&memory)))).unwrap();
    let (truth, copy) = (Memory::new(), Memory::new());
    let copied = || Copied::new(Slow(&truth), Slow(Slow(&copy)), no_head_start);
    now(contract::at_once(&copied(), &copied())).unwrap();
    let home = tempfile::tempdir().unwrap();
    let file = || FileStorage::at(home.path().join("tokens.json"));
    now(contract::at_once(&file(), &file())).unwrap();
}

#[test]
fn of_many_threads_that_write_to_a_file_at_once_one_wins() {
    const THREADS: u8 = 8;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("tokens.json");
    let together = Barrier::new(THREADS.into());
    for round in 0..20 {
        let write = |writer: u8| {
            together.wait();
            let new = Stored::new(Generation::new(round + 1), vec![writer + 1]);
            now(FileStorage::at(&path).store(Generation::new(round), &new)).is_ok()
        };
        let won = thread::scope(|scope| {
            let writers: Vec<_> = (0..THREADS).map(|writer| scope.spawn(move || write(writer))).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
        let winner = u8::try_from(won.iter().position(|won| *won).unwrap()).unwrap();
        let there = now(FileStorage::at(&path).get()).unwrap();
        assert_eq!(there.sealed(), Some(&[winner + 1][..]));
    }
}

#[test]
fn the_contract_notices_a_storage_that_is_none() {
    /// Writes whatever it is given.
    struct Careless(RefCell<Stored>);

    impl Storage for Careless {
        async fn get(&self) -> Result<Stored, StorageFault> {
            Ok(self.0.borrow().clone())
        }

        async fn store(&self, _after: Generation, new: &Stored) -> Result<(), StoreFault> {
            *self.0.borrow_mut() = new.clone();
            Ok(())
        }
    }

    /// Reads first and writes later.
    struct Hasty(Memory);

    impl Storage for Hasty {
        async fn get(&self) -> Result<Stored, StorageFault> {
            self.0.get().await
        }

        async fn store(&self, after: Generation, new: &Stored) -> Result<(), StoreFault> {
            self.get().await?.gives_way(after, new)?;
            pause().await;
            let there = self.get().await?;
            self.0.store(there.generation(), new).await.or(Ok(()))
        }
    }

    let careless = now(contract::in_order(&Careless(RefCell::new(Stored::empty()))));
    assert_eq!(careless.unwrap_err().rule, "what was never there cannot be followed");
    now(contract::in_order(&Hasty(Memory::new()))).unwrap();
    let hasty = Hasty(Memory::new());
    let broken = now(contract::at_once(&hasty, &hasty)).unwrap_err();
    assert_eq!(broken.rule, "of two who write at once one loses, and learns what won");
}

#[test]
fn what_a_process_has_begun_to_write_when_it_dies_is_found_in_the_copy_and_becomes_the_truth() {
    let (truth, copy) = (Memory::new(), Memory::new());
    let copied = Copied::new(&truth, &copy, no_head_start);
    now(copied.store(Generation::NONE, &value(1, "old"))).unwrap();
    {
        // The copy has it, the truth is about to be written: the process ends here.
        let dying = Copied::new(Slow(&truth), &copy, no_head_start);
        let new = value(2, "new");
        let mut store = pin!(dying.store(Generation::new(1), &new));
        assert!(store.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(now(truth.get()).unwrap(), value(1, "old"));
    assert_eq!(now(copied.get()).unwrap(), value(2, "new"));
    assert_eq!(now(truth.get()).unwrap(), value(2, "new"));
    now(copied.store(Generation::new(2), &value(3, "next"))).unwrap();
}

#[test]
fn the_copy_outlives_the_truth_and_never_outranks_it() {
    let (truth, copy) = (Memory::new(), Memory::new());
    now(Copied::new(&truth, &copy, no_head_start).store(Generation::NONE, &value(1, "kept"))).unwrap();
    let without_truth = Copied::new(Memory::new(), &copy, no_head_start);
    assert_eq!(now(without_truth.get()).unwrap(), value(1, "kept"));
    // A copy that is behind, such as one that was read from afar.
    let ahead = Memory::holding(value(5, "later"));
    let copied = Copied::new(&ahead, &copy, no_head_start);
    assert_eq!(now(copied.get()).unwrap(), value(5, "later"));
    now(copied.clear(Generation::new(5))).unwrap();
    let stale = Memory::holding(value(5, "later"));
    assert_eq!(
        now(Copied::new(&ahead, &stale, no_head_start).get()).unwrap().sealed(),
        None,
        "it stays cleared"
    );
    assert_eq!(now(copy.get()).unwrap().sealed(), None, "and the copy is cleared as well");
}

#[test]
fn a_copy_that_is_slow_has_its_head_start_and_no_more() {
    let truth = Memory::new();
    let copied = Copied::new(&truth, Slow(Slow(Slow(Memory::new()))), || async {
        pause().await;
        assert_eq!(now(truth.get()).unwrap(), Stored::empty(), "the truth is not touched before");
    });
    let new = value(1, "a");
    let mut store = pin!(copied.store(Generation::NONE, &new));
    let mut poll = || store.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending());
    assert_eq!(now(truth.get()).unwrap(), Stored::empty());
    assert!(poll().is_pending(), "the copy is still on its way");
    assert_eq!(now(truth.get()).unwrap(), new);
    while poll().is_pending() {}
    assert_eq!(now(copied.get()).unwrap(), new);
}

#[test]
fn a_write_that_somebody_has_read_from_the_copy_before_it_was_done_is_done() {
    let (truth, copy) = (Memory::new(), Memory::new());
    let writer = Copied::new(Slow(&truth), &copy, no_head_start);
    let new = value(1, "a");
    let mut store = pin!(writer.store(Generation::NONE, &new));
    assert!(store.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(now(Copied::new(&truth, &copy, no_head_start).get()).unwrap(), new);
    now(store).unwrap();
}

#[test]
fn what_the_truth_has_refused_is_never_found_in_the_copy() {
    for (after, new) in [(5, 6), (5, 9), (3, 4), (8, 9)] {
        let (truth, copy) = (Memory::holding(value(6, "winner")), Memory::holding(value(5, "old")));
        let copied = Copied::new(&truth, &copy, no_head_start);
        let refused = now(copied.store(Generation::new(after), &value(new, "loser")));
        assert!(matches!(refused, Err(StoreFault::Conflict { found }) if found == value(6, "winner")));
        assert_eq!(now(copied.get()).unwrap(), value(6, "winner"), "{after} {new}");
    }
}

#[test]
fn a_write_that_follows_the_copy_is_taken_by_a_truth_that_was_lost() {
    let (truth, copy) = (Memory::new(), Memory::holding(value(5, "kept")));
    let copied = Copied::new(&truth, &copy, no_head_start);
    now(copied.store(Generation::new(5), &value(6, "next"))).unwrap();
    assert_eq!(now(truth.get()).unwrap(), value(6, "next"));
}

#[test]
fn a_copy_that_is_down_costs_no_write_and_is_never_taken_for_empty() {
    let (truth, copy) = (Memory::new(), Watched::default());
    let copied = Copied::new(&truth, &copy, no_head_start);
    now(copied.store(Generation::NONE, &value(1, "a"))).unwrap();
    copy.is_down.set(true);
    now(copied.store(Generation::new(1), &value(2, "b"))).unwrap();
    assert_eq!(now(copied.get()).unwrap(), value(2, "b"));
    assert!(
        now(Copied::new(Memory::new(), &copy, no_head_start).get()).is_err(),
        "it may hold what was lost"
    );
    copy.is_down.set(false);
    now(copied.store(Generation::new(2), &value(3, "c"))).unwrap();
    assert_eq!(now(copy.memory.get()).unwrap(), value(3, "c"), "the next write brings it up");
}

#[test]
fn a_memory_in_front_reads_once_and_learns_what_others_wrote_when_it_writes() {
    let behind = Watched::default();
    let (one, other) = (Remembered::new(&behind), Remembered::new(&behind));
    assert_eq!(now(one.get()).unwrap(), Stored::empty());
    now(other.store(Generation::NONE, &value(1, "a"))).unwrap();
    assert_eq!(now(one.get()).unwrap(), value(1, "a"), "an empty place is looked at again");
    let reads = behind.reads.get();
    for _ in 0..1000 {
        assert_eq!(now(one.get()).unwrap(), value(1, "a"));
    }
    assert_eq!(behind.reads.get(), reads);
    now(other.store(Generation::new(1), &value(2, "b"))).unwrap();
    assert_eq!(now(one.get()).unwrap(), value(1, "a"), "it does not know yet");
    let refused = now(one.store(Generation::new(1), &value(2, "c")));
    assert!(matches!(refused, Err(StoreFault::Conflict { found }) if found == value(2, "b")));
    assert_eq!(now(one.get()).unwrap(), value(2, "b"));
    behind.is_down.set(true);
    assert!(now(one.store(Generation::new(2), &value(3, "d"))).is_err());
    assert!(now(one.get()).is_err(), "whether that was stored is not known");
}

#[test]
fn a_damaged_file_is_a_fault_and_stays_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("tokens.json");
    fs::write(&path, "half of it").unwrap();
    let file = FileStorage::at(&path);
    assert!(matches!(now(file.get()), Err(StorageFault::Unreadable)));
    assert!(now(file.store(Generation::NONE, &value(1, "a"))).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "half of it");
}

/// `cargo test` builds a package's examples beside its tests, unless it is given the name of a test.
#[track_caller]
fn run_example(name: &str, home: &std::path::Path) -> String {
    let tests = env::current_exe().unwrap();
    let example = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    let run = Command::new(&example).arg(home).output();
    let run = run
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo build --examples` makes it", example.display()));
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    said
}

#[test]
fn the_example_survives_a_restart_and_two_users_of_its_file_refresh_once() {
    let home = tempfile::tempdir().unwrap();
    let said = run_example("file_storage", home.path());
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "Nobody is signed in. Robin signs in.",
            "Box says that this is Robin Sample.",
            "The file holds generation 1, sealed.",
            "Two hours pass. Two who share the file want a token at the same moment.",
            "Box says that this is Robin Sample.",
            "Box says that this is Robin Sample.",
            "Both have the same token. The file holds generation 3.",
            "In this run Box saw sign-ins: 1, refreshes: 1.",
        ]
    );
    let again = run_example("file_storage", home.path());
    assert_eq!(
        again.lines().collect::<Vec<_>>(),
        [
            "The tokens of the last run are there, and good: no sign-in, no call to Box.",
            "Box says that this is Robin Sample.",
            "The file holds generation 3, sealed.",
            "Two hours pass. Two who share the file want a token at the same moment.",
            "Box says that this is Robin Sample.",
            "Box says that this is Robin Sample.",
            "Both have the same token. The file holds generation 5.",
            "In this run Box saw sign-ins: 0, refreshes: 1.",
        ]
    );
}
