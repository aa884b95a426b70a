//! The promise that all of this is for: whatever is tried, in whatever order, a narrowed token reaches nothing outside
//! its resource and does nothing that none of its scopes allows. What the emulator does is held against
//! [`model`], answer by answer, and no answer may hold a trace of an item that its token does not reach.

mod calls;
mod model;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

use self::model::{Item, Link, Model, Named, ROBIN, SCOPES, STRANGER, Token};
use crate::support::{ACCESS_TOKEN, Answer, Client, EXCHANGE};

const USERS: [&str; 2] = ["1100000001", "1100000003"];
const PASSWORD: &str = "Secret-1";
const CONTENT: &str = "http://127.0.0.1:9401";

/// What is there before anybody narrows anything.
#[derive(Clone, Debug)]
struct World {
    /// Owner, whether a folder, the folder it lies in.
    items: Vec<(bool, bool, Index)>,
    links: Vec<(Index, bool, bool)>,
    link_token_needs_header: bool,
    root_as_resource: bool,
}

/// One call.
#[derive(Clone, Debug)]
struct Step {
    what: What,
    token: Index,
    item: Place,
    other: Place,
    /// The link it names, and whether with the password.
    link: Option<(Index, bool)>,
    /// Whether it claims to act for the other user, which the stranger may: that is an app of its own.
    as_other: bool,
    scopes: Scopes,
}

/// What an exchange asks for.
#[derive(Clone, Debug)]
enum Scopes {
    /// Of those that its token can be narrowed to.
    Held(Vec<Index>),
    Any(Vec<&'static str>),
}

/// An item.
#[derive(Clone, Copy, Debug)]
enum Place {
    Root,
    /// The one that the call's link is for.
    AtLink,
    Any(Index),
}

#[derive(Clone, Copy, Debug)]
enum What {
    Narrow,
    NarrowTo,
    NarrowToLink,
    Me,
    Search,
    SharedItem,
    Read,
    List,
    Pages,
    Versions,
    Version,
    Download,
    Original,
    Status,
    Content,
    Event,
    Rename,
    Describe,
    Move,
    Link,
    Unlink,
    Delete,
    NewFolder,
    Upload,
    AskFirst,
    Replace,
}

use What::{
    AskFirst, Content, Delete, Describe, Download, Event, List, Me, Move, Narrow, NarrowTo, NarrowToLink,
    NewFolder, Original, Pages, Read, Rename, Replace, Search, SharedItem, Status, Unlink, Upload, Version,
    Versions,
};

const WHAT: [What; 26] = [
    Narrow,
    NarrowTo,
    NarrowToLink,
    Me,
    Search,
    SharedItem,
    Read,
    List,
    Pages,
    Versions,
    Version,
    Download,
    Original,
    Status,
    Content,
    Event,
    Rename,
    Describe,
    Move,
    What::Link,
    Unlink,
    Delete,
    NewFolder,
    Upload,
    AskFirst,
    Replace,
];

fn worlds() -> impl Strategy<Value = World> {
    let items = prop::collection::vec((any::<bool>(), any::<bool>(), any::<Index>()), 4..12);
    let links = prop::collection::vec((any::<Index>(), any::<bool>(), prop::bool::weighted(0.3)), 1..4);
    (items, links, any::<bool>(), any::<bool>()).prop_map(
        |(items, links, link_token_needs_header, root_as_resource)| World {
            items,
            links,
            link_token_needs_header,
            root_as_resource,
        },
    )
}

fn steps(what: impl Strategy<Value = What>) -> impl Strategy<Value = Step> {
    let names: Vec<&str> = SCOPES.iter().map(|(name, _)| *name).collect();
    let link = prop::option::weighted(0.4, (any::<Index>(), any::<bool>()));
    let place = || prop_oneof![1 => Just(Place::Root), 2 => Just(Place::AtLink), 5 => any::<Index>().prop_map(Place::Any)];
    let places = (any::<Index>(), place(), place());
    let scopes = prop_oneof![
        4 => prop::collection::vec(any::<Index>(), 1..4).prop_map(Scopes::Held),
        1 => subsequence(names, 0..4).prop_map(Scopes::Any),
    ];
    let as_other = prop::bool::weighted(0.1);
    (what, places, link, as_other, scopes).prop_map(|(what, (token, item, other), link, as_other, scopes)| {
        Step { what, token, item, other, link, as_other, scopes }
    })
}

#[test]
fn a_narrowed_token_stays_within_its_resource_and_its_scopes() {
    let narrowing =
        prop::collection::vec(steps(prop::sample::select(vec![Narrow, NarrowTo, NarrowToLink])), 2..6);
    let anything = prop::collection::vec(steps(prop::sample::select(WHAT.to_vec())), 16..40);
    let (allowed, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases: 192, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(worlds(), narrowing, anything), |(world, narrowing, anything)| {
        let mut trial = Trial::start(&world);
        for step in narrowing.iter().chain(&anything) {
            let done = trial.take(step)?;
            let count = if done { &allowed } else { &refused };
            count.set(count.get() + 1);
        }
        trial.ends_as_the_model()
    });
    outcome.unwrap_or_else(|fault| panic!("{fault}"));
    assert!(
        allowed.get() > 300 && refused.get() > 300,
        "{} allowed, {} refused",
        allowed.get(),
        refused.get()
    );
}

impl Scopes {
    fn of(&self, token: &Token) -> Vec<&'static str> {
        match self {
            Self::Any(scopes) => scopes.clone(),
            Self::Held(picked) => {
                let names = SCOPES.iter().map(|(name, _)| *name);
                let held: Vec<&str> = names.filter(|name| token.narrows_to(&[name])).collect();
                let mut scopes: Vec<&str> = picked.iter().map(|picked| *picked.get(&held)).collect();
                scopes.sort_unstable();
                scopes.dedup();
                scopes
            }
        }
    }
}

