//! The bytes of files: representations and originals on the content host, downloads by short-lived address.
//!
//! <https://developer.box.com/guides/downloads/>

use std::ops::Range;

use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, RANGE,
    RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::answer::{self, Response};
use crate::api::bearer::Bearer;
use crate::api::film::{self, Film};
use crate::api::representations;
use crate::assets;
use crate::emulator::{Emulator, Options};
use crate::oauth::scopes::Right;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;
use crate::world::account::{File, Item, ItemId, Version};

/// How long the address of a download is good.
/// <https://developer.box.com/guides/api-calls/permissions-and-errors/expiration/>
const DOWNLOAD_SECONDS: u64 = 15 * 60;
const DOWNLOAD_LENGTH: usize = 64;
/// What `filename*` may hold unescaped (RFC 8187 section 3.2.1, without its punctuation).
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// An address that opens one file without a token, for a while.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Download {
    pub(crate) user_id: String,
    file: String,
    version: String,
    expires_at_ms: u64,
}

/// The parts of a representation's address.
pub(crate) struct Wanted<'a> {
    pub(crate) file: &'a str,
    pub(crate) version: &'a str,
    pub(crate) name: &'a str,
    pub(crate) asset: &'a str,
}

/// The field `authenticated_download_url`.
pub(crate) fn original_url(options: &Options, file: &File) -> String {
    format!("{}/api/2.0/files/{}/content", options.content_origin, file.id)
}

/// `{content}/api/2.0/internal_files/…/content/{asset}`: what a preview loads.
///
/// # Errors
/// As [`Bearer::file`]; 404 for a representation or an asset that is not there.
pub(crate) fn representation(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    wanted: &Wanted<'_>,
) -> Result<Response, ApiRefusal> {
    let (_, file) = bearer.file(emulator, wanted.file, Right::Preview)?;
    let (version, found) =
        representations::find(file, wanted.version, wanted.name).ok_or(refusals::NOT_FOUND)?;
    if !found.assets.contains(&wanted.asset) {
        return Err(refusals::NOT_FOUND);
    }
    if !representations::is_there(emulator, version, found) {
        let mut response = answer::empty(StatusCode::ACCEPTED);
        answer::set(&mut response, RETRY_AFTER, "1");
        return Ok(response);
    }
    if wanted.asset == film::MANIFEST
        && let Some(film) = Film::read(&version.bytes)
    {
        let manifest = film.manifest().into_bytes();
        return Ok(answer::bytes(StatusCode::OK, assets::content_type("mpd"), manifest));
    }
    Ok(bytes(call, version, "inline"))
}

/// `{content}/api/2.0/files/{id}/content`: the file itself, or the version that the query names.
///
/// With `preview=true`, a token for previews is enough for those kinds of file whose preview *is* the file.
/// For all others that parameter opens nothing.
///
/// # Errors
/// As [`Bearer::file`].
pub(crate) fn original(
    emulator: &Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &str,
) -> Result<Response, ApiRefusal> {
    let (place, item) = bearer.item(emulator, &ItemId::File(id.to_owned()))?;
    let Item::File(file) = item else { return Err(refusals::NOT_FOUND) };
    let version = version(call, file)?;
    let shown = representations::shows_original(version) && call.query.value("preview") == Some("true");
    bearer.require_with(place, item, if shown { Right::Preview } else { Right::Download })?;
    Ok(bytes(call, version, "inline"))
}

/// The version that `?version=` names; without it, the current one.
fn version<'a>(call: &Call, file: &'a File) -> Result<&'a Version, ApiRefusal> {
    match call.query.value("version") {
        Some(id) => file.version(id).ok_or(refusals::NOT_FOUND),
        None => Ok(&file.current),
    }
}

/// `GET /2.0/files/{id}/content`: 302 to a short-lived address.
///
/// # Errors
/// As [`Bearer::file`].
pub(crate) fn start_download(
    emulator: &mut Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &str,
) -> Result<Response, ApiRefusal> {
    let address = download_url(emulator, call, bearer, id)?;
    Ok(answer::redirect(StatusCode::FOUND, &address))
}

/// A short-lived address of the file `id`.
///
/// # Errors
/// As [`Bearer::file`].
pub(crate) fn download_url(
    emulator: &mut Emulator,
    call: &Call,
    bearer: &Bearer,
    id: &str,
) -> Result<String, ApiRefusal> {
    let (place, file) = bearer.file(emulator, id, Right::Download)?;
    let download = Download {
        user_id: place.owner.to_owned(),
        file: file.id.clone(),
        version: version(call, file)?.id.clone(),
        expires_at_ms: call.now_ms.saturating_add(DOWNLOAD_SECONDS * 1000),
    };
    let data = emulator.state.edit();
    data.downloads.retain(|_, download| download.expires_at_ms > call.now_ms);
    let token = data.entropy.text(DOWNLOAD_LENGTH);
    data.downloads.insert(token.clone(), download);
    Ok(format!("{}/d/1/{token}/download", emulator.options.content_origin))
}

