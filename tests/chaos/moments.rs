//! What can be seen of a rotation from outside the Worker, and how a scenario steps in at one instant of it.
//!
//! The harness is both Box and KV to the Worker, so it knows when a request arrived, what was committed, what landed.
//! A [`Trap`] holds the call that reaches its moment; the scenario does its deed (it kills workerd, say) and lets go.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

/// An instant of a rotation, in the order of a good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Box has the request for a new pair, and has done nothing yet.
    RefreshArrived,
    /// Box has made the pair; its answer has not left.
    RefreshCommitted,
    /// KV has the sealed pair in its hands, and has not stored it.
    PutArrived,
    /// KV has stored the pair; its answer has not left.
    PutLanded,
    /// Box was asked for a narrowed token, and has done nothing yet: the row must have been written before.
    ExchangeArrived,
    /// Box has made the narrowed token, and with that settled the pair; its answer has not left.
    ExchangeMade,
}

/// What becomes of a call whose caller has died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is done all the same.
    Finishes,
    /// Nothing of it happens.
    Vanishes,
    /// It is done, but only after this long.
    Late(Duration),
}

/// What becomes of calls under way when their caller dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fates {
    pub(crate) at_box: Fate,
    pub(crate) at_kv: Fate,
}

impl Fates {
    /// As if nothing had happened.
    pub(crate) const ALL_FINISH: Self = Self { at_box: Fate::Finishes, at_kv: Fate::Finishes };
}

/// Holds the first call of a session that reaches this moment, after a pause.
#[derive(Debug)]
pub(crate) struct Trap {
    pub(crate) moment: Moment,
    /// Which session's copy, for moments of KV. At Box one session acts at a time.
    pub(crate) keeper: String,
    pub(crate) pause: Duration,
}

/// A call that was caught. Dropping it lets go.
#[derive(Debug)]
pub(crate) struct Held {
    _lets_go: oneshot::Sender<()>,
}

/// What has happened since the round began.
#[derive(Debug, Default)]
pub(crate) struct Moments(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    seen: Vec<Moment>,
    trap: Option<(Trap, oneshot::Sender<Held>)>,
    /// Since the Worker died: what becomes of what it had started.
    dead: Option<Fates>,
    under_way: usize,
}

impl Moments {
    /// A new round: nothing has been seen, everything lives.
    pub(crate) fn begin(&self) {
        let mut inner = self.lock();
        inner.seen.clear();
        inner.trap = None;
        inner.dead = None;
    }

    /// Sets a trap; the receiver gets what is caught.
    pub(crate) fn set(&self, trap: Trap) -> oneshot::Receiver<Held> {
        let (caught, receiver) = oneshot::channel();
        self.lock().trap = Some((trap, caught));
        receiver
    }

    /// The Worker has died: what was seen until now, in order.
    pub(crate) fn died(&self, fates: Fates) -> Vec<Moment> {
        let mut inner = self.lock();
        inner.dead = Some(fates);
        inner.trap = None;
        inner.seen.clone()
    }

    /// What was seen since the round began, including what came after a death.
    pub(crate) fn seen(&self) -> Vec<Moment> {
        self.lock().seen.clone()
    }

    /// A call reaches a moment: it may be held here, and is told how to go on.
    pub(crate) async fn reached(&self, moment: Moment, keeper: Option<&str>) -> Fate {
        let caught = {
            let mut inner = self.lock();
            inner.seen.push(moment);
            let fits = |trap: &Trap| {
                trap.moment == moment && keeper.is_none_or(|keeper| keeper == trap.keeper.as_str())
            };
            if inner.trap.as_ref().is_some_and(|(trap, _)| fits(trap)) { inner.trap.take() } else { None }
        };
        if let Some((trap, caught)) = caught {
            sleep(trap.pause).await;
            let (lets_go, gone) = oneshot::channel();
            if caught.send(Held { _lets_go: lets_go }).is_ok() {
                // Whoever holds it says nothing, but drops it.
                let _dropped = gone.await;
            }
        }
        match self.lock().dead {
            None => Fate::Finishes,
            Some(fates) if matches!(moment, Moment::PutArrived | Moment::PutLanded) => fates.at_kv,
            Some(fates) => fates.at_box,
        }
    }

    /// Counts a call as under way until dropped.
    pub(crate) fn enter(&self) -> UnderWay<'_> {
        self.lock().under_way += 1;
        UnderWay(self)
    }

    /// Waits until no call is under way, for `limit` at most.
    pub(crate) async fn settled(&self, limit: Duration) {
        const STEP: Duration = Duration::from_millis(5);
        let mut left = limit;
        // What a dead process has sent lies in a socket, and is read a moment later.
        sleep(4 * STEP).await;
        while self.lock().under_way > 0 && !left.is_zero() {
            sleep(STEP).await;
            left = left.saturating_sub(STEP);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way.
pub(crate) struct UnderWay<'a>(&'a Moments);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        inner.under_way = inner.under_way.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn trap(moment: Moment) -> Trap {
        Trap { moment, keeper: "mine".to_owned(), pause: Duration::ZERO }
    }

    #[tokio::test]
    async fn a_trap_holds_the_call_that_reaches_its_moment_until_let_go() {
        let moments = Arc::new(Moments::default());
        let caught = moments.set(trap(Moment::PutArrived));
        assert_eq!(moments.reached(Moment::RefreshArrived, None).await, Fate::Finishes);
        assert_eq!(moments.reached(Moment::PutArrived, Some("another's")).await, Fate::Finishes);
        let call = tokio::spawn({
            let moments = Arc::clone(&moments);
            async move { moments.reached(Moment::PutArrived, Some("mine")).await }
        });
        let held = caught.await.unwrap();
        assert!(!call.is_finished());
        let fates = Fates { at_box: Fate::Finishes, at_kv: Fate::Vanishes };
        let seen = moments.died(fates);
        assert_eq!(seen, [Moment::RefreshArrived, Moment::PutArrived, Moment::PutArrived]);
        drop(held);
        assert_eq!(call.await.unwrap(), Fate::Vanishes);
    }

    #[tokio::test]
    async fn what_a_dead_process_had_sent_meets_its_fate_and_the_next_round_does_not() {
        let moments = Moments::default();
        moments.died(Fates { at_box: Fate::Vanishes, at_kv: Fate::Finishes });
        assert_eq!(moments.reached(Moment::RefreshArrived, None).await, Fate::Vanishes);
        assert_eq!(moments.reached(Moment::PutArrived, Some("mine")).await, Fate::Finishes);
        moments.begin();
        assert_eq!(moments.reached(Moment::RefreshArrived, None).await, Fate::Finishes);
        assert_eq!(moments.seen(), [Moment::RefreshArrived]);
    }
}
