//! The small ledger says what the emulator says: over random sequences of everything that a keeper asks of Box.

use std::collections::BTreeMap;

use box_emulator::{Emulator, Options, Rotation as EmulatorRotation, Settings};
use http::{Method, Request};
use keyhole_core::{
    box_api::{self, BoxApp, BoxRequest, PageAsk},
    item::{Item, Scopes},
    secret::{AuthorizationCode, ClientSecret, ParentToken, PkceVerifier, RefreshToken},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    asked::Asked,
    ledger::{ACCESS_SECONDS, Ledger, Rotation},
};

const API: &str = "http://127.0.0.1:9400";
const START_MS: u64 = 1_800_000_000_000;
const REFRESH_SECONDS: u64 = 3 * 86_400;

/// One thing asked of both. Tokens are chosen among those that both have given out so far.
#[derive(Clone, Copy, Debug)]
enum Step {
    SignIn,
    Redeem(usize),
    Refresh(usize),
    Narrow(usize),
    Revoke(usize),
    User(usize),
    Folder(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let any = 0..64_usize;
    prop_oneof![
        1 => Just(Step::SignIn),
        2 => any.clone().prop_map(Step::Redeem),
        8 => any.clone().prop_map(Step::Refresh),
        6 => any.clone().prop_map(Step::Narrow),
        2 => any.clone().prop_map(Step::Revoke),
        3 => any.clone().prop_map(Step::User),
        2 => any.prop_map(Step::Folder),
        3 => prop_oneof![Just(1), Just(31), Just(600), Just(3_000), Just(3_700), Just(86_400), Just(200_000)]
            .prop_map(Step::Wait),
    ]
}

/// Both Boxes, side by side, and each one's name for every token.
struct Both {
    emulator: Emulator,
    ledger: Ledger,
    app: BoxApp,
    now: u64,
    /// The emulator's value and the ledger's name.
    codes: Vec<(String, String)>,
    tokens: Vec<(String, String)>,
    file: String,
}

impl Both {
    fn new(rotation: Rotation) -> Self {
        let file = Self::with(rotation, String::new()).some_file();
        Self::with(rotation, file)
    }

    fn with(rotation: Rotation, file: String) -> Self {
        let settings = Settings {
            rotation: match rotation {
                Rotation::Lazy => EmulatorRotation::Lazy,
                Rotation::Strict => EmulatorRotation::Strict,
            },
            access_token_seconds: Some(ACCESS_SECONDS),
            child_token_seconds: Some(ACCESS_SECONDS),
            refresh_token_seconds: REFRESH_SECONDS,
            ..Settings::default()
        };
        let options = Options { settings, ..Options::default() };
        let app = BoxApp {
            client_id: options.client_id.clone(),
            client_secret: ClientSecret::new(options.client_secret().to_owned()),
            authorize_url: format!("{API}/api/oauth2/authorize").parse().unwrap(),
            api_url: API.parse().unwrap(),
        };
        Self {
            emulator: Emulator::new(options),
            ledger: Ledger::new(rotation, REFRESH_SECONDS),
            app,
            now: START_MS,
            codes: Vec::new(),
            tokens: vec![("nobody's".to_owned(), "nobody's".to_owned())],
            file,
        }
    }

