//! `slow-neighbour`: a paced load to one healthy endpoint, first alone, then with the same events also
//! owed to four endpoints that misbehave. What counts is the healthy one's latency.

use serde::Serialize;

use super::bare::{self, Bare};
use super::gateway::Tenant;
use super::generator::Pace;
use super::measure::{median, ratio};
use super::neighbours::{self, Manner};
use super::{Bench, RETRY_DELAYS_S, progress};

/// What the scenario found.
#[derive(Debug, Serialize)]
pub(super) struct SlowNeighbour {
    pub(super) bare: Bare,
    pub(super) alone: Paced,
    pub(super) with_neighbours: Paced,
    /// The healthy endpoint's latency with neighbours to the same alone.
    pub(super) delivery_p50_ratio: f64,
    pub(super) delivery_p99_ratio: f64,
    pub(super) bare_rounds: Vec<Bare>,
    pub(super) alone_rounds: Vec<Paced>,
    pub(super) with_neighbours_rounds: Vec<Paced>,
}

/// What one paced phase, or the median of several, came to for the healthy endpoint.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Paced {
    pub(super) publish_p50_ms: f64,
    pub(super) publish_p99_ms: f64,
    pub(super) delivery_p50_ms: f64,
    pub(super) delivery_p99_ms: f64,
    pub(super) duplicates: u64,
    pub(super) missing: u64,
}

/// Runs it.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<SlowNeighbour> {
    let tenant = bench.gateway.create_tenant().await?;
    bench.gateway.create_endpoint(&tenant, &bench.sink.url(0), &RETRY_DELAYS_S).await?;
    let pace = Pace::PerSecond(bench.plan.rate_per_s);
    let (mut bare_rounds, mut alone_rounds, mut beside_rounds) = (vec![], vec![], vec![]);
    for number in 0..bench.plan.rounds {
        bare_rounds.push(bare::round(bench, number * 3, bench.plan.events, pace).await?);
        let alone = phase(bench, &tenant, number * 3 + 1).await?;
        let beside = beside(bench, &tenant, number * 3 + 2).await?;
        progress(number, bench.plan.rounds, || {
            format!(
                "p99 alone {:.2} ms, with neighbours {:.2} ms",
                alone.delivery_p99_ms, beside.delivery_p99_ms
            )
        });
        alone_rounds.push(alone);
        beside_rounds.push(beside);
    }
    bench.gateway.delete_tenant(&tenant).await?;
    let (alone, with_neighbours) = (Paced::medians(&alone_rounds), Paced::medians(&beside_rounds));
    Ok(SlowNeighbour {
        bare: bare::medians(&bare_rounds),
        delivery_p50_ratio: ratio(with_neighbours.delivery_p50_ms, alone.delivery_p50_ms),
        delivery_p99_ratio: ratio(with_neighbours.delivery_p99_ms, alone.delivery_p99_ms),
        alone,
        with_neighbours,
        bare_rounds,
        alone_rounds,
        with_neighbours_rounds: beside_rounds,
    })
}

/// A phase with the neighbours there, who are gone again afterwards.
async fn beside(bench: &Bench, tenant: &Tenant, number: usize) -> anyhow::Result<Paced> {
    let mut neighbours = Vec::new();
    for manner in Manner::ALL {
        let receiver = neighbours::start(manner).await?;
        let url = receiver.url(0);
        let endpoint = bench.gateway.create_endpoint(tenant, &url, &RETRY_DELAYS_S).await?;
        neighbours.push((receiver, endpoint));
    }
    let measured = phase(bench, tenant, number).await?;
    for (receiver, endpoint) in neighbours {
        bench.gateway.delete_endpoint(tenant, &endpoint).await?;
        // Closes its connections, so that nothing hangs into the next phase.
        drop(receiver);
    }
    bench.gateway.idle().await;
    Ok(measured)
}

async fn phase(bench: &Bench, tenant: &Tenant, number: usize) -> anyhow::Result<Paced> {
    let round = bench.ledger.open(number, bench.plan.events, 1)?;
    let load = bench.publish(tenant, Pace::PerSecond(bench.plan.rate_per_s))?;
    let answered = load.run(&round).await?;
    round.settled(bench.plan.patience).await;
    let latencies = round.delivery_latencies();
    Ok(Paced {
        publish_p50_ms: answered.latencies.percentile_ms(50),
        publish_p99_ms: answered.latencies.percentile_ms(99),
        delivery_p50_ms: latencies.percentile_ms(50),
        delivery_p99_ms: latencies.percentile_ms(99),
        duplicates: round.duplicates(),
        missing: round.missing(),
    })
}

impl Paced {
    fn medians(rounds: &[Self]) -> Self {
        Self {
            publish_p50_ms: median(rounds, |round| round.publish_p50_ms),
            publish_p99_ms: median(rounds, |round| round.publish_p99_ms),
            delivery_p50_ms: median(rounds, |round| round.delivery_p50_ms),
            delivery_p99_ms: median(rounds, |round| round.delivery_p99_ms),
            duplicates: rounds.iter().map(|round| round.duplicates).sum(),
            missing: rounds.iter().map(|round| round.missing).sum(),
        }
    }
}
