//! The tokens this page holds: in memory, each for one item, until it dies or Box rejects it.

use std::hash::{DefaultHasher, Hasher as _};

use crate::want::{Item, Want};

/// A token for one item. It has no `Debug` and no `Display`, so that none ends in a message by accident.
pub struct PreviewToken(String);

impl PreviewToken {
    /// Wraps what the Worker answered.
    #[must_use]
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The token, for an `Authorization` header to Box and for Box's own library.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A token is renewed when this much of its life remains, or a quarter of it if that is less.
pub const RENEWAL_MARGIN_MS_MAX: f64 = 5.0 * 60.0 * 1000.0;

/// Enough of a token to know it again on a request that an open preview sends with it, and of no use to anybody.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Trace(u64);

impl Trace {
    fn of(token: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(token.as_bytes());
        Self(hasher.finish())
    }
}

/// Tokens of the past that are still recognised.
const PAST_MAX: usize = 50;

/// Tokens held at once; beyond it the one that dies first goes first.
const HELD_MAX: usize = 200;

/// How long before its end a token of this life is renewed, in milliseconds.
#[must_use]
pub fn renewal_margin_ms(life_ms: f64) -> f64 {
    RENEWAL_MARGIN_MS_MAX.min(life_ms / 4.0)
}

/// The tokens held, those of the past, and those that Box rejected. All times are Unix milliseconds.
#[derive(Default)]
pub struct Held {
    tokens: Vec<Holding>,
    past: Vec<(Want, Trace)>,
    refused: Vec<(Want, PreviewToken)>,
}

/// One token that is held.
pub struct Holding {
    want: Want,
    token: PreviewToken,
    scopes: String,
    asked_at_ms: f64,
    expires_at_ms: f64,
}

impl Holding {
    /// The item that it opens.
    #[must_use]
    pub fn item(&self) -> &Item {
        &self.want.item
    }

    /// What it allows, as the Worker said it, parted by spaces.
    #[must_use]
    pub fn scopes(&self) -> &str {
        &self.scopes
    }

    /// When it dies.
    #[must_use]
    pub fn expires_at_ms(&self) -> f64 {
        self.expires_at_ms
    }

    fn is_alive(&self, now_ms: f64) -> bool {
        now_ms < self.expires_at_ms
    }

    fn is_fresh(&self, now_ms: f64) -> bool {
        self.expires_at_ms - now_ms > renewal_margin_ms(self.expires_at_ms - self.asked_at_ms)
    }
}

impl Held {
    /// The token for this wish, if it need not be renewed yet.
    #[must_use]
    pub fn fresh(&self, want: &Want, now_ms: f64) -> Option<&PreviewToken> {
        self.holding(want).filter(|held| held.is_fresh(now_ms)).map(|held| &held.token)
    }

    /// The token for this wish while it lives: better than none when a renewal fails.
    #[must_use]
    pub fn alive(&self, want: &Want, now_ms: f64) -> Option<&PreviewToken> {
        self.holding(want).filter(|held| held.is_alive(now_ms)).map(|held| &held.token)
    }

    /// Whether there is or was a token for this wish, as far back as is remembered.
    #[must_use]
    pub fn was_for(&self, want: &Want) -> bool {
        let mut refused = self.refused.iter().map(|(want, _)| want);
        let mut past = self.past.iter().map(|(want, _)| want);
        self.holding(want).is_some() || refused.any(|known| known == want) || past.any(|known| known == want)
    }

    fn holding(&self, want: &Want) -> Option<&Holding> {
        self.tokens.iter().find(|held| held.want == *want)
    }

    /// Keeps a new token. `asked_at_ms` is before the request left, so that the life is never overrated.
    pub fn keep(&mut self, want: Want, token: PreviewToken, scopes: String, asked_at_ms: f64, life_s: f64) {
        self.drop_wanted(&want, asked_at_ms);
        if self.tokens.len() >= HELD_MAX {
            self.drop_first_to_die();
        }
        let expires_at_ms = asked_at_ms + life_s * 1000.0;
        self.tokens.push(Holding { want, token, scopes, asked_at_ms, expires_at_ms });
    }

    /// Box rejected this token: it is dropped, and reported with the next ask for the same.
    /// `false` when it is none of ours, or not the present one.
    pub fn refuse(&mut self, token: &str) -> bool {
        let Some(at) = self.tokens.iter().position(|held| held.token.expose() == token) else { return false };
        let held = self.tokens.swap_remove(at);
        self.refused.retain(|(want, _)| *want != held.want);
        self.refused.push((held.want, held.token));
        true
    }

