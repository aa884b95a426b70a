//! Who calls: the bearer token of a request, and what it may reach.
//!
//! The flows get their files and folders only from here, so none of them can forget to ask.

use http::StatusCode;

use crate::api::shared_links::Opened;
use crate::control::rules::Rule;
use crate::control::settings::Settings;
use crate::emulator::Emulator;
use crate::oauth::book::{Holder, Kind, Standing};
use crate::oauth::scopes::{self, Right};
use crate::oauth::subject::Subject;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;
use crate::world::account::{self, Account, File, Folder, Item, ItemId};
use crate::world::apps::App;
use crate::world::state::State;

/// For a request with no token, or none that can be read.
pub(crate) const NO_TOKEN: &str = "Bearer realm=\"Service\"";
/// box-node-sdk#157 shows the whole header.
pub(crate) const BAD_TOKEN: &str = "Bearer realm=\"Service\", error=\"invalid_token\", \
                                    error_description=\"The access token provided is invalid.\"";

/// A live access token or downscoped token.
#[derive(Debug)]
pub(crate) struct Bearer {
    pub(crate) token: String,
    pub(crate) holder: Holder,
    pub(crate) resource: Option<ItemId>,
    /// Whether it was made from another token.
    narrowed: bool,
    /// The shared link that the token was made for.
    pub(crate) made_for: Option<String>,
    /// What the call's shared link opens.
    pub(crate) link: Option<Opened>,
}

/// Why there is no [`Bearer`]. All of them are the empty 401; they differ in what a page may read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoBearer {
    /// No token, or not in the form of one.
    Absent,
    /// Never issued: belongs to no app.
    Unknown,
    /// Ended. Its app still says which pages may read that.
    Dead { client_id: String },
}

/// The token of the `Authorization` header, or of the query where Box takes it from there.
///
/// # Errors
/// [`NoBearer`].
pub(crate) fn authenticate(
    state: &State,
    settings: &Settings,
    call: &Call,
    query_allowed: bool,
) -> Result<Bearer, NoBearer> {
    let value = match call.bearer() {
        Some(token) => token,
        None if query_allowed => call.query.value("access_token"),
        None => None,
    };
    let value = value.ok_or(NoBearer::Absent)?;
    let token = state.book.find(value).filter(|token| matches!(token.kind, Kind::Access | Kind::Child));
    let token = token.ok_or(NoBearer::Unknown)?;
    if state.book.standing(token, settings, call.now_ms) != Standing::Live {
        return Err(NoBearer::Dead { client_id: token.holder.client_id.clone() });
    }
    let mut bearer = Bearer {
        token: value.to_owned(),
        holder: token.holder.clone(),
        resource: token.resource.clone(),
        narrowed: token.kind == Kind::Child,
        made_for: token.shared_link.clone(),
        link: None,
    };
    match settings.broken {
        Some(Rule::Scope) => bearer.holder.scopes = [scopes::READ_AND_WRITE_ALL.to_owned()].into(),
        Some(Rule::Resource) => bearer.resource = None,
        _ => {}
    }
    Ok(bearer)
}

/// Whose item it is, and how its caller came to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) owner: &'a str,
    pub(crate) account: &'a Account,
    /// The link that opened it, when it is somebody else's.
    link: Option<&'a Opened>,
}

impl Place<'_> {
    /// Whether the user may do that with `item`, whatever their token allows. A link lets its users read.
    pub(crate) fn user_may(&self, item: Item<'_>, right: Right) -> bool {
        item.user_may(right)
            && match (self.link, right) {
                (None, _) | (Some(_), Right::Browse | Right::Info | Right::Preview) => true,
                (Some(link), Right::Download) => link.can_download,
                (Some(_), _) => false,
            }
    }
}

impl Bearer {
    /// From here on the token speaks for the user that the call's header `As-User` names, if it names one.
    /// <https://developer.box.com/guides/authentication/jwt/as-user/>
    ///
    /// # Errors
    /// 403, unless it is the whole token of a service account whose app may speak for that user.
    pub(crate) fn act_as(&mut self, emulator: &Emulator, call: &Call) -> Result<(), ApiRefusal> {
        let Some(user) = call.named_header("as-user") else { return Ok(()) };
        let own = |app: &&App| !self.narrowed && app.service_account.as_ref() == Some(&self.holder.user_id);
        let app = emulator.app(&self.holder.client_id).filter(own);
        let user = app.and_then(|app| Subject::User(user).find(emulator, app).ok());
        self.holder.user_id = user.ok_or(refusals::INSUFFICIENT_PERMISSIONS)?;
        Ok(())
    }

    /// Whether a scope of this token gives `right`.
    pub(crate) fn may(&self, right: Right) -> bool {
        scopes::allow(&self.holder.scopes, right)
    }

    /// Like [`Bearer::may`], for a whole call.
    ///
    /// # Errors
    /// 403 `insufficient_scope`.
    pub(crate) fn require(&self, right: Right) -> Result<(), ApiRefusal> {
        if self.may(right) { Ok(()) } else { Err(refusals::INSUFFICIENT_SCOPE) }
    }