/// `{content}/d/1/{token}/download`: needs no bearer token and is not for pages: no CORS.
pub(crate) fn download(emulator: &Emulator, call: &Call, token: &str) -> Response {
    let not_found = || answer::api_refusal(&refusals::NOT_FOUND, &emulator.request_id(call));
    if call.method != Method::GET && call.method != Method::HEAD {
        return answer::api_refusal(&refusals::METHOD_NOT_ALLOWED, &emulator.request_id(call));
    }
    let download =
        emulator.state.downloads.get(token).filter(|download| download.expires_at_ms > call.now_ms);
    let version = download.and_then(|download| {
        emulator.account(&download.user_id).file(&download.file)?.version(&download.version)
    });
    match version {
        Some(version) => bytes(call, version, "attachment"),
        None => not_found(),
    }
}

/// The bytes, or the range of them that was asked for (RFC 9110 section 14).
fn bytes(call: &Call, version: &Version, disposition: &str) -> Response {
    let total = version.bytes.len();
    let range = call.header(&RANGE).map_or(Asked::Whole, |header| Asked::read(header, total));
    let (status, body) = match &range {
        Asked::Whole => (StatusCode::OK, &*version.bytes),
        Asked::Part(part) => {
            (StatusCode::PARTIAL_CONTENT, version.bytes.get(part.clone()).unwrap_or_default())
        }
        Asked::Nothing => (StatusCode::RANGE_NOT_SATISFIABLE, [].as_slice()),
    };
    let mut response = answer::bytes(status, assets::content_type(&version.extension()), body.to_vec());
    match range {
        Asked::Whole => {}
        Asked::Part(part) => {
            let last = part.end.saturating_sub(1);
            answer::set(&mut response, CONTENT_RANGE, &format!("bytes {}-{last}/{total}", part.start));
        }
        Asked::Nothing => answer::set(&mut response, CONTENT_RANGE, &format!("bytes */{total}")),
    }
    answer::set(&mut response, ACCEPT_RANGES, "bytes");
    answer::set(&mut response, CONTENT_LENGTH, &body.len().to_string());
    let name = utf8_percent_encode(&version.name, FILE_NAME);
    answer::set(&mut response, CONTENT_DISPOSITION, &format!("{disposition}; filename*=UTF-8''{name}"));
    answer::set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    // A file of the account is nobody's page: opened by itself, it runs nothing.
    answer::set(
        &mut response,
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    );
    response
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<usize>),
    /// A range outside the file.
    Nothing,
}

impl Asked {
    /// One range of bytes. Several, or another unit, are answered with the whole, which is allowed.
    fn read(header: &str, total: usize) -> Self {
        let Some(range) = header.trim().strip_prefix("bytes=") else { return Self::Whole };
        let Some((first, last)) = range.split_once('-') else { return Self::Whole };
        let number = |text: &str| text.trim().parse::<usize>();
        match (first.trim().is_empty(), number(first), number(last)) {
            (true, _, Ok(0)) => Self::Nothing,
            (true, _, Ok(suffix)) => Self::part(total.saturating_sub(suffix), total, total),
            (false, Ok(first), Ok(last)) if first <= last => Self::part(first, last.saturating_add(1), total),
            (false, Ok(first), Err(_)) if last.trim().is_empty() => Self::part(first, total, total),
            _ => Self::Whole,
        }
    }

    fn part(start: usize, end: usize, total: usize) -> Self {
        if start >= total { Self::Nothing } else { Self::Part(start..end.min(total)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Asked::{self, Nothing, Part, Whole};

    proptest! {
        #[test]
        fn a_range_is_read_as_it_was_written(first in 0_usize..200, length in 1_usize..200, total in 0_usize..200) {
            let header = format!("bytes={first}-{}", first + length - 1);
            let meant = if first >= total { Nothing } else { Part(first..(first + length).min(total)) };
            prop_assert_eq!(Asked::read(&header, total), meant);
        }

        #[test]
        fn no_text_asks_for_more_than_there_is(text in "(bytes=)?[-0-9, =]{0,24}", total in 0_usize..200) {
            if let Part(part) = Asked::read(&text, total) {
                prop_assert!(part.start < part.end && part.end <= total, "{} of {}", text, total);
            }
        }
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        for (header, total, asked) in [
            ("bytes=0-9", 100, Part(0..10)),
            ("bytes=90-", 100, Part(90..100)),
            ("bytes=-10", 100, Part(90..100)),
            ("bytes=-1000", 100, Part(0..100)),
            ("bytes=0-1000", 100, Part(0..100)),
            ("bytes=100-", 100, Nothing),
            ("bytes=-0", 100, Nothing),
            ("bytes=0-", 0, Nothing),
            ("bytes=9-0", 100, Whole),
            ("bytes=0-1,5-6", 100, Whole),
            ("bytes=a-b", 100, Whole),
            ("pages=0-1", 100, Whole),
        ] {
            assert_eq!(Asked::read(header, total), asked, "{header} of {total}");
        }
    }
}
