//! Asks on their way: any number of callers for one thing are one ask, and one tick's asks are one request.

use crate::want::{Item, Scopes, Want};

/// The Worker answers at most this many items at once.
pub const ITEMS_PER_REQUEST_MAX: usize = 25;

/// Who waits for what. `W` is how a waiter is told; this module only keeps it.
pub struct Asks<W> {
    asks: Vec<Ask<W>>,
}

struct Ask<W> {
    want: Want,
    sent: bool,
    waiters: Vec<W>,
}

/// One request to the Worker: items that want the same scopes.
pub struct Batch {
    /// What all of them want to be allowed.
    pub scopes: Scopes,
    /// At most [`ITEMS_PER_REQUEST_MAX`], each once.
    pub items: Vec<Item>,
}

/// What the caller of [`Asks::join`] has to do.
#[derive(PartialEq, Eq)]
pub enum Joined {
    /// First of its tick: send what has gathered once the tick is over.
    First,
    /// Nothing: a request that carries it is planned or on its way.
    Later,
}

impl<W> Default for Asks<W> {
    fn default() -> Self {
        Self { asks: Vec::new() }
    }
}

impl<W> Asks<W> {
    /// Adds a waiter, to the ask that is already under way where there is one.
    pub fn join(&mut self, want: Want, waiter: W) -> Joined {
        if let Some(ask) = self.asks.iter_mut().find(|ask| ask.want == want) {
            ask.waiters.push(waiter);
            return Joined::Later;
        }
        let first = self.asks.iter().all(|ask| ask.sent);
        self.asks.push(Ask { want, sent: false, waiters: vec![waiter] });
        if first { Joined::First } else { Joined::Later }
    }

    /// Takes what has gathered, as few requests as the limit allows.
    pub fn batches(&mut self) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        for ask in self.asks.iter_mut().filter(|ask| !ask.sent) {
            ask.sent = true;
            let room = batches
                .iter_mut()
                .find(|batch| batch.scopes == ask.want.scopes && batch.items.len() < ITEMS_PER_REQUEST_MAX);
            match room {
                Some(batch) => batch.items.push(ask.want.item.clone()),
                None => batches
                    .push(Batch { scopes: ask.want.scopes.clone(), items: vec![ask.want.item.clone()] }),
            }
        }
        batches
    }

    /// The answer is there: who is to be told. The next to ask starts anew.
    pub fn settle(&mut self, want: &Want) -> Vec<W> {
        match self.asks.iter().position(|ask| ask.want == *want) {
            Some(at) => self.asks.swap_remove(at).waiters,
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(item: &str, scopes: &str) -> Want {
        Want { item: Item::parse(item).unwrap(), scopes: Scopes::parse(scopes) }
    }

    fn items(batch: &Batch) -> Vec<&str> {
        batch.items.iter().map(Item::typed).collect()
    }

    #[test]
    fn any_number_of_callers_are_one_ask() {
        let mut asks = Asks::default();
        assert!(asks.join(want("1", ""), "a") == Joined::First);
        assert!(asks.join(want("1", ""), "b") == Joined::Later);
        assert_eq!(items(&asks.batches()[0]), ["file_1"]);
        assert!(asks.join(want("1", ""), "late") == Joined::Later);
        assert!(asks.batches().is_empty());
        assert_eq!(asks.settle(&want("1", "")), ["a", "b", "late"]);
    }

    #[test]
    fn the_asks_of_one_tick_are_one_request() {
        let mut asks = Asks::default();
        assert!(asks.join(want("1", ""), ()) == Joined::First);
        assert!(asks.join(want("2", ""), ()) == Joined::Later);
        let batches = asks.batches();
        assert_eq!(batches.len(), 1);
        assert_eq!(items(&batches[0]), ["file_1", "file_2"]);
    }

    #[test]
    fn an_ask_after_the_tick_starts_a_request_of_its_own() {
        let mut asks = Asks::default();
        asks.join(want("1", ""), ());
        asks.batches();
        assert!(asks.join(want("2", ""), ()) == Joined::First);
        assert_eq!(items(&asks.batches()[0]), ["file_2"]);
    }

    #[test]
    fn wishes_for_other_scopes_do_not_share_a_request() {
        let mut asks = Asks::default();
        asks.join(want("1", ""), ());
        asks.join(want("1", "item_preview"), ());
        let batches = asks.batches();
        assert_eq!(batches.len(), 2);
        assert!(batches.iter().all(|batch| items(batch) == ["file_1"]));
    }

    #[test]
    fn no_request_holds_more_items_than_the_worker_takes() {
        let mut asks = Asks::default();
        for id in 1..=60 {
            asks.join(want(&id.to_string(), ""), ());
        }
        let sizes: Vec<usize> = asks.batches().iter().map(|batch| batch.items.len()).collect();
        assert_eq!(sizes, [25, 25, 10]);
    }

    #[test]
    fn an_answer_is_told_once_and_the_next_ask_is_new() {
        let mut asks = Asks::default();
        asks.join(want("1", ""), 'a');
        asks.batches();
        assert_eq!(asks.settle(&want("1", "")), ['a']);
        assert!(asks.settle(&want("1", "")).is_empty());
        assert!(asks.join(want("1", ""), 'b') == Joined::First);
    }
}
