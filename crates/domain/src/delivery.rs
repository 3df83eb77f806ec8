//! Deliveries: one event owed to one endpoint, and the states that can take.

use serde::{Deserialize, Serialize};

use crate::attempt::Trigger;
use crate::endpoint::EndpointNo;
use crate::event_type::EventType;
use crate::id::{DeliveryId, EndpointId};
use crate::time::Timestamp;

/// The state of a delivery (contract §3). The moves between them are drawn in ARCHITECTURE.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Owed: in a lane, waiting for its retry, or held.
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

impl DeliveryStatus {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Sending,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Discarded,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Discarded => "discarded",
        }
    }

    /// Nothing more happens by itself.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Pending | Self::Sending => false,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Discarded => true,
        }
    }
}

/// Why a delivery ended without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
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

impl EndReason {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Terminal => "terminal",
            Self::Cancelled => "cancelled",
            Self::EndpointDisabled => "endpoint_disabled",
            Self::EndpointPending => "endpoint_pending",
            Self::EndpointDeleted => "endpoint_deleted",
        }
    }
}

/// What becomes of a delivery after something happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Done.
    Succeeded,
    /// Tried again at this time.
    RetryAt(Timestamp),
    /// Given up.
    Failed(EndReason),
    /// Not sent, since the endpoint is off or gone.
    Discarded(EndReason),
}

/// A delivery as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The endpoint's id (it may be gone).
    pub endpoint: EndpointId,
    /// The endpoint's number.
    pub endpoint_no: EndpointNo,
    /// The event's type.
    pub event_type: EventType,
    /// Its state. The store never says `Sending`: only the engine knows.
    pub status: DeliveryStatus,
    /// Why it ended, when it did without success.
    pub reason: Option<EndReason>,
    /// Attempts made.
    pub attempts: u32,
    /// The last answer's status code.
    pub last_status_code: Option<u16>,
    /// When the next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
    /// When its event was accepted, or the replay asked for.
    pub created_at: Timestamp,
    /// When something happened to it last.
    pub updated_at: Timestamp,
    /// What set off its next or last attempt.
    pub trigger: Trigger,
}
