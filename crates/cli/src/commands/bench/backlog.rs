//! `backlog`: the receiver is stopped, everything is published, then the receiver starts on that port.

use std::sync::Arc;

use serde::Serialize;

use super::bare::{self, Bare};
use super::claims::Claims;
use super::generator::Pace;
use super::measure::{median, median_known, per_s, ratio};
use super::{Bench, child, progress, sink};

/// Requests of a bare round at most.
const BARE_REQUESTS_MAX: usize = 100_000;

/// What the scenario found.
#[derive(Debug, Serialize)]
pub(super) struct Backlog {
    pub(super) bare: Bare,
    pub(super) gateway: Drained,
    /// Deliveries per second of the drain to requests per second without a gateway.
    pub(super) drain_to_bare_ratio: f64,
    pub(super) bare_rounds: Vec<Bare>,
    pub(super) gateway_rounds: Vec<Drained>,
    /// What asking for due deliveries costs over a large history, in the shared store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) claims: Option<Claims>,
}

/// What one round, or the median of several, came to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Drained {
    pub(super) accepted_per_s: f64,
    pub(super) publish_p50_ms: f64,
    pub(super) publish_p99_ms: f64,
    /// Deliveries over the time from the receiver's start to the last arrival.
    pub(super) drained_per_s: f64,
    /// From the receiver's start to the first arrival: how soon its return is noticed.
    pub(super) first_arrival_s: f64,
    /// From the receiver's start to the last arrival.
    pub(super) last_arrival_s: f64,
    pub(super) gateway_cpu_ms_per_1000_deliveries: Option<f64>,
    pub(super) duplicates: u64,
    pub(super) missing: u64,
}

/// Runs it.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Backlog> {
    let (mut bare_rounds, mut gateway_rounds) = (Vec::new(), Vec::new());
    let bare_requests = bench.plan.events.min(BARE_REQUESTS_MAX);
    for number in 0..bench.plan.rounds {
        let bare = bare::round(bench, number * 2, bare_requests, Pace::ClosedLoop).await?;
        let gateway = round(bench, number * 2 + 1).await?;
        progress(number, bench.plan.rounds, || {
            format!(
                "accepted {:.0}/s, drained {:.0}/s in {:.1} s",
                gateway.accepted_per_s, gateway.drained_per_s, gateway.last_arrival_s
            )
        });
        bare_rounds.push(bare);
        gateway_rounds.push(gateway);
    }
    let (bare, gateway) = (bare::medians(&bare_rounds), Drained::medians(&gateway_rounds));
    let drain_to_bare_ratio = ratio(gateway.drained_per_s, bare.requests_per_s);
    let claims = bench.claims.clone();
    Ok(Backlog { bare, gateway, drain_to_bare_ratio, bare_rounds, gateway_rounds, claims })
}

async fn round(bench: &Bench, number: usize) -> anyhow::Result<Drained> {
    let tenant = bench.gateway.create_tenant().await?;
    let addr = child::closed_port()?;
    for endpoint in 0..bench.plan.endpoints {
        let url = sink::endpoint_url(addr, endpoint);
        bench.gateway.create_endpoint(&tenant, &url, &retry_delays_s()).await?;
    }
    let round = bench.ledger.open(number, bench.plan.events, bench.plan.endpoints)?;
    let cpu_before_ms = bench.gateway.cpu_ms();
    let answered = bench.publish(&tenant, Pace::ClosedLoop)?.run(&round).await?;

    let receiver = sink::start(addr, Arc::clone(&bench.ledger)).await?;
    let started_ns = round.now_ns();
    round.settled(bench.plan.patience).await;
    bench.gateway.idle().await;
    let cpu_ms = bench.gateway.cpu_ms().zip(cpu_before_ms).map(|(after, before)| after - before);
    drop(receiver);
    bench.gateway.delete_tenant(&tenant).await?;

    let (first_ns, last_ns) = round.arrival_span_ns().unwrap_or((started_ns, started_ns));
    let since_start_ns = |at_ns: u64| at_ns.saturating_sub(started_ns);
    Ok(Drained {
        accepted_per_s: per_s(round.events() as u64, answered.took_ns()),
        publish_p50_ms: answered.latencies.percentile_ms(50),
        publish_p99_ms: answered.latencies.percentile_ms(99),
        drained_per_s: per_s(round.arrivals(), since_start_ns(last_ns)),
        first_arrival_s: since_start_ns(first_ns) as f64 / 1e9,
        last_arrival_s: since_start_ns(last_ns) as f64 / 1e9,
        gateway_cpu_ms_per_1000_deliveries: cpu_ms
            .filter(|_| round.arrivals() > 0)
            .map(|ms| ms * 1000.0 / round.arrivals() as f64),
        duplicates: round.duplicates(),
        missing: round.missing(),
    })
}

/// Close enough together to notice the receiver's return soon, and many enough that publishing
/// may take minutes without any delivery being given up.
fn retry_delays_s() -> Vec<u32> {
    let mut delays_s = vec![1, 1, 2, 2];
    delays_s.resize(100, 5);
    delays_s
}

impl Drained {
    fn medians(rounds: &[Self]) -> Self {
        Self {
            accepted_per_s: median(rounds, |round| round.accepted_per_s),
            publish_p50_ms: median(rounds, |round| round.publish_p50_ms),
            publish_p99_ms: median(rounds, |round| round.publish_p99_ms),
            drained_per_s: median(rounds, |round| round.drained_per_s),
            first_arrival_s: median(rounds, |round| round.first_arrival_s),
            last_arrival_s: median(rounds, |round| round.last_arrival_s),
            gateway_cpu_ms_per_1000_deliveries: median_known(rounds, |round| {
                round.gateway_cpu_ms_per_1000_deliveries
            }),
            duplicates: rounds.iter().map(|round| round.duplicates).sum(),
            missing: rounds.iter().map(|round| round.missing).sum(),
        }
    }
}
