//! From the Worker to a keeper: one hop, 12 seconds, and one retry where that is harmless.

use core::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use keyhole_core::{
    app::{KeeperUnreachable, Keepers},
    keeper::{
        KeeperName,
        message::{Ask, Message, Reply},
    },
};
use worker::{
    Delay, Env, Error, Method, ObjectNamespace, Request, RequestInit, Result, wasm_bindgen::JsValue,
};

/// Longer than the keeper lets a caller wait, so that its own words come first.
const HOP_LIMIT: Duration = Duration::from_secs(12);

/// The binding `KEEPERS`.
pub(crate) struct KeepersBinding(ObjectNamespace);

impl KeepersBinding {
    pub(crate) fn new(env: &Env) -> Result<Self> {
        env.durable_object("KEEPERS").map(Self)
    }

    async fn hop(&self, keeper: &KeeperName, body: &[u8]) -> core::result::Result<Reply, KeeperUnreachable> {
        let call = pin!(self.call(keeper, body));
        match select(call, pin!(Delay::from(HOP_LIMIT))).await {
            // What does not decode is of another release, and would be so again.
            Either::Left((Ok(bytes), _)) => Ok(Reply::decode(&bytes).unwrap_or(Reply::Skewed)),
            Either::Left((Err(error), _)) if is_overload(&error) => Err(KeeperUnreachable::Overloaded),
            Either::Left((Err(_), _)) => Err(KeeperUnreachable::Broken),
            Either::Right(_) => Err(KeeperUnreachable::Slow),
        }
    }

    async fn call(&self, keeper: &KeeperName, body: &[u8]) -> Result<Vec<u8>> {
        let mut init = RequestInit::new();
        init.with_method(Method::Post).with_body(Some(JsValue::from(body.to_vec())));
        let request = Request::new_with_init("https://keeper/", &init)?;
        let stub = self.0.id_from_name(keeper.as_str())?.get_stub()?;
        let mut response = stub.fetch_with_request(request).await?;
        if response.status_code() != 200 {
            return Err(Error::RustError("the keeper failed".into()));
        }
        response.bytes().await
    }
}

impl Keepers for KeepersBinding {
    async fn ask(
        &self,
        keeper: &KeeperName,
        message: &Message,
    ) -> core::result::Result<Reply, KeeperUnreachable> {
        let body = message.encode();
        let first = self.hop(keeper, &body).await;
        // An object that was reset answers on a fresh stub. A code is never sent twice.
        if matches!(first, Err(KeeperUnreachable::Broken)) && !matches!(message.ask, Ask::Open { .. }) {
            return self.hop(keeper, &body).await;
        }
        first
    }
}

/// The runtime marks such an error, but only its words come through.
fn is_overload(error: &Error) -> bool {
    error.to_string().contains("overloaded")
}
