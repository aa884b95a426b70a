//! `/api/oauth2/authorize`: the page on which a person signs in, reads what is asked, and grants or denies.
//!
//! <https://developer.box.com/reference/get-authorize/>, RFC 6749 section 4.1.

use std::collections::BTreeSet;

use http::header::SET_COOKIE;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::answer::{self, Response};
use crate::control::settings::Decision;
use crate::emulator::Emulator;
use crate::oauth::book::{CodeTerms, Holder};
use crate::oauth::pages::{self, Carried};
use crate::oauth::scopes;
use crate::request::{Call, Form};
use crate::world::apps::App;
use crate::world::people::User;
use crate::world::sample::ROBIN_ID;

const PATH: &str = "/api/oauth2/authorize";
/// Knows a browser again. `Lax`: it comes along when an app sends the person here, not with other sites' posts.
const COOKIE: &str = "box_emulator_browser";
const COOKIE_SECONDS: u64 = 30 * 24 * 60 * 60;
/// How long a shown form may be sent.
const FORM_SECONDS: u64 = 60 * 60;
/// Forms open in one browser at the same time; the oldest is forgotten.
const FORMS_MAX: usize = 20;
const SECRET_LENGTH: usize = 43;
/// What goes from the address through the forms, and on.
const CARRIED: [&str; 8] = [
    "client_id",
    "response_type",
    "redirect_uri",
    "state",
    "scope",
    "box_login",
    "code_challenge",
    "code_challenge_method",
];

/// One browser that has been here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Browser {
    /// Who is signed in.
    user_id: Option<String>,
    /// Tokens of the forms it was shown, each good once.
    forms: Vec<FormToken>,
    seen_at_ms: u64,
}

