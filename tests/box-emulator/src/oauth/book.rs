//! The book of every code and token ever issued, and the rules of rotation between them.
//!
//! A *grant* is what a person agreed to: one pair of access and refresh token, and while a refresh is not
//! yet settled a second, pending pair. Box's rotation as observed (its documentation says only "one use"):
//! redeeming RT1 makes a pending pair; the first use of AT2 or RT2 settles it, which ends AT1 and RT1.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::control::rules::Rule;
use crate::control::settings::{Rotation, Settings};
use crate::oauth::actor::Actor;
use crate::refusals::{self, OAuthRefusal};
use crate::world::account::ItemId;
use crate::world::state::Data;

/// An authorization code lives this long.
/// <https://developer.box.com/guides/api-calls/permissions-and-errors/expiration/>
const CODE_SECONDS: u64 = 30;
/// What Box was seen to answer as `expires_in`, lowest and highest.
const ACCESS_SECONDS: (u64, u64) = (3600, 4250);
/// Lengths as Box's: 32 letters and digits, and twice that for a refresh token.
const ACCESS_LENGTH: usize = 32;
const REFRESH_LENGTH: usize = 64;
/// Downscoped tokens are "much longer": nobody may build a column or a cookie for 32.
const CHILD_LENGTH: usize = 420;
/// Above this many, those that ran out more than a day ago are forgotten: the file is written at each change.
/// Refresh tokens stay: an old one is told apart from one that never was.
const TOKENS_KEPT: usize = 5_000;
const LEDGER_SECONDS: u64 = 24 * 60 * 60;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Book {
    issued: u64,
    tokens: BTreeMap<String, Token>,
    grants: BTreeMap<u64, Grant>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    /// Counts all tokens, so that the ledger can tell them in order.
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) holder: Holder,
    /// `None`: everything that `holder.user_id` may reach.
    pub(crate) resource: Option<ItemId>,
    /// For which of its users the app narrowed it.
    pub(crate) actor: Option<Actor>,
    /// The address of the shared link that led to `resource`.
    pub(crate) shared_link: Option<String>,
    /// The token or code that this one was made from.
    pub(crate) parent: Option<String>,
    pub(crate) grant: Option<u64>,
    /// For codes only.
    pub(crate) terms: Option<CodeTerms>,
    pub(crate) issued_at_ms: u64,
    pub(crate) expires_at_ms: u64,
    pub(crate) end: Option<End>,
}

/// For whom a token speaks, to which app it was given, and what it allows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Holder {
    pub(crate) client_id: String,
    pub(crate) user_id: String,
    pub(crate) scopes: BTreeSet<String>,
}

/// What the authorize page promised when it issued a code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeTerms {
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Code,
    Access,
    Refresh,
    Child,
}

/// Why a token ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    Used,
    Superseded,
    Revoked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Live,
    Used,
    Superseded,
    Revoked,
    Expired,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    holder: Holder,
    current: Pair,
    pending: Option<Pair>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    access: String,
    refresh: String,
}

/// What a downscoped token is good for.
#[derive(Debug)]
pub(crate) struct Narrowed {
    pub(crate) holder: Holder,
    pub(crate) target: Target,
    pub(crate) actor: Option<Actor>,
}

/// What a downscoped token is limited to, and the shared link that leads there, if one does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    pub(crate) resource: Option<ItemId>,
    pub(crate) shared_link: Option<String>,
}

/// What a token endpoint answers: the values and the access token's remaining life.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) access: String,
    /// For apps that people log in to.
    pub(crate) refresh: Option<String>,
    pub(crate) expires_in_seconds: u64,
}

impl Book {
    pub(crate) fn find(&self, value: &str) -> Option<&Token> {
        self.tokens.get(value)
    }

    /// The value of the token with that number.
    pub(crate) fn at(&self, number: u64) -> Option<&str> {
        self.tokens.iter().find(|(_, token)| token.number == number).map(|(value, _)| value.as_str())
    }

    /// All tokens, oldest first, with their values.
    pub(crate) fn in_order(&self) -> Vec<(&str, &Token)> {
        let mut all: Vec<_> = self.tokens.iter().map(|(value, token)| (value.as_str(), token)).collect();
        all.sort_by_key(|(_, token)| token.number);
        all
    }

