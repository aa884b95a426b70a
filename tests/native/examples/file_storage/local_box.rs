//! Box, in this process: the emulator, which is kept on disk so that it, too, survives a restart.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use box_emulator::{Emulator, Options, State};
use http::Request;
use keyhole_core::{
    box_api::{BoxAnswer, BoxApp, BoxRequest, Unreachable},
    secret::{ClientSecret, Entropy},
    storage::Shell,
    time::Timestamp,
};
use serde_json::{Value, json};

/// What Box takes to answer: long enough for two to meet.
const BOX_TAKES: Duration = Duration::from_millis(100);

/// The outside, for everybody in this process: Box, the clock, randomness and patience.
pub(crate) struct LocalBox {
    emulator: Mutex<Emulator>,
    state: PathBuf,
}

impl LocalBox {
    /// Box as the last run left it.
    pub(crate) fn open(state: &Path) -> Result<Self, Box<dyn Error>> {
        let kept = if state.exists() { State::read(&fs::read(state)?, |_| None)? } else { State::new(1) };
        let emulator = Emulator::resume(Options::default(), kept);
        Ok(Self { emulator: Mutex::new(emulator), state: state.to_owned() })
    }

    /// The app at this Box.
    pub(crate) fn app() -> Result<BoxApp, Box<dyn Error>> {
        let options = Options::default();
        let client_secret = options.client_secret().to_owned();
        let Options { api_origin, client_id, .. } = options;
        Ok(BoxApp {
            client_id,
            client_secret: ClientSecret::new(client_secret),
            authorize_url: format!("{api_origin}/api/oauth2/authorize").parse()?,
            api_url: api_origin.parse()?,
        })
    }

    /// Box's answer, and its memory on disk before anybody sees it.
    pub(crate) fn answer(&self, request: Request<Vec<u8>>) -> Result<BoxAnswer, Box<dyn Error>> {
        let mut emulator = self.emulator.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = emulator.handle(request, clock());
        fs::write(&self.state, emulator.state().write()?)?;
        Ok(reply.response)
    }

    /// How often this process asked for tokens by a grant type.
    pub(crate) fn asked_for(&self, grant_type: &str) -> Result<u64, Box<dyn Error>> {
        let calls = self.control("GET", "calls", &Value::Null)?;
        let count =
            calls.get("counts").and_then(|counts| counts.get(format!("POST /oauth2/token {grant_type}")));
        Ok(count.and_then(Value::as_u64).unwrap_or(0))
    }

    /// Time passes.
    pub(crate) fn pass(&self, span: Duration) -> Result<(), Box<dyn Error>> {
        self.control("POST", "clock", &json!({"advance_seconds": span.as_secs()})).map(drop)
    }

    /// The emulator's control API.
    pub(crate) fn control(&self, method: &str, what: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        let uri = format!("{}/emulator/{what}", Options::default().api_origin);
        let request = Request::builder().method(method).uri(uri).body(body.to_string().into_bytes())?;
        Ok(serde_json::from_slice(self.answer(request)?.body())?)
    }
}

impl Shell for LocalBox {
    /// Box's own, which is ahead of the machine's once time has passed.
    fn now(&self) -> Timestamp {
        let status = self.control("GET", "status", &Value::Null).ok();
        let now = status.and_then(|status| status.get("now_ms")?.as_u64());
        Timestamp::from_millis(now.unwrap_or_else(clock))
    }

    fn entropy(&self) -> Entropy {
        Entropy::new(rand::random())
    }

    async fn ask_box(&self, request: BoxRequest, _limit: Duration) -> Result<BoxAnswer, Unreachable> {
        let answer = self.answer(request).map_err(|_| Unreachable::Broken);
        thread::sleep(BOX_TAKES);
        answer
    }

    async fn wait(&self, span: Duration) {
        thread::sleep(span);
    }
}

#[expect(clippy::disallowed_methods, reason = "the program's one look at the clock")]
fn clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
