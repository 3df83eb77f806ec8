//! What this surface reads and writes: PascalCase JSON (vendors.md §2.8).

use std::collections::BTreeMap;

use hookyard_app::endpoints::MASKED;
use hookyard_app::{EndpointDetails, EndpointPatch, LoggedAttempt, NewEndpoint};
use hookyard_domain::attempt::OutcomeKind;
use hookyard_domain::endpoint::{DisabledReason, EndpointStatus};
use hookyard_domain::secret::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The type of the handshake, which nobody can subscribe to.
pub const VERIFICATION: &str = "webhook.verification";

/// A webhook to be created.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateWebhookRequest {
    /// For people.
    #[schema(required, nullable = false, min_length = 1, example = "Production Integration")]
    name: Option<String>,
    /// Only events of this subsidiary are sent.
    #[schema(required, nullable = false, min_length = 1, example = "sub-12345")]
    subsidiary_id: Option<String>,
    /// Where events are sent.
    #[schema(
        required,
        nullable = false,
        min_length = 1,
        max_length = 2048,
        example = "https://example.com/webhooks"
    )]
    url: Option<String>,
    /// Event types, at most 50.
    #[schema(required, nullable = false, example = json!(["tender.accepted", "tender.cancelled"]))]
    events: Option<Vec<String>>,
    /// `load.changed` and `trip.changed` tell the previous value of every changed field.
    #[schema(default = false)]
    include_previous_attributes: Option<bool>,
}

/// What to change of a webhook; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateWebhookRequest {
    /// For people.
    name: Option<String>,
    /// Where events are sent. Another one must prove itself again.
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// Event types, at most 50.
    events: Option<Vec<String>>,
    /// `load.changed` and `trip.changed` tell the previous value of every changed field.
    include_previous_attributes: Option<bool>,
}

impl CreateWebhookRequest {
    /// What the application is asked for, and which fields it will find wrong because they were left out.
    pub fn into_endpoint(self) -> (NewEndpoint, Vec<&'static str>) {
        let mut missing = Vec::new();
        if self.name.is_none() {
            missing.push("Name");
        }
        if self.subsidiary_id.is_none() {
            missing.push("SubsidiaryId");
        }
        let new = NewEndpoint {
            url: self.url.unwrap_or_default(),
            events: self.events.unwrap_or_default(),
            name: Some(self.name.unwrap_or_default()),
            scope: Some(self.subsidiary_id.unwrap_or_default()),
            include_previous_attributes: self.include_previous_attributes,
            ..NewEndpoint::default()
        };
        (new, missing)
    }
}

impl UpdateWebhookRequest {
    /// What the application is asked for, if the webhook's revision is one of these.
    pub fn into_patch(self, if_revision: Option<Vec<u64>>) -> EndpointPatch {
        EndpointPatch {
            if_revision,
            url: self.url,
            events: self.events,
            name: self.name.map(Some),
            include_previous_attributes: self.include_previous_attributes.map(Some),
            ..EndpointPatch::default()
        }
    }
}

/// The state of a webhook.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub enum WebhookStatus {
    /// It has not passed its verification yet.
    Pending,
    /// It gets its events.
    Active,
    /// It gets nothing.
    Disabled,
}

/// Why a webhook is disabled.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub enum WebhookDisabledReason {
    /// By hand.
    Manual,
    /// Too many events in a row failed.
    ConsecutiveFailures,
    /// The receiver answered that it is gone.
    Gone,
    /// It did not pass its verification.
    VerificationFailed,
    /// It is paused: its events are held, and sent when it is enabled.
    Paused,
}

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WebhookResponse {
    /// Its id.
    #[schema(example = "wh_01jv0g6xwre3zb0g8v4q5n6m7k")]
    id: String,
    /// The tenant.
    company_code: String,
    /// Its subsidiary; empty when it gets the events of all.
    subsidiary_id: String,
    /// For people.
    name: String,
    /// Where events are sent.
    url: String,
    /// Its signing secret at creation and rotation, a mask otherwise; `reveal-secret` shows it.
    secret: String,
    /// Its event types.
    events: Vec<String>,
    /// Whether it gets previous values.
    include_previous_attributes: bool,
    /// Its state.
    status: WebhookStatus,
    /// Since when it is disabled.
    #[schema(format = "date-time")]
    disabled_at: Option<String>,
    /// Why it is disabled.
    disabled_reason: Option<WebhookDisabledReason>,
    /// Events in a row that failed.
    consecutive_failures: u32,
    /// When it was created.
    #[schema(format = "date-time")]
    created_at: String,
    /// Always empty: the audit log says who.
    created_by: String,
    /// When it was changed last.
    #[schema(format = "date-time")]
    updated_at: Option<String>,
    /// Always null: the audit log says who.
    updated_by: Option<String>,
    /// When an attempt ended last.
    #[schema(format = "date-time")]
    last_triggered_at: Option<String>,
}

