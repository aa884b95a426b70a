//! The other tabs of the same page's origin: one tells that the session has ended or that somebody signed in, and the
//! others ask for themselves. No token and nothing about a person goes this way.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BroadcastChannel, MessageEvent};

use super::{object, text};

/// What one tab tells the others.
pub(super) enum Word {
    /// The session is over, for this reason where it is known.
    Ended(Option<String>),
    /// Somebody signed in.
    SignedIn,
}

/// The way to the other tabs; none in a browser without one.
pub(super) struct Tabs(Option<BroadcastChannel>);

const ENDED: &str = "ended";
const SIGNED_IN: &str = "signed_in";

impl Tabs {
    /// Of those that speak to the Keyhole at `origin`. `hear` is told what they tell.
    pub(super) fn join(origin: &str, mut hear: impl FnMut(Word) + 'static) -> Self {
        let Ok(channel) = BroadcastChannel::new(&["keyhole ", origin].concat()) else { return Self(None) };
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let told = event.data();
            match text(&told, "type").as_deref() {
                Some(ENDED) => hear(Word::Ended(text(&told, "reason"))),
                Some(SIGNED_IN) => hear(Word::SignedIn),
                _ => {}
            }
        });
        channel.set_onmessage(Some(listener.into_js_value().unchecked_ref()));
        Self(Some(channel))
    }

    pub(super) fn tell(&self, word: &Word) {
        let (kind, reason) = match word {
            Word::Ended(reason) => (ENDED, reason.as_deref()),
            Word::SignedIn => (SIGNED_IN, None),
        };
        if let Some(channel) = &self.0 {
            let told = object([("type", kind.into()), ("reason", reason.into())]);
            channel.post_message(&told).ok();
        }
    }
}
