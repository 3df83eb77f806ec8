//! Requests and answers in Alumia's words (vendors.md §3.2, §3.3). Names of event and attempt rows are ours: no page has them.

use std::collections::BTreeSet;

use hookyard_api::json::{Headers, Json};
use hookyard_api::patch::Patch;
use hookyard_app::{ForwardInput, NewSource, SourceDetails, SourcePatch, TestSource};
use hookyard_domain::endpoint as domain;
use hookyard_domain::id::EventId;
use hookyard_domain::invalid::Invalid;
use hookyard_domain::secret::Secret;
use hookyard_domain::source::SourceStatus;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::BASE;
use super::envelope::{Items, List, Success};
use super::errors::Refused;
use super::rows::{WebhookAttempt, WebhookEvent};
use crate::ask::not_null;

/// Where a source of this surface receives.
pub fn receive_url(base_url: &str, uuid: &str) -> String {
    format!("{base_url}{BASE}/receive/{uuid}")
}

/// A webhook to be made. Members that are not known are passed over.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewWebhook {
    /// For people. Spaces around it do not count.
    #[serde(default)]
    #[schema(required = true, min_length = 1, max_length = 120, example = "Stripe events")]
    pub name: String,
    /// Where what it receives is forwarded to, a public URL; left out, `null` or empty is nowhere.
    #[schema(max_length = 2048, example = "https://my-app.example/hooks")]
    pub url: Option<String>,
    /// Types that are forwarded, exact ones or all below a prefix such as `invoice.*`; none is all. Spaces around an entry,
    /// empty entries and repetitions do not count.
    #[schema(example = json!(["payment_intent.succeeded"]))]
    pub events: Option<Vec<String>>,
    /// Who sends: the name of a provider, whose signatures are then checked, or any text for a sender of your own.
    #[schema(max_length = 100, default = "custom", example = "custom")]
    pub source: Option<String>,
    /// For people.
    #[schema(max_length = 2000)]
    pub description: Option<String>,
}

/// Changes of a webhook. What is left out stays; members that are not known are passed over.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct WebhookPatch {
    /// For people.
    #[serde(default)]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 120)]
    pub name: Patch<String>,
    /// Where what it receives is forwarded to; `null`, empty or the receive URL is nowhere.
    #[serde(default)]
    #[schema(value_type = Option<String>, required = false, max_length = 2048)]
    pub url: Patch<String>,
    /// Who sends; `null` or empty is `custom`.
    #[serde(default)]
    #[schema(value_type = Option<String>, required = false, max_length = 100)]
    pub source: Patch<String>,
    /// For people.
    #[serde(default)]
    #[schema(value_type = Option<String>, required = false, max_length = 2000)]
    pub description: Patch<String>,
    /// Types that are forwarded; `null` or none is all.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, required = false)]
    pub events: Patch<Vec<String>>,
    /// `true` is the status `active`, `false` is `disabled`.
    #[serde(default)]
    #[schema(value_type = bool, required = false)]
    pub enabled: Patch<bool>,
    /// Its state; `enabled` follows.
    #[serde(default)]
    #[schema(value_type = Status, required = false)]
    pub status: Patch<String>,
}

/// The state of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = WebhookStatus)]
pub enum Status {
    /// What it receives is recorded and forwarded.
    Active,
    /// What it receives is recorded, and forwarded when it is active again.
    Paused,
    /// It refuses everything with 403; where `disabledReason` says why forwarding alone is off, it still records.
    Disabled,
}

/// Why forwarding is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = WebhookDisabledReason)]
pub enum DisabledReason {
    /// It was switched off by hand, in the native API.
    Manual,
    /// The receiver at `url` answered 410 Gone.
    Gone,
    /// The receiver at `url` did nothing but fail.
    Failures,
    /// The receiver at `url` has not passed the challenge that the native API asked of it.
    Unverified,
}

impl From<domain::DisabledReason> for DisabledReason {
    fn from(it: domain::DisabledReason) -> Self {
        match it {
            domain::DisabledReason::Gone => Self::Gone,
            domain::DisabledReason::Failures => Self::Failures,
            domain::DisabledReason::VerificationFailed => Self::Unverified,
            domain::DisabledReason::Manual => Self::Manual,
        }
    }
}

