//! The object, and what it answers: see the crate.

use core::{error::Error, fmt::Display, time::Duration};

use keyhole_core::{
    config::Config,
    secret::{AuthorizationCode, PkceVerifier},
    storage::{Copied, Generation, Holder, Storage, StoreFault, Stored, contract},
};
use keyhole_worker::storage::{Edge, KvStorage, ObjectStorage, head_start};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object, wasm_bindgen};

/// The object in which everything lies.
#[durable_object]
pub struct Bench {
    state: State,
    env: Env,
}

impl DurableObject for Bench {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        match self.answer(&request.path()).await {
            Ok(words) => Response::ok(words),
            Err(fault) => Response::error(fault.to_string(), 500),
        }
    }
}

type Answer = core::result::Result<String, Box<dyn Error>>;

impl Bench {
    async fn answer(&self, path: &str) -> Answer {
        let words: Vec<&str> = path.split('/').skip(1).collect();
        match *words.as_slice() {
            ["in_order", "object", name] => kept(contract::in_order(&self.object(name)).await),
            ["in_order", "kv", name] => kept(contract::in_order(&self.kv(name)?).await),
            ["in_order", "object_with_kv", name] => {
                kept(contract::in_order(&self.object_with_kv(name)?).await)
            }
            ["at_once", "object", name] => {
                kept(contract::at_once(&self.object(name), &self.object(name)).await)
            }
            ["at_once", "object_with_kv", name] => {
                let (one, other) = (self.object_with_kv(name)?, self.object_with_kv(name)?);
                kept(contract::at_once(&one, &other).await)
            }
            ["claim", name, after, word] => self.claim(name, Generation::new(after.parse()?), word).await,
            ["held", name] => self.held(name).await,
            ["sign_in" | "retrieve" | "forget", ..] => self.hold(&words).await,
            _ => Ok("Keyhole's storages, on a bench".to_owned()),
        }
    }

    async fn claim(&self, name: &str, after: Generation, word: &str) -> Answer {
        match self.object_with_kv(name)?.store(after, &Stored::new(after.next(), word.into())).await {
            Ok(()) => Ok("won".to_owned()),
            Err(StoreFault::Conflict { .. }) => Ok("lost".to_owned()),
            Err(StoreFault::Failed(fault)) => Err(fault.into()),
        }
    }

    async fn held(&self, name: &str) -> Answer {
        let stored = self.object_with_kv(name)?.get().await?;
        let word = String::from_utf8_lossy(stored.sealed().unwrap_or_default());
        Ok(format!("{} {word}", stored.generation().number()))
    }

    async fn hold(&self, words: &[&str]) -> Answer {
        let config = Config::parse(|name| self.env.var(name).ok().map(|value| value.to_string()));
        let config = config.map_err(|_| "the settings have faults")?;
        let [deed, name, ..] = *words else { return Err("whose tokens?".into()) };
        let (storage, edge) = (self.object_with_kv(name)?, Edge::new()?);
        let (app, keys) = (config.app(), config.keys());
        let holder = Holder { storage: &storage, shell: &edge, app, keys, name, secret: None };
        match (deed, words.get(2)) {
            ("sign_in", Some(code)) => {
                let code = AuthorizationCode::new(*code);
                holder.sign_in(&code, &PkceVerifier::new("Box has no PKCE yet")).await?;
            }
            ("retrieve", None) => return Ok(holder.retrieve().await?.token.expose().to_owned()),
            ("forget", None) => holder.forget().await?,
            _ => return Err("no such deed".into()),
        }
        Ok("ok".to_owned())
    }

    fn object(&self, name: &str) -> ObjectStorage {
        ObjectStorage::new(&self.state, name)
    }

    fn kv(&self, name: &str) -> Result<KvStorage> {
        Ok(KvStorage::new(self.env.kv("STORE")?, name, Duration::from_secs(60 * 60)))
    }

    fn object_with_kv(&self, name: &str) -> Result<impl Storage> {
        Ok(Copied::new(self.object(name), self.kv(name)?, head_start))
    }
}

fn kept<F: Display>(outcome: core::result::Result<(), F>) -> Answer {
    Ok(outcome.map_or_else(|broken| broken.to_string(), |()| "kept".to_owned()))
}
