//! Previous values: of members (ALV-DIFF-8, -11, -15), and of lists by the ids of their elements (ALV-DIFF-9, -10).

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use super::json::{Object, Raw, elements, same, string};

/// Writes `"name":previous value` for every member that differs. What was not there was `null`.
pub(super) fn members(before: &Object<'_>, after: &Object<'_>, depth: usize, out: &mut String) {
    let fresh = after.names().filter(|it| !before.has(it));
    for name in before.names().chain(fresh) {
        let start = out.len();
        key(name, out);
        if !value(before.get(name), after.get(name), depth, out) {
            out.truncate(start);
        }
    }
}

/// Writes a previous value if the value differs, and says so.
fn value(was: Option<Raw<'_>>, is: Option<Raw<'_>>, depth: usize, out: &mut String) -> bool {
    match (was, is) {
        (None, None) => return false,
        (Some(was), Some(is)) if was.get() == is.get() => return false,
        (Some(was), Some(is)) => {
            if let Some(wrote) = list(was, is, depth, out) {
                return wrote;
            }
            if same(was, is, depth) {
                return false;
            }
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
    out.push_str(was.map_or("null", RawValue::get));
    true
}

/// Writes `{removed?, changed?, added?}` of two lists of things with ids, if they differ; `None` when they are not such
/// lists. Another order of the same elements is no difference: an id is never an index (ALV-DIFF-3).
fn list(was: Raw<'_>, is: Raw<'_>, depth: usize, out: &mut String) -> Option<bool> {
    let depth = depth.checked_sub(1)?;
    let (before, after) = (Rows::read(was)?, Rows::read(is)?);
    let start = out.len();
    out.push('{');
    section("removed", out, |out| {
        for row in before.all.iter().filter(|it| after.get(&it.id).is_none()) {
            comma(out);
            out.push_str(row.text);
        }
    });
    section("changed", out, |out| {
        for row in &before.all {
            if let Some(now) = after.get(&row.id).filter(|it| it.text != row.text) {
                element(row, now, depth, out);
            }
        }
    });
    section("added", out, |out| {
        for row in after.all.iter().filter(|it| before.get(&it.id).is_none()) {
            begin_element(row, out);
            out.push('}');
        }
    });
    let wrote = out.len() > start + 1;
    if wrote {
        out.push('}');
    } else {
        out.truncate(start);
    }
    Some(wrote)
}

/// Writes `{id, …previous values of what differs}`, if something does.
fn element(was: &Row<'_>, is: &Row<'_>, depth: usize, out: &mut String) {
    let start = out.len();
    begin_element(was, out);
    let only_id = out.len();
    members(&was.object, &is.object, depth, out);
    if out.len() == only_id {
        out.truncate(start);
    } else {
        out.push('}');
    }
}

fn begin_element(row: &Row<'_>, out: &mut String) {
    comma(out);
    out.push_str(r#"{"id":"#);
    out.push_str(row.object.get("id").map_or("null", RawValue::get));
}

/// Writes `"name":[…]`, if there is something to list.
fn section(name: &str, out: &mut String, fill: impl FnOnce(&mut String)) {
    let start = out.len();
    key(name, out);
    out.push('[');
    let empty = out.len();
    fill(out);
    if out.len() == empty {
        out.truncate(start);
    } else {
        out.push(']');
    }
}

fn key(name: &str, out: &mut String) {
    comma(out);
    // A string is always written: there is nothing in it that JSON cannot say.
    out.push_str(&serde_json::to_string(name).unwrap_or_default());
    out.push(':');
}

/// Every value ends in something else than an opening bracket, so only the first in its place gets no comma.
fn comma(out: &mut String) {
    if !out.ends_with(['{', '[']) {
        out.push(',');
    }
}

/// An element with an id.
struct Row<'a> {
    id: Id<'a>,
    text: &'a str,
    object: Object<'a>,
}

/// The string `1` and the number `1` are two ids.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Id<'a> {
    Text(Cow<'a, str>),
    Number(&'a str),
}

/// A list whose elements all have an id, each its own.
struct Rows<'a> {
    all: Vec<Row<'a>>,
    places: HashMap<Id<'a>, usize>,
}

impl<'a> Rows<'a> {
    fn read(list: Raw<'a>) -> Option<Self> {
        let mut rows = Self { all: Vec::new(), places: HashMap::new() };
        for element in elements(list)? {
            let text = element.get();
            let object = Object::read(text)?;
            let id = id(object.get("id")?)?;
            if rows.places.insert(id.clone(), rows.all.len()).is_some() {
                return None;
            }
            rows.all.push(Row { id, text, object });
        }
        Some(rows)
    }

    fn get(&self, id: &Id<'_>) -> Option<&Row<'a>> {
        self.all.get(*self.places.get(id)?)
    }
}

fn id<'a>(value: Raw<'a>) -> Option<Id<'a>> {
    if let Some(text) = string(value) {
        return Some(Id::Text(text));
    }
    let text = value.get();
    text.starts_with(|it: char| it == '-' || it.is_ascii_digit()).then_some(Id::Number(text))
}
