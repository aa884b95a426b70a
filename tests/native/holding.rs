//! A grant in a storage of somebody's own: shared by many, refreshed once, lost by no race and by no crash that
//! physics does not ask for.

use core::{cell::RefCell, time::Duration};

use box_emulator::Rotation;
use keyhole_core::{
    keeper::message::End,
    secret::{ParentToken, PkceVerifier},
    storage::{HolderFault, Shell as _, Storage as _, Stored},
};
use serde_json::json;

use crate::holders::{Actor, Bounds, Choices, Deed, Stage, Trouble, now};

/// Wants a token, comes again while others are busy, and uses it.
async fn visit(actor: &Actor<'_>) -> Result<ParentToken, HolderFault> {
    let mut token = patiently(actor, None).await?;
    if actor.stage.use_token(&token) == 401 {
        token = patiently(actor, Some(&token)).await?;
        assert_eq!(actor.stage.use_token(&token), 200, "what replaces a refused token is good");
    }
    Ok(token)
}

async fn patiently(actor: &Actor<'_>, refused: Option<&ParentToken>) -> Result<ParentToken, HolderFault> {
    let mut visits = 0;
    loop {
        let outcome = match refused {
            None => actor.holder().retrieve().await,
            Some(token) => actor.holder().retrieve_other_than(token).await,
        };
        visits += 1;
        match outcome {
            Err(HolderFault::Busy) if visits < 6 => actor.wait(Duration::from_secs(45)).await,
            outcome => return outcome.map(|access| access.token),
        }
    }
}

/// What came of one schedule.
struct Scene<'a> {
    stage: &'a Stage,
    /// What those got who came to an end.
    tokens: Vec<Result<ParentToken, HolderFault>>,
    died: Vec<usize>,
    /// Somebody died with a pair in hand that was stored nowhere.
    died_in_window: bool,
    /// Somebody was held up for longer than an attempt may take.
    was_late: bool,
}

/// Two who want a token at expiry, in every order within `bounds`. How many orders there are.
fn two_visits(rotation: Rotation, bounds: Bounds, check: impl Fn(Scene<'_>)) -> u64 {
    let (mut choices, mut schedules) = (Choices::default(), 0);
    loop {
        let stage = Stage::at_expiry(rotation);
        let started = stage.now_ms.get();
        let tokens = RefCell::new(Vec::new());
        let actors = [Actor::new(&stage), Actor::new(&stage)];
        let visits = actors.iter().map(|actor| -> Deed<'_> {
            Box::pin(async {
                let token = visit(actor).await;
                tokens.borrow_mut().push(token);
            })
        });
        let died = choices.act(visits.collect(), bounds);
        check(Scene {
            stage: &stage,
            tokens: tokens.take(),
            died_in_window: died.iter().any(|dead| actors[*dead].in_hand.get()),
            died,
            was_late: stage.now_ms.get() - started >= 90_000,
        });
        schedules += 1;
        if !choices.advance() {
            return schedules;
        }
    }
}

/// A token that is good, and no other grant alive at Box than the one that is stored.
#[track_caller]
fn assert_whole(stage: &Stage) {
    stage.pass(90);
    let token = stage.retrieve().unwrap();
    assert_eq!(stage.use_token(&token), 200);
    assert_eq!(stage.alive(), 1);
}

#[test]
fn two_at_expiry_cost_one_refresh_in_whatever_order_their_calls_come() {
    for rotation in [Rotation::Lazy, Rotation::Strict] {
        let schedules = two_visits(rotation, Bounds { switches: 3, deaths: 0 }, |scene| {
            if !scene.was_late {
                let tokens: Vec<&str> =
                    scene.tokens.iter().map(|token| token.as_ref().unwrap().expose()).collect();
                assert_eq!((tokens.len(), tokens[0]), (2, tokens[1]));
                assert_eq!(scene.stage.refreshes(), 1);
            }
            assert_whole(scene.stage);
        });
        assert!(schedules > 200, "{schedules}");
    }
}

