//! Signing in without leaving the page: Box's login in a window beside it. The session is looked at while the window is
//! out, because Box's pages may cut it off from this one; the word it posts at its end only makes that quicker.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::Date;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageEvent, Window};

use super::shared::Shared;
use super::{fault_of, text, window};
use crate::fault::{self, Fault};
use crate::popup::pause_ms;

const NAME: &str = "keyhole-sign-in";
const FEATURES: &str = "popup,width=520,height=720";
const SIGNED_IN: &str = "keyhole:signed_in";
const FAILED: &str = "keyhole:failed";

/// Resolves to the session. Where windows are blocked, leaves the page instead, to come back to this very place.
pub(super) async fn sign_in(client: Rc<Shared>, return_to: Option<String>) -> Result<JsValue, Fault> {
    let here = window().location().origin().unwrap_or_default();
    let address = client.login_address(return_to.as_deref(), Some(&here));
    let opened = window().open_with_url_and_target_and_features(&address, NAME, FEATURES);
    let Some(popup) = opened.ok().flatten().filter(|popup| !popup.closed().unwrap_or(true)) else {
        client.sign_in(return_to);
        return Ok(JsValue::NULL);
    };
    let word = Word::listen(client.origin());
    let session = wait(&client, &popup, &word).await;
    popup.close().ok();
    session
}

async fn wait(client: &Rc<Shared>, popup: &Window, word: &Word) -> Result<JsValue, Fault> {
    let opened_at = Date::now();
    let mut closed_at = None;
    loop {
        let now = Date::now();
        if popup.closed().unwrap_or(true) {
            closed_at.get_or_insert(now);
        }
        let pause = pause_ms(now - opened_at, closed_at.map(|at: f64| now - at));
        let Some(pause) = pause else { return Err(Fault::new(fault::SIGN_IN_ABANDONED)) };
        let said = match select(TimeoutFuture::new(pause), word.next()).await {
            Either::Left(_) => None,
            Either::Right((said, _)) => said.ok(),
        };
        match JsFuture::from(client.session()).await {
            Ok(session) if session.is_object() => return Ok(session),
            // A Worker that stumbles once is asked again.
            Err(error) if !fault_of(&error).may_pass() => return Err(fault_of(&error)),
            _ => {}
        }
        if said == Some(false) {
            return Err(Fault::new(fault::SIGN_IN_FAILED));
        }
    }
}

/// What the window says at its end, from Keyhole's own origin: whether it went well. Listened to until dropped.
struct Word {
    listener: Closure<dyn FnMut(MessageEvent)>,
    waiting: Rc<RefCell<Option<oneshot::Sender<bool>>>>,
    said: Rc<Cell<Option<bool>>>,
}

impl Word {
    fn listen(origin: &str) -> Self {
        let waiting: Rc<RefCell<Option<oneshot::Sender<bool>>>> = Rc::default();
        let said: Rc<Cell<Option<bool>>> = Rc::default();
        let (waiter, last, origin) = (Rc::clone(&waiting), Rc::clone(&said), origin.to_owned());
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if event.origin() != origin {
                return;
            }
            let went_well = match text(&event.data(), "type").as_deref() {
                Some(SIGNED_IN) => true,
                Some(FAILED) => false,
                _ => return,
            };
            match waiter.borrow_mut().take() {
                Some(waiter) => drop(waiter.send(went_well)),
                None => last.set(Some(went_well)),
            }
        });
        window().add_event_listener_with_callback("message", listener.as_ref().unchecked_ref()).ok();
        Self { listener, waiting, said }
    }

    fn next(&self) -> oneshot::Receiver<bool> {
        let (sender, receiver) = oneshot::channel();
        match self.said.take() {
            Some(said) => drop(sender.send(said)),
            None => drop(self.waiting.replace(Some(sender))),
        }
        receiver
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        let listener = self.listener.as_ref().unchecked_ref();
        window().remove_event_listener_with_callback("message", listener).ok();
    }
}
