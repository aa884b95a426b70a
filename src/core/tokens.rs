//! A narrowed token for each item: what a preview is shown with.

use http::{HeaderMap, Request, Response, StatusCode, header};
use litemap::LiteMap;
use serde::Serialize;

use crate::{
    app::{BODY_BYTES_MAX, Body, Context, Keepers, Store},
    config::Config,
    cookies,
    fault::Fault,
    headers,
    item::{Item, Scopes},
    json::Object,
    keeper::message::{Ask, HandedToken, Reply, TokensAsk},
    problem::Problem,
    secret::Digest,
    session,
    time::Timestamp,
};

/// Items in one request, and hashes of refused tokens: what one page shows at once, and few enough for Box.
const ITEMS_MAX: usize = 25;

/// Answers every asked item: a token, or the fault that stays with the item.
pub(crate) async fn hand_out<S: Store, K: Keepers>(
    context: &Context<'_, S, K>,
    request: &Request<Vec<u8>>,
) -> Result<Response<Body>, Fault> {
    // Who is not signed in learns nothing about the rules.
    cookies::session(request.headers(), context.config.keys())?;
    let Wanted { items, scopes, refused } = Wanted::parse(request, context.config)?;
    let policy = &context.config.policy;
    let (allowed, forbidden): (Vec<Item>, Vec<Item>) =
        items.into_iter().partition(|item| policy.item(item).is_ok());
    let mut tokens: LiteMap<String, TokenForm> = LiteMap::new();
    for item in forbidden {
        if let Err(fault) = policy.item(&item) {
            tokens.insert(item.to_string(), TokenForm::fault(fault));
        }
    }
    let answers = if allowed.is_empty() {
        // Nothing to mint; but only for who is signed in is it the policy that says no.
        session::ask(context, request.headers(), Ask::Session).await?;
        LiteMap::new()
    } else {
        let ask = Ask::Tokens(TokensAsk { items: allowed.clone(), scopes, refused });
        match session::ask(context, request.headers(), ask).await? {
            Reply::Tokens(answers) => answers,
            _ => return Err(Fault::Skewed),
        }
    };
    for item in allowed {
        let form = match answers.get(&item) {
            Some(Ok(handed)) => TokenForm::token(&item, handed, context.now),
            Some(Err(fault)) => TokenForm::fault(Fault::Keeper(*fault)),
            None => TokenForm::fault(Fault::Skewed),
        };
        tokens.insert(item.to_string(), form);
    }
    Ok(headers::json(StatusCode::OK, &AnswerForm { tokens }))
}

/// A request whose every part is of its form and within policy; folders are judged item by item.
struct Wanted {
    items: Vec<Item>,
    scopes: Scopes,
    refused: Vec<Digest>,
}

impl Wanted {
    fn parse(request: &Request<Vec<u8>>, config: &Config) -> Result<Self, Fault> {
        if !is_json(request.headers()) {
            return Err(Fault::NotJson);
        }
        if request.body().len() > BODY_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        let mut form = Object::parse(request.body()).ok_or(Fault::Malformed("body"))?;
        let items = form.texts("items").filter(|items| !items.is_empty()).ok_or(Fault::Malformed("items"))?;
        let scopes = form.optional("scopes", Object::texts).ok_or(Fault::Malformed("scopes"))?;
        let refused = form.optional("refused", Object::texts).ok_or(Fault::Malformed("refused"))?;
        if items.len() > ITEMS_MAX {
            return Err(Fault::TooManyItems);
        }
        // Each once, however often it is asked for.
        let mut wanted: Vec<Item> = Vec::new();
        for item in items {
            let item = Item::parse(&item).ok_or(Fault::MalformedItem)?;
            if !wanted.contains(&item) {
                wanted.push(item);
            }
        }
        let scopes = scopes.map(|scopes| asked_scopes(&scopes)).transpose()?;
        let refused: Option<Vec<Digest>> =
            refused.unwrap_or_default().iter().map(|hash| Digest::parse_hex(hash)).collect();
        Ok(Self {
            items: wanted,
            scopes: config.policy.scopes(scopes)?,
            refused: refused.filter(|hashes| hashes.len() <= ITEMS_MAX).ok_or(Fault::Malformed("refused"))?,
        })
    }
}