impl Browser {
    /// Whether the user `user_id` is signed in.
    pub(crate) fn is_of(&self, user_id: &str) -> bool {
        self.user_id.as_deref() == Some(user_id)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormToken {
    value: String,
    expires_at_ms: u64,
}

/// A request whose app and way back are in order.
#[derive(Debug)]
pub(crate) struct Asked {
    client_id: String,
    app_name: String,
    redirect_uri: String,
    state: Option<String>,
    scopes: BTreeSet<String>,
    code_challenge: Option<String>,
}

/// Why a request is not [`Asked`].
#[derive(Debug)]
pub(crate) enum Refused {
    /// The way back is not to be trusted: the person is told here.
    Here { code: &'static str, heading: &'static str, explanation: &'static str },
    /// The app is told.
    There(String),
}

/// The page, and the forms on it.
pub(crate) fn answer(emulator: &mut Emulator, call: &Call) -> Response {
    match call.method {
        Method::GET => show(emulator, call),
        Method::POST => submit(emulator, call),
        _ => pages::refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This is a page",
            "It can be opened, and its forms can be sent.",
            None,
        ),
    }
}

fn show(emulator: &mut Emulator, call: &Call) -> Response {
    let asked = match Asked::read(emulator, &call.query) {
        Ok(asked) => asked,
        Err(refused) => return refused.answer(),
    };
    if let Some(decision) = emulator.settings.decision {
        return answer::redirect(StatusCode::FOUND, &asked.decide(emulator, decision, ROBIN_ID, call.now_ms));
    }
    let browser = emulator.known_browser(call).unwrap_or_else(|| emulator.new_browser(None, call.now_ms));
    page(emulator, call, &asked, &call.query, &browser, None)
}

fn submit(emulator: &mut Emulator, call: &Call) -> Response {
    let form = match call.form() {
        Ok(form) => form,
        Err(refusal) => return Refused::form(refusal.description).answer(),
    };
    let browser = emulator.known_browser(call);
    let genuine = browser.filter(|browser| emulator.take_form(browser, form, call.now_ms));
    let Some(browser) = genuine else {
        return pages::refused(
            StatusCode::FORBIDDEN,
            "form_used",
            "That form was sent before, or not from this page",
            "Nothing was granted. A form can be sent once, from the browser it was shown in.",
            form.has("client_id").then(|| address(form)).as_deref(),
        );
    };
    let asked = match Asked::read(emulator, form) {
        Ok(asked) => asked,
        Err(refused) => return refused.answer(),
    };
    match (form.value("step"), form.value("decision")) {
        (Some("sign_in"), _) => sign_in(emulator, call, &asked, form, &browser),
        (Some("sign_out"), _) => start_over(emulator, call, form, &browser, None),
        (Some("decide"), Some(decision @ ("grant" | "deny")))
            if let Some(user) = emulator.signed_in(&browser) =>
        {
            let decision = if decision == "grant" { Decision::Grant } else { Decision::Deny };
            let user_id = user.id.clone();
            answer::redirect(StatusCode::FOUND, &asked.decide(emulator, decision, &user_id, call.now_ms))
        }
        _ => page(emulator, call, &asked, form, &browser, None),
    }
}

fn sign_in(emulator: &mut Emulator, call: &Call, asked: &Asked, form: &Form, browser: &str) -> Response {
    let login = form.value("login").unwrap_or_default().trim();
    let password = form.value("password").unwrap_or_default();
    let user = emulator.state.users.values().find(|user| user.signs_in_with(login, password));
    if let Some(user_id) = user.map(|user| user.id.clone()) {
        return start_over(emulator, call, form, browser, Some(&user_id));
    }
    page(emulator, call, asked, form, browser, Some(login))
}

/// Back to the page by GET, in a browser with a new name: a name known before signing in is worth nothing after.
fn start_over(
    emulator: &mut Emulator,
    call: &Call,
    form: &Form,
    browser: &str,
    user_id: Option<&str>,
) -> Response {
    emulator.state.edit().browsers.remove(browser);
    let browser = emulator.new_browser(user_id, call.now_ms);
    let mut response = answer::redirect(StatusCode::SEE_OTHER, &address(form));
    remember(&mut response, &browser);
    response
}

/// The form to sign in, or the one to decide. `wrong_login`: with this one it did not work.
fn page(
    emulator: &mut Emulator,
    call: &Call,
    asked: &Asked,
    form: &Form,
    browser: &str,
    wrong_login: Option<&str>,
) -> Response {
    let form_token = emulator.open_form(browser, call.now_ms);
    let carried = Carried {
        parameters: carried(form),
        form_token: &form_token,
        redirect_uri: &asked.redirect_uri,
        app: &asked.app_name,
    };
    let mut response = if let Some(user) = emulator.signed_in(browser) {
        pages::consent(&carried, user, &scopes::in_words(&asked.scopes))
    } else {
        let login = wrong_login.or_else(|| form.value("box_login")).unwrap_or_default();
        pages::sign_in(&carried, emulator.someone(), login, wrong_login.is_some())
    };
    remember(&mut response, browser);
    response
}

fn remember(response: &mut Response, browser: &str) {
    let cookie =
        format!("{COOKIE}={browser}; Path=/api/oauth2; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax");
    answer::add(response, SET_COOKIE, &cookie);
}

fn carried(form: &Form) -> Vec<(&'static str, &str)> {
    CARRIED.into_iter().filter_map(|name| Some((name, form.value(name)?))).collect()
}

fn address(form: &Form) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(carried(form));
    format!("{PATH}?{}", query.finish())
}

impl Asked {
    /// Checks the app first, then the way back, and then what may be told to the app.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn read(emulator: &Emulator, form: &Form) -> Result<Self, Refused> {
        if form.repeats() {
            return Err(Refused::form("A parameter is given twice."));
        }
        let app =
            form.value("client_id").and_then(|client_id| emulator.app(client_id)).ok_or(Refused::CLIENT)?;
        let redirect_uri = way_back(app, form.value("redirect_uri"))?;
        let state = form.value("state");
        let state_on_errors = state.filter(|_| emulator.settings.state_on_errors);
        let there = |error, description| {
            Refused::There(back(
                &redirect_uri,
                state_on_errors,
                &[("error", error), ("error_description", description)],
            ))
        };
        if form.value("response_type") != Some("code") {
            return Err(there("unsupported_response_type", "The response_type must be code"));
        }
        let scopes = match form.value("scope").map(scopes::parse) {
            None => app.scopes.clone(),
            Some(Some(scopes)) if !scopes.is_empty() && scopes::hold(&app.scopes, &scopes) => scopes,
            Some(_) => {
                return Err(there("invalid_scope", "The scope is unknown or more than the application has"));
            }
        };
        let code_challenge = form.value("code_challenge").map(str::to_owned);
        let method = form.value("code_challenge_method");
        if emulator.settings.pkce && code_challenge.is_some() && method != Some("S256") {
            return Err(there("invalid_request", "The code_challenge_method must be S256"));
        }
        Ok(Self {
            client_id: app.client_id.clone(),
            app_name: app.name.clone(),
            state: state.map(str::to_owned),
            redirect_uri,
            scopes,
            code_challenge,
        })
    }

    /// The address to go back to, as the user `user_id`.
    pub(crate) fn decide(
        &self,
        emulator: &mut Emulator,
        decision: Decision,
        user_id: &str,
        now_ms: u64,
    ) -> String {
        let state = self.state.as_deref();
        match decision {
            Decision::Grant => {
                back(&self.redirect_uri, state, &[("code", &self.issue_code(emulator, user_id, now_ms))])
            }
            Decision::Deny => back(
                &self.redirect_uri,
                state.filter(|_| emulator.settings.state_on_errors),
                &[
                    ("error", "access_denied"),
                    ("error_description", "The user denied access to your application"),
                ],
            ),
        }
    }

