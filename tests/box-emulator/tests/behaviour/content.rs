//! The bytes: representations, originals, ranges, downloads.

use serde_json::json;

use crate::support::{Client, PAGE, PREVIEW};

const CONTENT: &str = "http://127.0.0.1:9401";

/// The address of the first representation of `path`, with `asset` put in.
fn content(client: &mut Client, token: &str, path: &str, asset: &str) -> (String, String) {
    let id = client.id_of(token, path);
    let info = client.get(token, &format!("/2.0/files/{id}?fields=representations")).json();
    let entries = info["representations"]["entries"].as_array().expect("entries").clone();
    let wanted = entries.iter().rfind(|entry| entry["properties"]["paged"] != "false").expect("an entry");
    let template = wanted["content"]["url_template"].as_str().expect("template");
    (id, template.replace("{+asset_path}", asset))
}

#[test]
fn a_preview_token_reads_the_representation_of_each_kind() {
    let mut client = Client::new();
    let pair = client.login();
    for (path, asset, kind, start) in [
        ("Letters/Letter to Aunt Edda.pdf", "", "application/pdf", &b"%PDF-"[..]),
        ("Post cards/Stamp.png", "1.png", "image/png", b"\x89PNG"),
        ("Post cards/Puffin of the month.jpg", "1.jpg", "image/jpeg", b"\xff\xd8"),
        ("Garden/Bees.txt", "", "text/plain; charset=utf-8", b""),
        ("Garden/Seeds.csv", "", "text/csv; charset=utf-8", b""),
        ("Welcome.md", "", "text/markdown; charset=utf-8", b""),
    ] {
        let (id, address) = content(&mut client, &pair.access, path, asset);
        let child = client.child(&pair.access, PREVIEW, &format!("files/{id}"));
        let answer = client.get(&child, &address);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{path}");
        assert!(answer.body.starts_with(start) && !answer.body.is_empty(), "{path}");
        assert_eq!(answer.header("content-length"), Some(&*answer.body.len().to_string()));
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
        assert!(answer.header("content-encoding").is_none());
        client.get(&child, &format!("{address}x")).is_not_found();
        client.get(&child, &address.replace("/versions/1", "/versions/2")).is_not_found();
    }
}

#[test]
fn a_film_comes_as_a_manifest_and_its_pieces_or_whole() {
    let mut client = Client::new();
    let pair = client.login();
    let path = "Lighthouse/One turn of the light.mp4";
    let (id, whole) = content(&mut client, &pair.access, path, "");
    let child = client.child(&pair.access, PREVIEW, &format!("files/{id}"));
    let film = client.get(&child, &whole);
    assert_eq!((film.status, film.header("content-type")), (200, Some("video/mp4")));

    let dash = whole.replace("/mp4/", "/dash/");
    let manifest = client.get(&child, &format!("{dash}manifest.mpd"));
    assert_eq!((manifest.status, manifest.header("content-type")), (200, Some("application/dash+xml")));
    let manifest = String::from_utf8(manifest.body).expect("text");
    let range =
        manifest.split("mediaRange=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a range");
    let ask = client.ask("GET", &format!("{dash}film.mp4")).bearer(&child);
    let piece = ask.header("range", &format!("bytes={range}")).send();
    assert_eq!((piece.status, &piece.body[4..8]), (206, &b"moof"[..]));
    client.get(&child, &dash).is_not_found();
    client.get(&child, &format!("{whole}manifest.mpd")).is_not_found();
}

#[test]
fn a_film_that_tells_no_pieces_comes_whole() {
    let mut client = Client::new();
    let pair = client.login();
    let id = client.uploaded(&pair.access, "0", "Home video.mp4", b"not a film at all");
    let info = client.get(&pair.access, &format!("/2.0/files/{id}?fields=representations")).json();
    let entries = info["representations"]["entries"].as_array().expect("entries").clone();
    assert_eq!(entries.iter().map(|entry| entry["representation"].clone()).collect::<Vec<_>>(), ["mp4"]);
}

#[test]
fn the_original_is_shown_where_the_preview_is_the_file() {
    let mut client = Client::new();
    let pair = client.login();
    let svg = client.id_of(&pair.access, "Garden/Planting plan.svg");
    let child = client.child(&pair.access, PREVIEW, &format!("files/{svg}"));
    let address = format!("{CONTENT}/api/2.0/files/{svg}/content");
    let info = client.get(&child, &format!("/2.0/files/{svg}")).json();
    let version = info["file_version"]["id"].as_str().expect("a version");
    let answer = client.get(&child, &format!("{address}?preview=true&version={version}"));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/svg+xml")));
    assert!(answer.header("content-security-policy").is_some_and(|policy| policy.contains("sandbox")));
    client.get(&child, &address).lacks_scope();
    assert_eq!(client.get(&pair.access, &address).status, 200);
}