    /// For what is about no item: a token that is narrowed to one may not. Box says nothing of it; this is the safe side.
    ///
    /// # Errors
    /// 403 `insufficient_scope`.
    pub(crate) fn require_whole(&self) -> Result<(), ApiRefusal> {
        if self.resource.is_none() { Ok(()) } else { Err(refusals::INSUFFICIENT_SCOPE) }
    }

    /// What the user may do with `item`, and the token, too.
    /// <https://developer.box.com/guides/embed/ui-elements/access/>
    pub(crate) fn may_with(&self, place: Place<'_>, item: Item<'_>, right: Right) -> bool {
        self.may(right) && place.user_may(item, right)
    }

    /// Like [`Bearer::may_with`], for a whole call.
    ///
    /// # Errors
    /// 403, for a scope the token lacks or for a right its user lacks.
    pub(crate) fn require_with(
        &self,
        place: Place<'_>,
        item: Item<'_>,
        right: Right,
    ) -> Result<(), ApiRefusal> {
        self.require(right)?;
        if place.user_may(item, right) { Ok(()) } else { Err(refusals::INSUFFICIENT_PERMISSIONS) }
    }

    /// The files of the user that this token speaks for.
    pub(crate) fn home<'a>(&'a self, emulator: &'a Emulator) -> Place<'a> {
        let owner = self.holder.user_id.as_str();
        Place { owner, account: emulator.account(owner), link: None }
    }

    /// Whether `item` is within this token's resource, and within what its link opens.
    pub(crate) fn reaches(&self, place: Place<'_>, item: Item<'_>) -> bool {
        let in_resource = self.resource.as_ref().is_none_or(|resource| {
            // Every account has a root folder with the same id: a token for one's own says nothing about another's.
            let own_root = resource.is_root() && place.link.is_some();
            !own_root && place.account.lies_in(item, resource)
        });
        in_resource && place.link.is_none_or(|link| place.account.lies_in(item, &link.item))
    }

    /// The item `id`, whatever is to be done with it.
    ///
    /// # Errors
    /// 405 for what is no id, 404 for what does not exist, the setting's 404 or 403 for what lies outside the
    /// token's resource.
    pub(crate) fn item<'a>(
        &'a self,
        emulator: &'a Emulator,
        id: &ItemId,
    ) -> Result<(Place<'a>, Item<'a>), ApiRefusal> {
        if !account::is_id(id.number()) {
            return Err(refusals::METHOD_NOT_ALLOWED);
        }
        let home = self.home(emulator);
        let (place, item) = match (home.account.item(id), self.behind_link(emulator, id)) {
            (Some(item), _) => (home, item),
            (None, Some(found)) => found,
            (None, None) => return Err(self.gone(home.account, id)),
        };
        if self.reaches(place, item) {
            return Ok((place, item));
        }
        if emulator.settings.outside_resource_status == StatusCode::FORBIDDEN.as_u16() {
            return Err(refusals::INSUFFICIENT_PERMISSIONS);
        }
        Err(refusals::NOT_FOUND)
    }

    /// The file `id`, for a call that needs `right`.
    ///
    /// # Errors
    /// As [`Bearer::item`] and [`Bearer::require_with`].
    pub(crate) fn file<'a>(
        &'a self,
        emulator: &'a Emulator,
        id: &str,
        right: Right,
    ) -> Result<(Place<'a>, &'a File), ApiRefusal> {
        match self.item(emulator, &ItemId::File(id.to_owned()))? {
            (place, Item::File(file)) => {
                self.require_with(place, Item::File(file), right).map(|()| (place, file))
            }
            (_, Item::Folder(_)) => Err(refusals::NOT_FOUND),
        }
    }

    /// The folder `id`, for a call that needs `right`.
    ///
    /// # Errors
    /// As [`Bearer::file`].
    pub(crate) fn folder<'a>(
        &'a self,
        emulator: &'a Emulator,
        id: &str,
        right: Right,
    ) -> Result<(Place<'a>, &'a Folder), ApiRefusal> {
        match self.item(emulator, &ItemId::Folder(id.to_owned()))? {
            (place, Item::Folder(folder)) => {
                self.require_with(place, Item::Folder(folder), right).map(|()| (place, folder))
            }
            (_, Item::File(_)) => Err(refusals::NOT_FOUND),
        }
    }

    /// The item `id` of the account that the call's link leads into, if the link opens it.
    fn behind_link<'a>(&'a self, emulator: &'a Emulator, id: &ItemId) -> Option<(Place<'a>, Item<'a>)> {
        let link = self.link.as_ref()?;
        let account = emulator.account(&link.owner);
        let item = account.item(id).filter(|item| account.lies_in(*item, &link.item))?;
        Some((Place { owner: &link.owner, account, link: Some(link) }, item))
    }

    /// Of what was deleted, only a token that reached it for sure is told more than of what never was.
    fn gone(&self, account: &Account, id: &ItemId) -> ApiRefusal {
        let reached = self.resource.as_ref().is_none_or(|resource| resource == id);
        if reached && account.has_deleted(id) { refusals::TRASHED } else { refusals::NOT_FOUND }
    }
}
