//! `burst`: as many events as possible, as fast as possible; bare and gateway rounds take turns.

use serde::Serialize;

use super::bare::{self, Bare};
use super::generator::{Answered, Pace};
use super::ledger::Round;
use super::measure::{median, median_known, per_s, ratio};
use super::proc::Process;
use super::{Bench, RETRY_DELAYS_S, progress};

/// Requests of a bare round at most: beyond that it only takes longer, it does not say more.
const BARE_REQUESTS_MAX: usize = 200_000;

/// What the scenario found.
#[derive(Debug, Serialize)]
pub(super) struct Burst {
    pub(super) bare: Bare,
    pub(super) gateway: Delivered,
    /// Deliveries per second of the gateway to requests per second without it.
    pub(super) delivered_to_bare_ratio: f64,
    /// CPU of the gateway per delivery to CPU of generator and sink per bare request.
    pub(super) gateway_to_bare_cpu_ratio: Option<f64>,
    pub(super) bare_rounds: Vec<Bare>,
    pub(super) gateway_rounds: Vec<Delivered>,
}

/// What one gateway round, or the median of several, came to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Delivered {
    pub(super) accepted_per_s: f64,
    pub(super) delivered_per_s: f64,
    pub(super) publish_p50_ms: f64,
    pub(super) publish_p99_ms: f64,
    pub(super) delivery_p50_ms: f64,
    pub(super) delivery_p99_ms: f64,
    pub(super) gateway_cpu_ms_per_1000_deliveries: Option<f64>,
    /// Of all PostgreSQL processes of the machine, where the gateway uses a database.
    pub(super) database_cpu_ms_per_1000_deliveries: Option<f64>,
    pub(super) generator_and_sink_cpu_ms_per_1000_deliveries: Option<f64>,
    pub(super) duplicates: u64,
    pub(super) missing: u64,
}

/// Runs it.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Burst> {
    let tenant = bench.gateway.create_tenant().await?;
    for endpoint in 0..bench.plan.endpoints {
        let url = bench.sink.url(endpoint);
        bench.gateway.create_endpoint(&tenant, &url, &RETRY_DELAYS_S).await?;
    }
    let bare_requests = (bench.plan.events * bench.plan.endpoints).min(BARE_REQUESTS_MAX);
    let (mut bare_rounds, mut gateway_rounds) = (Vec::new(), Vec::new());
    for number in 0..bench.plan.rounds {
        let bare = bare::round(bench, number * 2, bare_requests, Pace::ClosedLoop).await?;
        let round = bench.ledger.open(number * 2 + 1, bench.plan.events, bench.plan.endpoints)?;
        let gateway_cpu_ms = bench.gateway.cpu_ms();
        let database_cpu_ms = bench.gateway.database_cpu_ms();
        let own_cpu_ms = Process::Own.cpu_ms();
        let answered = bench.publish(&tenant, Pace::ClosedLoop)?.run(&round).await?;
        round.settled(bench.plan.patience).await;
        bench.gateway.idle().await;
        let spent = |after: Option<f64>, before: Option<f64>| {
            let ms = after.zip(before).map(|(after, before)| after - before)?;
            (round.arrivals() > 0).then(|| ms * 1000.0 / round.arrivals() as f64)
        };
        let gateway = Delivered {
            gateway_cpu_ms_per_1000_deliveries: spent(bench.gateway.cpu_ms(), gateway_cpu_ms),
            database_cpu_ms_per_1000_deliveries: spent(
                bench.gateway.database_cpu_ms(),
                database_cpu_ms,
            ),
            generator_and_sink_cpu_ms_per_1000_deliveries: spent(Process::Own.cpu_ms(), own_cpu_ms),
            ..Delivered::of(&round, &answered)
        };
        progress(number, bench.plan.rounds, || {
            let share = ratio(gateway.delivered_per_s, bare.requests_per_s);
            format!(
                "bare {:.0}/s, delivered {:.0}/s ({:.1} %)",
                bare.requests_per_s,
                gateway.delivered_per_s,
                share * 100.0
            )
        });
        bare_rounds.push(bare);
        gateway_rounds.push(gateway);
    }
    bench.gateway.delete_tenant(&tenant).await?;
    Ok(Burst::of(bare_rounds, gateway_rounds))
}

impl Burst {
    fn of(bare_rounds: Vec<Bare>, gateway_rounds: Vec<Delivered>) -> Self {
        let pairs: Vec<(&Bare, &Delivered)> = bare_rounds.iter().zip(&gateway_rounds).collect();
        // The ratio of neighbours in time, then the median: a machine that slows down midway
        // slows both of a pair.
        let delivered_to_bare_ratio =
            median(&pairs, |(bare, gateway)| ratio(gateway.delivered_per_s, bare.requests_per_s));
        let gateway_to_bare_cpu_ratio = median_known(&pairs, |(bare, gateway)| {
            let gateway = gateway.gateway_cpu_ms_per_1000_deliveries?;
            Some(ratio(gateway, bare.generator_and_sink_cpu_ms_per_1000_requests?))
        });
        Self {
            bare: bare::medians(&bare_rounds),
            gateway: Delivered::medians(&gateway_rounds),
            delivered_to_bare_ratio,
            gateway_to_bare_cpu_ratio,
            bare_rounds,
            gateway_rounds,
        }
    }
}

impl Delivered {
    fn of(round: &Round, answered: &Answered) -> Self {
        let latencies = round.delivery_latencies();
        let last_ns = round.arrival_span_ns().map_or(0, |(_, last)| last);
        let took_ns = last_ns.saturating_sub(answered.first_sent_ns);
        Self {
            accepted_per_s: per_s(round.events() as u64, answered.took_ns()),
            delivered_per_s: per_s(round.arrivals(), took_ns),
            publish_p50_ms: answered.latencies.percentile_ms(50),
            publish_p99_ms: answered.latencies.percentile_ms(99),
            delivery_p50_ms: latencies.percentile_ms(50),
            delivery_p99_ms: latencies.percentile_ms(99),
            gateway_cpu_ms_per_1000_deliveries: None,
            database_cpu_ms_per_1000_deliveries: None,
            generator_and_sink_cpu_ms_per_1000_deliveries: None,
            duplicates: round.duplicates(),
            missing: round.missing(),
        }
    }

    fn medians(rounds: &[Self]) -> Self {
        Self {
            accepted_per_s: median(rounds, |round| round.accepted_per_s),
            delivered_per_s: median(rounds, |round| round.delivered_per_s),
            publish_p50_ms: median(rounds, |round| round.publish_p50_ms),
            publish_p99_ms: median(rounds, |round| round.publish_p99_ms),
            delivery_p50_ms: median(rounds, |round| round.delivery_p50_ms),
            delivery_p99_ms: median(rounds, |round| round.delivery_p99_ms),
            gateway_cpu_ms_per_1000_deliveries: median_known(rounds, |round| {
                round.gateway_cpu_ms_per_1000_deliveries
            }),
            database_cpu_ms_per_1000_deliveries: median_known(rounds, |round| {
                round.database_cpu_ms_per_1000_deliveries
            }),
            generator_and_sink_cpu_ms_per_1000_deliveries: median_known(rounds, |round| {
                round.generator_and_sink_cpu_ms_per_1000_deliveries
            }),
            duplicates: rounds.iter().map(|round| round.duplicates).sum(),
            missing: rounds.iter().map(|round| round.missing).sum(),
        }
    }
}
