//! Each call of the API, and what the model says should come of it.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::model::{Named, Right, Token};
use super::{CONTENT, PASSWORD, Step, Trial, USERS, What, asked};
use crate::support::Answer;

/// As much as can be asked of any item.
const FIELDS: &str = "fields=id,name,size,sha1,description,parent,path_collection,shared_link,permissions,download_url,\
                      representations,owned_by,item_collection,file_version";

/// Method, target and what is said.
type Call = (&'static str, String, Option<Value>);

/// A call that was made: what it is about, and through which link it may go.
struct Made<'a> {
    token: &'a Token,
    through: Option<usize>,
    answer: Answer,
}

impl Trial {
    pub(super) fn call(
        &mut self,
        step: &Step,
        (value, acts): (&str, bool),
        token: &Token,
        (item, other): (usize, usize),
        named: Option<Named>,
    ) -> Result<bool, TestCaseError> {
        let opened = self.model.opened(token, named);
        let through = opened.unwrap_or_default();
        let may = acts && opened.is_ok() && self.expected(step.what, token, (item, other), named, through);
        let mark = self.next_mark();
        let as_user = step.as_other.then(|| if acts { USERS[token.user] } else { USERS[1 - token.user] });
        let answer = self.ask(step.what, (value, as_user), (item, other), named, &mark);
        let made = Made { token, through, answer };
        self.leaves_no_trace(step, &made)?;
        let done = (200..400).contains(&made.answer.status);
        prop_assert_eq!(done, may, "{:?} by {:?} on {} {}: {}", step, token, item, other, made.answer.text());
        if done {
            self.tells_the_truth(step.what, &made, item)?;
            self.note(step.what, &made.answer, item, other, mark);
        }
        Ok(done)
    }

    /// Whether the call is allowed, given that its link opens.
    fn expected(
        &self,
        what: What,
        token: &Token,
        (item, other): (usize, usize),
        named: Option<Named>,
        through: Option<usize>,
    ) -> bool {
        let is_folder = self.model.items[item].is_folder;
        let may = |right| self.model.may(token, item, right, through);
        let file = |right| !is_folder && may(right);
        let folder = |right| is_folder && may(right);
        match what {
            What::Me => token.holds(Right::Who),
            What::Search => token.holds(Right::Find),
            What::SharedItem => named.and(through).is_some_and(|link| {
                let right = if self.model.items[link].is_folder { Right::List } else { Right::Info };
                self.model.may(token, link, right, through)
            }),
            What::Read => may(if is_folder { Right::List } else { Right::Info }),
            What::List | What::Pages => folder(Right::List),
            What::Versions | What::Version => file(Right::Info),
            What::Download | What::Original => file(Right::Load),
            What::Status | What::Content | What::Event => file(Right::Look),
            What::Rename | What::Describe => may(Right::Name) && !self.model.is_root(item),
            What::Link | What::Unlink => may(Right::Share) && !self.model.is_root(item),
            What::Delete => may(Right::Drop) && !self.model.is_root(item),
            What::Move => {
                let there = self.model.items[other].is_folder
                    && self.model.may(token, other, Right::Fill, through)
                    && !self.model.lies_in(other, item);
                may(Right::Drop) && !self.model.is_root(item) && there
            }
            What::NewFolder | What::Upload | What::AskFirst => folder(Right::Fill),
            What::Replace => file(Right::Fill),
            What::Narrow | What::NarrowTo | What::NarrowToLink => false,
        }
    }

    fn ask(
        &mut self,
        what: What,
        (value, as_user): (&str, Option<&str>),
        (item, other): (usize, usize),
        named: Option<Named>,
        mark: &str,
    ) -> Answer {
        let (method, target, body) = match what {
            What::Rename | What::Describe | What::Move | What::Link | What::Unlink | What::Delete => {
                self.change(what, item, other)
            }
            What::NewFolder | What::AskFirst | What::Upload | What::Replace => self.gift(what, item, mark),
            _ => self.question(what, item),
        };
        let header = named.map(|named| {
            let password =
                if named.with_password { format!("&shared_link_password={PASSWORD}") } else { String::new() };
            format!("shared_link={}{password}", self.links[named.serial])
        });
        let text =
            format!("text of {}", if matches!(what, What::Replace) { &self.marks[item] } else { mark });
        let mut ask = self.client.ask(method, &target).bearer(value);
        if let Some(user) = as_user {
            ask = ask.header("as-user", user);
        }
        if let Some(header) = &header {
            ask = ask.header("boxapi", header);
        }
        match (what, body) {
            (What::Upload | What::Replace, Some(attributes)) => {
                let attributes = attributes.to_string();
                ask.parts(&[("attributes", attributes.as_bytes()), ("file", text.as_bytes())]).send()
            }
            (_, Some(body)) => ask.json(body).send(),
            (_, None) => ask.send(),
        }
    }

