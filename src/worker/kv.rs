//! KV: login transactions, and the copies of sealed grants.

use core::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use keyhole_core::{
    app::{Store, StoreFault},
    keeper::{CopyLabel, KeeperName, KvSilent},
    time::Timestamp,
};
use worker::{
    Delay, Env, Result,
    kv::{KvError, KvStore},
};

/// A keeper's copy can wait; a keeper that waits for ever cannot.
const COPY_LIMIT: Duration = Duration::from_secs(5);
/// The login cookie carries the same record: a slow KV must not use up the 30 seconds of a code.
const LOGIN_LIMIT: Duration = Duration::from_secs(1);

/// What KV answers in time; a failure and silence are one.
async fn within<T>(
    limit: Duration,
    call: impl Future<Output = core::result::Result<T, KvError>>,
) -> Option<T> {
    match select(pin!(call), pin!(Delay::from(limit))).await {
        Either::Left((answer, _)) => answer.ok(),
        Either::Right(_) => None,
    }
}

/// The binding `STORE`.
#[derive(Debug)]
pub(crate) struct KvBinding(KvStore);

impl KvBinding {
    pub(crate) fn new(env: &Env) -> Result<Self> {
        env.kv("STORE").map(Self)
    }

    pub(crate) const fn of(kv: KvStore) -> Self {
        Self(kv)
    }

    /// The copy of a keeper's grant; whether KV confirmed the put.
    pub(crate) async fn put_copy(
        &self,
        keeper: &KeeperName,
        value: &[u8],
        label: CopyLabel,
        expires_at: Timestamp,
    ) -> bool {
        self.put(&copy_key(keeper), value, Some(label), expires_at).await
    }

    /// The same under any key.
    pub(crate) async fn put(
        &self,
        key: &str,
        value: &[u8],
        label: Option<CopyLabel>,
        expires_at: Timestamp,
    ) -> bool {
        let put = self.0.put_bytes(key, value).map(|put| put.expiration(expires_at.seconds()));
        let put = put.and_then(|put| match label {
            Some(label) => put.metadata(label),
            None => Ok(put),
        });
        match put {
            Ok(put) => within(COPY_LIMIT, put.execute()).await.is_some(),
            Err(_) => false,
        }
    }

    /// Whether KV confirmed that the copy is gone.
    pub(crate) async fn delete_copy(&self, keeper: &KeeperName) -> bool {
        within(COPY_LIMIT, self.0.delete(&copy_key(keeper))).await.is_some()
    }

    /// The copy, or a miss.
    pub(crate) async fn read_copy(
        &self,
        keeper: &KeeperName,
    ) -> core::result::Result<Option<Vec<u8>>, KvSilent> {
        self.read(&copy_key(keeper)).await
    }

    /// The same under any key.
    pub(crate) async fn read(&self, key: &str) -> core::result::Result<Option<Vec<u8>>, KvSilent> {
        within(COPY_LIMIT, self.0.get(key).bytes()).await.ok_or(KvSilent)
    }
}

fn copy_key(keeper: &KeeperName) -> String {
    format!("grant:{keeper}")
}

impl Store for KvBinding {
    async fn load(&self, key: &str) -> core::result::Result<Option<Vec<u8>>, StoreFault> {
        within(LOGIN_LIMIT, self.0.get(key).bytes()).await.ok_or(StoreFault)
    }

    async fn save(&self, key: &str, value: &[u8], life: Duration) -> core::result::Result<(), StoreFault> {
        let put = self.0.put_bytes(key, value).map_err(|_| StoreFault)?;
        within(LOGIN_LIMIT, put.expiration_ttl(life.as_secs()).execute()).await.ok_or(StoreFault)
    }

    async fn forget(&self, key: &str) -> core::result::Result<(), StoreFault> {
        within(LOGIN_LIMIT, self.0.delete(key)).await.ok_or(StoreFault)
    }
}
