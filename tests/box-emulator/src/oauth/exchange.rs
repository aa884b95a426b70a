//! Token exchange: from a token to a narrower one.
//!
//! <https://developer.box.com/guides/authentication/tokens/downscope/>, RFC 8693.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::api::files;
use crate::api::folders;
use crate::api::shared_links::{Named, Opened, SharedLink};
use crate::control::rules::Rule;
use crate::control::settings::{ScopeNotHeld, Settings, WithoutResource};
use crate::emulator::Emulator;
use crate::oauth::actor::Actor;
use crate::oauth::book::{Holder, Kind, Narrowed, Standing, Target, Token};
use crate::oauth::jwt::Terms;
use crate::oauth::scopes;
use crate::oauth::token;
use crate::refusals::{self, OAuthRefusal};
use crate::request::{Call, Form};
use crate::world::account::{self, Item, ItemId};

const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
/// Wherever the emulator runs, a resource may be named as Box's.
const BOX_API: &str = "https://api.box.com";

/// Works with and without client credentials, as SDKs send either; wrong ones are refused.
///
/// # Errors
/// Each reason not to make a token, in the words of the refusal table.
pub(crate) fn exchange(emulator: &mut Emulator, call: &Call, form: &Form) -> Result<Value, OAuthRefusal> {
    let proven = match form.has("client_id") || form.has("client_secret") {
        true => Some(token::client(emulator, form)?.client_id.clone()),
        false => None,
    };
    let subject = form.value("subject_token").ok_or(refusals::SUBJECT_TOKEN_MISSING)?;
    if form.value("subject_token_type") != Some(ACCESS_TOKEN_TYPE) {
        return Err(refusals::SUBJECT_TOKEN_TYPE_INVALID);
    }
    let parent = live_subject(emulator, call, subject)?;
    if proven.is_some_and(|client_id| client_id != parent.holder.client_id) {
        return Err(refusals::CLIENT_INVALID);
    }
    let scopes = narrowed_scopes(&emulator.settings, parent, form)?;
    let target = target(emulator, call, parent, form)?;
    let actor = actor(emulator, call, parent, form)?;

    let holder = Holder { scopes, ..parent.holder.clone() };
    let restricted_to = restricted_to(emulator, call, &holder, &target);
    let narrowed = Narrowed { holder, target, actor };
    emulator.settle(subject);
    let data = emulator.state.edit();
    let (value, seconds) = data.issue_child(subject, narrowed, &emulator.settings, call.now_ms);
    Ok(json!({
        "access_token": value,
        "expires_in": seconds,
        "token_type": "bearer",
        "restricted_to": restricted_to,
        "issued_token_type": ACCESS_TOKEN_TYPE,
    }))
}

fn live_subject<'a>(emulator: &'a Emulator, call: &Call, subject: &str) -> Result<&'a Token, OAuthRefusal> {
    let book = &emulator.state.book;
    let settings = &emulator.settings;
    let subject = book
        .find(subject)
        .filter(|token| matches!(token.kind, Kind::Access | Kind::Child))
        .filter(|token| book.standing(token, settings, call.now_ms) == Standing::Live)
        .ok_or_else(|| refusals::SUBJECT_TOKEN_INVALID.with_status(settings.dead_subject_status))?;
    if subject.kind == Kind::Child && !settings.nested_exchange {
        return Err(refusals::SUBJECT_TOKEN_NARROWED);
    }
    Ok(subject)
}

fn narrowed_scopes(
    settings: &Settings,
    parent: &Token,
    form: &Form,
) -> Result<BTreeSet<String>, OAuthRefusal> {
    let list = form.value("scope").ok_or(refusals::SCOPE_MISSING)?;
    let scopes = scopes::parse(list).ok_or(refusals::SCOPE_UNKNOWN)?;
    if scopes.is_empty() {
        return Err(refusals::SCOPE_MISSING);
    }
    if scopes::hold(&parent.holder.scopes, &scopes) || !settings.keeps(Rule::ScopeHeld) {
        return Ok(scopes);
    }
    let refusal = match settings.scope_not_held_error {
        ScopeNotHeld::InvalidScope => refusals::SCOPE_NOT_HELD,
        ScopeNotHeld::InsufficientScope => refusals::SCOPE_INSUFFICIENT,
    };
    Err(refusal.with_status(settings.scope_not_held_status))
}

/// The actor named, or else the parent's own.
fn actor(
    emulator: &Emulator,
    call: &Call,
    parent: &Token,
    form: &Form,
) -> Result<Option<Actor>, OAuthRefusal> {
    let client_id = &parent.holder.client_id;
    let app = emulator.app(client_id).ok_or(refusals::CLIENT_INVALID)?;
    let own_addresses = token::own_addresses(emulator, call);
    let broken = emulator.settings.broken;
    let terms = Terms { client_id, own_addresses: &own_addresses, now_ms: call.now_ms, broken };
    Ok(Actor::read(app, form, &terms)?.or_else(|| parent.actor.clone()))
}

