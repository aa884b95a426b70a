//! A request, read once: which port, which path, which parameters, at what time.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, ORIGIN};
use http::{Method, Request};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::multipart::{self, Part};
use crate::refusals::{self, OAuthRefusal};

/// The two origins of Box: the API with its authorize page, and the host that file content comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    Api,
    Content,
}

/// A body without an upload is far below this.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Anything larger is uploaded in chunks: <https://developer.box.com/guides/uploads/direct/>.
pub(crate) const UPLOAD_BYTES_MAX: usize = 50 * 1000 * 1000;

/// The longest body that a request to `path` may have, in bytes. Whoever reads requests stops there, leaves the body
/// empty, and puts [`BodyTooLarge`] among the request's extensions.
#[must_use]
pub fn body_bytes_max(path: &str) -> usize {
    let uploads = ["/upload/", "/api/2.0/", "/emulator/items"];
    if uploads.iter().any(|start| path.starts_with(start)) { UPLOAD_BYTES_MAX } else { BODY_BYTES_MAX }
}

/// The mark of a request whose body was longer than [`body_bytes_max`].
#[derive(Clone, Copy, Debug)]
pub struct BodyTooLarge;

/// A request as the flows see it.
pub(crate) struct Call {
    pub(crate) port: Port,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Form,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Read when it is first asked for.
    form: OnceCell<Result<Form, OAuthRefusal>>,
    /// There was more of a body than is read.
    pub(crate) too_large: bool,
    /// `host:port` as the client wrote it.
    pub(crate) authority: String,
    /// Milliseconds since 1970, on the emulator's own clock.
    pub(crate) now_ms: u64,
    /// Counts requests.
    pub(crate) number: u64,
}

impl Call {
    /// `content_origin` tells the ports apart.
    pub(crate) fn read(request: Request<Vec<u8>>, content_origin: &str, now_ms: u64, number: u64) -> Self {
        let (parts, body) = request.into_parts();
        let written = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let authority =
            parts.uri.authority().map(|authority| authority.as_str()).or(written).unwrap_or_default();
        let content = content_origin.split_once("://").map_or("", |(_, authority)| authority);
        let port = if same_place(authority, content) { Port::Content } else { Port::Api };
        Self {
            port,
            authority: authority.to_owned(),
            query: Form::read(parts.uri.query().unwrap_or_default().as_bytes()),
            path: parts.uri.path().to_owned(),
            method: parts.method,
            headers: parts.headers,
            too_large: parts.extensions.get::<BodyTooLarge>().is_some(),
            body,
            form: OnceCell::new(),
            now_ms,
            number,
        }
    }

    /// The path between its slashes, as written: nothing is decoded, so nothing can be smuggled in.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.trim_start_matches('/').split('/').collect()
    }

    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn named_header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A header that matters here and is not text.
    pub(crate) fn unreadable_header(&self) -> Option<&'static str> {
        HEEDED.into_iter().find(|name| self.headers.get(*name).is_some_and(|value| value.to_str().is_err()))
    }

    /// The page that sent this, if a browser did.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.header(&ORIGIN)
    }

    /// `None`: no header. `Some(None)`: one that holds no bearer token.
    pub(crate) fn bearer(&self) -> Option<Option<&str>> {
        let written = self.headers.get(AUTHORIZATION)?;
        let token =
            written.to_str().ok().and_then(|text| text.split_once(' ')).and_then(|(scheme, token)| {
                let token = token.trim_start_matches(' ');
                let good = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
                (scheme.eq_ignore_ascii_case("Bearer") && good).then_some(token)
            });
        Some(token)
    }

    /// `client_id` and `client_secret` of an `Authorization: Basic` header, or nothing (RFC 6749 section 2.3.1).
    pub(crate) fn basic_credentials(&self) -> Form {
        let credentials = self.header(&AUTHORIZATION).and_then(|header| {
            let (scheme, encoded) = header.split_once(' ')?;
            let encoded = scheme.eq_ignore_ascii_case("Basic").then_some(encoded.trim())?;
            let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
            let (id, secret) = decoded.split_once(':')?;
            let plain = |text: &str| {
                percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(Cow::into_owned)
            };
            let pairs = [("client_id".to_owned(), plain(id)?), ("client_secret".to_owned(), plain(secret)?)];
            Some(Form(pairs.into()))
        });
        credentials.unwrap_or_default()
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// The body as a form, in either of the two ways in which a page sends one.
    ///
    /// # Errors
    /// When the content type says otherwise, or the body is not what it says.
    pub(crate) fn form(&self) -> Result<&Form, OAuthRefusal> {
        self.form.get_or_init(|| self.read_form()).as_ref().map_err(|refusal| *refusal)
    }

    fn read_form(&self) -> Result<Form, OAuthRefusal> {
        if self.has_content_type("application/x-www-form-urlencoded") {
            return Ok(Form::read(&self.body));
        }
        let written = self.header(&CONTENT_TYPE).unwrap_or_default();
        let parts = multipart::read(written, &self.body).ok_or(refusals::NOT_A_FORM)?;
        let field = |part: Part| Some((part.name?, String::from_utf8(part.bytes.into()).ok()?));
        Ok(Form(parts.into_iter().map(field).collect::<Option<_>>().ok_or(refusals::NOT_A_FORM)?))
    }

    /// Whether the body says that it is `kind`, whatever else it says of itself.
    pub(crate) fn has_content_type(&self, kind: &str) -> bool {
        let written = self.header(&CONTENT_TYPE).unwrap_or_default();
        written.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind)
    }
}

