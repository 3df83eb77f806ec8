//! Jobs: work on many deliveries that somebody asked for, done bit by bit.

use serde::{Deserialize, Serialize};

use crate::delivery::DeliveryStatus;
use crate::endpoint::EndpointNo;
use crate::id::{EndpointId, JobId};
use crate::tenant::TenantNo;
use crate::time::Timestamp;

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobStatus {
    /// It goes on.
    Running,
    /// It has done all there was to do.
    Done,
    /// Somebody cancelled it; what it has done stays done.
    Cancelled,
    /// It cannot go on.
    Failed,
}

impl JobStatus {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// Deliveries of one endpoint that are to be made due again, the oldest event first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// In one of these states; what is `Succeeded` or `Sending` is never made due again.
    pub statuses: Vec<DeliveryStatus>,
    /// Of events accepted at or after.
    pub since: Timestamp,
    /// Of events accepted before.
    pub until: Timestamp,
    /// Deliveries a second at most.
    pub rate_per_s: u32,
    /// No more than the first so many.
    pub limit: Option<u64>,
}

/// A job as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub tenant: TenantNo,
    /// The endpoint whose deliveries it works on; it may be gone.
    pub endpoint: EndpointId,
    /// The same by number.
    pub endpoint_no: EndpointNo,
    /// What it does.
    pub recovery: Recovery,
    /// Its state.
    pub status: JobStatus,
    /// How many deliveries there were to work on when it was made.
    pub total: u64,
    /// How many it has worked on.
    pub done: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}