/// The emulator, the model of it, and what is known of both.
struct Trial {
    client: Client,
    model: Model,
    /// Of each item: its number, and the words that its name and content hold and nothing else does.
    ids: Vec<String>,
    marks: Vec<String>,
    tokens: Vec<(String, Token)>,
    /// Tokens of the two users that may do everything.
    masters: [String; 2],
    /// By serial.
    links: Vec<String>,
}

impl Trial {
    fn start(world: &World) -> Self {
        let mut client = Client::new();
        let masters = USERS.map(|user| client.token_of(user));
        client.settings(json!({
            "link_token_needs_header": world.link_token_needs_header, "root_as_resource": world.root_as_resource,
        }));
        let root = |owner| Item { owner, is_folder: true, parent: None, alive: true, link: None };
        let model = Model {
            items: vec![root(ROBIN), root(STRANGER)],
            links_made: 0,
            link_token_needs_header: world.link_token_needs_header,
            root_as_resource: world.root_as_resource,
        };
        let token = |user: usize| {
            (
                masters[user].clone(),
                Token { user, scopes: vec!["root_readwrite"], resource: None, link: None },
            )
        };
        let mut trial = Self {
            tokens: vec![token(ROBIN), token(STRANGER)],
            ids: vec!["0".to_owned(); 2],
            marks: vec!["never written".to_owned(); 2],
            links: Vec::new(),
            client,
            model,
            masters,
        };
        for (own, is_folder, place) in &world.items {
            let owner = if *own { ROBIN } else { STRANGER };
            let all = 0..trial.model.items.len();
            let folders: Vec<usize> = all
                .filter(|item| trial.model.items[*item].is_folder && trial.model.items[*item].owner == owner)
                .collect();
            trial.add(*place.get(&folders), *is_folder, owner);
        }
        for (item, can_download, password) in &world.links {
            let item = item.index(trial.model.items.len());
            if !trial.model.is_root(item) {
                trial.share(item, *can_download, *password);
            }
        }
        trial
    }

    /// A new item of `owner`, made with all rights.
    fn add(&mut self, parent: usize, is_folder: bool, owner: usize) {
        let (mark, parent_id) = (self.next_mark(), self.ids[parent].clone());
        let master = self.masters[owner].clone();
        let answer = if is_folder {
            self.client.post(&master, "/2.0/folders", json!({"name": mark, "parent": {"id": parent_id}}))
        } else {
            self.client.upload(
                &master,
                &parent_id,
                &format!("{mark}.txt"),
                format!("text of {mark}").as_bytes(),
            )
        };
        self.added(&answer, parent, is_folder, mark);
    }

    fn added(&mut self, answer: &Answer, parent: usize, is_folder: bool, mark: String) {
        assert_eq!(answer.status, 201, "{}", answer.text());
        let body = answer.json();
        let made = if is_folder { &body } else { &body["entries"][0] };
        self.ids.push(made["id"].as_str().expect("an id").to_owned());
        self.marks.push(mark);
        let owner = self.model.items[parent].owner;
        self.model.items.push(Item { owner, is_folder, parent: Some(parent), alive: true, link: None });
    }

    fn next_mark(&self) -> String {
        format!("zq{:03}x", self.ids.len())
    }

    /// A link made with all rights.
    fn share(&mut self, item: usize, can_download: bool, password: bool) {
        let master = self.masters[self.model.items[item].owner].clone();
        let asked = json!({"shared_link": asked(can_download, password)});
        let answer = self.client.put(&master, &self.path(item), asked);
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.shared(item, can_download, password);
    }

