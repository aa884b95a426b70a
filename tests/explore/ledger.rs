//! Box, as far as its tokens go: the rules of `tests/box-emulator`, small enough to be asked about after each event.
//! `box_alike` holds the two against each other.
//!
//! Tokens are named by what they are (`r0.2`, `c0.file_1.1`), not by the order in which all were made: so two orders
//! of calls that do not touch each other leave the same ledger, and are not explored twice.

use std::collections::BTreeMap;

use crate::asked::{Asked, Said};

/// What becomes of a refresh token that was redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// As observed at Box: it brings the same new pair again, until one of that pair is used.
    Lazy,
    /// As Box documents it: it is dead at once.
    Strict,
}

/// How long a code lives, in seconds.
const CODE_SECONDS: u64 = 30;
/// How long an access token and a narrowed one live, in seconds.
pub(crate) const ACCESS_SECONDS: u64 = 3600;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Code,
    Access,
    Refresh,
    Child,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Token {
    kind: Kind,
    /// The number of its grant. A child belongs to none: it is revoked alone.
    grant: usize,
    expires_at: u64,
    /// Used up, superseded or revoked.
    ended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pair {
    access: String,
    refresh: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Grant {
    current: Pair,
    /// Given out, not used yet.
    pending: Option<Pair>,
    accesses: u64,
    refreshes: u64,
}

/// Every code and token that Box has given out. Times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ledger {
    rotation: Rotation,
    refresh_seconds: u64,
    tokens: BTreeMap<String, Token>,
    grants: Vec<Grant>,
    codes: u64,
    children: BTreeMap<String, u64>,
}

impl Ledger {
    pub(crate) fn new(rotation: Rotation, refresh_seconds: u64) -> Self {
        Self {
            rotation,
            refresh_seconds,
            tokens: BTreeMap::new(),
            grants: Vec::new(),
            codes: 0,
            children: BTreeMap::new(),
        }
    }

    /// Whether a token of this name is a narrowed one.
    pub(crate) fn is_child(token: &str) -> bool {
        token.starts_with('c')
    }

    /// A person signs in, and Box gives a code for it.
    pub(crate) fn sign_in(&mut self, now: u64) -> String {
        self.codes += 1;
        let code = format!("code{}", self.codes);
        self.enter(&code, Kind::Code, 0, CODE_SECONDS, now);
        code
    }

    /// Box acts on a request.
    pub(crate) fn act(&mut self, asked: &Asked, now: u64) -> Said {
        match asked {
            Asked::Redeem(code) => self.redeem(code, now),
            Asked::Refresh(token) => self.refresh(token, now),
            Asked::Narrow { subject, item, scopes } => self.narrow(subject, item, scopes, now),
            Asked::Revoke(token) => {
                self.revoke(token);
                Said::Done
            }
            Asked::Read { bearer, path } => {
                if !self.is_live(bearer, Kind::Access, now) {
                    return Said::Unauthorized;
                }
                self.settle(bearer);
                if path.ends_with("/users/me") { Said::User } else { Said::Page }
            }
        }
    }

    /// The person takes the app's access away at Box.
    pub(crate) fn disown(&mut self) {
        for grant in 0..self.grants.len() {
            self.end_grant(grant);
        }
    }

    /// The refresh tokens that Box would take now.
    pub(crate) fn redeemable(&self, now: u64) -> impl Iterator<Item = &str> {
        self.live(Kind::Refresh, now)
    }

    /// The narrowed tokens that are good now.
    pub(crate) fn children(&self, now: u64) -> impl Iterator<Item = &str> {
        self.live(Kind::Child, now)
    }

    /// Whether the access token is good for so many milliseconds more.
    pub(crate) fn access_lives(&self, token: &str, now: u64) -> Option<u64> {
        self.is_live(token, Kind::Access, now)
            .then(|| self.tokens.get(token).map_or(0, |token| token.expires_at - now))
    }

    /// Whether the token is good for anything now.
    pub(crate) fn is_alive(&self, token: &str, now: u64) -> bool {
        self.tokens.get(token).is_some_and(|token| !token.ended && token.expires_at > now)
    }

    /// How many pairs were given out after the first, replays not counted.
    pub(crate) fn rotations(&self) -> u64 {
        self.grants.iter().map(|grant| grant.refreshes.saturating_sub(1)).sum()
    }

    fn live(&self, kind: Kind, now: u64) -> impl Iterator<Item = &str> {
        let live = move |token: &Token| token.kind == kind && !token.ended && token.expires_at > now;
        self.tokens.iter().filter(move |(_, token)| live(token)).map(|(name, _)| name.as_str())
    }

    fn is_live(&self, name: &str, kind: Kind, now: u64) -> bool {
        self.is_alive(name, now) && self.tokens.get(name).is_some_and(|token| token.kind == kind)
    }

    fn redeem(&mut self, code: &str, now: u64) -> Said {
        if !self.is_live(code, Kind::Code, now) {
            return Said::InvalidGrant;
        }
        self.end(code);
        let number = self.grants.len();
        let nothing = Pair { access: String::new(), refresh: String::new() };
        self.grants.push(Grant { current: nothing, pending: None, accesses: 0, refreshes: 0 });
        let pair = self.pair(number, now);
        if let Some(grant) = self.grants.get_mut(number) {
            grant.current = pair.clone();
        }
        self.say(pair, now)
    }

    fn refresh(&mut self, token: &str, now: u64) -> Said {
        if !self.is_live(token, Kind::Refresh, now) {
            return Said::InvalidGrant;
        }
        self.settle(token);
        let Some(number) = self.tokens.get(token).map(|token| token.grant) else { return Said::InvalidGrant };
        let pending = self.grants.get(number).and_then(|grant| grant.pending.clone());
        let pair = match pending {
            None => self.pair(number, now),
            Some(_) if self.rotation == Rotation::Strict => return Said::InvalidGrant,
            Some(pending) if self.is_alive(&pending.access, now) => pending,
            // An access token that ran out meanwhile is replaced; its refresh token stays.
            Some(pending) => Pair { access: self.access(number, now), refresh: pending.refresh },
        };
        if self.rotation == Rotation::Strict {
            self.end(token);
        }
        if let Some(grant) = self.grants.get_mut(number) {
            grant.pending = Some(pair.clone());
        }
        self.say(pair, now)
    }

    fn narrow(&mut self, subject: &str, item: &str, scopes: &str, now: u64) -> Said {
        if !self.is_live(subject, Kind::Access, now) {
            return Said::InvalidGrant;
        }
        self.settle(subject);
        let left = self.tokens.get(subject).map_or(0, |token| (token.expires_at - now) / 1000);
        let seconds = ACCESS_SECONDS.min(left);
        let (grant, count) = {
            let grant = self.tokens.get(subject).map_or(0, |token| token.grant);
            let count = self.children.entry(item.to_owned()).or_default();
            *count += 1;
            (grant, *count)
        };
        let token = format!("c{grant}.{item}.{count}");
        self.enter(&token, Kind::Child, grant, seconds, now);
        Said::Child { token, item: item.to_owned(), scopes: scopes.to_owned(), seconds }
    }

    /// Ends one child, or the whole grant of a token that was neither used up nor superseded.
    fn revoke(&mut self, name: &str) {
        match self.tokens.get(name).map(|token| (token.kind, token.grant, token.ended)) {
            Some((Kind::Child, _, _)) => self.end(name),
            Some((Kind::Access | Kind::Refresh, grant, false)) => self.end_grant(grant),
            Some(_) | None => {}
        }
    }

    fn end_grant(&mut self, number: usize) {
        let Some(grant) = self.grants.get(number).cloned() else { return };
        for pair in [Some(grant.current), grant.pending].into_iter().flatten() {
            self.end(&pair.access);
            self.end(&pair.refresh);
        }
    }

    /// The first use of a pending pair: it becomes the current one, and the one before is dead.
    fn settle(&mut self, name: &str) {
        let Some(grant) = self.tokens.get(name).and_then(|token| self.grants.get_mut(token.grant)) else {
            return;
        };
        if !grant.pending.as_ref().is_some_and(|pair| pair.access == name || pair.refresh == name) {
            return;
        }
        let Some(pending) = grant.pending.take() else { return };
        let before = core::mem::replace(&mut grant.current, pending);
        self.end(&before.access);
        self.end(&before.refresh);
    }

    fn pair(&mut self, number: usize, now: u64) -> Pair {
        let access = self.access(number, now);
        let count = self.grants.get_mut(number).map_or(0, |grant| {
            grant.refreshes += 1;
            grant.refreshes
        });
        let refresh = format!("r{number}.{count}");
        self.enter(&refresh, Kind::Refresh, number, self.refresh_seconds, now);
        Pair { access, refresh }
    }

    fn access(&mut self, number: usize, now: u64) -> String {
        let count = self.grants.get_mut(number).map_or(0, |grant| {
            grant.accesses += 1;
            grant.accesses
        });
        let access = format!("a{number}.{count}");
        self.enter(&access, Kind::Access, number, ACCESS_SECONDS, now);
        access
    }

    fn say(&self, pair: Pair, now: u64) -> Said {
        let expires_at = self.tokens.get(&pair.access).map_or(now, |token| token.expires_at);
        Said::Pair {
            access: pair.access,
            refresh: pair.refresh,
            seconds: expires_at.saturating_sub(now) / 1000,
        }
    }

    fn enter(&mut self, name: &str, kind: Kind, grant: usize, seconds: u64, now: u64) {
        let token = Token { kind, grant, expires_at: now + seconds * 1000, ended: false };
        self.tokens.insert(name.to_owned(), token);
    }

    fn end(&mut self, name: &str) {
        if let Some(token) = self.tokens.get_mut(name) {
            token.ended = true;
        }
    }
}
