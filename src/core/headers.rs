//! The headers of each kind of answer.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{
    app::Body,
    config::{Config, Source},
    origin::Origin,
    route::Route,
    secret::Entropy,
    sent,
};

/// How long a browser may believe a preflight, in seconds: a changed ALLOWED_ORIGINS is in force after it.
const PREFLIGHT_SECONDS: u64 = 600;

/// How long a browser is to insist on `https`, in seconds: a year, as preload lists ask for.
const HSTS_SECONDS: u64 = 31_536_000;

/// What of the browser's devices a preview needs: nothing but the whole screen.
const PERMISSIONS: &str =
    "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), usb=()";

/// A JSON answer.
#[must_use]
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    // Our forms have string keys and no floats, so they always serialise.
    let mut response = Response::new(Body::Bytes(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer without a body.
#[must_use]
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Bytes(Vec::new()));
    *response.status_mut() = status;
    response
}

/// Sends the browser on. 303 and 302 only: 307 would repeat a body at the next address (RFC 9700 section 4.12).
#[must_use]
pub(crate) fn redirect(status: StatusCode, to: &str) -> Response<Body> {
    let mut response = empty(status);
    set(response.headers_mut(), header::LOCATION, to);
    response
}

/// An HTML answer under its own policy.
#[must_use]
pub(crate) fn html(status: StatusCode, body: Body, policy: &str) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    set(headers, header::CONTENT_TYPE, "text/html; charset=utf-8");
    set(headers, header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Sets a header. Our own words and parsed settings are always header values; what is not is left out.
pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let value = HeaderValue::from_str(value);
    debug_assert!(value.is_ok(), "{name}");
    if let Ok(value) = value {
        headers.insert(name, value);
    }
}

/// Adds what every answer of the Worker carries, whoever made it and whatever it says.
pub(crate) fn secure(response: &mut Response<Body>, route: Option<&Route>, https: bool) {
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    // Each answer holds a session's data, a nonce or a redirect of one moment (RFC 6749 section 5.1).
    put(header::CACHE_CONTROL, "no-store");
    put(header::REFERRER_POLICY, "no-referrer");
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    put(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    let opener = match route {
        Some(Route::Page) => "same-origin-allow-popups",
        // A popup must still find its opener after Box has been there.
        _ => "unsafe-none",
    };
    put(HeaderName::from_static("cross-origin-opener-policy"), opener);
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        set(headers, header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    }
    let nobody_frames = headers
        .get(header::CONTENT_SECURITY_POLICY)
        .is_some_and(|policy| ends_with(policy, b"ancestors 'none'"));
    if nobody_frames {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    if https {
        set(headers, header::STRICT_TRANSPORT_SECURITY, &format!("max-age={HSTS_SECONDS}"));
    }
}

fn ends_with(value: &HeaderValue, end: &[u8]) -> bool {
    value.as_bytes().ends_with(end)
}

/// Lets a listed origin read the answer; nobody else. To be added to faults too, so that its page can tell them.
pub(crate) fn share(response: &mut Response<Body>, listed: Option<&Origin>) {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = listed {
        set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.as_str());
        set(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After");
    }
}

/// The answer to a preflight of a listed origin (Fetch Standard, "CORS-preflight fetch"). [`share`] says the rest.
#[must_use]
pub(crate) fn preflight(route: &Route) -> Response<Body> {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    let methods = route.methods().trim_end_matches(", OPTIONS");
    set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &format!("content-type, {}", sent::STATIC_NAME));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS.into());
    response
}

