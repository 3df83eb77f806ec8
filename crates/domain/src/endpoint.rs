//! Endpoints: outbound subscriptions, their settings and states.

use serde::{Deserialize, Serialize};

use crate::id::{EndpointId, SourceId};
use crate::profile::Profile;
use crate::retry::{AutoDisable, RateLimit, RetryPolicy, Verify};
use crate::secret::{Sealed, SealedSecrets};
use crate::subscription::{Pattern, Scope};
use crate::tenant::TenantNo;
use crate::time::Timestamp;
use crate::url::EndpointUrl;

/// The number the store gave an endpoint; never shown, never used again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointNo(pub u32);

/// What an endpoint's owner chose. `None` is the profile's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointSettings {
    /// Where deliveries go.
    pub url: EndpointUrl,
    /// Which types it wants, at least one.
    pub events: Vec<Pattern>,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Only events of this scope; `None` is every scope.
    pub scope: Option<Scope>,
    /// Only events that this source received; `None` is events from anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
    /// Wire format and policy.
    pub profile: Profile,
    /// When to try again.
    pub retry: Option<RetryPolicy>,
    /// Seconds one attempt may take.
    pub timeout_s: Option<u32>,
    /// How fast it may be called.
    pub rate_limit: Option<RateLimit>,
    /// One after the other, in the order they were accepted; a failing one holds the rest back.
    pub ordered: bool,
    /// Attempts at once.
    pub max_in_flight: Option<u32>,
    /// It asked for `data.diff.previousAttributes` (vendors.md ALV-DIFF-4).
    pub include_previous_attributes: bool,
    /// When it is switched off by itself.
    pub auto_disable: Option<AutoDisable>,
    /// Whether it must prove itself.
    pub verify: Option<Verify>,
    /// The owner's own JSON object, as text.
    pub metadata: Option<String>,
}

impl EndpointSettings {
    /// One node alone sends to it, of however many there are: it keeps its order, or a rate.
    #[must_use]
    pub const fn has_one_sender(&self) -> bool {
        self.ordered || self.rate_limit.is_some()
    }
}

/// The state of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointStatus {
    /// It has not proved itself yet: gets nothing.
    Pending,
    /// It gets what it subscribed to.
    Active,
    /// What it is owed is held, and sent in order when it is resumed.
    Paused,
    /// What it would have got is discarded, and listed with the reason.
    Disabled,
}

impl EndpointStatus {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

/// Why an endpoint is disabled; a pending one has a reason too once it did not pass its challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// By hand.
    Manual,
    /// The receiver answered 410 Gone.
    Gone,
    /// Nothing but failures for too long.
    Failures,
    /// It did not pass its challenge.
    VerificationFailed,
}

impl DisabledReason {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Gone => "gone",
            Self::Failures => "failures",
            Self::VerificationFailed => "verification_failed",
        }
    }
}

/// An endpoint as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The store's number; 0 until it is created.
    pub no: EndpointNo,
    /// Its id.
    pub id: EndpointId,
    /// Whose it is.
    pub tenant: TenantNo,
    /// What its owner chose.
    pub settings: EndpointSettings,
    /// Custom headers: a JSON object of names and values, sealed, since they may hold credentials.
    pub headers: Option<Sealed>,
    /// Signing secrets.
    pub secrets: SealedSecrets,
    /// Its state.
    pub status: EndpointStatus,
    /// Why it is disabled, when it is.
    pub disabled_reason: Option<DisabledReason>,
    /// When it was disabled.
    pub disabled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Counts its changes; an update names the revision it saw.
    pub revision: u64,
}

/// What is counted of an endpoint as its deliveries go by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Deliveries that ended or are being retried.
    pub delivery_count: u64,
    /// When an attempt ended last.
    pub last_delivery_at: Option<Timestamp>,
    /// Events in a row that ended without success.
    pub consecutive_failures: u32,
    /// Since when every attempt failed; `None` after a success.
    pub failing_since: Option<Timestamp>,
}
