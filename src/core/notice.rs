//! Plain pages of words: how a login ended, for a popup or for who has nowhere to return to, and what is wrong, for
//! a person. No third party, no data: one style and a few lines of script, by nonce.

use core::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Response, StatusCode, Uri};
use serde::Serialize;

use crate::{
    app::{Body, Visit},
    callback::Outcome,
    config::Config,
    headers,
    json::Object,
    origin::Origin,
    problem::Problem,
    return_to::ReturnTo,
    seal::{Place, Purpose},
    secret::Entropy,
    time::Timestamp,
    transaction::{self, Transaction},
};

/// How long the address of a popup's last page means something: it is opened at once.
const DONE_LIFE: Duration = Duration::from_secs(120);

/// What the last page of a login has to know. It travels sealed in that page's address, so nobody can make us
/// speak to an origin of their choice: `{"outcome":"denied","opener":"https://…","return_to":"https://…",
/// "expires_at":1700000000000}`.
#[derive(Serialize)]
struct Done {
    #[serde(serialize_with = "as_word")]
    outcome: Outcome,
    opener: Option<String>,
    return_to: Option<String>,
    expires_at: Timestamp,
}

/// The address of the last page of a login.
pub(crate) fn done_address(
    config: &Config,
    now: Timestamp,
    entropy: &mut Entropy,
    transaction: Option<&Transaction>,
    outcome: Outcome,
) -> String {
    let done = Done {
        outcome,
        opener: transaction.and_then(|login| login.opener.as_ref()).map(Origin::to_string),
        return_to: transaction.map(|login| login.return_to.as_str().to_owned()),
        expires_at: now.plus(DONE_LIFE),
    };
    // This form has string keys and no floats, so it always serialises.
    let plaintext = serde_json::to_vec(&done).unwrap_or_default();
    let sealed = config.keys().seal(&done_place(config), None, entropy.draw(), &plaintext);
    format!("{}/auth/done?end={}", config.public_origin, URL_SAFE_NO_PAD.encode(sealed))
}

/// `GET /auth/done`: tells the opener, or the person where there is no opener.
pub(crate) fn done(config: &Config, address: &Uri, visit: &mut Visit) -> Response<Body> {
    let nonce = headers::nonce(&mut visit.entropy);
    let Some(done) = opened(config, address, visit.now) else {
        let over = Words { title: "This sign-in is over", text: "You can close this window.", action: None };
        return still(StatusCode::OK, &over, "", &nonce);
    };
    let opener = done.opener.and_then(|opener| transaction::opener_of(&opener, config));
    let return_to = done.return_to.and_then(|text| ReturnTo::parse(&text, config));
    let action = if done.outcome == Outcome::SignedIn || done.outcome == Outcome::StateUsed {
        let back = return_to.unwrap_or_else(|| ReturnTo::home(config));
        ("Continue", back.as_str().to_owned())
    } else {
        ("Sign in again", again(return_to.as_ref(), opener.as_ref()))
    };
    let script = opener.map(|opener| word_to(&opener, done.outcome, &nonce)).unwrap_or_default();
    let (title, text) = words(done.outcome);
    still(StatusCode::OK, &Words { title, text, action: Some(action) }, &script, &nonce)
}

fn opened(config: &Config, address: &Uri, now: Timestamp) -> Option<Done> {
    let query = address.query()?.as_bytes();
    let (_, sealed) = form_urlencoded::parse(query).find(|(name, _)| name == "end")?;
    let sealed = URL_SAFE_NO_PAD.decode(&*sealed).ok()?;
    let plaintext = config.keys().open(&done_place(config), None, &sealed).ok()?;
    let done = read_done(Object::parse(&plaintext)?)?;
    (now < done.expires_at).then_some(done)
}

fn read_done(mut form: Object) -> Option<Done> {
    Some(Done {
        outcome: Outcome::parse(&form.text("outcome")?)?,
        opener: form.optional("opener", Object::text)?,
        return_to: form.optional("return_to", Object::text)?,
        expires_at: form.time("expires_at")?,
    })
}

fn as_word<S: serde::Serializer>(outcome: &Outcome, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(outcome.word())
}

fn done_place(config: &Config) -> Place<'_> {
    Place {
        purpose: Purpose::Done,
        keeper: "",
        generation: 0,
        client_id: &config.app().client_id,
        detail: "",
    }
}

/// The address that starts the same login anew.
fn again(return_to: Option<&ReturnTo>, opener: Option<&Origin>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(return_to) = return_to {
        query.append_pair("return_to", return_to.as_str());
    }
    if let Some(opener) = opener {
        query.append_pair("opener", opener.as_str());
    }
    match query.finish() {
        nothing if nothing.is_empty() => "/auth/login".to_owned(),
        query => format!("/auth/login?{query}"),
    }
}

