//! What is there at the first start: Robin with a tree of files, two apps that act for themselves, and a few files
//! of theirs. All of it is embedded in the program.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use crate::world::account::{About, Account, ROOT};
use crate::world::apps::{App, Auth};
use crate::world::blob::Blob;
use crate::world::people::{User, UserKind};

static TREE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sample/account");
const MANIFEST: &str = include_str!("../../sample/manifest.json");

/// The person of the sample.
pub(crate) const ROBIN_ID: &str = "1100000001";

/// Apps that sign in as themselves, with the folders of the tree that their service accounts hold a copy of.
const SERVER_APPS: [(&str, &str, Auth, &str); 2] = [
    ("keyhole-ccg", "Keyhole with client credentials", Auth::ClientCredentials, "1100000002"),
    ("keyhole-jwt", "Keyhole with JWT", Auth::Jwt, "1100000003"),
];
const SERVER_SCOPES: [&str; 3] = ["root_readwrite", "manage_app_users", "manage_managed_users"];
const SERVICE_ACCOUNT_FOLDER: &str = "Letters";

/// What an embedded tree cannot say by itself: dates, descriptions, and folders with nothing in them.
#[derive(Debug, Default, Deserialize)]
struct Manifest {
    /// By path of a file or a folder.
    files: BTreeMap<String, Remarks>,
    #[serde(default)]
    empty_folders: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Remarks {
    pages: Option<u32>,
    #[serde(flatten)]
    about: About,
}

/// Users, apps and accounts at the first start.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) users: Vec<User>,
    pub(crate) apps: Vec<App>,
    /// By user id.
    pub(crate) accounts: BTreeMap<String, Account>,
}

impl Sample {
    /// Read once, copied for each emulator.
    pub(crate) fn get() -> &'static Self {
        static SAMPLE: LazyLock<Sample> = LazyLock::new(Sample::read);
        &SAMPLE
    }

    fn read() -> Self {
        let manifest: Manifest = serde_json::from_str(MANIFEST).unwrap_or_default();
        let robin = User {
            id: ROBIN_ID.to_owned(),
            name: "Robin Sample".to_owned(),
            login: "robin@example.com".to_owned(),
            password: Some("keyhole".to_owned()),
            kind: UserKind::Managed,
        };
        let mut sample = Self { users: vec![robin], apps: Vec::new(), accounts: BTreeMap::new() };
        let mut account = Account::default();
        plant(&mut account, &TREE, ROOT, "", &manifest);
        sample.accounts.insert(ROBIN_ID.to_owned(), account);
        for (client_id, name, auth, user_id) in SERVER_APPS {
            sample.add_server_app(client_id, name, auth, user_id, &manifest);
        }
        sample.users.push(User {
            id: "1100000004".to_owned(),
            name: "Alex App User".to_owned(),
            login: "AppUser_1100000004@boxdevedition.example".to_owned(),
            password: None,
            kind: UserKind::AppUser { client_id: "keyhole-jwt".to_owned() },
        });
        sample.accounts.insert("1100000004".to_owned(), Account::default());
        sample
    }

    fn add_server_app(
        &mut self,
        client_id: &str,
        name: &str,
        auth: Auth,
        user_id: &str,
        manifest: &Manifest,
    ) {
        self.apps.push(App {
            name: name.to_owned(),
            client_secret: format!("{client_id}-secret-not-a-secret"),
            scopes: SERVER_SCOPES.map(str::to_owned).into(),
            service_account: Some(user_id.to_owned()),
            may_act_as_users: true,
            ..App::new(client_id, auth)
        });
        self.users.push(User {
            id: user_id.to_owned(),
            name: name.to_owned(),
            login: format!("AutomationUser_{user_id}@boxdevedition.example"),
            password: None,
            kind: UserKind::ServiceAccount { client_id: client_id.to_owned() },
        });
        let mut account = Account::default();
        if let Some(dir) = TREE.get_dir(SERVICE_ACCOUNT_FOLDER) {
            let folder = account.add_folder(ROOT, SERVICE_ACCOUNT_FOLDER, user_id, About::default());
            plant(&mut account, dir, &folder, user_id, manifest);
        }
        self.accounts.insert(user_id.to_owned(), account);
    }
}

/// The embedded file with this SHA-1.
pub(crate) fn embedded(sha1: &str) -> Option<Blob> {
    static BY_SHA1: LazyLock<BTreeMap<String, Blob>> = LazyLock::new(|| {
        let versions = Sample::get().accounts.values().flat_map(Account::versions);
        versions.map(|version| (version.sha1.clone(), version.bytes.clone())).collect()
    });
    BY_SHA1.get(sha1).cloned()
}

/// Ids come from paths, so that they stay the same on each start and when files are added.
fn plant(account: &mut Account, dir: &'static Dir<'static>, parent: &str, owner: &str, manifest: &Manifest) {
    let seed = |path: &str| if owner.is_empty() { path.to_owned() } else { format!("{owner} {path}") };
    let remarks = |path: &str| manifest.files.get(path).cloned().unwrap_or_default();
    for child in dir.dirs() {
        let path = child.path().to_string_lossy();
        let id = account.add_folder(parent, last_name(&path), &seed(&path), remarks(&path).about);
        plant(account, child, &id, owner, manifest);
    }
    let here = dir.path().to_string_lossy();
    for path in &manifest.empty_folders {
        if path.rsplit_once('/').map_or("", |(above, _)| above) == here {
            account.add_folder(parent, last_name(path), &seed(path), About::default());
        }
    }
    for child in dir.files() {
        let path = child.path().to_string_lossy();
        if !last_name(&path).starts_with('.') {
            let bytes = Blob::Embedded(child.contents());
            let Remarks { pages, about } = remarks(&path);
            let id = account.add_file(parent, last_name(&path), bytes, &seed(&path), about);
            if let Some(file) = account.file_mut(&id) {
                file.current.pages = pages;
            }
        }
    }
}

fn last_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::account::{Item, is_id, sha1_of};

    #[test]
    fn the_manifest_speaks_only_of_paths_that_exist() {
        let manifest: Manifest = serde_json::from_str(MANIFEST).expect("readable");
        for path in manifest.files.keys() {
            assert!(TREE.get_entry(path).is_some(), "{path} is not in the account");
        }
        let account = &Sample::get().accounts[ROBIN_ID];
        for path in &manifest.empty_folders {
            let found = account.folders().find(|folder| folder.name == last_name(path)).expect(path);
            assert!(account.children(&found.id).is_empty(), "{path} is not empty");
        }
    }

    #[test]
    fn ids_are_numbers_and_the_same_on_each_start() {
        let (one, other) = (Sample::read(), Sample::read());
        for (user, account) in &one.accounts {
            let ids = |account: &Account| account.files().map(|file| file.id.clone()).collect::<Vec<_>>();
            assert_eq!(ids(account), ids(&other.accounts[user]));
            assert!(ids(account).iter().all(|id| is_id(id)));
        }
        assert!(one.accounts[ROBIN_ID].files().count() > 10);
    }

    #[test]
    fn no_two_accounts_share_an_id_but_that_of_the_root() {
        let sample = Sample::read();
        let mut ids: Vec<&str> =
            sample.accounts.values().flat_map(Account::items).map(Item::number).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }

    #[test]
    fn every_embedded_file_is_found_by_its_sha1() {
        for version in Sample::get().accounts.values().flat_map(Account::versions) {
            let found = embedded(&version.sha1).expect("found");
            assert_eq!(sha1_of(&found), version.sha1);
        }
    }
}
