//! The receivers of these tests: the test kit's sink, with the few words that black-box tests use.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookyard_testkit::sink::{self, Received, Sink};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::world::until;

/// One request.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub at: Instant,
    pub path: String,
    /// Names in lower case, values as they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl From<&Received> for Arrival {
    fn from(it: &Received) -> Self {
        let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.clone());
        let headers = it.headers.0.iter().map(lower).collect();
        Self { at: it.at, path: it.path.clone(), headers, body: it.body.to_vec() }
    }
}

impl Arrival {
    /// A header that stands in the request once.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found: Vec<_> = self.headers.iter().filter(|(it, _)| it == name).collect();
        assert_eq!(found.len(), 1, "`{name}` in {:?}", self.headers);
        &found[0].1
    }

    pub fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(it, _)| it == name)
    }

    /// The event it brings: `webhook-id`, of the profile `standard`.
    #[track_caller]
    pub fn event(&self) -> &str {
        self.header("webhook-id")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A number that the publisher put into `data`, under the profile `standard`.
    #[track_caller]
    pub fn number(&self) -> u64 {
        self.json()["data"]["n"].as_u64().unwrap()
    }
}

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    Full {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Answers with this status as soon as the test adds a permit.
    Held(Arc<Semaphore>, u16),
    /// Never answers.
    Hang,
    /// Answers a byte per second, from the status line on.
    Drip,
    /// Begins well; a piece of body every 50 ms, for ever.
    Trickle,
    /// Begins well; body as fast as it is taken, for ever.
    Flood,
    /// Closes without a word.
    Break,
}

impl From<Reply> for sink::Reply {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Status(status) => Self::status(status),
            Reply::Full { status, headers, body } => {
                let answer = Self::status(status).body(body);
                headers.into_iter().fold(answer, |answer, (name, value)| answer.with(name, &value))
            }
            Reply::Held(permits, status) => Self::status(status).held(&permits.into()),
            Reply::Hang => Self::Hang,
            Reply::Drip => Self::DripHead(Duration::from_secs(1)),
            Reply::Trickle => Self::Drip(Duration::from_millis(50)),
            Reply::Flood => Self::Endless,
            Reply::Break => Self::Raw(Bytes::new()),
        }
    }
}

/// A running receiver. It ends, with all its connections, when it is dropped.
pub struct Receiver {
    pub address: SocketAddr,
    sink: Sink,
}

impl Receiver {
    /// Takes everything.
    pub async fn start() -> Self {
        Self::scripted(|_, _| Reply::Status(200)).await
    }

    /// Answers as told; the number counts requests from 0.
    pub async fn scripted(
        script: impl Fn(&Arrival, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let sink = Sink::start().await;
        sink.answer_by(move |received, number| script(&received.into(), number).into());
        Self { address: sink.address(), sink }
    }

    /// Takes everything, at an address that a receiver had before.
    pub async fn start_at(address: SocketAddr) -> Self {
        Self { address, sink: Sink::start_at(address).await }
    }

    pub fn url(&self) -> String {
        self.sink.url("/hook")
    }

    pub fn count(&self) -> usize {
        self.sink.count()
    }

    pub fn arrivals(&self) -> Vec<Arrival> {
        self.from(0)
    }

    /// The requests from number `from` on.
    pub fn from(&self, from: usize) -> Vec<Arrival> {
        self.sink.received_from(from).iter().map(Arrival::from).collect()
    }

    /// Waits for the first `count` requests.
    pub async fn first(&self, count: usize) -> Vec<Arrival> {
        let what = format!("{count} requests at {}", self.address);
        until(&what, async || (self.count() >= count).then_some(())).await;
        let mut arrivals = self.arrivals();
        arrivals.truncate(count);
        arrivals
    }
}
