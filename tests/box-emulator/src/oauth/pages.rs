//! The pages that a person sees: templates and what is put into them.

use std::collections::BTreeSet;

use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use url::Url;

use crate::answer::{self, Response};
use crate::world::people::User;

const FRAME: &str = include_str!("pages/frame.html");
const SIGN_IN: &str = include_str!("pages/sign_in.html");
const CONSENT: &str = include_str!("pages/consent.html");
const REFUSED: &str = include_str!("pages/refused.html");

/// Text that is safe to stand in a page, in an element or between the quotes of an attribute.
#[derive(Clone, Debug)]
pub(crate) struct Html(String);

impl Html {
    /// Any text, from anyone.
    pub(crate) fn text(text: &str) -> Self {
        let mut safe = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '&' => safe.push_str("&amp;"),
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '\'' => safe.push_str("&#39;"),
                letter => safe.push(letter),
            }
        }
        Self(safe)
    }

    /// Markup of this program's own.
    fn markup(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    fn joined(parts: impl Iterator<Item = Self>) -> Self {
        Self(parts.map(|part| part.0).collect::<Vec<_>>().join("\n"))
    }
}

/// What stands in both forms: the parameters of the request and the one-time token.
pub(crate) struct Carried<'a> {
    pub(crate) parameters: Vec<(&'static str, &'a str)>,
    pub(crate) form_token: &'a str,
    /// Where the answer to the form leads: browsers hold redirects against `form-action`, too.
    pub(crate) redirect_uri: &'a str,
    pub(crate) app: &'a str,
}

/// Login and password. `someone` who could sign in is named; `wrong`: the last try was.
pub(crate) fn sign_in(carried: &Carried<'_>, someone: Option<&User>, login: &str, wrong: bool) -> Response {
    let (error, title) = match wrong {
        true => (
            "<p class=\"error\" role=\"alert\" id=\"wrong\">That email address and password do not belong together. \
             Please try again.</p>",
            "Error: sign in",
        ),
        false => ("", "Sign in"),
    };
    let invalid = if wrong { "aria-invalid=\"true\" aria-describedby=\"wrong\"" } else { "" };
    let invalid_first =
        if wrong { "aria-invalid=\"true\" aria-describedby=\"wrong\" autofocus" } else { "autofocus" };
    let login_first = login.is_empty();
    let main = fill(
        SIGN_IN,
        &[
            ("app", Html::text(carried.app)),
            ("error", Html::markup(error)),
            ("hidden", hidden(carried)),
            ("login", Html::text(login)),
            ("login_attributes", Html::markup(if login_first { invalid_first } else { invalid })),
            ("password_attributes", Html::markup(if login_first { invalid } else { invalid_first })),
            ("hint", hint(someone)),
        ],
    );
    page(StatusCode::OK, title, main, Some(carried.redirect_uri))
}

fn hint(someone: Option<&User>) -> Html {
    match someone.and_then(|user| Some((user, user.password.as_deref()?))) {
        Some((user, password)) => fill(
            "The person who lives here is <code>{{login}}</code>, password <code>{{password}}</code>.",
            &[("login", Html::text(&user.login)), ("password", Html::text(password))],
        ),
        None => Html::markup("Nobody here has a password: the console can make somebody."),
    }
}

/// What is asked, in words, and the two answers.
pub(crate) fn consent(carried: &Carried<'_>, user: &User, asked: &BTreeSet<&'static str>) -> Response {
    let scopes = asked.iter().map(|words| fill("<li>{{words}}</li>", &[("words", Html::text(words))]));
    let main = fill(
        CONSENT,
        &[
            ("app", Html::text(carried.app)),
            ("user", Html::text(&user.name)),
            ("login", Html::text(&user.login)),
            ("scopes", Html::joined(scopes)),
            ("return_to", Html::text(&origin_of(carried.redirect_uri))),
            ("hidden", hidden(carried)),
        ],
    );
    page(StatusCode::OK, "Grant access", main, Some(carried.redirect_uri))
}

/// A request that cannot be answered by going back to the app. `way_on`: where to start again.
pub(crate) fn refused(
    status: StatusCode,
    code: &str,
    heading: &str,
    explanation: &str,
    way_on: Option<&str>,
) -> Response {
    let way_on = match way_on {
        Some(address) => fill(
            "<p class=\"actions\"><a class=\"button\" href=\"{{address}}\">Start again</a></p>",
            &[("address", Html::text(address))],
        ),
        None => Html::markup("<p>Close this window, or go back to the application and try again.</p>"),
    };
    let main = fill(
        REFUSED,
        &[
            ("heading", Html::text(heading)),
            ("explanation", Html::text(explanation)),
            ("code", Html::text(code)),
            ("way_on", way_on),
        ],
    );
    page(status, heading, main, None)
}

fn hidden(carried: &Carried<'_>) -> Html {
    let token = [("form_token", carried.form_token)];
    let all = carried.parameters.iter().chain(&token);
    Html::joined(all.map(|(name, value)| {
        fill(
            "<input type=\"hidden\" name=\"{{name}}\" value=\"{{value}}\">",
            &[("name", Html::text(name)), ("value", Html::text(value))],
        )
    }))
}

fn page(status: StatusCode, title: &str, main: Html, leads_to: Option<&str>) -> Response {
    let html = fill(FRAME, &[("title", Html::text(title)), ("main", main)]);
    let mut response = answer::bytes(status, "text/html; charset=utf-8", html.0.into_bytes());
    let form_action = match leads_to {
        Some(redirect_uri) => format!("'self' {}", origin_of(redirect_uri)),
        None => "'none'".to_owned(),
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    );
    answer::set(&mut response, CONTENT_SECURITY_POLICY, &policy);
    answer::set(&mut response, CACHE_CONTROL, "no-store");
    answer::set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    answer::set(&mut response, X_FRAME_OPTIONS, "DENY");
    answer::set(&mut response, REFERRER_POLICY, "no-referrer");
    response
}

fn origin_of(address: &str) -> String {
    Url::parse(address).map_or_else(|_| String::new(), |url| url.origin().ascii_serialization())
}

/// Replaces each `{{name}}`, in one pass: what is put in is never read as a template.
fn fill(template: &str, values: &[(&str, Html)]) -> Html {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, tail)) = after.split_once("}}") else { break };
        if let Some((_, value)) = values.iter().find(|(found, _)| *found == name) {
            filled.push_str(&value.0);
        }
        rest = tail;
    }
    filled.push_str(rest);
    Html(filled)
}