    /// A file of the emulator's sample account, which the ledger takes as well as any.
    fn some_file(mut self) -> String {
        self.step(Step::SignIn);
        self.step(Step::Redeem(0));
        let access = ParentToken::new(self.tokens[1].0.clone());
        let page = PageAsk { offset: 0, limit: 100 };
        let mut folders = vec![Item::folder("0").unwrap()];
        while let Some(folder) = folders.pop() {
            let request = box_api::folder_items(&self.app, &access, &folder, page);
            let answer = self.emulator.handle(request, START_MS).response;
            for entry in box_api::judge_page(Ok(answer), page).unwrap().entries {
                match entry.kind.as_str() {
                    "file" => return format!("file_{}", entry.id),
                    _ => folders.extend(Item::folder(&entry.id)),
                }
            }
        }
        panic!("the sample account has files")
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::SignIn => self.sign_in(),
            Step::Wait(seconds) => self.now += seconds * 1000,
            Step::Redeem(which) => {
                if !self.codes.is_empty() {
                    let pair = self.codes[which % self.codes.len()].clone();
                    let (verifier, device) = (PkceVerifier::new("v"), box_api::Device::default());
                    let app = self.app.clone();
                    self.ask(&pair, |code| {
                        box_api::redeem_code(&app, &AuthorizationCode::new(code), &verifier, &device)
                    });
                }
            }
            Step::Refresh(which) => {
                self.ask_with(which, |app, token, _| box_api::refresh(app, &RefreshToken::new(token)));
            }
            Step::Narrow(which) => self.ask_with(which, |app, token, file| {
                let scopes = Scopes::parse("base_preview item_preview").unwrap();
                box_api::downscope(app, &ParentToken::new(token), &Item::parse(file).unwrap(), &scopes)
            }),
            Step::Revoke(which) => self.ask_with(which, |app, token, _| box_api::revoke(app, token)),
            Step::User(which) => {
                self.ask_with(which, |app, token, _| box_api::current_user(app, &ParentToken::new(token)));
            }
            Step::Folder(which) => self.ask_with(which, |app, token, _| {
                let page = PageAsk { offset: 0, limit: 1 };
                box_api::folder_items(app, &ParentToken::new(token), &Item::folder("0").unwrap(), page)
            }),
        }
    }

    fn sign_in(&mut self) {
        let mut request = Request::new(json!({}).to_string().into_bytes());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("{API}/emulator/grant").parse().unwrap();
        let answer = self.emulator.handle(request, self.now).response;
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        self.codes.push((body["code"].as_str().unwrap().to_owned(), self.ledger.sign_in(self.now)));
    }

    fn ask_with(&mut self, which: usize, request: impl Fn(&BoxApp, &str, &str) -> BoxRequest) {
        let pair = self.tokens[which % self.tokens.len()].clone();
        let (app, file) = (self.app.clone(), self.file.clone());
        self.ask(&pair, |token| request(&app, token, &file));
    }

    /// Asks both, each with its own token, and compares.
    fn ask(&mut self, (value, name): &(String, String), request: impl Fn(&str) -> BoxRequest) {
        let asked = Asked::read(&request(name)).unwrap();
        let emulated = self.emulator.handle(request(value), self.now).response;
        let said = self.ledger.act(&asked, self.now);
        let small = said.answer();
        assert_eq!(
            emulated.status(),
            small.status(),
            "{asked}: {:?}",
            String::from_utf8_lossy(emulated.body())
        );
        let body = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        let (emulated, small) = (body(emulated.body()), body(small.body()));
        for member in ["error", "expires_in", "token_type"] {
            assert_eq!(emulated[member], small[member], "{asked}: {member}");
        }
        for member in ["access_token", "refresh_token"] {
            let (Some(value), Some(name)) = (emulated[member].as_str(), small[member].as_str()) else {
                assert_eq!(emulated[member].is_string(), small[member].is_string(), "{asked}: {member}");
                continue;
            };
            let known: BTreeMap<&str, &str> =
                self.tokens.iter().map(|(value, name)| (value.as_str(), name.as_str())).collect();
            match known.get(value) {
                Some(known) => assert_eq!(*known, name, "{asked}: the same token again"),
                None => self.tokens.push((value.to_owned(), name.to_owned())),
            }
        }
    }
}

/// A keeper neither narrows a child further nor reads anything with it: only the emulator knows what that means.
fn within_a_keepers_means(both: &Both, step: Step) -> bool {
    let token = |which: usize| both.tokens[which % both.tokens.len()].1.clone();
    !matches!(step, Step::Narrow(which) | Step::User(which) | Step::Folder(which) if Ledger::is_child(&token(which)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_says_what_the_emulator_says(
        strict in any::<bool>(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut both = Both::new(if strict { Rotation::Strict } else { Rotation::Lazy });
        both.step(Step::SignIn);
        both.step(Step::Redeem(0));
        for step in steps {
            if within_a_keepers_means(&both, step) {
                both.step(step);
            }
        }
    }
}
