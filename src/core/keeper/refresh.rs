//! Rotation: how a single-use token is replaced without losing it.
//!
//! 1. The attempt is written, with a generation never used before and a deadline. The runtime holds the outgoing call
//!    until that is durable.
//! 2. Box is asked.
//! 3. The sealed pair starts on its way to KV first, and for at most 500 ms nothing touches storage: an instance that
//!    was replaced dies at its next storage access, but a put that has started may still land.
//! 4. The row takes the new pair and settles the attempt, in one write.
//! 5. Only then is the new access token used: Box commits the rotation at first use, and until then the old refresh
//!    token brings the same pair again.
//!
//! An attempt found open at the start is recovered: read KV, adopt a later generation, else replay the old token. A
//! refusal is then believed only when nobody can still be putting the answer into KV.

use core::time::Duration;

use super::{
    CallId, Effect, Flight, Keeper, Timer, Turn,
    log::{Act, Recovered},
    message::{End, KeeperFault},
    plan,
    plan::Retry,
    record::{Attempt, Copy, Debt, Grant, Owed, Row, SealedText, Status, Window},
};
use crate::{
    box_api::{self, BoxAnswer, BoxFault, Pair, Refusal, Unreachable},
    time::Timestamp,
};

/// What is known about refreshing, in this instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Refreshing {
    /// The deadline of an attempt that another instance left open.
    foreign: Option<Timestamp>,
    /// KV has been read since this time, and held nothing newer.
    kv_read_at: Option<Timestamp>,
    /// No new try before this time; what to tell callers until then.
    paused: Option<(Timestamp, KeeperFault)>,
    /// Box could not do it just now: callers wait for another try.
    retry: Option<Retry>,
    /// The generation whose access token Box did not accept.
    refused_generation: Option<u64>,
    /// Exchanges made for the rotation under way.
    attempts: u32,
    /// An answer of this rotation may be lost.
    lost_answer: bool,
    /// The grant is a copy from KV, and the object that may have held a later one is no more.
    restored: bool,
    /// Box has refused the refresh token, and all that can still save the session is a later pair in KV.
    refused: bool,
    /// Somebody needs a refresh: nothing new starts with the present parent.
    pub(super) wanted: bool,
}

impl Refreshing {
    pub(super) fn begin(&mut self, row: Option<&Row>) {
        self.foreign = row.and_then(|row| row.attempt).map(|attempt| attempt.deadline);
        self.lost_answer = self.foreign.is_some();
    }

    /// Whether an instance before this one left an attempt open.
    pub(super) const fn is_recovering(&self) -> bool {
        self.foreign.is_some()
    }

    /// The grant came from KV, which may be behind what an instance before this one was about to put there.
    pub(super) fn begin_restored(&mut self, now: Timestamp) {
        self.foreign = Some(now);
        self.kv_read_at = Some(now);
        self.restored = true;
    }
}

/// A refresh that was asked of Box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    generation: u64,
    asked_at: Timestamp,
    /// With the refresh token before the present one.
    previous: bool,
}

/// A new pair on its way to KV, not yet saved.
#[derive(Clone, Debug)]
pub(super) struct Escrow {
    call: CallId,
    generation: u64,
    grant: Grant,
    sealed: SealedText,
}

impl Keeper {
    /// Whether the parent can be used now, or must be refreshed first.
    pub(super) fn parent_fit(&self, now: Timestamp) -> bool {
        let (Some(row), Some(grant)) = (&self.row, &self.grant) else { return false };
        let paused = self.refreshing.paused.is_some_and(|(until, _)| now < until);
        let paused = paused || self.retry_waits(now) || self.turn_is_stuck(now);
        let known_good =
            self.refreshing.foreign.is_none() && self.refreshing.refused_generation != Some(row.generation);
        known_good && plan::parent_fit(grant, now, paused)
    }

    /// What to tell a caller that needs a refresh while none may be tried.
    pub(super) fn refresh_paused(&self, now: Timestamp) -> Option<KeeperFault> {
        let (until, told) = self.refreshing.paused.filter(|(until, _)| now < *until)?;
        let retry_after = retry_seconds(now.until(until));
        Some(match told {
            KeeperFault::RateLimited { .. } => KeeperFault::RateLimited { retry_after },
            KeeperFault::Recovering { .. } => KeeperFault::Recovering { retry_after },
            KeeperFault::BoxUnavailable { .. } => KeeperFault::BoxUnavailable { retry_after },
            other => other,
        })
    }

