//! Trying a source out: an event of ours that goes the whole way, and a look whether a request would be believed.

use bytes::Bytes;
use hookyard_domain::endpoint::DisabledReason;
use hookyard_domain::event::EventContent;
use hookyard_domain::event_type::EventType;
use hookyard_domain::headers::Headers;
use hookyard_domain::id::SourceId;
use hookyard_domain::key::KeyScope;
use hookyard_domain::source::{Source, SourceStatus};
use hookyard_domain::subscription::Pattern;
use hookyard_engine::Incoming;

use super::{NONE, ReceivedVerdict, TestSource};
use crate::checks::{Checks, path_id};
use crate::publish::{Accepted, source_changed};
use crate::receive::ReceivedRequest;
use crate::{App, AppError, Caller};

/// The type of a test of a source that passes everything on.
const TEST_TYPE: &str = "webhook.test";
/// What a test says when nothing is given.
const TEST_BODY: &[u8] =
    br#"{"type":"webhook.test","test":true,"message":"This is a test of your source."}"#;

impl App {
    /// Records an event of ours as if the source had received it, which goes the whole way from there.
    pub async fn test_source(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        test: TestSource,
    ) -> Result<Accepted, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let source = self.seen_source(caller, no, path_id(id, "source")?).await?;
        if source.status == SourceStatus::Disabled {
            let message = "the source is disabled; enable it first";
            return Err(AppError::conflict("source_disabled", message));
        }
        // It would be recorded, and not go the whole way.
        let details = self.source_details(source.clone()).await?;
        if let Some(reason) = details.forwarding_off() {
            return Err(forwarding_off(reason));
        }
        let most = self.payload_limit(no).await?;
        let mut checks = Checks::default();
        let given = checks.parse("/type", "bad_event_type", test.event_type.as_deref());
        checks.done()?;
        let data = test.payload.unwrap_or(Bytes::from_static(TEST_BODY));
        if data.len() as u64 > most {
            return Err(AppError::TooLarge { limit_bytes: most });
        }
        let content = EventContent {
            event_type: match given {
                Some(event_type) => event_type,
                None => passed_on(&source)?,
            },
            scope: source.settings.scope,
            occurred_at: None,
            data,
            previous: None,
            changes: None,
            headers: Headers::default(),
            publisher_id: None,
            source: Some(source.id),
            content_type: None,
        };
        let event = Incoming { content, once: Vec::new(), vouched: None };
        self.publish_received(no, event).await?.ok_or_else(source_changed)
    }

    /// Whether a request would be believed. Nothing is recorded.
    pub async fn verify_received(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        request: ReceivedRequest,
    ) -> Result<ReceivedVerdict, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Read).await?;
        let id: SourceId = path_id(id, "source")?;
        let snapshot = self.engine().snapshot(no).await?;
        let source = snapshot.as_ref().and_then(|it| it.source(id)).ok_or(NONE)?;
        if !caller.sees(source.source.settings.profile, source.source.settings.scope.as_ref()) {
            return Err(NONE);
        }
        let reason = self.believed(source, &request).err().map(|it| it.to_string());
        Ok(ReceivedVerdict { valid: reason.is_none(), reason })
    }
}

fn forwarding_off(reason: DisabledReason) -> AppError {
    let why = match reason {
        DisabledReason::Gone => "the receiver answered 410 Gone",
        DisabledReason::Failures => "it did nothing but fail",
        DisabledReason::VerificationFailed => "its receiver has not passed its challenge",
        DisabledReason::Manual => "it was switched off by hand",
    };
    let message =
        format!("forwarding is off since {why}; set `status` to `active`, or another `url`");
    AppError::conflict("forwarding_disabled", message)
}

/// A type that the source passes on.
fn passed_on(source: &Source) -> Result<EventType, AppError> {
    let text = match source.settings.events.first() {
        None | Some(Pattern::Any) => TEST_TYPE.to_owned(),
        Some(Pattern::Exact(exact)) => return Ok(exact.clone()),
        Some(Pattern::Below(prefix)) => format!("{prefix}test"),
    };
    // A prefix of the full length leaves no room for `test`.
    text.parse().or_else(|_| TEST_TYPE.parse()).map_err(
        |error: hookyard_domain::event_type::BadEventType| AppError::Internal(error.into()),
    )
}
