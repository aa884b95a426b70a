//! `actor_token`: for which of its own users an app narrows a token. Box calls the result an annotator token.
//!
//! <https://developer.box.com/guides/authentication/tokens/annotator-tokens/>

use serde::{Deserialize, Serialize};

use crate::oauth::jwt::{Jwt, Terms};
use crate::refusals::{self, OAuthRefusal};
use crate::request::Form;
use crate::world::apps::App;

const ID_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:id_token";

/// Somebody whom the app knows and Box does not. What the token writes is labelled with the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Actor {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Actor {
    /// The actor of an exchange, if it names one. `app` is the app that the subject token was given to.
    ///
    /// Box takes the token unsigned: its own SDK for Node makes it with `alg: none` (`token-manager.ts`). A signed
    /// one, as on Box's page, must be signed rightly. Nothing says that it is good only once.
    ///
    /// # Errors
    /// Those of the assertion it is, and ours for a type or claims that are not an annotator's.
    pub(crate) fn read(app: &App, form: &Form, terms: &Terms<'_>) -> Result<Option<Self>, OAuthRefusal> {
        let text = match (form.value("actor_token"), form.value("actor_token_type")) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(refusals::ACTOR_TOKEN_MISSING),
            (Some(text), Some(ID_TOKEN_TYPE)) => text,
            (Some(_), _) => return Err(refusals::ACTOR_TOKEN_TYPE_INVALID),
        };
        let assertion = Jwt::read(text)?.verify_if_signed(&app.keys)?.judge(terms)?;
        match (assertion.subject_type.as_str(), assertion.name) {
            ("external", Some(name)) => Ok(Some(Self { id: assertion.subject, name })),
            _ => Err(refusals::ACTOR_CLAIMS_INVALID),
        }
    }
}