    /// Whether `token` is good at `now_ms`, and if not, why.
    pub(crate) fn standing(&self, token: &Token, settings: &Settings, now_ms: u64) -> Standing {
        match token.end {
            Some(End::Used) => return Standing::Used,
            Some(End::Superseded) => return Standing::Superseded,
            Some(End::Revoked) if settings.keeps(Rule::RevokedToken) => return Standing::Revoked,
            _ if token.expires_at_ms <= now_ms => return Standing::Expired,
            _ => {}
        }
        self.end_of_parents(token, settings).unwrap_or(Standing::Live)
    }

    /// How a downscoped token ended with the one it was made from, or with the one that was made from.
    fn end_of_parents(&self, token: &Token, settings: &Settings) -> Option<Standing> {
        if token.kind != Kind::Child {
            return None;
        }
        let parent = self.find(token.parent.as_deref()?)?;
        if settings.children_die_on_revoke && self.is_revoked(parent) {
            return Some(Standing::Revoked);
        }
        if settings.children_die_on_rotation && parent.end == Some(End::Superseded) {
            return Some(Standing::Superseded);
        }
        self.end_of_parents(parent, settings)
    }

    /// Whether `token` was revoked, or after its own end the grant that it came from.
    fn is_revoked(&self, token: &Token) -> bool {
        let grant = token.grant.and_then(|number| self.grants.get(&number));
        let current = grant.and_then(|grant| self.find(&grant.current.access));
        [Some(token), current].into_iter().flatten().any(|token| token.end == Some(End::Revoked))
    }

    /// Ends the life of every token of `kind` that has not ended yet.
    pub(crate) fn expire(&mut self, kind: Kind, now_ms: u64) {
        for token in self.tokens.values_mut().filter(|token| token.kind == kind) {
            token.expires_at_ms = token.expires_at_ms.min(now_ms);
        }
    }

    /// Marks a code as redeemed.
    pub(crate) fn use_up(&mut self, value: &str) {
        self.end(value, End::Used);
    }

    /// Ends one child, or the whole grant that an access or refresh token belongs to.
    pub(crate) fn revoke(&mut self, value: &str) {
        let Some(token) = self.tokens.get(value) else { return };
        let Some(grant) = token.grant.and_then(|number| self.grants.get(&number)) else {
            self.end(value, End::Revoked);
            return;
        };
        let pairs = [Some(&grant.current), grant.pending.as_ref()].into_iter().flatten();
        let values: Vec<String> =
            pairs.flat_map(|pair| [pair.access.clone(), pair.refresh.clone()]).collect();
        for value in values {
            self.end(&value, End::Revoked);
        }
    }

    /// Ends every token of the holders that are `meant`.
    pub(crate) fn revoke_all(&mut self, meant: impl Fn(&Holder) -> bool) {
        for token in self.tokens.values_mut().filter(|token| meant(&token.holder)) {
            token.end.get_or_insert(End::Revoked);
        }
    }

    /// Whether using `value` would settle a pending refresh.
    pub(crate) fn is_pending(&self, value: &str) -> bool {
        self.grant_of(value)
            .and_then(|(_, grant)| grant.pending.as_ref())
            .is_some_and(|pair| pair.access == value || pair.refresh == value)
    }

    /// The first use of a pending pair: it becomes the current one, and the one before is dead.
    pub(crate) fn settle(&mut self, value: &str) {
        let Some((number, _)) = self.grant_of(value) else { return };
        let Some(grant) = self.grants.get_mut(&number) else { return };
        let Some(pending) = grant.pending.take() else { return };
        let before = std::mem::replace(&mut grant.current, pending);
        self.end(&before.access, End::Superseded);
        self.end(&before.refresh, End::Superseded);
    }

    /// Whether the time in which a refresh token could be redeemed again has passed since it brought `pending`.
    fn replay_is_over(&self, pending: &Pair, settings: &Settings, now_ms: u64) -> bool {
        let since_ms = self.find(&pending.refresh).map_or(now_ms, |token| token.issued_at_ms);
        settings
            .replay_seconds
            .is_some_and(|seconds| now_ms.saturating_sub(since_ms) > seconds.saturating_mul(1000))
    }

    fn grant_of(&self, value: &str) -> Option<(u64, &Grant)> {
        let number = self.find(value)?.grant?;
        Some((number, self.grants.get(&number)?))
    }

    /// The first reason to end stays.
    fn end(&mut self, value: &str, end: End) {
        if let Some(token) = self.tokens.get_mut(value) {
            token.end.get_or_insert(end);
        }
    }

