//! Events kept as files: each the event as it was told, named after it, so that names sort as events were accepted.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hookyard_api::client::{ClientError, calls};
use hookyard_api::events::Event;
use hookyard_api::json::Json;
use hookyard_api::stream::{AcceptedEvent, EventPayload, Exact};

use hookyard_domain::profile::Profile;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::remote::{Fault, Session};

/// An event, and the format it was brought in.
#[derive(Serialize, Deserialize)]
pub struct Recorded {
    /// The event.
    #[serde(flatten)]
    pub told: AcceptedEvent,
    /// Whose format.
    pub profile: Profile,
}

/// Keeps an event in a folder, readable by its owner alone.
pub fn record(folder: &Path, recorded: &Recorded) -> anyhow::Result<()> {
    let keep = || -> anyhow::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, recorded)?;
        file.write_all(b"\n")?;
        let name = recorded.told.id.replace(|it: char| !it.is_ascii_alphanumeric(), "_");
        file.persist(folder.join(format!("{name}.json")))?;
        Ok(())
    };
    keep().with_context(|| format!("recording to {}", folder.display()))
}

/// What was recorded in a file, or in every file of a folder, in the order of acceptance.
pub fn recorded(path: &Path) -> anyhow::Result<Vec<Recorded>> {
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

/// An event that was told without what it carries, with it; `None` when the server does not keep it any more.
pub async fn with_payload(
    session: &Session,
    tenant: &str,
    told: &AcceptedEvent,
) -> anyhow::Result<Option<AcceptedEvent>> {
    match session.client().send(&calls::get_event(tenant, &told.id), None).await {
        Ok(kept) => Ok(Some(told_of(kept.value))),
        Err(ClientError::Refused(it)) if it.status == 404 => Ok(None),
        Err(cause) => Err(Fault::new(cause, None).into()),
    }
}

/// An event that was asked for, as a stream would have told of it.
pub fn told_of(event: Event) -> AcceptedEvent {
    let exact = |it: &Json| Exact::Text(it.text().to_owned());
    let data = event.received.unwrap_or_else(|| exact(&event.data));
    let payload_bytes = data.bytes().map_or(0, |it| it.len() as u64);
    let payload = EventPayload {
        data,
        previous: event.previous.as_ref().map(exact),
        changes: event.changes.as_ref().map(exact),
        content_type: event.content_type,
        headers: event.headers,
    };
    AcceptedEvent {
        id: event.id,
        event_type: event.event_type,
        scope: event.scope,
        source: event.source,
        publisher_id: event.publisher_id,
        occurred_at: event.occurred_at,
        accepted_at: event.created_at,
        deliveries: event.deliveries,
        payload_bytes,
        payload: Some(payload),
    }
}
