//! A received request, read field by field; its body is parsed when a field of it is asked for, and once.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde_json::Value;
use url::form_urlencoded;

use super::Received;
use super::recipe::Place;

const FORM: &str = "application/x-www-form-urlencoded";

pub(super) struct View<'a> {
    pub(super) received: &'a Received<'a>,
    json: OnceCell<Option<Value>>,
    form: OnceCell<Vec<(String, String)>>,
}

impl<'a> View<'a> {
    pub(super) const fn new(received: &'a Received<'a>) -> Self {
        Self { received, json: OnceCell::new(), form: OnceCell::new() }
    }

    /// A header's first value that is not blank.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers(name).next()
    }

    /// Every value of a header that is not blank.
    pub(super) fn headers(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let all = self.received.headers.0.iter();
        all.filter(move |(it, _)| it.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .filter(|it| !it.is_empty())
    }

    /// A value of the JSON body. A form whose `payload` is JSON counts as that JSON.
    pub(super) fn json(&self, pointer: &str) -> Option<&Value> {
        let body = self.json.get_or_init(|| {
            serde_json::from_slice(self.received.body).ok().or_else(|| {
                let (_, payload) = self.form().iter().find(|(name, _)| name == "payload")?;
                serde_json::from_str(payload).ok()
            })
        });
        body.as_ref()?.pointer(pointer)
    }

    /// The fields of a form body, decoded, in order.
    pub(super) fn form(&self) -> &[(String, String)] {
        self.form.get_or_init(|| {
            let kind = self.header("content-type").unwrap_or(FORM);
            if !kind.get(..FORM.len()).is_some_and(|it| it.eq_ignore_ascii_case(FORM)) {
                return Vec::new();
            }
            form_urlencoded::parse(self.received.body).into_owned().collect()
        })
    }

    /// A parameter of the URL's query, decoded.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.received.url.split_once('?')?;
        let query = query.split_once('#').map_or(query, |it| it.0);
        let mut all = form_urlencoded::parse(query.as_bytes());
        all.find(|(it, _)| it == name).map(|(_, value)| value.into_owned())
    }

    /// A field's text, if it has one that is not empty.
    pub(super) fn text(&self, place: Place) -> Option<Cow<'_, str>> {
        match place {
            Place::Header(name) => self.header(name).map(Cow::Borrowed),
            Place::Json(pointer) => self.json(pointer).and_then(scalar),
            Place::Form(name) => {
                let found = self.form().iter().find(|(it, _)| it == name);
                found.map(|(_, value)| Cow::Borrowed(value.as_str())).filter(|it| !it.is_empty())
            }
            Place::Each(list, field) => {
                let mut all = self.each(list, field)?.into_iter();
                let first = all.next()?;
                all.all(|it| it == first).then_some(first)
            }
            Place::Fixed(text) => Some(Cow::Borrowed(text)),
        }
    }

    /// A field of every item of a list, if the list has items and every item has it.
    pub(super) fn each(&self, list: &str, field: &str) -> Option<Vec<Cow<'_, str>>> {
        let items = self.json(list)?.as_array().filter(|it| !it.is_empty())?;
        items.iter().map(|it| it.pointer(field).and_then(scalar)).collect()
    }
}

/// The text of a value that has one.
pub(super) fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(it) => Some(Cow::Borrowed(if *it { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
