//! Publishing: checked here, matched and kept by the engine. The one way that is walked for every event, so it asks the
//! store nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hookyard_domain::event::EventContent;
use hookyard_domain::headers::Headers;
use hookyard_domain::id::EventId;
use hookyard_domain::invalid::Invalid;
use hookyard_domain::key::KeyScope;
use hookyard_domain::limit;
use hookyard_domain::tenant::{Tenant, TenantNo};
use hookyard_engine::{Incoming, Published, Snapshot};
use hookyard_rules::{custom_headers, diff, keys, redact};
use hookyard_store::ledger::Once;
use serde_json::value::RawValue;

use crate::checks::Checks;
use crate::idempotency::IdempotencyKey;
use crate::{App, AppError, Caller};

const NO_TENANT: AppError = AppError::NotFound { what: "tenant" };

/// An event to be published.
#[derive(Clone, Debug, Default)]
pub struct NewEvent {
    /// Its type.
    pub event_type: String,
    /// The exact bytes of `data`, which the door knows to be JSON. Empty is missing.
    pub data: Bytes,
    /// The part of the tenant it belongs to.
    pub scope: Option<String>,
    /// The publisher's own id: the same again is the same event.
    pub publisher_id: Option<String>,
    /// When it happened.
    pub occurred_at: Option<String>,
    /// The exact bytes of the object before the change.
    pub previous: Option<Bytes>,
    /// The exact bytes of `changes`.
    pub changes: Option<Bytes>,
    /// Headers that go out with every delivery.
    pub headers: Headers,
}

/// A published event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: EventId,
    /// How many endpoints it is owed to, those that are off included.
    pub deliveries: u32,
    /// Whether it had been published before.
    pub repeat: Repeat,
}

/// Whether an event had been published before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It had not.
    First,
    /// Under the publisher's own id.
    SameId,
    /// Under the same `Idempotency-Key`, with the same content.
    SameKey,
}

/// What of an event's answer is known before the engine is asked.
enum Ready {
    Wrong(AppError),
    Asked { repeat: Repeat },
}

