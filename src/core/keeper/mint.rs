//! Minting: how a page gets a token for one item.
//!
//! A child in the cache with life enough is served at once: no call to Box, no KV, no write. Anything else is an
//! exchange with the parent token, at most six at once, one for any number of callers; its answer is checked, saved,
//! and only then handed out.

use core::time::Duration;

use litemap::LiteMap;

use super::{
    CallerId, Change, Flight, Keeper, Turn, Wants,
    log::Act,
    message::{HandedToken, KeeperFault, Reply, TokenAnswer, TokensAsk},
    plan::{self, Retry},
    record::{ChildKey, Kind, Pause, Record, SealedToken, Status, Unreadable, decode_child, encode_child},
    refresh::{caller_fault, retry_seconds, word},
};
use crate::{
    box_api::{self, BoxAnswer, BoxFault, Child, ExchangeFault, Refusal, Unreachable},
    item::Item,
    seal::Purpose,
    secret::{Digest, SessionSecret},
    time::Timestamp,
};

/// A caller's tokens: those it has, and those it waits for.
#[derive(Clone, Debug)]
pub(super) struct TokensWanted {
    missing: Vec<ChildKey>,
    answers: LiteMap<Item, TokenAnswer>,
}

impl TokensWanted {
    fn answer(&mut self, key: &ChildKey, answer: TokenAnswer) {
        let waiting = self.missing.len();
        self.missing.retain(|missing| missing != key);
        if self.missing.len() < waiting {
            self.answers.insert(key.item.clone(), answer);
        }
    }

    /// The answers, with `fault` for what is still missing.
    pub(super) fn with_rest(mut self, fault: KeeperFault) -> LiteMap<Item, TokenAnswer> {
        for key in self.missing {
            self.answers.insert(key.item, Err(fault));
        }
        self.answers
    }
}

/// What to do for an item.
enum Plan {
    Serve(HandedToken),
    /// An exchange for it is under way.
    Join,
    Mint,
    /// The parent must be refreshed first.
    Refresh,
    /// Nothing can be started just now.
    Queue,
    Fault(KeeperFault),
}

impl Keeper {
    pub(super) fn tokens_wanted(&mut self, ask: TokensAsk, turn: &mut Turn) -> TokensWanted {
        let mut answers = LiteMap::new();
        let mut missing = Vec::new();
        for item in ask.items {
            let key = ChildKey { item, scopes: ask.scopes.clone() };
            match self.drop_refused(&key, &ask.refused, turn) {
                Ok(()) => missing.push(key),
                Err(fault) => drop(answers.insert(key.item, Err(fault))),
            }
        }
        TokensWanted { missing, answers }
    }

    /// Forgets a child that Box is said to have rejected, once per item and 30 s.
    fn drop_refused(
        &mut self,
        key: &ChildKey,
        refused: &[Digest],
        turn: &mut Turn,
    ) -> Result<(), KeeperFault> {
        let Some(child) = self.children.get(key) else { return Ok(()) };
        let hash = Digest::of(child.token.expose());
        if !refused.iter().any(|other| other.same(&hash)) {
            return Ok(());
        }
        if let Some(at) = self.refused_at.get(key) {
            let again_at = at.plus(plan::REFUSED_GRAIN);
            if turn.now < again_at {
                return Err(KeeperFault::RateLimited {
                    retry_after: retry_seconds(turn.now.until(again_at)),
                });
            }
        }
        self.refused_at.insert(key.clone(), turn.now);
        self.drop_child(key, turn);
        Ok(())
    }

    /// Takes a child out of the cache and sees to its end at Box.
    fn drop_child(&mut self, key: &ChildKey, turn: &mut Turn) {
        self.sealed_children.remove(key);
        turn.changes.push(Change::Delete(Kind::Child, key.name()));
        if let Some(child) = self.children.remove(key) {
            let remains = turn.now.until(child.expires_at);
            self.revoke_later(child.token.expose(), remains, false, turn);
        }
    }

    pub(super) fn unlock_children(&mut self, secret: &SessionSecret) {
        let sealed_children = core::mem::take(&mut self.sealed_children);
        for (key, sealed) in &sealed_children {
            // One that does not open is minted anew when it is asked for.
            if let Ok(child) = self.open_child(key, sealed, secret) {
                self.children.insert(key.clone(), child);
            }
        }
        self.sealed_children = sealed_children;
    }

    fn open_child(
        &self,
        key: &ChildKey,
        sealed: &SealedToken,
        secret: &SessionSecret,
    ) -> Result<Child, Unreadable> {
        let name = key.name();
        let place = self.place(Purpose::Child, 0, &name);
        decode_child(&self.settings.seal_keys.open(&place, Some(secret), &sealed.sealed.bytes()?)?)
    }