    /// Notes the link that `item` has now.
    fn shared(&mut self, item: usize, can_download: bool, password: bool) {
        let serial = match self.model.items[item].link {
            Some(link) => link.serial,
            None => {
                let master = self.masters[self.model.items[item].owner].clone();
                let info = self.client.get(&master, &self.path(item)).json();
                self.links.push(info["shared_link"]["url"].as_str().expect("a link").to_owned());
                self.model.links_made += 1;
                self.model.links_made - 1
            }
        };
        self.model.items[item].link = Some(Link { serial, can_download, password });
    }

    fn path(&self, item: usize) -> String {
        let kind = if self.model.items[item].is_folder { "folders" } else { "files" };
        format!("/2.0/{kind}/{}", self.ids[item])
    }

    /// Takes one step; whether it was allowed.
    fn take(&mut self, step: &Step) -> Result<bool, TestCaseError> {
        let (value, mut token) = step.token.get(&self.tokens).clone();
        let acts = !step.as_other || value == self.masters[STRANGER];
        let is_call = !matches!(step.what, Narrow | NarrowTo | NarrowToLink);
        if is_call && step.as_other && acts {
            token.user = ROBIN;
        }
        let named = step.link.as_ref().and_then(|(link, with_password)| self.name_link(link, *with_password));
        let place = |place: Place| match (place, named) {
            (Place::Any(index), _) => index.index(self.ids.len()),
            (Place::AtLink, Some(named)) => named.item,
            (Place::AtLink | Place::Root, _) => token.user,
        };
        let item = self.model.meant(token.user, place(step.item));
        let other = self.model.meant(token.user, place(step.other));
        match step.what {
            Narrow | NarrowTo | NarrowToLink => self.narrow(step, &value, &token, item, named),
            _ => self.call(step, (&value, acts), &token, (item, other), named),
        }
    }

    /// One of all the links that were ever made.
    fn name_link(&self, link: &Index, with_password: bool) -> Option<Named> {
        let serial = if self.links.is_empty() { return None } else { link.index(self.links.len()) };
        let holder = |item: &Item| item.link.is_some_and(|link| link.serial == serial);
        let item = self.model.items.iter().position(holder).unwrap_or(ROBIN);
        Some(Named { item, serial, with_password })
    }

    fn narrow(
        &mut self,
        step: &Step,
        value: &str,
        token: &Token,
        item: usize,
        named: Option<Named>,
    ) -> Result<bool, TestCaseError> {
        let scopes = step.scopes.of(token);
        let list = scopes.join(" ");
        let mut form = vec![
            ("grant_type", EXCHANGE),
            ("subject_token", value),
            ("subject_token_type", ACCESS_TOKEN),
            ("scope", &list),
        ];
        let resource = format!("https://api.box.com{}", self.path(item));
        let url = named.map(|named| self.links[named.serial].clone()).unwrap_or_default();
        let (target, may) = match step.what {
            Narrow => ((token.resource, token.link), true),
            NarrowTo => {
                form.push(("resource", &resource));
                let inside = self.model.reaches(token, item, None);
                ((Some(item), None), inside && (self.model.root_as_resource || !self.model.is_root(item)))
            }
            _ => {
                form.push(("box_shared_link", &url));
                let open = named.map(|named| Named { with_password: false, ..named });
                let open =
                    open.filter(|named| self.model.items[named.item].link.is_some_and(|link| !link.password));
                let reached = open.is_some_and(|named| {
                    let through = self.model.opened(token, Some(named));
                    through.is_ok_and(|through| self.model.reaches(token, named.item, through))
                });
                let link = open.map(|named| (named.item, named.serial));
                let foreign = link.filter(|(item, _)| self.model.items[*item].owner != token.user);
                ((open.map(|named| named.item), foreign), reached)
            }
        };
        // Nothing to narrow to is a form without the parameter: the parent's own resource.
        let (target, may) = match (step.what, url.is_empty()) {
            (NarrowToLink, true) => ((token.resource, token.link), true),
            _ => (target, may),
        };
        let may = may && token.narrows_to(&scopes);
        let answer = self.client.token(&form);
        prop_assert_eq!(answer.status == 200, may, "{:?} of {:?}: {}", step, token, answer.text());
        if may {
            let (resource, link) = target;
            let value = answer.json()["access_token"].as_str().expect("a token").to_owned();
            let child = Token { user: token.user, scopes, resource, link };
            self.tokens.push((value, child));
        }
        Ok(may)
    }
}

fn asked(can_download: bool, password: bool) -> Value {
    let password = if password { json!(PASSWORD) } else { Value::Null };
    json!({"access": "open", "password": password, "permissions": {"can_download": can_download}})
}
