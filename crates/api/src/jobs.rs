//! Jobs: work on many deliveries that goes on by itself.

use hookyard_domain::job as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mirror! {
    /// The state of a job.
    JobStatus = domain::JobStatus {
        /// It goes on.
        Running,
        /// It has done all there was to do.
        Done,
        /// Somebody cancelled it; what it has done stays done.
        Cancelled,
        /// It cannot go on; `error` says why.
        Failed,
    }
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Makes deliveries of one endpoint due again, the oldest event first.
    Recover,
}

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its id.
    #[schema(example = "job_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// What it does.
    pub kind: JobKind,
    /// Its state.
    pub status: JobStatus,
    /// The endpoint whose deliveries it works on; it may be gone.
    #[schema(example = "wh_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub endpoint_id: String,
    /// How many deliveries there are to work on.
    pub total: u64,
    /// How many it has made due.
    pub done: u64,
    /// Deliveries a second at most.
    pub rate_per_s: u32,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was made.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
    /// When it ended.
    #[schema(format = "date-time")]
    pub finished_at: Option<String>,
}

/// A page of jobs.
pub type JobPage = crate::page::Page<Job>;

impl From<domain::Job> for Job {
    fn from(it: domain::Job) -> Self {
        Self {
            id: it.id.to_string(),
            kind: JobKind::Recover,
            status: it.status.into(),
            endpoint_id: it.endpoint.to_string(),
            // Some may have failed since they were counted.
            total: it.total.max(it.done),
            done: it.done,
            rate_per_s: it.recovery.rate_per_s,
            error: it.error,
            created_at: it.created_at.to_string(),
            finished_at: it.finished_at.map(|at| at.to_string()),
        }
    }
}

/// Which deliveries of an endpoint are to be made due again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverEndpoint {
    /// Of events accepted at or after this time.
    #[schema(format = "date-time", example = "2026-05-19T08:00:00.000Z")]
    pub since: String,
    /// Of events accepted before this time; left out is now.
    #[schema(format = "date-time", example = "2026-05-19T09:00:00.000Z")]
    pub until: Option<String>,
    /// In one of these states: `failed` (what is meant when left out), `discarded` (not tried since the endpoint was off),
    /// `cancelled`, `pending` (waiting for a retry), or `all` for the first three. One name or a list.
    #[schema(value_type = Option<Statuses>)]
    pub status: Option<Statuses>,
    /// Deliveries a second that are made due, at most; the endpoint's own limits hold besides.
    #[schema(minimum = 1, maximum = 10_000, default = 1_000)]
    pub rate_per_s: Option<i64>,
    /// Only the first so many, the oldest event first.
    #[schema(minimum = 1, maximum = 4_294_967_295_i64)]
    pub limit: Option<i64>,
}

/// One name or a list of them.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged, expecting = "a name or a list of names")]
pub enum Statuses {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl From<Statuses> for Vec<String> {
    fn from(it: Statuses) -> Self {
        match it {
            Statuses::One(one) => vec![one],
            Statuses::Many(many) => many,
        }
    }
}