    /// Serves, mints, or wants a refresh, for each caller in the order they came.
    pub(super) fn pump_tokens(&mut self, turn: &mut Turn) {
        let waiting: Vec<CallerId> = self.callers.keys().copied().collect();
        for caller in waiting {
            let Some(Wants::Tokens(mut wanted)) =
                self.take_wants(caller, |wants| matches!(wants, Wants::Tokens(_)))
            else {
                continue;
            };
            for key in wanted.missing.clone() {
                match self.plan(&key, turn.now) {
                    Plan::Serve(token) => wanted.answer(&key, Ok(token)),
                    Plan::Fault(fault) => wanted.answer(&key, Err(fault)),
                    Plan::Mint => {
                        if let Err(fault) = self.mint(&key, turn) {
                            wanted.answer(&key, Err(fault));
                        }
                    }
                    Plan::Refresh => self.refreshing.wanted = true,
                    Plan::Join | Plan::Queue => {}
                }
            }
            if wanted.missing.is_empty() {
                turn.reply(caller, Reply::Tokens(wanted.answers));
            } else {
                self.callers.insert(caller, Wants::Tokens(wanted));
            }
        }
    }

    pub(super) fn take_wants(&mut self, caller: CallerId, is: impl Fn(&Wants) -> bool) -> Option<Wants> {
        if self.callers.get(&caller).is_some_and(is) { self.callers.remove(&caller) } else { None }
    }

    fn plan(&self, key: &ChildKey, now: Timestamp) -> Plan {
        if let Some(child) = self.children.get(key).filter(|child| plan::serves(child, now)) {
            return Plan::Serve(handed(child));
        }
        if self.minting(key) {
            return Plan::Join;
        }
        if self.retries.get(key).is_some_and(|retry| now < retry.at) {
            return Plan::Queue;
        }
        if let Some(fault) = self.throttled(now) {
            return Plan::Fault(fault);
        }
        if !self.parent_fit(now) {
            return self.refresh_paused(now).map_or(Plan::Refresh, Plan::Fault);
        }
        let must_wait = self.refreshing.wanted && !self.turn_is_stuck(now);
        if must_wait || self.shared_calls() >= plan::SHARED_CALLS_MAX {
            return Plan::Queue;
        }
        Plan::Mint
    }

    pub(super) fn shared_calls(&self) -> usize {
        let shared = |flight: &&Flight| matches!(flight, Flight::Mint { .. } | Flight::Browse { .. });
        self.flights.values().filter(shared).count()
    }

    /// One exchange hangs, and a refresh would have to wait for it longer than callers do.
    pub(super) fn turn_is_stuck(&self, now: Timestamp) -> bool {
        let hangs = |flight: &Flight| matches!(flight, Flight::Mint { asked_at, .. } if now >= asked_at.plus(plan::CALLER_LIMIT));
        self.flights.values().any(hangs)
    }

    fn minting(&self, key: &ChildKey) -> bool {
        let ours = |flight: &Flight| matches!(flight, Flight::Mint { key: flying, .. } if flying == key);
        self.flights.values().any(ours)
    }

    /// Box said 429, or for how long it is down: it is not asked again before the time it gave.
    pub(super) fn throttled(&self, now: Timestamp) -> Option<KeeperFault> {
        let Pause { until, down } = self.row.as_ref()?.pause.filter(|pause| now < pause.until)?;
        let retry_after = retry_seconds(now.until(until));
        Some(if down {
            KeeperFault::BoxUnavailable { retry_after }
        } else {
            KeeperFault::RateLimited { retry_after }
        })
    }

    pub(super) fn heed_throttle(&mut self, fault: &BoxFault, turn: &mut Turn) {
        let (wait, down) = match (fault, caller_fault(fault)) {
            (BoxFault::Throttled { .. }, KeeperFault::RateLimited { retry_after }) => (retry_after, false),
            // A 503 that says for how long, and for longer than a moment.
            (BoxFault::Down { retry_after: Some(told), .. }, KeeperFault::BoxUnavailable { retry_after })
                if *told > plan::RETRY_WAIT_MAX =>
            {
                (retry_after, true)
            }
            _ => return,
        };
        if let Some(row) = &mut self.row {
            row.pause = Some(Pause { until: turn.now.plus(Duration::from_secs(wait)), down });
            turn.row_changed = true;
        }
    }

    /// Starts an exchange, if the session may have one more.
    fn mint(&mut self, key: &ChildKey, turn: &mut Turn) -> Result<(), KeeperFault> {
        self.count_new(key, turn)?;
        let (Some(row), Some(grant)) = (&self.row, &self.grant) else {
            return Err(KeeperFault::Misconfigured);
        };
        let request = box_api::downscope(&self.settings.app, &grant.access, &key.item, &key.scopes);
        let generation = row.generation;
        self.ask_box(Flight::Mint { key: key.clone(), generation, asked_at: turn.now }, request, turn);
        Ok(())
    }

    /// Counts an exchange for what is not held yet. A second try, or a token in place of a refused one, is not new.
    fn count_new(&mut self, key: &ChildKey, turn: &mut Turn) -> Result<(), KeeperFault> {
        let counted = self.counted.len();
        self.counted.retain(|earlier| earlier != key);
        let is_new = counted == self.counted.len()
            && !self.children.contains_key(key)
            && !self.refused_at.contains_key(key);
        let Some(row) = self.row.as_mut().filter(|_| is_new) else { return Ok(()) };
        let (per_minute, per_day) = (self.settings.new_items_per_minute, self.settings.new_items_per_day);
        row.quota = row
            .quota
            .and_one_more(turn.now, per_minute, per_day)
            .map_err(|wait| KeeperFault::RateLimited { retry_after: retry_seconds(wait) })?;
        turn.row_changed = true;
        Ok(())
    }

