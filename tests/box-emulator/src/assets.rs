//! Static files: the style of the pages and the stand-in for Box's preview library.

use http::StatusCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HeaderName, X_CONTENT_TYPE_OPTIONS};
use include_dir::{Dir, include_dir};
use serde_json::json;

use crate::answer::{self, Response};

static PREVIEW: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/preview");
pub(crate) const AUTHORIZE_STYLE: &str = include_str!("oauth/pages/style.css");

/// The style of the authorize page.
pub(crate) fn authorize_style() -> Response {
    let mut response = answer::bytes(StatusCode::OK, "text/css; charset=utf-8", AUTHORIZE_STYLE.into());
    answer::set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    answer::set(&mut response, CACHE_CONTROL, "no-cache");
    response
}

/// `/platform/preview/{version}/{locale}/{file}`: the stand-in is the same for every version and locale.
pub(crate) fn preview(path: &[&str]) -> Response {
    let found = match path {
        ["third-party", ..] | [] | [_] | [_, _] => None,
        [_version, _locale, file @ ..] => PREVIEW.get_file(file.join("/")),
    };
    match found {
        Some(file) => static_file(&path.join("/"), file.contents().to_vec()),
        None => missing(),
    }
}

/// A file for pages of any origin, as a public CDN serves it. The name decides the content type.
#[must_use]
pub fn static_file(name: &str, bytes: Vec<u8>) -> http::Response<Vec<u8>> {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let mut response = answer::bytes(StatusCode::OK, content_type(extension), bytes);
    for_any_page(&mut response);
    response
}

/// The answer for a static file that is not there, as JSON.
pub(crate) fn missing() -> Response {
    let mut response =
        answer::json(StatusCode::NOT_FOUND, &json!({"type": "error", "status": 404, "code": "not_found"}));
    for_any_page(&mut response);
    response
}

fn for_any_page(response: &mut Response) {
    answer::set(response, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    answer::set(response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    answer::set(response, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    answer::set(response, CACHE_CONTROL, "no-cache");
}

/// The content type for a file name's last part, lower case.
pub(crate) fn content_type(extension: &str) -> &'static str {
    match extension {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" | "htm" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "mp4" | "m4v" => "video/mp4",
        "mpd" => "application/dash+xml",
        "csv" => "text/csv; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "xml" | "xsl" | "xsd" => "application/xml",
        "wasm" => "application/wasm",
        "ttf" => "font/ttf",
        "bcmap" | "pfb" | "icc" | "" => "application/octet-stream",
        "txt" | "log" | "py" | "rs" | "ts" | "toml" | "yaml" | "yml" | "ini" | "sh" | "sql" | "go" | "c"
        | "h" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
