//! Who waits: so many and no more, and none of them loses anything.

use super::*;
use plan::CALLERS_MAX;

const TOLD_TO_WAIT: KeeperFault = KeeperFault::RateLimited { retry_after: 2 };

fn turned_away(effects: &[Effect], caller: CallerId) -> bool {
    effects.iter().any(|effect| {
        matches!(effect, Effect::Reply(to, Reply::Fault(fault)) if *to == caller && *fault == TOLD_TO_WAIT)
    })
}

#[test]
fn s36_beyond_two_hundred_waiting_callers_more_are_told_to_come_again() {
    let mut bench = Bench::new();
    bench.open();
    let (first, refresh) = refresh_started(&mut bench);
    for _ in 1..CALLERS_MAX {
        let (caller, effects) = bench.call(tokens("file_1"));
        assert!(!turned_away(&effects, caller), "{effects:?}");
    }
    let (caller, effects) = bench.call(tokens("file_1"));
    assert!(turned_away(&effects, caller), "{effects:?}");
    let (asked, effects) = bench.call(Ask::Session);
    assert!(matches!(reply(&effects, asked), Reply::Session(_)), "what needs no wait is answered");

    let effects = bench.answer(refresh, 200, &pair(2));
    let effects = bench.step(Event::KvWrote(escrow_put(&effects), true));
    let effects = bench.answer(box_call(&effects).0, 200, &child("file_1", 1));
    assert_eq!(replies(&effects), CALLERS_MAX);
    handed(&effects, first, "file_1");
    let (caller, effects) = bench.call(tokens("file_1"));
    handed(&effects, caller, "file_1");
}

#[test]
fn s36_while_a_pair_is_on_its_way_to_kv_callers_are_bounded_too() {
    let mut bench = Bench::new();
    bench.open();
    let (_, refresh) = refresh_started(&mut bench);
    let put = escrow_put(&bench.answer(refresh, 200, &pair(2)));
    // One waits for the pair.
    for _ in 1..CALLERS_MAX {
        let (_, effects) = bench.call(Ask::Session);
        assert!(effects.is_empty(), "{effects:?}");
    }
    let (caller, effects) = bench.call(Ask::Session);
    assert!(turned_away(&effects, caller) && effects.len() == 1, "and storage is not touched: {effects:?}");
    let effects = bench.step(Event::KvWrote(put, true));
    assert!(replies(&effects) >= CALLERS_MAX - 1, "{effects:?}");
}