/// The item asked for, which the parent must reach. None asked: the parent's own.
fn target(emulator: &Emulator, call: &Call, parent: &Token, form: &Form) -> Result<Target, OAuthRefusal> {
    let asked = match (form.value("resource"), form.value("box_shared_link")) {
        (Some(_), Some(_)) => return Err(refusals::SHARED_LINK_AND_RESOURCE),
        (None, Some(link)) => return behind_link(emulator, call, parent, link),
        (None, None) => {
            let Token { resource, shared_link, .. } = parent.clone();
            return Ok(Target { resource, shared_link });
        }
        (Some(asked), None) => asked,
    };
    let own = [BOX_API, &emulator.options.api_origin, &format!("http://{}", call.authority)];
    let id = item_at(asked, &own).ok_or(refusals::RESOURCE_INVALID)?;
    if id.is_root() && !emulator.settings.root_as_resource {
        return Err(refusals::RESOURCE_INVALID);
    }
    let account = emulator.account(&parent.holder.user_id);
    let item = account.item(&id).ok_or(refusals::RESOURCE_INVALID)?;
    match &parent.resource {
        Some(whole) if !account.lies_in(item, whole) => Err(refusals::RESOURCE_INVALID),
        _ => Ok(Target { resource: Some(id), shared_link: None }),
    }
}

/// The item that a shared link without a password is for, in whosever account it lies.
fn behind_link(emulator: &Emulator, call: &Call, parent: &Token, link: &str) -> Result<Target, OAuthRefusal> {
    let user = &parent.holder.user_id;
    let opened = Named::unprotected(link).open(emulator, user, call.now_ms);
    let Opened { owner, item: id, .. } = opened.map_err(|_| refusals::RESOURCE_INVALID)?;
    let account = emulator.account(&owner);
    let item = account.item(&id).ok_or(refusals::RESOURCE_INVALID)?;
    let protected = item.about().shared_link.as_ref().is_none_or(SharedLink::is_protected);
    // The root folder has the same id in every account: the parent's root is its own.
    let beyond = parent
        .resource
        .as_ref()
        .is_some_and(|whole| !account.lies_in(item, whole) || (whole.is_root() && owner != *user));
    if protected || beyond {
        return Err(refusals::RESOURCE_INVALID);
    }
    let shared_link = (owner != *user).then(|| link.to_owned());
    Ok(Target { resource: Some(id), shared_link })
}

/// `{origin}/2.0/files/{id}` or `{origin}/2.0/folders/{id}`, letter by letter: parsing would make different texts equal.
fn item_at(address: &str, origins: &[&str]) -> Option<ItemId> {
    let path = origins.iter().find_map(|origin| address.strip_prefix(origin)?.strip_prefix("/2.0/"))?;
    match path.split_once('/')? {
        ("files", id) if account::is_id(id) => Some(ItemId::File(id.to_owned())),
        ("folders", id) if account::is_id(id) => Some(ItemId::Folder(id.to_owned())),
        _ => None,
    }
}

/// One entry for each scope, each with the same object. Without a resource, what the settings say.
fn restricted_to(emulator: &Emulator, call: &Call, holder: &Holder, target: &Target) -> Vec<Value> {
    if target.resource.is_none() && emulator.settings.restricted_to_without_resource == WithoutResource::Empty
    {
        return Vec::new();
    }
    let behind = target.shared_link.as_deref().map(Named::unprotected);
    let owner = behind
        .and_then(|named| named.open(emulator, &holder.user_id, call.now_ms).ok())
        .map_or_else(|| holder.user_id.clone(), |opened| opened.owner);
    let object = target.resource.as_ref().and_then(|id| emulator.account(&owner).item(id));
    let object = object.map(|item| match item {
        Item::File(file) => files::mini(file),
        Item::Folder(folder) => folders::mini(folder),
    });
    let entry = |scope: &String| match &object {
        Some(object) => json!({"scope": scope, "object": object}),
        None => json!({"scope": scope}),
    };
    holder.scopes.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_address_names_an_item_only_as_it_is_written(
            start in prop::sample::select(vec!["https://api.box.com", "http://api.box.com", "https://api.box.com:443", ""]),
            path in prop::sample::select(vec!["/2.0/files/", "/2.0/folders/", "/2.0/", "/2.0//files/", "/x/../2.0/files/"]),
            id in "[0-9]{0,21}[/?#.%a ]?",
        ) {
            let address = format!("{start}{path}{id}");
            let named = item_at(&address, &[BOX_API]).map(|id| match id {
                ItemId::File(id) => format!("{BOX_API}/2.0/files/{id}"),
                ItemId::Folder(id) => format!("{BOX_API}/2.0/folders/{id}"),
            });
            prop_assert!(named.as_ref().is_none_or(|named| *named == address), "{:?}", named);
            let well = start == BOX_API && path.ends_with("s/") && !path.contains("//") && !path.contains("..");
            prop_assert_eq!(named.is_some(), well && account::is_id(&id));
        }
    }
}
