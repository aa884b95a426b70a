//! Tokens for a page of another site, to which the session's cookie is never sent: it opens a window of ours, where
//! its visitor is signed in, and that window asks for what the page wants to show and posts the answer to the page's
//! origin. The address names that origin in clear: it is one of the listed, and the browser delivers to no other.

use http::{Request, Response, StatusCode};

use crate::{
    app::{Body, Visit},
    callback::Outcome,
    config::Config,
    fault::Fault,
    guard, headers,
    notice::{self, Words},
    origin::Origin,
    route::HAND_OVER,
    transaction,
};

const SCRIPT: &str = include_str!("hand_over.js");

/// Of a window through which a page ends the session: nobody is to sign in for that.
const SIGN_OUT: &str = "sign_out";
/// Of the window that a login comes back to: it does not begin another one.
const GO_ON: &str = "go_on";

/// `GET /auth/hand-over?opener=`: the window. Who is not signed in goes to Box from there, and comes back to it, but not
/// with `&for=sign_out`.
///
/// # Errors
/// [`Fault::Refused`] for anything but a person's navigation, [`Fault::OpenerNotAllowed`].
pub(crate) fn window(
    config: &Config,
    request: &Request<Vec<u8>>,
    visit: &mut Visit,
) -> Result<Response<Body>, Fault> {
    guard::may_navigate(request.headers())?;
    let (mut opener, mut outcome, mut purpose) = (None, None, "");
    for (name, value) in form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        match &*name {
            "opener" => opener = transaction::opener_of(&value, config),
            "keyhole" => outcome = Outcome::parse(&value).filter(|&outcome| has_failed(outcome)),
            "for" if value == SIGN_OUT => purpose = SIGN_OUT,
            "for" if value == GO_ON => purpose = GO_ON,
            _ => {}
        }
    }
    let opener = opener.ok_or(Fault::OpenerNotAllowed)?;
    let nonce = headers::nonce(&mut visit.entropy);
    let login = login_address(&opener);
    let script = format!(
        "<script nonce=\"{nonce}\" data-target=\"{}\" data-login=\"{}\" data-outcome=\"{}\" \
         data-purpose=\"{purpose}\">\n{SCRIPT}</script>\n",
        notice::escaped(opener.as_str()),
        notice::escaped(&login),
        outcome.map_or("", Outcome::word),
    );
    let words = match outcome {
        None => Words {
            title: "One moment",
            text: "This window gives the page that opened it what it wants to show, and closes.",
            action: None,
        },
        Some(failed) => {
            let (title, text) = notice::words(failed);
            Words { title, text, action: Some(("Sign in again", login)) }
        }
    };
    Ok(notice::shown(StatusCode::OK, &words, &script, &headers::notice_policy(&nonce, "'self'"), &nonce))
}

const fn has_failed(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::SignedIn | Outcome::StateUsed)
}

/// Where a login starts that comes back to this window.
fn login_address(opener: &Origin) -> String {
    let query = |name: &str, value: &str| {
        form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
    };
    let back = format!("{HAND_OVER}?for={GO_ON}&{}", query("opener", opener.as_str()));
    format!("/auth/login?{}", query("return_to", &back))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::tests::config, return_to::ReturnTo, secret::Entropy, time::Timestamp};

    const OPENER: &str = "/auth/hand-over?opener=https%3A%2F%2Fapp.example.com";

    fn asked(address: &str, header: Option<(&str, &str)>) -> Result<Response<Body>, Fault> {
        let mut request = Request::get(address);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let mut visit =
            Visit { now: Timestamp::from_millis(0), entropy: Entropy::new([1; 32]), login_admitted: true };
        window(&config(), &request.body(Vec::new()).unwrap(), &mut visit)
    }

    fn page(address: &str) -> String {
        let Body::Bytes(html) = asked(address, None).unwrap().into_body() else { panic!("no page") };
        String::from_utf8(html).unwrap()
    }

    #[test]
    fn it_speaks_to_the_one_listed_origin_and_asks_its_own() {
        let html = page(OPENER);
        assert!(html.contains(r#"data-target="https://app.example.com""#), "{html}");
        assert!(html.contains(r#"data-outcome="""#) && html.contains("One moment"), "{html}");
        let response = asked(OPENER, None).unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("connect-src 'self';") && policy.ends_with("frame-ancestors 'none'"),
            "{policy}"
        );
    }

    #[test]
    fn s27_an_opener_that_is_not_listed_gets_no_window() {
        for query in ["", "?opener=", "?opener=null", "?opener=*", "?opener=https%3A%2F%2Fevil.example"] {
            let refused = asked(&[HAND_OVER, query].concat(), None).map(drop);
            assert_eq!(refused, Err(Fault::OpenerNotAllowed), "{query}");
        }
    }

    #[test]
    fn s31_it_is_a_window_that_a_person_sees_and_nothing_else() {
        for header in [("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "cors"), ("sec-purpose", "prefetch")]
        {
            assert!(matches!(asked(OPENER, Some(header)), Err(Fault::Refused(_))), "{header:?}");
        }
    }

    #[test]
    fn who_is_not_signed_in_comes_back_to_it() {
        let login = login_address(&Origin::parse("https://app.example.com").unwrap());
        let query = login.strip_prefix("/auth/login?").unwrap();
        let (name, back) = form_urlencoded::parse(query.as_bytes()).next().unwrap();
        assert_eq!((&*name, &*back), ("return_to", &*OPENER.replace('?', "?for=go_on&")));
        assert!(page(&back).contains(r#"data-purpose="go_on""#));
        let address = ReturnTo::parse(&back, &config()).unwrap();
        assert_eq!(address.as_str(), ["https://keyhole.example.com", &back].concat());
        assert!(page(OPENER).contains(&["data-login=\"", &notice::escaped(&login), "\""].concat()));
    }

    #[test]
    fn a_login_that_failed_is_said_in_words_and_not_begun_again_by_itself() {
        let html = page(&[OPENER, "&keyhole=denied"].concat());
        assert!(html.contains("You did not grant access") && html.contains("Sign in again"), "{html}");
        assert!(html.contains(r#"data-outcome="denied""#), "{html}");
        for nothing_wrong in ["signed_in", "state_used", "%22%3E%3Cscript"] {
            let html = page(&[OPENER, "&keyhole=", nothing_wrong].concat());
            assert!(html.contains("One moment") && html.contains(r#"data-outcome="""#), "{html}");
        }
    }
}
