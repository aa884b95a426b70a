//! `POST /oauth2/token`: a form in, tokens or an OAuth refusal out.
//!
//! <https://developer.box.com/reference/post-oauth2-token/>

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::answer::{self, Response};
use crate::api::throttle;
use crate::control::rules::Rule;
use crate::emulator::Emulator;
use crate::oauth::assertion;
use crate::oauth::book::{Issued, Kind, Standing};
use crate::oauth::ccg;
use crate::oauth::exchange;
use crate::oauth::pkce;
use crate::refusals::{self, OAuthRefusal};
use crate::request::{Call, Form};
use crate::world::apps::{App, Auth};

pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The endpoint.
pub(crate) fn answer(emulator: &mut Emulator, call: &Call) -> Response {
    let app = app_asking(emulator, call);
    if let Err(seconds) =
        emulator.throttle.admit(&emulator.settings, throttle::Kind::Token, &app, call.now_ms)
    {
        return answer::rate_limited(seconds, &emulator.request_id(call));
    }
    match grant(emulator, call) {
        Ok(body) => answer::oauth(StatusCode::OK, &body),
        Err(refusal) => answer::oauth_refusal(&refusal),
    }
}

/// The client id of the app that says it is asking, or whose token is to be exchanged.
fn app_asking(emulator: &Emulator, call: &Call) -> String {
    let value = |name| call.form().ok().and_then(|form| form.value(name));
    let subject = value("subject_token").and_then(|subject| emulator.state.book.find(subject));
    let owner = subject.map(|token| token.holder.client_id.as_str());
    value("client_id").or(owner).unwrap_or_default().to_owned()
}

fn grant(emulator: &mut Emulator, call: &Call) -> Result<Value, OAuthRefusal> {
    let form = posted_form(emulator, call)?;
    match form.value("grant_type") {
        Some("authorization_code") => redeem_code(emulator, call, &form),
        Some("refresh_token") => refresh(emulator, call, &form),
        Some(TOKEN_EXCHANGE) => exchange::exchange(emulator, call, &form),
        Some("client_credentials") => ccg::grant(emulator, call, &form),
        Some(JWT_BEARER) => assertion::grant(emulator, call, &form),
        _ => Err(refusals::GRANT_TYPE_MISSING),
    }
}

/// The form of a POST; with the switch `basic_auth`, with the credentials of the header.
///
/// # Errors
/// For another method, another content type, or a parameter given twice, be it once in the header.
pub(crate) fn posted_form(emulator: &Emulator, call: &Call) -> Result<Form, OAuthRefusal> {
    if call.method != Method::POST {
        return Err(refusals::NOT_A_POST);
    }
    if call.has_content_type("multipart/form-data") && !emulator.settings.multipart_forms {
        return Err(refusals::NOT_A_FORM);
    }
    let mut form = call.form()?.clone();
    if emulator.settings.basic_auth {
        form.extend(call.basic_credentials());
    }
    if form.repeats() { Err(refusals::PARAMETER_REPEATED) } else { Ok(form) }
}

/// The app that proves itself with its secret.
///
/// # Errors
/// `invalid_client`.
pub(crate) fn client<'a>(emulator: &'a Emulator, form: &Form) -> Result<&'a App, OAuthRefusal> {
    let (Some(id), Some(secret)) = (form.value("client_id"), form.value("client_secret")) else {
        return Err(refusals::CLIENT_INVALID);
    };
    let proven = |app: &&App| app.has_secret(secret) || !emulator.settings.keeps(Rule::WrongSecret);
    emulator.app(id).filter(proven).ok_or(refusals::CLIENT_INVALID)
}

/// Where this endpoint was reached, and where it is known to be.
pub(crate) fn own_addresses(emulator: &Emulator, call: &Call) -> [String; 2] {
    [emulator.options.api_origin.clone(), format!("http://{}", call.authority)]
        .map(|origin| format!("{origin}/oauth2/token"))
}

/// An app has one way of signing in, and the grants that belong to it.
///
/// # Errors
/// `invalid_request`.
pub(crate) fn require(app: &App, auth: Auth) -> Result<(), OAuthRefusal> {
    if app.auth == auth { Ok(()) } else { Err(refusals::GRANT_TYPE_UNAUTHORIZED) }
}

/// The client id of the app that people log in to, which has proved itself.
fn login_client(emulator: &Emulator, form: &Form) -> Result<String, OAuthRefusal> {
    let app = client(emulator, form)?;
    require(app, Auth::OAuth2)?;
    Ok(app.client_id.clone())
}

/// RFC 6749 section 4.1.3. Box ignores `redirect_uri` here; one that differs is refused all the same.
fn redeem_code(emulator: &mut Emulator, call: &Call, form: &Form) -> Result<Value, OAuthRefusal> {
    let client_id = login_client(emulator, form)?;
    let code = form.value("code").ok_or(refusals::CODE_MISSING)?;
    let token = emulator.state.book.find(code).filter(|token| token.kind == Kind::Code);
    let token = token.filter(|token| token.holder.client_id == client_id).ok_or(refusals::CODE_INVALID)?;
    match emulator.state.book.standing(token, &emulator.settings, call.now_ms) {
        Standing::Live => {}
        Standing::Used if !emulator.settings.keeps(Rule::CodeReused) => {}
        Standing::Expired if !emulator.settings.keeps(Rule::CodeExpired) => {}
        Standing::Expired => return Err(refusals::CODE_EXPIRED),
        _ => return Err(refusals::CODE_INVALID),
    }
    let terms = token.terms.as_ref().ok_or(refusals::CODE_INVALID)?;
    if form.value("redirect_uri").is_some_and(|given| given != terms.redirect_uri) {
        return Err(refusals::CODE_INVALID);
    }
    if emulator.settings.pkce && !pkce::met(terms.code_challenge.as_deref(), form.value("code_verifier")) {
        return Err(refusals::VERIFIER_INVALID);
    }
    let holder = token.holder.clone();
    let data = emulator.state.edit();
    data.book.use_up(code);
    Ok(body(&data.open_grant(code, holder, &emulator.settings, call.now_ms)))
}

/// RFC 6749 section 6.
fn refresh(emulator: &mut Emulator, call: &Call, form: &Form) -> Result<Value, OAuthRefusal> {
    let client_id = login_client(emulator, form)?;
    let refresh = form.value("refresh_token").ok_or(refusals::REFRESH_TOKEN_MISSING)?;
    let data = emulator.state.edit();
    Ok(body(&data.redeem_refresh(&client_id, refresh, &emulator.settings, call.now_ms)?))
}

/// The answer of every grant but the exchange; only people's apps get a refresh token.
pub(crate) fn body(issued: &Issued) -> Value {
    let mut body = json!({
        "access_token": issued.access,
        "expires_in": issued.expires_in_seconds,
        "restricted_to": [],
        "token_type": "bearer",
    });
    if let (Some(body), Some(refresh)) = (body.as_object_mut(), &issued.refresh) {
        body.insert("refresh_token".to_owned(), json!(refresh));
    }
    body
}
