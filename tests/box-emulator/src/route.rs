//! From method and path to the flow that answers.

use http::{Method, StatusCode};

use crate::answer::{self, Response};
use crate::bearer::{self, Bearer, NoBearer};
use crate::emulator::Emulator;
use crate::refusals::{self, ApiRefusal};
use crate::request::{Call, Port};
use crate::{
    assets, authorize, content, cors, events, files, folders, representations, revoke, token, users,
};

/// Answers anything but the control API.
pub(crate) fn answer(emulator: &mut Emulator, call: &Call) -> Response {
    match (call.port, call.segments().as_slice()) {
        (Port::Api, ["oauth2", "token"] | ["api", "oauth2", "token"]) => token::answer(emulator, call),
        (Port::Api, ["oauth2", "revoke"] | ["api", "oauth2", "revoke"]) => revoke::answer(emulator, call),
        (Port::Api, ["api", "oauth2", "authorize"]) => authorize::answer(emulator, call),
        (Port::Api, ["api", "oauth2", "authorize.css"]) => assets::authorize_style(),
        (Port::Api, ["platform", "preview", path @ ..]) => assets::preview(path),
        (Port::Content, ["d", "1", token, "download"]) => content::download(emulator, call, token),
        (port, segments) => match Flow::find(port, &call.method, segments) {
            Ok(_) if call.method == Method::OPTIONS => cors::preflight(),
            Ok(flow) => with_bearer(emulator, call, &flow),
            Err(refusal) => answer::api_refusal(&refusal, &emulator.request_id(call)),
        },
    }
}

/// A call that needs a bearer token.
enum Flow<'a> {
    Me,
    Folder { id: &'a str },
    FolderItems { id: &'a str },
    File { id: &'a str },
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
        let flow = match (port, segments) {
            (Port::Api, ["2.0", "users", "me"]) => Self::Me,
            (Port::Api, ["2.0", "folders", id]) => Self::Folder { id },
            (Port::Api, ["2.0", "folders", id, "items"]) => Self::FolderItems { id },
            (Port::Api, ["2.0", "files", id]) => Self::File { id },
            (Port::Api, ["2.0", "files", id, "content"]) => Self::Download { id },
            (Port::Api, ["2.0", "events"]) => Self::Event,
            (Port::Api, ["2.0", "internal_files", file, "versions", version, "representations", name]) => {
                Self::RepresentationStatus { file, version, name }
            }
            (Port::Content, ["api", "2.0", "files", id, "content"]) => Self::Original { id },
            (
                Port::Content,
                [
                    "api",
                    "2.0",
                    "internal_files",
                    file,
                    "versions",
                    version,
                    "representations",
                    name,
                    "content",
                    asset,
                ],
            ) => Self::RepresentationContent { file, version, name, asset },
            _ => return Err(refusals::NOT_FOUND),
        };
        let allowed = match flow {
            Self::Event => *method == Method::POST,
            _ => *method == Method::GET || *method == Method::HEAD,
        };
        if allowed || *method == Method::OPTIONS { Ok(flow) } else { Err(refusals::METHOD_NOT_ALLOWED) }
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

    fn perform(&self, emulator: &mut Emulator, call: &Call, bearer: &Bearer) -> Result<Response, ApiRefusal> {
        match *self {
            Self::Me => users::me(emulator, call, bearer),
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

/// Who calls, from which page, and only then what for.
fn with_bearer(emulator: &mut Emulator, call: &Call, flow: &Flow<'_>) -> Response {
    let request_id = emulator.request_id(call);
    let query_allowed = flow.takes_query_token();
    let bearer = match bearer::authenticate(&emulator.state, &emulator.settings, call, query_allowed) {
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
    emulator.settle(&bearer.token);
    let mut response = match flow.perform(emulator, call, &bearer) {
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
