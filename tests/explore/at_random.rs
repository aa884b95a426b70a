//! Some thousands of random schedules in each test run; a million by `cargo xtask explore`.

use crate::{
    moves::written,
    random::{Dice, Grounds, Tally},
    twist::Twist,
};

/// Always the same here, so that a test that was green stays green; `cargo xtask explore` draws its own.
const SEED: u64 = 20_261_121;

fn grounds(twist: Twist) -> Grounds {
    Grounds::lay(Dice { seed: SEED, mode: None, twist }).unwrap()
}

#[track_caller]
fn ran(numbers: core::ops::Range<u64>) -> Tally {
    grounds(Twist::None).run(numbers).unwrap_or_else(|found| {
        let words = written(&found.shortest.schedule);
        panic!("schedule {} of seed {SEED}: {}\n{words}", found.number, found.shortest.violation)
    })
}

#[test]
fn four_thousand_random_schedules_break_no_rule() {
    let tally = ran(0..4_000);
    assert_eq!(tally.schedules, 4_000);
    // They get somewhere: sessions are opened and rotated, things go wrong, and each kind of end is met.
    assert!(tally.sessions > 3_000 && tally.rotations > 2_000 && tally.faults > 4_000, "{tally:?}");
    for end in ["served", "signed_out", "idle", "expired", "revoked", "rotation_lost", "no_session"] {
        assert!(tally.outcomes.contains_key(end), "{end}: {tally:?}");
    }
}

#[test]
fn the_same_number_is_the_same_schedule() {
    let (one, other) = (grounds(Twist::None).tell(7), grounds(Twist::None).tell(7));
    assert_eq!(one.0, other.0);
    assert!(one.0.len() > 10, "{:?}", one.0);
}

#[test]
fn every_mistake_but_a_needless_one_is_found_at_random_too() {
    for twist in Twist::ALL {
        let found = grounds(twist).run(0..20_000).expect_err(twist.name());
        let (_, ended) = grounds(twist).retell(found.number, &found.shortest.schedule);
        assert_eq!(ended.expect_err("it breaks again").rule, found.shortest.violation.rule);
        println!("{}: {}\n    {}", twist.name(), found.shortest.violation, written(&found.shortest.schedule));
    }
}
