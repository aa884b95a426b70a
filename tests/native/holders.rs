//! Several holders of one grant, over one storage and one Box, in every order: each call that leaves a holder is a
//! point at which another may go on, time may pass, or its process may die.

use core::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::collections::VecDeque;

use box_emulator::{Emulator, Options, Rotation, Settings};
use http::Request;
use keyhole_core::{
    box_api::{BoxAnswer, BoxApp, BoxRequest, Unreachable},
    seal::SealKeys,
    secret::{AuthorizationCode, ClientSecret, Entropy, ParentToken, PkceVerifier},
    storage::{Generation, Holder, HolderFault, Memory, Shell, Storage, StorageFault, StoreFault, Stored},
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::test_app::{BOX, CLIENT_SECRET, seal_keys};

/// One Box, one storage, one clock.
pub(crate) struct Stage {
    pub(crate) emulator: RefCell<Emulator>,
    pub(crate) memory: RefCell<Memory>,
    pub(crate) now_ms: Cell<u64>,
    drawn: Cell<u64>,
    app: BoxApp,
    keys: SealKeys,
}

impl Stage {
    /// Nobody is signed in.
    pub(crate) fn new(rotation: Rotation) -> Self {
        let settings = Settings { rotation, access_token_seconds: Some(3600), ..Settings::default() };
        Self {
            emulator: RefCell::new(Emulator::new(Options { settings, ..Options::default() })),
            memory: RefCell::new(Memory::new()),
            now_ms: Cell::new(crate::world::START_MS),
            drawn: Cell::new(0),
            app: BoxApp {
                client_id: "keyhole-dev".to_owned(),
                client_secret: ClientSecret::new(CLIENT_SECRET),
                authorize_url: format!("{BOX}/api/oauth2/authorize").parse().unwrap(),
                api_url: BOX.parse().unwrap(),
            },
            keys: SealKeys::parse(&seal_keys()).unwrap(),
        }
    }

    /// Robin has signed in, and the access token has ended since.
    pub(crate) fn at_expiry(rotation: Rotation) -> Self {
        let stage = Self::new(rotation);
        let code = stage.code();
        now(Actor::new(&stage).holder().sign_in(&code, &PkceVerifier::new("v"))).unwrap();
        stage.use_token(&stage.retrieve().unwrap());
        stage.pass(3600);
        stage
    }

    /// A code, as Robin's sign-in at Box brings one.
    pub(crate) fn code(&self) -> AuthorizationCode {
        AuthorizationCode::new(self.control("POST", "grant", &json!({}))["code"].as_str().unwrap())
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.now_ms.set(self.now_ms.get() + seconds * 1000);
    }

    /// What is stored.
    pub(crate) fn stored(&self) -> Stored {
        now(self.memory.borrow().get()).unwrap()
    }

    /// What somebody gets who comes when nobody else is there.
    pub(crate) fn retrieve(&self) -> Result<ParentToken, HolderFault> {
        now(Actor::new(self).holder().retrieve()).map(|access| access.token)
    }

    /// What Box says to this token.
    pub(crate) fn use_token(&self, token: &ParentToken) -> u16 {
        let request = Request::get(format!("{BOX}/2.0/users/me"))
            .header("authorization", format!("Bearer {}", token.expose()));
        let request = request.body(Vec::new()).unwrap();
        self.emulator.borrow_mut().handle(request, self.now_ms.get()).response.status().as_u16()
    }

    /// The emulator's control API.
    pub(crate) fn control(&self, method: &str, what: &str, body: &Value) -> Value {
        let request = Request::builder().method(method).uri(format!("{BOX}/emulator/{what}"));
        let request = request.header("content-type", "application/json");
        let body = if method == "GET" { Vec::new() } else { body.to_string().into_bytes() };
        let reply =
            self.emulator.borrow_mut().handle(request.body(body).unwrap(), self.now_ms.get()).response;
        assert!(reply.status().is_success(), "{what}: {}", String::from_utf8_lossy(reply.body()));
        serde_json::from_slice(reply.body()).unwrap()
    }

    /// How often Box was asked for the next pair.
    pub(crate) fn refreshes(&self) -> u64 {
        self.control("GET", "calls", &Value::Null)["counts"]["POST /oauth2/token refresh_token"]
            .as_u64()
            .unwrap_or_default()
    }

    /// How many refresh tokens are alive at Box.
    pub(crate) fn alive(&self) -> usize {
        let ledger = self.control("GET", "ledger", &Value::Null);
        let tokens = ledger["tokens"].as_array().unwrap().iter();
        tokens.filter(|token| token["kind"] == "refresh" && token["state"] == "live").count()
    }
}

/// What can happen to a store.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    Not,
    /// Nothing is stored, and the storage says so.
    FailsBefore,
    /// It is stored, and the storage says that it is not.
    FailsAfter,
    /// By now the storage holds this.
    Holds(Stored),
}

