//! Time, network and objects: what is asked for takes its time and then happens, in order.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use box_emulator::Emulator;
use http::Request;
use keyhole_core::{
    app::{KeeperUnreachable, Keepers, Store, StoreFault},
    box_api::{BoxAnswer, BoxRequest, Unreachable},
    keeper::{
        CallerId, Effect, Event, KeeperName, KvSilent, Settings,
        message::{Message, Reply},
    },
    secret::Entropy,
    time::Timestamp,
};

use crate::{kv::Kv, objects::Object};

/// When every test begins.
pub(crate) const START_MS: u64 = 1_800_000_000_000;
/// What a call to Box takes.
const BOX_MS: u64 = 40;
/// What a call to KV takes.
const KV_MS: u64 = 10;

/// More than this at one instant is a circle.
const STANDING_MAX: u32 = 10_000;

/// What is on its way.
enum Coming {
    Event(KeeperName, u64, Box<Event>),
    Alarm(KeeperName),
}

pub(crate) struct World {
    now_ms: Cell<u64>,
    drawn: Cell<u64>,
    pub(crate) emulator: RefCell<Emulator>,
    pub(crate) kv: Kv,
    settings: RefCell<Rc<Settings>>,
    pub(crate) objects: RefCell<BTreeMap<KeeperName, Object>>,
    coming: RefCell<BTreeMap<(u64, u64), Coming>>,
    numbered: Cell<u64>,
    /// How much has happened at this instant.
    standing: Cell<(u64, u32)>,
    /// Messages that reached an object.
    pub(crate) hops: Cell<u64>,
    /// Blocks written to objects' storage.
    pub(crate) object_writes: Cell<u64>,
    /// The next hops fail like this.
    pub(crate) unreachable: RefCell<VecDeque<KeeperUnreachable>>,
    /// Every request to Box, with its body.
    pub(crate) to_box: RefCell<Vec<Request<Vec<u8>>>>,
    /// Every line that was logged.
    pub(crate) log: RefCell<Vec<String>>,
}

impl World {
    pub(crate) fn new(emulator: Emulator, settings: Settings) -> Self {
        Self {
            now_ms: Cell::new(START_MS),
            drawn: Cell::new(0),
            emulator: RefCell::new(emulator),
            kv: Kv::default(),
            settings: RefCell::new(Rc::new(settings)),
            objects: RefCell::default(),
            coming: RefCell::default(),
            numbered: Cell::new(0),
            standing: Cell::new((0, 0)),
            hops: Cell::new(0),
            object_writes: Cell::new(0),
            unreachable: RefCell::default(),
            to_box: RefCell::default(),
            log: RefCell::default(),
        }
    }