    fn question(&mut self, what: What, item: usize) -> Call {
        let (id, path) = (self.ids[item].clone(), self.path(item));
        let version = match what {
            What::Version | What::Status | What::Content => self.version(item),
            _ => String::new(),
        };
        let representation = format!("internal_files/{id}/versions/{version}/representations/text");
        let target = match what {
            What::Me => "/2.0/users/me".to_owned(),
            What::Search => "/2.0/search?query=zq&limit=200".to_owned(),
            What::SharedItem => format!("/2.0/shared_items?{FIELDS}"),
            What::List => format!("/2.0/folders/{id}/items?limit=1000&{FIELDS}"),
            What::Pages => format!("/2.0/folders/{id}/items?usemarker=true&limit=1000"),
            What::Versions => format!("/2.0/files/{id}/versions?{FIELDS}"),
            What::Version => format!("/2.0/files/{id}/versions/{version}?{FIELDS}"),
            What::Download => format!("/2.0/files/{id}/content"),
            What::Original => format!("{CONTENT}/api/2.0/files/{id}/content?preview=true"),
            What::Status => format!("/2.0/{representation}"),
            What::Content => format!("{CONTENT}/api/2.0/{representation}/content/"),
            What::Event => {
                let event = json!({"event_type": "preview", "source": {"type": "file", "id": id}});
                return ("POST", "/2.0/events".to_owned(), Some(event));
            }
            _ => format!("{path}?{FIELDS}"),
        };
        ("GET", target, None)
    }

    fn change(&self, what: What, item: usize, other: usize) -> Call {
        let path = self.path(item);
        let change = match what {
            What::Rename => json!({"name": format!("{}.txt", self.marks[item])}),
            What::Describe => json!({"description": self.marks[item]}),
            What::Move => json!({"parent": {"id": self.ids[other]}}),
            What::Link => json!({"shared_link": asked(true, false)}),
            What::Unlink => json!({"shared_link": null}),
            _ => return ("DELETE", format!("{path}?recursive=true"), None),
        };
        ("PUT", format!("{path}?{FIELDS}"), Some(change))
    }

    fn gift(&self, what: What, item: usize, mark: &str) -> Call {
        let id = &self.ids[item];
        let named = |name: &str| Some(json!({"name": name, "parent": {"id": id}}));
        match what {
            What::NewFolder => ("POST", format!("/2.0/folders?{FIELDS}"), named(mark)),
            What::AskFirst => ("OPTIONS", "/2.0/files/content".to_owned(), named(mark)),
            What::Replace => ("POST", format!("/upload/2.0/files/{id}/content?{FIELDS}"), Some(json!({}))),
            _ => ("POST", format!("/upload/2.0/files/content?{FIELDS}"), named(&format!("{mark}.txt"))),
        }
    }

    /// The current version of a file, as its owner knows it.
    fn version(&mut self, item: usize) -> String {
        let owner = self.model.items[item].owner;
        let master = self.masters[owner].clone();
        let info = self.client.get(&master, &self.path(item)).json();
        info["file_version"]["id"].as_str().unwrap_or("1").to_owned()
    }

    /// No answer holds the number, the name or the text of an item that its token does not reach; nor the text of one
    /// that it may not look into, nor the digest of one that it may not know.
    fn leaves_no_trace(&self, step: &Step, made: &Made<'_>) -> Result<(), TestCaseError> {
        let mut told = made.answer.text();
        for value in made.answer.headers.values() {
            told.push_str(value.to_str().expect("ASCII"));
        }
        for item in (0..self.ids.len()).filter(|item| !self.model.is_root(*item)) {
            let (mark, id) = (&self.marks[item], &self.ids[item]);
            if !self.model.reaches(made.token, item, made.through) && self.model.items[item].alive {
                let traced = told.contains(mark) || told.contains(id);
                prop_assert!(!traced, "{:?} by {:?} tells of {} ({mark}): {}", step, made.token, item, told);
            }
            let may_look = [Right::Look, Right::Load, Right::Find]
                .into_iter()
                .any(|right| self.model.may(made.token, item, right, made.through));
            let text = format!("text of {mark}");
            prop_assert!(may_look || !told.contains(&text), "{:?}: {}", step, told);
            let may_know = [Right::Info, Right::List]
                .into_iter()
                .any(|right| self.model.may(made.token, item, right, made.through));
            let digest: String = Sha1::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
            prop_assert!(may_know || !told.contains(&digest), "{:?}: {}", step, told);
        }
        Ok(())
    }

