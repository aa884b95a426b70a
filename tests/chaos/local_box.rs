//! Box: the emulator in the harness's own process, with the way there and back, and with faults.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use box_emulator::{Decision, Emulator, Options, Rotation, Settings};
use http::{Method, Request, Response, header};
use serde_json::{Value, json};
use tokio::time::sleep;
use url::Url;

use crate::clock;
use crate::failure::{OrSaid as _, Outcome, While as _};
use crate::moments::{Fate, Moment, Moments};
use crate::serve::Answers;
use crate::window::Mode;

/// From the Worker to Box and back, half each way.
const LATENCY: Duration = Duration::from_millis(30);
/// Longer than the Worker lets callers wait, and than it waits for Box itself: 10 s and 60 s.
const SLOW_MS: u64 = 15_000;
const NEVER_MS: u64 = 75_000;

const CLIENT_ID: &str = "keyhole-chaos";
const CLIENT_SECRET: &str = "keyhole-chaos-secret-not-a-secret";

/// What the Worker asks of Box, as far as scenarios tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Refresh,
    Exchange,
    Revoke,
    Other,
}

impl Asked {
    fn read(request: &Request<Vec<u8>>) -> Self {
        match request.uri().path() {
            "/oauth2/revoke" => Self::Revoke,
            "/oauth2/token" => {
                let grant = form_urlencoded::parse(request.body())
                    .find(|(name, _)| name == "grant_type")
                    .map(|(_, value)| value.into_owned())
                    .unwrap_or_default();
                match grant.rsplit(':').next() {
                    Some("refresh_token") => Self::Refresh,
                    Some("token-exchange") => Self::Exchange,
                    _ => Self::Other,
                }
            }
            _ => Self::Other,
        }
    }
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BoxFault {
    /// 429 with a second to wait; not processed.
    Throttled,
    /// 500; not processed.
    Broken,
    /// No answer, for longer than callers wait; then the connection is closed.
    Slow {
        /// Whether Box acts all the same.
        processed: bool,
    },
    /// No answer, for longer than the Worker itself waits.
    Silent {
        /// Whether Box acts all the same.
        processed: bool,
    },
    /// The connection is closed without an answer.
    Dropped {
        /// Whether Box acts all the same.
        processed: bool,
    },
}

impl BoxFault {
    /// The order for the emulator's own switch, which then hits the very next call to `path`.
    fn order(self, path: &str) -> Value {
        let when = |processed| if processed { "after" } else { "before" };
        match self {
            Self::Throttled => json!({"path": path, "status": 429, "retry_after": 1}),
            Self::Broken => json!({"path": path, "status": 500}),
            Self::Slow { processed } => {
                json!({"path": path, "delay_ms": SLOW_MS, "drop": when(processed)})
            }
            Self::Silent { processed } => {
                json!({"path": path, "delay_ms": NEVER_MS, "drop": when(processed)})
            }
            Self::Dropped { processed } => json!({"path": path, "drop": when(processed)}),
        }
    }
}

/// Decides by what is asked, and by the body, what goes wrong with a call, if anything.
pub(crate) type Trouble = Box<dyn FnMut(Asked, &[u8]) -> Option<BoxFault> + Send>;

/// The emulator and the way to it.
pub(crate) struct LocalBox {
    address: SocketAddr,
    emulator: Mutex<Emulator>,
    moments: Arc<Moments>,
    trouble: Mutex<Option<Trouble>>,
    /// Pairs that Box made or brought again for a refresh token.
    refreshes: AtomicU64,
}

/// A refresh token that Box issued, by its value, and what it was made from.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) kind: String,
    pub(crate) value: String,
    pub(crate) parent: Option<String>,
    pub(crate) state: String,
}