#[test]
fn who_dies_on_the_way_or_wakes_up_late_costs_nobody_the_grant() {
    let (seen_late, seen_in_window) = (RefCell::new(0), RefCell::new(0));
    two_visits(Rotation::Lazy, Bounds { switches: 2, deaths: 1 }, |scene| {
        for token in &scene.tokens {
            assert!(token.is_ok(), "{token:?}");
        }
        *seen_late.borrow_mut() += u32::from(scene.was_late);
        *seen_in_window.borrow_mut() += u32::from(scene.died_in_window);
        assert_whole(scene.stage);
    });
    assert!(seen_late.take() > 10 && seen_in_window.take() > 10);
}

#[test]
fn where_box_is_as_strict_as_it_says_a_grant_is_lost_by_a_death_in_the_window_only_and_in_words() {
    let lost = RefCell::new(0);
    two_visits(Rotation::Strict, Bounds { switches: 2, deaths: 1 }, |scene| {
        if scene.died.is_empty() || !scene.died_in_window {
            assert_whole(scene.stage);
            return;
        }
        scene.stage.pass(90);
        match scene.stage.retrieve() {
            Err(HolderFault::Ended(End::RotationLost)) => *lost.borrow_mut() += 1,
            outcome => assert!(outcome.is_ok(), "{outcome:?}"),
        }
    });
    assert!(lost.take() > 10, "the window is there");
}

#[test]
fn who_signs_out_during_a_refresh_leaves_nothing_alive() {
    for rotation in [Rotation::Lazy, Rotation::Strict] {
        let mut choices = Choices::default();
        loop {
            let stage = Stage::at_expiry(rotation);
            let (user, leaver) = (Actor::new(&stage), Actor::new(&stage));
            let visit: Deed<'_> = Box::pin(async { drop(visit(&user).await) });
            let leave: Deed<'_> = Box::pin(async { leaver.holder().forget().await.unwrap() });
            choices.act(vec![visit, leave], Bounds { switches: 4, deaths: 0 });
            assert!(matches!(stage.retrieve(), Err(HolderFault::SignedOut)));
            assert_eq!(stage.alive(), 0);
            assert_eq!(stage.stored().sealed(), None);
            if !choices.advance() {
                break;
            }
        }
    }
}

#[test]
fn who_signs_in_during_a_refresh_takes_the_place_and_what_was_there_ends() {
    for rotation in [Rotation::Lazy, Rotation::Strict] {
        let mut choices = Choices::default();
        loop {
            let stage = Stage::at_expiry(rotation);
            let code = stage.code();
            let (user, comer) = (Actor::new(&stage), Actor::new(&stage));
            let visit: Deed<'_> = Box::pin(async { drop(visit(&user).await) });
            let come: Deed<'_> = Box::pin(async {
                comer.holder().sign_in(&code, &PkceVerifier::new("v")).await.unwrap();
            });
            choices.act(vec![visit, come], Bounds { switches: 3, deaths: 0 });
            assert_whole(&stage);
            if !choices.advance() {
                break;
            }
        }
    }
}

#[test]
fn a_storage_that_fails_before_or_after_storing_costs_time_and_no_pair() {
    use Trouble::{FailsAfter, FailsBefore, Not};
    for troubles in [
        [FailsBefore, Not, Not, Not],
        [FailsAfter, Not, Not, Not],
        [FailsAfter, FailsBefore, Not, Not],
        [FailsBefore, FailsAfter, Not, Not],
        [Not, FailsBefore, FailsBefore, Not],
        [Not, FailsAfter, Not, Not],
        [Not, FailsAfter, FailsBefore, Not],
        [FailsAfter, Not, FailsBefore, FailsAfter],
    ] {
        let stage = Stage::at_expiry(Rotation::Strict);
        let actor = Actor::new(&stage);
        actor.troubles.borrow_mut().extend(troubles);
        let started = stage.now_ms.get();
        now(visit(&actor)).unwrap();
        assert!(stage.now_ms.get() - started < 30_000, "it does not wait for itself");
        assert_eq!(stage.refreshes(), 1);
        assert_whole(&stage);
    }
}

#[test]
fn a_pair_that_could_not_be_stored_is_not_used() {
    use Trouble::{FailsBefore, Not};
    let stage = Stage::at_expiry(Rotation::Lazy);
    let actor = Actor::new(&stage);
    actor.troubles.borrow_mut().extend([Not, FailsBefore, FailsBefore, FailsBefore]);
    assert!(matches!(now(actor.holder().retrieve()), Err(HolderFault::Storage(_))));
    assert_eq!(stage.refreshes(), 1);
    assert_whole(&stage);
    assert_eq!(stage.refreshes(), 2, "Box brought the same pair again");
}

