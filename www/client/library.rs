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
const IN_PASSING: [&str; 4] =
    ["error_prefetch_file", "error_load_annotations", "error_invalid_file_for_cache", "error_image_sizing"];

/// A film came to a stop, because the library was given three tokens that Box refused. It says so to nobody else.
pub const TOKENS_REFUSED: &str = "error_token_function_not_valid";

/// So often the library may ask for another token of a file that is open. Its viewer for films in pieces would go on
/// asking for ever, with nothing on the screen that says so.
const RENEWALS_MAX: u32 = 3;

/// What it means that the library asks for a file's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The file is to be shown.
    First,
    /// Box did not take the token before.
    Again,
    /// Nor those after it.
    InVain,
}

impl Ask {
    /// `asked`: how often before. Of a file that has not loaded the library counts its tries itself.
    #[must_use]
    pub fn after(asked: u32, loaded: bool) -> Self {
        match asked {
            0 => Self::First,
            asked if loaded && asked > RENEWALS_MAX => Self::InVain,
            _ => Self::Again,
        }
    }
}

/// Whether this failure leaves the person without a preview.
#[must_use]
pub fn is_fatal(code: &str, loaded: bool) -> bool {
    code == TOKENS_REFUSED || !loaded && !IN_PASSING.contains(&code)
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
        (_, TOKENS_REFUSED) => fault::TOKEN_REFUSED,
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
    fn after_loading_no_other_failure_takes_the_preview_away() {
        assert!(is_fatal("error_exceeded_retry_limit", false));
        assert!(!is_fatal("error_exceeded_retry_limit", true));
        assert!(!is_fatal("error_prefetch_file", false));
    }

    #[test]
    fn a_file_that_is_open_is_given_three_more_tokens_and_no_fourth() {
        let asks = |loaded| [0, 1, 3, 4].map(|asked| Ask::after(asked, loaded));
        assert_eq!(asks(true), [Ask::First, Ask::Again, Ask::Again, Ask::InVain]);
        assert_eq!(asks(false), [Ask::First, Ask::Again, Ask::Again, Ask::Again]);
    }

    #[test]
    fn a_film_whose_tokens_are_refused_has_come_to_its_end() {
        assert!(is_fatal(TOKENS_REFUSED, true) && is_fatal(TOKENS_REFUSED, false));
        assert_eq!(cause(TOKENS_REFUSED, Some(Verdict::Fine)), fault::TOKEN_REFUSED);
        assert_eq!(cause(TOKENS_REFUSED, Some(Verdict::Final(fault::NOT_FOUND))), fault::NOT_FOUND);
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
