//! Rows of the delivery log and what is counted from them, as this surface writes them (vendors.md §2.8).

use hookyard_app::LoggedAttempt;
use hookyard_domain::attempt::OutcomeKind;
use hookyard_domain::delivery::Delivery;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::WebhookStatus;

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogStatus {
    /// The receiver answered with success.
    Success,
    /// It answered something else, or could not be reached.
    Failed,
    /// It did not answer in time.
    Timeout,
    /// It was not sent, since the webhook was off.
    Skipped,
}

impl LogStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Success, Self::Failed, Self::Timeout, Self::Skipped];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Skipped => "skipped",
        }
    }

    /// The class of an outcome.
    pub const fn of(outcome: OutcomeKind) -> Self {
        match outcome {
            OutcomeKind::Succeeded => Self::Success,
            OutcomeKind::Timeout => Self::Timeout,
            OutcomeKind::HttpError
            | OutcomeKind::Connect
            | OutcomeKind::Tls
            | OutcomeKind::Dns
            | OutcomeKind::Blocked
            | OutcomeKind::TooLarge => Self::Failed,
        }
    }
}

/// One attempt.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DeliveryLog {
    /// Its id.
    #[schema(example = "att_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// The event: the value of `X-Alvys-Event-Id`.
    pub event_id: String,
    /// The event's type.
    pub event_type: String,
    /// What came of it.
    pub status: LogStatus,
    /// The answer's status code.
    pub http_status_code: Option<u16>,
    /// How long it took.
    pub duration_ms: u32,
    /// The value of `X-Alvys-Attempt`; 0 of what was skipped.
    pub attempt_number: u32,
    /// When it began.
    #[schema(format = "date-time")]
    pub timestamp: String,
    /// The webhook's URL as it is now.
    pub consumer_url: String,
    /// Why it failed.
    pub error_message: Option<String>,
}

impl DeliveryLog {
    /// The row of what was not sent.
    pub fn skipped(delivery: &Delivery, url: &str) -> Self {
        Self {
            id: delivery.id.attempt(0).to_string(),
            event_id: delivery.id.event().to_string(),
            event_type: delivery.event_type.to_string(),
            status: LogStatus::Skipped,
            http_status_code: None,
            duration_ms: 0,
            attempt_number: 0,
            timestamp: delivery.created_at.to_string(),
            consumer_url: url.to_owned(),
            error_message: Some("The webhook was off.".to_owned()),
        }
    }

    /// The row of an attempt.
    pub fn new(attempt: LoggedAttempt, url: &str) -> Self {
        Self {
            id: attempt.delivery.attempt(attempt.number).to_string(),
            event_id: attempt.delivery.event().to_string(),
            event_type: attempt.event_type.to_string(),
            status: LogStatus::of(attempt.outcome),
            http_status_code: attempt.status_code,
            duration_ms: attempt.took_ms,
            attempt_number: attempt.number,
            timestamp: attempt.started_at.to_string(),
            consumer_url: url.to_owned(),
            error_message: attempt.error,
        }
    }
}

/// One attempt with what was said.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DeliveryLogDetail {
    /// The row.
    #[serde(flatten)]
    pub log: DeliveryLog,
    /// The request's method; null of what was skipped.
    pub http_method: Option<String>,
    /// When the event happened.
    #[schema(format = "date-time")]
    pub event_timestamp: Option<String>,
    /// The answer's first 4 KiB.
    pub response_body: Option<String>,
    /// What the event is about: the first word of its type.
    pub entity_type: String,
    /// The id of that, as far as the event's data names it.
    pub entity_id: String,
}

/// How a webhook has been doing.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WebhookHealth {
    /// The webhook.
    pub webhook_id: String,
    /// Its name.
    pub webhook_name: String,
    /// What is counted.
    pub period: HealthPeriod,
    /// The numbers.
    pub metrics: HealthMetrics,
    /// The last attempt of the period.
    pub last_delivery: Option<LastDelivery>,
    /// Events in a row that failed.
    pub consecutive_failures: u32,
    /// Its state.
    pub status: WebhookStatus,
}

/// A period: events accepted in it are counted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct HealthPeriod {
    /// How long it was asked to be.
    pub days: u32,
    /// Where it begins: later than asked for when there are more than 25,000 attempts, of which the newest are counted.
    #[schema(format = "date-time")]
    pub start_date: String,
    /// Where it ends.
    #[schema(format = "date-time")]
    pub end_date: String,
}

/// The attempts of a period, counted.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct HealthMetrics {
    /// All of them.
    pub total_attempts: u64,
    /// Those that succeeded.
    pub success_count: u64,
    /// Those that failed otherwise than by a time-out.
    pub failure_count: u64,
    /// Those that timed out.
    pub timeout_count: u64,
    /// Events that were not sent, since the webhook was off.
    pub skipped_count: u64,
    /// Per cent of the attempts that succeeded; 0 when there were none.
    pub success_rate: f64,
    /// How long an attempt took on average.
    pub avg_duration_ms: f64,
    /// How long the longest one took.
    pub max_duration_ms: u32,
}

/// The last attempt.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct LastDelivery {
    /// When it began.
    #[schema(format = "date-time")]
    pub timestamp: String,
    /// What came of it.
    pub status: LogStatus,
    /// Its event's type.
    pub event_type: String,
}