    pub(super) fn mint_answered(
        &mut self,
        key: ChildKey,
        generation: u64,
        asked_at: Timestamp,
        answer: Result<BoxAnswer, Unreachable>,
        turn: &mut Turn,
    ) {
        let open = self.row.as_ref().is_some_and(|row| row.status == Status::Open);
        match box_api::judge_child(answer, &key.item, &key.scopes, asked_at) {
            Ok(child) if open => self.keep_child(key, child, turn),
            // The session ended meanwhile: nobody gets it, and Box is told.
            Ok(child) => {
                self.revoke_later(child.token.expose(), turn.now.until(child.expires_at), false, turn)
            }
            Err(ExchangeFault::TooWide { token, reason }) => {
                turn.log(Act::Refused { asked: "token-exchange", error: reason });
                self.revoke_later(token.expose(), plan::TOMBSTONE_SLACK, false, turn);
                self.answer_all(&key, &Err(KeeperFault::TokenTooWide));
            }
            Err(ExchangeFault::Box(fault)) => {
                turn.log(Act::Refused { asked: "token-exchange", error: word(&fault) });
                self.heed_throttle(&fault, turn);
                self.mint_refused(&key, generation, &fault, turn);
            }
        }
    }

    fn keep_child(&mut self, key: ChildKey, child: Child, turn: &mut Turn) {
        self.retries.remove(&key);
        self.outlive(&key, turn);
        self.make_room(&key, turn);
        let name = key.name();
        let Some(sealed) = self.seal(Purpose::Child, 0, &name, &encode_child(&child), turn) else { return };
        let sealed = SealedToken::new(&sealed, child.expires_at);
        turn.changes.push(Change::Put(Record { kind: Kind::Child, name, body: sealed.encode() }));
        self.sealed_children.insert(key.clone(), sealed);
        self.parent_worked(turn);
        turn.log(Act::Minted { count: 1 });
        self.answer_all(&key, &Ok(handed(&child)));
        self.children.insert(key, child);
    }

    /// A child that another takes the place of dies by itself before long; a sign-out before that revokes it, too.
    fn outlive(&mut self, key: &ChildKey, turn: &mut Turn) {
        let old = self.children.get(key).filter(|old| old.expires_at > turn.now);
        if let Some((token, end)) = old.map(|old| (old.token.clone(), old.expires_at)) {
            self.revoke_at(end, token.expose(), turn.now.until(end), false, turn);
        }
    }

    /// Forgets the children that have ended, and one that lives if there are still too many.
    fn make_room(&mut self, coming: &ChildKey, turn: &mut Turn) {
        let ended: Vec<ChildKey> = self
            .sealed_children
            .iter()
            .filter(|(key, sealed)| *key != coming && sealed.expires_at <= turn.now)
            .map(|(key, _)| key.clone())
            .collect();
        for key in ended {
            self.children.remove(&key);
            self.sealed_children.remove(&key);
            turn.changes.push(Change::Delete(Kind::Child, key.name()));
        }
        if self.sealed_children.len() >= plan::CHILDREN_MAX && !self.sealed_children.contains_key(coming) {
            let first = self.sealed_children.iter().min_by_key(|(_, sealed)| sealed.expires_at);
            if let Some(key) = first.map(|(key, _)| key.clone()) {
                self.drop_child(&key, turn);
            }
        }
    }

    /// A 401 on an exchange means: refresh once, then try once.
    fn mint_refused(&mut self, key: &ChildKey, generation: u64, fault: &BoxFault, turn: &mut Turn) {
        if is_stale_parent(fault) && self.parent_refused(generation, turn.now) {
            self.counted.push(key.clone());
            return;
        }
        let last = self.retries.remove(key);
        self.retries.retain(|_, retry| !retry.is_old(turn.now));
        let again = Retry::after(last, fault, turn.now, turn.entropy.draw());
        match again.filter(|_| self.retries.len() < plan::RETRIES_AT_ONCE) {
            Some(retry) => {
                self.counted.push(key.clone());
                self.retries.insert(key.clone(), retry);
                turn.retry(retry);
            }
            None => self.answer_all(key, &Err(caller_fault(fault))),
        }
    }

    fn answer_all(&mut self, key: &ChildKey, answer: &TokenAnswer) {
        for (_, wants) in self.callers.iter_mut() {
            if let Wants::Tokens(wanted) = wants {
                wanted.answer(key, answer.clone());
            }
        }
    }
}

/// Whether Box says that the parent token is no longer good.
pub(super) fn is_stale_parent(fault: &BoxFault) -> bool {
    matches!(fault, BoxFault::Unauthorized | BoxFault::Refused(Refusal::InvalidGrant))
}

fn handed(child: &Child) -> HandedToken {
    HandedToken { token: child.token.clone(), scopes: child.scopes.clone(), expires_at: child.expires_at }
}
