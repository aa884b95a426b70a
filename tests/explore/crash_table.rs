//! The crash table of ARCHITECTURE.md: one test for each cell. Each tells how far a rotation has come when its instance
//! dies, and what the browser finds when it comes back.

use keyhole_core::keeper::message::End;

use crate::{
    asked::Asked,
    coda::Outcome,
    ledger::Rotation::{self, Lazy, Strict},
    moves::{CallName, Move, Want},
    search::{Scenario, Start, set_up},
    twist::Twist,
    world::{Cargo, Flight, World},
};

/// A session whose access token is over, told step by step.
struct Tale(World);

impl Tale {
    /// A browser asks for a token: that takes a rotation.
    fn of_a_rotation(rotation: Rotation) -> Self {
        let scenario =
            Scenario { rotation, start: Start::Over, actors: Vec::new(), faults: 0, twist: Twist::None };
        let (stage, rest) = set_up(&scenario).unwrap();
        Self(World::resume(&stage, &rest)).happens(Move::Call(Want::Token(1)))
    }

    #[track_caller]
    fn happens(mut self, next: Move) -> Self {
        assert!(self.0.make(next).unwrap(), "{next} cannot be now");
        self
    }

    /// The instance that serves.
    #[track_caller]
    fn serving(&self) -> u64 {
        self.0.serving().expect("an instance serves").number
    }

    /// The one call like this.
    #[track_caller]
    fn call(&self, is: impl Fn(&Flight) -> bool) -> CallName {
        let mut found = self.0.flights.iter().filter(|(_, flight)| is(flight)).map(|(name, _)| *name);
        let name = found.next().expect("there is such a call");
        assert_eq!(found.next(), None, "there is one such call");
        name
    }

    #[track_caller]
    fn refresh(&self) -> CallName {
        self.call(|flight| matches!(&flight.cargo, Cargo::Box(asked) if asked.is_refresh()))
    }

    #[track_caller]
    fn copy(&self) -> CallName {
        self.call(|flight| matches!(&flight.cargo, Cargo::Put(..)))
    }

    #[track_caller]
    fn exchange(&self) -> CallName {
        self.call(|flight| matches!(&flight.cargo, Cargo::Box(Asked::Narrow { .. })))
    }

    /// What was written is durable, and what waited for it has left.
    #[track_caller]
    fn saved(self) -> Self {
        let serving = self.serving();
        self.happens(Move::Confirm(serving))
    }

    /// What was written is lost with the instance.
    #[track_caller]
    fn dies_before_it_is_saved(self) -> Self {
        let serving = self.serving();
        self.happens(Move::FailSave(serving))
    }

    /// What was written is durable, and nothing has left.
    #[track_caller]
    fn dies_just_after_it_is_saved(self) -> Self {
        let serving = self.serving();
        self.happens(Move::CrashSaved(serving))
    }

    fn dies(self) -> Self {
        self.happens(Move::Crash)
    }

    fn gets_replaced(self) -> Self {
        self.happens(Move::Replace)
    }

    #[track_caller]
    fn box_commits(self) -> Self {
        let refresh = self.refresh();
        self.happens(Move::Reach(refresh))
    }

    #[track_caller]
    fn answer_arrives(self) -> Self {
        let refresh = self.refresh();
        self.happens(Move::Return(refresh))
    }

    #[track_caller]
    fn copy_lands(self) -> Self {
        let copy = self.copy();
        self.happens(Move::Reach(copy))
    }

    #[track_caller]
    fn copy_is_confirmed(self) -> Self {
        let copy = self.copy();
        self.happens(Move::Return(copy))
    }

    /// A rotation up to the write that saves its pair.
    #[track_caller]
    fn up_to_the_row(self) -> Self {
        self.saved().box_commits().answer_arrives().copy_lands().copy_is_confirmed()
    }

    /// Another browser tab asks, and has its answer.
    #[track_caller]
    fn another_asks(mut self) -> Self {
        self.0.ask(Want::Token(2)).unwrap();
        self
    }

    /// The session goes on, and Box was asked for so many pairs.
    #[track_caller]
    fn ends_safely(mut self, rotations: u64) {
        assert_eq!(self.0.finish_first_visit(), Ok(Outcome::Served));
        assert!(!self.0.watch.window());
        assert_eq!(self.0.ledger.rotations(), rotations);
        assert_eq!(self.0.finish(), Ok(Outcome::Served));
    }

    /// The session is over, and it says why.
    #[track_caller]
    fn ends_in_the_window(mut self) {
        assert_eq!(self.0.finish(), Ok(Outcome::Ended(End::RotationLost)));
        assert!(self.0.watch.window());
    }

    /// The session was signed out, and of the pair nothing is left at Box.
    #[track_caller]
    fn ends_revoked(mut self) {
        self.0.settle().unwrap();
        assert_eq!(self.0.finish(), Ok(Outcome::Ended(End::SignedOut)));
        assert_eq!(self.0.ledger.redeemable(self.0.now).next(), None);
        assert!(self.0.watch.conceded.is_empty());
    }
}

impl World {
    /// What the browser finds when it comes back.
    fn finish_first_visit(&mut self) -> Result<Outcome, crate::law::Violation> {
        self.bury_the_past();
        self.settle()?;
        self.visit(1)
    }
}

// Before the attempt row is durable; row durable, nothing sent.

#[test]
fn lazy_before_the_attempt_row_is_durable_is_safe() {
    Tale::of_a_rotation(Lazy).dies_before_it_is_saved().ends_safely(1);
}

#[test]
fn strict_before_the_attempt_row_is_durable_is_safe() {
    Tale::of_a_rotation(Strict).dies_before_it_is_saved().ends_safely(1);
}

