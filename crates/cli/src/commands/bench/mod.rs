//! `hookyard bench`: load generator, sink and report in one command.
//!
//! Who is who: `generator` sends (by `client`), `sink` receives, `ledger` keeps both their clock readings,
//! `gateway` is the measured server (of our own as a rule: `child`), `bare` is the same load without it.
//! The scenarios `burst`, `slow_neighbour` (with `neighbours`) and `backlog` (with `claims`, which asks the shared store alone)
//! put them together; `report` prints what they found. Generator and sink are this process, so its CPU time is theirs.

mod args;
mod backlog;
mod bare;
mod burst;
mod child;
mod claims;
mod client;
mod gateway;
mod generator;
mod ledger;
mod measure;
mod neighbours;
mod payload;
mod proc;
mod report;
mod sink;
mod slow_neighbour;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::bail;
use hyper::{Request, header};

use args::{Plan, Scenario};
use claims::Claims;
use gateway::{Gateway, Tenant};
use generator::{Bodies, Load, Pace};
use ledger::Ledger;
use payload::Payload;
use report::{Figures, Report};

use crate::output::{say, talk};

pub use args::BenchArgs;

/// When a delivery that failed is tried again: soon, so that a hiccup does not count as missing.
const RETRY_DELAYS_S: [u32; 10] = [1, 1, 1, 2, 2, 5, 5, 10, 10, 30];
/// Ledger rounds of one round of a scenario at most: bare, alone, with neighbours.
const LEDGER_ROUNDS_EACH: usize = 3;

/// Everything a scenario works with.
struct Bench {
    plan: Plan,
    /// Measured before the gateway was there.
    claims: Option<Claims>,
    gateway: Gateway,
    ledger: Arc<Ledger>,
    sink: sink::Receiver,
    payload: Arc<Payload>,
}

/// Measures and reports; an error when a delivery is missing.
pub async fn run(args: BenchArgs) -> anyhow::Result<()> {
    let plan = args.plan()?;
    let claims = match &plan.claims {
        Some(claims) => Some(claims::run(claims).await?),
        None => None,
    };
    let bench = Bench::open(plan, claims).await?;
    let measured = bench.measure().await;
    let closed = bench.gateway.close().await;
    let report = match (measured, closed) {
        (Ok(report), Ok(())) => report,
        (Ok(_), Err(closed)) => return Err(closed),
        (Err(error), Ok(())) => return Err(error),
        (Err(error), Err(closed)) => return Err(error.context(closed)),
    };
    if bench.plan.json {
        say(serde_json::to_string_pretty(&report)?);
    } else {
        say(report.table().trim_end());
    }
    if report.missing() > 0 {
        bail!("{} deliveries never arrived", report.missing());
    }
    Ok(())
}

impl Bench {
    async fn open(plan: Plan, claims: Option<Claims>) -> anyhow::Result<Self> {
        let ledger = Arc::new(Ledger::new(plan.rounds * LEDGER_ROUNDS_EACH));
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sink = sink::start(any_port, Arc::clone(&ledger)).await?;
        let payload = Arc::new(Payload::new(plan.payload_bytes));
        let gateway = Gateway::open(&plan).await?;
        Ok(Self { plan, claims, gateway, ledger, sink, payload })
    }

    async fn measure(&self) -> anyhow::Result<Report> {
        let figures = match self.plan.scenario {
            Scenario::Burst => Figures::Burst(burst::run(self).await?),
            Scenario::SlowNeighbour => Figures::SlowNeighbour(slow_neighbour::run(self).await?),
            Scenario::Backlog => Figures::Backlog(backlog::run(self).await?),
        };
        let peak_memory_mib = self.gateway.peak_memory_mib();
        Ok(Report::new(&self.plan, figures, peak_memory_mib, self.ledger.strays()))
    }

    /// The load that publishes to a tenant.
    fn publish(&self, tenant: &Tenant, pace: Pace) -> anyhow::Result<Load> {
        let (path, bodies) = match self.plan.batch {
            0 | 1 => (tenant.events_path(), Bodies::Event),
            events => (tenant.events_path() + "/batch", Bodies::Batch(events)),
        };
        let head = Request::post(path)
            .header(header::HOST, self.gateway.authority())
            .header(header::AUTHORIZATION, format!("Bearer {}", tenant.key()))
            .header(header::CONTENT_TYPE, "application/json")
            .body(())?;
        Ok(Load {
            addr: self.gateway.addr(),
            head,
            bodies,
            payload: Arc::clone(&self.payload),
            connections: self.plan.connections,
            pace,
        })
    }
}

/// Says on standard error what a round came to, so that a long run is not silent.
fn progress(number: usize, rounds: usize, found: impl Fn() -> String) {
    talk(format!("round {}/{rounds}: {}", number + 1, found()));
}
