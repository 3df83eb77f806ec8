//! Endpoints: outbound subscriptions.

use hookyard_domain::endpoint as domain;
use hookyard_domain::headers::Headers as DomainHeaders;
use hookyard_domain::secret::Secret;
use hookyard_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::attempts::Attempt;
use crate::json::{Headers, Json, Object, Texts, TextsSchema};
use crate::patch::Patch;
use crate::policies::{
    AutoDisable, AutoDisableForm, AutoDisableSchema, Profile, RateLimit, RateLimitForm, Retry,
    RetryForm, Verify,
};

mirror! {
    /// The state of an endpoint.
    EndpointStatus = domain::EndpointStatus {
        /// It has not proved itself yet: gets nothing.
        Pending,
        /// It gets what it subscribed to.
        Active,
        /// What it is owed is held, and sent in order when it is resumed.
        Paused,
        /// What it would have got is discarded, and listed with the reason.
        Disabled,
    }
}

mirror! {
    /// Why an endpoint is disabled.
    DisabledReason = domain::DisabledReason {
        /// By hand.
        Manual,
        /// The receiver answered 410 Gone.
        Gone,
        /// Nothing but failures for too long.
        Failures,
        /// It did not pass its challenge.
        VerificationFailed,
    }
}

/// The policy of an endpoint that is in force.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// When a delivery is tried again.
    pub retry: Retry,
    /// Seconds one attempt may take.
    pub timeout_s: u32,
    /// How fast it may be called; `null` is as fast as it answers.
    pub rate_limit: Option<RateLimit>,
    /// Attempts at once.
    pub max_in_flight: u32,
    /// When it is switched off by itself.
    #[schema(value_type = AutoDisableSchema)]
    pub auto_disable: AutoDisable,
    /// Whether it must prove itself.
    pub verify: Verify,
}

/// An endpoint. A setting that is `null` has the value of its profile.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Endpoint {
    /// Its id.
    #[schema(example = "wh_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// Where deliveries go.
    #[schema(format = "uri", example = "https://example.com/hooks")]
    pub url: String,
    /// Which types it wants.
    #[schema(example = json!(["order.*"]))]
    pub events: Vec<String>,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Only events of this scope; `null` is every scope.
    pub scope: Option<String>,
    /// Wire format and policy.
    pub profile: Profile,
    /// Headers that go out with every delivery; values that look like credentials are masked. `null` when they cannot be
    /// opened with the master key; set them anew then.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    pub headers: Option<Headers>,
    /// When a delivery is tried again.
    pub retry: Option<Retry>,
    /// Seconds one attempt may take.
    pub timeout_s: Option<u32>,
    /// How fast it may be called.
    pub rate_limit: Option<RateLimit>,
    /// One after the other, in the order they were accepted.
    pub ordered: bool,
    /// Attempts at once.
    pub max_in_flight: Option<u32>,
    /// It gets `data.diff.previousAttributes` where the profile knows that.
    pub include_previous_attributes: bool,
    /// When it is switched off by itself.
    #[schema(value_type = Option<AutoDisableSchema>)]
    pub auto_disable: Option<AutoDisable>,
    /// Whether it must prove itself.
    pub verify: Option<Verify>,
    /// What is in force: the owner's choice where there is one, else the profile's.
    pub policy: Policy,
    /// The owner's own object.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Json>,
    /// Its state.
    pub status: EndpointStatus,
    /// Why it is disabled, when it is; of a pending one, that it did not pass its challenge.
    pub disabled_reason: Option<DisabledReason>,
    /// Events in a row that ended without success.
    pub consecutive_failures: u32,
    /// When it was made.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
    /// When it was changed last.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub updated_at: String,
    /// When an attempt ended last.
    #[schema(format = "date-time")]
    pub last_delivery_at: Option<String>,
    /// Deliveries so far.
    pub delivery_count: u64,
    /// Until when the secret before the last rotation signs too, while they overlap.
    #[schema(format = "date-time", example = "2026-05-20T08:35:14.000Z")]
    pub previous_secret_expires_at: Option<String>,
    /// What its receiver checks signatures with, where the secret in force is a `whsk_` one: no secret itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=")]
    pub public_key: Option<String>,
    /// The signing secret, only in the answer that made or rotated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: Option<String>,
}