impl LocalBox {
    /// A Box whose access tokens live this long.
    pub(crate) fn new(
        address: SocketAddr,
        mode: Mode,
        access_token_seconds: u64,
        seed: u64,
        moments: Arc<Moments>,
    ) -> Self {
        let rotation = match mode {
            Mode::Lazy => Rotation::Lazy,
            Mode::Strict => Rotation::Strict,
        };
        let settings = Settings {
            rotation,
            decision: Some(Decision::Grant),
            access_token_seconds: Some(access_token_seconds),
            ..Settings::default()
        };
        let options = Options {
            api_origin: format!("http://{address}"),
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.to_owned()),
            settings,
            seed,
            ..Options::default()
        };
        Self {
            address,
            emulator: Mutex::new(Emulator::new(options)),
            moments,
            trouble: Mutex::new(None),
            refreshes: AtomicU64::new(0),
        }
    }

    /// What makes a Worker take this for Box.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let url = format!("http://{}", self.address);
        vec![
            ("BOX_CLIENT_ID", CLIENT_ID.to_owned()),
            ("BOX_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("BOX_AUTHORIZE_URL", format!("{url}/api/oauth2/authorize")),
            ("BOX_API_URL", url.clone()),
            ("BOX_APP_URL", url),
        ]
    }

    /// The client id that grants are sealed for.
    pub(crate) const fn client_id() -> &'static str {
        CLIENT_ID
    }

    /// From now on `trouble` decides what goes wrong; nothing does without it.
    pub(crate) fn set_trouble(&self, trouble: Option<Trouble>) {
        *lock(&self.trouble) = trouble;
    }

    /// How often Box has made, or brought again, a pair for a refresh token.
    pub(crate) fn refreshes(&self) -> u64 {
        self.refreshes.load(Ordering::Relaxed)
    }

    /// A person at the authorize page, who agrees: where the browser is sent back to.
    ///
    /// # Errors
    /// Box refuses.
    pub(crate) fn agree(&self, authorize: &Url) -> Outcome<Url> {
        let answer = self.ask(Method::GET, authorize.as_str(), &Value::Null, None)?;
        let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        Url::parse(location.or_said("Box sends nobody back")?).or_say("reading where Box sends back to")
    }

    /// Whether Box takes this token for this file (`file_123`).
    pub(crate) fn takes(&self, token: &str, file: &str) -> bool {
        let id = file.strip_prefix("file_").unwrap_or(file);
        let path = format!("http://{}/2.0/files/{id}", self.address);
        self.ask(Method::GET, &path, &Value::Null, Some(token)).is_ok_and(|answer| answer.status() == 200)
    }

    /// Moves Box's clock on.
    ///
    /// # Errors
    /// The emulator refuses.
    pub(crate) fn advance(&self, seconds: u64) -> Outcome {
        self.control("clock", &json!({"advance_seconds": seconds}))
    }

    /// Changes Box's settings.
    ///
    /// # Errors
    /// The emulator refuses.
    pub(crate) fn set(&self, settings: &Value) -> Outcome {
        self.control("settings", settings)
    }

    /// A code and all that was made from it, oldest first.
    ///
    /// # Errors
    /// The emulator tells nothing that can be read.
    pub(crate) fn family(&self, code: &str) -> Outcome<Vec<Issued>> {
        let url = format!("http://{}/emulator/ledger", self.address);
        let answer = self.ask(Method::GET, &url, &Value::Null, None)?;
        let ledger: Value = serde_json::from_slice(answer.body()).or_say("reading Box's ledger")?;
        let rows = ledger.get("tokens").and_then(Value::as_array).or_said("Box's ledger has no tokens")?;
        let mut family: Vec<Issued> = Vec::new();
        for row in rows {
            let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
            let issued = Issued {
                kind: text("kind").or_said("a token of no kind")?,
                value: text("value").or_said("a token of no value")?,
                parent: text("parent"),
                state: text("state").or_said("a token in no state")?,
            };
            let descends = family.iter().any(|member| issued.parent.as_ref() == Some(&member.value));
            if issued.value == code || descends {
                family.push(issued);
            }
        }
        Ok(family)
    }

    fn control(&self, what: &str, body: &Value) -> Outcome {
        let url = format!("http://{}/emulator/{what}", self.address);
        let answer = self.ask(Method::POST, &url, body, None)?;
        let words = || String::from_utf8_lossy(answer.body()).into_owned();
        (answer.status() == 200).then_some(()).or_said(&format!("the emulator refuses {what}: {}", words()))
    }

    /// Asks the emulator directly: no way there and back, no faults.
    fn ask(
        &self,
        method: Method,
        url: &str,
        body: &Value,
        token: Option<&str>,
    ) -> Outcome<Response<Vec<u8>>> {
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = request.body(body).or_say("asking the emulator")?;
        Ok(lock(&self.emulator).handle(request, clock::now_ms()).response)
    }

    /// One call, with what goes wrong with it.
    fn process(&self, asked: Asked, request: Request<Vec<u8>>) -> box_emulator::Reply {
        let fault = lock(&self.trouble).as_mut().and_then(|trouble| trouble(asked, request.body()));
        let path = request.uri().path().to_owned();
        let mut emulator = lock(&self.emulator);
        if let Some(fault) = fault {
            // Ordered and taken under one lock: it hits this call and no other.
            let order = Request::post("/emulator/faults")
                .header(header::HOST, self.address.to_string())
                .body(fault.order(&path).to_string().into_bytes())
                .unwrap_or_default();
            emulator.handle(order, clock::now_ms());
        }
        emulator.handle(request, clock::now_ms())
    }
}

