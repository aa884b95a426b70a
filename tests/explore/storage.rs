//! The object's durable storage: what a new instance starts from.

use std::collections::BTreeMap;

use keyhole_core::{
    keeper::{
        Change,
        record::{Kind, Record},
    },
    time::Timestamp,
};

/// Records and the one alarm. A block of changes is applied whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Storage {
    records: BTreeMap<(&'static str, String), String>,
    pub(crate) alarm: Option<Timestamp>,
}

impl Storage {
    pub(crate) fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change.clone() {
                Change::Put(record) => {
                    self.records.insert((record.kind.name(), record.name), record.body);
                }
                Change::Delete(kind, name) => {
                    self.records.remove(&(kind.name(), name));
                }
                Change::Forget => self.records.clear(),
                Change::Alarm(at) => self.alarm = at,
            }
        }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let record = |((kind, name), body): (&(&'static str, String), &String)| {
            Some(Record { kind: Kind::parse(kind)?, name: name.clone(), body: body.clone() })
        };
        self.records.iter().filter_map(record).collect()
    }

    /// The session row, if there is one.
    pub(crate) fn row(&self) -> Option<&str> {
        self.records.get(&(Kind::Session.name(), String::new())).map(String::as_str)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The object loses what it holds.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
