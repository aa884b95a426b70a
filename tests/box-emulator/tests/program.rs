//! The program: two ports, a state file, dropped connections, pdf.js from disk.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};

    use serde_json::{Value, json};

    const CREDENTIALS: &str = "client_id=keyhole-dev&client_secret=keyhole-dev-secret-not-a-secret";

    /// A running emulator on ports of its own; ends with the test.
    struct Program {
        child: Child,
        api: String,
        content: String,
    }

    impl Drop for Program {
        fn drop(&mut self) {
            let _gone = self.child.kill();
            let _gone = self.child.wait();
        }
    }

    fn command(arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_box-emulator"));
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(arguments: &[&str]) -> Program {
        let ports = ["--port", "0", "--content-port", "0"];
        started(&mut command(&[&ports, arguments].concat()))
    }

    fn started(command: &mut Command) -> Program {
        let mut child = command.spawn().expect("started");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let mut address = |label: &str| {
            let line = lines.by_ref().map(|line| line.expect("text")).find(|line| line.contains(label));
            let line = line.expect("the address is printed");
            line.rsplit("http://").next().expect("an address").to_owned()
        };
        let (api, content) = (address("API"), address("content"));
        Program { child, api, content }
    }

    /// Status line, headers and body of one request; `None` when the connection ended without an answer.
    fn ask(authority: &str, head: &str, body: &str) -> Option<(String, String)> {
        let mut stream = TcpStream::connect(authority).expect("a listener");
        let length = body.len();
        let request = format!(
            "{head}\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(fault) if fault.kind() != ErrorKind::ConnectionReset => panic!("{fault}"),
            _ => {}
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.to_owned(), body.to_owned()))
    }

    fn control(program: &Program, path: &str, body: &Value) -> Value {
        let head = format!("POST /emulator/{path} HTTP/1.1");
        let (_, answer) = ask(&program.api, &head, &body.to_string()).expect("an answer");
        serde_json::from_str(&answer).expect("JSON")
    }

    fn token(program: &Program, form: &str) -> Option<Value> {
        let head = "POST /oauth2/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
        let (_, body) = ask(&program.api, head, &format!("{form}&{CREDENTIALS}"))?;
        serde_json::from_str(&body).ok()
    }

    fn login(program: &Program) -> (String, String) {
        let granted = control(program, "grant", &json!({}));
        let code = granted["code"].as_str().expect("a code");
        let pair = token(program, &format!("grant_type=authorization_code&code={code}")).expect("a pair");
        let text = |name: &str| pair[name].as_str().expect(name).to_owned();
        (text("access_token"), text("refresh_token"))
    }

    fn status_of(answer: Option<(String, String)>) -> String {
        let (head, _) = answer.expect("an answer");
        head.split(' ').nth(1).expect("a status").to_owned()
    }

    fn users_me(program: &Program, access: &str) -> String {
        status_of(ask(
            &program.api,
            &format!("GET /2.0/users/me HTTP/1.1\r\nAuthorization: Bearer {access}"),
            "",
        ))
    }

    #[test]
    fn both_ports_answer_and_name_each_other() {
        let program = start(&[]);
        let (access, _) = login(&program);
        assert_eq!(users_me(&program, &access), "200");
        let head = format!("GET /2.0/folders/0/items HTTP/1.1\r\nAuthorization: Bearer {access}");
        let (_, listed) = ask(&program.api, &head, "").expect("an answer");
        let listed: Value = serde_json::from_str(&listed).expect("JSON");
        let entries = listed["entries"].as_array().expect("entries");
        let file = entries.iter().find(|entry| entry["type"] == "file").expect("a file")["id"].clone();
        let file = file.as_str().expect("an id");
        let head = format!(
            "GET /2.0/files/{file}?fields=authenticated_download_url HTTP/1.1\r\nAuthorization: Bearer {access}"
        );
        let (_, info) = ask(&program.api, &head, "").expect("an answer");
        let info: Value = serde_json::from_str(&info).expect("JSON");
        let address = info["authenticated_download_url"].as_str().expect("an address").to_owned();
        let path = address.strip_prefix(&format!("http://{}", program.content)).expect("on the other port");
        let head = format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer {access}");
        assert_eq!(status_of(ask(&program.content, &head, "")), "200");
    }

    #[test]
    fn a_dropped_answer_is_a_closed_connection_and_the_work_is_done() {
        let program = start(&[]);
        let (_, refresh) = login(&program);
        let form = format!("grant_type=refresh_token&refresh_token={refresh}");
        control(&program, "settings", &json!({"rotation": "strict"}));
        control(&program, "faults", &json!({"path": "/oauth2/token", "drop": "before"}));
        assert_eq!(token(&program, &form), None);
        control(&program, "faults", &json!({"path": "/oauth2/token", "drop": "after"}));
        assert_eq!(token(&program, &form), None);
        let refused = token(&program, &form).expect("an answer");
        assert_eq!(refused["error"], "invalid_grant");
    }

    #[test]
    fn what_was_answered_survives_being_killed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state.json");
        let state = ["--state", file.to_str().expect("text")];
        let program = start(&state);
        let (access, refresh) = login(&program);
        drop(program);
        let program = start(&state);
        assert_eq!(users_me(&program, &access), "200");
        assert!(token(&program, &format!("grant_type=refresh_token&refresh_token={refresh}")).is_some());
        drop(program);
        let left = fs::read_dir(folder.path()).expect("readable");
        let mut left: Vec<_> = left.map(|entry| entry.expect("readable").file_name()).collect();
        left.sort();
        assert_eq!(left, ["state.json", "state.json.lock"], "nothing else is left beside it");
    }

    #[test]
    fn a_state_file_that_cannot_be_written_is_said_at_the_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing/state.json");
        let ended =
            fails(&["--port", "0", "--content-port", "0", "--state", missing.to_str().expect("text")]);
        assert!(ended.contains("cannot write") && ended.contains("missing/state.json"), "{ended}");
        let file = folder.path().join("state.json");
        fs::create_dir(folder.path().join("state.json.new")).expect("made");
        let ended = fails(&["--port", "0", "--content-port", "0", "--state", file.to_str().expect("text")]);
        assert!(ended.contains("cannot write") && ended.contains("state.json"), "{ended}");
    }

    #[test]
    fn what_cannot_be_saved_is_not_answered_until_it_can() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state.json");
        let program = start(&["--state", state.to_str().expect("text")]);
        let (access, _) = login(&program);
        let in_the_way = folder.path().join("state.json.new");
        fs::create_dir(&in_the_way).expect("made");
        let grant = || ask(&program.api, "POST /emulator/grant HTTP/1.1", "{}").expect("an answer");
        let (head, told) = grant();
        assert!(head.starts_with("HTTP/1.1 500") && told.contains("cannot write"), "{head} {told}");
        assert!(!told.contains("code="), "{told}");
        assert_eq!(users_me(&program, &access), "500", "it might tell of what is not saved");
        fs::remove_dir(&in_the_way).expect("removed");
        assert_eq!(users_me(&program, &access), "200");
        assert!(grant().0.starts_with("HTTP/1.1 200"));
    }

    #[test]
    fn a_state_file_is_of_one_program_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state.json");
        let state = ["--state", file.to_str().expect("text")];
        let program = start(&state);
        let ended = fails(&[&["--port", "0", "--content-port", "0"], &state[..]].concat());
        assert!(ended.contains("another box-emulator") && ended.contains("--state"), "{ended}");
        login(&program);
        drop(program);
        start(&state);
    }

    #[cfg(unix)]
    #[test]
    fn an_upload_of_megabytes_is_taken_and_lies_there_after_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state.json");
        let arguments = ["--state", state.to_str().expect("text")];
        let program = start(&arguments);
        let (access, _) = login(&program);
        let bearer = format!("Authorization: Bearer {access}");
        let content = "salt ".repeat(500_000);
        let part = |name: &str, text: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        let attributes = part("attributes", "{\"name\":\"salt.txt\",\"parent\":{\"id\":\"0\"}}");
        let form = format!("{attributes}{}--x--\r\n", part("file", &content));
        let kind = "Content-Type: multipart/form-data; boundary=x";
        let head = format!("POST /upload/2.0/files/content HTTP/1.1\r\n{bearer}\r\n{kind}");
        let (_, answer) = ask(&program.api, &head, &form).expect("an answer");
        let file: Value = serde_json::from_str(&answer).expect("JSON");
        let id = file["entries"][0]["id"].as_str().expect("an id").to_owned();
        drop(program);

        let program = start(&arguments);
        let head = format!("GET /api/2.0/files/{id}/content HTTP/1.1\r\n{bearer}");
        let (_, again) = ask(&program.content, &head, "").expect("an answer");
        assert!(again == content, "{} bytes", again.len());
    }

    #[test]
    fn a_body_that_is_too_large_is_refused_in_box_s_words() {
        let program = start(&[]);
        let (access, _) = login(&program);
        let head = format!("POST /2.0/folders HTTP/1.1\r\nAuthorization: Bearer {access}");
        let (status, body) = ask(&program.api, &head, &"x".repeat(1024 * 1024 + 1)).expect("an answer");
        assert!(status.starts_with("HTTP/1.1 413"), "{status}");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(body["code"], "request_entity_too_large");
    }

    #[test]
    fn the_state_file_is_for_its_owner_alone_and_written_only_on_changes() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state.json");
        let program = start(&["--state", file.to_str().expect("text")]);
        let (access, refresh) = login(&program);
        let written = fs::metadata(&file).expect("written");
        assert_eq!(written.permissions().mode() & 0o777, 0o600);
        let inode = || fs::metadata(&file).expect("written").ino();
        assert_eq!(users_me(&program, &access), "200");
        assert_eq!(inode(), written.ino());
        token(&program, &format!("grant_type=refresh_token&refresh_token={refresh}"));
        assert_ne!(inode(), written.ino());
    }

    #[test]
    fn a_state_that_cannot_be_read_is_said_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state.json");
        fs::write(&file, "{\"format\":").expect("written");
        let ended = fails(&["--port", "0", "--content-port", "0", "--state", file.to_str().expect("text")]);
        assert!(ended.contains("not a state") && ended.contains("state.json"), "{ended}");
        assert_eq!(fs::read_to_string(&file).expect("there"), "{\"format\":");
    }

    #[test]
    fn a_state_of_another_version_is_put_aside_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state.json");
        fs::write(&file, "{\"format\":2}").expect("written");
        let program = start(&["--state", file.to_str().expect("text")]);
        login(&program);
        let aside = folder.path().join("state.json.format-2");
        assert_eq!(fs::read_to_string(aside).expect("kept"), "{\"format\":2}");
        assert!(fs::read_to_string(&file).expect("anew").contains("\"format\":3"));
    }

    #[test]
    fn a_switch_can_be_set_at_the_start_and_one_that_does_not_exist_is_named() {
        let program = start(&["--set", "outside_resource_status=403", "--set", "decision=deny"]);
        let (_, status) = ask(&program.api, "GET /emulator/status HTTP/1.1", "").expect("an answer");
        let status: Value = serde_json::from_str(&status).expect("JSON");
        assert_eq!(status["settings"]["outside_resource_status"], 403);
        assert_eq!(status["settings"]["decision"], "deny");
        let ended = fails(&["--port", "0", "--content-port", "0", "--set", "pkcs=true"]);
        assert!(ended.contains("--set") && ended.contains("pkcs"), "{ended}");
    }

    #[test]
    fn a_flag_that_could_never_work_is_refused_with_a_sentence() {
        let ports = ["--port", "0", "--content-port", "0"];
        let twice = ["--origin", "http://box.test", "--content-origin", "https://box.test"];
        for (arguments, told) in [
            (&["--cors-origin", "http://localhost:3000/"][..], "is no origin"),
            (&["--redirect-uri", "http://evil.example/cb"], "is no redirect URI"),
            (&["--redirect-uri", "https://app.example/cb#here"], "is no redirect URI"),
            (&["--origin", "box.test:9400"], "is no origin"),
            (&["--origin", "http://box.test/api"], "is no origin"),
            (&["--content-origin", "https://*.box.test"], "without *"),
            (&twice, "must differ"),
            (&["--set", "pkcs=true"], "there is no switch pkcs; the console lists them"),
            (&["--set", "outside_resource_status=500"], "outside_resource_status is one of [404,403]"),
        ] {
            let ended = fails(&[&ports, arguments].concat());
            assert!(ended.contains(told) && ended.contains(arguments[0]), "{arguments:?}: {ended}");
            assert!(ended.len() < 400, "{ended}");
        }
        let program =
            start(&["--cors-origin", "https://*.app.example", "--redirect-uri", "https://app.example/cb"]);
        assert_eq!(status_of(ask(&program.api, "GET /emulator/status HTTP/1.1", "")), "200");
    }

    #[test]
    fn what_help_says_for_example_works() {
        let help = command(&["--help"]).output().expect("ran").stdout;
        let help = String::from_utf8(help).expect("text");
        let (above, examples) = help.split_once("Examples:\n").expect("examples");
        let folder = tempfile::tempdir().expect("a folder");
        let mut seen = 0;
        for example in examples.lines() {
            let call = example.trim().strip_prefix("box-emulator").expect("a call");
            let call = call.split("   ").next().expect("what is before the remark");
            let mut arguments: Vec<&str> = call.split_whitespace().collect();
            arguments.extend(["--port", "0", "--content-port", "0"]);
            drop(started(command(&arguments).current_dir(folder.path())));
            seen += 1;
        }
        assert_eq!(seen, 4);
        let switches = above.split_whitespace().filter(|word| {
            word.contains('=') && word.bytes().all(|byte| byte.is_ascii_lowercase() || b"_=.".contains(&byte))
        });
        let switches: Vec<&str> = switches.map(|word| word.trim_end_matches('.')).collect();
        assert!(!switches.is_empty());
        for switch in switches {
            start(&["--set", switch]);
        }
    }

    #[test]
    fn a_switch_outlives_the_program_unless_the_next_start_says_otherwise() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state.json");
        let state = ["--state", file.to_str().expect("text")];
        let settings = |program: &Program| {
            let (_, told) = ask(&program.api, "GET /emulator/settings HTTP/1.1", "").expect("an answer");
            let told: Value = serde_json::from_str(&told).expect("JSON");
            ["rotation", "pkce", "nested_exchange"].map(|name| told["settings"][name].clone())
        };
        let program = start(&state);
        let changed = json!({"rotation": "strict", "pkce": true, "nested_exchange": false});
        control(&program, "settings", &changed);
        drop(program);
        let program = start(&state);
        assert_eq!(settings(&program), [json!("strict"), json!(true), json!(false)]);
        drop(program);
        let program = start(&[&state[..], &["--rotation", "lazy", "--set", "pkce=false"]].concat());
        assert_eq!(settings(&program), [json!("lazy"), json!(false), json!(false)]);
    }

    #[test]
    fn an_app_changed_in_the_console_stays_so_when_nobody_says_otherwise() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state.json");
        let state = ["--state", file.to_str().expect("text")];
        let change = |program: &Program| {
            let changed = json!({"client_secret": "another", "redirect_uris": [], "cors_origins": []});
            let head = "PATCH /emulator/apps/keyhole-dev HTTP/1.1";
            ask(&program.api, head, &changed.to_string()).expect("an answer");
        };
        let app = |program: &Program| {
            let (_, told) = ask(&program.api, "GET /emulator/apps HTTP/1.1", "").expect("an answer");
            let told: Value = serde_json::from_str(&told).expect("JSON");
            let apps = told["apps"].as_array().expect("apps").clone();
            let app = apps.into_iter().find(|app| app["client_id"] == "keyhole-dev").expect("the app");
            ["client_secret", "redirect_uris", "cors_origins"].map(|member| app[member].clone())
        };
        let program = start(&state);
        change(&program);
        drop(program);
        let program = start(&state);
        assert_eq!(app(&program), [json!("another"), json!([]), json!([])]);
        drop(program);
        let program = start(&[&state[..], &["--cors-origin", "http://localhost:3000"]].concat());
        assert_eq!(app(&program), [json!("another"), json!([]), json!(["http://localhost:3000"])]);
    }

    #[test]
    fn where_it_listens_and_how_it_is_reached_can_differ() {
        let program = start(&["--bind", "0.0.0.0", "--content-origin", "http://content.test"]);
        assert!(program.api.starts_with("localhost:"), "{}", program.api);
        let (_, status) = ask(&program.api, "GET /emulator/status HTTP/1.1", "").expect("an answer");
        let status: Value = serde_json::from_str(&status).expect("JSON");
        assert_eq!(status["content_origin"], "http://content.test");
    }

    #[test]
    fn a_port_in_use_is_named_with_the_flag_that_changes_it() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = taken.local_addr().expect("an address").port().to_string();
        for (arguments, flag) in [
            (["--port", &port, "--content-port", "0"], "--port"),
            (["--port", "0", "--content-port", &port], "--content-port"),
        ] {
            let ended = fails(&arguments);
            assert!(ended.contains(&format!("port {port} is in use")) && ended.contains(flag), "{ended}");
        }
    }

    #[test]
    fn pdf_js_is_served_from_its_folder_and_nothing_else_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let package = folder.path().join("pdfjs-dist");
        for (path, text) in
            [("build/pdf.mjs", "export {}"), ("cmaps/H.bcmap", "map"), ("package.json", "{}"), (".env", "x")]
        {
            let path = package.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        fs::write(folder.path().join("secret"), "secret").expect("written");
        let program = start(&["--pdfjs", package.to_str().expect("text")]);
        let get = |path: &str| {
            ask(&program.api, &format!("GET /platform/preview/third-party/pdfjs/{path} HTTP/1.1"), "")
                .expect("an answer")
        };
        let (head, body) = get("build/pdf.mjs");
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/javascript"), "{head}");
        assert!(head.contains("access-control-allow-origin: *"), "{head}");
        assert_eq!(body, "export {}");
        assert!(get("cmaps/H.bcmap").0.starts_with("HTTP/1.1 200"));
        for path in [
            "../secret",
            "build/../../secret",
            "build/%2e%2e/%2e%2e/secret",
            "build//pdf.mjs",
            "build/..%5c..%5csecret",
            "package.json",
            ".env",
            "build",
            "build/missing.mjs",
        ] {
            let (head, body) = get(path);
            assert!(head.starts_with("HTTP/1.1 404") && !body.contains("secret"), "{path}: {head}");
        }
    }

    #[test]
    fn a_folder_without_pdf_js_is_said_at_the_start() {
        let ended = fails(&["--port", "0", "--content-port", "0", "--pdfjs", env!("CARGO_MANIFEST_DIR")]);
        assert!(ended.contains("build/pdf.mjs"), "{ended}");
    }

    #[test]
    fn a_folder_of_ones_own_is_in_the_account_without_what_begins_with_a_dot() {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in
            [("notes.txt", "mine"), ("deep/down/a.txt", "a"), (".env", "x"), (".git/config", "x")]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        let program = start(&["--files", folder.path().to_str().expect("text")]);
        let names = |folder: &str| {
            let head = format!("GET /emulator/items?user=1100000001&folder={folder} HTTP/1.1");
            let (_, listed) = ask(&program.api, &head, "").expect("an answer");
            let listed: Value = serde_json::from_str(&listed).expect("JSON");
            let entries = listed["entries"].as_array().expect("entries").clone();
            let text = |entry: &Value, member: &str| entry[member].as_str().expect(member).to_owned();
            entries.iter().map(|entry| (text(entry, "name"), text(entry, "id"))).collect::<Vec<_>>()
        };
        let root = names("0");
        assert!(root.iter().any(|(name, _)| name == "notes.txt"), "{root:?}");
        assert!(root.iter().all(|(name, _)| !name.starts_with('.')), "{root:?}");
        let (_, deep) = root.iter().find(|(name, _)| name == "deep").expect("deep");
        assert_eq!(names(deep)[0].0, "down");
    }

    #[test]
    fn a_file_of_ones_own_that_box_would_not_take_is_named_at_the_start() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("Letters"), "no folder").expect("written");
        let arguments =
            ["--port", "0", "--content-port", "0", "--files", folder.path().to_str().expect("text")];
        let ended = fails(&arguments);
        assert!(ended.contains("--files") && ended.contains("\"Letters\" is a folder"), "{ended}");
    }

    #[test]
    fn a_folder_that_is_missing_or_too_large_is_said_at_the_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing");
        let ended =
            fails(&["--port", "0", "--content-port", "0", "--files", missing.to_str().expect("text")]);
        assert!(ended.contains("--files") && ended.contains("missing"), "{ended}");
        // It has the length and takes no room.
        let large = fs::File::create(folder.path().join("large.bin")).expect("made");
        large.set_len(100_000_001).expect("that long");
        let ended =
            fails(&["--port", "0", "--content-port", "0", "--files", folder.path().to_str().expect("text")]);
        assert!(ended.contains("large.bin") && ended.contains("more than 100 MB"), "{ended}");
    }

    #[test]
    fn an_upload_may_be_large_and_is_refused_in_words_when_it_is_too_large() {
        let program = start(&[]);
        let upload = |name: &str, bytes: usize| {
            let head = format!("POST /emulator/items?user=1100000001&folder=0&name={name} HTTP/1.1");
            ask(&program.api, &head, &"x".repeat(bytes))
        };
        assert_eq!(status_of(upload("large.txt", 2 * 1024 * 1024)), "201");
        let (head, told) = upload("larger.txt", 50_000_001).expect("an answer");
        assert!(head.starts_with("HTTP/1.1 413") && told.contains("at most 50000000 bytes"), "{head} {told}");
    }

    #[test]
    fn the_readme_names_every_flag() {
        let help = command(&["--help"]).output().expect("ran").stdout;
        let help = String::from_utf8(help).expect("text");
        let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let readme = fs::read_to_string(readme).expect("a README");
        let flags = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
        for flag in flags.filter(|flag| !matches!(*flag, "--help" | "--version")) {
            assert!(readme.contains(flag.trim_end_matches(',')), "{flag} is not in the README");
        }
    }

    /// What the program says when it ends at once with a failure.
    fn fails(arguments: &[&str]) -> String {
        let mut child = command(arguments).spawn().expect("started");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut first).expect("text");
        if !first.is_empty() {
            let _gone = child.kill();
        }
        let output = child.wait_with_output().expect("ended");
        assert!(first.is_empty() && !output.status.success(), "it started: {first}");
        String::from_utf8(output.stderr).expect("text")
    }
}