    fn enter(&mut self, value: &str, mut token: Token) {
        if self.tokens.len() >= TOKENS_KEPT {
            let long_ago = token.issued_at_ms.saturating_sub(LEDGER_SECONDS * 1000);
            self.tokens.retain(|_, old| old.kind == Kind::Refresh || old.expires_at_ms > long_ago);
        }
        token.number = self.issued;
        self.issued += 1;
        self.tokens.insert(value.to_owned(), token);
    }
}

impl Data {
    /// An authorization code for what `holder` agreed to.
    pub(crate) fn issue_code(&mut self, holder: Holder, terms: CodeTerms, now_ms: u64) -> String {
        let code = self.entropy.text(ACCESS_LENGTH);
        let token = Token { terms: Some(terms), ..Token::new(Kind::Code, holder, CODE_SECONDS, now_ms) };
        self.book.enter(&code, token);
        code
    }

    /// The first pair of a new grant.
    pub(crate) fn open_grant(
        &mut self,
        code: &str,
        holder: Holder,
        settings: &Settings,
        now_ms: u64,
    ) -> Issued {
        let number = u64::try_from(self.book.grants.len()).unwrap_or(u64::MAX);
        let pair = self.issue_pair(number, code, &holder, settings, now_ms);
        let issued = self.issued(&pair, now_ms);
        self.book.grants.insert(number, Grant { holder, current: pair, pending: None });
        issued
    }

    /// A new pair, or the pending one again, for a refresh token.
    ///
    /// # Errors
    /// Box's two sentences, depending on why the token is not good.
    pub(crate) fn redeem_refresh(
        &mut self,
        client_id: &str,
        refresh: &str,
        settings: &Settings,
        now_ms: u64,
    ) -> Result<Issued, OAuthRefusal> {
        let known = self.book.find(refresh).filter(|token| token.kind == Kind::Refresh);
        let token = known
            .filter(|token| token.holder.client_id == client_id)
            .ok_or(refusals::REFRESH_TOKEN_INVALID)?;
        let (rotation, dies) = match settings.keeps(Rule::RefreshTokenReused) {
            true => (settings.rotation, true),
            false => (Rotation::Lazy, false),
        };
        match self.book.standing(token, settings, now_ms) {
            Standing::Live => {}
            Standing::Superseded if !dies => {}
            Standing::Superseded | Standing::Expired => return Err(refusals::REFRESH_TOKEN_EXPIRED),
            Standing::Used | Standing::Revoked => return Err(refusals::REFRESH_TOKEN_INVALID),
        }
        if self.book.is_pending(refresh) {
            self.book.settle(refresh);
        }
        let (number, grant) = self.book.grant_of(refresh).ok_or(refusals::REFRESH_TOKEN_INVALID)?;
        let (holder, pending) = (grant.holder.clone(), grant.pending.clone());
        let pair = match (pending, rotation) {
            (Some(_), Rotation::Strict) => return Err(refusals::REFRESH_TOKEN_INVALID),
            (Some(pending), Rotation::Lazy) if self.book.replay_is_over(&pending, settings, now_ms) => {
                self.book.use_up(refresh);
                return Err(refusals::REFRESH_TOKEN_INVALID);
            }
            (Some(pending), Rotation::Lazy) if settings.replay_brings_new_pair => {
                self.book.end(&pending.access, End::Superseded);
                self.book.end(&pending.refresh, End::Superseded);
                self.issue_pair(number, refresh, &holder, settings, now_ms)
            }
            (Some(pending), Rotation::Lazy) => self.replay(number, pending, &holder, settings, now_ms),
            (None, _) => self.issue_pair(number, refresh, &holder, settings, now_ms),
        };
        if rotation == Rotation::Strict {
            self.book.use_up(refresh);
        }
        if let Some(grant) = self.book.grants.get_mut(&number) {
            grant.pending = Some(pair.clone());
        }
        Ok(self.issued(&pair, now_ms))
    }

    /// An access token that cannot be refreshed: who may have it can ask again. `seconds`: `None` for as many as
    /// the settings say.
    pub(crate) fn issue_alone(
        &mut self,
        holder: Holder,
        seconds: Option<u64>,
        settings: &Settings,
        now_ms: u64,
    ) -> Issued {
        let seconds = seconds.or(settings.access_token_seconds).unwrap_or_else(|| self.random_life());
        let access = self.entropy.text(ACCESS_LENGTH);
        self.book.enter(&access, Token::new(Kind::Access, holder, seconds, now_ms));
        Issued { access, refresh: None, expires_in_seconds: seconds }
    }

