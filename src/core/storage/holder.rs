//! Somebody's tokens in a storage: kept, handed out while they are good, refreshed once, forgotten.
//!
//! A refresh is claimed in the storage before Box is asked, and its pair is stored before it is used. So of all who
//! share a storage one asks Box; whoever dies on the way is followed, after the attempt's deadline, by one who asks
//! again with the same refresh token. What to do is decided in [`tokens`](super::tokens); here it is done.

use core::time::Duration;

use thiserror::Error;

use super::{
    Generation, Storage, StorageFault, StoreFault, Stored,
    tokens::{Plan, Seal, Tokens},
};
use crate::{
    box_api::{self, BoxAnswer, BoxApp, BoxFault, BoxRequest, Device, Refusal, Unreachable},
    keeper::{message::End, plan},
    seal::{OpenFault, SealKeys},
    secret::{AuthorizationCode, Entropy, ParentToken, PkceVerifier, RefreshToken, SessionSecret},
    time::Timestamp,
};

/// What a holder needs besides a storage. It asks for the time more than once, because it waits.
#[expect(
    async_fn_in_trait,
    reason = "on workerd nothing is Send; elsewhere the compiler sees through the types"
)]
pub trait Shell {
    /// The time.
    fn now(&self) -> Timestamp;
    /// Randomness never used before.
    fn entropy(&self) -> Entropy;
    /// Sends a request to Box; no answer after `limit` is [`Unreachable::Slow`]. No redirect is followed.
    async fn ask_box(&self, request: BoxRequest, limit: Duration) -> Result<BoxAnswer, Unreachable>;
    /// Waits.
    async fn wait(&self, span: Duration);
}

/// Who holds somebody's tokens. Cheap to make: all that lasts is in the storage.
#[derive(Debug)]
pub struct Holder<'a, T, S> {
    /// Where the tokens are.
    pub storage: &'a T,
    /// The outside.
    pub shell: &'a S,
    /// The app at Box.
    pub app: &'a BoxApp,
    /// The keys that seal.
    pub keys: &'a SealKeys,
    /// A name of the place, such as that of the account.
    pub name: &'a str,
    /// A secret that the tokens' owner brings each time, if there is one: without it the keys open nothing.
    pub secret: Option<&'a SessionSecret>,
}

