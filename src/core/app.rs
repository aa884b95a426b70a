//! A request comes in, an answer goes out: the ports to the outside, and who serves what.

use core::time::Duration;

use http::{HeaderMap, Method, Request, Response, header};
use thiserror::Error;

use crate::{
    config::{Config, ConfigFaults},
    cookies,
    fault::Fault,
    guard::{self, Call},
    hand_over, headers, health, items,
    keeper::{
        KeeperName,
        message::{Message, Reply},
    },
    log::RequestLog,
    login, logout, notice, page,
    page::PageFill,
    problem::Problem,
    route::{Route, Routed, route},
    seal::KeyId,
    secret::Entropy,
    session,
    time::Timestamp,
    tokens,
};

/// No request body of ours is larger: 25 items, their scopes and 25 hashes stay far below it. The shell need not
/// read on beyond it; one byte more is enough for the fault to be told.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// KV, as far as the Worker needs it: sealed logins under way.
#[expect(async_fn_in_trait, reason = "Workers are single-threaded: Send is neither needed nor possible")]
pub trait Store {
    /// What is stored under this key; nothing when it expired or was never there.
    async fn load(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault>;
    /// Stores it for this long.
    async fn save(&self, key: &str, value: &[u8], life: Duration) -> Result<(), StoreFault>;
    /// Deletes it.
    async fn forget(&self, key: &str) -> Result<(), StoreFault>;
}

/// KV did not do it: full, slow or down.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the store failed")]
pub struct StoreFault;

/// The keepers' objects.
#[expect(async_fn_in_trait, reason = "Workers are single-threaded: Send is neither needed nor possible")]
pub trait Keepers {
    /// Asks one. The shell waits 12 s at most and tries once more on a fresh stub after a reset, unless the
    /// message opens a session: that must not happen twice.
    async fn ask(&self, keeper: &KeeperName, message: &Message) -> Result<Reply, KeeperUnreachable>;
}

/// Why a keeper did not answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeeperUnreachable {
    /// The platform says that the object has too much to do.
    #[error("the keeper is overloaded")]
    Overloaded,
    /// No answer in time.
    #[error("the keeper did not answer in time")]
    Slow,
    /// The connection broke, or the answer made no sense.
    #[error("the keeper could not be reached")]
    Broken,
}

/// What the shell knows of a request beside the request.
#[derive(Debug)]
pub struct Visit {
    /// When it came.
    pub now: Timestamp,
    /// Its randomness.
    pub entropy: Entropy,
    /// What the rate limiter said for [`crate::login::rate_key`]; `true` where there was nothing to ask.
    pub login_admitted: bool,
}

/// What goes back, and what is written down of it.
#[derive(Debug)]
pub struct Answer {
    /// To the browser.
    pub response: Response<Body>,
    /// To the log.
    pub log: RequestLog,
}

/// An answer's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// As it is.
    Bytes(Vec<u8>),
    /// The static `index.html`, which the shell fetches, filled in.
    Page(PageFill),
}

/// What every flow needs.
#[derive(Debug)]
pub(crate) struct Context<'a, S, K> {
    pub(crate) config: &'a Config,
    pub(crate) store: &'a S,
    pub(crate) keepers: &'a K,
    pub(crate) now: Timestamp,
}

/// What a flow made, and the fault that was survived or shown on the way, if there was one.
pub(crate) struct Served {
    pub(crate) response: Response<Body>,
    pub(crate) fault: Option<&'static str>,
    pub(crate) missing_key: Option<KeyId>,
}

impl Served {
    pub(crate) const fn new(response: Response<Body>, fault: Option<&'static str>) -> Self {
        Self { response, fault, missing_key: None }
    }
}

impl From<Response<Body>> for Served {
    fn from(response: Response<Body>) -> Self {
        Self::new(response, None)
    }
}

/// Answers a request.
pub async fn answer(
    request: Request<Vec<u8>>,
    visit: Visit,
    config: &Config,
    store: &impl Store,
    keepers: &impl Keepers,
) -> Answer {
    let mut visit = visit;
    let context = Context { config, store, keepers, now: visit.now };
    let routed = route(request.method(), request.uri().path());
    let served = match &routed {
        Ok(routed) => serve(routed, &request, &mut visit, &context).await,
        Err(fault) => Err(*fault),
    };
    let envelope = Envelope::of(&request, config.public_origin.is_https());
    let mut served = served.unwrap_or_else(|fault| envelope.told(fault, &mut visit.entropy));
    if envelope.route.as_ref().is_some_and(Route::is_call) {
        let listed = envelope.origin.and_then(|origin| config.policy.listed(origin));
        headers::share(&mut served.response, listed);
        if served.fault.is_none() {
            cookies::renew_session(&mut served.response, request.headers(), config);
        }
    }
    envelope.finished(served)
}