    /// Every instance is gone; the next ones have these settings.
    pub(crate) fn deploy(&self, settings: Settings) {
        let settings = Rc::new(settings);
        for object in self.objects.borrow_mut().values_mut() {
            object.settings = Rc::clone(&settings);
            object.evict();
        }
        *self.settings.borrow_mut() = settings;
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms())
    }

    pub(crate) fn entropy(&self) -> Entropy {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.number(&self.drawn).to_be_bytes());
        Entropy::new(seed)
    }

    fn number(&self, counter: &Cell<u64>) -> u64 {
        counter.set(counter.get() + 1);
        counter.get()
    }

    /// Runs all of these together until each has its end; time passes as what they wait for takes it.
    #[track_caller]
    pub(crate) fn run<'a, T>(
        &self,
        futures: impl IntoIterator<Item = Pin<Box<dyn Future<Output = T> + 'a>>>,
    ) -> Vec<T> {
        let mut futures: Vec<_> = futures.into_iter().map(|future| (future, None)).collect();
        loop {
            for (future, output) in &mut futures {
                if output.is_none()
                    && let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
                {
                    *output = Some(value);
                }
            }
            if futures.iter().all(|(_, output)| output.is_some()) {
                return futures.into_iter().filter_map(|(_, output)| output).collect();
            }
            assert!(self.next(u64::MAX), "somebody waits for what never comes");
        }
    }

    /// Lets time pass, and all that is due in it happen.
    pub(crate) fn pass(&self, span: Duration) {
        let until = self.now_ms() + u64::try_from(span.as_millis()).unwrap();
        while self.next(until) {}
        self.now_ms.set(until);
    }

    /// The next thing that happens, if it is due by then.
    #[track_caller]
    fn next(&self, until_ms: u64) -> bool {
        let since = self.standing.get();
        let still = if since.0 == self.now_ms() { since.1 + 1 } else { 0 };
        self.standing.set((self.now_ms(), still));
        assert!(still < STANDING_MAX, "one thing leads to another and time stands still");
        let alarm = self.next_alarm();
        let event = self.coming.borrow().keys().next().copied();
        match (event, alarm) {
            (Some((at, number)), alarm)
                if at <= until_ms && alarm.as_ref().is_none_or(|(due, _)| at <= *due) =>
            {
                let coming = self.coming.borrow_mut().remove(&(at, number)).unwrap();
                self.now_ms.set(self.now_ms().max(at));
                self.happen(coming);
                true
            }
            (_, Some((at, name))) if at <= until_ms => {
                self.now_ms.set(self.now_ms().max(at));
                self.happen(Coming::Alarm(name));
                true
            }
            _ => false,
        }
    }

    fn next_alarm(&self) -> Option<(u64, KeeperName)> {
        let objects = self.objects.borrow();
        let alarms = objects.iter().filter_map(|(name, object)| Some((object.alarm?.millis(), name.clone())));
        alarms.min_by_key(|(at, _)| *at)
    }

    fn happen(&self, coming: Coming) {
        match coming {
            Coming::Event(name, epoch, event) => {
                if self.objects.borrow().get(&name).is_some_and(|object| object.epoch == epoch) {
                    self.step(&name, *event);
                }
            }
            Coming::Alarm(name) => {
                if let Some(object) = self.objects.borrow_mut().get_mut(&name) {
                    object.alarm = None;
                }
                self.step(&name, Event::Alarm);
            }
        }
    }

    fn step(&self, name: &KeeperName, event: Event) {
        let (effects, log_name) = {
            let mut objects = self.objects.borrow_mut();
            let machine = objects.get_mut(name).unwrap().machine();
            (machine.step(event, self.now(), self.entropy()), machine.log_name())
        };
        for effect in effects {
            self.perform(name, effect, &log_name);
        }
    }

    fn perform(&self, name: &KeeperName, effect: Effect, log_name: &str) {
        let key = format!("grant:{name}");
        match effect {
            Effect::Write(changes) => {
                self.number(&self.object_writes);
                self.objects.borrow_mut().get_mut(name).unwrap().write(changes);
            }
            Effect::AskBox { call, request, limit } => {
                let (after, answer) = self.ask_box(*request, limit);
                self.later(name, after, Event::BoxAnswered(call, answer));
            }
            Effect::PutKv { call, value, expires_at, label: _ } => {
                let wrote = self.kv.put(&key, &value, expires_at.millis(), self.now_ms()).is_ok();
                self.later(name, KV_MS, Event::KvWrote(call, wrote));
            }
            Effect::DeleteKv(call) => {
                let wrote = self.kv.delete(&key).is_ok();
                self.later(name, KV_MS, Event::KvWrote(call, wrote));
            }
            Effect::ReadKv(call) => {
                let value = self.kv.get(&key, self.now_ms()).map_err(|_| KvSilent);
                self.later(name, KV_MS, Event::KvRead(call, value));
            }
            Effect::Wait(timer, span) => {
                self.later(name, u64::try_from(span.as_millis()).unwrap(), Event::Waited(timer));
            }
            Effect::Reply(caller, reply) => {
                self.objects.borrow_mut().get_mut(name).unwrap().reply(caller, &reply);
            }
            Effect::Log(act) => self.log.borrow_mut().push(act.line(log_name)),
        }
    }

    fn later(&self, name: &KeeperName, after_ms: u64, event: Event) {
        let epoch = self.objects.borrow()[name].epoch;
        let at = (self.now_ms() + after_ms, self.number(&self.numbered));
        self.coming.borrow_mut().insert(at, Coming::Event(name.clone(), epoch, Box::new(event)));
    }

    /// Box acts when the request arrives, and its answer comes when it comes.
    fn ask_box(&self, request: BoxRequest, limit: Duration) -> (u64, Result<BoxAnswer, Unreachable>) {
        self.to_box.borrow_mut().push(request.clone());
        let reply = self.emulator.borrow_mut().handle(request, self.now_ms());
        let (took, limit) = (BOX_MS + reply.delay_ms, u64::try_from(limit.as_millis()).unwrap());
        if took > limit {
            return (limit, Err(Unreachable::Slow));
        }
        (took, if reply.drop_connection { Err(Unreachable::Broken) } else { Ok(reply.response) })
    }
}

impl Store for World {
    async fn load(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        self.kv.get(key, self.now_ms()).map_err(|_| StoreFault)
    }

    async fn save(&self, key: &str, value: &[u8], life: Duration) -> Result<(), StoreFault> {
        let expiry = self.now().plus(life).millis();
        self.kv.put(key, value, expiry, self.now_ms()).map_err(|_| StoreFault)
    }

    async fn forget(&self, key: &str) -> Result<(), StoreFault> {
        self.kv.delete(key).map_err(|_| StoreFault)
    }
}

impl Keepers for World {
    /// Through the bytes that cross between Worker and object.
    async fn ask(&self, keeper: &KeeperName, message: &Message) -> Result<Reply, KeeperUnreachable> {
        if let Some(fault) = self.unreachable.borrow_mut().pop_front() {
            return Err(fault);
        }
        let message = Message::decode(&message.encode()).unwrap();
        let caller = CallerId(self.number(&self.hops));
        let slot = Rc::new(RefCell::new(None));
        self.objects
            .borrow_mut()
            .entry(keeper.clone())
            .or_insert_with(|| Object::new(keeper.clone(), Rc::clone(&self.settings.borrow())))
            .waiting
            .insert(caller, Rc::clone(&slot));
        self.step(keeper, Event::Called(caller, message));
        let reply = core::future::poll_fn(|_| match slot.borrow_mut().take() {
            Some(reply) => Poll::Ready(reply),
            None => Poll::Pending,
        })
        .await;
        Reply::decode(&reply).map_err(|_| KeeperUnreachable::Broken)
    }
}
