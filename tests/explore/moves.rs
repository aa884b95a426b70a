//! What can happen next, one thing at a time. A schedule is a list of moves; the same moves from the same start lead
//! to the same end.

use core::{fmt, str::FromStr};

/// A call that an instance has made: the instance's number and the call's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallName(pub u64, pub u64);

/// What somebody wants of the keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// The session to be opened.
    Open,
    /// A token for this file.
    Token(u8),
    /// A token for this file, in place of the one the keeper holds, which Box is said to have refused.
    Refused(u8),
    /// Who is signed in.
    Session,
    /// A page of a folder.
    Items,
    /// The end.
    SignOut,
    /// A token, with a secret that is not this session's.
    Stranger,
}

/// What Box answers although it has done nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oddity {
    /// 503.
    Down,
    /// 429.
    Throttled,
    /// 401.
    Unauthorized,
    /// Nothing that makes sense.
    Garbage,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// A caller comes.
    Call(Want),
    /// The alarm rings, once more than it has to: alarms are delivered at least once.
    Ring,
    /// The oldest block that this instance wrote is durable, and what waited for that leaves.
    Confirm(u64),
    /// A call arrives at Box or KV, and is acted on.
    Reach(CallName),
    /// Its answer arrives at the instance.
    Return(CallName),
    /// Time passes until something is due, and that happens.
    Pass,

    /// The instance is gone, with what it had in memory.
    Crash,
    /// The oldest block cannot be saved. Nothing later of that instance happens.
    FailSave(u64),
    /// The oldest block is durable; the instance is gone before it knows, and before anything has left.
    CrashSaved(u64),
    /// The instance is replaced, and computes on until it touches storage.
    Replace,
    /// The call's answer never comes. What has not arrived may still arrive, later.
    Lose(CallName),
    /// A read of KV sees what was there so many versions ago.
    Stale(CallName, u8),

    /// Box answers this without having acted.
    Odd(CallName, Oddity),
    /// So many seconds pass, with all that is due in them.
    Wait(u32),
    /// The person takes the app's access away at Box.
    Disown,
    /// The object's storage is emptied.
    Empty,
}

impl Move {
    /// Whether it is something that goes wrong.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        !matches!(
            self,
            Self::Call(_)
                | Self::Ring
                | Self::Confirm(_)
                | Self::Reach(_)
                | Self::Return(_)
                | Self::Pass
                | Self::Wait(_)
        )
    }
}

impl fmt::Display for CallName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl FromStr for CallName {
    type Err = NoMove;

    fn from_str(text: &str) -> Result<Self, NoMove> {
        let (instance, call) = text.split_once('.').ok_or(NoMove)?;
        Ok(Self(number(instance)?, number(call)?))
    }
}

/// A schedule's text: `call:token1 confirm:1 reach:1.1 crash`.
impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(want) => match want {
                Want::Open => f.write_str("call:open"),
                Want::Token(file) => write!(f, "call:token{file}"),
                Want::Refused(file) => write!(f, "call:refused{file}"),
                Want::Session => f.write_str("call:session"),
                Want::Items => f.write_str("call:items"),
                Want::SignOut => f.write_str("call:sign-out"),
                Want::Stranger => f.write_str("call:stranger"),
            },
            Self::Ring => f.write_str("ring"),
            Self::Confirm(instance) => write!(f, "confirm:{instance}"),
            Self::Reach(call) => write!(f, "reach:{call}"),
            Self::Return(call) => write!(f, "return:{call}"),
            Self::Pass => f.write_str("pass"),
            Self::Crash => f.write_str("crash"),
            Self::FailSave(instance) => write!(f, "fail-save:{instance}"),
            Self::CrashSaved(instance) => write!(f, "crash-saved:{instance}"),
            Self::Replace => f.write_str("replace"),
            Self::Lose(call) => write!(f, "lose:{call}"),
            Self::Stale(call, behind) => write!(f, "stale{behind}:{call}"),
            Self::Odd(call, oddity) => {
                let word = match oddity {
                    Oddity::Down => "down",
                    Oddity::Throttled => "throttled",
                    Oddity::Unauthorized => "unauthorized",
                    Oddity::Garbage => "garbage",
                };
                write!(f, "{word}:{call}")
            }
            Self::Wait(seconds) => write!(f, "wait:{seconds}"),
            Self::Disown => f.write_str("disown"),
            Self::Empty => f.write_str("empty"),
        }
    }
}