#[test]
fn lazy_attempt_row_durable_and_nothing_sent_is_safe() {
    Tale::of_a_rotation(Lazy).dies_just_after_it_is_saved().ends_safely(1);
}

#[test]
fn strict_attempt_row_durable_and_nothing_sent_is_safe() {
    Tale::of_a_rotation(Strict).dies_just_after_it_is_saved().ends_safely(1);
}

// Sent, Box not done.

#[test]
fn lazy_sent_and_box_not_done_is_safe_by_replay() {
    Tale::of_a_rotation(Lazy).saved().dies().box_commits().ends_safely(1);
}

#[test]
fn strict_sent_and_box_not_done_is_safe_if_the_predecessors_put_lands() {
    Tale::of_a_rotation(Strict)
        .saved()
        .gets_replaced()
        .box_commits()
        .answer_arrives()
        .copy_lands()
        .ends_safely(1);
}

#[test]
fn strict_sent_and_box_not_done_is_safe_if_it_never_arrives() {
    Tale::of_a_rotation(Strict).saved().dies().ends_safely(1);
}

#[test]
fn strict_sent_and_box_not_done_is_else_the_window() {
    Tale::of_a_rotation(Strict).saved().dies().box_commits().ends_in_the_window();
}

// Box committed, no durable copy yet.

#[test]
fn lazy_box_committed_no_durable_copy_is_safe_by_replay() {
    Tale::of_a_rotation(Lazy).saved().box_commits().dies().ends_safely(1);
}

#[test]
fn lazy_box_committed_and_the_put_never_lands_is_safe_by_replay() {
    Tale::of_a_rotation(Lazy).saved().box_commits().answer_arrives().dies().ends_safely(1);
}

#[test]
fn strict_box_committed_no_durable_copy_is_the_one_window() {
    Tale::of_a_rotation(Strict).saved().box_commits().dies().ends_in_the_window();
}

#[test]
fn strict_box_committed_and_the_put_never_lands_is_the_one_window() {
    Tale::of_a_rotation(Strict).saved().box_commits().answer_arrives().dies().ends_in_the_window();
}

// KV put landed, row not written.

#[test]
fn lazy_put_landed_and_row_not_written_is_adopted() {
    Tale::of_a_rotation(Lazy).saved().box_commits().answer_arrives().copy_lands().dies().ends_safely(1);
}

#[test]
fn strict_put_landed_and_row_not_written_is_adopted() {
    Tale::of_a_rotation(Strict).saved().box_commits().answer_arrives().copy_lands().dies().ends_safely(1);
}

#[test]
fn lazy_put_landed_and_the_save_failed_is_adopted() {
    Tale::of_a_rotation(Lazy).up_to_the_row().dies_before_it_is_saved().ends_safely(1);
}

#[test]
fn strict_put_landed_and_the_save_failed_is_adopted() {
    Tale::of_a_rotation(Strict).up_to_the_row().dies_before_it_is_saved().ends_safely(1);
}

// Row written, KV owed.

/// Nothing came of the put in half a second; the row is written, and owes it.
#[track_caller]
fn row_written_and_kv_owed(rotation: Rotation) -> Tale {
    let tale = Tale::of_a_rotation(rotation).saved().box_commits().answer_arrives();
    tale.happens(Move::Pass).dies_just_after_it_is_saved()
}

#[test]
fn lazy_row_written_and_kv_owed_is_safe() {
    row_written_and_kv_owed(Lazy).ends_safely(1);
}

#[test]
fn strict_row_written_and_kv_owed_is_safe() {
    row_written_and_kv_owed(Strict).ends_safely(1);
}

// New access token used.

#[track_caller]
fn new_token_used(rotation: Rotation) -> Tale {
    let tale = Tale::of_a_rotation(rotation).up_to_the_row().saved();
    let exchange = tale.exchange();
    tale.happens(Move::Reach(exchange)).dies()
}

#[test]
fn lazy_new_access_token_used_is_safe() {
    new_token_used(Lazy).ends_safely(1);
}

#[test]
fn strict_new_access_token_used_is_safe() {
    new_token_used(Strict).ends_safely(1);
}

// Two instances, two answers.

#[test]
fn lazy_two_instances_with_two_answers_is_safe_by_their_own_generations() {
    let tale = Tale::of_a_rotation(Lazy).saved().box_commits().gets_replaced();
    // The second replays the old token before the first has its answer; the first one's copy lands last of all.
    let tale = tale.another_asks();
    let first = tale.call(|flight| matches!(&flight.cargo, Cargo::Box(asked) if asked.is_refresh()));
    tale.happens(Move::Return(first)).copy_lands().ends_safely(1);
}

#[test]
fn strict_two_instances_with_two_answers_is_safe_because_the_loser_may_not_bury_the_winner() {
    let tale = Tale::of_a_rotation(Strict).saved().box_commits().gets_replaced();
    // The second is refused, while the first has the pair and brings it to KV.
    tale.another_asks().answer_arrives().copy_lands().ends_safely(1);
}

// Sign-out during the exchange.

#[track_caller]
fn sign_out_during_the_exchange(rotation: Rotation) -> Tale {
    let mut tale = Tale::of_a_rotation(rotation).saved();
    tale.0.make(Move::Call(Want::SignOut)).unwrap();
    tale
}

#[test]
fn lazy_sign_out_during_the_exchange_sends_the_pair_to_the_outbox() {
    sign_out_during_the_exchange(Lazy).ends_revoked();
}

#[test]
fn strict_sign_out_during_the_exchange_sends_the_pair_to_the_outbox() {
    sign_out_during_the_exchange(Strict).ends_revoked();
}
