//! Events kept as files: each the event as it was told, named after it, so that names sort as events were accepted.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hookyard_api::client::calls;
use hookyard_api::events::Event;
use hookyard_api::stream::{AcceptedEvent, EventPayload, Exact};

use crate::exit::Exit;
use crate::remote::Session;

/// Keeps an event in a folder, readable by its owner alone.
pub fn record(folder: &Path, told: &AcceptedEvent) -> anyhow::Result<()> {
    let keep = || -> anyhow::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, told)?;
        file.write_all(b"\n")?;
        let name = told.id.replace(|it: char| !it.is_ascii_alphanumeric(), "_");
        file.persist(folder.join(format!("{name}.json")))?;
        Ok(())
    };
    keep().with_context(|| format!("recording to {}", folder.display()))
}

/// What was recorded in a file, or in every file of a folder, in the order of acceptance.
pub fn recorded(path: &Path) -> anyhow::Result<Vec<AcceptedEvent>> {
    let shown = path.display();
    let cannot =
        |error: std::io::Error| Exit::Usage.because(format!("cannot read {shown}: {error}"));
    let mut files: Vec<PathBuf> = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(cannot)? {
            let file = entry.map_err(cannot)?.path();
            files.extend(file.extension().is_some_and(|it| it == "json").then_some(file));
        }
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    if files.is_empty() {
        return Err(Exit::NotFound.because(format!("nothing was recorded in {shown}")));
    }
    let read = |file: &PathBuf| {
        let shown = file.display();
        let cannot = |it: String| Exit::Usage.because(format!("cannot read {shown}: {it}"));
        let bytes = fs::read(file).map_err(|error| cannot(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| cannot(error.to_string()))
    };
    files.iter().map(read).collect()
}

/// An event that was told without what it carries, with it. `None` where that cannot be had exactly: what a source received
/// and is no JSON is shown as a text.
pub async fn with_payload(
    session: &Session,
    tenant: &str,
    told: &AcceptedEvent,
) -> anyhow::Result<Option<AcceptedEvent>> {
    let event = session.ask(&calls::get_event(tenant, &told.id)).await?.value;
    Ok(told_of(event))
}

/// An event that was asked for, as a stream would have told of it.
pub fn told_of(event: Event) -> Option<AcceptedEvent> {
    if event.source.is_some() && event.data.text().starts_with('"') {
        return None;
    }
    let exact = |text: &str| Exact::Text(text.to_owned());
    let data = exact(event.data.text());
    let payload = EventPayload {
        data,
        previous: event.previous.as_ref().map(|it| exact(it.text())),
        changes: event.changes.as_ref().map(|it| exact(it.text())),
        content_type: None,
        headers: event.headers,
    };
    Some(AcceptedEvent {
        id: event.id,
        event_type: event.event_type,
        scope: event.scope,
        source: event.source,
        publisher_id: event.publisher_id,
        occurred_at: event.occurred_at,
        accepted_at: event.created_at,
        deliveries: event.deliveries,
        payload_bytes: event.data.text().len() as u64,
        payload: Some(payload),
    })
}
