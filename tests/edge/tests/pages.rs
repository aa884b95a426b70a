//! The page under its policy, and the files that are served without the Worker.

use crate::harness::{Answer, Browser, Worker, together};

/// The nonce in a page's policy.
#[track_caller]
fn nonce(page: &Answer) -> String {
    let policy = page.header("content-security-policy");
    let rest = policy.split("'nonce-").nth(1).unwrap_or_else(|| panic!("no nonce in {policy}"));
    rest.split('\'').next().unwrap().to_owned()
}

#[test]
fn s40_the_page_comes_under_a_policy_with_a_nonce_of_its_own_each_time() {
    let _room = together();
    let browser = Browser::new(&Worker::main());
    let (first, second) = (browser.open("/").expect(200), browser.open("/index.html").expect(200));
    assert_ne!(nonce(&first), nonce(&second));
    for page in [first, second] {
        let (policy, text) = (page.header("content-security-policy"), page.text());
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        for weak in ["'unsafe-inline'", "'unsafe-eval'", "* ", "http: ", "https: "] {
            assert!(!policy.contains(weak), "{weak} in {policy}");
        }
        assert!(!text.contains("__NONCE__"), "{text}");
        let tags = text.matches("<script").count() + text.matches("<style").count();
        let stamped = text.matches(&format!("nonce=\"{}\"", nonce(&page))).count();
        assert!(stamped >= tags && tags > 0, "{stamped} of {tags} carry the nonce");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin-allow-popups");
    }
}

#[test]
fn s16_nobody_frames_a_page_unless_the_settings_say_who() {
    let _room = together();
    let pages = ["/", "/auth/done", "/auth/login?return_to=//evil.example"];
    for path in pages {
        let page = Browser::new(&Worker::main()).open(path);
        assert!(
            page.header("content-security-policy").ends_with("frame-ancestors 'none'"),
            "{path}: {page:?}"
        );
        assert_eq!(page.header("x-frame-options"), "DENY", "{path}");
    }
    let page = Browser::new(&Worker::open()).open("/").expect(200);
    let policy = page.header("content-security-policy");
    assert!(policy.ends_with("frame-ancestors https://app.example.com"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "", "it would overrule the list in old browsers");
}

#[test]
fn the_module_is_for_every_page_and_cached_by_its_name() {
    let _room = together();
    let browser = Browser::new(&Worker::main());
    let entry = browser.open("/keyhole.js").expect(200);
    assert_eq!(entry.header("cache-control"), "public, max-age=300");
    let hashed = entry.text().split('"').nth(1).and_then(|path| path.strip_prefix('.')).unwrap().to_owned();
    let module = browser.open(&hashed).expect(200);
    assert_eq!(module.header("cache-control"), "public, max-age=31536000, immutable");
    for file in [&entry, &module] {
        assert!(file.header("content-type").starts_with("text/javascript"), "{file:?}");
        assert_eq!(file.header("access-control-allow-origin"), "*");
        assert_eq!(file.header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
    }
}

#[test]
fn the_pages_own_code_is_for_our_origin_only() {
    let _room = together();
    let browser = Browser::new(&Worker::main());
    let page = browser.open("/").expect(200);
    let script = page.text().split('"').find(|text| text.starts_with("/page/") && text.ends_with("page.js"));
    let script = browser.open(script.expect("the page has its script")).expect(200);
    assert_eq!(script.header("cross-origin-resource-policy"), "same-origin");
    assert_eq!(script.header("access-control-allow-origin"), "");
    assert_eq!(script.header("cache-control"), "public, max-age=31536000, immutable");
}