/// A page of endpoints.
pub type EndpointPage = crate::page::Page<Endpoint>;

impl Endpoint {
    /// The wire form of an endpoint, what is counted of it, its custom headers, and until when its secrets overlap.
    #[must_use]
    pub fn new(
        endpoint: domain::Endpoint,
        activity: domain::Activity,
        headers: Option<DomainHeaders>,
        policy: Policy,
        overlap_until: Option<Timestamp>,
    ) -> Self {
        let settings = endpoint.settings;
        Self {
            id: endpoint.id.to_string(),
            url: settings.url.to_string(),
            events: settings.events.iter().map(ToString::to_string).collect(),
            name: settings.name,
            description: settings.description,
            scope: settings.scope.map(|it| it.as_str().to_owned()),
            profile: settings.profile.into(),
            headers: headers.map(Into::into),
            retry: settings.retry.map(Into::into),
            timeout_s: settings.timeout_s,
            rate_limit: settings.rate_limit.map(Into::into),
            ordered: settings.ordered,
            max_in_flight: settings.max_in_flight,
            include_previous_attributes: settings.include_previous_attributes,
            auto_disable: settings.auto_disable.map(AutoDisable),
            verify: settings.verify.map(Into::into),
            policy,
            metadata: settings.metadata.as_deref().and_then(Json::read),
            status: endpoint.status.into(),
            disabled_reason: endpoint.disabled_reason.map(Into::into),
            consecutive_failures: activity.consecutive_failures,
            created_at: endpoint.created_at.to_string(),
            updated_at: endpoint.updated_at.to_string(),
            last_delivery_at: activity.last_delivery_at.map(|at| at.to_string()),
            delivery_count: activity.delivery_count,
            previous_secret_expires_at: overlap_until.map(|at| at.to_string()),
            public_key: None,
            secret: None,
        }
    }

    /// The same with the key that its receiver needs, if it has one.
    #[must_use]
    pub fn with_public_key(mut self, key: Option<String>) -> Self {
        self.public_key = key;
        self
    }

    /// The same with its secret shown, once.
    #[must_use]
    pub fn with_secret(mut self, secret: Option<&Secret>) -> Self {
        self.secret = secret.map(|it| it.reveal().to_owned());
        self
    }
}

/// An endpoint to be made. What is left out has the value of the profile.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    /// Where deliveries go.
    #[serde(default)]
    #[schema(
        required = true,
        max_length = 2048,
        format = "uri",
        example = "https://example.com/hooks"
    )]
    pub url: String,
    /// Which types it wants: exact types, prefix patterns such as `order.*`, or `*` for all.
    #[serde(default)]
    #[schema(required = true, value_type = TextsSchema, example = json!(["order.*"]))]
    pub events: Texts,
    /// For people.
    #[schema(min_length = 1, max_length = 120, example = "Warehouse")]
    pub name: Option<String>,
    /// For people.
    #[schema(min_length = 1, max_length = 2000)]
    pub description: Option<String>,
    /// Only events of this scope; left out is every scope.
    #[schema(min_length = 1, max_length = 128)]
    pub scope: Option<String>,
    /// Wire format and policy; left out is the tenant's.
    #[schema(value_type = Option<Profile>)]
    pub profile: Option<String>,
    /// The signing secret; left out is a fresh one in the form of the profile. Empty is none at all, where the profile
    /// does without (`aryeo`).
    #[schema(max_length = 512)]
    pub secret: Option<String>,
    /// Headers that go out with every delivery.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    pub headers: Option<Headers>,
    /// When a delivery is tried again.
    #[schema(value_type = Option<Retry>)]
    pub retry: Option<Object<RetryForm>>,
    /// Seconds one attempt may take.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 120)]
    pub timeout_s: Option<i64>,
    /// How fast it may be called.
    #[schema(value_type = Option<RateLimit>)]
    pub rate_limit: Option<Object<RateLimitForm>>,
    /// One after the other, in the order they were accepted; a failing one holds the rest back.
    #[schema(default = false)]
    pub ordered: Option<bool>,
    /// Attempts at once.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 64)]
    pub max_in_flight: Option<i64>,
    /// Give `data.diff.previousAttributes` to it.
    #[schema(default = false)]
    pub include_previous_attributes: Option<bool>,
    /// When it is switched off by itself.
    #[schema(value_type = Option<AutoDisableSchema>)]
    pub auto_disable: Option<AutoDisableForm>,
    /// Whether it must prove itself before it gets anything.
    #[schema(value_type = Option<Verify>)]
    pub verify: Option<String>,
    /// Your own object; kept, never read.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Json>,
}

