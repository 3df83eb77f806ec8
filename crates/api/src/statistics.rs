//! Numbers over time: what the dashboard's charts show.

use hookyard_domain::statistics as domain;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::endpoints::{DisabledReason, EndpointStatus};

mirror! {
    /// How far back numbers go.
    Range = domain::Range {
        /// The last hour, a point a minute.
        #[serde(rename = "1h")]
        Hour,
        /// The last six hours, a point every five minutes.
        #[serde(rename = "6h")]
        SixHours,
        /// The last day, a point every quarter of an hour.
        #[serde(rename = "24h")]
        Day,
        /// The last seven days, a point every two hours.
        #[serde(rename = "7d")]
        Week,
        /// The last thirty days, a point every eight hours.
        #[serde(rename = "30d")]
        Month,
    }
}

/// How far back.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RangeQuery {
    /// How far back the numbers go.
    #[param(value_type = Option<Range>)]
    pub range: Option<String>,
}

/// What was counted in some time. A delivery counts when it ends, an attempt when it ends; tests are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Events accepted.
    pub events: u64,
    /// Deliveries that succeeded.
    pub succeeded: u64,
    /// Deliveries that failed for good.
    pub failed: u64,
    /// Deliveries discarded, since their endpoint was off or gone.
    pub discarded: u64,
    /// Attempts that failed and are made again later.
    pub retried: u64,
    /// Attempts made.
    pub attempts: u64,
}

/// How long something took, in milliseconds, within an eighth; `null` where there was nothing to be measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Percentiles {
    /// Half of them took no longer.
    pub p50_ms: Option<u64>,
    /// Nineteen out of twenty took no longer.
    pub p95_ms: Option<u64>,
    /// Ninety-nine out of a hundred took no longer.
    pub p99_ms: Option<u64>,
}

/// One point of a chart: what was counted from its time to the next point's.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Point {
    /// Where it begins.
    #[schema(format = "date-time", example = "2026-05-19T08:35:00.000Z")]
    pub at: String,
    /// What was counted.
    pub counts: Counts,
    /// From acceptance to the receiver's success.
    pub delivery_time: Percentiles,
}

/// Numbers of some time: as totals and over time.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Numbers {
    /// How far back they go.
    pub range: Range,
    /// Where the first point begins.
    #[schema(format = "date-time", example = "2026-05-19T07:36:00.000Z")]
    pub from: String,
    /// Where the last point ends; it may still grow.
    #[schema(format = "date-time", example = "2026-05-19T08:36:00.000Z")]
    pub until: String,
    /// Seconds between two points.
    #[schema(example = 60)]
    pub step_s: u32,
    /// All of it.
    pub totals: Counts,
    /// Of the deliveries that succeeded or failed, the part that succeeded, 0 to 1; `null` where there was none.
    #[schema(minimum = 0, maximum = 1, example = 0.998)]
    pub success_rate: Option<f64>,
    /// From acceptance to the receiver's success.
    pub delivery_time: Percentiles,
    /// Every point of the range, oldest first, also those where nothing was counted.
    pub series: Vec<Point>,
}

/// What is owed at the moment.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Backlog {
    /// Deliveries that have not ended: in their turn, waiting for a retry, or held.
    pub pending: u64,
    /// Those of them that wait for a retry.
    pub retrying: u64,
    /// There are more than are counted here.
    pub more: bool,
    /// When the event of the oldest of them was accepted.
    #[schema(format = "date-time")]
    pub oldest_at: Option<String>,
}

/// How many endpoints there are in each state.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct EndpointCounts {
    /// Not proved yet.
    pub pending: u64,
    /// On.
    pub active: u64,
    /// Held.
    pub paused: u64,
    /// Off.
    pub disabled: u64,
    /// Those whose last delivery attempt failed, whatever their state.
    pub failing: u64,
}

/// An endpoint that fails.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FailingEndpoint {
    /// Its id.
    #[schema(example = "wh_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub endpoint_id: String,
    /// Its name.
    pub name: Option<String>,
    /// Where deliveries go.
    pub url: String,
    /// Its scope.
    pub scope: Option<String>,
    /// Its state.
    pub status: EndpointStatus,
    /// Why it is disabled.
    pub disabled_reason: Option<DisabledReason>,
    /// Events in a row that ended without success.
    pub consecutive_failures: u32,
    /// Since when every attempt failed.
    #[schema(format = "date-time")]
    pub failing_since: Option<String>,
    /// What was counted of it in the range.
    pub totals: Counts,
}

/// A tenant at a glance.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// Its deliveries over time.
    pub numbers: Numbers,
    /// What is owed at the moment.
    pub backlog: Backlog,
    /// Its endpoints.
    pub endpoints: EndpointCounts,
    /// Endpoints that fail, the longest failing first, at most twenty.
    pub failing: Vec<FailingEndpoint>,
}

/// Attempts by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutcomeCounts {
    /// The receiver answered with success.
    pub succeeded: u64,
    /// The receiver answered something else.
    pub http_error: u64,
    /// No whole answer within the time-out.
    pub timeout: u64,
    /// No connection, or it broke.
    pub connect: u64,
    /// The receiver's certificate or its TLS is not acceptable.
    pub tls: u64,
    /// The host's name could not be resolved.
    pub dns: u64,
    /// The address policy forbids the address.
    pub blocked: u64,
    /// The answer's head was larger than is read.
    pub too_large: u64,
}

/// Attempts by the class of the status code they were answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CodeCounts {
    /// 200 to 299.
    #[serde(rename = "2xx")]
    pub success: u64,
    /// 300 to 399.
    #[serde(rename = "3xx")]
    pub redirection: u64,
    /// 400 to 499.
    #[serde(rename = "4xx")]
    pub client_error: u64,
    /// 500 to 599.
    #[serde(rename = "5xx")]
    pub server_error: u64,
    /// Any other code.
    pub other: u64,
    /// No answer at all.
    pub none: u64,
}

/// One endpoint in numbers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EndpointStats {
    /// The endpoint.
    #[schema(example = "wh_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub endpoint_id: String,
    /// Its deliveries over time; `events` is not counted here and always 0.
    pub numbers: Numbers,
    /// How long its receiver took to answer, over all attempts that got an answer.
    pub response_time: Percentiles,
    /// Attempts by what came of them.
    pub outcomes: OutcomeCounts,
    /// Attempts by class of status code.
    pub codes: CodeCounts,
    /// What it is owed at the moment.
    pub backlog: Backlog,
    /// Events in a row that ended without success.
    pub consecutive_failures: u32,
    /// Since when every attempt failed; `null` when the last one did not.
    #[schema(format = "date-time")]
    pub failing_since: Option<String>,
    /// When an attempt ended last.
    #[schema(format = "date-time")]
    pub last_delivery_at: Option<String>,
}
