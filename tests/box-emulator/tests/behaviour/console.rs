//! The console's page.

use serde_json::json;

use crate::support::Client;

#[test]
fn the_page_may_load_its_own_files_and_nothing_else() {
    let mut client = Client::new();
    let page = client.ask("GET", "/console").send();
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(
        page.header("content-security-policy"),
        Some(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; \
             base-uri 'none'; frame-ancestors 'none'"
        )
    );
    let text = page.text();
    assert!(!text.contains("style=") && !text.contains("onclick") && !text.contains("\"http"));
    let mut files = 0;
    for attribute in ["href=\"/", "src=\"/"] {
        for after in text.split(attribute).skip(1) {
            let path = format!("/{}", after.split('"').next().expect("quoted"));
            assert_eq!(client.ask("GET", &path).send().status, 200, "{path}");
            files += 1;
        }
    }
    assert_eq!(files, 3, "two styles and a script");
}

#[test]
fn every_script_finds_the_scripts_that_it_names() {
    let mut client = Client::new();
    let (mut known, mut waiting) = (Vec::new(), vec!["console.js".to_owned()]);
    while let Some(name) = waiting.pop() {
        let script = client.ask("GET", &format!("/console/{name}")).send();
        assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"), "{name}");
        let text = script.text();
        let named = text.lines().filter(|line| line.starts_with("import"));
        let named = named.filter_map(|line| Some(line.split_once("'./")?.1.strip_suffix("';")?.to_owned()));
        known.push(name);
        waiting.extend(named.filter(|name| !known.contains(name)).collect::<Vec<_>>());
    }
    assert!(known.len() > 8, "{known:?}");
}

#[test]
fn it_is_read_only_and_elsewhere_there_is_nothing() {
    let mut client = Client::new();
    assert_eq!(client.ask("POST", "/console").json(json!({})).send().status, 405);
    for nowhere in ["/console/nothing.js", "/console/../style.css", "/console/%2e%2e/style.css", "/consoles"]
    {
        assert_eq!(client.ask("GET", nowhere).send().status, 404, "{nowhere}");
    }
    assert_eq!(client.ask("GET", "http://127.0.0.1:9401/console").send().status, 404, "the content host");
}

#[test]
fn looking_at_it_is_no_call_to_box() {
    let mut client = Client::new();
    client.control("faults", json!({"path": "/console*", "status": 503}));
    assert_eq!(client.ask("GET", "/console").send().status, 200);
    assert_eq!(client.ask("GET", "/console/style.css").send().status, 200);
    let calls = client.ask("GET", "/emulator/calls").send().json();
    assert_eq!(calls["log"], json!([]));
}
