//! What a token may do, said a second time and more simply than the emulator says it.

/// Two users; each is the index of their root folder, too.
pub(super) const ROBIN: usize = 0;
pub(super) const STRANGER: usize = 1;

/// A scope and what it is good for.
pub(super) const SCOPES: [(&str, &[Right]); 15] = [
    ("root_readwrite", &[Who, Find, List, Info, Look, Load, Fill, Name, Drop, Share]),
    ("root_readonly", &[Who, Find, List, Info, Look, Load]),
    ("base_explorer", &[List, Info]),
    ("base_picker", &[List, Info]),
    ("base_preview", &[Info, Look]),
    ("base_sidebar", &[Info]),
    ("base_upload", &[Fill]),
    ("item_preview", &[Info, Look]),
    ("item_download", &[Info, Load]),
    ("item_read", &[Info, Look, Load]),
    ("item_readwrite", &[Info, Look, Load, Fill]),
    ("item_upload", &[Fill]),
    ("item_rename", &[Name]),
    ("item_delete", &[Drop]),
    ("item_share", &[Share]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    Who,
    Find,
    List,
    Info,
    Look,
    Load,
    Fill,
    Name,
    Drop,
    Share,
}

use Right::{Drop, Fill, Find, Info, List, Load, Look, Name, Share, Who};

#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) owner: usize,
    pub(super) is_folder: bool,
    pub(super) parent: Option<usize>,
    pub(super) alive: bool,
    pub(super) link: Option<Link>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Another one each time that a link is made.
    pub(super) serial: usize,
    pub(super) can_download: bool,
    pub(super) password: bool,
}

/// Which link a call names, and whether with its password.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub(super) item: usize,
    pub(super) serial: usize,
    pub(super) with_password: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) user: usize,
    pub(super) scopes: Vec<&'static str>,
    pub(super) resource: Option<usize>,
    /// Item and serial of the link that it was made for.
    pub(super) link: Option<(usize, usize)>,
}

pub(super) struct Model {
    pub(super) items: Vec<Item>,
    pub(super) links_made: usize,
    pub(super) link_token_needs_header: bool,
    pub(super) root_as_resource: bool,
}

fn rights(scope: &str) -> &'static [Right] {
    SCOPES.iter().find(|(name, _)| *name == scope).map_or(&[], |(_, rights)| rights)
}

impl Token {
    pub(super) fn holds(&self, right: Right) -> bool {
        self.scopes.iter().any(|scope| rights(scope).contains(&right))
    }

    /// Whether it can be narrowed to `scopes`.
    pub(super) fn narrows_to(&self, scopes: &[&str]) -> bool {
        let read = |scope: &str| rights(scope).iter().all(|right| rights("root_readonly").contains(right));
        !scopes.is_empty()
            && scopes.iter().all(|scope| {
                self.scopes.contains(scope)
                    || self.scopes.contains(&"root_readwrite")
                    || (self.scopes.contains(&"root_readonly") && read(scope))
            })
    }
}

impl Model {
    /// Users are called by their roots, and everybody's own root is the only one they can name.
    pub(super) fn meant(&self, user: usize, item: usize) -> usize {
        if self.items[item].parent.is_none() { user } else { item }
    }

    pub(super) fn is_root(&self, item: usize) -> bool {
        self.items[item].parent.is_none()
    }

    pub(super) fn lies_in(&self, item: usize, whole: usize) -> bool {
        item == whole || self.items[item].parent.is_some_and(|parent| self.lies_in(parent, whole))
    }

    pub(super) fn below(&self, folder: usize) -> Vec<usize> {
        let inside = |item: &usize| self.items[*item].parent == Some(folder) && self.items[*item].alive;
        (0..self.items.len()).filter(inside).collect()
    }

    /// The link that a call goes through: the one it names, or the token's own. `Err`: that one does not open.
    pub(super) fn opened(&self, token: &Token, named: Option<Named>) -> Result<Option<usize>, ()> {
        let brought = token.link.filter(|_| !self.link_token_needs_header);
        let brought = brought.map(|(item, serial)| Named { item, serial, with_password: false });
        let Some(named) = named.or(brought) else { return Ok(None) };
        let item = &self.items[named.item];
        let link = item.link.filter(|link| item.alive && link.serial == named.serial).ok_or(())?;
        if link.password && !named.with_password && item.owner != token.user {
            return Err(());
        }
        Ok(Some(named.item))
    }

    /// Whether `token` comes to `item` at all.
    pub(super) fn reaches(&self, token: &Token, item: usize, through: Option<usize>) -> bool {
        let door =
            self.items[item].owner == token.user || through.is_some_and(|link| self.lies_in(item, link));
        let fence = token.resource.is_none_or(|resource| self.lies_in(item, resource));
        self.items[item].alive && door && fence
    }

    /// Whether `token` may do that with `item`.
    pub(super) fn may(&self, token: &Token, item: usize, right: Right, through: Option<usize>) -> bool {
        let own = self.items[item].owner == token.user;
        let link = through.and_then(|link| self.items[link].link);
        let user_may = own
            || match right {
                List | Info | Look => true,
                Load => link.is_some_and(|link| link.can_download),
                _ => false,
            };
        token.holds(right) && user_may && self.reaches(token, item, through)
    }

    pub(super) fn delete(&mut self, item: usize) {
        for child in self.below(item) {
            self.delete(child);
        }
        self.items[item].alive = false;
    }
}