/// Posts a word and no data, to the one origin that opened this login, and closes. Where Box's pages have cut off
/// the opener, the words below stay to be read.
fn word_to(opener: &Origin, outcome: Outcome, nonce: &str) -> String {
    let kind = if outcome == Outcome::SignedIn { "keyhole:signed_in" } else { "keyhole:failed" };
    format!(
        r#"<script nonce="{nonce}" data-type="{kind}" data-target="{}">
const {{ type, target }} = document.currentScript.dataset;
if (window.opener) {{ window.opener.postMessage({{ type }}, target); window.close(); }}
</script>
"#,
        escaped(opener.as_str())
    )
}

/// What is to be read. All of it is ours but the action's address, which was parsed.
pub(crate) struct Words {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    pub(crate) action: Option<(&'static str, String)>,
}

pub(crate) const fn words(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::SignedIn => ("You are signed in", "You can close this window."),
        Outcome::Denied => ("You did not grant access", "Nothing was changed at Box."),
        Outcome::StateMissing => (
            "This sign-in cannot be finished",
            "Box sent you back without the mark that belongs to a sign-in.",
        ),
        Outcome::StateUnknown => {
            ("This sign-in was not started here", "It was started in another browser, or it is over already.")
        }
        Outcome::StateExpired => ("That took too long", "A sign-in has to be finished within ten minutes."),
        Outcome::StateUsed => ("You are signed in already", "This sign-in was finished before."),
        Outcome::CodeRefused => {
            ("Box did not accept the sign-in", "Box's codes are good for half a minute and for one use.")
        }
        Outcome::BoxUnavailable => {
            ("Box does not answer right now", "Nothing is lost. Try again in a moment.")
        }
        Outcome::Failed => {
            ("The sign-in did not work", "Try again. If it stays so, tell whoever runs this site.")
        }
    }
}

/// A problem, for a person.
pub(crate) fn of_problem(problem: &Problem, entropy: &mut Entropy) -> Response<Body> {
    let nonce = headers::nonce(entropy);
    let to_the_page = matches!(problem.status, 403 | 404).then(|| ("To the start page", "/".to_owned()));
    let words = Words { title: problem.title, text: problem.code, action: to_the_page };
    problem.carry(still(problem.status(), &words, "", &nonce))
}

/// A page that asks nobody for anything.
fn still(status: StatusCode, words: &Words, script: &str, nonce: &str) -> Response<Body> {
    shown(status, words, script, &headers::notice_policy(nonce, "'none'"), nonce)
}

pub(crate) fn shown(
    status: StatusCode,
    words: &Words,
    script: &str,
    policy: &str,
    nonce: &str,
) -> Response<Body> {
    let Words { title, text, action } = words;
    let action = action.as_ref().map_or_else(String::new, |(label, address)| {
        format!("<p><a href=\"{}\">{}</a></p>\n", escaped(address), escaped(label))
    });
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title} · Keyhole</title>\n<style nonce=\"{nonce}\">{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{MARK}\n<h1>{title}</h1>\n<p>{text}</p>\n{action}</main>\n{script}</body>\n</html>\n",
        title = escaped(title),
        text = escaped(text),
    );
    headers::html(status, Body::Bytes(html.into_bytes()), policy)
}

