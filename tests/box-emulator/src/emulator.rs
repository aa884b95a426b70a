//! The whole emulator as one value.

use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use http::header::{DATE, HeaderName};
use http::{Method, Request, StatusCode};

use crate::answer::{self, Response};
use crate::api::cors;
use crate::api::events::Event;
use crate::api::throttle::Throttle;
use crate::control;
use crate::control::calls::{self, Calls};
use crate::control::console;
use crate::control::faults::{Faults, Order};
use crate::control::log::Log;
use crate::control::settings::Settings;
use crate::request::{self, Call, Port};
use crate::route;
use crate::world::account::Account;
use crate::world::apps::{App, Auth};
use crate::world::own_files::OwnFiles;
use crate::world::state::State;

/// The secret of the app when nobody gave one.
const CLIENT_SECRET: &str = "keyhole-dev-secret-not-a-secret";
/// Where the app sends people back to when nobody said where.
const REDIRECT_URI: &str = "http://localhost:8787/auth/callback";
/// The app's CORS allow-list when nobody gave one.
const CORS_ORIGIN: &str = "http://localhost:8787";

/// How an emulator is set up; everything has a default.
///
/// What is `None` was not given: an app that a state holds keeps its own, a new one gets the default.
#[derive(Clone, Debug)]
pub struct Options {
    /// `scheme://host:port` of the API and the authorize page.
    pub api_origin: String,
    /// `scheme://host:port` of file content; a request whose host is this one is a request for content.
    pub content_origin: String,
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: Option<String>,
    /// Where the authorize page may send people back to; an app that is there already keeps others beside them.
    pub redirect_uris: Option<Vec<String>>,
    /// The app's CORS allow-list; an app that is there already keeps others beside them.
    pub cors_origins: Option<Vec<String>>,
    /// The app's scopes: what a login may ask for at most.
    pub scopes: String,
    /// The switches of a new emulator, and again after a reset. A state that is resumed has its own.
    pub settings: Settings,
    /// Files of one's own for Robin's account.
    pub files: OwnFiles,
    /// Decides every token. Fixed in tests; from the operating system otherwise.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            api_origin: "http://127.0.0.1:9400".to_owned(),
            content_origin: "http://127.0.0.1:9401".to_owned(),
            client_id: "keyhole-dev".to_owned(),
            client_secret: None,
            redirect_uris: None,
            cors_origins: None,
            scopes: "root_readwrite".to_owned(),
            settings: Settings::default(),
            files: OwnFiles::default(),
            seed: 1,
        }
    }
}

impl Options {
    /// The secret that a new app has.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        self.client_secret.as_deref().unwrap_or(CLIENT_SECRET)
    }

    /// The app as it is registered at the first start.
    fn new_app(&self) -> App {
        let or_default = |given: &Option<Vec<String>>, default: &str| {
            given.as_ref().map_or_else(|| vec![default.to_owned()], |_| Vec::new())
        };
        let scopes = self.scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned);
        App {
            name: "Keyhole".to_owned(),
            client_secret: self.client_secret().to_owned(),
            redirect_uris: or_default(&self.redirect_uris, REDIRECT_URI),
            cors_origins: or_default(&self.cors_origins, CORS_ORIGIN),
            scopes: scopes.collect(),
            ..App::new(&self.client_id, Auth::OAuth2)
        }
    }
}

/// An answer, and what is to be done with it.
#[derive(Debug)]
pub struct Reply {
    /// What Box answers.
    pub response: http::Response<Vec<u8>>,
    /// To be waited before answering, in milliseconds.
    pub delay_ms: u64,
    /// The connection is to be closed without sending the answer.
    pub drop_connection: bool,
}

/// A Box: its apps, its people and their files, and every token there ever was.
#[derive(Debug)]
pub struct Emulator {
    pub(crate) options: Options,
    pub(crate) settings: Settings,
    pub(crate) state: State,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    pub(crate) throttle: Throttle,
    pub(crate) events: Vec<Event>,
    pub(crate) log: Log,
}

