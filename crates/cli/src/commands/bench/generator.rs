//! The load: many kept connections, each sending its next request when the last one is answered, or at
//! a fixed pace. The same code publishes to the gateway and calls the sink directly for the bare limit.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::client::{Answer, Connection};
use super::ledger::Round;
use super::measure::Latencies;
use super::payload::Payload;
use crate::exit::Exit;

/// A paced request that leaves no later than this after its time counts from when it left: timers
/// are no finer. One that leaves later counts from its time, so that waiting for a free connection shows.
const PACE_SLACK: Duration = Duration::from_millis(2);

/// What is sent, where, how fast.
pub(super) struct Load {
    /// The receiver of the requests.
    pub(super) addr: SocketAddr,
    /// Method, path and headers of each request.
    pub(super) head: Request<()>,
    /// What its body holds.
    pub(super) bodies: Bodies,
    /// Makes the bodies.
    pub(super) payload: Arc<Payload>,
    /// How many connections send.
    pub(super) connections: usize,
    /// When the next request is sent.
    pub(super) pace: Pace,
}

/// What a request's body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bodies {
    /// One event to publish.
    Event,
    /// This many events to publish.
    Batch(usize),
    /// What the gateway would deliver.
    Delivery,
}

/// When the next request is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// On each connection when its last one is answered.
    ClosedLoop,
    /// This many per second, whatever the answers.
    PerSecond(u32),
}

/// How a load was answered.
#[derive(Debug)]
pub(super) struct Answered {
    /// When the first request was sent.
    pub(super) first_sent_ns: u64,
    /// When the last answer came.
    pub(super) last_answer_ns: u64,
    /// From sending a request to its answer.
    pub(super) latencies: Latencies,
}

impl Answered {
    /// How long it took to have everything answered.
    pub(super) fn took_ns(&self) -> u64 {
        self.last_answer_ns - self.first_sent_ns
    }
}

impl Load {
    /// Sends all events of the round; the first unexpected answer ends it.
    pub(super) async fn run(self, round: &Arc<Round>) -> anyhow::Result<Answered> {
        let requests_max = round.events().div_ceil(self.bodies.events());
        let mut connections = Vec::new();
        for _ in 0..self.connections.min(requests_max) {
            connections.push(Connection::open(self.addr).await?);
        }
        let load = Arc::new(self);
        let next = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let mut senders = JoinSet::new();
        for connection in connections {
            let sender = Sender {
                load: Arc::clone(&load),
                round: Arc::clone(round),
                next: Arc::clone(&next),
                start,
            };
            senders.spawn(sender.run(connection));
        }
        let mut latencies_ns = Vec::with_capacity(requests_max);
        let mut last_answer_ns = 0;
        while let Some(ended) = senders.join_next().await {
            let (of_one, last) = ended.context("joining a sender")??;
            latencies_ns.extend(of_one);
            last_answer_ns = last_answer_ns.max(last);
        }
        Ok(Answered {
            first_sent_ns: round.ns_at(start).min(last_answer_ns),
            last_answer_ns,
            latencies: Latencies::new(latencies_ns),
        })
    }

    fn request(&self, round: &Round, first: usize, last: usize) -> Request<Full<Bytes>> {
        let body = match self.bodies {
            Bodies::Event => self.payload.publish(round.seq(first)),
            Bodies::Batch(_) => self.payload.batch(round.seq(first)..round.seq(last)),
            Bodies::Delivery => self.payload.delivery(round.seq(first)),
        };
        let (parts, ()) = self.head.clone().into_parts();
        Request::from_parts(parts, Full::new(body))
    }

    fn check(&self, answer: &Answer) -> anyhow::Result<()> {
        let (who, expected) = match self.bodies {
            Bodies::Event | Bodies::Batch(_) => ("server", StatusCode::ACCEPTED),
            Bodies::Delivery => ("sink", StatusCode::OK),
        };
        if answer.status != expected {
            let message = format!("the {who} refused {}: {}", self.head.uri(), answer.describe());
            return Err(Exit::of_status(answer.status.as_u16()).because(message));
        }
        // In a batch one bad item fails alone, under an answer that is 202 as a whole.
        if matches!(self.bodies, Bodies::Batch(_))
            && let Some(refused) = answer.refused_item()
        {
            bail!("the server refused an event of a batch: {refused}");
        }
        Ok(())
    }
}

impl Bodies {
    fn events(self) -> usize {
        match self {
            Self::Event | Self::Delivery => 1,
            Self::Batch(events) => events.max(1),
        }
    }
}

struct Sender {
    load: Arc<Load>,
    round: Arc<Round>,
    next: Arc<AtomicUsize>,
    start: Instant,
}

impl Sender {
    /// Sends on one connection until nothing is left: the latencies, and when the last answer came.
    async fn run(self, mut connection: Connection) -> anyhow::Result<(Vec<u64>, u64)> {
        let Self { load, round, next, .. } = &self;
        let step = load.bodies.events();
        let mut latencies_ns = Vec::new();
        let mut answered_ns = 0;
        loop {
            let first = next.fetch_add(step, Ordering::Relaxed);
            if first >= round.events() {
                return Ok((latencies_ns, answered_ns));
            }
            let last = (first + step).min(round.events());
            let request = load.request(round, first, last);
            let sent_ns = self.turn(first).await;
            (first..last).for_each(|index| round.publish(index, sent_ns));
            let answer = connection.send(request).await?;
            answered_ns = round.now_ns();
            load.check(&answer)?;
            latencies_ns.push(answered_ns.saturating_sub(sent_ns));
        }
    }

    /// Waits for the time of event `index`, and says from when its latency counts.
    async fn turn(&self, index: usize) -> u64 {
        let Pace::PerSecond(rate) = self.load.pace else { return self.round.now_ns() };
        let due = self.start + Duration::from_secs_f64(index as f64 / f64::from(rate.max(1)));
        sleep_until(due).await;
        if due.elapsed() > PACE_SLACK { self.round.ns_at(due) } else { self.round.now_ns() }
    }
}