    /// What is listed is what the model holds, and what is said to be allowed is what the model allows.
    fn tells_the_truth(&mut self, what: What, made: &Made<'_>, item: usize) -> Result<(), TestCaseError> {
        let Made { token, through, answer } = made;
        match what {
            What::List | What::Pages | What::Search => {
                let all: Vec<usize> = match what {
                    What::Search => (0..self.ids.len()).filter(|item| self.is_found(token, *item)).collect(),
                    _ => self.model.below(item),
                };
                let mut expected: Vec<&str> = all.iter().map(|item| self.ids[*item].as_str()).collect();
                let body = answer.json();
                let listed = body["entries"].as_array().expect("entries").iter();
                let listed = listed.map(|entry| entry["id"].as_str().expect("an id"));
                let mut listed: Vec<&str> =
                    listed.filter(|id| self.ids.iter().any(|known| known == id)).collect();
                expected.sort_unstable();
                listed.sort_unstable();
                prop_assert_eq!(listed, expected);
            }
            What::Read | What::Version => {
                let said = answer.json();
                let may = |right| self.model.may(token, item, right, *through);
                let mut rights = vec![
                    ("can_download", Right::Load),
                    ("can_upload", Right::Fill),
                    ("can_rename", Right::Name),
                    ("can_delete", Right::Drop),
                    ("can_share", Right::Share),
                ];
                if !self.model.items[item].is_folder {
                    rights.push(("can_preview", Right::Look));
                }
                for (name, right) in rights {
                    prop_assert_eq!(&said["permissions"][name], &json!(may(right)), "{}", name);
                }
                if matches!(what, What::Read) && !self.model.items[item].is_folder {
                    prop_assert_eq!(said["download_url"].is_string(), may(Right::Load));
                }
            }
            What::Download => {
                let address = answer.header("location").expect("an address").to_owned();
                self.holds_the_text(&self.marks[item].clone(), &address)?;
            }
            What::Original | What::Content => {
                prop_assert_eq!(answer.text(), format!("text of {}", self.marks[item]));
            }
            _ => {}
        }
        Ok(())
    }

    fn is_found(&self, token: &Token, item: usize) -> bool {
        let own = self.model.items[item].owner == token.user;
        own && !self.model.is_root(item) && self.model.reaches(token, item, None)
    }

    fn holds_the_text(&mut self, mark: &str, address: &str) -> Result<(), TestCaseError> {
        let answer = self.client.ask("GET", address).send();
        prop_assert_eq!(answer.text(), format!("text of {mark}"));
        Ok(())
    }

    /// What an allowed call changes.
    fn note(&mut self, what: What, answer: &Answer, item: usize, other: usize, mark: String) {
        match what {
            What::Move => self.model.items[item].parent = Some(other),
            What::Link => self.shared(item, true, false),
            What::Unlink => self.model.items[item].link = None,
            What::Delete => self.model.delete(item),
            What::NewFolder => self.added(answer, item, true, mark),
            What::Upload => self.added(answer, item, false, mark),
            _ => {}
        }
    }

    /// In the end everything is where the model has it, and nothing else was changed.
    pub(super) fn ends_as_the_model(&mut self) -> Result<(), TestCaseError> {
        for item in 0..self.ids.len() {
            let known = self.model.items[item].clone();
            let master = self.masters[known.owner].clone();
            let answer = self.client.get(&master, &self.path(item));
            prop_assert_eq!(answer.status == 200, known.alive, "{}", item);
            let (Some(parent), true) = (known.parent, known.alive) else { continue };
            let info = answer.json();
            prop_assert_eq!(info["parent"]["id"].as_str(), Some(self.ids[parent].as_str()));
            prop_assert!(info["name"].as_str().is_some_and(|name| name.starts_with(&self.marks[item])));
            prop_assert_eq!(info["shared_link"] != Value::Null, known.link.is_some());
            if !known.is_folder {
                let address = self.client.get(&master, &format!("{}/content", self.path(item)));
                let address = address.header("location").expect("an address").to_owned();
                self.holds_the_text(&self.marks[item].clone(), &address)?;
            }
        }
        Ok(())
    }
}