    /// Box did not take the access token of this generation. `true` if it is worth another try: the token has been
    /// replaced meanwhile, or will be. A rotation is not repeated where the last one did not help, and not more often
    /// than a few times in some minutes: else each request could bring one about.
    pub(super) fn parent_refused(&mut self, generation: u64, now: Timestamp) -> bool {
        let replaced = self.row.as_ref().is_some_and(|row| row.generation > generation);
        if replaced || self.refreshing.refused_generation == Some(generation) {
            return true;
        }
        if now >= self.refusals.from.plus(plan::REFUSED_PARENT_GRAIN) {
            self.refusals = Window { from: now, count: 0 };
        }
        let helped = self.refusals.count == 0 || self.worked_generation == Some(generation);
        if !helped || self.refusals.count >= plan::REFUSED_PARENTS_MAX {
            return false;
        }
        self.refusals.count = self.refusals.count.saturating_add(1);
        self.refreshing.refused_generation = Some(generation);
        true
    }

    /// The access token has worked: the refresh token before it is of no more use.
    pub(super) fn parent_worked(&mut self, turn: &mut Turn) {
        self.worked_generation = self.row.as_ref().map(|row| row.generation);
        if let Some(grant) = &mut self.grant
            && grant.previous.take().is_some()
        {
            self.reseal(turn);
        }
    }

    /// Starts the refresh that somebody wants, when it can be alone.
    pub(super) fn pump_refresh(&mut self, turn: &mut Turn) {
        let busy = self.parent_in_use() || self.refresh_in_flight() || self.retry_waits(turn.now);
        if !self.refreshing.wanted || busy {
            return;
        }
        if self.refreshing.foreign.is_some() && self.refreshing.kv_read_at.is_none() {
            self.read_copy(turn);
            return;
        }
        self.start_refresh(false, turn);
    }

    fn start_refresh(&mut self, previous: bool, turn: &mut Turn) {
        let Some(grant) = &self.grant else { return };
        let token = if previous { grant.previous.as_ref() } else { None }.unwrap_or(&grant.refresh);
        let request = box_api::refresh(&self.settings.app, token);
        let Some(row) = &mut self.row else { return };
        let generation = row.next_generation();
        row.attempt = Some(Attempt { generation, deadline: turn.now.plus(plan::ATTEMPT_LIFE) });
        turn.row_changed = true;
        self.refreshing.attempts = self.refreshing.attempts.saturating_add(1);
        self.ask_box(Flight::Refresh(Asked { generation, asked_at: turn.now, previous }), request, turn);
    }

    fn retry_waits(&self, now: Timestamp) -> bool {
        self.refreshing.retry.is_some_and(|retry| now < retry.at)
    }

    fn parent_in_use(&self) -> bool {
        self.flights
            .values()
            .any(|flight| matches!(flight, Flight::Mint { .. } | Flight::Browse { .. } | Flight::User { .. }))
    }

    /// A refresh is alone, also among KV calls: an earlier put that lands late would bury its copy.
    fn refresh_in_flight(&self) -> bool {
        let alone = |flight: &Flight| {
            matches!(flight, Flight::Refresh(_) | Flight::ReadCopy | Flight::CopyGrant { .. })
        };
        self.flights.values().any(alone)
    }

    pub(super) fn refresh_answered(
        &mut self,
        asked: Asked,
        answer: Result<BoxAnswer, Unreachable>,
        turn: &mut Turn,
    ) {
        let open = self.row.as_ref().is_some_and(|row| row.status == Status::Open);
        match box_api::judge_pair(answer) {
            Ok(pair) if open => self.escrow(asked, pair, turn),
            Ok(pair) => self.revoke_later(pair.refresh.expose(), plan::REFRESH_TOKEN_LIFE, true, turn),
            Err(_) if !open => {}
            Err(fault) => {
                turn.log(Act::Refused { asked: "refresh_token", error: word(&fault) });
                self.refresh_failed(asked, &fault, turn);
            }
        }
    }

    /// Step 3: the copy in KV starts first. No storage is touched until [`Self::save`].
    fn escrow(&mut self, asked: Asked, pair: Pair, turn: &mut Turn) {
        let (Some(row), Some(old)) = (&self.row, &self.grant) else { return };
        let grant = Grant {
            access_expires_at: asked.asked_at.plus(pair.life),
            access_life: pair.life,
            access: pair.access,
            refresh: pair.refresh,
            // The one that was redeemed brings the same pair again until the new access token has worked.
            previous: old.previous.clone().filter(|_| asked.previous).or_else(|| Some(old.refresh.clone())),
            seen_at: row.seen_at,
            ..old.clone()
        };
        let Some(sealed) = self.seal_grant(&grant, asked.generation, turn) else { return };
        let Some(call) = self.put_copy(asked.generation, sealed.clone(), turn) else { return };
        turn.then.push(Effect::Wait(Timer::Escrow(call), plan::ESCROW_LIMIT));
        self.escrow = Some(Escrow { call, generation: asked.generation, grant, sealed });
    }