/// Changes of an endpoint; what is left out stays, `null` sets back to the profile's value.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointPatch {
    /// Where deliveries go.
    #[serde(default)]
    #[schema(value_type = String, max_length = 2048, format = "uri", example = "https://example.com/hooks")]
    pub url: Patch<String>,
    /// Which types it wants.
    #[serde(default)]
    #[schema(value_type = TextsSchema, required = false, example = json!(["order.*"]))]
    pub events: Patch<Texts>,
    /// For people.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    pub name: Patch<String>,
    /// For people.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000)]
    pub description: Patch<String>,
    /// Only events of this scope; `null` is every scope.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
    pub scope: Patch<String>,
    /// Wire format and policy; `null` is the tenant's.
    #[serde(default)]
    #[schema(value_type = Option<Profile>)]
    pub profile: Patch<String>,
    /// Headers that go out with every delivery; replaces all of them.
    #[serde(default)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    pub headers: Patch<Headers>,
    /// When a delivery is tried again.
    #[serde(default)]
    #[schema(value_type = Option<Retry>)]
    pub retry: Patch<Object<RetryForm>>,
    /// Seconds one attempt may take.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 120)]
    pub timeout_s: Patch<i64>,
    /// How fast it may be called.
    #[serde(default)]
    #[schema(value_type = Option<RateLimit>)]
    pub rate_limit: Patch<Object<RateLimitForm>>,
    /// One after the other.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub ordered: Patch<bool>,
    /// Attempts at once.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    pub max_in_flight: Patch<i64>,
    /// Give `data.diff.previousAttributes` to it.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub include_previous_attributes: Patch<bool>,
    /// When it is switched off by itself.
    #[serde(default)]
    #[schema(value_type = Option<AutoDisableSchema>)]
    pub auto_disable: Patch<AutoDisableForm>,
    /// Whether it must prove itself.
    #[serde(default)]
    #[schema(value_type = Option<Verify>)]
    pub verify: Patch<String>,
    /// Your own object; replaces it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub metadata: Patch<Json>,
}

/// How a secret is rotated. An empty body does it with the profile's overlap.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// Seconds during which both secrets sign; left out is the profile's overlap.
    #[schema(value_type = Option<u32>, maximum = 604_800, example = 86_400)]
    pub overlap_s: Option<i64>,
    /// The secret to be in force; left out is a fresh one in the form of the profile. Empty is none at all, where the
    /// profile does without (`aryeo`).
    #[schema(max_length = 512)]
    pub secret: Option<String>,
}

/// A secret in the open.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RevealedSecret {
    /// The signing secret in force.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
}

/// What a test sends. An empty body sends a sample.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestEndpoint {
    /// The event type; left out is the first exact type the endpoint wants, else `test` below its first prefix (of
    /// `order.*`: `order.test`), else `test`.
    #[serde(rename = "type")]
    #[schema(
        max_length = 128,
        pattern = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$",
        example = "order.created"
    )]
    pub event_type: Option<String>,
    /// The event's data; left out is the sample of its type, or a small object.
    #[schema(value_type = serde_json::Value, required = false, example = json!({"id": "ord_1"}))]
    pub data: Option<Json>,
}

/// What came of a test.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TestResult {
    /// The id of the event that was sent.
    #[schema(example = "evt_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub event_id: String,
    /// The id of its delivery.
    #[schema(example = "dlv_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub delivery_id: String,
    /// Whether the receiver answered with success.
    pub succeeded: bool,
    /// The one attempt.
    pub attempt: Attempt,
}

/// What came of a challenge.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VerifyResult {
    /// Whether the endpoint proved itself.
    pub verified: bool,
    /// Why not.
    pub reason: Option<String>,
    /// What the receiver answered, if it did.
    pub status_code: Option<u16>,
    /// The endpoint as it is after.
    pub endpoint: Endpoint,
}
