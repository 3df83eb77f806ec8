//! Valid nouns, each with one call; change the field that a test is about.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::attempt::{Attempt, OutcomeKind, Trigger};
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::delivery::{DeliveryStatus, Next};
use hookyard_domain::endpoint::{Endpoint, EndpointNo, EndpointSettings, EndpointStatus};
use hookyard_domain::event::EventContent;
use hookyard_domain::event_type::CatalogueEntry;
use hookyard_domain::headers::Headers;
use hookyard_domain::id::{AuditId, DeliveryId, EndpointId, Id, KeyId, SourceId};
use hookyard_domain::job::{Job, JobStatus, Recovery};
use hookyard_domain::key::{Key, KeyHash, KeyScope};
use hookyard_domain::profile::Profile;
use hookyard_domain::secret::{Sealed, SealedSecrets};
use hookyard_domain::source::{Source, SourceSettings, SourceStatus};
use hookyard_domain::subscription::Pattern;
use hookyard_domain::tenant::{Tenant, TenantLimits, TenantNo};
use hookyard_domain::time::Timestamp;
use hookyard_domain::url::EndpointUrl;
use hookyard_store::ledger::{Accept, Record, Share, Target};

/// When everything here was made: 2026-05-19T08:35:14Z.
pub const NOW: Timestamp = Timestamp::from_secs(1_779_179_714);

/// An id that no other call in this process answers.
#[must_use]
pub fn id<K>() -> Id<K> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut random = [0; 10];
    random[2..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Id::new(NOW, random)
}

