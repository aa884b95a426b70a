//! How every schedule ends: what is under way comes to rest, the browser comes back, its person signs out, the alarms
//! ring, and long after all limits somebody tries the cookie once more.

use keyhole_core::keeper::message::End;

use crate::{
    eye::Stands,
    law::{Rule, Violation},
    ledger::ACCESS_SECONDS,
    moves::{Move, Want},
    world::{Heard, World},
};

/// What the browser found when it came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its session serves.
    Served,
    /// Its session is over, and it says why.
    Ended(End),
    /// There never was a session.
    NoSession,
}

impl Outcome {
    /// A word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Ended(why) => why.word(),
            Self::NoSession => "no_session",
        }
    }
}

/// More moves than this at one time are a circle.
const MOVES_MAX: u32 = 10_000;
/// How often a browser comes back before it gives up. A token that Box refuses although it was just replaced is not
/// replaced again for five minutes, and callers are told to come again in five seconds.
const VISITS_MAX: u32 = 80;
const DAY_SECONDS: u32 = 86_400;

type Lawful<T> = Result<T, Violation>;

impl World {
    /// Lets what is under way come to rest: in order, without faults, until nobody waits.
    pub(crate) fn settle(&mut self) -> Lawful<()> {
        for _ in 0..MOVES_MAX {
            let next = self.required().first().copied();
            match next {
                Some(next) => drop(self.make(next)?),
                None if self.is_waited_for() => {
                    if !self.make(Move::Pass)? {
                        return Err(Violation::of(Rule::EveryCallerAnswered, "somebody waits for nothing"));
                    }
                }
                None => return Ok(()),
            }
        }
        Err(Violation::of(Rule::ServesAgain, "one thing leads to another without end"))
    }

    /// Time passes, with all that is due in it, and without faults.
    pub(crate) fn let_pass(&mut self, seconds: u64) -> Lawful<()> {
        let until = self.now + seconds * 1000;
        for _ in 0..MOVES_MAX {
            self.settle()?;
            if self.next_due_at().is_none_or(|at| at > until) {
                let left = until.saturating_sub(self.now).div_ceil(1000);
                self.make(Move::Wait(u32::try_from(left).unwrap_or(u32::MAX)))?;
                return Ok(());
            }
            self.make(Move::Pass)?;
        }
        Err(Violation::of(Rule::NothingLeft, "something is due without end"))
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, want: Want) -> Lawful<Heard> {
        let index = self.callers.len();
        self.make(Move::Call(want))?;
        self.settle()?;
        let heard = self.callers.get(index).and_then(|caller| caller.heard.clone());
        heard.ok_or_else(|| Violation::of(Rule::EveryCallerAnswered, "the last caller waits"))
    }

    /// See the module.
    ///
    /// # Errors
    /// The rule that is broken on the way.
    pub(crate) fn finish(&mut self) -> Lawful<Outcome> {
        let outcome = self.end_well()?;
        self.put_away(outcome)?;
        Ok(outcome)
    }

    /// What is under way comes to rest, and the browser comes back. Then every instance goes to sleep.
    pub(crate) fn end_well(&mut self) -> Lawful<Outcome> {
        self.tell(|| "* the end begins: nothing goes wrong any more".to_owned());
        self.bury_the_past();
        self.judge_custody()?;
        self.settle()?;
        self.judge_rest()?;
        let outcome = self.come_back()?;
        self.sleep();
        self.bury_the_past();
        Ok(outcome)
    }

    /// The browser comes back; and once more when every token it knows has ended, so that it takes a rotation to serve
    /// it.
    fn come_back(&mut self) -> Lawful<Outcome> {
        if !self.watch.claimed {
            // The cookie has reached nobody.
            return Ok(Outcome::NoSession);
        }
        let outcome = self.visit(1)?;
        if outcome != Outcome::Served {
            return Ok(outcome);
        }
        self.let_pass(ACCESS_SECONDS)?;
        self.visit(2)
    }

    /// The browser asks for a file, and asks again when it is told to.
    pub(crate) fn visit(&mut self, file: u8) -> Lawful<Outcome> {
        let mut last = Heard::Broken;
        for _ in 0..VISITS_MAX {
            last = self.ask(Want::Token(file))?;
            match last {
                Heard::Token(_) => return Ok(Outcome::Served),
                Heard::Ended(why) => return Ok(Outcome::Ended(why)),
                // Long after an end it is forgotten.
                Heard::Unopened => {
                    let end = self.watch.end.as_deref().and_then(End::parse);
                    return Ok(end.map_or(Outcome::NoSession, Outcome::Ended));
                }
                Heard::Fault(again) => self.let_pass(again.unwrap_or(5))?,
                _ => {}
            }
        }
        Err(Violation::of(Rule::ServesAgain, format!("after {VISITS_MAX} visits: {last:?}")))
    }

    /// The person signs out, what is owed is paid; and what is over stays over, for good.
    pub(crate) fn put_away(&mut self, outcome: Outcome) -> Lawful<()> {
        if outcome == Outcome::Served {
            self.tell(|| "* the person signs out".to_owned());
            let heard = self.ask(Want::SignOut)?;
            if !matches!(heard, Heard::Closed | Heard::Ended(_)) {
                return Err(Violation::of(Rule::EndIsFinal, format!("a sign-out is answered {heard:?}")));
            }
        }
        self.let_pass(2 * 3600)?;
        if !self.watch.held.outbox.is_empty() && self.watch.held.stands == Stands::Ended {
            let left: Vec<&String> = self.watch.held.outbox.values().collect();
            return Err(Violation::of(Rule::NothingForgotten, format!("still to be revoked: {left:?}")));
        }
        self.judge_rest()?;
        for days in [2, 61] {
            self.sleep();
            self.let_pass(u64::from(days * DAY_SECONDS))?;
            self.sleep();
            let heard = self.ask(Want::Session)?;
            let over = matches!(heard, Heard::Ended(_) | Heard::Unopened);
            if outcome != Outcome::NoSession && !over {
                return Err(Violation::of(Rule::EndIsFinal, format!("{days} days later: {heard:?}")));
            }
        }
        self.let_pass(u64::from(2 * DAY_SECONDS))?;
        self.judge_rest()?;
        let kept = !self.storage.is_empty() || self.kv.newest(self.now).is_some() || self.alarm().is_some();
        if kept {
            return Err(Violation::of(Rule::NothingLeft, "storage, KV or an alarm is not empty".to_owned()));
        }
        Ok(())
    }
}
