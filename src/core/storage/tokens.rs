//! A pair of tokens as it is stored: sealed, with all that is needed to decide what to do with it. Nothing here asks
//! anybody anything.

use core::time::Duration;

use serde::Serialize;

use super::{Generation, Stored};
use crate::{
    box_api::Pair,
    json::Object,
    keeper::plan,
    seal::{OpenFault, Place, Purpose, SealKeys},
    secret::{Entropy, ParentToken, RefreshToken, SessionSecret},
    time::Timestamp,
};

/// Whose tokens, and under which keys. What was sealed for one name, app or secret opens for no other.
#[derive(Clone, Copy, Debug)]
pub struct Seal<'a> {
    /// The master keys: the first seals, all open.
    pub keys: &'a SealKeys,
    /// The Box app's client id.
    pub client_id: &'a str,
    /// A name of the place, such as that of the account.
    pub name: &'a str,
    /// A secret that the tokens' owner brings each time, if there is one: without it the keys open nothing.
    pub secret: Option<&'a SessionSecret>,
}

impl Seal<'_> {
    const fn place(&self, generation: Generation) -> Place<'_> {
        Place {
            purpose: Purpose::Tokens,
            keeper: self.name,
            generation: generation.number(),
            client_id: self.client_id,
            detail: "",
        }
    }
}

/// A pair, and what is known of it.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token, not narrowed.
    pub access: ParentToken,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How long it was good for when Box gave it.
    pub life: Duration,
    /// The refresh token, good for one use.
    pub refresh: RefreshToken,
    /// When the person signed in: tokens with the same time come from one another.
    pub signed_in_at: Timestamp,
    /// Somebody is refreshing them, and until then nobody else may. In the past: somebody was, and it is not known
    /// what came of it.
    pub attempt: Option<Timestamp>,
}

/// What to do about an access token that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Use the one that is there.
    Use,
    /// Somebody else is refreshing: look again after this long.
    Wait(Duration),
    /// Refresh.
    Refresh,
}

/// How long to wait before another look at a refresh under way.
const GLANCE: Duration = Duration::from_millis(250);

impl Tokens {
    /// The first tokens of a sign-in: a pair that was asked for at this time.
    #[must_use]
    pub fn signed_in(pair: Pair, asked_at: Timestamp) -> Self {
        Self::given(pair, asked_at, asked_at)
    }

    /// The next tokens of the same sign-in.
    #[must_use]
    pub fn refreshed(&self, pair: Pair, asked_at: Timestamp) -> Self {
        Self::given(pair, asked_at, self.signed_in_at)
    }

    fn given(pair: Pair, asked_at: Timestamp, signed_in_at: Timestamp) -> Self {
        let Pair { access, refresh, life } = pair;
        let expires_at = asked_at.plus(life);
        Self { access, expires_at, life, refresh, signed_in_at, attempt: None }
    }

    /// What to do about them. `refused`: Box did not take this access token.
    #[must_use]
    pub fn plan(&self, refused: bool, now: Timestamp) -> Plan {
        let remains = now.until(self.expires_at);
        let margin = plan::REFRESH_MARGIN.min(self.life / 3);
        if !refused && !remains.is_zero() && remains >= margin {
            return Plan::Use;
        }
        let claimed = self.attempt.map_or(Duration::ZERO, |until| now.until(until));
        if claimed.is_zero() {
            Plan::Refresh
        } else if self.still_good(refused, now) {
            Plan::Use
        } else {
            Plan::Wait(claimed.min(GLANCE))
        }
    }

    /// Whether they will do where there are no better ones at the moment.
    #[must_use]
    pub fn still_good(&self, refused: bool, now: Timestamp) -> bool {
        !refused && now.until(self.expires_at) >= plan::LAST_RESORT
    }

    /// Seals them for a generation of their place.
    #[must_use]
    pub fn seal(&self, seal: &Seal<'_>, generation: Generation, entropy: &mut Entropy) -> Stored {
        let form = TokensForm {
            access: self.access.expose(),
            expires_at: self.expires_at,
            life_ms: u64::try_from(self.life.as_millis()).unwrap_or(u64::MAX),
            refresh: self.refresh.expose(),
            signed_in_at: self.signed_in_at,
            attempt: self.attempt,
        };
        // Text and numbers always serialise; nothing in its place would not open.
        let text = serde_json::to_string(&form).unwrap_or_default();
        let sealed = seal.keys.seal(&seal.place(generation), seal.secret, entropy.draw(), text.as_bytes());
        Stored::new(generation, sealed)
    }

    /// Opens what a place holds; `None` if it is empty.
    ///
    /// # Errors
    /// [`OpenFault`]: an operator's matter, not a reason to sign anybody out.
    pub fn open(stored: &Stored, seal: &Seal<'_>) -> Result<Option<Self>, OpenFault> {
        let Some(sealed) = stored.sealed() else { return Ok(None) };
        let text = seal.keys.open(&seal.place(stored.generation()), seal.secret, sealed)?;
        let read = Object::parse(&text).and_then(Self::read);
        read.map(Some).ok_or(OpenFault::Refused)
    }

