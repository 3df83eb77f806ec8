//! What `hookyard bench` is told on the command line, and the checked form of it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hookyard_domain::secret::Secret;

use super::ledger::EVENTS_PER_ROUND_MAX;
use super::payload::PAYLOAD_BYTES_MIN;
use crate::config::raw::DatabaseUrl;
use crate::exit::Exit;

/// Events in one batch request at most: the gateway's own limit.
const BATCH_MAX: usize = 1000;
/// What a large installation has: deliveries that ended, and others that wait for an endpoint that is dead.
const HISTORY: u32 = 4_000_000;
const PARKED: u32 = 1_000_000;
/// Deliveries of one round that the ledger keeps two clock readings for at most.
const DELIVERIES_PER_ROUND_MAX: usize = 20_000_000;

/// Load generator, sink and report in one command.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// What to measure.
    #[arg(long, value_enum, default_value_t = Scenario::Burst)]
    scenario: Scenario,
    /// Events per round (burst: 50,000; backlog: 100,000; slow-neighbour: rate times seconds).
    #[arg(long, value_name = "N")]
    events: Option<usize>,
    /// Connections that publish.
    #[arg(long, value_name = "N", default_value_t = 64)]
    connections: usize,
    /// Size of an event's `data`.
    #[arg(long, value_name = "BYTES", default_value_t = 600)]
    payload_bytes: usize,
    /// Endpoints that each get every event (burst and backlog).
    #[arg(long, value_name = "N", default_value_t = 1)]
    endpoints: usize,
    /// Interleaved rounds of bare limit and gateway, whose medians are reported
    /// (burst, slow-neighbour: 3; backlog: 1).
    #[arg(long, value_name = "R")]
    rounds: Option<usize>,
    /// Events per publish request; above 1 they go to `/events/batch`.
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch: usize,
    /// Events per second of the paced load (slow-neighbour).
    #[arg(long, value_name = "PER_S", default_value_t = 200)]
    rate: u32,
    /// Length of one paced phase (slow-neighbour).
    #[arg(long, value_name = "S", default_value_t = 10)]
    seconds: u32,
    /// Give up waiting for deliveries when none has arrived for this long.
    #[arg(long, value_name = "S", default_value_t = 60)]
    patience_s: u32,
    /// `max_in_flight` of the endpoints; the gateway's default when not given.
    #[arg(long, value_name = "N")]
    max_in_flight: Option<u32>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    json: bool,
    /// A running server on this machine; without it, bench starts and stops one of its own.
    /// It must allow plain http and 127.0.0.0/8.
    #[arg(long, value_name = "URL", requires = "operator_key")]
    url: Option<String>,
    /// The operator's key of that server.
    #[arg(long, value_name = "KEY", env = "HOOKYARD_OPERATOR_KEY", hide_env_values = true)]
    operator_key: Option<String>,
    /// Process id of that server, for its CPU time and memory.
    #[arg(long, value_name = "PID", requires = "url")]
    pid: Option<u32>,
    /// Folder in which the own server's temporary data folder is made; the system's when not given.
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    data: Option<PathBuf>,
    /// An empty PostgreSQL database on this machine, that the own server uses instead of a folder. What bench writes there
    /// stays. With it, backlog also measures what asking for due deliveries costs over a large history.
    #[arg(long, value_name = "URL", conflicts_with_all = ["url", "data"])]
    database_url: Option<DatabaseUrl>,
    /// Deliveries of that history, all ended (backlog: 4,000,000).
    #[arg(long, value_name = "N", requires = "database_url")]
    history: Option<u32>,
    /// Deliveries in it that wait for a dead endpoint (backlog: 1,000,000).
    #[arg(long, value_name = "N", requires = "database_url")]
    parked: Option<u32>,
    /// An argument more for the own server's `serve`; repeatable.
    #[arg(long, value_name = "ARG", allow_hyphen_values = true, conflicts_with = "url")]
    child_arg: Vec<String>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// As many events as possible, as fast as possible.
    Burst,
    /// A healthy endpoint alone, then beside four that misbehave.
    SlowNeighbour,
    /// A stopped receiver, started once everything is accepted; with --database-url also what asking for due deliveries costs
    /// over a large history.
    Backlog,
}

