//! What this surface reads and writes: PascalCase JSON (vendors.md §2.8).

use std::collections::BTreeMap;

use hookyard_app::endpoints::MASKED;
use hookyard_app::{AppError, EndpointDetails, EndpointPatch, NewEndpoint};
use hookyard_domain::endpoint::{DisabledReason, EndpointSettings, EndpointStatus};
use hookyard_domain::invalid::Invalid;
use hookyard_domain::secret::Secret;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::errors::Refused;

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

/// What to change of a webhook; what is left out stays. The other fields of a webhook may be sent back unchanged.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(dead_code, reason = "what moves by itself is read to be known, and passed over")]
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
    #[schema(ignore)]
    id: Option<Value>,
    #[schema(ignore)]
    company_code: Option<Value>,
    #[schema(ignore)]
    subsidiary_id: Option<Value>,
    #[schema(ignore)]
    secret: Option<Value>,
    #[schema(ignore)]
    status: Option<Value>,
    #[schema(ignore)]
    created_at: Option<Value>,
    #[schema(ignore)]
    created_by: Option<Value>,
    // What moves by itself is not held against what it is by now.
    #[schema(ignore)]
    disabled_at: Option<IgnoredAny>,
    #[schema(ignore)]
    disabled_reason: Option<IgnoredAny>,
    #[schema(ignore)]
    consecutive_failures: Option<IgnoredAny>,
    #[schema(ignore)]
    updated_at: Option<IgnoredAny>,
    #[schema(ignore)]
    updated_by: Option<IgnoredAny>,
    #[schema(ignore)]
    last_triggered_at: Option<IgnoredAny>,
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
    fn read_only(&self) -> [(&'static str, Option<&Value>); 7] {
        [
            ("Id", self.id.as_ref()),
            ("CompanyCode", self.company_code.as_ref()),
            ("SubsidiaryId", self.subsidiary_id.as_ref()),
            ("Secret", self.secret.as_ref()),
            ("Status", self.status.as_ref()),
            ("CreatedAt", self.created_at.as_ref()),
            ("CreatedBy", self.created_by.as_ref()),
        ]
    }

    /// Whether a field was given that cannot be changed here.
    pub fn has_read_only(&self) -> bool {
        self.read_only().iter().any(|(_, given)| given.is_some())
    }

    /// Refuses such fields that are not what they read.
    pub fn check_read_only(&self, webhook: &WebhookResponse) -> Result<(), Refused> {
        let shown =
            serde_json::to_value(webhook).map_err(|error| AppError::Internal(error.into()))?;
        let given = self.read_only().into_iter();
        let changed = given.filter(|(name, given)| given.is_some_and(|it| *it != shown[*name]));
        let message = |name: &str| match name {
            "Status" => "use `enable` and `disable`",
            "Secret" => "use `rotate-secret`",
            _ => "it cannot be changed",
        };
        let wrong: Vec<_> =
            changed.map(|(name, _)| Invalid::new(name, "read_only", message(name))).collect();
        if wrong.is_empty() { Ok(()) } else { Err(Refused::Fields(wrong)) }
    }

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
    /// Its subsidiary; the tenant itself when it gets the events of all.
    subsidiary_id: String,
    /// For people; the host of its URL when it was made without one.
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
    /// Why it is disabled; of a pending one, that it did not pass its verification.
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
    let reason = details.endpoint.disabled_reason.map(|it| match it {
        DisabledReason::Manual => WebhookDisabledReason::Manual,
        DisabledReason::Failures => WebhookDisabledReason::ConsecutiveFailures,
        DisabledReason::Gone => WebhookDisabledReason::Gone,
        DisabledReason::VerificationFailed => WebhookDisabledReason::VerificationFailed,
    });
    match details.endpoint.status {
        EndpointStatus::Pending => (WebhookStatus::Pending, reason),
        EndpointStatus::Active => (WebhookStatus::Active, None),
        EndpointStatus::Paused => (WebhookStatus::Disabled, Some(WebhookDisabledReason::Paused)),
        EndpointStatus::Disabled => (WebhookStatus::Disabled, reason),
    }
}

/// The subsidiary whose events it gets; where those are all, the tenant stands for them, since this is never empty.
pub fn subsidiary_id(tenant: &str, settings: &EndpointSettings) -> String {
    settings.scope.as_ref().map_or(tenant, |it| it.as_str()).to_owned()
}

/// Its name; the host it sends to where it was made without one, since this is never empty.
pub fn name(settings: &EndpointSettings) -> String {
    settings
        .name
        .clone()
        .unwrap_or_else(|| settings.url.as_url().host_str().unwrap_or_default().to_owned())
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
            subsidiary_id: subsidiary_id(tenant, &settings),
            name: name(&settings),
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
