//! KV: the last put wins, and for a minute a reader may still see what was there before.

use std::rc::Rc;

/// How long what was replaced may still be read somewhere, in milliseconds.
pub(crate) const STALE_MS: u64 = 60_000;

/// What KV held from a time on: a value, or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Version {
    from: u64,
    /// The value, and when KV forgets it.
    value: Option<(Rc<[u8]>, u64)>,
}

/// One key of KV.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Kv {
    /// The newest last.
    versions: Vec<Version>,
}

impl Kv {
    pub(crate) fn put(&mut self, value: Rc<[u8]>, expires_at: u64, now: u64) {
        self.land(Some((value, expires_at)), now);
    }

    pub(crate) fn delete(&mut self, now: u64) {
        self.land(None, now);
    }

    fn land(&mut self, value: Option<(Rc<[u8]>, u64)>, now: u64) {
        self.versions.push(Version { from: now, value });
        self.forget(now);
    }

    /// Versions that nobody can read any more.
    pub(crate) fn forget(&mut self, now: u64) {
        while self.versions.get(1).is_some_and(|next| next.from + STALE_MS <= now) {
            self.versions.remove(0);
        }
    }

    /// What a reader sees who is `behind` so many versions; `None` if none so old can still be seen.
    pub(crate) fn read(&self, behind: usize, now: u64) -> Option<Option<Rc<[u8]>>> {
        // Before the first version there was nothing.
        let Some(index) = self.versions.len().checked_sub(behind + 1) else {
            let first = self.versions.first().filter(|_| behind == self.versions.len());
            let seen = behind == 0 || first.is_some_and(|first| now < first.from + STALE_MS);
            return seen.then_some(None);
        };
        let replaced = self.versions.get(index + 1).map(|next| next.from);
        if replaced.is_some_and(|at| now >= at + STALE_MS) {
            return None;
        }
        let value = self.versions.get(index).and_then(|version| version.value.as_ref());
        Some(value.filter(|(_, expires_at)| *expires_at > now).map(|(value, _)| Rc::clone(value)))
    }

    /// What lies there in truth.
    pub(crate) fn newest(&self, now: u64) -> Option<Rc<[u8]>> {
        self.read(0, now).flatten()
    }

    /// Whether every reader sees the same.
    pub(crate) fn is_settled(&self, now: u64) -> bool {
        self.read(1, now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_replaced_may_be_read_for_a_minute_and_what_expired_is_gone() {
        let mut kv = Kv::default();
        assert_eq!(kv.read(0, 0), Some(None));
        kv.put(Rc::from(&b"one"[..]), 200_000, 0);
        assert_eq!(kv.read(1, 59_999), Some(None), "the miss before it");
        assert_eq!(kv.read(1, 60_000), None);
        kv.put(Rc::from(&b"two"[..]), 200_000, 100_000);
        assert_eq!(kv.newest(100_000).as_deref(), Some(&b"two"[..]));
        assert_eq!(kv.read(1, 159_999).flatten().as_deref(), Some(&b"one"[..]));
        assert!(!kv.is_settled(159_999) && kv.is_settled(160_000));
        assert_eq!(kv.newest(200_000), None);
        kv.delete(201_000);
        assert_eq!(kv.read(2, 201_000), None, "one has been gone for a minute");
    }
}
