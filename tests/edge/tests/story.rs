//! The main job, once through: sign in, look, see, sign out.

use serde_json::json;

use crate::harness::{
    Answer, Browser, Worker,
    answer::query_of,
    browser::SESSION,
    local_box::{self, with_token},
    sample_files, together,
};

/// What holds for each answer of the Worker.
#[track_caller]
fn is_private(answer: &Answer) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), value, "{answer:?}");
    }
}

#[test]
fn a_person_signs_in_sees_a_file_and_signs_out() {
    let _room = together();
    let worker = Worker::main();
    let browser = Browser::new(&worker);

    let nobody = browser.get("/api/session").expect(200);
    is_private(&nobody);
    assert_eq!((&nobody.json()["session"], &nobody.json()["ended"]), (&json!(null), &json!(null)));

    let login = browser.open("/auth/login?return_to=/files?id=7").expect(302);
    is_private(&login);
    let at_box = login.location();
    assert!(at_box.as_str().starts_with(&format!("{}/api/oauth2/authorize?", local_box::url())), "{at_box}");
    let redirect_uri = format!("{}/auth/callback", worker.origin);
    assert_eq!(query_of(&at_box, "redirect_uri"), Some(redirect_uri));
    assert_eq!(query_of(&at_box, "response_type").as_deref(), Some("code"));

    let callback = browser.granted(&at_box);
    let back = browser.come_back(&callback);
    is_private(&back);
    assert_eq!(back.header("location"), format!("{}/files?id=7", worker.origin));
    assert!(back.body.is_empty());
    assert_eq!(browser.cookie_names(), [SESSION], "the login's cookie is gone");

    let session = browser.get("/api/session").expect(200);
    is_private(&session);
    assert_eq!(session.json()["session"]["user"]["login"], "robin@example.com");
    assert_eq!(session.json()["settings"]["scopes"], json!(["base_preview", "item_preview"]));

    let folder = browser.get("/api/folders/0/items?limit=2").expect(200);
    is_private(&folder);
    let page = folder.json();
    assert_eq!((page["entries"].as_array().unwrap().len(), &page["limit"]), (2, &json!(2)));
    for entry in page["entries"].as_array().unwrap() {
        let names: Vec<&String> = entry.as_object().unwrap().keys().collect();
        assert_eq!(names, ["id", "modified_at", "name", "size", "type"]);
    }

    let file = &sample_files()[0];
    let answer = browser.post("/api/tokens", &json!({"items": [file]})).expect(200);
    is_private(&answer);
    let given = &answer.json()["tokens"][file];
    assert_eq!(
        (&given["token_type"], &given["scope"]),
        (&json!("bearer"), &json!("base_preview item_preview"))
    );
    assert!(given["expires_in"].as_u64().unwrap() > 600, "{given}");
    let token = given["access_token"].as_str().unwrap();
    let id = file.strip_prefix("file_").unwrap();
    assert_eq!(with_token(token, &format!("/2.0/files/{id}?fields=id,name")).status, 200);

    let out = browser.sign_out();
    is_private(&out);
    assert!(browser.cookie_names().is_empty());
    assert_eq!(browser.get("/api/session").expect(200).json()["session"], json!(null));
}

#[test]
fn s22_the_token_opens_its_file_and_nothing_else() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::main());
    let (mine, other) = (&sample_files()[0], &sample_files()[1]);
    let narrow = browser.post("/api/tokens", &json!({"items": [mine], "scopes": ["item_preview"]}));
    let narrow = narrow.expect(200).json()["tokens"][mine]["access_token"].as_str().unwrap().to_owned();
    let path = |file: &str| format!("/2.0/files/{}", file.strip_prefix("file_").unwrap());
    assert_eq!(with_token(&narrow, &path(mine)).status, 200);
    for elsewhere in [path(other), format!("{}/content", path(mine)), "/2.0/folders/0/items".to_owned()] {
        let status = with_token(&narrow, &elsewhere).status;
        assert!([403, 404].contains(&status), "{elsewhere}: {status}");
    }
    assert_ne!(browser.token(mine), narrow, "another set of scopes is another token");
    let scopes: Vec<usize> = browser.at_box().all("child").iter().map(|child| child.scopes.len()).collect();
    assert_eq!(scopes, [1, 2]);
}

#[test]
fn s25_the_session_cookie_is_out_of_reach_and_ends_before_the_refresh_token() {
    let _room = together();
    let browser = Browser::new(&Worker::main());
    let back = browser.come_back(&browser.up_to_callback("/auth/login"));
    let cookies = back.cookies();
    let (_, session) = cookies.iter().find(|(name, _)| *name == SESSION).expect("a session");
    let attributes: Vec<&str> = session.split("; ").skip(1).collect();
    let mut sorted = attributes.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["HttpOnly", "Max-Age=5184000", "Path=/", "SameSite=Strict", "Secure"]);
    assert_eq!(
        browser.get("/api/session").json()["session"]["expires_at"].as_u64().map(|at| at > 0),
        Some(true)
    );
}

#[test]
fn s26_the_session_is_a_fresh_one_whatever_the_browser_brought_along() {
    let _room = together();
    let browser = Browser::signed_in(&Worker::main());
    let first = browser.cookie(SESSION).unwrap();
    let earlier = browser.twin();
    browser.sign_in();
    let second = browser.cookie(SESSION).unwrap();
    let parts = |cookie: &str| cookie.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (first, second) = (parts(&first), parts(&second));
    assert!(first[1] != second[1] && first[2] != second[2], "keeper and secret are new");
    let answer = earlier.get("/api/session").expect(200).json();
    assert_eq!((&answer["session"], &answer["ended"]), (&json!(null), &json!("replaced")));
}