#[test]
fn ranges_are_answered_in_part() {
    let mut client = Client::new();
    let pair = client.login();
    let (_, address) = content(&mut client, &pair.access, "Letters/Letter to Aunt Edda.pdf", "");
    let whole = client.get(&pair.access, &address).body;
    let total = whole.len();
    let mut part =
        |range: &str| client.ask("GET", &address).bearer(&pair.access).header("range", range).send();
    for (range, expected, answered) in [
        ("bytes=0-4", &whole[..5], format!("bytes 0-4/{total}")),
        ("bytes=5-", &whole[5..], format!("bytes 5-{}/{total}", total - 1)),
        ("bytes=-7", &whole[total - 7..], format!("bytes {}-{}/{total}", total - 7, total - 1)),
        ("bytes=0-99999999", &whole[..], format!("bytes 0-{}/{total}", total - 1)),
    ] {
        let answer = part(range);
        assert_eq!((answer.status, answer.header("content-range")), (206, Some(&*answered)), "{range}");
        assert_eq!(answer.body, expected, "{range}");
        assert_eq!(answer.header("content-length"), Some(&*expected.len().to_string()));
    }
    let answer = part(&format!("bytes={total}-"));
    assert_eq!((answer.status, answer.header("content-range")), (416, Some(&*format!("bytes */{total}"))));
    assert_eq!(part("bytes=0-1,3-4").status, 200);
}

#[test]
fn pages_of_the_app_may_read_content_and_its_headers() {
    let mut client = Client::new();
    let pair = client.login();
    let (_, address) = content(&mut client, &pair.access, "Letters/Letter to Aunt Edda.pdf", "");
    let answer = client.ask("GET", &address).bearer(&pair.access).origin(PAGE).send();
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(
        answer.header("access-control-expose-headers"),
        Some("Accept-Ranges, Content-Length, Content-Range, Content-Encoding, Content-Disposition")
    );
    let answer = client.ask("GET", &address).bearer(&pair.access).origin("https://evil.example").send();
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, None));
    let preflight =
        client.ask("OPTIONS", &address).origin(PAGE).header("access-control-request-method", "GET").send();
    assert_eq!(preflight.status, 200);
    let allowed = preflight.header("access-control-allow-headers").expect("a list").to_owned();
    assert!(
        ["Authorization", "X-Box-Client-Name", "X-Box-Client-Version", "Range"]
            .iter()
            .all(|name| allowed.contains(name))
    );
}

#[test]
fn a_download_is_a_redirect_to_an_address_that_lives_15_minutes() {
    let mut client = Client::new();
    let pair = client.login();
    let id = client.id_of(&pair.access, "Letters/Fish & chips.md");
    let answer =
        client.ask("GET", &format!("/2.0/files/{id}/content")).bearer(&pair.access).origin(PAGE).send();
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (302, None));
    let address = answer.header("location").expect("location").to_owned();
    assert!(address.starts_with(&format!("{CONTENT}/d/1/")) && address.ends_with("/download"));
    let file = client.ask("GET", &address).origin(PAGE).send();
    assert_eq!((file.status, file.header("access-control-allow-origin")), (200, None));
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename*=UTF-8''Fish%20%26%20chips.md")
    );
    client.wait(15 * 60);
    client.ask("GET", &address).send().is_not_found();
    client.ask("GET", &format!("{CONTENT}/d/1/guessed/download")).send().is_not_found();
}

#[test]
fn the_two_ports_answer_each_for_themselves() {
    let mut client = Client::new();
    let pair = client.login();
    let (_, address) = content(&mut client, &pair.access, "Letters/Letter to Aunt Edda.pdf", "");
    client.get(&pair.access, &address.replace(":9401", ":9400")).is_not_found();
    client.get(&pair.access, &format!("{CONTENT}/2.0/users/me")).is_not_found();
    assert_eq!(client.ask("GET", &format!("{CONTENT}/emulator/ledger")).send().status, 404);
    assert_eq!(client.ask("POST", &format!("{CONTENT}/oauth2/token")).form(&[]).send().status, 404);
    let by_name = address.replace("127.0.0.1", "localhost");
    assert_eq!(client.get(&pair.access, &by_name).status, 200, "localhost is the same place");
}

#[test]
fn head_is_get_without_the_body() {
    let mut client = Client::new();
    let pair = client.login();
    let (_, address) = content(&mut client, &pair.access, "Letters/Letter to Aunt Edda.pdf", "");
    let answer = client.ask("HEAD", &address).bearer(&pair.access).send();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert!(answer.header("content-length").is_some_and(|length| length != "0"));
}

#[test]
fn the_stand_in_is_served_for_every_version_and_locale() {
    let mut client = Client::new();
    let mut get = |path: &str| client.ask("GET", &format!("/platform/preview/{path}")).send();
    for path in ["3.81.0/en-US/preview.js", "4.0.0/de-DE/preview.js"] {
        let answer = get(path);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("text/javascript; charset=utf-8"))
        );
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    for path in [
        "3.81.0/en-US/nonsense.js",
        "3.81.0/en-US/",
        "3.81.0",
        "3.81.0/en-US/../preview.js",
        "3.81.0/en-US/%2e%2e/Cargo.toml",
        "third-party/pdfjs/build/pdf.mjs",
        "third-party/en-US/preview.js",
    ] {
        let answer = get(path);
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_found")), "{path}");
    }
}