impl From<SourceStatus> for Status {
    fn from(it: SourceStatus) -> Self {
        match it {
            SourceStatus::Active => Self::Active,
            SourceStatus::Paused => Self::Paused,
            SourceStatus::Disabled => Self::Disabled,
        }
    }
}

/// A webhook.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Its id.
    #[schema(format = "uuid", example = "0196f0e4-5e04-7c1e-8a3d-9f2b6c4d5e6f")]
    pub id: String,
    /// For people.
    #[schema(example = "Stripe events")]
    pub name: String,
    /// Where what it receives is forwarded to; the receive URL where it is not.
    #[schema(example = "https://my-app.example/hooks")]
    pub url: String,
    /// Who sends.
    #[schema(example = "custom")]
    pub source: String,
    /// For people.
    pub description: Option<String>,
    /// Types that are forwarded; none is all.
    #[schema(example = json!(["payment_intent.succeeded"]))]
    pub events: Vec<String>,
    /// Its state.
    pub status: Status,
    /// Whether it is active.
    pub enabled: bool,
    /// Why nothing is forwarded, while what it receives is recorded; setting `status` to `active` takes it up again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<DisabledReason>,
    /// How many events were forwarded to `url`, or are being tried again.
    pub delivery_count: u64,
    /// When it was tried to forward one last.
    #[schema(format = "date-time")]
    pub last_delivery_at: Option<String>,
    /// When it was made.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
    /// When it was changed last.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub updated_at: String,
    /// Where the third party sends its requests: the origin of this request, and the webhook's id.
    #[schema(
        example = "https://alumia.com/api/v1/webhooks/receive/0196f0e4-5e04-7c1e-8a3d-9f2b6c4d5e6f"
    )]
    pub receive_url: String,
    /// The signing secret: at creation and rotation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: Option<String>,
}

/// That a webhook is gone.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Deleted {
    /// Always `true`.
    pub deleted: bool,
}

/// How much of a list is wanted. Read as texts, so that a wrong one can be named.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// How many rows the page has at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 250, default = 50)]
    pub limit: Option<String>,
    /// The `nextCursor` of the page before.
    pub cursor: Option<String>,
}

/// A synthetic event to be sent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestWebhook {
    /// Which webhook is to receive it.
    #[serde(default)]
    #[schema(required = true, format = "uuid")]
    pub webhook_id: String,
    /// Its type, also as `type` or `eventType`; one that the webhook forwards when left out.
    #[serde(alias = "type", alias = "eventType")]
    #[schema(max_length = 128, example = "payment_intent.succeeded")]
    pub event: Option<String>,
    /// Its payload, any JSON; one of ours when left out.
    #[schema(value_type = Option<serde_json::Value>)]
    pub payload: Option<Json>,
}

/// A signed payload to be checked.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyPayload {
    /// Whose secret it is checked with.
    #[serde(default)]
    #[schema(required = true, format = "uuid")]
    pub webhook_id: String,
    /// The body, byte for byte.
    pub payload: String,
    /// The headers it came with.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub headers: Headers,
}

/// Whether a payload would be taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Verification {
    /// It would.
    pub valid: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// What was recorded.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Received {
    /// The event's id.
    #[schema(format = "uuid")]
    pub id: String,
    /// It had been received before, and nothing was recorded anew.
    pub duplicate: bool,
}

/// Answers, by the names the document has for them.
pub type WebhookAnswer = Success<Webhook>;
/// A page of webhooks.
pub type WebhookListAnswer = Success<List<Webhook>>;
/// A page of events.
pub type WebhookEventListAnswer = Success<List<WebhookEvent>>;
/// The newest events over all webhooks.
pub type RecentWebhookEventsAnswer = Success<Items<WebhookEvent>>;
/// A page of attempts.
pub type WebhookAttemptListAnswer = Success<List<WebhookAttempt>>;
/// What was recorded.
pub type ReceivedAnswer = Success<Received>;
/// Whether a payload would be taken.
pub type VerificationAnswer = Success<Verification>;

impl Received {
    /// An event, and whether it had been received before.
    #[must_use]
    pub fn new(id: EventId, duplicate: bool) -> Self {
        Self { id: id.to_uuid(), duplicate }
    }
}

