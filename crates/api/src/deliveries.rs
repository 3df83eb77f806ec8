//! Deliveries: one event owed to one endpoint.

use hookyard_domain::delivery as domain;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::attempts::Trigger;

mirror! {
    /// The state of a delivery.
    DeliveryStatus = domain::DeliveryStatus {
        /// Owed: waiting for its turn or its retry, or held.
        Pending,
        /// An attempt is under way.
        Sending,
        /// The receiver answered with success.
        Succeeded,
        /// No attempt is left, or the answer was final.
        Failed,
        /// Somebody cancelled it.
        Cancelled,
        /// The endpoint was off or gone.
        Discarded,
    }
}

mirror! {
    /// Why a delivery ended without success.
    EndReason = domain::EndReason {
        /// Every attempt the policy allows failed.
        Exhausted,
        /// The receiver's answer was final.
        Terminal,
        /// Somebody cancelled it.
        Cancelled,
        /// The endpoint was disabled.
        EndpointDisabled,
        /// The endpoint had not proved itself yet.
        EndpointPending,
        /// The endpoint was deleted.
        EndpointDeleted,
    }
}

/// A delivery.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Its id.
    #[schema(example = "dlv_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// The event that is delivered.
    #[schema(example = "evt_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub event_id: String,
    /// The type of the event.
    #[schema(example = "order.created")]
    pub event_type: String,
    /// The endpoint it goes to; it may be gone.
    #[schema(example = "wh_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub endpoint_id: String,
    /// Its state.
    pub status: DeliveryStatus,
    /// Why it ended, when it did without success.
    pub reason: Option<EndReason>,
    /// Attempts made.
    pub attempts: u32,
    /// The last answer's status code.
    pub last_status_code: Option<u16>,
    /// When the next attempt is due.
    #[schema(format = "date-time")]
    pub next_attempt_at: Option<String>,
    /// What set off its next or last attempt.
    pub trigger: Trigger,
    /// When its event was accepted, or the replay asked for.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
    /// When something happened to it last.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub updated_at: String,
}

/// A page of deliveries.
pub type DeliveryPage = crate::page::Page<Delivery>;

impl From<domain::Delivery> for Delivery {
    fn from(it: domain::Delivery) -> Self {
        Self {
            id: it.id.to_string(),
            event_id: it.id.event().to_string(),
            event_type: it.event_type.to_string(),
            endpoint_id: it.endpoint.to_string(),
            status: it.status.into(),
            reason: it.reason.map(Into::into),
            attempts: it.attempts,
            last_status_code: it.last_status_code,
            next_attempt_at: it.next_attempt_at.map(|at| at.to_string()),
            trigger: it.trigger.into(),
            created_at: it.created_at.to_string(),
            updated_at: it.updated_at.to_string(),
        }
    }
}

/// Which deliveries are listed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// To this endpoint, even a deleted one.
    pub endpoint: Option<String>,
    /// In this state.
    #[param(value_type = Option<DeliveryStatus>)]
    pub status: Option<String>,
    /// Of events of this type, or below a prefix such as `order.*`.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// Of events accepted at or after this time.
    #[param(format = "date-time")]
    pub since: Option<String>,
    /// Of events accepted before this time.
    #[param(format = "date-time")]
    pub until: Option<String>,
}

/// The form of an export.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `csv` or `ndjson`.
    #[param(value_type = Option<ExportFormat>, inline)]
    pub format: Option<String>,
}

/// The forms an export can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Comma-separated values with a header line.
    #[default]
    Csv,
    /// One JSON object per line.
    Ndjson,
}
