//! What this browser holds right now: for which file, which scopes, how long it lives still.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Interval;
use js_sys::Date;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::app::App;
use super::dom::{Page, fill};
use super::keyhole::Holding;
use crate::human::{countdown, whole};

#[derive(Default)]
pub(super) struct Passes {
    ticking: RefCell<Option<Interval>>,
    /// The passes seen, with the seconds that were left when each was first seen: the length of its bar.
    seen: RefCell<Vec<Seen>>,
}

struct Seen {
    item: String,
    expires_at: f64,
    whole_s: f64,
}

/// One row of the panel.
struct Pass {
    name: String,
    scopes: String,
    item: String,
    expires_at: f64,
    is_open: bool,
}

impl Passes {
    /// Counts down, every second, for as long as the page lives.
    pub(super) fn watch(&self, app: &Rc<App>) {
        if self.ticking.borrow().is_none() {
            let app = Rc::clone(app);
            let tick = move || {
                if !app.page.document.hidden() {
                    app.passes.draw(&app);
                }
            };
            self.ticking.replace(Some(Interval::new(1_000, tick)));
        }
    }

    /// Draws what Keyhole says it holds.
    pub(super) fn draw(&self, app: &App) {
        let page = &app.page;
        let passes = held(app);
        page.show("held-none", passes.is_empty());
        page.show("pass-badge", passes.first().is_some_and(|pass| pass.is_open));
        let Some(list) = page.find("passes") else { return };
        if !is_drawn(&list, &passes) {
            list.set_text_content(None);
            for row in passes.iter().filter_map(|pass| row(page, pass)) {
                list.append_child(&row).ok();
            }
        }
        let now_s = Date::now() / 1_000.0;
        self.seen.borrow_mut().retain(|seen| seen.expires_at > now_s);
        for (at, pass) in (0..).zip(&passes) {
            let left_s = (pass.expires_at - now_s).max(0.0);
            let text = countdown(whole(left_s));
            if let Some(row) = list.children().item(at) {
                fill(&row, ".pass-time", &text);
                draw_bar(&row, left_s / self.whole_s(pass, left_s));
            }
            if pass.is_open {
                page.text("pass-left", &[&text, " left"].concat());
            }
        }
    }

    fn whole_s(&self, pass: &Pass, left_s: f64) -> f64 {
        let mut all = self.seen.borrow_mut();
        let seen = all.iter().find(|seen| seen.item == pass.item && seen.expires_at == pass.expires_at);
        if let Some(seen) = seen {
            return seen.whole_s;
        }
        all.push(Seen { item: pass.item.clone(), expires_at: pass.expires_at, whole_s: left_s });
        left_s
    }
}

/// What is held, the open file's pass first.
fn held(app: &App) -> Vec<Pass> {
    let open = app.trail.borrow().file.as_ref().map(|file| ["file_", &file.id].concat());
    let held = Holding::all(&app.keyhole.held());
    let mut passes = Vec::new();
    for holding in held {
        let name = holding.item.split_once('_').and_then(|(_, id)| app.list.name_of(id));
        let is_open = open.as_ref() == Some(&holding.item);
        let pass = Pass {
            name: name.unwrap_or_else(|| holding.item.clone()),
            scopes: holding.scopes,
            item: holding.item,
            expires_at: holding.expires_at,
            is_open,
        };
        if is_open { passes.insert(0, pass) } else { passes.push(pass) }
    }
    passes
}

fn row(page: &Page, pass: &Pass) -> Option<Element> {
    let row = page.copy_of("pass")?;
    row.set_attribute("data-pass", &key(pass)).ok()?;
    row.class_list().toggle_with_force("now", pass.is_open).ok()?;
    fill(&row, ".pass-name", &pass.name);
    fill(&row, ".pass-scopes", &pass.scopes);
    Some(row)
}

/// Whether the rows on the screen are these: then only their times change.
fn is_drawn(list: &HtmlElement, passes: &[Pass]) -> bool {
    let rows = list.children();
    let same = |(at, pass)| rows.item(at).and_then(|row| row.get_attribute("data-pass")) == Some(key(pass));
    usize::try_from(rows.length()) == Ok(passes.len()) && (0..).zip(passes).all(same)
}

fn key(pass: &Pass) -> String {
    let open = if pass.is_open { "open" } else { "" };
    [pass.item.as_str(), open, &pass.name, &pass.scopes].join(" ")
}

fn draw_bar(row: &Element, left: f64) {
    let Ok(Some(bar)) = row.query_selector(".life i") else { return };
    if let Some(bar) = bar.dyn_ref::<HtmlElement>() {
        let left: Result<js_sys::JsString, _> = js_sys::Number::from(left.clamp(0.0, 1.0)).to_fixed(4);
        let left = left.map(String::from).unwrap_or_default();
        bar.style().set_property("--left", &left).ok();
    }
}
