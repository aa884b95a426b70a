//! The checker finds what it is there to find: each deliberate mistake breaks a rule, and the keeper as it is breaks
//! none in the same schedules.

use crate::{
    law::Rule,
    ledger::Rotation,
    moves::{Move, Want, written},
    search::{Scenario, Start, search, told},
    twist::Twist,
};

fn scenario(rotation: Rotation, twist: Twist, actors: &[Want], faults: u32) -> Scenario {
    let actors = actors.iter().map(|want| Move::Call(*want)).collect();
    Scenario { rotation, start: Start::Aging, actors, faults, twist }
}

/// The mistake is found in this scenario, as this rule broken, and its story can be told.
#[track_caller]
fn is_found(twist: Twist, rotation: Rotation, actors: &[Want], faults: u32, rule: Rule) {
    let bent = scenario(rotation, twist, actors, faults);
    let found = *search(&bent).expect_err("the mistake goes unnoticed");
    println!("{}: {}\n    {}", twist.name(), found.violation, written(&found.schedule));
    assert_eq!(found.violation.rule, rule, "{}", written(&found.schedule));
    let (story, end) = told(&bent, &found.schedule).expect("the scenario is the same");
    assert_eq!(end.expect_err("the same schedule ends the same way"), found.violation, "{story:#?}");
    let straight = scenario(rotation, Twist::None, actors, faults);
    search(&straight).expect("without the mistake nothing is broken");
}

const ONE: &[Want] = &[Want::Token(1)];

#[test]
fn a_copy_that_leaves_after_the_row_loses_a_session_to_a_replaced_instance() {
    is_found(Twist::CopyAfterRow, Rotation::Strict, ONE, 1, Rule::NothingLost);
}

#[test]
fn an_attempt_that_is_settled_in_a_second_write_rotates_again_for_nothing() {
    is_found(Twist::AttemptSettledAfter, Rotation::Lazy, ONE, 1, Rule::NoNeedlessRefresh);
}

#[test]
fn an_attempt_that_is_settled_before_the_pair_is_written_signs_out_what_kv_holds() {
    is_found(Twist::AttemptSettledBefore, Rotation::Strict, ONE, 2, Rule::EndsForItsReason);
}

#[test]
fn a_refusal_that_is_believed_at_once_is_no_true_reason() {
    is_found(Twist::RefusalBelieved, Rotation::Strict, ONE, 1, Rule::EndsForItsReason);
}

#[test]
fn a_tombstone_of_one_day_lets_a_session_come_back() {
    is_found(Twist::OneDayTombstone, Rotation::Lazy, &[Want::Token(1), Want::SignOut], 1, Rule::EndIsFinal);
}

#[test]
fn a_turn_that_is_held_by_its_caller_loses_the_answer_with_it() {
    is_found(Twist::TurnHeldByCaller, Rotation::Strict, ONE, 1, Rule::NothingLost);
}

#[test]
fn a_token_that_is_used_before_it_is_saved_is_noticed() {
    is_found(Twist::UsedBeforeSaved, Rotation::Lazy, ONE, 1, Rule::SavedBeforeUsed);
}