impl From<NewWebhook> for NewSource {
    fn from(it: NewWebhook) -> Self {
        Self {
            name: it.name.trim().to_owned(),
            provider: filled(it.source),
            events: it.events.map(normalized),
            description: it.description.filter(|it| !it.is_empty()),
            forward: filled(it.url).map(|url| ForwardInput { url }),
            ..Self::default()
        }
    }
}

impl WebhookPatch {
    /// The change of a source that receives at `own`, whatever of these the caller calls it.
    ///
    /// # Errors
    /// When a field is `null` that has no default, or two fields contradict each other.
    pub fn read(self, own: &[String]) -> Result<SourcePatch, Refused> {
        let mut wrong = Vec::new();
        let name = not_null(&mut wrong, "/name", self.name).map(|it| it.trim().to_owned());
        let status = not_null(&mut wrong, "/status", self.status);
        let enabled = not_null(&mut wrong, "/enabled", self.enabled);
        let active = SourceStatus::Active.as_str();
        if let (Some(status), Some(enabled)) = (&status, enabled)
            && enabled != (status == active)
        {
            let message = format!("it contradicts the `status` `{status}`; give one of them");
            wrong.push(Invalid::new("/enabled", "contradiction", message));
        }
        if !wrong.is_empty() {
            return Err(Refused::Fields(wrong));
        }
        let by_flag = |it| if it { active } else { SourceStatus::Disabled.as_str() };
        let forward = self.url.into_option().map(|url| {
            filled(url).filter(|url| !is_one_of(url, own)).map(|url| ForwardInput { url })
        });
        Ok(SourcePatch {
            name,
            provider: self.source.into_option().map(filled),
            events: self.events.into_option().map(|it| it.map(normalized)),
            description: self.description.into_option().map(|it| it.filter(|it| !it.is_empty())),
            status: status.or_else(|| enabled.map(|it| by_flag(it).to_owned())),
            forward,
            ..SourcePatch::default()
        })
    }
}

/// A text without the spaces around it; an empty one is none.
fn filled(text: Option<String>) -> Option<String> {
    text.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
}

/// Entries without the spaces around them, none empty, none twice.
fn normalized(events: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let trimmed = events.into_iter().map(|it| it.trim().to_owned());
    trimmed.filter(|it| !it.is_empty() && seen.insert(it.clone())).collect()
}

/// Whether a URL is one of those, whatever its scheme, case and last slash: forwarding there would go in circles.
fn is_one_of(url: &str, own: &[String]) -> bool {
    let bare = |url: &str| {
        let url = url.trim_end_matches('/').to_ascii_lowercase();
        url.split_once("://").map_or(url.clone(), |(_, rest)| rest.to_owned())
    };
    own.iter().any(|it| bare(it) == bare(url))
}

impl Webhook {
    /// A webhook as the caller who reached us at `base_url` sees it.
    #[must_use]
    pub fn new(it: SourceDetails, base_url: &str) -> Self {
        let (status, disabled_reason) = (it.status(), it.forwarding_off());
        let (id, settings) = (it.source.id.to_uuid(), it.source.settings);
        let receive_url = receive_url(base_url, &id);
        let url = it.forward.as_ref().map(|(endpoint, _)| endpoint.settings.url.to_string());
        let activity = it.forward.map(|(_, activity)| activity).unwrap_or_default();
        Self {
            id,
            name: settings.name,
            url: url.unwrap_or_else(|| receive_url.clone()),
            source: settings.provider,
            description: settings.description,
            events: settings.events.iter().map(ToString::to_string).collect(),
            status: status.into(),
            enabled: status == SourceStatus::Active,
            disabled_reason: disabled_reason.map(Into::into),
            delivery_count: activity.delivery_count,
            last_delivery_at: activity.last_delivery_at.map(|at| at.to_string()),
            created_at: it.source.created_at.to_string(),
            updated_at: it.source.updated_at.to_string(),
            receive_url,
            secret: None,
        }
    }

    /// The same, with the one chance to see its secret.
    #[must_use]
    pub fn with_secret(self, secret: Option<&Secret>) -> Self {
        Self { secret: secret.map(|it| it.reveal().to_owned()), ..self }
    }
}

impl TestWebhook {
    /// What the source is to receive.
    #[must_use]
    pub fn into_test(self) -> TestSource {
        let payload = self.payload.map(|it| it.text().to_owned().into());
        TestSource { event_type: filled(self.event), payload }
    }
}
