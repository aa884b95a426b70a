//! What a page of another origin wants, so that one window can ask for all of it at once, and what that window was told.

use std::rc::Weak;

use crate::fault::Fault;
use crate::want::Want;

/// Wishes held at once: as many as one window fetches in a few requests. Beyond it the oldest goes first.
const WISHES_MAX: usize = 100;

/// Wishes, and the faults with which the last window answered some of them.
#[derive(Default)]
pub struct Wishes {
    wishes: Vec<Wish>,
    refused: Vec<(Want, Fault)>,
}

struct Wish {
    want: Want,
    /// Whose it is: it ends with this. A wish of the page's own code is nobody's, and stays.
    of: Option<Weak<()>>,
}

impl Wish {
    fn is_alive(&self) -> bool {
        self.of.as_ref().is_none_or(|owner| owner.strong_count() > 0)
    }

    fn is_same(&self, want: &Want, of: Option<&Weak<()>>) -> bool {
        let same_owner = match (&self.of, of) {
            (Some(known), Some(of)) => known.ptr_eq(of),
            (None, None) => true,
            _ => false,
        };
        same_owner && self.want == *want
    }
}

impl Wishes {
    /// Notes a wish.
    pub fn add(&mut self, want: &Want, of: Option<Weak<()>>) {
        self.wishes.retain(|wish| wish.is_alive() && !wish.is_same(want, of.as_ref()));
        if self.wishes.len() >= WISHES_MAX {
            self.wishes.remove(0);
        }
        self.wishes.push(Wish { want: want.clone(), of });
    }

    /// What is still wished for, each once.
    pub fn all(&mut self) -> Vec<Want> {
        self.wishes.retain(Wish::is_alive);
        let mut wants: Vec<Want> = Vec::new();
        for wish in &self.wishes {
            if !wants.contains(&wish.want) {
                wants.push(wish.want.clone());
            }
        }
        wants
    }

    /// A window has been told this about a wish.
    pub fn answer(&mut self, want: &Want, refused: Option<Fault>) {
        self.refused.retain(|(known, _)| known != want);
        if let Some(fault) = refused {
            self.refused.push((want.clone(), fault));
        }
    }

    /// What the last window was told about a wish that it did not get. What may pass is told once: the next time
    /// another window is worth a try.
    pub fn refusal(&mut self, want: &Want) -> Option<Fault> {
        let at = self.refused.iter().position(|(known, _)| known == want)?;
        let (_, fault) = self.refused.get(at)?;
        if fault.may_pass() { Some(self.refused.swap_remove(at).1) } else { Some(fault.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::want::{Item, Scopes};

    fn want(item: &str) -> Want {
        Want { item: Item::parse(item).unwrap(), scopes: Scopes::parse("") }
    }

    fn items(wishes: &mut Wishes) -> Vec<String> {
        wishes.all().iter().map(|want| want.item.id().to_owned()).collect()
    }

    #[test]
    fn a_wish_is_asked_for_once_and_ends_with_the_last_who_has_it() {
        let (first, second) = (Rc::new(()), Rc::new(()));
        let mut wishes = Wishes::default();
        for owner in [&first, &second, &first] {
            wishes.add(&want("1"), Some(Rc::downgrade(owner)));
        }
        assert_eq!(items(&mut wishes), ["1"]);
        drop(first);
        assert_eq!(items(&mut wishes), ["1"]);
        drop(second);
        assert!(wishes.all().is_empty());
    }

    #[test]
    fn what_the_page_itself_asks_for_stays_wished_for() {
        let mut wishes = Wishes::default();
        wishes.add(&want("1"), None);
        wishes.add(&want("2"), None);
        wishes.add(&want("1"), None);
        assert_eq!(items(&mut wishes), ["2", "1"]);
    }

    #[test]
    fn wishes_do_not_grow_for_ever() {
        let mut wishes = Wishes::default();
        for id in 0..=WISHES_MAX {
            wishes.add(&want(&id.to_string()), None);
        }
        let left = items(&mut wishes);
        assert_eq!((left.len(), left[0].as_str()), (WISHES_MAX, "1"));
    }

    #[test]
    fn a_refusal_holds_until_a_window_is_told_otherwise_and_what_may_pass_is_told_once() {
        let mut wishes = Wishes::default();
        let gone = Fault { status: 404.0, ..Fault::new("item_not_found") };
        let busy = Fault { status: 503.0, ..Fault::new("busy") };
        wishes.answer(&want("1"), Some(gone));
        wishes.answer(&want("2"), Some(busy));
        let mut told = |id| wishes.refusal(&want(id)).map(|fault| fault.code);
        assert_eq!([told("1"), told("1")].map(Option::unwrap), ["item_not_found", "item_not_found"]);
        assert_eq!((told("2").as_deref(), told("2"), told("3")), (Some("busy"), None, None));
        wishes.answer(&want("1"), None);
        assert!(wishes.refusal(&want("1")).is_none());
    }
}