/// The server that is measured.
#[derive(Debug)]
pub(super) enum Server {
    /// One that runs already.
    Running { url: String, operator_key: String, pid: Option<u32> },
    /// One of our own, ended with the run.
    Own { data: Option<PathBuf>, database: Option<Secret>, extra: Vec<String> },
}

/// The history beside which due deliveries are asked for.
#[derive(Debug)]
pub(super) struct ClaimsPlan {
    pub(super) url: Secret,
    pub(super) history: u32,
    pub(super) parked: u32,
}

/// The arguments, checked, with the scenario's defaults filled in.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) scenario: Scenario,
    pub(super) events: usize,
    pub(super) connections: usize,
    pub(super) payload_bytes: usize,
    pub(super) endpoints: usize,
    pub(super) rounds: usize,
    pub(super) batch: usize,
    pub(super) rate_per_s: u32,
    pub(super) patience: std::time::Duration,
    pub(super) max_in_flight: Option<u32>,
    pub(super) json: bool,
    pub(super) server: Server,
    pub(super) claims: Option<ClaimsPlan>,
}

impl BenchArgs {
    /// What claims are to be measured over, where they are.
    fn claims(&self) -> anyhow::Result<Option<ClaimsPlan>> {
        if self.scenario != Scenario::Backlog {
            if self.history.is_some() || self.parked.is_some() {
                return Err(Exit::Usage.because("--history and --parked are for backlog"));
            }
            return Ok(None);
        }
        Ok(self.database_url.clone().map(|url| ClaimsPlan {
            url: url.0,
            history: self.history.unwrap_or(HISTORY),
            parked: self.parked.unwrap_or(PARKED),
        }))
    }

    /// Checks what was asked for.
    pub(super) fn plan(self) -> anyhow::Result<Plan> {
        let claims = self.claims()?;
        let paced_events = usize::try_from(u64::from(self.rate) * u64::from(self.seconds))?;
        let (events, rounds) = match self.scenario {
            Scenario::Burst => (self.events.unwrap_or(50_000), self.rounds.unwrap_or(3)),
            Scenario::Backlog => (self.events.unwrap_or(100_000), self.rounds.unwrap_or(1)),
            Scenario::SlowNeighbour => {
                if self.events.is_some() || self.endpoints != 1 || self.batch != 1 {
                    return Err(Exit::Usage.because(
                        "slow-neighbour takes --rate and --seconds, not --events, --endpoints or --batch",
                    ));
                }
                (paced_events, self.rounds.unwrap_or(3))
            }
        };
        within("--events", events, 1, EVENTS_PER_ROUND_MAX)?;
        within("--connections", self.connections, 1, 10_000)?;
        within("--payload-bytes", self.payload_bytes, PAYLOAD_BYTES_MIN, 1024 * 1024)?;
        within("--endpoints", self.endpoints, 1, 1_000)?;
        within("--rounds", rounds, 1, 100)?;
        within("--batch", self.batch, 1, BATCH_MAX)?;
        within("--events times --endpoints", events * self.endpoints, 1, DELIVERIES_PER_ROUND_MAX)?;
        let server = match self.url {
            Some(url) => Server::Running {
                url,
                operator_key: self
                    .operator_key
                    .ok_or_else(|| Exit::Usage.because("--url needs --operator-key"))?,
                pid: self.pid,
            },
            None => Server::Own {
                data: self.data,
                database: self.database_url.map(|it| it.0),
                extra: self.child_arg,
            },
        };
        Ok(Plan {
            scenario: self.scenario,
            events,
            connections: self.connections,
            payload_bytes: self.payload_bytes,
            endpoints: self.endpoints,
            rounds,
            batch: self.batch,
            rate_per_s: self.rate,
            patience: std::time::Duration::from_secs(u64::from(self.patience_s)),
            max_in_flight: self.max_in_flight,
            json: self.json,
            server,
            claims,
        })
    }
}

fn within(name: &str, value: usize, min: usize, max: usize) -> anyhow::Result<()> {
    if value < min || value > max {
        let message = format!("{name} must be between {min} and {max}, not {value}");
        return Err(Exit::Usage.because(message));
    }
    Ok(())
}