    fn issue_code(&self, emulator: &mut Emulator, user_id: &str, now_ms: u64) -> String {
        let holder = Holder {
            client_id: self.client_id.clone(),
            user_id: user_id.to_owned(),
            scopes: self.scopes.clone(),
        };
        let terms = CodeTerms {
            redirect_uri: self.redirect_uri.clone(),
            code_challenge: self.code_challenge.clone(),
        };
        emulator.state.edit().issue_code(holder, terms, now_ms)
    }
}

/// The registered address; it may be left out when there is only one.
fn way_back(app: &App, asked: Option<&str>) -> Result<String, Refused> {
    match (asked, app.redirect_uris.as_slice()) {
        (Some(asked), _) if app.may_return_to(asked) => Ok(asked.to_owned()),
        (Some(_), _) => Err(Refused::REDIRECT_URI_MISMATCH),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Refused::REDIRECT_URI_MISSING),
    }
}

fn back(redirect_uri: &str, state: Option<&str>, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters).extend_pairs(state.map(|state| ("state", state)));
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{joint}{}", query.finish())
}

impl Refused {
    const CLIENT: Self = Self::Here {
        code: "invalid_client",
        heading: "This application is not known here",
        explanation: "The client_id is missing or belongs to no application.",
    };
    const REDIRECT_URI_MISSING: Self = Self::Here {
        code: "redirect_uri_missing",
        heading: "There is no way back",
        explanation: "The application has several redirect URIs and did not say which one it means.",
    };
    const REDIRECT_URI_MISMATCH: Self = Self::Here {
        code: "redirect_uri_mismatch",
        heading: "The way back is not registered",
        explanation: "The redirect_uri in this address is not one that the application registered. \
                      You were not sent there.",
    };

    fn form(explanation: &'static str) -> Self {
        Self::Here { code: "invalid_request", heading: "This request is malformed", explanation }
    }

    fn answer(self) -> Response {
        match self {
            Self::Here { code, heading, explanation } => {
                pages::refused(StatusCode::BAD_REQUEST, code, heading, explanation, None)
            }
            Self::There(address) => answer::redirect(StatusCode::FOUND, &address),
        }
    }
}

impl Emulator {
    /// The name of the browser that sent `call`, if it has been here.
    pub(crate) fn known_browser(&self, call: &Call) -> Option<String> {
        call.cookie(COOKIE).filter(|name| self.state.browsers.contains_key(*name)).map(str::to_owned)
    }

    /// Forgets browsers that nobody signed in with and that are not in the middle of it.
    fn new_browser(&mut self, user_id: Option<&str>, now_ms: u64) -> String {
        let data = self.state.edit();
        let idle_since = now_ms.saturating_sub(FORM_SECONDS * 1000);
        data.browsers.retain(|_, browser| browser.user_id.is_some() || browser.seen_at_ms >= idle_since);
        let name = data.entropy.text(SECRET_LENGTH);
        let browser = Browser { user_id: user_id.map(str::to_owned), forms: Vec::new(), seen_at_ms: now_ms };
        data.browsers.insert(name.clone(), browser);
        name
    }

    pub(crate) fn signed_in(&self, browser: &str) -> Option<&User> {
        let user_id = self.state.browsers.get(browser)?.user_id.as_deref()?;
        self.state.users.get(user_id)
    }

    /// Somebody whom the sign-in page can name as an example: the first with a password.
    pub(crate) fn someone(&self) -> Option<&User> {
        self.state.users.values().find(|user| user.password.is_some())
    }

    fn open_form(&mut self, browser: &str, now_ms: u64) -> String {
        let data = self.state.edit();
        let value = data.entropy.text(SECRET_LENGTH);
        if let Some(browser) = data.browsers.get_mut(browser) {
            let expires_at_ms = now_ms.saturating_add(FORM_SECONDS * 1000);
            browser.forms.push(FormToken { value: value.clone(), expires_at_ms });
            let surplus = browser.forms.len().saturating_sub(FORMS_MAX);
            browser.forms.drain(..surplus);
            browser.seen_at_ms = now_ms;
        }
        value
    }

    /// Whether `form` is one that this browser was shown and has not sent. Not twice.
    fn take_form(&mut self, browser: &str, form: &Form, now_ms: u64) -> bool {
        let Some(browser) = self.state.edit().browsers.get_mut(browser) else { return false };
        let place = browser.forms.iter().position(|open| {
            open.expires_at_ms > now_ms && form.value("form_token") == Some(open.value.as_str())
        });
        place.map(|place| browser.forms.remove(place)).is_some()
    }
}