impl Answers for LocalBox {
    async fn answer(self: Arc<Self>, request: Request<Vec<u8>>) -> Option<Response<Vec<u8>>> {
        let under_way = self.moments.enter();
        let asked = Asked::read(&request);
        let (arrived, done) = match asked {
            Asked::Refresh => (Some(Moment::RefreshArrived), Some(Moment::RefreshCommitted)),
            Asked::Exchange => (Some(Moment::ExchangeArrived), Some(Moment::ExchangeMade)),
            Asked::Revoke | Asked::Other => (None, None),
        };
        if let Some(moment) = arrived {
            match self.moments.reached(moment, None).await {
                Fate::Finishes => {}
                Fate::Vanishes => return None,
                Fate::Late(wait) => sleep(wait).await,
            }
        }
        sleep(LATENCY / 2).await;
        let reply = self.process(asked, request);
        // A call that was dropped before it was processed has an answer without a body.
        let good = reply.response.status() == 200 && !reply.response.body().is_empty();
        if asked == Asked::Refresh && good {
            self.refreshes.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(moment) = done.filter(|_| good) {
            self.moments.reached(moment, None).await;
        }
        sleep(LATENCY / 2).await;
        drop(under_way);
        sleep(Duration::from_millis(reply.delay_ms)).await;
        if reply.drop_connection { None } else { Some(reply.response) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_call(body: &str) -> Request<Vec<u8>> {
        Request::post("http://127.0.0.1:9400/oauth2/token").body(body.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn what_is_asked_of_box_is_told_apart() {
        assert_eq!(Asked::read(&token_call("grant_type=refresh_token&refresh_token=x")), Asked::Refresh);
        let exchange = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
        assert_eq!(Asked::read(&token_call(exchange)), Asked::Exchange);
        assert_eq!(Asked::read(&token_call("grant_type=authorization_code")), Asked::Other);
        let revoke = Request::post("http://127.0.0.1:9400/oauth2/revoke").body(Vec::new()).unwrap();
        assert_eq!(Asked::read(&revoke), Asked::Revoke);
    }

    #[tokio::test]
    async fn a_fault_hits_one_call_and_what_was_not_processed_never_happened() {
        let moments = Arc::new(Moments::default());
        let address = SocketAddr::from(([127, 0, 0, 1], 9400));
        let local = Arc::new(LocalBox::new(address, Mode::Strict, 60, 1, Arc::clone(&moments)));
        let mut faults = vec![BoxFault::Dropped { processed: false }, BoxFault::Broken, BoxFault::Throttled];
        local.set_trouble(Some(Box::new(move |_, _| faults.pop())));
        let mut statuses = Vec::new();
        for _ in 0..4 {
            let answer = Arc::clone(&local).answer(token_call("grant_type=refresh_token")).await;
            statuses.push(answer.map(|answer| answer.status().as_u16()));
        }
        // The last one is refused by Box itself: this is no good request.
        assert_eq!(statuses, [Some(429), Some(500), None, Some(400)]);
        assert_eq!(local.refreshes(), 0);
        assert!(!moments.seen().contains(&Moment::RefreshCommitted));
    }
}
