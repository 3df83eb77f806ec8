//! Event types: the catalogue that an endpoint's `events` are chosen from.

use hookyard_api::event_types::EventType;
use hookyard_api::page::Page;
use serde_json::json;

use super::{LOOKS, PAGE_MOST, READ, Result, Tool, read};
use crate::arguments::Arguments;
use crate::asking::{Ask, Asking, all};
use crate::schema::{self, Takes};
use crate::shown::ShownEventType;
use crate::told::{Told, UNTRUSTED};

/// The tools.
pub const ALL: &[Tool] = &[Tool {
    name: "webhooks.event_types.list",
    title: "List event types",
    description: "List the catalogue of event types, the names that an endpoint's `events` take and an event's `type` has. With \
        `details` each has a sample and the schema of its data, as far as they are known. An empty list says nothing about what \
        is published: types that are not in the catalogue are accepted too.",
    hints: LOOKS,
    needs: READ,
    takes: || {
        let details = json!({
            "type": "boolean", "default": false,
            "description": "Add the sample and the schema of each type's data.",
        });
        Takes::new().may("details", details).page(PAGE_MOST, PAGE_MOST).schema()
    },
    answers: schema::answer::<Page<ShownEventType>>,
    run: |asking, arguments| Box::pin(list(asking, arguments)),
}];

async fn list(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let details = arguments.flag("details")?;
    let limit = arguments.number("limit", PAGE_MOST, PAGE_MOST)?.to_string();
    let cursor = arguments.text("cursor")?;
    let ask = Ask::get(all(&tenant, "event-types")).query("limit", Some(limit));
    let found: Page<EventType> = read(&asking.send(ask.query("cursor", cursor)).await?)?;
    let shown = Page {
        data: found.data.into_iter().map(|it| ShownEventType::new(it, details)).collect(),
        next_cursor: found.next_cursor,
    };
    let told = Told::new(&shown)?;
    Ok(if details { told.with_note(UNTRUSTED) } else { told })
}