impl Emulator {
    /// An emulator in which nothing has happened yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut state = State::new(options.seed);
        state.edit().settings = options.settings.clone();
        Self::resume(options, state)
    }

    /// An emulator that goes on where `state` was written, with the switches of then: [`State::set`] changes them.
    #[must_use]
    pub fn resume(options: Options, state: State) -> Self {
        let mut emulator = Self {
            settings: Settings { broken: options.settings.broken, ..state.settings.clone() },
            state,
            faults: Faults::default(),
            calls: Calls::default(),
            throttle: Throttle::default(),
            events: Vec::new(),
            log: Log::default(),
            options,
        };
        emulator.prepare();
        emulator
    }

    /// Sees to it that what the options name is there.
    pub(crate) fn prepare(&mut self) {
        self.register_app();
        self.bring_files();
    }

    /// The switches from now on, over restarts, too.
    pub(crate) fn set(&mut self, settings: Settings) {
        if self.state.settings != settings {
            self.state.edit().settings = settings.clone();
        }
        self.settings = settings;
    }

    /// The app of the options. One that is there already keeps what it has, and gets what was given.
    fn register_app(&mut self) {
        let options = &self.options;
        let known = self.state.apps.get(&options.client_id).cloned();
        let mut app = known.unwrap_or_else(|| options.new_app());
        if let Some(secret) = &options.client_secret {
            app.client_secret.clone_from(secret);
        }
        for (known, given) in
            [(&mut app.redirect_uris, &options.redirect_uris), (&mut app.cors_origins, &options.cors_origins)]
        {
            for given in given.iter().flatten() {
                if !known.contains(given) {
                    known.push(given.clone());
                }
            }
        }
        if self.state.apps.get(&app.client_id) != Some(&app) {
            self.state.edit().apps.insert(app.client_id.clone(), app);
        }
    }

    /// What must be kept to go on later.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Answers `request`, which arrived at `now_ms` (milliseconds since 1970).
    pub fn handle(&mut self, request: Request<Vec<u8>>, now_ms: u64) -> Reply {
        let offset_ms = self.settings.clock_offset_seconds.saturating_mul(1000);
        let now_ms = now_ms.saturating_add(self.state.clock_ahead_ms).saturating_add_signed(offset_ms);
        let number = self.calls.next_number();
        let call = Call::read(request, &self.options.content_origin, now_ms, number);
        if !request::is_at_home(&call.authority, [&self.options.api_origin, &self.options.content_origin]) {
            return Reply::at_once(dated(answer::misdirected(), now_ms));
        }
        if console::is_for(&call) {
            return Reply::at_once(dated(console::answer(&call), now_ms));
        }
        if control::is_for(&call) {
            return Reply::at_once(dated(control::answer(self, &call), now_ms));
        }
        let request_id = self.request_id(&call);
        let order = self.faults.take(&call, &request_id);
        let mut reply = self.obey(order, &call);
        reply.response = dated(reply.response, now_ms);
        answer::set(&mut reply.response, HeaderName::from_static("box-request-id"), &request_id);
        if call.method == Method::HEAD {
            reply.response.body_mut().clear();
        }
        reply
    }

    /// The app that calls itself `client_id`.
    pub(crate) fn app(&self, client_id: &str) -> Option<&App> {
        self.state.apps.get(client_id)
    }

    /// The files of the user `user_id`; none, should there be no such user any more.
    pub(crate) fn account(&self, user_id: &str) -> &Account {
        static NOTHING: LazyLock<Account> = LazyLock::new(Account::default);
        self.state.accounts.get(user_id).unwrap_or(&NOTHING)
    }

    /// Processes `call`, unless the fault ordered for it says otherwise, and counts it.
    fn obey(&mut self, order: Order, call: &Call) -> Reply {
        if let Some(token) = calls::token_brought(call).filter(|token| self.state.book.find(token).is_some())
        {
            self.calls.count_use(&token);
        }
        let fault = order.note();
        let Order { delay_ms, answer_instead, process_unheard, drop_before, drop_after, rewrite } = order;
        if drop_before {
            self.calls.record(call, None);
            self.write_down(call, None, fault);
            return Reply { response: answer::empty(StatusCode::OK), delay_ms, drop_connection: true };
        }
        let mut response = match answer_instead {
            Some(mut response) => {
                if process_unheard {
                    route::answer(self, call);
                }
                if call.port == Port::Content || call.path.starts_with("/2.0/") {
                    cors::let_page_read(&mut response, call);
                }
                response
            }
            None => route::answer(self, call),
        };
        if let Some(rewrite) = rewrite {
            rewrite.apply(&mut response);
        }
        self.calls.record(call, Some(response.status()));
        self.write_down(call, Some(&response), fault);
        Reply { response, delay_ms, drop_connection: drop_after }
    }
}

impl Reply {
    fn at_once(response: Response) -> Self {
        Self { response, delay_ms: 0, drop_connection: false }
    }
}

/// The last second of the year 9999.
const LAST_DATE_MS: u64 = 253_402_300_799_000;

/// Box dates its answers, and SDKs correct their clocks by it.
fn dated(mut response: Response, now_ms: u64) -> Response {
    // No date is written for later, and none can be asked for: see `settings::CLOCK_SECONDS_MAX`.
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(now_ms.min(LAST_DATE_MS)));
    answer::set(&mut response, DATE, &date);
    response
}