#[test]
fn a_sign_in_that_could_not_be_stored_leaves_nothing_alive() {
    let stage = Stage::new(Rotation::Lazy);
    let actor = Actor::new(&stage);
    actor.troubles.borrow_mut().extend([const { Trouble::FailsBefore }; 3]);
    let refused = now(actor.holder().sign_in(&stage.code(), &PkceVerifier::new("v")));
    assert!(matches!(refused, Err(HolderFault::Storage(_))));
    assert_eq!(stage.alive(), 0);
}

#[test]
fn a_storage_that_was_put_back_or_emptied_under_way_takes_the_new_pair_all_the_same() {
    for emptied in [true, false] {
        let stage = Stage::at_expiry(Rotation::Strict);
        let past = if emptied { Stored::empty() } else { stage.stored() };
        let actor = Actor::new(&stage);
        actor.troubles.borrow_mut().extend([Trouble::Not, Trouble::Holds(past)]);
        now(visit(&actor)).unwrap();
        assert_eq!(stage.refreshes(), 1);
        assert_whole(&stage);
    }
}

#[test]
fn a_pair_whose_place_was_cleared_under_way_is_revoked() {
    let stage = Stage::at_expiry(Rotation::Lazy);
    let actor = Actor::new(&stage);
    let cleared = Stored::cleared(stage.stored().generation().next().next());
    actor.troubles.borrow_mut().extend([Trouble::Not, Trouble::Holds(cleared.clone())]);
    assert!(matches!(now(actor.holder().retrieve()), Err(HolderFault::SignedOut)));
    assert_eq!(stage.alive(), 0);
    assert_eq!(stage.stored(), cleared);
}

#[test]
fn while_box_is_down_a_token_that_lives_is_used_and_the_next_may_try_at_once() {
    let stage = Stage::at_expiry(Rotation::Lazy);
    let fresh = stage.retrieve().unwrap();
    stage.pass(3600 - 600);
    for fault in
        [json!({"status": 503}), json!({"status": 429}), json!({"drop": "after"}), json!({"drop": "before"})]
    {
        let mut order = fault.clone();
        order["path"] = json!("/oauth2/token");
        order["count"] = json!(1);
        stage.control("POST", "faults", &order);
        assert_eq!(stage.retrieve().unwrap().expose(), fresh.expose(), "{fault}");
    }
    let newer = stage.retrieve().unwrap();
    assert_ne!(newer.expose(), fresh.expose());
    assert_eq!(stage.use_token(&newer), 200);
    stage.pass(3600);
    stage.control("POST", "faults", &json!({"path": "/oauth2/token", "count": 1, "status": 503}));
    assert!(matches!(stage.retrieve(), Err(HolderFault::Box(_))));
    assert_whole(&stage);
}

#[test]
fn a_grant_that_box_has_ended_is_said_so_and_the_place_is_left_as_it_is() {
    let stage = Stage::at_expiry(Rotation::Lazy);
    stage.control("POST", "expire", &json!({"kind": "refresh"}));
    assert!(matches!(stage.retrieve(), Err(HolderFault::Ended(End::Revoked))));
    assert!(stage.stored().sealed().is_some());
    now(Actor::new(&stage).holder().sign_in(&stage.code(), &PkceVerifier::new("v"))).unwrap();
    assert_eq!(stage.use_token(&stage.retrieve().unwrap()), 200);
}

#[test]
fn what_is_stored_shows_no_token_and_an_older_grant_is_not_passed_off_as_newer() {
    let stage = Stage::at_expiry(Rotation::Lazy);
    let older = stage.stored();
    let token = stage.retrieve().unwrap();
    let newer = stage.stored();
    let text = String::from_utf8_lossy(&newer.encode()).into_owned();
    assert!(!text.contains(token.expose()), "{text}");
    let passed_off = Stored::new(newer.generation().next(), older.sealed().unwrap().to_vec());
    now(stage.memory.borrow().store(newer.generation(), &passed_off)).unwrap();
    assert!(matches!(stage.retrieve(), Err(HolderFault::Unreadable(_))));
}
