//! Shared links: made on an item, named in the header `BoxApi`, and what they open.
//!
//! <https://developer.box.com/guides/shared-links/>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::answer::Response;
use crate::api::bearer::Bearer;
use crate::api::files;
use crate::api::folders;
use crate::emulator::Emulator;
use crate::oauth::scopes::Right;
use crate::refusals::{self, ApiRefusal};
use crate::request::{Call, Form};
use crate::world::account::{Account, Item, ItemId};
use crate::world::dates;

/// How many letters and digits name a link. Nobody guesses one.
const KEY_LENGTH: usize = 32;
/// <https://developer.box.com/reference/put-files-id/>, `shared_link.password`.
const PASSWORD_LENGTH_MIN: usize = 8;

/// The link of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharedLink {
    key: String,
    access: Access,
    password: Option<String>,
    can_download: bool,
    /// When it ends by itself.
    unshared_at_ms: Option<u64>,
}

/// Whom a link lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Access {
    /// Everybody who has it.
    Open,
    /// The people of the enterprise: all users of this Box.
    Company,
    /// Those who were invited: here, nobody but the owner.
    Collaborators,
}

/// A link that let its caller in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) owner: String,
    pub(crate) item: ItemId,
    pub(crate) can_download: bool,
}

/// The member `shared_link` of a change: what is absent stays, what is `null` is taken away.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    access: Option<Access>,
    #[serde(default, deserialize_with = "given")]
    password: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    unshared_at: Option<Option<String>>,
    permissions: Option<Permissions>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Permissions {
    can_download: Option<bool>,
}

/// Tells a member that is `null` from one that is absent.
pub(crate) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

impl SharedLink {
    /// Open to everybody, for as long as it is there.
    fn new(key: String) -> Self {
        Self { key, access: Access::Open, password: None, can_download: true, unshared_at_ms: None }
    }

    /// This link with what was `asked`.
    ///
    /// # Errors
    /// 400 for a password that is too simple or on a link that is not open, and for a date that is none or is past.
    fn changed(mut self, asked: &Asked, now_ms: u64) -> Result<Self, ApiRefusal> {
        self.access = asked.access.unwrap_or(self.access);
        if let Some(password) = &asked.password {
            if password.as_deref().is_some_and(|password| !is_strong(password)) {
                return Err(refusals::bad_parameter("password"));
            }
            self.password.clone_from(password);
        }
        if self.access != Access::Open && self.password.is_some() {
            return Err(refusals::bad_parameter("password"));
        }
        if let Some(end) = &asked.unshared_at {
            let end = end.as_deref().map(|end| dates::read(end).filter(|end| *end > now_ms));
            if end == Some(None) {
                return Err(refusals::bad_parameter("unshared_at"));
            }
            self.unshared_at_ms = end.flatten();
        }
        let can_download = asked.permissions.as_ref().and_then(|permissions| permissions.can_download);
        self.can_download = can_download.unwrap_or(self.can_download);
        Ok(self)
    }

    /// Whether it asks for a password.
    pub(crate) fn is_protected(&self) -> bool {
        self.password.is_some()
    }

    fn is_over(&self, now_ms: u64) -> bool {
        self.unshared_at_ms.is_some_and(|end| end <= now_ms)
    }

    fn url(&self, emulator: &Emulator) -> String {
        format!("{}/s/{}", emulator.options.api_origin, self.key)
    }
}

/// Eight characters, among them a number, an upper case letter, or neither number nor letter.
fn is_strong(password: &str) -> bool {
    let telling = |letter: char| !letter.is_alphabetic() || letter.is_uppercase();
    password.chars().count() >= PASSWORD_LENGTH_MIN && password.chars().any(telling)
}

/// The link that an item has after a change to `asked`; `None` takes it away.
///
/// # Errors
/// As the request deserves; see [`SharedLink::changed`].
pub(crate) fn change(
    emulator: &mut Emulator,
    before: Option<&SharedLink>,
    asked: Option<&Asked>,
    now_ms: u64,
) -> Result<Option<SharedLink>, ApiRefusal> {
    let Some(asked) = asked else { return Ok(None) };
    let link = match before.filter(|link| !link.is_over(now_ms)) {
        Some(link) => link.clone(),
        None => SharedLink::new(emulator.state.edit().entropy.text(KEY_LENGTH)),
    };
    link.changed(asked, now_ms).map(Some)
}

/// The field `shared_link` of an item.
pub(crate) fn field(emulator: &Emulator, item: Item<'_>, now_ms: u64) -> Value {
    let Some(link) = item.about().shared_link.as_ref().filter(|link| !link.is_over(now_ms)) else {
        return Value::Null;
    };
    let can_download = link.can_download && item.user_may(Right::Download);
    json!({
        "url": link.url(emulator),
        "download_url": null,
        "vanity_url": null,
        "vanity_name": null,
        "access": link.access,
        "effective_access": link.access,
        "effective_permission": if can_download { "can_download" } else { "can_preview" },
        "unshared_at": link.unshared_at_ms.map(dates::written),
        "is_password_enabled": link.is_protected(),
        "permissions": {"can_download": can_download, "can_preview": true, "can_edit": false},
        "download_count": 0,
        "preview_count": 0,
    })
}

/// What the header `BoxApi: shared_link=…&shared_link_password=…` names. The addresses of content take the same two in
/// their query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    url: String,
    password: Option<String>,
}

impl Named {
    /// `None` when the call names no link.
    pub(crate) fn read(call: &Call, in_query: bool) -> Option<Self> {
        if let Some(header) = call.named_header("boxapi") {
            return Self::header(header);
        }
        if in_query { Self::form(&call.query) } else { None }
    }

