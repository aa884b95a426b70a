//! The page: static HTML under a policy that follows the settings.

use http::{Response, StatusCode};

use crate::{app::Body, config::Config, headers, secret::Entropy};

/// What the static HTML lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageFill {
    nonce: String,
}

/// Stands in `index.html` where the nonce belongs.
const NONCE_PLACE: &str = "__NONCE__";

impl PageFill {
    /// The static HTML, with the nonce on its script and style tags.
    #[must_use]
    pub fn fill(&self, template: &str) -> Vec<u8> {
        template.replace(NONCE_PLACE, &self.nonce).into_bytes()
    }
}

/// The page with its policy.
pub(crate) fn page(config: &Config, entropy: &mut Entropy) -> Response<Body> {
    let nonce = headers::nonce(entropy);
    let policy = headers::page_policy(config, &nonce);
    headers::html(StatusCode::OK, Body::Page(PageFill { nonce }), &policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::config;

    #[test]
    fn s40_the_nonce_in_the_page_is_the_one_in_its_policy_and_never_the_same_twice() {
        let mut entropy = Entropy::new([1; 32]);
        let (first, second) = (page(&config(), &mut entropy), page(&config(), &mut entropy));
        let Body::Page(fill) = first.body() else { panic!("no page") };
        let html =
            String::from_utf8(fill.fill(r#"<style nonce="__NONCE__"></style><script nonce="__NONCE__">"#))
                .unwrap();
        let policy = first.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains(&format!("script-src 'nonce-{}'", fill.nonce)), "{policy}");
        assert_eq!(html.matches(&format!("nonce=\"{}\"", fill.nonce)).count(), 2, "{html}");
        assert_ne!(first.body(), second.body());
    }
}
