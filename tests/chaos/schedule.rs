//! What is done when: drawn from a printed seed, so that a run can be had again. Pure.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};

use crate::local_kv::{GetMood, Mood, PutMood};
use crate::moments::{Fate, Fates, Moment};

/// At which instant of a rotation the deed is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// Before anything has reached Box: by the clock, for nothing can be held there.
    Unsent,
    /// When a call reaches this moment.
    At(Moment),
    /// Like [`Moment::ExchangeArrived`], with a KV that does not take the copy.
    KvOwed,
    /// While Box is asked, after a sign-out.
    SignedOut,
    /// By the clock, wherever that is.
    Anywhere,
}

impl Aim {
    /// One for each row of the crash table, two where the row has two sides or is hard to hit, and one left to chance.
    const KILLS: [Self; 10] = [
        Self::Unsent,
        Self::Unsent,
        Self::At(Moment::RefreshArrived),
        Self::At(Moment::RefreshCommitted),
        Self::At(Moment::PutArrived),
        Self::At(Moment::PutLanded),
        Self::KvOwed,
        Self::At(Moment::ExchangeMade),
        Self::SignedOut,
        Self::Anywhere,
    ];

    /// Where a trap is set; none where the clock decides.
    pub(crate) const fn moment(self) -> Option<Moment> {
        match self {
            Self::At(moment) => Some(moment),
            Self::KvOwed => Some(Moment::ExchangeArrived),
            Self::SignedOut => Some(Moment::RefreshArrived),
            Self::Unsent | Self::Anywhere => None,
        }
    }
}

/// One death.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kill {
    pub(crate) session: usize,
    pub(crate) aim: Aim,
    /// Callers at once.
    pub(crate) callers: usize,
    /// Between the moment and the deed.
    pub(crate) pause: Duration,
    /// For what the clock decides: which part of the way, from 0 to 1.
    pub(crate) part: f64,
    /// What becomes of calls whose caller died.
    pub(crate) fates: Fates,
    pub(crate) mood: Mood,
}

/// Within half of the way to Box.
const PAUSE_MS_MAX: u64 = 14;

/// Deaths, each aim as often as the others, in an order of their own.
pub(crate) fn kills(seed: u64, rounds: usize, sessions: usize) -> Vec<Kill> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut aims = Vec::new();
    while aims.len() < rounds {
        let mut once = Aim::KILLS;
        once.shuffle(&mut random);
        aims.extend(once);
    }
    aims.truncate(rounds);
    let sessions = (0..sessions).cycle();
    aims.into_iter().zip(sessions).map(|(aim, session)| kill(aim, session, &mut random)).collect()
}

fn kill(aim: Aim, session: usize, random: &mut StdRng) -> Kill {
    let at_box = if random.random() { Fate::Finishes } else { Fate::Vanishes };
    let late = Fate::Late(Duration::from_millis(random.random_range(300..3_000)));
    let at_kv = [Fate::Finishes, Fate::Vanishes, late].choose(random).copied().unwrap_or(Fate::Finishes);
    let put = if aim == Aim::KvOwed {
        let bad = [PutMood::Refused, PutMood::FailsBefore, PutMood::Slow(Duration::from_millis(900))];
        bad.choose(random).copied().unwrap_or(PutMood::Refused)
    } else {
        PutMood::Good
    };
    Kill {
        session,
        aim,
        callers: random.random_range(1..=4),
        pause: Duration::from_millis(random.random_range(0..=PAUSE_MS_MAX)),
        part: random.random_range(0.0..1.0),
        fates: Fates { at_box, at_kv },
        mood: Mood { put, ..Mood::GOOD },
    }
}

/// A day on which KV is down: how it fails, and whether the process dies on top of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KvDay {
    pub(crate) session: usize,
    pub(crate) put: PutMood,
    /// After a death: how KV reads while it is needed most.
    pub(crate) get: GetMood,
    pub(crate) death: Option<Moment>,
    /// The object's storage is lost with it.
    pub(crate) wiped: bool,
}