/// A value that stands once in a policy and in the page under it: 128 bits (CSP Level 3 section 2.3.1).
#[must_use]
pub(crate) fn nonce(entropy: &mut Entropy) -> String {
    entropy.draw::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The page's policy: its own script and style by nonce, Box's library and what that needs by origin, as tried
/// with Box's library in Chromium. `'wasm-unsafe-eval'` lets WebAssembly compile and JavaScript's `eval` not.
#[must_use]
pub(crate) fn page_policy(config: &Config, nonce: &str) -> String {
    let library = config.preview_library_url.origin().ascii_serialization();
    let api = config.app().api_url.origin().ascii_serialization();
    let content = joined(&config.content_sources);
    let ancestors = match joined(&config.frame_ancestors) {
        nobody if nobody.is_empty() => "'none'".to_owned(),
        ancestors => ancestors,
    };
    [
        "default-src 'none'".to_owned(),
        format!("script-src 'nonce-{nonce}' 'wasm-unsafe-eval' {library}"),
        format!("style-src 'nonce-{nonce}' {library}"),
        format!("img-src blob: data: {library}"),
        format!("font-src data: {library}"),
        format!("connect-src 'self' {api} {content} {library} blob:"),
        format!("worker-src blob: {library}"),
        "media-src blob:".to_owned(),
        format!("frame-src {content} blob:"),
        "base-uri 'none'".to_owned(),
        "form-action 'self'".to_owned(),
        format!("frame-ancestors {ancestors}"),
    ]
    .join("; ")
}

/// The policy of a plain page of words: its own style and few lines of script, nothing from anywhere, and whom its
/// script may ask.
#[must_use]
pub(crate) fn notice_policy(nonce: &str, asked: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; \
         connect-src {asked}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn joined(sources: &[Source]) -> String {
    sources.iter().map(Source::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{config, config_with};

    fn secured(route: Option<&Route>, https: bool) -> HeaderMap {
        let mut response = json(StatusCode::OK, &());
        secure(&mut response, route, https);
        response.into_parts().0.headers
    }

    #[test]
    fn s39_whatever_the_worker_answers_is_stored_nowhere() {
        for route in
            [None, Some(Route::Page), Some(Route::Tokens), Some(Route::Callback), Some(Route::Health)]
        {
            let headers = secured(route.as_ref(), true);
            assert_eq!(headers["cache-control"], "no-store");
            assert_eq!(headers["referrer-policy"], "no-referrer");
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["strict-transport-security"], "max-age=31536000");
        }
        assert!(!secured(None, false).contains_key("strict-transport-security"));
    }

    #[test]
    fn a_popup_of_the_page_keeps_its_opener_and_a_login_always_does() {
        let opener = |route| secured(Some(&route), true)["cross-origin-opener-policy"].clone();
        assert_eq!(opener(Route::Page), "same-origin-allow-popups");
        for route in [Route::Login, Route::Callback, Route::Done] {
            assert_eq!(opener(route), "unsafe-none");
        }
    }

    #[test]
    fn s40_the_pages_policy_is_pinned() {
        assert_eq!(
            page_policy(&config(), "abc"),
            "default-src 'none'; \
             script-src 'nonce-abc' 'wasm-unsafe-eval' https://cdn01.boxcdn.net; \
             style-src 'nonce-abc' https://cdn01.boxcdn.net; \
             img-src blob: data: https://cdn01.boxcdn.net; \
             font-src data: https://cdn01.boxcdn.net; \
             connect-src 'self' https://api.box.com https://*.boxcloud.com https://cdn01.boxcdn.net blob:; \
             worker-src blob: https://cdn01.boxcdn.net; media-src blob:; frame-src https://*.boxcloud.com blob:; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        );
    }

    #[test]
    fn s40_nothing_unsafe_but_compiling_wasm() {
        for policy in [page_policy(&config(), "abc"), notice_policy("abc", "'self'")] {
            let rest = policy.replace("'wasm-unsafe-eval'", "").replace("https://*.boxcloud.com", "");
            assert!(!rest.contains("unsafe") && !rest.contains('*') && !rest.contains("http:"), "{policy}");
            assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        }
    }

    #[test]
    fn s16_nobody_frames_the_page_unless_listed() {
        let framed = |config: &Config| {
            let mut response = html(StatusCode::OK, Body::Bytes(Vec::new()), &page_policy(config, "abc"));
            secure(&mut response, Some(&Route::Page), true);
            let headers = response.into_parts().0.headers;
            (
                headers["content-security-policy"].to_str().unwrap().to_owned(),
                headers.get("x-frame-options").cloned(),
            )
        };
        let (policy, options) = framed(&config());
        assert!(policy.ends_with("; frame-ancestors 'none'"), "{policy}");
        assert_eq!(options.unwrap(), "DENY");
        let (policy, options) = framed(&config_with(&[("FRAME_ANCESTORS", "https://host.example")]));
        assert!(policy.ends_with("; frame-ancestors https://host.example"), "{policy}");
        assert_eq!(options, None, "X-Frame-Options cannot name an origin");
        assert_eq!(secured(Some(&Route::Tokens), true)["x-frame-options"], "DENY");
    }

    #[test]
    fn s28_a_preflight_names_what_a_listed_origin_may_send() {
        let mut response = preflight(&Route::Tokens);
        share(&mut response, Some(&Origin::parse("https://app.example.com").unwrap()));
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], "https://app.example.com");
        assert_eq!(headers["access-control-allow-credentials"], "true");
        assert_eq!(headers["access-control-allow-methods"], "POST");
        assert_eq!(headers["access-control-allow-headers"], "content-type, keyhole-request");
        assert_eq!(headers["vary"], "Origin");
    }
}
