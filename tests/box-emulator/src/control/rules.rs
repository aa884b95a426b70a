//! Rules that can be dropped, one at a time, so that tests can be seen to notice: what holds a rule must fail without
//! it. No client ever wants that, so it is no switch among the [settings](crate::Settings) that callers see.

use std::fmt;
use std::str::FromStr;

/// Something that Box refuses and an emulator started with `--break` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// An app proves itself with its secret.
    WrongSecret,
    /// A code is good once.
    CodeReused,
    /// A code is good for 30 seconds.
    CodeExpired,
    /// A refresh token is dead once redeemed, or once the pair after it was used, as rotation has it.
    RefreshTokenReused,
    /// A revoked token is good for nothing.
    RevokedToken,
    /// A token does what its scopes allow.
    Scope,
    /// A token is narrowed to scopes that it holds.
    ScopeHeld,
    /// A token that is narrowed to an item reaches nothing else.
    Resource,
    /// An assertion ends within 60 seconds.
    ExpTooFar,
    /// An assertion is good once.
    JtiReused,
}

impl Rule {
    /// Every rule there is.
    pub const ALL: [Self; 10] = [
        Self::WrongSecret,
        Self::CodeReused,
        Self::CodeExpired,
        Self::RefreshTokenReused,
        Self::RevokedToken,
        Self::Scope,
        Self::ScopeHeld,
        Self::Resource,
        Self::ExpTooFar,
        Self::JtiReused,
    ];

    /// What `--break` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongSecret => "wrong-secret",
            Self::CodeReused => "code-reused",
            Self::CodeExpired => "code-expired",
            Self::RefreshTokenReused => "refresh-token-reused",
            Self::RevokedToken => "revoked-token",
            Self::Scope => "scope",
            Self::ScopeHeld => "scope-held",
            Self::Resource => "resource",
            Self::ExpTooFar => "exp-too-far",
            Self::JtiReused => "jti-reused",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|rule| rule.name() == name);
        found.ok_or_else(|| format!("the rules are {}", Self::ALL.map(Self::name).join(", ")))
    }
}
