//! What must hold, whatever happens in whatever order, and what is conceded.
//!
//! Everything here is judged from Box's ledger and from what is stored, never from what the keeper says of itself.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use crate::eye::Held;

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// An instance has one refresh in flight at most.
    OneRefresh,
    /// No refresh while the saved access token is good: N callers, one rotation.
    NoNeedlessRefresh,
    /// What goes to Box or to a browser has been durable before.
    SavedBeforeUsed,
    /// A session that was not ended can go on: some store holds what Box takes, or [`Concession::Window`] holds.
    NothingLost,
    /// What lives at Box is in the row, in KV or in the outbox, or is conceded.
    NothingForgotten,
    /// A session ends for the reason that it gives, and for no other.
    EndsForItsReason,
    /// An ended session gives nothing any more.
    EndIsFinal,
    /// A browser whose session is there is not told that there is none.
    NeverSilent,
    /// Every caller has an answer within its limit, or an error.
    EveryCallerAnswered,
    /// A session that is there serves again, in minutes.
    ServesAgain,
    /// A token is for what was asked, and only for who may ask.
    RightToken,
    /// When all limits have passed, nothing is left anywhere.
    NothingLeft,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneRefresh => "one refresh in flight at most",
            Self::NoNeedlessRefresh => "no refresh while the saved access token is good",
            Self::SavedBeforeUsed => "nothing is used before it is saved",
            Self::NothingLost => "no session is lost outside the window",
            Self::NothingForgotten => "nothing lives at Box that nobody holds",
            Self::EndsForItsReason => "a session ends for the reason it gives",
            Self::EndIsFinal => "an ended session never comes back",
            Self::NeverSilent => "nobody is told that there is no session while there is one",
            Self::EveryCallerAnswered => "every caller is answered in time",
            Self::ServesAgain => "a session that is there serves again",
            Self::RightToken => "a token is for what was asked and for who may ask",
            Self::NothingLeft => "after all limits nothing is left",
        })
    }
}

/// What the design concedes. This is the whole list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Concession {
    /// With strict rotation only: Box has committed, and the answer was lost on the way or with its instance before
    /// any copy of it was durable. The session ends as `rotation_lost`; the pair dies unused at Box.
    Window,
    /// Box made a narrowed token, and its answer was lost on the way or with its instance before it was saved. Nobody
    /// knows the token; it lives for its hour.
    UnknownChild,
    /// Box redeemed a login's code, or rotated the pair of a session that was signed out meanwhile, and the pair was lost
    /// likewise. There is no session; the pair dies unused.
    UnopenedPair,
    /// A session ended by time while no browser was there: its tokens can only be opened with the cookie, so they
    /// are shredded and die unused.
    Shredded,
    /// The object's storage itself was lost. The session comes back from KV if KV has its last pair; if KV is behind, it
    /// ends. What only the object held lives out its
    /// time: narrowed tokens, those still to be revoked, and the pair that KV did not have yet.
    StorageLost,
}

/// A rule was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// How.
    pub how: String,
}

impl Violation {
    pub(crate) fn of(rule: Rule, how: impl Into<String>) -> Self {
        Self { rule, how: how.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.how)
    }
}

/// What became of an answer of Box that brings a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Fate {
    /// It reached an instance.
    pub(crate) delivered: bool,
    /// A copy of it has left for KV.
    pub(crate) copied: bool,
    /// It was lost by a fault: on the way, or with the instance that it was for.
    pub(crate) lost: bool,
}

/// What has been seen so far, as far as the rules need it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Watch {
    /// What storage holds.
    pub(crate) held: Held,
    /// Every token that storage has held.
    pub(crate) durable: BTreeSet<String>,
    pub(crate) fates: BTreeMap<String, Fate>,
    /// Access tokens that Box did not take.
    pub(crate) refused: BTreeSet<String>,
    pub(crate) conceded: BTreeSet<(Concession, String)>,
    /// The sign-in was answered: from here on a browser has the cookie.
    pub(crate) claimed: bool,
    /// Somebody asked for the end.
    pub(crate) closed: bool,
    /// The owner has been told that it is over.
    pub(crate) told_end: bool,
    /// When the end was written, and why it came.
    pub(crate) ended_at: Option<u64>,
    pub(crate) end: Option<String>,
    pub(crate) opened_at: u64,
    /// When the owner came last, of the times that it was served.
    pub(crate) used_at: u64,
    /// The object's storage was lost: what KV holds may be old.
    pub(crate) emptied: bool,
    /// The last read of KV came when nothing was there; what lands later, that reader cannot know.
    pub(crate) read_too_early: bool,
}

impl Watch {
    /// Whether the one window was hit.
    pub(crate) fn window(&self) -> bool {
        self.conceded.iter().any(|(concession, _)| *concession == Concession::Window)
    }

    pub(crate) fn concede(&mut self, concession: Concession, token: &str) {
        self.conceded.insert((concession, token.to_owned()));
    }

    pub(crate) fn is_conceded(&self, token: &str) -> bool {
        self.conceded.iter().any(|(_, conceded)| conceded == token)
    }

    pub(crate) fn fate(&mut self, token: &str) -> &mut Fate {
        self.fates.entry(token.to_owned()).or_default()
    }
}
