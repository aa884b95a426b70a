//! What Keyhole does at the edge. No decision is made here: requests become values, values become answers, and the
//! keeper's effects are performed in the order it gives them.

mod ask_box;
mod ask_keeper;
mod convert;
mod keeper;
mod kv;
mod now;
pub mod storage;

use keyhole_core::{
    app::{self, Answer, Body, Visit},
    config::{Config, ConfigFaults},
    login,
};
use worker::{
    Context, Env, Request, Response, Result, event,
    js_sys::{Function, Object, Promise, Reflect},
    wasm_bindgen::{JsCast as _, JsValue},
    wasm_bindgen_futures::JsFuture,
};

use crate::{ask_keeper::KeepersBinding, kv::KvBinding};

/// Every request that is not a static file. See `keyhole_core::app` for what is answered.
///
/// # Errors
/// Only where the runtime itself fails: no request can bring it about.
#[event(fetch)]
pub async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let started = now::now();
    #[cfg(feature = "panic-on-request")]
    panic_if_asked(&request);
    let request = convert::request_in(request).await?;
    let Answer { response, log } = match configuration(&env) {
        Ok(config) => answer(request, &env, &config).await?,
        Err(faults) => app::unconfigured(&request, &faults),
    };
    let (parts, body) = response.into_parts();
    let body = match body {
        Body::Bytes(bytes) => bytes,
        Body::Page(page) => page.fill(&static_page(&env).await?),
    };
    worker::console_log!("{}", log.line(started.until(now::now())));
    convert::response_out(parts, body)
}

/// `cargo xtask chaos` asks for this in a build of its own, and looks that no other build knows the address.
#[cfg(feature = "panic-on-request")]
#[expect(clippy::panic, reason = "it is all that this build is for")]
fn panic_if_asked(request: &Request) {
    if request.path() == "/panic-on-request" {
        panic!("asked for");
    }
}

async fn answer(request: http::Request<Vec<u8>>, env: &Env, config: &Config) -> Result<Answer> {
    let login_admitted = match login::rate_key(&request) {
        Some(key) => admitted(env, key).await,
        None => true,
    };
    let visit = Visit { now: now::now(), entropy: now::entropy()?, login_admitted };
    let (store, keepers) = (KvBinding::new(env)?, KeepersBinding::new(env)?);
    Ok(app::answer(request, visit, config, &store, &keepers).await)
}

/// The settings, if they and the bindings are all there; else every fault at once.
fn configuration(env: &Env) -> core::result::Result<Config, ConfigFaults> {
    let config = Config::parse(|name| env.var(name).ok().map(|value| value.to_string()));
    let missing: Vec<&'static str> = [
        ("STORE", env.kv("STORE").is_err()),
        ("KEEPERS", env.durable_object("KEEPERS").is_err()),
        ("ASSETS", env.assets("ASSETS").is_err()),
        ("LOGIN_LIMIT", env.rate_limiter("LOGIN_LIMIT").is_err()),
    ]
    .into_iter()
    .filter_map(|(binding, missing)| missing.then_some(binding))
    .collect();
    if missing.is_empty() {
        return config;
    }
    let faults = config.err().unwrap_or_else(ConfigFaults::none);
    Err(missing.into_iter().fold(faults, ConfigFaults::and_missing_binding))
}

/// Whether this address may start one more login. A limiter that fails does not keep people out.
async fn admitted(env: &Env, key: String) -> bool {
    limit(env, &key).await.and_then(|outcome| outcome.as_bool()).unwrap_or(true)
}

/// `env.LOGIN_LIMIT.limit({ key })`, spelled out: the wrapper reads its answer through serde, 8 KB for one flag.
async fn limit(env: &Env, key: &str) -> Option<JsValue> {
    let limiter = Reflect::get(env, &"LOGIN_LIMIT".into()).ok()?;
    let limit: Function = Reflect::get(&limiter, &"limit".into()).ok()?.dyn_into().ok()?;
    let asked = Object::new();
    Reflect::set(&asked, &"key".into(), &key.into()).ok()?;
    let promise: Promise = limit.call1(&limiter, &asked).ok()?.dyn_into().ok()?;
    let outcome = JsFuture::from(promise).await.ok()?;
    Reflect::get(&outcome, &"success".into()).ok()
}

async fn static_page(env: &Env) -> Result<String> {
    env.assets("ASSETS")?.fetch("http://assets/index.html", None).await?.text().await
}