/// An access token to use. The refresh token stays with the holder.
#[derive(Clone, Debug)]
pub struct Access {
    /// The token, not narrowed: [`box_api::downscope`] makes one that may be given away.
    pub token: ParentToken,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Why there is no access token, or something was not done.
#[derive(Debug, Error)]
pub enum HolderFault {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignedOut,
    /// Box does not know the refresh token any more: sign in again. What is stored stays.
    #[error("Box has ended the grant: {}", .0.word())]
    Ended(End),
    /// What is stored does not open: an operator must look at the keys.
    #[error(transparent)]
    Unreadable(#[from] OpenFault),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageFault),
    /// Box failed, or refused the app itself. Ask again later.
    #[error(transparent)]
    Box(#[from] BoxFault),
    /// Others are at work. Ask again later.
    #[error("somebody else is refreshing; come again")]
    Busy,
}

/// How often one call claims a refresh, or follows what others have stored meanwhile.
const TRIES: u32 = 3;
/// How long to wait before storing once more what the storage did not take.
const STORE_AGAIN: Duration = Duration::from_millis(500);

impl<T: Storage, S: Shell> Holder<'_, T, S> {
    /// Redeems the code of a sign-in and stores its pair. Whoever was signed in here is not any more.
    ///
    /// # Errors
    /// [`HolderFault`].
    pub async fn sign_in(
        &self,
        code: &AuthorizationCode,
        verifier: &PkceVerifier,
    ) -> Result<(), HolderFault> {
        // Asked first: a pair that could not be stored had better not be made.
        let there = self.storage.get_latest().await?;
        let asked_at = self.shell.now();
        let request = box_api::redeem_code(self.app, code, verifier, &Device::default());
        let answer = self.shell.ask_box(request, plan::EXCHANGE_LIMIT).await;
        let tokens = Tokens::signed_in(box_api::judge_pair(answer)?, asked_at);
        let outcome = self.replace(there, &tokens).await;
        if outcome.is_err() {
            // Whoever is told that the sign-in failed will sign in again.
            drop(self.revoke(&tokens).await);
        }
        outcome
    }

    /// Puts the tokens of a sign-in in the place of whatever is there, and ends that.
    async fn replace(&self, there: Stored, tokens: &Tokens) -> Result<(), HolderFault> {
        let mut there = there;
        for _ in 0..TRIES {
            let new = self.sealed(tokens, there.generation().next());
            let Some(found) = self.put(there.generation(), &new).await? else {
                if let Ok(Some(replaced)) = Tokens::open(&there, &self.seal()) {
                    // The sign-in has worked, whatever comes of this.
                    drop(self.revoke(&replaced).await);
                }
                return Ok(());
            };
            there = found;
        }
        Err(HolderFault::Busy)
    }

    /// An access token that is good. To be run to its end, by a task of its own where callers may leave: a refresh that
    /// is dropped half way holds the others up until its deadline, 90 seconds from its start.
    ///
    /// # Errors
    /// [`HolderFault`].
    pub async fn retrieve(&self) -> Result<Access, HolderFault> {
        self.look(self.storage.get().await?, None).await
    }

    /// An access token that is good and is not this one, which Box has not taken.
    ///
    /// # Errors
    /// [`HolderFault`].
    pub async fn retrieve_other_than(&self, refused: &ParentToken) -> Result<Access, HolderFault> {
        self.look(self.storage.get_latest().await?, Some(refused)).await
    }

    /// Ends the grant at Box and clears the place.
    ///
    /// # Errors
    /// [`HolderFault`]; then it is to be done again.
    pub async fn forget(&self) -> Result<(), HolderFault> {
        for _ in 0..TRIES {
            let there = self.storage.get_latest().await?;
            let Some(tokens) = Tokens::open(&there, &self.seal())? else { return Ok(()) };
            self.revoke(&tokens).await?;
            match self.storage.clear(there.generation()).await {
                Ok(()) => return Ok(()),
                Err(StoreFault::Conflict { .. }) => {}
                Err(StoreFault::Failed(fault)) => return Err(fault.into()),
            }
        }
        Err(HolderFault::Busy)
    }

    async fn look(&self, stored: Stored, refused: Option<&ParentToken>) -> Result<Access, HolderFault> {
        let (started, mut stored, mut tries) = (self.shell.now(), stored, 0);
        loop {
            let now = self.shell.now();
            let tokens = Tokens::open(&stored, &self.seal())?.ok_or(HolderFault::SignedOut)?;
            let is_refused = refused.is_some_and(|token| token.expose() == tokens.access.expose());
            match tokens.plan(is_refused, now) {
                Plan::Use => return Ok(Access { token: tokens.access, expires_at: tokens.expires_at }),
                Plan::Wait(span) if started.until(now) < plan::CALLER_LIMIT => self.shell.wait(span).await,
                Plan::Refresh if tries < TRIES => {
                    tries = tries.saturating_add(1);
                    let outcome = self.refresh(stored.generation(), &tokens).await;
                    let may_pass = matches!(outcome, Err(HolderFault::Box(_) | HolderFault::Storage(_)));
                    if may_pass && tokens.still_good(is_refused, self.shell.now()) {
                        return Ok(Access { token: tokens.access, expires_at: tokens.expires_at });
                    }
                    outcome?;
                }
                Plan::Wait(_) | Plan::Refresh => return Err(HolderFault::Busy),
            }
            stored = self.storage.get_latest().await?;
        }
    }

    /// Claims the refresh, asks Box, stores what it said. Success says no more than that it is worth looking again:
    /// others may have come before.
    async fn refresh(&self, after: Generation, tokens: &Tokens) -> Result<(), HolderFault> {
        let asked_at = self.shell.now();
        let attempt = Some(asked_at.plus(plan::ATTEMPT_LIFE));
        let claim = Tokens { attempt, ..tokens.clone() };
        let claimed = after.next();
        if self.put(after, &self.sealed(&claim, claimed)).await?.is_some() {
            return Ok(());
        }
        let request = box_api::refresh(self.app, &tokens.refresh);
        let answer = self.shell.ask_box(request, plan::EXCHANGE_LIMIT).await;
        match box_api::judge_pair(answer) {
            Ok(pair) => self.save(claimed, &tokens.refreshed(pair, asked_at), &tokens.refresh).await,
            Err(fault) => self.give_up(claimed, tokens, fault).await,
        }
    }

    /// Nobody need wait for this attempt. Whether Box acted may be unknown; then that is remembered.
    async fn give_up(&self, after: Generation, tokens: &Tokens, fault: BoxFault) -> Result<(), HolderFault> {
        let settled = matches!(fault, BoxFault::Throttled { .. } | BoxFault::Refused(_));
        let attempt = if settled { tokens.attempt } else { Some(self.shell.now()) };
        let released = self.sealed(&Tokens { attempt, ..tokens.clone() }, after.next());
        match self.put(after, &released).await {
            // Somebody signed in or out meanwhile, or got further: Box's word was about what is no more.
            Ok(Some(_)) => Ok(()),
            _ if fault == BoxFault::Refused(Refusal::InvalidGrant) => {
                let lost = tokens.attempt.is_some();
                Err(HolderFault::Ended(if lost { End::RotationLost } else { End::Revoked }))
            }
            _ => Err(fault.into()),
        }
    }

    /// Stores a new pair, for which `redeemed` was given. One that has no place any more is revoked: nobody would
    /// ever use it.
    async fn save(
        &self,
        after: Generation,
        tokens: &Tokens,
        redeemed: &RefreshToken,
    ) -> Result<(), HolderFault> {
        let (mut after, mut generation) = (after, after.next());
        for _ in 0..TRIES {
            let Some(found) = self.put(after, &self.sealed(tokens, generation)).await? else { return Ok(()) };
            let theirs = Tokens::open(&found, &self.seal())?;
            match theirs.filter(|theirs| theirs.signed_in_at == tokens.signed_in_at) {
                // The storage has lost what it held.
                _ if found.generation() < after => {}
                // Whoever took us for dead has got no further: this is the only pair there is.
                Some(theirs) if theirs.refresh.expose() == redeemed.expose() => {}
                Some(_) => return Ok(()),
                None => return self.revoke(tokens).await,
            }
            after = found.generation();
            generation = generation.max(after.next());
        }
        Err(HolderFault::Busy)
    }

    /// Stores, and once more where the storage did not say whether it has. What is there instead, if something is.
    async fn put(&self, after: Generation, new: &Stored) -> Result<Option<Stored>, HolderFault> {
        let mut tries = 1;
        loop {
            match self.storage.store(after, new).await {
                Ok(()) => return Ok(None),
                Err(StoreFault::Conflict { found }) => return Ok((found != *new).then_some(found)),
                Err(StoreFault::Failed(fault)) if tries == TRIES => return Err(fault.into()),
                Err(StoreFault::Failed(_)) => {
                    tries = tries.saturating_add(1);
                    self.shell.wait(STORE_AGAIN).await;
                }
            }
        }
    }

    async fn revoke(&self, tokens: &Tokens) -> Result<(), HolderFault> {
        let request = box_api::revoke(self.app, tokens.refresh.expose());
        let answer = self.shell.ask_box(request, plan::EXCHANGE_LIMIT).await;
        Ok(box_api::judge_revoke(answer)?)
    }

    fn sealed(&self, tokens: &Tokens, generation: Generation) -> Stored {
        tokens.seal(&self.seal(), generation, &mut self.shell.entropy())
    }

    fn seal(&self) -> Seal<'_> {
        let Self { app, keys, name, secret, .. } = self;
        Seal { keys, client_id: &app.client_id, name, secret: *secret }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        secret::{ClientSecret, MasterKey},
        storage::Memory,
    };