/// The page's own colours and mark (www/style.css), so that both look like one house.
const STYLE: &str = "
:root { color-scheme: light dark; --ground: #eef1ee; --card: #fff; --ink: #17211d; --soft: #51605a; --accent: #1b6b5a; --on-accent: #fff; --line: #d6ddd8; }
@media (prefers-color-scheme: dark) { :root { --ground: #101614; --card: #18201d; --ink: #e6ece8; --soft: #9fb0a8; --accent: #6fc7b0; --on-accent: #0c1512; --line: #2c3834; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; place-items: center; padding: 1.25rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main { width: min(26rem, 100%); padding: 2.25rem 1.75rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem; text-align: center; }
svg { width: 3rem; height: 3rem; padding: .6rem; border-radius: .85rem; fill: var(--on-accent); background: var(--accent); }
h1 { margin: 1rem 0 .5rem; font-size: 1.35rem; line-height: 1.25; letter-spacing: -.015em; text-wrap: balance; }
p { margin: 0; color: var(--soft); text-wrap: pretty; overflow-wrap: anywhere; }
a { display: inline-block; min-height: 2.75rem; margin-top: 1.5rem; padding: .6rem 1.25rem; border-radius: .6rem; background: var(--accent); color: var(--on-accent); font-weight: 600; text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px; }
";

const MARK: &str = r#"<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3a5 5 0 0 0-2.2 9.5L8.2 20a.8.8 0 0 0 .8 1h6a.8.8 0 0 0 .8-1l-1.6-7.5A5 5 0 0 0 12 3z"/></svg>"#;

/// Text as HTML text or attribute value.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{config, config_with};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn visit(now: Timestamp) -> Visit {
        Visit { now, entropy: Entropy::new([1; 32]), login_admitted: true }
    }

    fn login(opener: Option<&str>) -> Transaction {
        Transaction {
            return_to: ReturnTo::parse("/files", &config()).unwrap(),
            opener: opener.map(|opener| Origin::parse(opener).unwrap()),
            verifier: crate::secret::PkceVerifier::new(""),
            expires_at: NOW,
            previous: None,
        }
    }

    fn address(transaction: Option<&Transaction>, outcome: Outcome) -> Uri {
        done_address(&config(), NOW, &mut Entropy::new([2; 32]), transaction, outcome).parse().unwrap()
    }

    fn page_of(config: &Config, address: &Uri, now: Timestamp) -> String {
        let Body::Bytes(html) = done(config, address, &mut visit(now)).into_body() else { panic!("no page") };
        String::from_utf8(html).unwrap()
    }

    fn page(address: &Uri) -> String {
        page_of(&config(), address, NOW)
    }

    #[test]
    fn s31_a_popup_posts_a_word_and_no_data_to_its_opener_only() {
        for (outcome, word) in [(Outcome::SignedIn, "keyhole:signed_in"), (Outcome::Denied, "keyhole:failed")]
        {
            let html = page(&address(Some(&login(Some("https://app.example.com"))), outcome));
            assert!(
                html.contains(&format!(r#"data-type="{word}" data-target="https://app.example.com""#)),
                "{html}"
            );
            assert_eq!(html.matches("<script").count(), 1);
            assert!(html.contains("window.opener.postMessage({ type }, target); window.close();"), "{html}");
        }
    }

    #[test]
    fn without_an_opener_nothing_is_posted_and_the_words_say_what_to_do() {
        let html = page(&address(None, Outcome::StateUnknown));
        assert!(!html.contains("<script"), "{html}");
        assert!(
            html.contains("not started here") && html.contains(r#"<a href="/auth/login">Sign in again</a>"#)
        );
        let html = page(&address(Some(&login(Some("https://app.example.com"))), Outcome::Denied));
        let again = "/auth/login?return_to=https%3A%2F%2Fkeyhole.example.com%2Ffiles&amp;opener=https%3A%2F%2Fapp.example.com";
        assert!(html.contains(again), "{html}");
    }

    #[test]
    fn s05_an_address_that_we_did_not_seal_or_that_is_old_says_nothing() {
        let sealed = address(Some(&login(Some("https://app.example.com"))), Outcome::SignedIn);
        let text = sealed.to_string();
        let changed = text.replace("end=AQ", "end=AB");
        assert_ne!(changed, text);
        let cut = text.get(..text.len() - 8).unwrap().to_owned();
        for wrong in [
            "/auth/done".to_owned(),
            "/auth/done?end=".to_owned(),
            "/auth/done?end=opener".to_owned(),
            changed,
            cut,
        ] {
            let html = page(&wrong.parse().unwrap());
            assert!(html.contains("This sign-in is over") && !html.contains("<script"), "{wrong}");
        }
        let late = page_of(&config(), &sealed, NOW.plus(DONE_LIFE));
        assert!(late.contains("This sign-in is over") && !late.contains("<script"));
    }

    #[test]
    fn s27_an_opener_that_is_no_longer_listed_hears_nothing() {
        let sealed = address(Some(&login(Some("https://app.example.com"))), Outcome::SignedIn);
        assert!(!page_of(&config_with(&[("ALLOWED_ORIGINS", "")]), &sealed, NOW).contains("<script"));
    }

    #[test]
    fn s11_the_page_loads_nothing_from_anywhere_and_is_framed_by_nobody() {
        let response = done(&config(), &address(None, Outcome::Failed), &mut visit(NOW));
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'nonce-"), "{policy}");
        assert!(!policy.contains("http") && policy.ends_with("frame-ancestors 'none'"), "{policy}");
        let Body::Bytes(html) = response.body() else { panic!("no page") };
        assert!(!String::from_utf8_lossy(html).contains("src="));
    }

    #[test]
    fn every_outcome_has_words_of_its_own() {
        let outcomes = [
            Outcome::SignedIn,
            Outcome::Denied,
            Outcome::StateMissing,
            Outcome::StateUnknown,
            Outcome::StateExpired,
            Outcome::StateUsed,
            Outcome::CodeRefused,
            Outcome::BoxUnavailable,
            Outcome::Failed,
        ];
        let titles: std::collections::BTreeSet<&str> =
            outcomes.iter().map(|&outcome| words(outcome).0).collect();
        assert_eq!(titles.len(), outcomes.len());
    }

    #[test]
    fn text_is_text_in_html() {
        assert_eq!(
            escaped(r#"<a href="x" title='y'>&"#),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;"
        );
    }
}
