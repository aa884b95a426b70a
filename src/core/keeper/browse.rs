//! Browsing: a page of a folder, read with the parent token, handed out as names, types, sizes and dates.

use super::{
    CallerId, Flight, Keeper, Turn, Wants,
    log::Act,
    message::Reply,
    mint::is_stale_parent,
    plan::{self, Retry},
    refresh::{caller_fault, word},
};
use crate::{
    box_api::{self, BoxAnswer, PageAsk, Unreachable},
    item::Item,
};

/// A caller's page.
#[derive(Clone, Debug)]
pub(super) struct ItemsWanted {
    folder: Item,
    page: PageAsk,
    asked: bool,
    retry: Option<Retry>,
}

impl ItemsWanted {
    pub(super) const fn new(folder: Item, page: PageAsk) -> Self {
        Self { folder, page, asked: false, retry: None }
    }
}

impl Keeper {
    pub(super) fn pump_items(&mut self, turn: &mut Turn) {
        let waiting: Vec<CallerId> = self.callers.keys().copied().collect();
        for caller in waiting {
            if let Some(Wants::Items(wanted)) = self.callers.get(&caller)
                && !wanted.asked
                && wanted.retry.is_none_or(|retry| retry.at <= turn.now)
            {
                self.browse(caller, turn);
            }
        }
    }

    fn browse(&mut self, caller: CallerId, turn: &mut Turn) {
        if let Some(fault) = self.throttled(turn.now) {
            self.answer_items(caller, Reply::Fault(fault), turn);
            return;
        }
        if !self.parent_fit(turn.now) {
            match self.refresh_paused(turn.now) {
                Some(fault) => self.answer_items(caller, Reply::Fault(fault), turn),
                None => self.refreshing.wanted = true,
            }
            return;
        }
        if self.refreshing.wanted || self.shared_calls() >= plan::SHARED_CALLS_MAX {
            return;
        }
        let (Some(row), Some(grant)) = (&self.row, &self.grant) else { return };
        let generation = row.generation;
        let Some(Wants::Items(wanted)) = self.callers.get_mut(&caller) else { return };
        wanted.asked = true;
        let request = box_api::folder_items(&self.settings.app, &grant.access, &wanted.folder, wanted.page);
        self.ask_box(Flight::Browse { caller, generation }, request, turn);
    }

    pub(super) fn browse_answered(
        &mut self,
        caller: CallerId,
        generation: u64,
        answer: Result<BoxAnswer, Unreachable>,
        turn: &mut Turn,
    ) {
        let Some(Wants::Items(wanted)) = self.callers.get(&caller) else { return };
        let reply = match box_api::judge_page(answer, wanted.page) {
            Ok(page) => {
                self.parent_worked(turn);
                Reply::Items(page)
            }
            Err(fault) if is_stale_parent(&fault) && self.parent_refused(generation, turn.now) => {
                if let Some(Wants::Items(wanted)) = self.callers.get_mut(&caller) {
                    wanted.asked = false;
                }
                return;
            }
            Err(fault) => {
                self.heed_throttle(&fault, turn);
                turn.log(Act::Refused { asked: "folder_items", error: word(&fault) });
                if let Some(Wants::Items(wanted)) = self.callers.get_mut(&caller)
                    && let Some(retry) = Retry::after(wanted.retry, &fault, turn.now, turn.entropy.draw())
                {
                    wanted.asked = false;
                    wanted.retry = Some(retry);
                    return turn.retry(retry);
                }
                Reply::Fault(caller_fault(&fault))
            }
        };
        self.answer_items(caller, reply, turn);
    }

    fn answer_items(&mut self, caller: CallerId, reply: Reply, turn: &mut Turn) {
        if self.callers.remove(&caller).is_some() {
            turn.reply(caller, reply);
        }
    }
}