    pub(super) fn escrow_waited(&mut self, call: CallId, turn: &mut Turn) {
        if self.escrow.as_ref().is_some_and(|escrow| escrow.call == call) {
            self.save(false, turn);
        }
    }

    /// The escrow's put was answered; `false` if `call` is another put.
    pub(super) fn escrow_put(&mut self, call: CallId, wrote: bool, turn: &mut Turn) -> bool {
        let ours = self.escrow.as_ref().is_some_and(|escrow| escrow.call == call);
        if ours {
            self.save(wrote, turn);
        }
        ours
    }

    /// Step 4: the row takes the new pair.
    fn save(&mut self, copied: bool, turn: &mut Turn) {
        let (Some(escrow), Some(row)) = (self.escrow.take(), &mut self.row) else { return };
        row.generation = escrow.generation;
        row.grant = Some(escrow.sealed);
        row.attempt = None;
        let debt = Debt::new(Owed::Put, turn.now);
        row.kv = (!copied).then_some(debt);
        turn.row_changed = true;
        self.grant = Some(escrow.grant);
        let recovered = self.refreshing.lost_answer.then_some(Recovered::Replayed);
        let attempts = self.refreshing.attempts;
        turn.log(Act::Rotated { generation: escrow.generation, attempts, recovered });
        self.refreshing = Refreshing::default();
        if !self.parent_fit(turn.now) {
            // A replay may bring an access token that is as good as over. One more rotation, but not without end.
            self.pause(turn.now, Duration::from_secs(5), KeeperFault::BoxUnavailable { retry_after: 5 });
        }
    }

    /// KV held a later generation than the row: another instance saved it there.
    pub(super) fn adopt(&mut self, copy: Copy, grant: Grant, turn: &mut Turn) {
        let Some(row) = &mut self.row else { return };
        // Not below the attempt's own: whoever made that attempt may still put an answer under its number.
        let generation = row.attempt.take().map_or(0, |attempt| attempt.generation).max(copy.generation);
        row.generation = generation;
        row.grant = Some(copy.grant);
        row.kv = None;
        turn.row_changed = true;
        self.grant = Some(grant);
        if generation > copy.generation {
            self.reseal(turn);
            self.owe_copy(turn);
        }
        let attempts = self.refreshing.attempts;
        turn.log(Act::Rotated { generation: copy.generation, attempts, recovered: Some(Recovered::Adopted) });
        self.refreshing = Refreshing::default();
    }

    /// KV held nothing later than the row. What Box had refused before it was read is over.
    pub(super) fn nothing_to_adopt(&mut self, turn: &mut Turn) {
        self.refreshing.kv_read_at = Some(turn.now);
        if self.refreshing.refused {
            self.end_refused(turn);
        }
    }

    /// KV did not answer, or not in a form that can be read: look again in a moment.
    pub(super) fn pause_recovery(&mut self, turn: &Turn, told: KeeperFault) {
        self.pause(turn.now, Duration::from_secs(5), told);
    }

    fn refresh_failed(&mut self, asked: Asked, fault: &BoxFault, turn: &mut Turn) {
        match fault {
            BoxFault::Refused(Refusal::InvalidGrant) => self.grant_refused(asked, turn),
            BoxFault::Throttled { .. } | BoxFault::Refused(_) => {
                self.heed_throttle(fault, turn);
                self.settle_attempt(turn);
                self.pause_for(fault, turn);
            }
            // Whether Box acted is not known: the attempt stays open, and the old token is replayed.
            BoxFault::Unreachable(_)
            | BoxFault::Down { .. }
            | BoxFault::Unauthorized
            | BoxFault::Malformed(_) => {
                self.refreshing.lost_answer = true;
                match Retry::after(self.refreshing.retry, fault, turn.now, turn.entropy.draw()) {
                    Some(retry) => {
                        self.refreshing.retry = Some(retry);
                        self.refreshing.wanted = false;
                        turn.retry(retry);
                    }
                    None => self.pause_for(fault, turn),
                }
            }
        }
    }

