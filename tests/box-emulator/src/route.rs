//! From method and path to the flow that answers.

use http::{Method, StatusCode};

use crate::answer::{self, Response};
use crate::api::bearer::{self, Bearer, NoBearer};
use crate::api::throttle::Kind;
use crate::api::{
    content, cors, edits, events, files, folders, representations, search, shared_links, uploads, users,
    versions,
};
use crate::assets;
use crate::emulator::Emulator;
use crate::oauth::{authorize, revoke, token};
use crate::refusals::{self, ApiRefusal};
use crate::request::{Call, Port};
use crate::world::account::ItemId;

/// Answers anything but the control API.
pub(crate) fn answer(emulator: &mut Emulator, call: &Call) -> Response {
    if call.too_large {
        let mut response = answer::api_refusal(&refusals::BODY_TOO_LARGE, &emulator.request_id(call));
        cors::let_page_read(&mut response, call);
        return response;
    }
    if let Some(header) = call.unreadable_header() {
        return answer::api_refusal(&refusals::bad_parameter(header), &emulator.request_id(call));
    }
    match (call.port, call.segments().as_slice()) {
        (Port::Api, ["oauth2", "token"] | ["api", "oauth2", "token"]) => token::answer(emulator, call),
        (Port::Api, ["oauth2", "revoke"] | ["api", "oauth2", "revoke"]) => revoke::answer(emulator, call),
        (Port::Api, ["api", "oauth2", "authorize"]) => authorize::answer(emulator, call),
        (Port::Api, ["api", "oauth2", "authorize.css"]) => assets::authorize_style(),
        (Port::Api, ["platform", "preview", path @ ..]) => assets::preview(path),
        (Port::Content, ["d", "1", token, "download"]) => content::download(emulator, call, token),
        (port, segments) => match Flow::find(port, &call.method, segments) {
            Ok(Flow::UploadQuestion) if call.bearer().is_some() => {
                with_bearer(emulator, call, &Flow::UploadQuestion)
            }
            Ok(_) if call.method == Method::OPTIONS => cors::preflight(),
            Ok(flow) => with_bearer(emulator, call, &flow),
            Err(refusal) => answer::api_refusal(&refusal, &emulator.request_id(call)),
        },
    }
}

