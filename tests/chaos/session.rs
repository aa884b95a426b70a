//! A person's session: signed in once, then asking for tokens, and what they were told.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use url::Url;

use crate::caller::{Answer, Manner, Site};
use crate::failure::{Failure, OrSaid as _, Outcome, While as _, said};
use crate::local_box::LocalBox;

const COOKIE: &str = "__Host-Http-keyhole";

/// One browser that is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    site: Site,
    cookie: String,
    /// The keeper's name and the session's secret, as the cookie holds them.
    pub(crate) keeper: String,
    pub(crate) secret: String,
    /// The code that the session began with: at Box, all that it ever got descends from it.
    pub(crate) code: String,
    /// From when on its access token has certainly ended.
    due_at: Instant,
}

/// What somebody who asked for a token was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The token.
    Served(String),
    /// Nothing now, come again: a 5xx, a 429, no answer at all.
    Wait(String),
    /// The session is over, and why.
    Ended(String),
    /// What no scenario may see.
    Nonsense(String),
}

impl Session {
    /// Signs in, from the button to the page.
    ///
    /// # Errors
    /// It does not work.
    pub(crate) async fn sign_in(site: &Site, local_box: &LocalBox, life: Duration) -> Outcome<Self> {
        let login = site.send("GET", "/auth/login", None, Manner::Navigation).await?;
        let cookies: Vec<String> =
            login.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let callback = local_box.agree(&location(&login)?)?;
        let code = callback.query_pairs().find(|(name, _)| name == "code");
        let code = code.or_said("Box gives no code")?.1.into_owned();
        let path = format!("{}?{}", callback.path(), callback.query().unwrap_or_default());
        let landed = site.send("GET", &path, Some(&cookies.join("; ")), Manner::Navigation).await?;
        let value = landed.cookies().into_iter().find(|(name, _)| name == COOKIE).map(|(_, value)| value);
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return said(format!("signing in led to {} {}", landed.status, location(&landed)?));
        };
        let mut parts = value.split('.').skip(1).map(str::to_owned);
        let (keeper, secret) = (parts.next(), parts.next());
        Ok(Self {
            site: site.clone(),
            cookie: format!("{COOKIE}={value}"),
            keeper: keeper.or_said("a cookie without a keeper")?,
            secret: secret.or_said("a cookie without a secret")?,
            code,
            due_at: Instant::now() + life,
        })
    }

    /// Waits until its access token has ended.
    pub(crate) async fn due(&self) {
        sleep_until(self.due_at).await;
    }

    /// Notes that it has a new access token now, which lives this long.
    pub(crate) fn renewed(&mut self, life: Duration) {
        self.due_at = Instant::now() + life;
    }

    /// Asks for a token for this file.
    pub(crate) async fn ask(&self, file: &str) -> Told {
        let body = json!({"items": [file]});
        match self.site.send("POST", "/api/tokens", Some(&self.cookie), Manner::Page(&body)).await {
            Ok(answer) => told(&answer, file),
            Err(Failure(words)) => Told::Wait(words),
        }
    }

    /// A page of a folder.
    ///
    /// # Errors
    /// It is not given.
    pub(crate) async fn folder(&self, id: &str) -> Outcome<Value> {
        let path = format!("/api/folders/{id}/items?limit=1000");
        let answer = self.site.send("GET", &path, Some(&self.cookie), Manner::Reading).await?;
        let words = || String::from_utf8_lossy(&answer.body).into_owned();
        (answer.status == 200).then(|| answer.json()).or_said(&format!("a folder: {}", words()))
    }

    /// Signs out; whether that was confirmed.
    pub(crate) async fn sign_out(&self) -> bool {
        let sent = self.site.send("POST", "/auth/logout", Some(&self.cookie), Manner::Page(&Value::Null));
        sent.await.is_ok_and(|answer| matches!(answer.status, 204 | 401))
    }
}

fn location(answer: &Answer) -> Outcome<Url> {
    let location = answer.header(http::header::LOCATION);
    let words = || format!("{} leads nowhere: {}", answer.status, String::from_utf8_lossy(&answer.body));
    Url::parse(location.or_said(&words())?).or_say("reading a redirect")
}

fn told(answer: &Answer, file: &str) -> Told {
    let json = answer.json();
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let all = || format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
    match answer.status {
        200 => {
            let wait = text(&format!("/tokens/{file}/error/code")).map(Told::Wait);
            text(&format!("/tokens/{file}/access_token"))
                .map(Told::Served)
                .or(wait)
                .unwrap_or_else(|| Told::Nonsense(all()))
        }
        401 => text("/reason").map_or_else(|| Told::Nonsense(all()), Told::Ended),
        429 | 500.. => Told::Wait(all()),
        _ => Told::Nonsense(all()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(status: u16, body: &Value) -> Told {
        let answer = Answer { status, headers: http::HeaderMap::new(), body: body.to_string().into() };
        told(&answer, "file_1")
    }

    #[test]
    fn what_a_caller_is_told_is_told_apart() {
        let served = json!({"tokens": {"file_1": {"access_token": "t"}}});
        assert_eq!(tell(200, &served), Told::Served("t".to_owned()));
        let busy = json!({"tokens": {"file_1": {"error": {"code": "busy"}}}});
        assert_eq!(tell(200, &busy), Told::Wait("busy".to_owned()));
        assert_eq!(
            tell(401, &json!({"code": "signed_out", "reason": "rotation_lost"})),
            Told::Ended("rotation_lost".to_owned())
        );
        assert!(matches!(tell(503, &json!({"code": "recovering"})), Told::Wait(_)));
        assert!(matches!(tell(500, &Value::Null), Told::Wait(_)));
        for (status, body) in [(200, Value::Null), (401, json!({"code": "no_session"})), (404, Value::Null)] {
            assert!(matches!(tell(status, &body), Told::Nonsense(_)), "{status}");
        }
    }
}
