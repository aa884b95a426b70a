//! The instants of death of the design's crash table, and which losses its one window excuses. Pure.

use crate::moments::Moment;

/// Box's rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// A redeemed refresh token brings the same pair again until that pair is used: as observed at Box.
    Lazy,
    /// A redeemed refresh token is dead at once: as Box documents it.
    Strict,
}

impl Mode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lazy => "lazy",
            Self::Strict => "strict",
        }
    }
}

/// A row of the crash table: how far a rotation had come when the process died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// Nothing had been sent to Box; the attempt's row was durable, or not yet.
    Unsent,
    /// Sent, and Box had done nothing.
    Sent,
    /// Box had committed, and nothing durable held the pair.
    Committed,
    /// The copy in KV had landed, the row was not written.
    Copied,
    /// The row was written, the new access token not yet used. KV was owed, or not.
    Saved,
    /// The new access token had been used.
    Used,
    /// The session had been signed out during the exchange.
    SignedOut,
}

impl Window {
    pub(crate) const ALL: [Self; 7] =
        [Self::Unsent, Self::Sent, Self::Committed, Self::Copied, Self::Saved, Self::Used, Self::SignedOut];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unsent => "unsent",
            Self::Sent => "sent",
            Self::Committed => "committed",
            Self::Copied => "copied",
            Self::Saved => "saved",
            Self::Used => "used",
            Self::SignedOut => "signed_out",
        }
    }

    /// Where death struck.
    pub(crate) fn of(death: &Death) -> Self {
        let seen = |moment| death.seen.contains(&moment);
        if death.signed_out {
            Self::SignedOut
        } else if death.row_has_new_pair && seen(Moment::ExchangeMade) {
            Self::Used
        } else if death.row_has_new_pair {
            Self::Saved
        } else if seen(Moment::PutLanded) {
            Self::Copied
        } else if seen(Moment::RefreshCommitted) {
            Self::Committed
        } else if death.reached_box {
            Self::Sent
        } else {
            Self::Unsent
        }
    }
}

/// What is known about the instant at which the process died.
#[derive(Clone, Debug, Default)]
pub(crate) struct Death {
    /// What Box and KV had seen by then.
    pub(crate) seen: Vec<Moment>,
    /// The request for a new pair reached Box, be it after the death: then it had been sent.
    pub(crate) reached_box: bool,
    /// The row on disk holds the pair that Box made.
    pub(crate) row_has_new_pair: bool,
    /// A sign-out had been confirmed.
    pub(crate) signed_out: bool,
}

/// Who holds Box's newest pair once everything that was under way has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    /// Box has made a pair and ended the refresh token before it.
    pub(crate) old_token_is_dead: bool,
    /// KV holds that pair, or held it once.
    pub(crate) copied: bool,
    /// The row holds it.
    pub(crate) saved: bool,
}

impl Holding {
    /// Whether a loss is excused: Box has ended the old token, and nothing durable ever held the new one. With `lazy`
    /// rotation the old token lives, so nothing is.
    pub(crate) const fn is_in_window(self) -> bool {
        self.old_token_is_dead && !self.copied && !self.saved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IN_ORDER: [Moment; 6] = [
        Moment::RefreshArrived,
        Moment::RefreshCommitted,
        Moment::PutArrived,
        Moment::PutLanded,
        Moment::ExchangeArrived,
        Moment::ExchangeMade,
    ];

    fn death(moments: usize, row_has_new_pair: bool) -> Death {
        let seen = IN_ORDER[..moments].to_vec();
        Death { reached_box: moments > 0, seen, row_has_new_pair, signed_out: false }
    }

    #[test]
    fn each_instant_of_a_rotation_falls_into_its_row_of_the_crash_table() {
        let expected = [
            (0, false, Window::Unsent),
            (1, false, Window::Sent),
            (2, false, Window::Committed),
            (3, false, Window::Committed),
            (4, false, Window::Copied),
            (4, true, Window::Saved),
            (5, true, Window::Saved),
            (6, true, Window::Used),
        ];
        for (moments, row, window) in expected {
            assert_eq!(Window::of(&death(moments, row)), window, "{moments} {row}");
        }
    }

    #[test]
    fn a_request_that_reached_box_after_the_death_had_been_sent() {
        let late = Death { reached_box: true, ..Death::default() };
        assert_eq!(Window::of(&late), Window::Sent);
    }

    #[test]
    fn a_pair_that_kv_refused_is_saved_by_its_row() {
        let refused = Death {
            seen: vec![Moment::RefreshArrived, Moment::RefreshCommitted, Moment::PutArrived],
            reached_box: true,
            row_has_new_pair: true,
            signed_out: false,
        };
        assert_eq!(Window::of(&refused), Window::Saved);
    }

    #[test]
    fn a_sign_out_comes_before_all_else() {
        assert_eq!(Window::of(&Death { signed_out: true, ..death(2, false) }), Window::SignedOut);
    }

    #[test]
    fn only_a_dead_token_without_any_copy_of_the_new_one_excuses_a_loss() {
        let excused =
            |old_token_is_dead, copied, saved| Holding { old_token_is_dead, copied, saved }.is_in_window();
        assert!(excused(true, false, false));
        for (old_token_is_dead, copied, saved) in
            [(false, false, false), (true, true, false), (true, false, true), (false, true, true)]
        {
            assert!(!excused(old_token_is_dead, copied, saved));
        }
    }

    #[test]
    fn every_window_has_a_name_of_its_own() {
        let mut names = Window::ALL.map(Window::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Window::ALL.len());
    }
}