    /// Box does not know the refresh token. Whether that is believed is the difference between a session lost and
    /// one saved.
    fn grant_refused(&mut self, asked: Asked, turn: &mut Turn) {
        let has_previous = self.grant.as_ref().is_some_and(|grant| grant.previous.is_some());
        if has_previous && !asked.previous {
            self.start_refresh(true, turn);
            return;
        }
        // From when on KV is sure to show what an instance before this one put there.
        let settled = self.refreshing.foreign.map(|deadline| deadline.plus(plan::KV_SETTLE));
        if let Some(sure_at) = settled.filter(|sure_at| turn.now < *sure_at) {
            // KV may show the answer at any moment until then: look again soon.
            let wait = turn.now.until(sure_at).min(Duration::from_secs(15));
            self.pause(turn.now, wait, KeeperFault::Recovering { retry_after: retry_seconds(wait) });
            self.refreshing.kv_read_at = None;
            return;
        }
        // Nobody is signed out before KV has been asked for a later pair.
        let since = settled.unwrap_or(asked.asked_at);
        if self.refreshing.kv_read_at.is_some_and(|read_at| read_at >= since) {
            return self.end_refused(turn);
        }
        self.refreshing.refused = true;
        self.read_copy(turn);
    }

    fn end_refused(&mut self, turn: &mut Turn) {
        let why = match &self.refreshing {
            Refreshing { lost_answer: true, .. } => End::RotationLost,
            Refreshing { restored: true, .. } => End::Superseded,
            _ => End::Revoked,
        };
        self.end(why, turn);
    }

    fn settle_attempt(&mut self, turn: &mut Turn) {
        if self.refreshing.lost_answer {
            return;
        }
        if let Some(row) = &mut self.row {
            row.attempt = None;
            turn.row_changed = true;
        }
    }

    fn pause_for(&mut self, fault: &BoxFault, turn: &Turn) {
        let told = caller_fault(fault);
        let wait = match told {
            KeeperFault::BoxUnavailable { retry_after } | KeeperFault::RateLimited { retry_after } => {
                retry_after
            }
            _ => 30,
        };
        self.pause(turn.now, Duration::from_secs(wait), told);
    }

    fn pause(&mut self, now: Timestamp, wait: Duration, told: KeeperFault) {
        self.refreshing.paused = Some((now.plus(wait), told));
        self.refreshing.retry = None;
        self.refreshing.refused = false;
        self.refreshing.wanted = false;
        // Who waits for this refresh is answered by the pump: `refresh_paused` says with what.
    }

    /// Seals the grant anew under its own generation.
    pub(super) fn reseal(&mut self, turn: &mut Turn) {
        let (Some(row), Some(grant)) = (&self.row, &self.grant) else { return };
        let sealed = self.seal_grant(grant, row.generation, turn);
        if let (Some(row), Some(sealed)) = (&mut self.row, sealed) {
            row.grant = Some(sealed);
            turn.row_changed = true;
        }
    }
}

/// What a caller is told when Box could not be asked or said no to the app itself.
pub(super) fn caller_fault(fault: &BoxFault) -> KeeperFault {
    const SOON: u64 = 5;
    match fault {
        BoxFault::Throttled { retry_after } => {
            KeeperFault::RateLimited { retry_after: retry_after.map_or(SOON, retry_seconds) }
        }
        BoxFault::Down { retry_after, .. } => {
            KeeperFault::BoxUnavailable { retry_after: retry_after.map_or(SOON, retry_seconds) }
        }
        BoxFault::Unreachable(_) | BoxFault::Unauthorized | BoxFault::Malformed(_) => {
            KeeperFault::BoxUnavailable { retry_after: SOON }
        }
        BoxFault::Refused(refusal) => match refusal {
            Refusal::InvalidClient | Refusal::UnauthorizedClient => KeeperFault::Misconfigured,
            Refusal::NotFound | Refusal::InvalidResource => KeeperFault::ItemNotFound,
            Refusal::InvalidScope | Refusal::Forbidden => KeeperFault::Forbidden,
            Refusal::InvalidGrant | Refusal::InvalidRequest | Refusal::Other(_) => {
                KeeperFault::BoxUnavailable { retry_after: SOON }
            }
        },
    }
}

/// A fault's word in a log line.
pub(super) const fn word(fault: &BoxFault) -> &'static str {
    match fault {
        BoxFault::Unreachable(Unreachable::Broken) => "connection_broken",
        BoxFault::Unreachable(Unreachable::Slow) => "timed_out",
        BoxFault::Unreachable(Unreachable::TooLarge) => "too_large",
        BoxFault::Throttled { .. } => "throttled",
        BoxFault::Down { .. } => "server_error",
        BoxFault::Unauthorized => "unauthorized",
        BoxFault::Refused(refusal) => refusal.code(),
        BoxFault::Malformed(_) => "malformed",
    }
}

/// Whole seconds, rounded up, at least one.
pub(super) fn retry_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}