    /// Takes the rejected token of this wish, to be reported. It stays known as one of the past.
    pub fn take_refused(&mut self, want: &Want) -> Option<String> {
        let at = self.refused.iter().position(|(refused, _)| refused == want)?;
        let (want, token) = self.refused.swap_remove(at);
        self.past.push((want, Trace::of(token.expose())));
        Some(token.0)
    }

    /// For which wish a token was given, today or in the past: so that its successor can take its place.
    #[must_use]
    pub fn want_of(&self, token: &str) -> Option<&Want> {
        let present = self.tokens.iter().map(|held| (&held.want, &held.token));
        let refused = self.refused.iter().map(|(want, token)| (want, token));
        let known = present.chain(refused).find(|(_, known)| known.expose() == token).map(|(want, _)| want);
        let trace = Trace::of(token);
        known.or_else(|| self.past.iter().find(|(_, past)| *past == trace).map(|(want, _)| want))
    }

    /// What is held now. Dead tokens are not.
    pub fn list(&self, now_ms: f64) -> impl Iterator<Item = &Holding> {
        self.tokens.iter().filter(move |held| held.is_alive(now_ms))
    }

    /// Forgets every token: the session is over. An open preview is still known by what it was given, so that it goes
    /// on once somebody has signed in again.
    pub fn clear(&mut self) {
        let held = core::mem::take(&mut self.tokens).into_iter().map(|held| (held.want, held.token));
        let refused = core::mem::take(&mut self.refused);
        let past = held.chain(refused).map(|(want, token)| (want, Trace::of(token.expose())));
        self.past.extend(past);
        self.forget_the_oldest();
    }

    /// Forgets every token but those that Box has rejected, which are still to be reported.
    pub fn run_dry(&mut self) {
        let refused = core::mem::take(&mut self.refused);
        self.clear();
        self.refused = refused;
    }

    /// Forgets the token of this wish: it is not to be had any more.
    pub fn forget(&mut self, want: &Want) {
        self.set_aside(|held| held.want == *want);
    }

    /// Forgets every token but those of these wishes.
    pub fn keep_only(&mut self, wants: &[Want]) {
        self.set_aside(|held| !wants.contains(&held.want));
    }

    /// Puts tokens among the past.
    fn set_aside(&mut self, is_gone: impl Fn(&Holding) -> bool) {
        let (gone, tokens) = self.tokens.drain(..).partition::<Vec<_>, _>(is_gone);
        self.tokens = tokens;
        self.past.extend(gone.into_iter().map(|held| (held.want, Trace::of(held.token.expose()))));
        self.forget_the_oldest();
    }

    fn forget_the_oldest(&mut self) {
        let surplus = self.past.len().saturating_sub(PAST_MAX);
        self.past.drain(..surplus);
    }

    /// Puts what the new token replaces, and what has died, among the past.
    fn drop_wanted(&mut self, want: &Want, now_ms: f64) {
        self.set_aside(|held| held.want == *want || !held.is_alive(now_ms));
    }