/// A word that cannot be a scope of Box is beyond the allowed ones as well; an empty list asks for nothing.
fn asked_scopes(words: &[String]) -> Result<Scopes, Fault> {
    if words.is_empty() || words.iter().any(|word| word.split_ascii_whitespace().count() != 1) {
        return Err(Fault::Malformed("scopes"));
    }
    Scopes::parse(&words.join(" ")).map_err(|_| Fault::ScopeNotAllowed)
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

#[derive(Serialize)]
struct AnswerForm {
    #[serde(serialize_with = "by_item")]
    tokens: LiteMap<String, TokenForm>,
}

fn by_item<S: serde::Serializer>(tokens: &LiteMap<String, TokenForm>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(tokens.iter())
}

#[derive(Serialize)]
#[serde(untagged)]
enum TokenForm {
    Token {
        access_token: String,
        expires_in: u64,
        token_type: &'static str,
        scope: String,
        restricted_to: Vec<RestrictionForm>,
    },
    Error {
        error: Box<Problem>,
    },
}

/// As Box's own answer to an exchange has it, one for each scope.
#[derive(Serialize)]
struct RestrictionForm {
    scope: String,
    object: ObjectForm,
}

#[derive(Serialize)]
struct ObjectForm {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
}

impl TokenForm {
    fn token(item: &Item, handed: &HandedToken, now: Timestamp) -> Self {
        let restriction = |scope: &str| RestrictionForm {
            scope: scope.to_owned(),
            object: ObjectForm { kind: item.kind().name(), id: item.id().to_owned() },
        };
        Self::Token {
            access_token: handed.token.expose().to_owned(),
            expires_in: now.until(handed.expires_at).as_secs(),
            token_type: "bearer",
            scope: handed.scopes.to_string(),
            restricted_to: handed.scopes.iter().map(restriction).collect(),
        }
    }

    fn fault(fault: Fault) -> Self {
        Self::Error { error: Box::new(fault.problem()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::tests::config, secret::ChildToken};

    fn asked(body: &str) -> Result<Wanted, Fault> {
        let mut request = Request::new(body.as_bytes().to_vec());
        request.headers_mut().insert("content-type", "application/json; charset=utf-8".parse().unwrap());
        Wanted::parse(&request, &config())
    }

    #[track_caller]
    fn refused(body: &str, fault: Fault) {
        assert_eq!(asked(body).err(), Some(fault), "{body}");
    }

    #[test]
    fn an_item_asked_twice_is_asked_once_and_scopes_have_their_default() {
        let wanted = asked(r#"{"items":["file_2","file_1","file_2"],"later":"addition"}"#).unwrap();
        let items: Vec<String> = wanted.items.iter().map(Item::to_string).collect();
        assert_eq!(items, ["file_2", "file_1"]);
        assert_eq!(wanted.scopes.to_string(), "base_preview item_preview");
        assert!(wanted.refused.is_empty());
    }

    #[test]
    fn what_is_not_of_the_form_is_refused_whole() {
        let hash = "a".repeat(64);
        for (body, fault) in [
            ("", Fault::Malformed("body")),
            ("[]", Fault::Malformed("body")),
            (r#"{"items":"file_1"}"#, Fault::Malformed("items")),
            (r#"{"items":[1]}"#, Fault::Malformed("items")),
            ("{}", Fault::Malformed("items")),
            (r#"{"items":[]}"#, Fault::Malformed("items")),
            (r#"{"items":["1"]}"#, Fault::MalformedItem),
            (r#"{"items":["file_1","web_link_2"]}"#, Fault::MalformedItem),
            (r#"{"items":["file_../../users/me"]}"#, Fault::MalformedItem),
            (r#"{"items":["file_1"],"scopes":[]}"#, Fault::Malformed("scopes")),
            (r#"{"items":["file_1"],"scopes":[""]}"#, Fault::Malformed("scopes")),
            (r#"{"items":["file_1"],"scopes":["item_preview base_preview"]}"#, Fault::Malformed("scopes")),
            (r#"{"items":["file_1"],"refused":["token"]}"#, Fault::Malformed("refused")),
        ] {
            refused(body, fault);
        }
        let many = |count: usize| vec![format!("{hash:?}"); count].join(",");
        assert!(asked(&format!(r#"{{"items":["file_1"],"refused":[{}]}}"#, many(25))).is_ok());
        refused(&format!(r#"{{"items":["file_1"],"refused":[{}]}}"#, many(26)), Fault::Malformed("refused"));
    }

    #[test]
    fn s24_a_scope_beyond_policy_refuses_the_whole_request() {
        for scope in ["item_download", "root_readwrite", "item_preview_", "ITEM_PREVIEW", "item*"] {
            refused(
                &format!(r#"{{"items":["file_1"],"scopes":["item_preview",{scope:?}]}}"#),
                Fault::ScopeNotAllowed,
            );
        }
        let narrower = asked(r#"{"items":["file_1"],"scopes":["item_preview"]}"#).unwrap();
        assert_eq!(narrower.scopes.to_string(), "item_preview");
    }

    #[test]
    fn s36_more_items_or_bytes_than_a_page_needs_are_refused() {
        let items = |count: u32| {
            let items: Vec<String> = (0..count).map(|id| format!("\"file_{id}\"")).collect();
            format!(r#"{{"items":[{}]}}"#, items.join(","))
        };
        assert_eq!(asked(&items(25)).unwrap().items.len(), 25);
        refused(&items(26), Fault::TooManyItems);
        let padded = |bytes: usize| format!(r#"{{"items":["file_1"]{}}}"#, " ".repeat(bytes - 20));
        assert!(asked(&padded(BODY_BYTES_MAX)).is_ok());
        refused(&padded(BODY_BYTES_MAX + 1), Fault::TooLarge);
    }

    #[test]
    fn s27_a_body_that_a_form_could_send_is_refused() {
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "",
            "application/jsonp",
        ] {
            let mut request = Request::new(br#"{"items":["file_1"]}"#.to_vec());
            request.headers_mut().insert("content-type", content_type.parse().unwrap());
            assert_eq!(Wanted::parse(&request, &config()).err(), Some(Fault::NotJson), "{content_type}");
        }
    }

    #[test]
    fn the_form_of_a_token_and_of_a_fault_is_pinned() {
        let handed = HandedToken {
            token: ChildToken::new("narrow"),
            scopes: Scopes::parse("item_preview base_preview").unwrap(),
            expires_at: Timestamp::from_millis(3_600_999),
        };
        let form = TokenForm::token(&Item::parse("file_1").unwrap(), &handed, Timestamp::from_millis(0));
        assert_eq!(
            serde_json::to_string(&form).unwrap(),
            r#"{"access_token":"narrow","expires_in":3600,"token_type":"bearer","scope":"base_preview item_preview","restricted_to":[{"scope":"base_preview","object":{"type":"file","id":"1"}},{"scope":"item_preview","object":{"type":"file","id":"1"}}]}"#
        );
        assert_eq!(
            serde_json::to_string(&TokenForm::fault(Fault::FoldersNotAllowed)).unwrap(),
            r#"{"error":{"title":"This deployment gives out tokens for files only.","status":403,"code":"folders_not_allowed","rule":"ALLOW_FOLDERS"}}"#
        );
    }
}