/// Days on which KV is down. Each way to fail meets each death.
pub(crate) fn kv_days(seed: u64, rounds: usize, sessions: usize) -> Vec<KvDay> {
    let mut random = StdRng::seed_from_u64(seed);
    let slow = Duration::from_millis(900);
    // After a death a copy that landed is all that `strict` rotation leaves; a read that fails must not be a miss.
    let days = [
        (PutMood::Refused, GetMood::Good, None, false),
        (PutMood::Slow(slow), GetMood::Good, None, false),
        (PutMood::FailsBefore, GetMood::Fails, Some(Moment::ExchangeArrived), false),
        (PutMood::FailsAfter, GetMood::Fails, Some(Moment::PutLanded), false),
        (PutMood::FailsAfter, GetMood::Stale, Some(Moment::PutLanded), false),
        (PutMood::Good, GetMood::Slow(Duration::from_secs(6)), Some(Moment::PutLanded), false),
        (PutMood::Good, GetMood::Fails, Some(Moment::ExchangeMade), true),
        (PutMood::Refused, GetMood::Stale, Some(Moment::ExchangeMade), false),
    ];
    let mut drawn = Vec::new();
    while drawn.len() < rounds {
        let mut once = days;
        once.shuffle(&mut random);
        drawn.extend(once);
    }
    drawn.truncate(rounds);
    let day = |((put, get, death, wiped), session)| KvDay { session, put, get, death, wiped };
    drawn.into_iter().zip((0..sessions).cycle()).map(day).collect()
}

/// Instants for other deeds, each as often as the others.
pub(crate) fn moments(seed: u64, rounds: usize) -> Vec<(Moment, bool)> {
    let mut random = StdRng::seed_from_u64(seed);
    let all = [
        Moment::RefreshArrived,
        Moment::RefreshCommitted,
        Moment::PutArrived,
        Moment::PutLanded,
        Moment::ExchangeArrived,
        Moment::ExchangeMade,
    ];
    let mut drawn = Vec::new();
    while drawn.len() < rounds {
        let mut once = all;
        once.shuffle(&mut random);
        drawn.extend(once.map(|moment| (moment, random.random())));
    }
    drawn.truncate(rounds);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_brings_the_same_and_another_seed_another() {
        assert_eq!(kills(7, 40, 5), kills(7, 40, 5));
        assert_ne!(kills(7, 40, 5), kills(8, 40, 5));
        assert_eq!(kv_days(7, 40, 5), kv_days(7, 40, 5));
        assert_eq!(moments(7, 40), moments(7, 40));
    }

    #[test]
    fn every_aim_comes_as_often_as_the_others_and_every_session_too() {
        let drawn = kills(1, 200, 20);
        for aim in Aim::KILLS {
            let times = Aim::KILLS.iter().filter(|other| **other == aim).count();
            assert_eq!(drawn.iter().filter(|kill| kill.aim == aim).count(), 20 * times, "{aim:?}");
        }
        assert!((0..20).all(|session| drawn.iter().filter(|kill| kill.session == session).count() == 10));
    }

    #[test]
    fn a_full_run_aims_at_each_window_more_than_twenty_times() {
        let drawn = kills(1, 300, 20);
        assert!(Aim::KILLS.iter().all(|aim| drawn.iter().filter(|kill| kill.aim == *aim).count() >= 30));
    }

    #[test]
    fn kv_takes_no_copy_exactly_where_the_copy_is_to_be_owed() {
        for kill in kills(3, 90, 4) {
            assert_eq!(kill.aim == Aim::KvOwed, kill.mood.put != PutMood::Good);
            assert!(kill.pause <= Duration::from_millis(PAUSE_MS_MAX) && (0.0..1.0).contains(&kill.part));
        }
    }

    #[test]
    fn fewer_rounds_than_aims_are_no_trouble() {
        assert_eq!((kills(1, 2, 20).len(), kv_days(1, 3, 2).len(), moments(1, 0).len()), (2, 3, 0));
    }
}
