//! One line for each act on a grant. No id, token, code, body or address: a grant is named by a keyed hash.

use serde::Serialize;

use super::{message::End, record::Unreadable};
use crate::seal::KeyId;

/// What was done to a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// A login opened it.
    Opened,
    /// A new pair was saved.
    Rotated {
        /// The generation saved.
        generation: u64,
        /// How many exchanges it took.
        attempts: u32,
        /// How, if not by a plain exchange.
        recovered: Option<Recovered>,
    },
    /// Box said no.
    Refused {
        /// What was asked of Box.
        asked: &'static str,
        /// Box's error code, or ours for what makes no sense.
        error: &'static str,
    },
    /// Narrowed tokens were minted.
    Minted {
        /// How many.
        count: u32,
    },
    /// Tokens were revoked at Box.
    Revoked {
        /// How many.
        count: u32,
    },
    /// It is over.
    Ended {
        /// Why.
        why: End,
    },
    /// A record did not open: an operator must look at `SEAL_KEYS` and the client id.
    Unreadable {
        /// The key that it is sealed under, if `SEAL_KEYS` lacks it.
        missing_key: Option<KeyId>,
    },
}

/// How a rotation was saved that had been cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovered {
    /// The old refresh token brought the pair again.
    Replayed,
    /// KV held the pair.
    Adopted,
}

impl Act {
    pub(super) const fn unreadable(why: Unreadable) -> Self {
        Self::Unreadable { missing_key: why.missing_key() }
    }

    /// The line: JSON, with the grant's log name and `"event":"grant"`.
    #[must_use]
    pub fn line(&self, grant: &str) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            event: &'static str,
            grant: &'a str,
            #[serde(flatten)]
            act: &'a Act,
        }
        serde_json::to_string(&Line { event: "grant", grant, act: self }).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_act_and_the_grant_by_its_log_name() {
        let act = Act::Rotated { generation: 3, attempts: 2, recovered: Some(Recovered::Replayed) };
        let line = r#"{"event":"grant","grant":"Ab12","act":"rotated","generation":3,"attempts":2,"recovered":"replayed"}"#;
        assert_eq!(act.line("Ab12"), line);
        let ended = Act::Ended { why: End::SignedOut };
        assert_eq!(ended.line("x"), r#"{"event":"grant","grant":"x","act":"ended","why":"signed_out"}"#);
    }
}
