//! Signing in without leaving: Keyhole's window beside the page.
//!
//! A page that gets the session's cookie looks at the session while the window is out, because Box's pages may cut the
//! two off from each other; the word that the window posts only makes that quicker. A page of another site never gets
//! the cookie: the window asks for its tokens and posts them, and to its origin alone (`src/core/hand_over.js`).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::Date;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageEvent, Url, Window};

use super::http::ANSWER_MS_MAX;
use super::shared::Shared;
use super::{fault_of, get, object, set, text, window};
use crate::fault::{self, Fault};
use crate::hosts::From;
use crate::popup::pause_ms;

const FEATURES: &str = "popup,width=520,height=720";
/// How often to look whether a window that owes an answer is still there.
const GLANCE_MS: u32 = 500;

/// Resolves to the session, where this page can see it. Where windows are blocked, leaves the page instead, to come back
/// to this very place.
pub(super) async fn sign_in(client: Rc<Shared>, return_to: Option<String>) -> Result<JsValue, Fault> {
    let here = here();
    let address = if client.is_elsewhere() {
        client.hand_over_address(&here, "")
    } else {
        client.login_address(return_to.as_deref(), Some(&here))
    };
    let by_word_only = is_of_another_site(client.origin());
    let Some(beside) = Beside::open(&client, address) else {
        if by_word_only {
            return Err(Fault::new(fault::POPUP_BLOCKED));
        }
        client.sign_in(return_to);
        return Ok(JsValue::NULL);
    };
    client.is_out(&beside);
    wait(&client, &beside, by_word_only).await
}

async fn wait(client: &Rc<Shared>, beside: &Rc<Beside>, by_word_only: bool) -> Result<JsValue, Fault> {
    loop {
        let word = beside.next(by_word_only).await?;
        if word.is_some() || !by_word_only {
            match JsFuture::from(client.session()).await {
                Ok(session) if session.is_object() => return Ok(session),
                // A Worker that stumbles once is asked again.
                Err(error) if !fault_of(&error).may_pass() => return Err(fault_of(&error)),
                _ => {}
            }
        }
        match word {
            Some(Word::Ready) => return client.take_by_hand(beside).await,
            Some(Word::Failed(code)) => return Err(Fault::new(code)),
            Some(Word::SignedIn) | None => {}
        }
    }
}

/// Ends the session of a page that cannot see it.
pub(super) async fn sign_out(client: &Shared) -> Result<(), Fault> {
    let address = client.hand_over_address(&here(), "&for=sign_out");
    let beside = Beside::open(client, address).ok_or_else(|| Fault::new(fault::POPUP_BLOCKED))?;
    loop {
        match beside.next(true).await? {
            Some(Word::Ready) => return beside.ask("sign_out", &object([])).await.map(drop),
            Some(Word::Failed(_)) => return Err(Fault::new(fault::UNREACHABLE)),
            Some(Word::SignedIn) | None => {}
        }
    }
}

/// Whether this page surely never gets the session's cookie.
pub(super) fn is_of_another_site(origin: &str) -> bool {
    let here = window().location();
    let (Ok(scheme), Ok(host), Ok(other)) = (here.protocol(), here.hostname(), Url::new(origin)) else {
        return false;
    };
    let there = (other.protocol(), other.hostname());
    From { scheme: &scheme, host: &host }.is_of_another_site(From { scheme: &there.0, host: &there.1 })
}

fn here() -> String {
    window().location().origin().unwrap_or_default()
}

