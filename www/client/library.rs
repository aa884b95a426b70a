//! Box's preview library: where its files are, and what its failures mean.

use crate::fault;

/// Where the library's two files are.
pub struct Files {
    /// `…/{version}/{locale}/preview.js`.
    pub script: String,
    /// `…/{version}/{locale}/preview.css`.
    pub style: String,
}

/// The two files beside each other, in another language where the page asks for one.
/// `None` when the address does not end as the library's own loader needs it.
#[must_use]
pub fn files(script: &str, locale: Option<&str>) -> Option<Files> {
    let (base, own_locale) = script.strip_suffix("/preview.js")?.rsplit_once('/')?;
    let locale = locale.filter(|locale| is_locale(locale)).unwrap_or(own_locale);
    let folder = [base, "/", locale, "/preview."].concat();
    Some(Files { script: [folder.as_str(), "js"].concat(), style: [folder.as_str(), "css"].concat() })
}

/// `de-DE`, `ja-JP`, `es-419`: nothing that could leave the library's folder.
fn is_locale(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Failures that the library reports in passing, while the preview itself goes on.
const IN_PASSING: [&str; 5] = [
    "error_prefetch_file",
    "error_load_annotations",
    "error_invalid_file_for_cache",
    "error_token_function_not_valid",
    "error_image_sizing",
];

/// Whether this failure leaves the person without a preview.
#[must_use]
pub fn is_fatal(code: &str, loaded: bool) -> bool {
    !loaded && !IN_PASSING.contains(&code)
}

/// What Box answers when it is asked directly why a preview does not come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Box serves the file: the failure is elsewhere.
    Fine,
    /// The token is dead: another one heals it.
    TokenRefused,
    /// Nothing heals it: this code says why, and waiting for more retries is pointless.
    Final(&'static str),
    /// Unknown, or it may pass.
    Unclear(&'static str),
}

/// Judges a direct question. `status` is 0 when no readable answer came, which for a page that has a
/// network usually is Box's CORS list; `code` is that of Box's error body.
#[must_use]
pub fn judge(status: u16, code: &str, online: bool) -> Verdict {
    match status {
        200..=299 => Verdict::Fine,
        401 => Verdict::TokenRefused,
        403 if code == fault::CORS => Verdict::Final(fault::CORS),
        403 => Verdict::Final(fault::NOT_ALLOWED),
        404 => Verdict::Final(fault::NOT_FOUND),
        429 => Verdict::Unclear("rate_limited"),
        0 if !online => Verdict::Unclear(fault::OFFLINE),
        0 => Verdict::Unclear(fault::CORS),
        _ => Verdict::Unclear("box_unavailable"),
    }
}

/// The code that explains a failure best: what Box said when asked, else what the library says.
#[must_use]
pub fn cause(library_code: &str, verdict: Option<Verdict>) -> &str {
    let gave_up =
        matches!(library_code, "" | "error_exceeded_retry_limit" | "error_generic" | "error_load_asset");
    match (verdict, library_code) {
        (Some(Verdict::Final(code)), _) => code,
        (Some(Verdict::TokenRefused), _) if gave_up => fault::TOKEN_REFUSED,
        (Some(Verdict::Unclear(code)), _) if gave_up => code,
        (_, "error_permissions_preview") => fault::NOT_ALLOWED,
        (_, "error_rate_limit") => "rate_limited",
        _ => library_code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CDN: &str = "https://cdn01.boxcdn.net/platform/preview/3.81.0/en-US/preview.js";

    #[track_caller]
    fn script(locale: Option<&str>) -> String {
        files(CDN, locale).unwrap().script
    }

    #[test]
    fn the_style_lies_beside_the_script() {
        let files = files(CDN, None).unwrap();
        assert_eq!(files.script, CDN);
        assert_eq!(files.style, "https://cdn01.boxcdn.net/platform/preview/3.81.0/en-US/preview.css");
    }

    #[test]
    fn a_locale_takes_the_place_of_the_configured_one() {
        assert!(script(Some("de-DE")).ends_with("/3.81.0/de-DE/preview.js"));
    }

    #[test]
    fn a_locale_that_is_none_changes_nothing() {
        for locale in ["", "../..", "de/DE", "//evil.example", "de?x"] {
            assert_eq!(script(Some(locale)), CDN, "{locale}");
        }
    }

    #[test]
    fn an_address_that_the_library_could_not_load_from_is_refused() {
        for script in ["", "https://x/preview.css", "preview.js"] {
            assert!(files(script, None).is_none(), "{script}");
        }
    }

    #[test]
    fn after_loading_no_failure_takes_the_preview_away() {
        assert!(is_fatal("error_exceeded_retry_limit", false));
        assert!(!is_fatal("error_exceeded_retry_limit", true));
        assert!(!is_fatal("error_prefetch_file", false));
    }

    #[test]
    fn box_is_believed_about_the_reason() {
        assert!(judge(200, "", true) == Verdict::Fine);
        assert!(judge(401, "", true) == Verdict::TokenRefused);
        assert!(judge(403, "cors_origin_not_whitelisted", true) == Verdict::Final(fault::CORS));
        assert!(judge(403, "insufficient_scope", true) == Verdict::Final(fault::NOT_ALLOWED));
        assert!(judge(404, "not_found", true) == Verdict::Final(fault::NOT_FOUND));
        assert!(judge(0, "", false) == Verdict::Unclear(fault::OFFLINE));
        assert!(judge(0, "", true) == Verdict::Unclear(fault::CORS));
        assert!(judge(503, "", true) == Verdict::Unclear("box_unavailable"));
    }

    #[test]
    fn the_best_explanation_wins() {
        let unclear = Some(Verdict::Unclear(fault::CORS));
        assert_eq!(cause("error_exceeded_retry_limit", unclear), fault::CORS);
        assert_eq!(cause("error_password_protected", unclear), "error_password_protected");
        assert_eq!(
            cause("error_password_protected", Some(Verdict::Final(fault::NOT_FOUND))),
            fault::NOT_FOUND
        );
        assert_eq!(cause("error_permissions_preview", None), fault::NOT_ALLOWED);
        assert_eq!(cause("error_exceeded_retry_limit", Some(Verdict::Fine)), "error_exceeded_retry_limit");
        assert_eq!(cause("error_exceeded_retry_limit", Some(Verdict::TokenRefused)), fault::TOKEN_REFUSED);
    }
}