impl App {
    /// Bytes of one event's `data` that the tenant may publish; asked before a body is read.
    pub async fn payload_bytes_max(&self, caller: &Caller, tenant: &str) -> Result<u64, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Publish).await?;
        self.payload_limit(no).await
    }

    pub(crate) async fn payload_limit(&self, no: TenantNo) -> Result<u64, AppError> {
        Ok(payload_bytes_max(&self.publisher(no).await?.tenant))
    }

    /// Publishes one event. When this answers, it is on disk.
    pub async fn publish(
        &self,
        caller: &Caller,
        tenant: &str,
        event: NewEvent,
        key: Option<IdempotencyKey>,
    ) -> Result<Accepted, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Publish).await?;
        let snapshot = self.publisher(no).await?;
        self.0.rates.take(no, snapshot.tenant.limits.publish_per_s, 1, self.now())?;
        let once = key.map(|key| Once::Key { key: key.into_text(), content: content(&event) });
        let (incoming, repeat) = check(event, payload_bytes_max(&snapshot.tenant), once)?;
        let published = self.engine().publish(no, vec![incoming]).await?;
        let missing = || AppError::Internal("the engine answered for no event".into());
        answer(published.into_iter().next().ok_or_else(missing)?, repeat)
    }

    /// Publishes many events in one go; a bad one fails alone. Answers a result for each, in order.
    pub async fn publish_batch(
        &self,
        caller: &Caller,
        tenant: &str,
        events: Vec<Result<NewEvent, Vec<Invalid>>>,
        key: Option<IdempotencyKey>,
    ) -> Result<Vec<Result<Accepted, AppError>>, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Publish).await?;
        let snapshot = self.publisher(no).await?;
        if events.is_empty() {
            return Err(AppError::invalid("", "required", "give at least one event"));
        }
        if events.len() > limit::BATCH_EVENTS_MAX {
            let most = limit::BATCH_EVENTS_MAX;
            return Err(AppError::invalid("", "too_many", format!("use {most} events at most")));
        }
        let per_s = snapshot.tenant.limits.publish_per_s;
        self.0.rates.take(no, per_s, events.len(), self.now())?;

        let most = payload_bytes_max(&snapshot.tenant);
        let mut incoming = Vec::with_capacity(events.len());
        let mut ready = Vec::with_capacity(events.len());
        for (at, event) in events.into_iter().enumerate() {
            let checked = event.map_err(AppError::Invalid).and_then(|event| {
                // Each item has a key of its own, so that a batch that broke off in the middle can be sent again.
                let once = key.as_ref().map(|key| Once::Key {
                    key: format!("{}/{at}", key.as_str()),
                    content: content(&event),
                });
                check(event, most, once)
            });
            ready.push(match checked {
                Ok((event, repeat)) => {
                    incoming.push(event);
                    Ready::Asked { repeat }
                }
                Err(error) => Ready::Wrong(error),
            });
        }
        let published = match incoming.is_empty() {
            true => Vec::new(),
            false => self.engine().publish(no, incoming).await?,
        };
        let mut published = published.into_iter();
        let answers = ready.into_iter().map(|ready| match ready {
            Ready::Wrong(error) => Err(error),
            Ready::Asked { repeat } => match published.next() {
                Some(published) => answer(published, repeat),
                None => Err(AppError::Internal("the engine left an event out".into())),
            },
        });
        Ok(answers.collect())
    }

    /// Keeps an event that a source received. It counts for the tenant's rate like one that was published. `None` when the
    /// source is not the one any more that vouched for it.
    pub(crate) async fn publish_received(
        &self,
        no: TenantNo,
        event: Incoming,
    ) -> Result<Option<Accepted>, AppError> {
        let snapshot = self.publisher(no).await?;
        self.0.rates.take(no, snapshot.tenant.limits.publish_per_s, 1, self.now())?;
        let published = self.engine().publish(no, vec![event]).await?;
        let missing = || AppError::Internal("the engine answered for no event".into());
        let published = published.into_iter().next().ok_or_else(missing)?;
        if published == Published::SourceChanged {
            return Ok(None);
        }
        answer(published, Repeat::SameId).map(Some)
    }

    async fn publisher(&self, no: TenantNo) -> Result<Arc<Snapshot>, AppError> {
        self.engine().snapshot(no).await?.ok_or(NO_TENANT)
    }
}

pub(crate) fn payload_bytes_max(tenant: &Tenant) -> u64 {
    tenant.limits.payload_bytes.unwrap_or(limit::PAYLOAD_BYTES_DEFAULT)
}

fn answer(published: Published, repeat: Repeat) -> Result<Accepted, AppError> {
    match published {
        Published::Accepted { id, deliveries } => {
            Ok(Accepted { id, deliveries, repeat: Repeat::First })
        }
        Published::Duplicate { id, deliveries } => Ok(Accepted { id, deliveries, repeat }),
        Published::KeyReused => Err(AppError::KeyReused),
        Published::SourceChanged => Err(source_changed()),
        Published::NoSource => Err(AppError::NotFound { what: "source" }),
        Published::NoTenant => Err(NO_TENANT),
    }
}

/// A source that changes faster than what it receives can be looked at.
pub(crate) fn source_changed() -> AppError {
    AppError::Unavailable("the source keeps changing".into())
}