/// What the window says by itself.
#[derive(Clone, Copy)]
enum Word {
    /// Somebody signed in.
    SignedIn,
    /// It can be asked now.
    Ready,
    /// Nobody will sign in there, for this reason.
    Failed(&'static str),
}

/// The window beside this page; closed and no longer listened to when dropped.
pub(super) struct Beside {
    address: String,
    /// Of its own, so that no other client of this page takes it over.
    name: String,
    popup: RefCell<Window>,
    origin: String,
    opened_at: Cell<f64>,
    closed_at: Cell<Option<f64>>,
    heard: Rc<Heard>,
    listener: Closure<dyn FnMut(MessageEvent)>,
}

/// What has been heard of it.
#[derive(Default)]
struct Heard {
    from: RefCell<JsValue>,
    anything: Cell<bool>,
    word: Cell<Option<Word>>,
    listening: RefCell<Option<oneshot::Sender<()>>>,
    questions: Cell<u32>,
    asking: RefCell<Vec<(u32, oneshot::Sender<JsValue>)>>,
}

impl Beside {
    /// `None` where the browser blocks it.
    fn open(client: &Shared, address: String) -> Option<Rc<Self>> {
        let digits = js_sys::Number::from(js_sys::Math::random()).to_string_with_radix(36).ok()?;
        let name = ["keyhole-", &String::from(digits)].concat();
        let popup = opened(&address, &name)?;
        let heard: Rc<Heard> = Rc::default();
        heard.from.replace(JsValue::from(&popup));
        let (ears, origin) = (Rc::clone(&heard), client.origin().to_owned());
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if get(&event, "source") == *ears.from.borrow() && event.origin() == origin {
                ears.hear(&event.data());
            }
        });
        window().add_event_listener_with_callback("message", listener.as_ref().unchecked_ref()).ok()?;
        let beside = Self {
            address,
            name,
            popup: RefCell::new(popup),
            origin: client.origin().to_owned(),
            opened_at: Cell::new(Date::now()),
            closed_at: Cell::default(),
            heard,
            listener,
        };
        Some(Rc::new(beside))
    }

    /// For whoever asks for it again: to the front, or another one in the place of one that was closed.
    pub(super) fn bring_forward(&self) {
        if !self.is_closed() {
            self.popup.borrow().focus().ok();
        } else if let Some(popup) = opened(&self.address, &self.name) {
            self.heard.from.replace(JsValue::from(&popup));
            self.popup.replace(popup);
            self.opened_at.set(Date::now());
            self.closed_at.set(None);
        }
    }

    fn is_closed(&self) -> bool {
        self.popup.borrow().closed().unwrap_or(true)
    }

    /// For how long it has been seen closed, in milliseconds.
    fn since_closed_ms(&self) -> Option<f64> {
        if self.closed_at.get().is_none() && self.is_closed() {
            self.closed_at.set(Some(Date::now()));
        }
        self.closed_at.get().map(|at| Date::now() - at)
    }

    /// Waits a while for a word. The faults are those of a window that nobody will say anything in any more.
    async fn next(&self, by_word_only: bool) -> Result<Option<Word>, Fault> {
        let since_open = Date::now() - self.opened_at.get();
        let Some(pause) = pause_ms(since_open, self.since_closed_ms(), by_word_only) else {
            return Err(Fault::new(match (self.heard.anything.get(), by_word_only) {
                (false, _) if self.origin != here() => fault::CUT_OFF,
                (_, true) => fault::OUT_OF_SIGHT,
                (_, false) => fault::SIGN_IN_ABANDONED,
            }));
        };
        if let Some(word) = self.heard.word.take() {
            return Ok(Some(word));
        }
        let (listening, spoken) = oneshot::channel();
        self.heard.listening.replace(Some(listening));
        select(TimeoutFuture::new(pause), spoken).await;
        Ok(self.heard.word.take())
    }

    /// A question that the window passes on to its own origin.
    pub(super) async fn ask(&self, kind: &str, question: &JsValue) -> Result<JsValue, Fault> {
        let number = self.heard.questions.get().wrapping_add(1);
        self.heard.questions.set(number);
        let (waiting, answer) = oneshot::channel();
        self.heard.asking.borrow_mut().push((number, waiting));
        set(question, "type", ["keyhole:", kind].concat());
        set(question, "id", number);
        let posted = self.popup.borrow().post_message(question, &self.origin);
        posted.map_err(|_| Fault::new(fault::UNREACHABLE))?;
        match self.answered(answer).await? {
            answer if text(&answer, "code").is_some() => Err(fault_of(&answer)),
            answer if answer.is_object() => Ok(answer),
            _ => Err(Fault::new(fault::UNREADABLE)),
        }
    }

    /// The answer, while there is somebody to give one.
    async fn answered(&self, answer: oneshot::Receiver<JsValue>) -> Result<JsValue, Fault> {
        let (asked_at, mut answer) = (Date::now(), answer);
        loop {
            answer = match select(answer, TimeoutFuture::new(GLANCE_MS)).await {
                Either::Left((answer, _)) => return answer.map_err(|_| Fault::new(fault::UNREADABLE)),
                Either::Right((_, answer)) => answer,
            };
            let since_asked = Date::now() - asked_at;
            if since_asked >= f64::from(ANSWER_MS_MAX)
                || pause_ms(since_asked, self.since_closed_ms(), true).is_none()
            {
                return Err(Fault::new(fault::TIMED_OUT));
            }
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let listener = self.listener.as_ref().unchecked_ref();
        window().remove_event_listener_with_callback("message", listener).ok();
        self.popup.borrow().close().ok();
    }
}

/// A window, unless the browser blocks it.
fn opened(address: &str, name: &str) -> Option<Window> {
    let popup = window().open_with_url_and_target_and_features(address, name, FEATURES).ok()??;
    (!popup.closed().unwrap_or(true)).then_some(popup)
}

impl Heard {
    fn hear(&self, said: &JsValue) {
        let kind = text(said, "type").unwrap_or_default();
        let word = match kind.strip_prefix("keyhole:") {
            Some("opened") => None,
            Some("signed_in") => Some(Word::SignedIn),
            Some("ready") => Some(Word::Ready),
            Some("failed") => Some(Word::Failed(fault::SIGN_IN_FAILED)),
            Some("silent") => Some(Word::Failed(fault::UNREACHABLE)),
            Some("answer") => return self.answered(said),
            _ => return,
        };
        self.anything.set(true);
        if word.is_some() {
            self.word.set(word);
            if let Some(listening) = self.listening.take() {
                listening.send(()).ok();
            }
        }
    }

    fn answered(&self, said: &JsValue) {
        let number = get(said, "id").as_f64();
        let mut asking = self.asking.borrow_mut();
        if let Some(at) = asking.iter().position(|(asked, _)| Some(f64::from(*asked)) == number) {
            asking.swap_remove(at).1.send(get(said, "answer")).ok();
        }
    }
}
