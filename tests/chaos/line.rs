//! What a scenario counted, and the one line that says so.

use crate::window::Mode;

/// What a scenario counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) rounds: usize,
    pub(crate) sessions: usize,
    /// Pairs that Box made, or brought again, for a refresh token.
    pub(crate) refreshes: u64,
    /// Sessions that ended though nobody had ended them, and no crash excuses it.
    pub(crate) lost: u64,
    /// The same, in the one window that the design names, and in its words.
    pub(crate) lost_in_window: u64,
    /// Sessions that did not serve again in time.
    pub(crate) stuck: u64,
    /// Callers who were told to come again, or heard nothing.
    pub(crate) errors_seen: u64,
    /// What one scenario counts besides.
    pub(crate) more: Vec<(&'static str, u64)>,
    /// Promises that were not kept, in words.
    pub(crate) broken: Vec<String>,
}

impl Tally {
    /// Notes a promise that was not kept.
    pub(crate) fn broken(&mut self, words: impl Into<String>) {
        self.broken.push(words.into());
    }

    /// Counts something that only one scenario knows.
    pub(crate) fn count(&mut self, name: &'static str, by: u64) {
        match self.more.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += by,
            None => self.more.push((name, by)),
        }
    }

    /// What [`Self::count`] has counted under this name.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        self.more.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| *count)
    }

    /// Adds what another part of the scenario counted.
    pub(crate) fn add(&mut self, part: Self) {
        self.rounds += part.rounds;
        self.sessions += part.sessions;
        self.refreshes += part.refreshes;
        self.lost += part.lost;
        self.lost_in_window += part.lost_in_window;
        self.stuck += part.stuck;
        self.errors_seen += part.errors_seen;
        for (name, count) in part.more {
            self.count(name, count);
        }
        self.broken.extend(part.broken);
    }

    /// Nothing was lost that could have been kept.
    pub(crate) fn passed(&self) -> bool {
        self.lost == 0 && self.stuck == 0 && self.broken.is_empty()
    }
}

/// `chaos kill: mode=lazy rounds=300 …`, and what must be known to run it again.
pub(crate) fn line(scenario: &str, mode: Mode, seed: u64, tally: &Tally) -> String {
    let Tally { rounds, sessions, refreshes, lost, lost_in_window, stuck, errors_seen, .. } = tally;
    let mode = mode.name();
    let mut line = format!(
        "chaos {scenario}: mode={mode} rounds={rounds} sessions={sessions} refreshes={refreshes} lost={lost} \
         lost_in_window={lost_in_window} stuck={stuck} errors_seen={errors_seen} seed={seed}"
    );
    for (name, count) in &tally.more {
        line += &format!(" {name}={count}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_everything_in_one_order() {
        let mut tally = Tally { rounds: 300, sessions: 20, refreshes: 412, ..Tally::default() };
        tally.errors_seen = 7;
        tally.count("unsent", 33);
        tally.count("sent", 1);
        tally.count("sent", 40);
        assert_eq!(
            line("kill", Mode::Lazy, 9, &tally),
            "chaos kill: mode=lazy rounds=300 sessions=20 refreshes=412 lost=0 lost_in_window=0 stuck=0 \
             errors_seen=7 seed=9 unsent=33 sent=41"
        );
    }

    #[test]
    fn a_loss_in_the_window_is_no_failure_and_any_other_is() {
        let passes = |tally: Tally| tally.passed();
        assert!(passes(Tally { lost_in_window: 5, errors_seen: 90, ..Tally::default() }));
        assert!(!passes(Tally { lost: 1, ..Tally::default() }));
        assert!(!passes(Tally { stuck: 1, ..Tally::default() }));
        assert!(!passes(Tally { broken: vec!["two refreshes".to_owned()], ..Tally::default() }));
    }

    #[test]
    fn parts_add_up() {
        let mut part = Tally { rounds: 2, lost: 1, ..Tally::default() };
        part.count("jumps", 3);
        part.broken("this");
        let mut whole = part.clone();
        whole.add(part);
        assert_eq!((whole.rounds, whole.lost, whole.broken.len()), (4, 2, 2));
        assert_eq!((whole.counted("jumps"), whole.counted("leaps")), (6, 0));
    }
}
