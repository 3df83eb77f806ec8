//! The bare limit: the same client, bodies and connections straight to the same sink, without a gateway.

use hyper::{Request, header};
use serde::Serialize;

use super::Bench;
use super::generator::{Bodies, Load, Pace};
use super::measure::{median, median_known, per_s};
use super::proc::Process;

/// What one bare round, or the median of several, came to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Bare {
    pub(super) requests_per_s: f64,
    pub(super) latency_p50_ms: f64,
    pub(super) latency_p99_ms: f64,
    pub(super) generator_and_sink_cpu_ms_per_1000_requests: Option<f64>,
}

/// Runs one bare round of `requests` requests.
pub(super) async fn round(
    bench: &Bench,
    number: usize,
    requests: usize,
    pace: Pace,
) -> anyhow::Result<Bare> {
    let round = bench.ledger.open(number, requests, 1)?;
    let load = Load {
        addr: bench.sink.addr(),
        head: head(bench)?,
        bodies: Bodies::Delivery,
        payload: bench.payload.clone(),
        connections: bench.plan.connections,
        pace,
    };
    let cpu_before_ms = Process::Own.cpu_ms();
    let answered = load.run(&round).await?;
    round.settled(bench.plan.patience).await;
    let cpu_ms = Process::Own.cpu_ms().zip(cpu_before_ms).map(|(after, before)| after - before);
    Ok(Bare {
        requests_per_s: per_s(round.arrivals(), answered.took_ns()),
        latency_p50_ms: answered.latencies.percentile_ms(50),
        latency_p99_ms: answered.latencies.percentile_ms(99),
        generator_and_sink_cpu_ms_per_1000_requests: cpu_ms.map(|ms| ms * 1000.0 / requests as f64),
    })
}

/// The medians of several rounds.
pub(super) fn medians(rounds: &[Bare]) -> Bare {
    Bare {
        requests_per_s: median(rounds, |round| round.requests_per_s),
        latency_p50_ms: median(rounds, |round| round.latency_p50_ms),
        latency_p99_ms: median(rounds, |round| round.latency_p99_ms),
        generator_and_sink_cpu_ms_per_1000_requests: median_known(rounds, |round| {
            round.generator_and_sink_cpu_ms_per_1000_requests
        }),
    }
}

/// As many headers, of the same size, as a delivery of the standard profile has.
fn head(bench: &Bench) -> anyhow::Result<Request<()>> {
    Ok(Request::post("/e/0")
        .header(header::HOST, bench.sink.addr().to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("Hookyard/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", "evt_0000000000000000000000000")
        .header("webhook-timestamp", "1767225600")
        .header("webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        .body(())?)
}