/// Answers for a Worker whose settings or bindings do not fit: 503 with the list, by variable name.
#[must_use]
pub fn unconfigured(request: &Request<Vec<u8>>, faults: &ConfigFaults) -> Answer {
    let response = health::not_configured(faults).answer();
    Envelope::of(request, false).finished(Served::new(response, Some("not_configured")))
}

async fn serve<S: Store, K: Keepers>(
    routed: &Routed,
    request: &Request<Vec<u8>>,
    visit: &mut Visit,
    context: &Context<'_, S, K>,
) -> Result<Served, Fault> {
    let (config, sent) = (context.config, request.headers());
    let route = match routed {
        Routed::Serve(route) => route,
        Routed::Preflight(route) => return preflight(route, request, config),
    };
    // Whoever watches over this deployment may come by any address.
    if *route != Route::Health {
        our_host(request, config)?;
    }
    if route.is_call() {
        guard::may_call(&Call::read(request.method(), sent), config)?;
    }
    match route {
        Route::Page => Ok(page::page(config, &mut visit.entropy).into()),
        Route::Login => login::start(context, request, visit).await,
        Route::Callback => Ok(login::finish(context, request, &mut visit.entropy).await),
        Route::Done => Ok(notice::done(config, request.uri(), visit).into()),
        Route::HandOver => hand_over::window(config, request, visit).map(Served::from),
        Route::Logout => logout::logout(context, sent).await.map(Served::from),
        Route::Session => session::show(context, sent).await,
        Route::Tokens => tokens::hand_out(context, request).await.map(Served::from),
        Route::Items { folder } => items::list(context, request, folder).await.map(Served::from),
        Route::Health => Ok(health::healthy().into()),
    }
}

/// A preflight is answered for listed origins only; our own pages need none.
fn preflight(route: &Route, request: &Request<Vec<u8>>, config: &Config) -> Result<Served, Fault> {
    our_host(request, config)?;
    let origin = Call::read(request.method(), request.headers()).origin;
    match origin.and_then(|origin| config.policy.listed(origin)) {
        Some(_) => Ok(headers::preflight(route).into()),
        None => Err(guard::Refusal::OriginNotAllowed.into()),
    }
}

fn our_host(request: &Request<Vec<u8>>, config: &Config) -> Result<(), Fault> {
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    Ok(guard::is_our_host(authority, request.headers(), &config.public_origin)?)
}

/// What the form of an answer depends on, whatever it says.
struct Envelope<'a> {
    route: Option<Route>,
    origin: Option<&'a str>,
    bodiless: bool,
    https: bool,
    for_eyes: bool,
}

impl<'a> Envelope<'a> {
    fn of(request: &'a Request<Vec<u8>>, https: bool) -> Self {
        let route = Route::at(request.uri().path());
        Self {
            for_eyes: !route.as_ref().is_some_and(Route::is_call) && wants_html(request.headers()),
            origin: Call::read(request.method(), request.headers()).origin,
            bodiless: *request.method() == Method::HEAD,
            route,
            https,
        }
    }

    /// A fault as its reader understands it: a page of words for a person, else a problem.
    fn told(&self, fault: Fault, entropy: &mut Entropy) -> Served {
        let problem: Problem = fault.problem();
        let mut response =
            if self.for_eyes { notice::of_problem(&problem, entropy) } else { problem.answer() };
        if fault.clears_session() {
            cookies::clear_session(&mut response);
        }
        Served { missing_key: fault.missing_key(), ..Served::new(response, Some(fault.name())) }
    }

    fn finished(&self, served: Served) -> Answer {
        let Served { mut response, fault, missing_key } = served;
        headers::secure(&mut response, self.route.as_ref(), self.https);
        if self.bodiless {
            *response.body_mut() = Body::Bytes(Vec::new());
        }
        let log = RequestLog {
            route: self.route.as_ref().map_or("none", Route::name),
            status: response.status().as_u16(),
            fault,
            missing_key,
        };
        Answer { response, log }
    }
}

/// Whether a person is looking: browsers ask for HTML when they navigate, and for nothing in particular otherwise.
fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
