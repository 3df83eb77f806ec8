//! Rows of what webhooks recorded and of what was forwarded of it. Their names are ours: no page has them.

use hookyard_api::json::{Headers, Json};
use hookyard_app::received::{ReceivedEvent, SentAttempt};
use hookyard_domain::attempt::OutcomeKind;
use hookyard_domain::delivery::{Delivery, EndReason};
use serde::Serialize;
use utoipa::ToSchema;

/// An event that a webhook recorded.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookEvent {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// The webhook that recorded it.
    #[schema(format = "uuid")]
    pub webhook_id: String,
    /// That webhook's name as it is today.
    #[schema(example = "Stripe events")]
    pub webhook_name: String,
    /// Who sends to that webhook.
    #[schema(example = "custom")]
    pub source: String,
    /// Its type.
    #[schema(example = "payment_intent.succeeded")]
    pub event_type: String,
    /// What was received: the JSON itself where it is JSON, else its text.
    #[schema(value_type = serde_json::Value)]
    pub payload: Json,
    /// What it called itself.
    #[schema(example = "application/json")]
    pub content_type: String,
    /// The received headers that are passed on; values that may be credentials are masked.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub headers: Headers,
    /// How many deliveries it has.
    pub delivery_count: u32,
    /// When it was recorded.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = DeliveryStatus)]
pub enum AttemptStatus {
    /// The receiver answered with success.
    Succeeded,
    /// It answered something else, or could not be reached.
    Failed,
    /// Nothing was sent, since forwarding was off or had ended.
    Discarded,
    /// Nothing was sent, since it was called back.
    Cancelled,
}

/// What a receiver answered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AttemptResponse {
    /// The status code.
    #[schema(example = 200)]
    pub status: u16,
    /// The first 4 KiB of the body.
    pub body: String,
}

/// One attempt to forward an event.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookDelivery)]
pub struct WebhookAttempt {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// What all attempts to forward one event have in common.
    #[schema(format = "uuid")]
    pub delivery_id: String,
    /// The webhook.
    #[schema(format = "uuid")]
    pub webhook_id: String,
    /// The event.
    #[schema(format = "uuid")]
    pub event_id: String,
    /// The event's type.
    #[schema(example = "payment_intent.succeeded")]
    pub event_type: String,
    /// What came of it.
    pub status: AttemptStatus,
    /// How often it had been tried before: 0 is the first attempt.
    pub retry_count: u32,
    /// What was answered; `null` where nothing was.
    pub response: Option<AttemptResponse>,
    /// Why it failed.
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: u32,
    /// When the next attempt is due: in the row of the last one, while there is to be another.
    #[schema(format = "date-time")]
    pub next_retry_at: Option<String>,
    /// When it began.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
}

impl From<ReceivedEvent> for WebhookEvent {
    fn from(it: ReceivedEvent) -> Self {
        let event = it.listed.event;
        let content = event.content;
        Self {
            id: event.id.to_uuid(),
            webhook_id: it.source.id.to_uuid(),
            webhook_name: it.source.settings.name,
            source: it.source.settings.provider,
            event_type: content.event_type.to_string(),
            payload: Json::shown(&content.data),
            content_type: content.content_type.unwrap_or_else(|| "application/json".to_owned()),
            headers: content.headers.into(),
            delivery_count: it.listed.deliveries,
            created_at: event.accepted_at.to_string(),
        }
    }
}

impl From<SentAttempt> for WebhookAttempt {
    fn from(it: SentAttempt) -> Self {
        let Some(attempt) = it.attempt else { return Self::unsent(it.delivery) };
        let delivery = it.delivery;
        let succeeded = attempt.outcome == OutcomeKind::Succeeded;
        let is_last = attempt.number == delivery.attempts;
        let body = String::from_utf8_lossy(&attempt.response_body).into_owned();
        Self {
            id: delivery.id.attempt(attempt.number).to_uuid(),
            delivery_id: delivery.id.to_uuid(),
            webhook_id: delivery.endpoint.to_uuid(),
            event_id: delivery.id.event().to_uuid(),
            event_type: delivery.event_type.to_string(),
            status: if succeeded { AttemptStatus::Succeeded } else { AttemptStatus::Failed },
            retry_count: attempt.number.saturating_sub(1),
            response: attempt.status_code.map(|status| AttemptResponse { status, body }),
            error: attempt.error,
            duration_ms: attempt.took_ms,
            next_retry_at: delivery.next_attempt_at.filter(|_| is_last).map(|at| at.to_string()),
            created_at: attempt.started_at.to_string(),
        }
    }
}

impl WebhookAttempt {
    /// What ended before anything was sent.
    fn unsent(delivery: Delivery) -> Self {
        let (status, error) = match delivery.reason {
            Some(EndReason::Cancelled) => (AttemptStatus::Cancelled, "it was cancelled"),
            Some(EndReason::EndpointDeleted) => (AttemptStatus::Discarded, "forwarding had ended"),
            Some(
                EndReason::EndpointDisabled
                | EndReason::EndpointPending
                | EndReason::Exhausted
                | EndReason::Terminal,
            )
            | None => (AttemptStatus::Discarded, "forwarding was off"),
        };
        Self {
            id: delivery.id.attempt(0).to_uuid(),
            delivery_id: delivery.id.to_uuid(),
            webhook_id: delivery.endpoint.to_uuid(),
            event_id: delivery.id.event().to_uuid(),
            event_type: delivery.event_type.to_string(),
            status,
            retry_count: 0,
            response: None,
            error: Some(error.to_owned()),
            duration_ms: 0,
            next_retry_at: None,
            created_at: delivery.created_at.to_string(),
        }
    }
}
