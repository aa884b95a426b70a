//! A file that is open already costs Box nothing, and storage nothing.

use std::{collections::BTreeSet, path::PathBuf, thread};

use crate::harness::{Browser, Worker, alone, disk, sample_files};

const REQUESTS: usize = 1_000;
const THREADS: usize = 8;

/// What there is to see of writes: the bytes of our object's files, and KV's values, which are new files when put.
#[derive(PartialEq)]
struct Written {
    object: disk::Files,
    kv: BTreeSet<PathBuf>,
}

fn written(ours: &BTreeSet<PathBuf>) -> Written {
    let mut object = disk::settled();
    object.retain(|path, _| ours.contains(path));
    Written { object, kv: disk::kv_values() }
}

#[test]
fn a_thousand_requests_for_an_open_file_cost_one_exchange_and_no_write() {
    let stage = alone();
    let before = disk::object_files();
    let browser = Browser::signed_in(&Worker::main());
    let file = &sample_files()[0];
    let token = browser.token(file);
    disk::settled();
    let ours: BTreeSet<PathBuf> = disk::object_files().difference(&before).cloned().collect();
    let at_rest = written(&ours);
    assert!(!at_rest.object.is_empty() && !at_rest.kv.is_empty(), "the session is stored");
    let calls = stage.count_all();

    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..REQUESTS / THREADS {
                    assert_eq!(browser.token(file), token);
                }
            });
        }
    });

    assert_eq!(stage.count_all(), calls, "Box was asked nothing");
    assert_eq!(browser.at_box().all("child").len(), 1, "one exchange");
    assert!(written(&ours) == at_rest, "something was written");

    // The same look does see the one write of a file that is new.
    browser.token(&sample_files()[1]);
    assert!(written(&ours) != at_rest);
}