    fn drop_first_to_die(&mut self) {
        let first = self
            .tokens
            .iter()
            .enumerate()
            .min_by(|(_, a), (_, b)| a.expires_at_ms.total_cmp(&b.expires_at_ms));
        if let Some((at, _)) = first {
            self.tokens.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::want::Scopes;

    fn want(item: &str, scopes: &str) -> Want {
        Want { item: Item::parse(item).unwrap(), scopes: Scopes::parse(scopes) }
    }

    const HOUR_S: f64 = 3600.0;
    const MINUTE_MS: f64 = 60_000.0;

    fn holding_an_hour() -> Held {
        let mut held = Held::default();
        held.keep(want("1", ""), PreviewToken::new("one".to_owned()), "item_preview".to_owned(), 0.0, HOUR_S);
        held
    }

    fn text(token: Option<&PreviewToken>) -> Option<&str> {
        token.map(PreviewToken::expose)
    }

    #[test]
    fn a_token_is_served_until_five_minutes_remain() {
        let held = holding_an_hour();
        assert_eq!(text(held.fresh(&want("1", ""), 54.9 * MINUTE_MS)), Some("one"));
        assert_eq!(text(held.fresh(&want("1", ""), 55.0 * MINUTE_MS)), None);
    }

    #[test]
    fn a_short_life_is_renewed_at_its_last_quarter() {
        let mut held = Held::default();
        held.keep(want("1", ""), PreviewToken::new("short".to_owned()), String::new(), 0.0, 60.0);
        assert_eq!(text(held.fresh(&want("1", ""), 44_999.0)), Some("short"));
        assert_eq!(text(held.fresh(&want("1", ""), 45_000.0)), None);
    }

    #[test]
    fn a_token_due_for_renewal_still_serves_until_it_dies() {
        let held = holding_an_hour();
        assert_eq!(text(held.alive(&want("1", ""), 59.9 * MINUTE_MS)), Some("one"));
        assert_eq!(text(held.alive(&want("1", ""), 60.0 * MINUTE_MS)), None);
        assert_eq!(held.list(60.0 * MINUTE_MS).count(), 0);
    }

    #[test]
    fn a_token_serves_its_own_item_and_scopes_only() {
        let held = holding_an_hour();
        assert!(held.fresh(&want("2", ""), 0.0).is_none());
        assert!(held.fresh(&want("1", "base_preview"), 0.0).is_none());
    }

    #[test]
    fn a_rejected_token_is_dropped_and_reported_once() {
        let mut held = holding_an_hour();
        assert!(held.refuse("one"));
        assert!(held.alive(&want("1", ""), 0.0).is_none());
        assert!(held.take_refused(&want("2", "")).is_none());
        assert_eq!(held.take_refused(&want("1", "")).as_deref(), Some("one"));
        assert!(held.take_refused(&want("1", "")).is_none());
        assert!(held.want_of("one").is_some());
    }

    #[test]
    fn a_strange_token_is_not_reported() {
        let mut held = holding_an_hour();
        assert!(!held.refuse("another"));
        assert!(held.take_refused(&want("1", "")).is_none());
        assert_eq!(text(held.fresh(&want("1", ""), 0.0)), Some("one"));
    }

    #[test]
    fn a_replaced_token_is_still_known_as_its_items() {
        let mut held = holding_an_hour();
        held.keep(want("1", ""), PreviewToken::new("two".to_owned()), String::new(), 1.0, HOUR_S);
        assert_eq!(text(held.fresh(&want("1", ""), 1.0)), Some("two"));
        assert!(held.want_of("one").is_some_and(|known| *known == want("1", "")));
        assert!(held.want_of("another").is_none());
        assert_eq!(held.list(1.0).count(), 1);
    }

    #[test]
    fn the_end_of_the_session_leaves_no_token_and_an_open_preview_is_still_known() {
        let mut held = holding_an_hour();
        held.keep(want("1", ""), PreviewToken::new("two".to_owned()), String::new(), 1.0, HOUR_S);
        held.refuse("two");
        held.clear();
        assert_eq!(held.list(0.0).count(), 0);
        assert!(held.alive(&want("1", ""), 0.0).is_none() && held.take_refused(&want("1", "")).is_none());
        for token in ["one", "two"] {
            assert!(held.want_of(token).is_some_and(|known| *known == want("1", "")), "{token}");
        }
        assert!(held.want_of("another").is_none());
        assert!(held.was_for(&want("1", "")) && !held.was_for(&want("2", "")));
    }

    #[test]
    fn what_runs_dry_still_reports_what_box_rejected() {
        let mut held = holding_an_hour();
        held.keep(want("2", ""), PreviewToken::new("two".to_owned()), String::new(), 0.0, HOUR_S);
        held.refuse("one");
        held.run_dry();
        assert_eq!(held.list(0.0).count(), 0);
        assert_eq!(held.take_refused(&want("1", "")).as_deref(), Some("one"));
        assert!(held.take_refused(&want("2", "")).is_none());
    }

    #[test]
    fn what_is_forgotten_is_not_served_and_still_known() {
        let mut held = holding_an_hour();
        for (item, token) in [("2", "two"), ("3", "three")] {
            held.keep(want(item, ""), PreviewToken::new(token.to_owned()), String::new(), 0.0, HOUR_S);
        }
        held.forget(&want("1", ""));
        held.keep_only(&[want("1", ""), want("2", "")]);
        let left: Vec<&str> = held.list(0.0).map(|holding| holding.item().typed()).collect();
        assert_eq!(left, ["file_2"]);
        assert!(held.want_of("one").is_some() && held.want_of("three").is_some());
    }

    #[test]
    fn the_past_does_not_grow_for_ever() {
        let mut held = Held::default();
        for number in 0..3 * PAST_MAX {
            held.keep(want("1", ""), PreviewToken::new(number.to_string()), String::new(), 0.0, HOUR_S);
        }
        held.clear();
        assert!(held.want_of("0").is_none() && held.want_of(&(3 * PAST_MAX - 1).to_string()).is_some());
        assert_eq!(held.past.len(), PAST_MAX);
    }

    #[test]
    fn the_token_that_dies_first_makes_room() {
        let mut held = Held::default();
        for id in 0..=HELD_MAX {
            let life_s = if id == 7 { 60.0 } else { HOUR_S };
            held.keep(
                want(&id.to_string(), ""),
                PreviewToken::new(id.to_string()),
                String::new(),
                0.0,
                life_s,
            );
        }
        assert_eq!(held.list(0.0).count(), HELD_MAX);
        assert!(held.alive(&want("7", ""), 0.0).is_none());
    }
}