/// A text is no move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMove;

impl fmt::Display for NoMove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a schedule is made of words such as call:token1, confirm:1, reach:1.1, crash")
    }
}

impl core::error::Error for NoMove {}

impl FromStr for Move {
    type Err = NoMove;

    fn from_str(text: &str) -> Result<Self, NoMove> {
        let (word, rest) = text.split_once(':').unwrap_or((text, ""));
        Ok(match word {
            "call" => Self::Call(want(rest)?),
            "ring" => Self::Ring,
            "confirm" => Self::Confirm(number(rest)?),
            "reach" => Self::Reach(rest.parse()?),
            "return" => Self::Return(rest.parse()?),
            "pass" => Self::Pass,
            "crash" => Self::Crash,
            "fail-save" => Self::FailSave(number(rest)?),
            "crash-saved" => Self::CrashSaved(number(rest)?),
            "replace" => Self::Replace,
            "lose" => Self::Lose(rest.parse()?),
            "down" => Self::Odd(rest.parse()?, Oddity::Down),
            "throttled" => Self::Odd(rest.parse()?, Oddity::Throttled),
            "unauthorized" => Self::Odd(rest.parse()?, Oddity::Unauthorized),
            "garbage" => Self::Odd(rest.parse()?, Oddity::Garbage),
            "wait" => Self::Wait(number(rest)?),
            "disown" => Self::Disown,
            "empty" => Self::Empty,
            _ => Self::Stale(rest.parse()?, number(word.strip_prefix("stale").ok_or(NoMove)?)?),
        })
    }
}

fn want(text: &str) -> Result<Want, NoMove> {
    Ok(match text {
        "open" => Want::Open,
        "session" => Want::Session,
        "items" => Want::Items,
        "sign-out" => Want::SignOut,
        "stranger" => Want::Stranger,
        _ => match (text.strip_prefix("token"), text.strip_prefix("refused")) {
            (Some(file), _) => Want::Token(number(file)?),
            (_, Some(file)) => Want::Refused(number(file)?),
            _ => return Err(NoMove),
        },
    })
}

fn number<T: FromStr>(text: &str) -> Result<T, NoMove> {
    text.parse().map_err(|_| NoMove)
}

/// A schedule as text.
#[must_use]
pub fn written(moves: &[Move]) -> String {
    moves.iter().map(Move::to_string).collect::<Vec<_>>().join(" ")
}

/// Reads what [`written`] wrote.
///
/// # Errors
/// A word is no move.
pub fn parsed(text: &str) -> Result<Vec<Move>, NoMove> {
    text.split_whitespace().map(str::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_survives_its_text() {
        let moves = [
            Move::Call(Want::Token(1)),
            Move::Call(Want::Refused(2)),
            Move::Call(Want::SignOut),
            Move::Confirm(1),
            Move::Reach(CallName(1, 2)),
            Move::Stale(CallName(2, 1), 1),
            Move::Odd(CallName(2, 3), Oddity::Throttled),
            Move::Wait(60),
            Move::CrashSaved(2),
            Move::Pass,
        ];
        assert_eq!(parsed(&written(&moves)).as_deref(), Ok(&moves[..]));
        for wrong in ["jump", "call:", "call:token", "reach:1", "confirm:x"] {
            assert!(wrong.parse::<Move>().is_err(), "{wrong}");
        }
    }
}