/// Headers that change what a call does. One that cannot be read must not count as one that is not there.
const HEEDED: [&str; 6] = ["as-user", "boxapi", "x-rep-hints", "if-match", "if-none-match", "range"];

/// Names and values, decoded, in the order given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    pub(crate) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// The first value of that name; an empty one counts as absent (RFC 6749 section 3.1).
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// All of them.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }

    /// Whether a name is given twice, which OAuth forbids (RFC 6749 section 3.1).
    pub(crate) fn repeats(&self) -> bool {
        let mut seen = HashSet::new();
        !self.0.iter().all(|(name, _)| seen.insert(name.as_str()))
    }
}

/// Whether two `host:port` mean the same listener: equal, or the same port on two names of this machine.
fn same_place(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let parse = |authority: &str| Url::parse(&format!("http://{authority}/")).ok();
    match (parse(one), parse(other)) {
        (Some(one), Some(other)) => {
            is_this_machine(&one)
                && is_this_machine(&other)
                && one.port_or_known_default() == other.port_or_known_default()
        }
        _ => false,
    }
}

/// Whether `authority` can only mean this emulator: one of its own origins, an address, or a name of this machine. Any
/// other name may be a page's that was made to point here (DNS rebinding).
pub(crate) fn is_at_home(authority: &str, origins: [&str; 2]) -> bool {
    let own =
        |origin: &str| origin.split_once("://").is_some_and(|(_, own)| own.eq_ignore_ascii_case(authority));
    let url = Url::parse(&format!("http://{authority}/")).ok();
    let host = url.as_ref().and_then(Url::host);
    origins.into_iter().any(own)
        || match host {
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
}

/// Whether `url` names this machine.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_form_is_read_as_it_was_written(pairs in prop::collection::vec(("\\PC{0,8}", "\\PC{0,12}"), 0..6)) {
            let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let read = Form::read(written.as_bytes());
            for (name, _) in &pairs {
                let first = pairs.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
                prop_assert_eq!(read.value(name), first.filter(|value| !value.is_empty()));
            }
            let mut names: Vec<&String> = pairs.iter().map(|(name, _)| name).collect();
            names.sort();
            names.dedup();
            prop_assert_eq!(read.repeats(), names.len() < pairs.len());
        }

        #[test]
        fn no_bytes_make_a_form_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            Form::read(&bytes).repeats();
        }

        #[test]
        fn a_bearer_token_is_what_stands_after_the_scheme(header in "([Bb]earer|Basic|BEARER)? {0,2}[!-~]{0,20}") {
            let request = Request::get("http://127.0.0.1:9400/").header("authorization", &header);
            let Ok(request) = request.body(Vec::new()) else { return Ok(()) };
            let call = Call::read(request, "http://127.0.0.1:9401", 0, 0);
            let header = header.trim_end_matches(' ');
            match call.bearer() {
                Some(Some(token)) => {
                    let (scheme, rest) = header.split_once(' ').expect("two words");
                    prop_assert!(scheme.eq_ignore_ascii_case("bearer") && rest.trim_start() == token);
                }
                Some(None) => {
                    let good = header.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer "));
                    prop_assert!(!good || header.get(7..).unwrap_or_default().trim().is_empty(), "{:?}", header);
                }
                None => prop_assert!(false, "there is a header"),
            }
        }
    }
}