/// A call that needs a bearer token.
enum Flow<'a> {
    Me,
    User { id: &'a str },
    Users,
    NewUser,
    Folder { id: &'a str },
    NewFolder,
    FolderItems { id: &'a str },
    File { id: &'a str },
    Versions { id: &'a str },
    Version { file: &'a str, id: &'a str },
    Change { item: ItemId },
    Delete { item: ItemId },
    SharedItem,
    Search,
    UploadQuestion,
    Upload,
    UploadVersion { id: &'a str },
    Download { id: &'a str },
    Event,
    RepresentationStatus { file: &'a str, version: &'a str, name: &'a str },
    Original { id: &'a str },
    RepresentationContent { file: &'a str, version: &'a str, name: &'a str, asset: &'a str },
}

impl<'a> Flow<'a> {
    /// # Errors
    /// 404 for an unknown path, 405 for a known one with another method.
    fn find(port: Port, method: &Method, segments: &[&'a str]) -> Result<Self, ApiRefusal> {
        let file = |id: &str| ItemId::File(id.to_owned());
        let folder = |id: &str| ItemId::Folder(id.to_owned());
        match (port, segments) {
            (Port::Api, ["2.0", path @ ..]) => match path {
                ["users"] => Ask { get: Self::Users, post: Self::NewUser }.by(method),
                ["users", "me"] => Get(Self::Me).by(method),
                ["users", id] => Get(Self::User { id }).by(method),
                ["folders"] => Post(Self::NewFolder).by(method),
                ["folders", id] => {
                    let (change, delete) =
                        (Self::Change { item: folder(id) }, Self::Delete { item: folder(id) });
                    Edit { get: Self::Folder { id }, put: change, delete }.by(method)
                }
                ["folders", id, "items"] => Get(Self::FolderItems { id }).by(method),
                ["files", "content"] => Options(Self::UploadQuestion).by(method),
                ["files", id] => {
                    let (change, delete) = (Self::Change { item: file(id) }, Self::Delete { item: file(id) });
                    Edit { get: Self::File { id }, put: change, delete }.by(method)
                }
                ["files", id, "content"] => Get(Self::Download { id }).by(method),
                ["files", id, "versions"] => Get(Self::Versions { id }).by(method),
                ["files", file, "versions", id] => Get(Self::Version { file, id }).by(method),
                ["shared_items"] => Get(Self::SharedItem).by(method),
                ["search"] => Get(Self::Search).by(method),
                ["events"] => Post(Self::Event).by(method),
                ["internal_files", file, "versions", version, "representations", name] => {
                    Get(Self::RepresentationStatus { file, version, name }).by(method)
                }
                _ => Err(refusals::NOT_FOUND),
            },
            // Box's upload host, below one path: `upload.box.com/api/2.0` and what SDKs make of a base address.
            (
                Port::Api,
                ["upload", "2.0", path @ ..]
                | ["upload", "api", "2.0", path @ ..]
                | ["api", "2.0", path @ ..],
            ) => match path {
                ["files", "content"] => Post(Self::Upload).by(method),
                ["files", id, "content"] => Post(Self::UploadVersion { id }).by(method),
                _ => Err(refusals::NOT_FOUND),
            },
            (Port::Content, ["api", "2.0", path @ ..]) => match path {
                ["files", id, "content"] => Get(Self::Original { id }).by(method),
                ["internal_files", file, "versions", version, "representations", name, "content", asset] => {
                    Get(Self::RepresentationContent { file, version, name, asset }).by(method)
                }
                _ => Err(refusals::NOT_FOUND),
            },
            _ => Err(refusals::NOT_FOUND),
        }
    }

    /// Where Box takes `?access_token=`: content, downloads, and the status of representations.
    fn takes_query_token(&self) -> bool {
        matches!(
            self,
            Self::Download { .. }
                | Self::Original { .. }
                | Self::RepresentationStatus { .. }
                | Self::RepresentationContent { .. }
        )
    }

    /// What it counts as, where calls are counted.
    fn kind(&self) -> Kind {
        match self {
            Self::Upload | Self::UploadVersion { .. } => Kind::Upload,
            Self::Search => Kind::Search,
            Self::Original { .. } | Self::RepresentationContent { .. } => Kind::Content,
            _ => Kind::Call,
        }
    }

    fn perform(&self, emulator: &mut Emulator, call: &Call, bearer: &Bearer) -> Result<Response, ApiRefusal> {
        match *self {
            Self::Me => users::me(emulator, call, bearer),
            Self::User { id } => users::info(emulator, call, bearer, id),
            Self::Users => users::list(emulator, call, bearer),
            Self::NewUser => users::create(emulator, call, bearer),
            Self::NewFolder => edits::create_folder(emulator, call, bearer),
            Self::Versions { id } => versions::list(emulator, call, bearer, id),
            Self::Version { file, id } => versions::info(emulator, call, bearer, file, id),
            Self::Change { ref item } => edits::change(emulator, call, bearer, item),
            Self::Delete { ref item } => edits::delete(emulator, call, bearer, item),
            Self::SharedItem => shared_links::item(emulator, call, bearer),
            Self::Search => search::search(emulator, call, bearer),
            Self::UploadQuestion => uploads::ask_first(emulator, call, bearer),
            Self::Upload => uploads::new_file(emulator, call, bearer),
            Self::UploadVersion { id } => uploads::new_version(emulator, call, bearer, id),
            Self::Folder { id } => folders::info(emulator, call, bearer, id),
            Self::FolderItems { id } => folders::items(emulator, call, bearer, id),
            Self::File { id } => files::info(emulator, call, bearer, id),
            Self::Download { id } => content::start_download(emulator, call, bearer, id),
            Self::Event => events::record(emulator, call, bearer),
            Self::RepresentationStatus { file, version, name } => {
                representations::status(emulator, bearer, file, version, name)
            }
            Self::Original { id } => content::original(emulator, call, bearer, id),
            Self::RepresentationContent { file, version, name, asset } => content::representation(
                emulator,
                call,
                bearer,
                &content::Wanted { file, version, name, asset },
            ),
        }
    }
}

/// The methods that a path has, with the flow of each. `HEAD` is a `GET` without the body.
enum Methods<T> {
    Get(T),
    Post(T),
    Options(T),
    Ask { get: T, post: T },
    Edit { get: T, put: T, delete: T },
}

use Methods::{Ask, Edit, Get, Options, Post};

impl<T> Methods<T> {
    /// For `OPTIONS` any: the path is known, and a preflight asks no more.
    fn by(self, method: &Method) -> Result<T, ApiRefusal> {
        let any = *method == Method::OPTIONS;
        let reads = *method == Method::GET || *method == Method::HEAD;
        match self {
            Get(flow) | Ask { get: flow, .. } | Edit { get: flow, .. } if reads || any => Ok(flow),
            Ask { post: flow, .. } if *method == Method::POST => Ok(flow),
            Post(flow) if *method == Method::POST || any => Ok(flow),
            Edit { put: flow, .. } if *method == Method::PUT => Ok(flow),
            Edit { delete: flow, .. } if *method == Method::DELETE => Ok(flow),
            Options(flow) if any => Ok(flow),
            _ => Err(refusals::METHOD_NOT_ALLOWED),
        }
    }
}

/// Who calls, from which page, and only then what for.
fn with_bearer(emulator: &mut Emulator, call: &Call, flow: &Flow<'_>) -> Response {
    let request_id = emulator.request_id(call);
    let query_allowed = flow.takes_query_token();
    let mut bearer = match bearer::authenticate(&emulator.state, &emulator.settings, call, query_allowed) {
        Ok(bearer) => bearer,
        Err(NoBearer::Absent) => return answer::unauthorized(bearer::NO_TOKEN),
        Err(NoBearer::Unknown) => return answer::unauthorized(bearer::BAD_TOKEN),
        Err(NoBearer::Dead { client_id }) => {
            let mut response = match cors::admit(emulator.app(&client_id), call) {
                Ok(()) => answer::unauthorized(bearer::BAD_TOKEN),
                Err(refusal) => return answer::api_refusal(&refusal, &request_id),
            };
            cors::let_page_read(&mut response, call);
            return response;
        }
    };
    if let Err(refusal) = cors::admit(emulator.app(&bearer.holder.client_id), call) {
        return answer::api_refusal(&refusal, &request_id);
    }
    let (user, kind) = (&bearer.holder.user_id, flow.kind());
    if let Err(seconds) = emulator.throttle.admit(&emulator.settings, kind, user, call.now_ms) {
        let mut response = answer::rate_limited(seconds, &request_id);
        cors::let_page_read(&mut response, call);
        return response;
    }
    emulator.settle(&bearer.token);
    let answered = bearer.act_as(emulator, call).and_then(|()| {
        bearer.link = shared_links::follow(emulator, call, &bearer, query_allowed)?;
        flow.perform(emulator, call, &bearer)
    });
    let mut response = match answered {
        Ok(response) => response,
        Err(refusal) => answer::api_refusal(&refusal, &request_id),
    };
    if response.status() != StatusCode::FOUND {
        cors::let_page_read(&mut response, call);
    }
    response
}

impl Emulator {
    pub(crate) fn request_id(&self, call: &Call) -> String {
        self.state.entropy.request_id(call.number)
    }

    /// A token is used: if its pair was pending, the pair before it is dead now.
    pub(crate) fn settle(&mut self, token: &str) {
        if self.state.book.is_pending(token) {
            self.state.edit().book.settle(token);
        }
    }
}
