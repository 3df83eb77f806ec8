//! Proving an endpoint: its challenge, and a test request.

use bytes::Bytes;
use hookyard_domain::attempt::Attempt;
use hookyard_domain::endpoint::EndpointSettings;
use hookyard_domain::event::EventContent;
use hookyard_domain::event_type::EventType;
use hookyard_domain::headers::Headers;
use hookyard_domain::id::{DeliveryId, EventId};
use hookyard_domain::subscription::Pattern;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::url::EndpointUrl;

use super::EndpointDetails;
use crate::audit::Act;
use crate::checks::{Checks, path_id};
use crate::powers::Power;
use crate::{App, AppError, Caller};

/// The type of a test for an endpoint that wants everything.
const TEST_TYPE: &str = "webhook.test";
/// What a test says when the catalogue has no sample.
const TEST_DATA: &[u8] = br#"{"test":true,"message":"This is a test of your endpoint."}"#;

/// What to send as a test.
#[derive(Clone, Debug, Default)]
pub struct TestInput {
    /// A type; one that the endpoint wants when not given.
    pub event_type: Option<String>,
    /// The exact bytes of `data`; the catalogue's sample when not given.
    pub data: Option<Bytes>,
}

/// A test as it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestedEndpoint {
    /// The event made for it.
    pub event: EventId,
    /// Its only delivery.
    pub delivery: DeliveryId,
    /// Its type.
    pub event_type: EventType,
    /// Where it went.
    pub url: EndpointUrl,
    /// Its only attempt.
    pub attempt: Attempt,
}

/// A challenge as it went.
#[derive(Clone, Debug)]
pub struct VerifiedEndpoint {
    /// The endpoint echoed it.
    pub passed: bool,
    /// Why not.
    pub reason: Option<String>,
    /// What it answered.
    pub status_code: Option<u16>,
    /// The endpoint after.
    pub details: EndpointDetails,
}

impl App {
    /// Challenges an endpoint. One that was pending or off is active when it passes.
    pub async fn verify_endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<VerifiedEndpoint, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Manage).await?;
        let endpoint = self.managed_endpoint(caller, no, path_id(id, "endpoint")?).await?;
        self.note_act(caller, no, "endpoint.verify_requested", id).await?;
        let mut verified = self.engine().verify(no, endpoint.id).await?;
        if !verified.passed {
            verified.endpoint = self.unproved(caller, verified.endpoint).await;
        }
        Ok(VerifiedEndpoint {
            passed: verified.passed,
            reason: verified.reason,
            status_code: verified.status_code,
            details: self.details(verified.endpoint).await?,
        })
    }

    /// Sends one signed request to an endpoint, in whatever state it is; it is recorded, and not tried again.
    pub async fn test_endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        test: TestInput,
    ) -> Result<TestedEndpoint, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Manage).await?;
        let endpoint = self.managed_endpoint(caller, no, path_id(id, "endpoint")?).await?;
        let most = self.payload_limit(no).await?;
        let mut checks = Checks::default();
        let given = checks.parse("/type", "bad_event_type", test.event_type.as_deref());
        checks.done()?;
        if let Some(data) = &test.data
            && data.len() as u64 > most
        {
            return Err(AppError::TooLarge { limit_bytes: most });
        }
        let event_type: EventType = match given {
            Some(event_type) => event_type,
            None => wanted(&endpoint.settings)?,
        };
        let data = match test.data {
            Some(data) => data,
            None => self.sample(no, &event_type).await?,
        };
        let url = endpoint.settings.url;
        let content = EventContent {
            event_type: event_type.clone(),
            scope: endpoint.settings.scope,
            occurred_at: None,
            data,
            previous: None,
            changes: None,
            headers: Headers::default(),
            publisher_id: None,
            source: None,
            content_type: None,
        };
        self.note_act(caller, no, "endpoint.tested", id).await?;
        let tested = self.engine().test(no, endpoint.id, content).await?;
        Ok(TestedEndpoint {
            event: tested.event,
            delivery: tested.delivery,
            event_type,
            url,
            attempt: tested.attempt,
        })
    }

    /// Writes down that somebody is about to have a request sent.
    async fn note_act(
        &self,
        caller: &Caller,
        no: TenantNo,
        action: &'static str,
        subject: &str,
    ) -> Result<(), AppError> {
        let entry = self.entry(caller, self.now(), Act { action, subject, ..Act::default() });
        Ok(self.store().note(no, entry).await?)
    }

    async fn sample(&self, no: TenantNo, event_type: &EventType) -> Result<Bytes, AppError> {
        let entry = self.store().event_type(no, event_type).await?;
        let sample = entry.and_then(|it| it.sample);
        Ok(sample.map_or(Bytes::from_static(TEST_DATA), Bytes::from))
    }
}

/// A type that the endpoint wants.
fn wanted(settings: &EndpointSettings) -> Result<EventType, AppError> {
    let exact = settings.events.iter().find_map(|it| match it {
        Pattern::Exact(exact) => Some(exact.clone()),
        Pattern::Any | Pattern::Below(_) => None,
    });
    if let Some(exact) = exact {
        return Ok(exact);
    }
    let below = settings.events.iter().find_map(|it| match it {
        Pattern::Below(prefix) => Some(format!("{prefix}test")),
        Pattern::Any | Pattern::Exact(_) => None,
    });
    let text = below.as_deref().unwrap_or(TEST_TYPE);
    // A prefix of the full length leaves no room for `test`.
    text.parse().or_else(|_| TEST_TYPE.parse()).map_err(
        |error: hookyard_domain::event_type::BadEventType| AppError::Internal(error.into()),
    )
}
