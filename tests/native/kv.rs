//! KV in memory. It refuses what KV refuses, and can fail before or after writing.

use std::{cell::RefCell, collections::BTreeMap};

/// How KV behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum KvMode {
    /// As it should.
    #[default]
    Works,
    /// It writes nothing and says so; reads fail too.
    Down,
    /// It writes, and says that it did not.
    FailsAfterWriting,
    /// It writes, and readers elsewhere do not see it yet.
    Late,
}

/// What happened to KV, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KvCounts {
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    pub(crate) deletes: u64,
}

/// KV failed.
#[derive(Debug)]
pub(crate) struct KvFailed;

#[derive(Debug, Default)]
pub(crate) struct Kv {
    values: RefCell<BTreeMap<String, (Vec<u8>, u64)>>,
    pub(crate) mode: RefCell<KvMode>,
    pub(crate) counts: RefCell<KvCounts>,
}

/// KV takes no value that is to live shorter.
const LIFE_MIN_MS: u64 = 60_000;

impl Kv {
    pub(crate) fn put(
        &self,
        key: &str,
        value: &[u8],
        expires_at_ms: u64,
        now_ms: u64,
    ) -> Result<(), KvFailed> {
        self.counts.borrow_mut().writes += 1;
        assert!(key.len() <= 512, "KV takes no key longer than 512 bytes");
        assert!(expires_at_ms >= now_ms + LIFE_MIN_MS, "KV takes no life below 60 seconds");
        let mode = *self.mode.borrow();
        if mode != KvMode::Down {
            self.values.borrow_mut().insert(key.to_owned(), (value.to_vec(), expires_at_ms));
        }
        if matches!(mode, KvMode::Down | KvMode::FailsAfterWriting) { Err(KvFailed) } else { Ok(()) }
    }

    pub(crate) fn get(&self, key: &str, now_ms: u64) -> Result<Option<Vec<u8>>, KvFailed> {
        self.counts.borrow_mut().reads += 1;
        match *self.mode.borrow() {
            KvMode::Down => Err(KvFailed),
            KvMode::Late => Ok(None),
            KvMode::Works | KvMode::FailsAfterWriting => {
                let values = self.values.borrow();
                Ok(values.get(key).filter(|(_, expiry)| *expiry > now_ms).map(|(value, _)| value.clone()))
            }
        }
    }

    pub(crate) fn delete(&self, key: &str) -> Result<(), KvFailed> {
        self.counts.borrow_mut().deletes += 1;
        if *self.mode.borrow() == KvMode::Down {
            return Err(KvFailed);
        }
        self.values.borrow_mut().remove(key);
        Ok(())
    }

    /// Every key and value, as a thief of the namespace has them.
    pub(crate) fn dump(&self) -> Vec<(String, Vec<u8>)> {
        self.values.borrow().iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect()
    }

    /// Puts a value there as an attacker would.
    pub(crate) fn plant(&self, key: &str, value: Vec<u8>) {
        self.values.borrow_mut().insert(key.to_owned(), (value, u64::MAX));
    }
}

#[test]
fn a_value_is_there_until_it_expires() {
    let kv = Kv::default();
    kv.put("key", b"value", 100_000, 0).unwrap();
    assert_eq!(kv.get("key", 99_999).unwrap().unwrap(), b"value");
    assert_eq!(kv.get("key", 100_000).unwrap(), None);
}

#[test]
fn a_failure_may_come_before_or_after_the_write() {
    let kv = Kv::default();
    *kv.mode.borrow_mut() = KvMode::Down;
    assert!(kv.put("before", b"value", 100_000, 0).is_err());
    *kv.mode.borrow_mut() = KvMode::FailsAfterWriting;
    assert!(kv.put("after", b"value", 100_000, 0).is_err());
    assert_eq!(kv.dump(), [("after".to_owned(), b"value".to_vec())]);
}
