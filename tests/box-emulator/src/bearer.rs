//! Who calls: the bearer token of a request, and what it may reach.
//!
//! The flows get their files and folders only from here, so none of them can forget to ask.

use http::StatusCode;

use crate::account::{self, Account, File, Folder, Item, ItemId};
use crate::book::{Holder, Kind, Standing};
use crate::emulator::Emulator;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;
use crate::rules::Rule;
use crate::scopes::{self, Right};
use crate::settings::Settings;
use crate::state::State;

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
    let mut bearer =
        Bearer { token: value.to_owned(), holder: token.holder.clone(), resource: token.resource.clone() };
    match settings.broken {
        Some(Rule::Scope) => bearer.holder.scopes = [scopes::READ_AND_WRITE_ALL.to_owned()].into(),
        Some(Rule::Resource) => bearer.resource = None,
        _ => {}
    }
    Ok(bearer)
}

impl Bearer {
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

    /// The files of the user that this token speaks for.
    pub(crate) fn account<'a>(&self, emulator: &'a Emulator) -> &'a Account {
        emulator.account(&self.holder.user_id)
    }

    /// Whether `item` is within this token's resource.
    pub(crate) fn reaches(&self, account: &Account, item: Item<'_>) -> bool {
        self.resource.as_ref().is_none_or(|resource| account.lies_in(item, resource))
    }

    /// The file `id`, for a call that needs `right`.
    ///
    /// # Errors
    /// 405 for what is no id, 404 for what does not exist, the setting's 404 or 403 for what lies outside the
    /// token's resource, 403 for a scope it lacks.
    pub(crate) fn file<'a>(
        &self,
        emulator: &'a Emulator,
        id: &str,
        right: Right,
    ) -> Result<&'a File, ApiRefusal> {
        if !account::is_id(id) {
            return Err(refusals::METHOD_NOT_ALLOWED);
        }
        let file = self.account(emulator).file(id).ok_or(refusals::NOT_FOUND)?;
        self.require_within(emulator, Item::File(file))?;
        self.require(right)?;
        if file.user_may(right) { Ok(file) } else { Err(refusals::INSUFFICIENT_PERMISSIONS) }
    }

    /// The folder `id`, to be listed.
    ///
    /// # Errors
    /// As [`Bearer::file`].
    pub(crate) fn folder<'a>(&self, emulator: &'a Emulator, id: &str) -> Result<&'a Folder, ApiRefusal> {
        if !account::is_id(id) {
            return Err(refusals::METHOD_NOT_ALLOWED);
        }
        let folder = self.account(emulator).folder(id).ok_or(refusals::NOT_FOUND)?;
        self.require_within(emulator, Item::Folder(folder))?;
        self.require(Right::Browse)?;
        Ok(folder)
    }

    fn require_within(&self, emulator: &Emulator, item: Item<'_>) -> Result<(), ApiRefusal> {
        if self.reaches(self.account(emulator), item) {
            return Ok(());
        }
        if emulator.settings.outside_resource_status == StatusCode::FORBIDDEN.as_u16() {
            return Err(refusals::INSUFFICIENT_PERMISSIONS);
        }
        Err(refusals::NOT_FOUND)
    }
}
