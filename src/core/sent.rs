//! The request headers that anything here reads. The shell brings in these and no others, by name: what is not
//! listed does not exist for us, and parsing any name there is costs 5 KB of the Worker.

use http::{HeaderName, header};

/// Our own, required on each call to the API: a form or an image cannot send it, and a script of another origin
/// needs a preflight for it.
pub const STATIC_NAME: &str = "keyhole-request";
pub(crate) static STATIC: HeaderName = HeaderName::from_static(STATIC_NAME);
pub(crate) static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
pub(crate) static FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
pub(crate) static FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
pub(crate) static CONNECTING_IP: HeaderName = HeaderName::from_static("cf-connecting-ip");
/// How browsers say, and said, that nobody is looking yet.
pub(crate) static AHEAD: [HeaderName; 3] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-moz"),
];

/// All of them.
pub fn all() -> impl Iterator<Item = &'static HeaderName> {
    static STANDARD: [HeaderName; 6] = [
        header::ACCEPT,
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::COOKIE,
        header::HOST,
        header::ORIGIN,
    ];
    STANDARD.iter().chain([&STATIC, &FETCH_SITE, &FETCH_MODE, &FETCH_DEST, &CONNECTING_IP]).chain(&AHEAD)
}
