//! The items of a folder, a page at a time, with one tab stop and arrow keys between them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Date, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent};

use super::app::{App, Step};
use super::dom::{clicked_link, fill};
use super::keyhole::{Entry, FolderPage, code};
use crate::trail::{Named, Trail};
use crate::{human, words};

/// Items asked for at once: more than a screen, little enough to come quickly.
const PAGE_ITEMS: u32 = 50;

/// The folder that is listed.
#[derive(Default)]
pub(super) struct List {
    folder: RefCell<Option<String>>,
    /// The offset of the next page. Box's advances by the limit, not by what came.
    next: Cell<u32>,
    /// Counts what was asked, so that an answer that comes late is recognised.
    turn: Cell<u32>,
    names: RefCell<Vec<Named>>,
}

impl List {
    pub(super) fn forget(&self) {
        self.folder.replace(None);
    }

    /// The name of a file that was listed here once.
    pub(super) fn name_of(&self, id: &str) -> Option<String> {
        self.names.borrow().iter().find(|named| named.id == id).map(|named| named.name.clone())
    }

    pub(super) fn learn(&self, named: Named) {
        let mut names = self.names.borrow_mut();
        names.retain(|known| known.id != named.id);
        names.push(named);
    }
}

/// Where the focus goes once the items are there.
enum Focus {
    Stay,
    Row(Option<String>),
    After(u32),
}

impl App {
    pub(super) fn list_listens(self: &Rc<Self>) {
        let page = &self.page;
        page.on("rows", "click", self.acting(|app, event| app.chosen(&event)));
        page.on("rows", "keydown", self.acting(|app, event| app.list_key(&event)));
        page.on(
            "rows",
            "focusin",
            self.acting(|app, event| {
                let row = event.target().and_then(|target| target.dyn_into::<Element>().ok());
                if let Some(row) = row {
                    app.stop_at(&row);
                }
            }),
        );
        page.on(
            "more-button",
            "click",
            self.acting(|app, _| {
                let offset = app.list.next.get();
                app.load(offset, Focus::After(offset));
            }),
        );
        page.on(
            "folder-retry",
            "click",
            self.acting(|app, _| {
                let offset = app.list.next.get();
                app.load(offset, Focus::Row(None));
            }),
        );
    }

    /// Lists the folder of a place, unless it is listed already.
    pub(super) fn list_follows(self: &Rc<Self>, before: &Trail, next: &Trail, step: Step) {
        let left = before.left_by(next).map(str::to_owned);
        if self.list.folder.borrow().as_deref() == Some(next.folder_id()) {
            self.mark_open();
            if step != Step::Arrive && next.file.is_none() {
                self.focus_row(left.as_deref());
            }
            return;
        }
        self.list.folder.replace(Some(next.folder_id().to_owned()));
        self.list.next.set(0);
        self.page.text("rows", "");
        self.page.text("folder-count", "");
        if let Some(scroll) = self.page.find("scroll") {
            scroll.set_scroll_top(0);
        }
        let focus = if step == Step::Arrive || next.file.is_some() { Focus::Stay } else { Focus::Row(left) };
        self.load(0, focus);
    }

    fn load(self: &Rc<Self>, offset: u32, focus: Focus) {
        let turn = self.list.turn.get().wrapping_add(1);
        self.list.turn.set(turn);
        let folder = self.trail.borrow().folder_id().to_owned();
        self.page.show("rows-loading", offset == 0);
        self.page.disable("more-button", true);
        for id in ["folder-empty", "folder-trouble"] {
            self.page.show(id, false);
        }
        self.page.show("more", offset > 0);
        let app = Rc::clone(self);
        spawn_local(async move {
            let asked: JsValue = Object::new().into();
            Reflect::set(&asked, &"offset".into(), &offset.into()).ok();
            Reflect::set(&asked, &"limit".into(), &PAGE_ITEMS.into()).ok();
            let answer = app.keyhole.items(&folder, &asked).await;
            if turn != app.list.turn.get() {
                return;
            }
            app.page.show("rows-loading", false);
            app.page.disable("more-button", false);
            match answer.map(|page| FolderPage::of(&page)) {
                Ok(Some(page)) => app.listed(&page, offset, &focus),
                Ok(None) => app.list_trouble("unreadable"),
                Err(error) => app.list_trouble(&code(&error)),
            }
        });
    }

    fn listed(self: &Rc<Self>, page: &FolderPage, offset: u32, focus: &Focus) {
        let Some(rows) = self.page.find("rows") else { return };
        if offset == 0 {
            rows.set_text_content(None);
        }
        for entry in &page.entries {
            if let Some(row) = self.row(entry) {
                rows.append_child(&row).ok();
            }
            if entry.kind == "file" {
                self.list.learn(Named::new(&entry.id, &entry.name));
            }
        }
        let next = offset.saturating_add(PAGE_ITEMS);
        self.list.next.set(next);
        let total = human::count(page.total);
        self.page.text("folder-count", &total);
        self.page.show("folder-empty", page.total == 0);
        self.page.show("more", u64::from(next) < page.total);
        self.page.text(
            "more-count",
            &[&u64::from(next).min(page.total).to_string(), " of ", &page.total.to_string()].concat(),
        );
        self.mark_open();
        self.name_open_file();
        let folder = self.page.find("folder-name").and_then(|name| name.text_content()).unwrap_or_default();
        match focus {
            Focus::Stay => {}
            Focus::Row(id) => self.focus_row(id.as_deref()),
            Focus::After(offset) => self.focus_nth(*offset),
        }
        self.page.say(&[&folder, ", ", &total].concat());
    }

