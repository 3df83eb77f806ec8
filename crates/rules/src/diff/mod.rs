//! `data.diff`: what a change was and, for who asked, what it replaced (vendors.md §2.12, contract.md §3).
//!
//! `changes` goes out as the publisher wrote it (ALV-DIFF-3 to -7, -13, -16); `previousAttributes` is computed from the
//! object before the change. Values are compared as values and written as slices of the text they came in.

mod compare;
mod json;

use bytes::Bytes;
use serde_json::value::RawValue;

use json::Object;

/// Levels below the changed object that are compared as values; what lies deeper is compared as text. Every level that
/// differs is read once more, so this bounds the work for one attempt; the vendor's own objects have five.
const DEPTH_MAX: usize = 16;

/// The member of `data` that tells what changed.
const DIFF: &str = "diff";
/// The member of `diff` that not everybody gets.
const PREVIOUS: &str = "previousAttributes";

/// What is known of a change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    /// What changed: the event type's first segment. `data` may hold the object under this name, or be it.
    pub noun: &'a str,
    /// The event's data.
    pub data: &'a [u8],
    /// The object before the change, alone or wrapped as in `data`.
    pub previous: Option<&'a [u8]>,
    /// What the publisher says has changed.
    pub changes: Option<&'a [u8]>,
    /// The receiver asked for previous values.
    pub asked: bool,
}

/// `data` with its `diff`, every other byte as it was; `None` when it goes out as it is: nothing is known of a change,
/// nothing changed, it is no object, or it has a `diff` of the publisher's.
pub(crate) fn data_with_diff(change: &Change<'_>) -> Option<Bytes> {
    if change.changes.is_none() && !(change.asked && change.previous.is_some()) {
        return None;
    }
    let text = std::str::from_utf8(change.data).ok()?;
    let data = Object::read(text)?;
    if data.has(DIFF) {
        return None;
    }
    let changes = change.changes.and_then(|it| serde_json::from_slice::<&RawValue>(it).ok());
    // An empty list says no more than none (ALV-DIFF-5): it goes out beside a difference (ALV-DIFF-12, -14), not with
    // the first event of a record (ALV-DIFF-1).
    let telling = changes.is_some_and(|it| !is_empty_list(it));
    let previous = change
        .previous
        .filter(|_| change.asked || !telling)
        .and_then(|it| std::str::from_utf8(it).ok())
        .and_then(Object::read);
    let attributes = previous.and_then(|it| previous_attributes(change.noun, it, data));
    if !telling && attributes.is_none() {
        return None;
    }
    let changes = changes.map_or("[]", RawValue::get);
    let attributes = attributes.filter(|_| change.asked);
    spliced(text, changes, attributes.as_deref())
}

/// `data` whose `diff` is the publisher's own, without the previous values in it: for who did not ask (ALV-DIFF-4). `None`
/// when it goes out as it is, because it has none.
pub(crate) fn data_without_previous(data: &[u8]) -> Option<Bytes> {
    let data = Object::read(std::str::from_utf8(data).ok()?)?;
    let diff = data.object(DIFF)?;
    // A value that does not count to us may count to another reader.
    if !diff.has(PREVIOUS) && !data.repeats() {
        return None;
    }
    let mut rest = object(diff.members().filter(|it| it.0 != PREVIOUS).map(texts));
    if !diff.has("changes") {
        // There is a difference, of which nothing more is told (ALV-DIFF-2, -12).
        rest = r#"{"changes":[]}"#.to_owned();
    }
    let members = data.members().map(texts);
    Some(
        object(members.map(|(name, value)| (name, if name == DIFF { &rest } else { value })))
            .into(),
    )
}

/// Whether `data` has a `diff` of the publisher's own.
#[must_use]
pub fn is_told(data: &[u8]) -> bool {
    let text = std::str::from_utf8(data).ok();
    text.and_then(Object::read).is_some_and(|it| it.has(DIFF))
}

fn texts<'a>((name, value): (&'a str, &'a RawValue)) -> (&'a str, &'a str) {
    (name, value.get())
}

/// The text of an object of these members.
fn object<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::from("{");
    for (name, value) in members {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&serde_json::Value::from(name).to_string());
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    out
}

fn is_empty_list(list: &RawValue) -> bool {
    let inside = list.get().strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    inside.is_some_and(|it| it.trim().is_empty())
}

/// The previous value of everything that differs; `None` when nothing does (ALV-DIFF-12).
fn previous_attributes(noun: &str, previous: Object<'_>, data: Object<'_>) -> Option<String> {
    let (before, after) = same_level(noun, previous, data);
    let mut out = String::from("{");
    compare::members(&before, &after, DEPTH_MAX, &mut out);
    if out.len() == 1 {
        return None;
    }
    out.push('}');
    Some(out)
}

/// The two objects to compare. `{"load": {…}}` is a wrapper around the object, in `data` and perhaps in `previous` too;
/// where the publisher's form leaves it open, the level with more members in common is meant.
fn same_level<'a>(noun: &str, previous: Object<'a>, data: Object<'a>) -> (Object<'a>, Object<'a>) {
    if let Some(inner) = data.object(noun) {
        if let Some(unwrapped) = previous.object(noun).filter(|_| previous.len() == 1) {
            return (unwrapped, inner);
        }
        let is_inner = previous.shared_with(&inner) >= previous.shared_with(&data);
        return (previous, if is_inner { inner } else { data });
    }
    let only = data.names().next().filter(|_| data.len() == 1).and_then(|it| data.object(it));
    match only {
        Some(inner) if previous.shared_with(&inner) > previous.shared_with(&data) => {
            (previous, inner)
        }
        Some(_) | None => (previous, data),
    }
}

/// The text of an object with one more member at its end.
fn spliced(data: &str, changes: &str, attributes: Option<&str>) -> Option<Bytes> {
    let (head, tail) = data.rsplit_once('}')?;
    let more = changes.len() + attributes.map_or(0, str::len) + 48;
    let mut out = String::with_capacity(data.len() + more);
    out.push_str(head);
    if !head.trim_end().ends_with('{') {
        out.push(',');
    }
    out.push_str(r#""diff":{"changes":"#);
    out.push_str(changes);
    if let Some(attributes) = attributes {
        out.push_str(r#","previousAttributes":"#);
        out.push_str(attributes);
    }
    out.push_str("}}");
    out.push_str(tail);
    Some(out.into())
}

#[cfg(test)]
mod tests;