/// One who acts on a stage.
pub(crate) struct Actor<'a> {
    pub(crate) stage: &'a Stage,
    /// What happens to its next stores.
    pub(crate) troubles: RefCell<VecDeque<Trouble>>,
    /// Box has given it a pair, which is stored nowhere yet.
    pub(crate) in_hand: Cell<bool>,
}

impl<'a> Actor<'a> {
    pub(crate) fn new(stage: &'a Stage) -> Self {
        Self { stage, troubles: RefCell::default(), in_hand: Cell::new(false) }
    }

    pub(crate) fn holder(&self) -> Holder<'_, Self, Self> {
        let Stage { app, keys, .. } = self.stage;
        Holder { storage: self, shell: self, app, keys, name: "robin", secret: None }
    }
}

impl Storage for Actor<'_> {
    async fn get(&self) -> Result<Stored, StorageFault> {
        pause().await;
        now(self.stage.memory.borrow().get())
    }

    async fn store(&self, after: Generation, new: &Stored) -> Result<(), StoreFault> {
        pause().await;
        let trouble = self.troubles.borrow_mut().pop_front().unwrap_or(Trouble::Not);
        if let Trouble::Holds(other) = &trouble {
            *self.stage.memory.borrow_mut() = Memory::holding(other.clone());
        }
        if !matches!(trouble, Trouble::FailsBefore) {
            now(self.stage.memory.borrow().store(after, new))?;
            self.in_hand.set(false);
        }
        match trouble {
            Trouble::FailsBefore | Trouble::FailsAfter => Err(StorageFault::failed("as ordered").into()),
            Trouble::Not | Trouble::Holds(_) => Ok(()),
        }
    }
}

impl Shell for Actor<'_> {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.stage.now_ms.get())
    }

    fn entropy(&self) -> Entropy {
        let drawn = &self.stage.drawn;
        drawn.set(drawn.get() + 1);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&drawn.get().to_be_bytes());
        Entropy::new(seed)
    }

    async fn ask_box(&self, request: BoxRequest, _limit: Duration) -> Result<BoxAnswer, Unreachable> {
        pause().await;
        let is_pair = request.uri().path() == "/oauth2/token";
        let reply = self.stage.emulator.borrow_mut().handle(request, self.stage.now_ms.get());
        self.in_hand.set(is_pair && reply.response.status().is_success());
        if reply.drop_connection { Err(Unreachable::Broken) } else { Ok(reply.response) }
    }

    async fn wait(&self, span: Duration) {
        // Of many short waits the first few are like the rest.
        let over = self.now().plus(span.max(Duration::from_secs(5))).millis();
        pause().await;
        self.stage.now_ms.set(self.stage.now_ms.get().max(over));
    }
}

/// Leaves, once.
pub(crate) async fn pause() {
    let mut left = false;
    poll_fn(|_| if core::mem::replace(&mut left, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// Runs to its end what waits for nobody else.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = core::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

/// What one does, to its end.
pub(crate) type Deed<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// How far a schedule may stray from one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// How often somebody is held up in the middle.
    pub(crate) switches: u32,
    /// How many die in the middle.
    pub(crate) deaths: u32,
}

/// The choices of one schedule: which was taken, of how many.
#[derive(Default)]
pub(crate) struct Choices {
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Choices {
    fn choose(&mut self, of: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, of));
        }
        let (choice, known) = self.taken[self.at];
        assert_eq!(known, of, "the same choices lead to the same place");
        self.at += 1;
        choice
    }

    /// On to the next schedule, if there is one.
    pub(crate) fn advance(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, of)) = self.taken.pop() {
            if choice + 1 < of {
                self.taken.push((choice + 1, of));
                return true;
            }
        }
        false
    }

    /// Lets all act in the order of this schedule. Who died.
    pub(crate) fn act(&mut self, deeds: Vec<Deed<'_>>, bounds: Bounds) -> Vec<usize> {
        let mut deeds: Vec<Option<Deed<'_>>> = deeds.into_iter().map(Some).collect();
        let Bounds { mut switches, mut deaths } = bounds;
        let (mut acting, mut died) = (0, Vec::new());
        while deeds.iter().any(Option::is_some) {
            let done = deeds[acting].is_none();
            let others: Vec<usize> =
                (0..deeds.len()).filter(|other| *other != acting && deeds[*other].is_some()).collect();
            let may_switch = if done || switches > 0 { others.len() } else { 0 };
            let may_die = usize::from(!done && deaths > 0);
            let choice = self.choose(usize::from(!done) + may_switch + may_die);
            if let Some(other) = choice.checked_sub(usize::from(!done)) {
                if other == may_switch {
                    deeds[acting] = None;
                    deaths -= 1;
                    died.push(acting);
                    continue;
                }
                switches = if done { switches } else { switches - 1 };
                acting = others[other];
            }
            let deed = deeds[acting].as_mut().unwrap();
            if deed.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                deeds[acting] = None;
            }
        }
        died
    }
}