/// Checks an event; answers it with what a repetition of it would be.
fn check(
    event: NewEvent,
    bytes_max: u64,
    key: Option<Once>,
) -> Result<(Incoming, Repeat), AppError> {
    let sizes = [Some(&event.data), event.previous.as_ref(), event.changes.as_ref()];
    if sizes.into_iter().flatten().any(|it| it.len() as u64 > bytes_max) {
        return Err(AppError::TooLarge { limit_bytes: bytes_max });
    }
    let mut checks = Checks::default();
    let event_type = checks.parse_required("/type", "bad_event_type", &event.event_type);
    if event.data.is_empty() {
        checks.required("/data");
    }
    if event.previous.as_ref().is_some_and(|it| !begins_with(it, b'{')) {
        checks.wrong("/previous", "not_an_object", "use the JSON object before the change");
    }
    if let Some(changes) = &event.changes {
        check_changes(&mut checks, changes);
    }
    if (event.previous.is_some() || event.changes.is_some()) && diff::is_told(&event.data) {
        let message = "`data` has a `diff` of its own; give that, or `previous` and `changes`";
        checks.wrong("/data/diff", "ambiguous", message);
    }
    let scope = checks.parse("/scope", "bad_scope", event.scope.as_deref());
    let occurred_at = checks.time("/occurred_at", event.occurred_at.as_deref());
    let publisher_id = checks.text("/id", event.publisher_id, limit::PUBLISHER_ID_CHARS_MAX);
    if !event.headers.0.is_empty() {
        checks.all(custom_headers::check(&event.headers, "/headers"));
        no_credentials(&mut checks, &event.headers);
    }
    let event_type = checks.done_with(event_type)?;
    let repeat = if publisher_id.is_some() { Repeat::SameId } else { Repeat::SameKey };
    let by_id = publisher_id.clone().map(Once::PublisherId);
    let once = by_id.into_iter().chain(key).collect();
    let content = EventContent {
        event_type,
        scope,
        occurred_at,
        data: event.data,
        previous: event.previous,
        changes: event.changes,
        headers: event.headers,
        publisher_id,
        source: None,
        content_type: None,
    };
    Ok((Incoming { content, once, vouched: None }, repeat))
}

/// Each change is an object that says by its `kind` what it is; what else it has is the publisher's (vendors.md ALV-DIFF-2).
fn check_changes(checks: &mut Checks, changes: &[u8]) {
    if !begins_with(changes, b'[') {
        return checks.wrong("/changes", "not_a_list", "use a JSON array of changes");
    }
    let entries: Vec<&RawValue> = serde_json::from_slice(changes).unwrap_or_default();
    for (at, entry) in entries.into_iter().enumerate() {
        let pointer = format!("/changes/{at}");
        let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(entry.get()) else {
            let message = "use an object such as `{\"kind\": \"RateChanged\"}`";
            checks.wrong(pointer, "not_an_object", message);
            continue;
        };
        let pointer = format!("{pointer}/kind");
        match members.get("kind").map(|it| serde_json::from_str::<String>(it.get())) {
            None => checks.required(&pointer),
            Some(Ok(kind)) if kind.is_empty() => checks.required(&pointer),
            Some(Err(_)) => checks.wrong(pointer, "not_a_text", "use a text"),
            Some(Ok(_)) => {}
        }
    }
}

/// An event is kept as it came, in backups too; an endpoint's headers are sealed.
fn no_credentials(checks: &mut Checks, headers: &Headers) {
    for (name, _) in headers.0.iter().filter(|(name, _)| redact::is_sensitive(name)) {
        let message = "the name says that this is a credential, and events are kept readable; set it as a header of the endpoint, where it is sealed";
        checks.wrong(crate::checks::member("/headers", name), "credential_header", message);
    }
}

fn begins_with(json: &[u8], byte: u8) -> bool {
    json.iter().find(|it| !it.is_ascii_whitespace()) == Some(&byte)
}

/// What makes two events the same content.
fn content(event: &NewEvent) -> [u8; 32] {
    let text = |it: &Option<String>| it.clone().unwrap_or_default();
    let (scope, id, at) = (text(&event.scope), text(&event.publisher_id), text(&event.occurred_at));
    let mut parts: Vec<&[u8]> =
        vec![event.event_type.as_bytes(), &event.data, scope.as_bytes(), id.as_bytes()];
    parts.push(at.as_bytes());
    parts.push(event.previous.as_deref().unwrap_or_default());
    parts.push(event.changes.as_deref().unwrap_or_default());
    for (name, value) in &event.headers.0 {
        parts.push(name.as_bytes());
        parts.push(value.as_bytes());
    }
    keys::content_hash(&parts)
}

#[cfg(test)]
mod tests;
