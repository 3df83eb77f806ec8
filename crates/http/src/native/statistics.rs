//! Numbers over time.

use std::time::Duration;

use axum::extract::State;
use hookyard_api::statistics::{
    Backlog, CodeCounts, Counts, EndpointCounts, EndpointStats, FailingEndpoint, Numbers,
    OutcomeCounts, Overview, Percentiles, Point, RangeQuery,
};
use hookyard_domain::attempt::OutcomeKind;
use hookyard_domain::endpoint::EndpointStatus;
use hookyard_domain::statistics::{CodeClass, Histogram, Tally, outcome_place};
use http::StatusCode;

use super::extract::{AtItem, AtTenant, Params, Reply, reply};
use crate::state::DoorState;

/// Get a tenant's overview
///
/// Its deliveries over time, what is owed at the moment, and the endpoints that fail. A portal session that is limited to a
/// scope gets the numbers of its own endpoints, without `events`.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/overview", operation_id = "get_overview", tag = "Statistics",
    params(RangeQuery),
    responses((status = 200, description = "The numbers.", body = Overview)),
)]
pub async fn overview(State(state): State<DoorState>, at: AtTenant, mut query: Params) -> Reply {
    let range = query.take("range");
    query.end()?;
    let it = state.app().overview(&at.caller, &at.tenant, range.as_deref()).await?;
    let mut endpoints = EndpointCounts { failing: it.failing_count, ..EndpointCounts::default() };
    for (status, count) in it.endpoints {
        match status {
            EndpointStatus::Pending => endpoints.pending = count,
            EndpointStatus::Active => endpoints.active = count,
            EndpointStatus::Paused => endpoints.paused = count,
            EndpointStatus::Disabled => endpoints.disabled = count,
        }
    }
    let overview = Overview {
        numbers: numbers(&it.numbers),
        backlog: backlog(it.backlog),
        endpoints,
        failing: it.failing.into_iter().map(failing).collect(),
    };
    reply(StatusCode::OK, &overview)
}

/// Get an endpoint's numbers
///
/// Its deliveries over time, its attempts by what came of them, and what it is owed at the moment.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/endpoints/{id}/stats", operation_id = "get_endpoint_stats", tag = "Statistics",
    params(RangeQuery),
    responses((status = 200, description = "The numbers.", body = EndpointStats)),
)]
pub async fn endpoint(State(state): State<DoorState>, at: AtItem, mut query: Params) -> Reply {
    let range = query.take("range");
    query.end()?;
    let it = state.app().endpoint_stats(&at.caller, &at.tenant, &at.id, range.as_deref()).await?;
    let totals = &it.numbers.totals;
    let stats = EndpointStats {
        endpoint_id: it.endpoint.id.to_string(),
        numbers: numbers(&it.numbers),
        response_time: percentiles(&totals.response_time),
        outcomes: outcomes(totals),
        codes: codes(totals),
        backlog: backlog(it.backlog),
        consecutive_failures: it.activity.consecutive_failures,
        failing_since: it.activity.failing_since.map(|at| at.to_string()),
        last_delivery_at: it.activity.last_delivery_at.map(|at| at.to_string()),
    };
    reply(StatusCode::OK, &stats)
}

fn numbers(it: &hookyard_app::Numbers) -> Numbers {
    let ended = it.totals.succeeded + it.totals.failed;
    let point = |it: &hookyard_app::Point| Point {
        at: it.at.to_string(),
        counts: counts(&it.tally),
        delivery_time: percentiles(&it.tally.delivery_time),
    };
    Numbers {
        range: it.range.into(),
        from: it.from.to_string(),
        until: it.until.to_string(),
        step_s: u32::try_from(it.range.step().as_secs()).unwrap_or(u32::MAX),
        totals: counts(&it.totals),
        success_rate: (ended > 0).then(|| it.totals.succeeded as f64 / ended as f64),
        delivery_time: percentiles(&it.totals.delivery_time),
        series: it.series.iter().map(point).collect(),
    }
}

fn counts(it: &Tally) -> Counts {
    Counts {
        events: it.events,
        succeeded: it.succeeded,
        failed: it.failed,
        discarded: it.discarded,
        retried: it.retried,
        attempts: it.attempts(),
    }
}

fn percentiles(it: &Histogram) -> Percentiles {
    let ms = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
    let of = |per_cent| it.percentile(per_cent).map(ms);
    Percentiles { p50_ms: of(50), p95_ms: of(95), p99_ms: of(99) }
}

fn outcomes(it: &Tally) -> OutcomeCounts {
    let of = |outcome| it.outcomes[outcome_place(outcome)];
    OutcomeCounts {
        succeeded: of(OutcomeKind::Succeeded),
        http_error: of(OutcomeKind::HttpError),
        timeout: of(OutcomeKind::Timeout),
        connect: of(OutcomeKind::Connect),
        tls: of(OutcomeKind::Tls),
        dns: of(OutcomeKind::Dns),
        blocked: of(OutcomeKind::Blocked),
        too_large: of(OutcomeKind::TooLarge),
    }
}

fn codes(it: &Tally) -> CodeCounts {
    let of = |class: CodeClass| it.codes[class.place()];
    CodeCounts {
        success: of(CodeClass::Success),
        redirection: of(CodeClass::Redirection),
        client_error: of(CodeClass::ClientError),
        server_error: of(CodeClass::ServerError),
        other: of(CodeClass::Other),
        none: of(CodeClass::None),
    }
}

fn backlog(it: hookyard_app::Backlog) -> Backlog {
    Backlog {
        pending: it.pending,
        retrying: it.retrying,
        more: it.more,
        oldest_at: it.oldest.map(|at| at.to_string()),
    }
}

fn failing(it: hookyard_app::Failing) -> FailingEndpoint {
    let settings = it.endpoint.settings;
    FailingEndpoint {
        endpoint_id: it.endpoint.id.to_string(),
        name: settings.name,
        url: settings.url.to_string(),
        scope: settings.scope.map(|it| it.as_str().to_owned()),
        status: it.endpoint.status.into(),
        disabled_reason: it.endpoint.disabled_reason.map(Into::into),
        consecutive_failures: it.activity.consecutive_failures,
        failing_since: it.activity.failing_since.map(|at| at.to_string()),
        totals: counts(&it.totals),
    }
}