    fn list_trouble(&self, code: &str) {
        let words = words::trouble(code);
        self.page.text("folder-trouble-title", words.title);
        self.page.text("folder-trouble-text", words.text);
        self.page.text("folder-trouble-code", code);
        self.page.show("more", false);
        self.page.show("folder-trouble", true);
    }

    fn row(&self, entry: &Entry) -> Option<Element> {
        let is_folder = entry.kind == "folder";
        let opens = is_folder || entry.kind == "file";
        let item = self.page.copy_of(if opens { "row" } else { "dead-row" })?;
        fill(&item, ".name", &entry.name);
        fill(&item, ".meta", &meta(entry));
        let symbol = match entry.kind.as_str() {
            "folder" => "#i-folder",
            "file" => human::icon(&entry.name),
            _ => "#i-link",
        };
        item.query_selector("use").ok()??.set_attribute("href", symbol).ok()?;
        if is_folder {
            item.query_selector("svg").ok()??.set_attribute("class", "folder-icon").ok()?;
        }
        if opens {
            let link = item.query_selector("a").ok()??;
            link.set_attribute("href", &["#", &entry.kind, "/", &entry.id].concat()).ok()?;
            link.set_attribute("tabindex", "-1").ok()?;
        }
        Some(item)
    }

    fn chosen(self: &Rc<Self>, event: &Event) {
        let Some(link) = clicked_link(event) else { return };
        let place = Trail::from_fragment(&link.get_attribute("href").unwrap_or_default());
        let name = link.query_selector(".name").ok().flatten().and_then(|name| name.text_content());
        let name = name.unwrap_or_default();
        let here = self.trail.borrow().clone();
        match (place.file, place.folders.into_iter().next()) {
            (Some(file), _) if here.file.as_ref().is_some_and(|open| open.id == file.id) => {
                self.page.focus("file-name")
            }
            (Some(file), _) => self.go(here.with_file(Named { name, ..file }), Step::Choose),
            (None, Some(folder)) => self.go(here.into_folder(Named { name, ..folder }), Step::Choose),
            (None, None) => {}
        }
    }

    fn links(&self) -> Vec<HtmlElement> {
        let Some(Ok(found)) = self.page.find("rows").map(|rows| rows.query_selector_all("a")) else {
            return Vec::new();
        };
        (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect()
    }

    /// Up, down, to the first and to the last.
    fn list_key(&self, event: &Event) {
        let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
        if key.alt_key() || key.ctrl_key() || key.meta_key() {
            return;
        }
        let links = self.links();
        let focused = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
        let at = links.iter().position(|link| Some(link) == focused.as_ref()).unwrap_or_default();
        let to = match key.key().as_str() {
            "ArrowDown" => links.get(at.saturating_add(1)),
            "ArrowUp" => at.checked_sub(1).and_then(|above| links.get(above)),
            "Home" => links.first(),
            "End" => links.last(),
            _ => return,
        };
        event.prevent_default();
        if let Some(link) = to {
            link.focus().ok();
        }
    }

    /// The list is one stop of the tab key: the row that had the focus last.
    fn stop_at(&self, row: &Element) {
        for link in self.links() {
            link.set_attribute("tabindex", "-1").ok();
        }
        row.set_attribute("tabindex", "0").ok();
    }

    /// Marks the row of the open file, and sees that one row is a tab stop.
    fn mark_open(&self) {
        let open = self.trail.borrow().file.as_ref().map(|file| ["#file/", &file.id].concat());
        let links = self.links();
        for link in &links {
            let is_open = open.is_some() && link.get_attribute("href") == open;
            match is_open {
                true => link.set_attribute("aria-current", "true").ok(),
                false => link.remove_attribute("aria-current").ok(),
            };
        }
        let has_stop = links.iter().any(|link| link.get_attribute("tabindex").as_deref() == Some("0"));
        if let Some(first) = links.first().filter(|_| !has_stop) {
            first.set_attribute("tabindex", "0").ok();
        }
    }

    /// The row of this id, else the first, else the folder's name.
    fn focus_row(&self, id: Option<&str>) {
        let links = self.links();
        let ends = id.map(|id| ["/", id].concat());
        let is_it = |link: &&HtmlElement| {
            ends.as_deref()
                .is_some_and(|ends| link.get_attribute("href").is_some_and(|href| href.ends_with(ends)))
        };
        match links.iter().find(is_it).or_else(|| links.first()) {
            Some(link) => link.focus().ok(),
            None => self.page.find("folder-name").and_then(|name| name.focus().ok()),
        };
    }

    fn focus_nth(&self, at: u32) {
        let links = self.links();
        let at = usize::try_from(at).unwrap_or_default();
        if let Some(link) = links.get(at).or_else(|| links.last()) {
            link.focus().ok();
        }
    }
}

/// Size and day of a file; of a folder neither says much.
fn meta(entry: &Entry) -> String {
    match entry.kind.as_str() {
        "folder" => String::new(),
        "web_link" => "Link, opens at Box only".to_owned(),
        _ => {
            let size = entry.size.map(human::size);
            let day = entry.modified_at.as_deref().map(day);
            [size, day].into_iter().flatten().collect::<Vec<_>>().join(" · ")
        }
    }
}

/// A day as this person's browser writes it.
fn day(timestamp: &str) -> String {
    let options = Object::new();
    for (name, value) in [("day", "numeric"), ("month", "short"), ("year", "numeric")] {
        Reflect::set(&options, &name.into(), &value.into()).ok();
    }
    Date::new(&timestamp.into()).to_locale_date_string("default", &options).into()
}
