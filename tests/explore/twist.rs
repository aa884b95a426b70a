//! Deliberate mistakes: each is a keeper, or a shell around it, that somebody might write. They show that the checker
//! finds what it is there to find. The keeper itself is not changed; its effects are bent on their way out.

use core::str::FromStr;

use keyhole_core::keeper::{Change, Effect, Timer, record::Kind};
use serde_json::Value;

use crate::asked::Asked;

/// A deliberate mistake, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Twist {
    /// The keeper as it is.
    #[default]
    None,
    /// The KV copy leaves after the row was written, not before.
    CopyAfterRow,
    /// The row takes the pair in one write, and settles the attempt in a second.
    AttemptSettledAfter,
    /// The row settles the attempt in one write, and takes the pair in a second.
    AttemptSettledBefore,
    /// A new instance does not see that an attempt was open, and so believes `invalid_grant` at once.
    RefusalBelieved,
    /// What is left of an ended session is forgotten a day after its end.
    OneDayTombstone,
    /// The caller that brought a refresh about takes it along when it leaves.
    TurnHeldByCaller,
    /// A new token goes out before the write that saves it.
    UsedBeforeSaved,
}

impl Twist {
    /// All mistakes.
    pub const ALL: [Self; 7] = [
        Self::CopyAfterRow,
        Self::AttemptSettledAfter,
        Self::AttemptSettledBefore,
        Self::RefusalBelieved,
        Self::OneDayTombstone,
        Self::TurnHeldByCaller,
        Self::UsedBeforeSaved,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::CopyAfterRow => "copy-after-row",
            Self::AttemptSettledAfter => "attempt-settled-after",
            Self::AttemptSettledBefore => "attempt-settled-before",
            Self::RefusalBelieved => "refusal-believed",
            Self::OneDayTombstone => "one-day-tombstone",
            Self::TurnHeldByCaller => "turn-held-by-caller",
            Self::UsedBeforeSaved => "used-before-saved",
        }
    }

    /// Bends what one step says must be done. `row` is the session row as the instance knows it.
    pub(crate) fn bend(self, effects: Vec<Effect>, row: Option<&str>) -> Vec<Effect> {
        match self {
            Self::AttemptSettledAfter | Self::AttemptSettledBefore => {
                effects.into_iter().flat_map(|effect| self.split(effect, row)).collect()
            }
            Self::UsedBeforeSaved => used_first(effects),
            _ => effects,
        }
    }

    /// A write that settles an attempt, as two.
    fn split(self, effect: Effect, row: Option<&str>) -> Vec<Effect> {
        let Effect::Write(changes) = effect else { return vec![effect] };
        let before: Value = row.and_then(|row| serde_json::from_str(row).ok()).unwrap_or_default();
        let after = changes.iter().find_map(session_row).unwrap_or_default();
        let open = after.get("status").is_some_and(|status| status == "open");
        let attempt = before.get("attempt").filter(|attempt| attempt.is_object()).cloned();
        let settles = open && attempt.is_some() && after.get("attempt").is_some_and(Value::is_null);
        if !settles {
            return vec![Effect::Write(changes)];
        }
        let first = match self {
            Self::AttemptSettledAfter => with_attempt(after, attempt.unwrap_or_default()),
            _ => with_attempt(before, Value::Null),
        };
        vec![Effect::Write(vec![row_change(&first)]), Effect::Write(changes)]
    }
}

impl FromStr for Twist {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter().chain([Self::None]);
        all.find(|twist| twist.name() == text).ok_or("no such mistake")
    }
}

/// A row without its attempt.
pub(crate) fn without_attempt(body: &str) -> String {
    let row: Value = serde_json::from_str(body).unwrap_or_default();
    with_attempt(row, Value::Null).to_string()
}

/// The KV put and the wait for it, taken out of a step's effects; with the timer of that wait.
pub(crate) fn take_escrow(effects: &mut Vec<Effect>) -> Option<(Effect, Timer)> {
    let timer = effects.iter().find_map(|effect| match effect {
        Effect::Wait(timer @ Timer::Escrow(_), _) => Some(*timer),
        _ => None,
    })?;
    effects.retain(|effect| !matches!(effect, Effect::Wait(other, _) if *other == timer));
    let put = effects.iter().position(|effect| matches!(effect, Effect::PutKv { .. }))?;
    Some((effects.remove(put), timer))
}

fn used_first(effects: Vec<Effect>) -> Vec<Effect> {
    let uses = |effect: &Effect| match effect {
        Effect::AskBox { request, .. } => Asked::read(request).is_some_and(|asked| !asked.is_refresh()),
        Effect::Reply(..) => true,
        _ => false,
    };
    let (mut first, rest): (Vec<_>, Vec<_>) = effects.into_iter().partition(uses);
    first.extend(rest);
    first
}

fn session_row(change: &Change) -> Option<Value> {
    match change {
        Change::Put(record) if record.kind == Kind::Session => serde_json::from_str(&record.body).ok(),
        _ => None,
    }
}

fn with_attempt(mut row: Value, attempt: Value) -> Value {
    if let Some(row) = row.as_object_mut() {
        row.insert("attempt".to_owned(), attempt);
    }
    row
}

fn row_change(row: &Value) -> Change {
    let record = keyhole_core::keeper::record::Record {
        kind: Kind::Session,
        name: String::new(),
        body: row.to_string(),
    };
    Change::Put(record)
}