/// The state of an endpoint in the words of this surface.
pub fn status(details: &EndpointDetails) -> (WebhookStatus, Option<WebhookDisabledReason>) {
    match details.endpoint.status {
        EndpointStatus::Pending => (WebhookStatus::Pending, None),
        EndpointStatus::Active => (WebhookStatus::Active, None),
        EndpointStatus::Paused => (WebhookStatus::Disabled, Some(WebhookDisabledReason::Paused)),
        EndpointStatus::Disabled => {
            let reason = details.endpoint.disabled_reason.map(|it| match it {
                DisabledReason::Manual => WebhookDisabledReason::Manual,
                DisabledReason::Failures => WebhookDisabledReason::ConsecutiveFailures,
                DisabledReason::Gone => WebhookDisabledReason::Gone,
                DisabledReason::VerificationFailed => WebhookDisabledReason::VerificationFailed,
            });
            (WebhookStatus::Disabled, reason)
        }
    }
}

impl WebhookResponse {
    /// A webhook of a tenant; its secret only where it may be seen.
    pub fn new(tenant: &str, details: EndpointDetails, secret: Option<&Secret>) -> Self {
        let (status, disabled_reason) = status(&details);
        let EndpointDetails { endpoint, activity, .. } = details;
        let settings = endpoint.settings;
        let changed = (endpoint.updated_at != endpoint.created_at).then_some(endpoint.updated_at);
        Self {
            id: endpoint.id.to_string(),
            company_code: tenant.to_owned(),
            subsidiary_id: settings.scope.map(|it| it.as_str().to_owned()).unwrap_or_default(),
            name: settings.name.unwrap_or_default(),
            url: settings.url.to_string(),
            secret: secret.map_or(MASKED, Secret::reveal).to_owned(),
            events: settings.events.iter().map(ToString::to_string).collect(),
            include_previous_attributes: settings.include_previous_attributes,
            status,
            disabled_at: endpoint.disabled_at.map(|it| it.to_string()),
            disabled_reason,
            consecutive_failures: activity.consecutive_failures,
            created_at: endpoint.created_at.to_string(),
            created_by: String::new(),
            updated_at: changed.map(|it| it.to_string()),
            updated_by: None,
            last_triggered_at: activity.last_delivery_at.map(|it| it.to_string()),
        }
    }
}

/// What came of a verification, and the webhook after it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct VerifyResponse {
    /// The receiver echoed the challenge.
    pub verified: bool,
    /// Why not.
    pub verification_error: Option<String>,
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookResponse,
}

/// A signing secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SecretResponse {
    /// The secret in force.
    pub secret: String,
}

/// An event type.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct EventTypeResponse {
    /// Its name.
    #[schema(example = "tender.accepted")]
    pub name: String,
    /// The group it belongs to.
    #[schema(example = "tender")]
    pub group: String,
    /// Whether a webhook can subscribe to it.
    pub subscribable: bool,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PagedResponse<T> {
    /// From 0.
    pub page: u32,
    /// Rows of a page.
    pub page_size: u32,
    /// Rows of all pages.
    pub total: u64,
    /// The rows, newest first.
    pub items: Vec<T>,
    /// How the rows of all pages fall into classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facets: Option<BTreeMap<String, Vec<Facet>>>,
}

/// One class of rows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Facet {
    /// What its rows have in common.
    pub value: String,
    /// How many there are.
    pub count: u64,
}

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
}

impl LogStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Success, Self::Failed, Self::Timeout];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
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
    /// The value of `X-Alvys-Attempt`.
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
    /// The request's method.
    pub http_method: String,
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

/// Why a request was not done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ProblemDetails {
    /// `about:blank`: the status says it all.
    #[serde(rename = "Type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// For people.
    pub detail: String,
    /// Nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

/// Why a request was not done, field by field.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ValidationProblemDetails {
    /// The problem.
    #[serde(flatten)]
    pub problem: ProblemDetails,
    /// What is wrong, by field.
    pub errors: BTreeMap<String, Vec<String>>,
}
