//! What the Worker has stored, read from outside: an object's SQLite file, a copy in KV, and what is sealed in both.
//!
//! The harness made the sealing key and holds each session's cookie, so it can open what nobody else could.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keyhole_core::seal::{Place, Purpose, SealKeys};
use keyhole_core::secret::SessionSecret;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::failure::{OrSaid as _, Outcome, While as _};
use crate::local_box::LocalBox;
use crate::session::Session;

/// A session's row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) generation: u64,
    /// The refresh token it holds; none after an end.
    pub(crate) refresh: Option<String>,
    /// An attempt is under way, or was when its instance died.
    pub(crate) attempt: bool,
    /// KV is owed the copy.
    pub(crate) kv_owed: bool,
}

/// A copy in KV.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) generation: u64,
    pub(crate) refresh: String,
}

/// Opens what the Worker sealed.
#[derive(Debug)]
pub(crate) struct Reader {
    keys: SealKeys,
    /// Where workerd keeps the objects of the keepers' namespace.
    objects: PathBuf,
    /// The namespace's key, which object ids are derived from.
    namespace: String,
}

impl Reader {
    pub(crate) const fn new(keys: SealKeys, objects: PathBuf, namespace: String) -> Self {
        Self { keys, objects, namespace }
    }

    /// The session's row, if its object has one.
    ///
    /// # Errors
    /// The file cannot be read, or holds what it should not.
    pub(crate) fn row(&self, session: &Session) -> Outcome<Option<Row>> {
        let Some(body) = session_row(&self.file(session)?)? else { return Ok(None) };
        let row: Value = serde_json::from_str(&body).or_say("reading a session's row")?;
        let generation = row.get("generation").and_then(Value::as_u64).or_said("a row without generation")?;
        let sealed = row.get("grant").and_then(Value::as_str);
        let is_there = |name: &str| row.get(name).is_some_and(|value| !value.is_null());
        Ok(Some(Row {
            generation,
            refresh: sealed.map(|sealed| self.refresh(session, generation, sealed)).transpose()?,
            attempt: is_there("attempt"),
            kv_owed: is_there("kv"),
        }))
    }

    /// Takes the session's object its storage. workerd must be dead.
    ///
    /// # Errors
    /// A file does not go.
    pub(crate) fn wipe(&self, session: &Session) -> Outcome {
        let file = self.file(session)?;
        for part in [file.clone(), file.with_extension("sqlite-wal"), file.with_extension("sqlite-shm")] {
            if part.exists() {
                fs::remove_file(&part).or_say("wiping an object's storage")?;
            }
        }
        Ok(())
    }

    /// A copy as KV holds it.
    ///
    /// # Errors
    /// It is none of this session.
    pub(crate) fn copy(&self, session: &Session, bytes: &[u8]) -> Outcome<Copy> {
        let copy: Value = serde_json::from_slice(bytes).or_say("reading a copy")?;
        let generation =
            copy.get("generation").and_then(Value::as_u64).or_said("a copy without generation")?;
        let sealed = copy.get("grant").and_then(Value::as_str).or_said("a copy without a grant")?;
        Ok(Copy { generation, refresh: self.refresh(session, generation, sealed)? })
    }

    /// The refresh token in a sealed grant.
    fn refresh(&self, session: &Session, generation: u64, sealed: &str) -> Outcome<String> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).or_say("reading a sealed grant")?;
        let secret = SessionSecret::parse(&session.secret).or_said("a session without a secret")?;
        let place = Place {
            purpose: Purpose::Grant,
            keeper: &session.keeper,
            generation,
            client_id: LocalBox::client_id(),
            detail: "",
        };
        let grant = self.keys.open(&place, Some(&secret), &sealed).or_say("opening a grant")?;
        let grant: Value = serde_json::from_slice(&grant).or_say("reading a grant")?;
        let refresh = grant.get("refresh").and_then(Value::as_str);
        refresh.map(str::to_owned).or_said("a grant without a refresh token")
    }

    fn file(&self, session: &Session) -> Outcome<PathBuf> {
        let id = object_id(&self.namespace, &session.keeper).or_said("an HMAC takes keys of any length")?;
        Ok(self.objects.join(&self.namespace).join(format!("{id}.sqlite")))
    }
}

/// workerd's id of the object with this name: 16 bytes of an HMAC of the name, and 16 of an HMAC of those.
fn object_id(namespace: &str, name: &str) -> Option<String> {
    let key = Sha256::digest(namespace);
    let tag = |message: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(message);
        mac.finalize().into_bytes().get(..16).map(<[u8]>::to_vec)
    };
    let mut id = tag(name.as_bytes())?;
    id.extend(tag(&id)?);
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The body of the session's record. Read from a copy: opening the file itself would tidy up after the dead.
fn session_row(file: &Path) -> Outcome<Option<String>> {
    if !file.exists() {
        return Ok(None);
    }
    let copy = tempfile::tempdir().or_say("making a directory")?;
    let copied = copy.path().join("object.sqlite");
    fs::copy(file, &copied).or_say("copying an object's file")?;
    let log = file.with_extension("sqlite-wal");
    if log.exists() {
        fs::copy(&log, copied.with_extension("sqlite-wal")).or_say("copying an object's log")?;
    }
    let database = Connection::open(&copied).or_say("opening an object's file")?;
    let found = database
        .query_row("SELECT 1 FROM sqlite_master WHERE name = 'record'", [], |_| Ok(()))
        .optional()
        .or_say("reading an object's file")?;
    if found.is_none() {
        return Ok(None);
    }
    database
        .query_row("SELECT body FROM record WHERE kind = 'session'", [], |row| row.get(0))
        .optional()
        .or_say("reading an object's file")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As workerd names the file; were this wrong, no scenario would find a row.
    #[test]
    fn an_objects_id_is_pinned() {
        let id = object_id("keyhole-chaos", "a-name").unwrap();
        assert_eq!(id, "69b4aed48c258811236260f455ff5846095b73d5738426db5854805a10cfb05d");
    }

    #[test]
    fn a_row_that_is_only_in_the_log_is_read_and_the_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.sqlite");
        assert_eq!(session_row(&file).unwrap(), None);
        let database = Connection::open(&file).unwrap();
        database.pragma_update(None, "journal_mode", "WAL").unwrap();
        database.execute_batch("CREATE TABLE other (a)").unwrap();
        assert_eq!(session_row(&file).unwrap(), None);
        let statements = "CREATE TABLE record (kind, name, body);
            INSERT INTO record VALUES ('session', '', 'the row')";
        database.execute_batch(statements).unwrap();
        let log = fs::read(file.with_extension("sqlite-wal")).unwrap();
        assert_eq!(session_row(&file).unwrap().as_deref(), Some("the row"));
        assert_eq!(fs::read(file.with_extension("sqlite-wal")).unwrap(), log);
    }
}
