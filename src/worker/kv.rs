//! KV: login transactions, and the copies of sealed grants.

use core::time::Duration;

use keyhole_core::{
    app::{Store, StoreFault},
    keeper::{KeeperName, KvSilent},
    time::Timestamp,
};
use worker::{Env, Result, kv::KvStore};

/// The binding `STORE`.
pub(crate) struct KvBinding(KvStore);

impl KvBinding {
    pub(crate) fn new(env: &Env) -> Result<Self> {
        env.kv("STORE").map(Self)
    }

    /// The copy of a keeper's grant; whether KV confirmed the put.
    pub(crate) async fn put_copy(&self, keeper: &KeeperName, value: &[u8], expires_at: Timestamp) -> bool {
        let put = self.0.put_bytes(&copy_key(keeper), value).map(|put| put.expiration(expires_at.seconds()));
        match put {
            Ok(put) => put.execute().await.is_ok(),
            Err(_) => false,
        }
    }

    /// Whether KV confirmed that the copy is gone.
    pub(crate) async fn delete_copy(&self, keeper: &KeeperName) -> bool {
        self.0.delete(&copy_key(keeper)).await.is_ok()
    }

    /// The copy, or a miss.
    pub(crate) async fn read_copy(
        &self,
        keeper: &KeeperName,
    ) -> core::result::Result<Option<Vec<u8>>, KvSilent> {
        self.0.get(&copy_key(keeper)).bytes().await.map_err(|_| KvSilent)
    }
}

fn copy_key(keeper: &KeeperName) -> String {
    format!("grant:{keeper}")
}

impl Store for KvBinding {
    async fn load(&self, key: &str) -> core::result::Result<Option<Vec<u8>>, StoreFault> {
        self.0.get(key).bytes().await.map_err(|_| StoreFault)
    }

    async fn save(&self, key: &str, value: &[u8], life: Duration) -> core::result::Result<(), StoreFault> {
        let put = self.0.put_bytes(key, value).map_err(|_| StoreFault)?;
        put.expiration_ttl(life.as_secs()).execute().await.map_err(|_| StoreFault)
    }

    async fn forget(&self, key: &str) -> core::result::Result<(), StoreFault> {
        self.0.delete(key).await.map_err(|_| StoreFault)
    }
}