/// A tenant of that name, not created yet.
#[must_use]
pub fn tenant(name: &str) -> Tenant {
    Tenant {
        no: TenantNo(0),
        id: name.parse().unwrap(),
        name: Some(format!("Tenant {name}")),
        profile: Profile::Standard,
        limits: TenantLimits::default(),
        retention_days: 30,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// Settings that send everything to that URL.
#[must_use]
pub fn settings(url: &str) -> EndpointSettings {
    EndpointSettings {
        url: EndpointUrl::new(url.parse().unwrap()),
        events: vec![Pattern::Any],
        name: None,
        description: None,
        scope: None,
        source: None,
        profile: Profile::Standard,
        retry: None,
        timeout_s: None,
        rate_limit: None,
        ordered: false,
        max_in_flight: None,
        include_previous_attributes: false,
        auto_disable: None,
        verify: None,
        metadata: None,
    }
}

/// What recovers a minute's failed deliveries.
#[must_use]
pub fn recovery() -> Recovery {
    Recovery {
        statuses: vec![DeliveryStatus::Failed],
        since: NOW,
        until: NOW.plus(Duration::from_secs(60)),
        rate_per_s: 10,
        limit: None,
    }
}

/// A job that has just begun, not created yet.
#[must_use]
pub fn job(endpoint: &Endpoint, recovery: Recovery) -> Job {
    Job {
        id: id(),
        tenant: endpoint.tenant,
        endpoint: endpoint.id,
        endpoint_no: endpoint.no,
        recovery,
        status: JobStatus::Running,
        total: 1,
        done: 0,
        error: None,
        created_at: NOW,
        finished_at: None,
    }
}

/// An active endpoint, not created yet.
#[must_use]
pub fn endpoint(tenant: TenantNo) -> Endpoint {
    let id: EndpointId = id();
    Endpoint {
        no: EndpointNo(0),
        id,
        tenant,
        settings: settings(&format!("https://receiver.test/{id}")),
        headers: None,
        secrets: SealedSecrets { current: Some(Sealed(vec![1, 2, 3])), previous: None },
        status: EndpointStatus::Active,
        disabled_reason: None,
        disabled_at: None,
        created_at: NOW,
        updated_at: NOW,
        revision: 1,
    }
}

/// An active source, not created yet.
#[must_use]
pub fn source(tenant: TenantNo) -> Source {
    let id: SourceId = id();
    Source {
        id,
        tenant,
        settings: SourceSettings {
            name: format!("Source {id}"),
            provider: "custom".into(),
            profile: Profile::Standard,
            scope: None,
            public_url: None,
            events: Vec::new(),
            description: None,
            metadata: None,
        },
        secrets: SealedSecrets { current: Some(Sealed(vec![4, 5, 6])), previous: None },
        verify_token: None,
        status: SourceStatus::Active,
        created_at: NOW,
        updated_at: NOW,
        revision: 1,
    }
}

/// The endpoint that forwards for a source, by the id they share; not created yet.
#[must_use]
pub fn forwarder(source: &Source) -> Endpoint {
    let mut endpoint = endpoint(source.tenant);
    endpoint.id = EndpointId::from_u128(source.id.as_u128());
    endpoint.settings.profile = source.settings.profile;
    endpoint.settings.source = Some(source.id);
    endpoint
}

/// A key whose hash is `byte` over and over.
#[must_use]
pub fn key(tenant: TenantNo, byte: u8) -> Key {
    let id: KeyId = id();
    Key {
        id,
        tenant,
        name: format!("Key {byte}"),
        scopes: vec![KeyScope::Read, KeyScope::Publish],
        hash: KeyHash([byte; 32]),
        hint: "hy_abc".into(),
        expires_at: None,
        created_at: NOW,
    }
}

/// A catalogue entry.
#[must_use]
pub fn catalogue_entry(name: &str) -> CatalogueEntry {
    CatalogueEntry {
        name: name.parse().unwrap(),
        description: Some(format!("What {name} means")),
        group: None,
        schema: None,
        sample: Some("{}".into()),
        deprecated: false,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// An audit entry that tells of `action`.
#[must_use]
pub fn audit(action: &str) -> AuditEntry {
    let id: AuditId = id();
    AuditEntry {
        id,
        at: NOW,
        actor: "operator".into(),
        origin: Some("127.0.0.1".into()),
        action: action.into(),
        subject: "acme".into(),
        before: None,
        after: Some("{}".into()),
    }
}

/// An event of that type with a small payload.
#[must_use]
pub fn content(event_type: &str) -> EventContent {
    EventContent {
        event_type: event_type.parse().unwrap(),
        scope: None,
        occurred_at: None,
        data: Bytes::from_static(br#"{"order": 1}"#),
        previous: None,
        changes: None,
        headers: Headers::default(),
        publisher_id: None,
        source: None,
        content_type: None,
    }
}

/// A target that is to be delivered to.
#[must_use]
pub fn target(endpoint: EndpointNo) -> Target {
    Target { endpoint, discarded: None }
}

/// An event to be accepted, matched against `version`, for these endpoints.
#[must_use]
pub fn accept(tenant: TenantNo, version: u64, endpoints: &[EndpointNo]) -> Accept {
    Accept {
        tenant,
        version,
        content: content("order.created"),
        targets: endpoints.iter().copied().map(target).collect(),
        singles: Vec::new(),
        held: false,
        once: Vec::new(),
        sent_by_publisher: None,
    }
}

/// How much a lane takes at once.
#[must_use]
pub fn share(deliveries: u32) -> Share {
    Share { deliveries, bytes: 1 << 30 }
}

/// Attempt number `number`, answered with `status`.
#[must_use]
pub fn attempt(number: u32, status: u16) -> Attempt {
    let succeeded = (200..300).contains(&status);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Attempt {
        number,
        started_at: NOW,
        took_ms: 12,
        outcome: if succeeded { OutcomeKind::Succeeded } else { OutcomeKind::HttpError },
        status_code: Some(status),
        request_headers: Headers(vec![
            header("content-type", "application/json"),
            header("webhook-id", "evt_01jvk0"),
            header("webhook-timestamp", "1779179714"),
            header("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
        ]),
        response_headers: Headers(vec![header("content-length", "2")]),
        response_body: Bytes::from_static(b"ok"),
        error: (!succeeded).then(|| format!("the receiver answered {status}")),
        trigger: Trigger::Automatic,
    }
}

/// What happened to a delivery at [`NOW`].
#[must_use]
pub fn record(
    tenant: TenantNo,
    endpoint: EndpointNo,
    delivery: DeliveryId,
    attempt: Option<Attempt>,
    next: Next,
) -> Record {
    Record { tenant, endpoint, delivery, attempt, next, at: NOW }
}