    /// A downscoped token made from `parent`.
    pub(crate) fn issue_child(
        &mut self,
        parent: &str,
        narrowed: Narrowed,
        settings: &Settings,
        now_ms: u64,
    ) -> (String, u64) {
        let fresh = settings.child_token_seconds.unwrap_or_else(|| self.random_life());
        let left = self.book.find(parent).map_or(0, |token| token.seconds_left(now_ms));
        let seconds = if settings.child_capped_by_parent { fresh.min(left) } else { fresh };
        let value = format!("1!{}", self.entropy.text(CHILD_LENGTH));
        let parent = Some(parent.to_owned());
        let Narrowed { holder, target: Target { resource, shared_link }, actor } = narrowed;
        let token = Token::new(Kind::Child, holder, seconds, now_ms);
        let token = Token { resource, shared_link, actor, parent, ..token };
        self.book.enter(&value, token);
        (value, seconds)
    }

    /// The pending pair again. An access token that ran out meanwhile is replaced; its refresh token stays.
    fn replay(
        &mut self,
        number: u64,
        pending: Pair,
        holder: &Holder,
        settings: &Settings,
        now_ms: u64,
    ) -> Pair {
        let alive = self
            .book
            .find(&pending.access)
            .is_some_and(|token| self.book.standing(token, settings, now_ms) == Standing::Live);
        if alive {
            return pending;
        }
        let access = self.issue_access(number, &pending.refresh, holder, settings, now_ms);
        Pair { access, refresh: pending.refresh }
    }

    fn issue_pair(
        &mut self,
        number: u64,
        parent: &str,
        holder: &Holder,
        settings: &Settings,
        now_ms: u64,
    ) -> Pair {
        let access = self.issue_access(number, parent, holder, settings, now_ms);
        let refresh = self.entropy.text(REFRESH_LENGTH);
        let token = Token::new(Kind::Refresh, holder.clone(), settings.refresh_token_seconds, now_ms);
        self.book.enter(&refresh, Token { parent: Some(parent.to_owned()), grant: Some(number), ..token });
        Pair { access, refresh }
    }

    fn issue_access(
        &mut self,
        number: u64,
        parent: &str,
        holder: &Holder,
        settings: &Settings,
        now_ms: u64,
    ) -> String {
        let seconds = settings.access_token_seconds.unwrap_or_else(|| self.random_life());
        let access = self.entropy.text(ACCESS_LENGTH);
        let token = Token::new(Kind::Access, holder.clone(), seconds, now_ms);
        self.book.enter(&access, Token { parent: Some(parent.to_owned()), grant: Some(number), ..token });
        access
    }

    fn issued(&self, pair: &Pair, now_ms: u64) -> Issued {
        let expires_in_seconds = self.book.find(&pair.access).map_or(0, |token| token.seconds_left(now_ms));
        Issued { access: pair.access.clone(), refresh: Some(pair.refresh.clone()), expires_in_seconds }
    }

    fn random_life(&mut self) -> u64 {
        self.entropy.between(ACCESS_SECONDS.0, ACCESS_SECONDS.1)
    }
}

impl Token {
    fn new(kind: Kind, holder: Holder, seconds: u64, now_ms: u64) -> Self {
        Self {
            number: 0,
            kind,
            holder,
            resource: None,
            actor: None,
            shared_link: None,
            parent: None,
            grant: None,
            terms: None,
            issued_at_ms: now_ms,
            expires_at_ms: now_ms.saturating_add(seconds.saturating_mul(1000)),
            end: None,
        }
    }

    fn seconds_left(&self, now_ms: u64) -> u64 {
        self.expires_at_ms.saturating_sub(now_ms) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_book_forgets_what_ran_out_a_day_ago_but_no_refresh_token() {
        let mut book = Book::default();
        let holder = Holder { client_id: String::new(), user_id: String::new(), scopes: BTreeSet::new() };
        let mut enter =
            |name: &str, kind, now_ms| book.enter(name, Token::new(kind, holder.clone(), 60, now_ms));
        enter("refresh", Kind::Refresh, 0);
        (2..TOKENS_KEPT).for_each(|number| enter(&format!("old {number}"), Kind::Child, 0));
        let a_day_later = LEDGER_SECONDS * 1000 + 60_000;
        enter("recent", Kind::Child, a_day_later - 1);
        enter("new", Kind::Child, a_day_later);
        let left: Vec<(&str, u64)> =
            book.in_order().iter().map(|(value, token)| (*value, token.number)).collect();
        let last = u64::try_from(TOKENS_KEPT).expect("small");
        assert_eq!(left, [("refresh", 0), ("recent", last - 1), ("new", last)]);
    }
}
