//! The keepers' objects in memory: storage that outlives the machine, an alarm, and callers that wait.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use keyhole_core::{
    keeper::{
        CallerId, Change, Keeper, KeeperName, Settings,
        message::Reply,
        record::{Kind, Record},
    },
    time::Timestamp,
};

/// Where a reply will lie.
pub(crate) type ReplySlot = Rc<RefCell<Option<Vec<u8>>>>;

/// One object.
pub(crate) struct Object {
    name: KeeperName,
    pub(crate) settings: Rc<Settings>,
    pub(crate) machine: Option<Keeper>,
    pub(crate) storage: BTreeMap<(Kind, String), String>,
    pub(crate) alarm: Option<Timestamp>,
    pub(crate) waiting: BTreeMap<CallerId, ReplySlot>,
    /// Grows with each machine: what an earlier one asked for is no event for this one.
    pub(crate) epoch: u64,
}

impl Object {
    pub(crate) fn new(name: KeeperName, settings: Rc<Settings>) -> Self {
        let (storage, waiting) = (BTreeMap::new(), BTreeMap::new());
        Self { name, settings, machine: None, storage, alarm: None, waiting, epoch: 0 }
    }

    /// The machine; loaded from storage where there is none.
    pub(crate) fn machine(&mut self) -> &mut Keeper {
        let Self { name, settings, storage, alarm, .. } = self;
        self.machine.get_or_insert_with(|| {
            let records: Vec<Record> = storage
                .iter()
                .map(|((kind, name), body)| Record { kind: *kind, name: name.clone(), body: body.clone() })
                .collect();
            Keeper::load(name.clone(), Rc::clone(settings), &records, *alarm).unwrap()
        })
    }

    /// The instance is gone, with all that was in memory and on its way.
    pub(crate) fn evict(&mut self) {
        self.machine = None;
        self.waiting.clear();
        self.epoch += 1;
    }

    pub(crate) fn write(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Put(record) => drop(self.storage.insert((record.kind, record.name), record.body)),
                Change::Delete(kind, name) => drop(self.storage.remove(&(kind, name))),
                Change::Forget => self.storage.clear(),
                Change::Alarm(at) => self.alarm = at,
            }
        }
    }

    pub(crate) fn reply(&mut self, caller: CallerId, reply: &Reply) {
        if let Some(slot) = self.waiting.remove(&caller) {
            *slot.borrow_mut() = Some(reply.encode());
        }
    }
}