    fn read(mut form: Object) -> Option<Self> {
        Some(Self {
            access: ParentToken::new(form.text("access")?),
            expires_at: form.time("expires_at")?,
            life: Duration::from_millis(form.number("life_ms")?),
            refresh: RefreshToken::new(form.text("refresh")?),
            signed_in_at: form.time("signed_in_at")?,
            attempt: form.optional("attempt", |form, name| form.time(name))?,
        })
    }
}

/// Times in milliseconds since the epoch.
#[derive(Serialize)]
struct TokensForm<'a> {
    access: &'a str,
    expires_at: Timestamp,
    life_ms: u64,
    refresh: &'a str,
    signed_in_at: Timestamp,
    attempt: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::MasterKey;

    const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn after(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    fn tokens() -> Tokens {
        let pair = Pair { access: ParentToken::new("a"), refresh: RefreshToken::new("r"), life: HOUR };
        Tokens::signed_in(pair, START)
    }

    fn keys() -> SealKeys {
        SealKeys::parse(&format!("k1:{}", MasterKey::new([1; 32]).expose_text())).unwrap()
    }

    #[test]
    fn tokens_are_used_until_a_margin_before_their_end_and_refreshed_then() {
        let tokens = tokens();
        assert_eq!(tokens.plan(false, START), Plan::Use);
        assert_eq!(tokens.plan(false, after(40 * 60)), Plan::Use);
        assert_eq!(tokens.plan(false, after(40 * 60 + 1)), Plan::Refresh);
        assert_eq!(tokens.plan(true, START), Plan::Refresh, "Box has the last word");
        let short = Tokens { life: Duration::from_secs(30), ..tokens };
        assert_eq!(Tokens { expires_at: after(10), ..short.clone() }.plan(false, START), Plan::Use);
        assert_eq!(Tokens { expires_at: after(9), ..short }.plan(false, START), Plan::Refresh);
    }

    #[test]
    fn while_somebody_refreshes_the_others_use_what_lives_or_wait_and_take_over_when_nothing_comes() {
        let tokens = Tokens { attempt: Some(after(59 * 60 + 90)), ..tokens() };
        assert_eq!(tokens.plan(false, after(59 * 60)), Plan::Use);
        assert_eq!(tokens.plan(true, after(59 * 60)), Plan::Wait(GLANCE));
        assert_eq!(tokens.plan(false, after(59 * 60 + 1)), Plan::Wait(GLANCE));
        assert_eq!(tokens.plan(false, after(59 * 60 + 90)), Plan::Refresh);
    }

    #[test]
    fn tokens_of_no_known_life_are_over() {
        let pair = Pair {
            life: Duration::ZERO,
            ..Pair { access: ParentToken::new("a"), refresh: RefreshToken::new("r"), life: HOUR }
        };
        assert_eq!(Tokens::signed_in(pair, START).plan(false, START), Plan::Refresh);
    }

    /// The format is stored: a change needs a new version and a way to read the old one.
    #[test]
    fn the_sealed_format_is_pinned() {
        let (keys, generation) = (keys(), Generation::new(3));
        let seal = Seal { keys: &keys, client_id: "app", name: "robin", secret: None };
        let place = seal.place(generation);
        let stored = Tokens { attempt: Some(after(90)), ..tokens() }.seal(
            &seal,
            generation,
            &mut Entropy::new([9; 32]),
        );
        let text = keys.open(&place, None, stored.sealed().unwrap()).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"{"access":"a","expires_at":1800003600000,"life_ms":3600000,"refresh":"r","signed_in_at":1800000000000,"attempt":1800000090000}"#
        );
        let opened = Tokens::open(&stored, &seal).unwrap().unwrap();
        assert_eq!((opened.refresh.expose(), opened.attempt), ("r", Some(after(90))));
    }

    #[test]
    fn sealed_tokens_open_for_their_generation_name_app_and_secret_only() {
        let keys = keys();
        let (mine, another) = (SessionSecret::new([3; 32]), SessionSecret::new([4; 32]));
        let seal = Seal { keys: &keys, client_id: "app", name: "robin", secret: Some(&mine) };
        let stored = tokens().seal(&seal, Generation::new(3), &mut Entropy::new([9; 32]));
        assert!(Tokens::open(&stored, &seal).unwrap().is_some());
        let passed_off = Stored::new(Generation::new(4), stored.sealed().unwrap().to_vec());
        assert!(Tokens::open(&passed_off, &seal).is_err(), "as a later generation");
        for other in [
            Seal { name: "edda", ..seal },
            Seal { client_id: "other", ..seal },
            Seal { secret: Some(&another), ..seal },
            Seal { secret: None, ..seal },
        ] {
            assert!(Tokens::open(&stored, &other).is_err(), "{other:?}");
        }
        assert!(Tokens::open(&Stored::cleared(Generation::new(4)), &seal).unwrap().is_none());
    }
}