    struct Nowhere;

    impl Shell for Nowhere {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }

        fn entropy(&self) -> Entropy {
            Entropy::new([1; 32])
        }

        async fn ask_box(&self, _request: BoxRequest, _limit: Duration) -> Result<BoxAnswer, Unreachable> {
            Err(Unreachable::Broken)
        }

        async fn wait(&self, _span: Duration) {}
    }

    /// It compiles, or it does not.
    #[test]
    fn a_holder_can_work_on_any_thread_where_its_storage_and_shell_can() {
        fn any_thread(_: impl Send) {}
        let app = BoxApp {
            client_id: "app".into(),
            client_secret: ClientSecret::new("secret"),
            authorize_url: "https://account.box.com/api/oauth2/authorize".parse().unwrap(),
            api_url: "https://api.box.com".parse().unwrap(),
        };
        let keys = SealKeys::parse(&format!("k1:{}", MasterKey::new([1; 32]).expose_text())).unwrap();
        let storage = Memory::new();
        let holder = Holder {
            storage: &storage,
            shell: &Nowhere,
            app: &app,
            keys: &keys,
            name: "robin",
            secret: None,
        };
        any_thread(holder.retrieve());
        any_thread(holder.sign_in(&AuthorizationCode::new("code"), &PkceVerifier::new("verifier")));
        any_thread(holder.forget());
    }
}