    /// As SDKs write it: nothing is encoded, the password is the rest. Only box-node-sdk 3 encodes both
    /// (`buildSharedItemAuthHeader`), and then it is a form.
    fn header(text: &str) -> Option<Self> {
        let named = text.trim().strip_prefix("shared_link=")?;
        if !named.contains("://") {
            return Self::form(&Form::read(text.trim().as_bytes())).filter(|named| !named.url.is_empty());
        }
        let (url, password) = named.split_once("&shared_link_password=").unwrap_or((named, ""));
        let password = (!password.is_empty()).then(|| password.to_owned());
        (!url.is_empty()).then(|| Self { url: url.to_owned(), password })
    }

    fn form(form: &Form) -> Option<Self> {
        let url = form.value("shared_link")?.to_owned();
        Some(Self { url, password: form.value("shared_link_password").map(str::to_owned) })
    }

    /// A link that was named without a password.
    pub(crate) fn unprotected(url: &str) -> Self {
        Self { url: url.to_owned(), password: None }
    }

    /// What it opens for `user`.
    ///
    /// # Errors
    /// 404 when there is no such link for this user, 403 `incorrect_shared_item_password`.
    pub(crate) fn open(&self, emulator: &Emulator, user: &str, now_ms: u64) -> Result<Opened, ApiRefusal> {
        let key = key_of(emulator, &self.url).ok_or(refusals::NOT_FOUND)?;
        let (owner, item, link) = find(emulator, &key, now_ms).ok_or(refusals::NOT_FOUND)?;
        if link.access == Access::Collaborators && owner != user {
            return Err(refusals::NOT_FOUND);
        }
        if owner != user && link.is_protected() && link.password != self.password {
            return Err(refusals::INCORRECT_SHARED_ITEM_PASSWORD);
        }
        Ok(Opened { owner: owner.to_owned(), item: item.id(), can_download: link.can_download })
    }
}

/// `{here}/s/{key}`, or the same at Box.
fn key_of(emulator: &Emulator, url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let own = Url::parse(&emulator.options.api_origin).ok().is_some_and(|own| own.origin() == url.origin());
    let boxes = url.scheme() == "https"
        && url.host_str().is_some_and(|host| host == "box.com" || host.ends_with(".box.com"));
    let key = url.path().strip_prefix("/s/").filter(|key| !key.is_empty() && !key.contains('/'))?;
    (own || boxes).then(|| key.to_owned())
}

fn find<'a>(emulator: &'a Emulator, key: &str, now_ms: u64) -> Option<(&'a str, Item<'a>, &'a SharedLink)> {
    let named = |account: &'a Account| {
        account.items().find_map(|item| {
            let link = item.about().shared_link.as_ref()?;
            (link.key == key && !link.is_over(now_ms)).then_some((item, link))
        })
    };
    emulator
        .state
        .accounts
        .iter()
        .find_map(|(owner, account)| named(account).map(|(item, link)| (owner.as_str(), item, link)))
}

/// What the shared link of `call` opens, if it names one: in its header, or in the query of an address of content. A
/// token that was made for a link brings its own where the settings say so.
///
/// # Errors
/// As [`Named::open`].
pub(crate) fn follow(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    in_query: bool,
) -> Result<Option<Opened>, ApiRefusal> {
    let brought = bearer.made_for.as_deref().filter(|_| !emulator.settings.link_token_needs_header);
    let named = Named::read(call, in_query).or_else(|| brought.map(Named::unprotected));
    named.map(|named| named.open(emulator, &bearer.holder.user_id, call.now_ms)).transpose()
}

/// `GET /2.0/shared_items`: the item that the header's link is for.
/// <https://developer.box.com/reference/get-shared-items/>
///
/// # Errors
/// 400 without the header; as [`Named::open`] and [`Bearer::file`].
pub(crate) fn item(emulator: &mut Emulator, call: &Call, bearer: &Bearer) -> Result<Response, ApiRefusal> {
    let named = Named::read(call, false).ok_or_else(|| refusals::bad_parameter("BoxApi"))?;
    let opened = named.open(emulator, &bearer.holder.user_id, call.now_ms)?;
    match &opened.item {
        ItemId::File(id) => files::info(emulator, call, bearer, id),
        ItemId::Folder(id) => folders::info(emulator, call, bearer, id),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_header_is_read_as_it_was_written(key in "[0-9A-Za-z]{1,40}", password in "[!-~]{0,24}") {
            let url = format!("https://app.box.com/s/{key}");
            let header = match password.as_str() {
                "" => format!("shared_link={url}"),
                _ => format!("shared_link={url}&shared_link_password={password}"),
            };
            let encoded = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("shared_link", &url), ("shared_link_password", &password)])
                .finish();
            let password = (!password.is_empty()).then_some(password);
            let meant = Some(Named { url, password });
            prop_assert_eq!(Named::header(&header), meant.clone());
            prop_assert_eq!(Named::header(&encoded), meant, "as box-node-sdk 3 writes it");
        }

        #[test]
        fn no_header_makes_it_panic(text in "(shared_link=)?[ -~]{0,40}") {
            prop_assert!(Named::header(&text).is_none_or(|named| !named.url.is_empty()));
        }

        #[test]
        fn a_password_is_strong_when_it_is_long_and_more_than_small_letters(password in "[ -~]{0,12}") {
            let strong = password.len() >= 8 && !password.bytes().all(|byte| byte.is_ascii_lowercase());
            prop_assert_eq!(is_strong(&password), strong);
        }
    }
}
