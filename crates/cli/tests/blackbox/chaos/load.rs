//! Publishers that go on and on over several nodes that come and go, and remember what was acknowledged.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::crash::dice::Dice;
use crate::receiver::Receiver;
use crate::scene::{Acme, order};
use crate::world::{Client, until};

/// A pause after a refusal: publishers are told to come back later.
const REFUSED: Duration = Duration::from_millis(50);

/// What publishers share.
struct Shared {
    nodes: Mutex<Vec<SocketAddr>>,
    key: String,
    next: AtomicU64,
    acknowledged: Mutex<BTreeSet<u64>>,
    refused: AtomicUsize,
    broken: AtomicUsize,
    /// Publishers stop by themselves when so many are acknowledged.
    wanted: usize,
}

/// Publishers at work.
pub struct Load {
    shared: Arc<Shared>,
    publishers: JoinSet<()>,
}

impl Load {
    /// So many publishers over these nodes, until `wanted` events are acknowledged; each request has up to `batch` events, and
    /// where that is one, it is published alone.
    pub fn start(
        (publishers, batch): (usize, u64),
        wanted: usize,
        key: &str,
        nodes: Vec<SocketAddr>,
        dice: &mut Dice,
    ) -> Self {
        let shared = Arc::new(Shared {
            nodes: Mutex::new(nodes),
            key: key.to_owned(),
            next: AtomicU64::new(0),
            acknowledged: Mutex::default(),
            refused: AtomicUsize::new(0),
            broken: AtomicUsize::new(0),
            wanted,
        });
        let mut tasks = JoinSet::new();
        for _ in 0..publishers {
            tasks.spawn(publish(Arc::clone(&shared), batch, dice.fork()));
        }
        Self { shared, publishers: tasks }
    }

    /// Lets them publish to these nodes from now on.
    pub fn nodes(&self, nodes: Vec<SocketAddr>) {
        *self.shared.nodes.lock().unwrap() = nodes;
    }

    /// How many events were acknowledged so far.
    pub fn count(&self) -> usize {
        self.shared.acknowledged.lock().unwrap().len()
    }

    /// Answers of 503, each with a `Retry-After`.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Requests that were not answered.
    pub fn broken(&self) -> usize {
        self.shared.broken.load(Ordering::Relaxed)
    }

    /// Waits until so many more are acknowledged, or all.
    pub async fn more(&self, count: usize) {
        let wanted = (self.count() + count).min(self.shared.wanted);
        until(&format!("{count} more acknowledged"), async || {
            (self.count() >= wanted).then_some(())
        })
        .await;
    }

    /// All that was wanted is acknowledged.
    pub fn is_done(&self) -> bool {
        self.count() >= self.shared.wanted
    }

    /// Ends; answers the numbers of what was acknowledged.
    pub async fn stop(mut self) -> BTreeSet<u64> {
        self.publishers.shutdown().await;
        std::mem::take(&mut self.shared.acknowledged.lock().unwrap())
    }
}

async fn publish(shared: Arc<Shared>, batch: u64, mut dice: Dice) {
    while shared.acknowledged.lock().unwrap().len() < shared.wanted {
        let address = {
            let nodes = shared.nodes.lock().unwrap();
            let at = usize::try_from(dice.below(nodes.len() as u64)).unwrap();
            nodes[at]
        };
        let many = dice.below(batch) + 1;
        let first = shared.next.fetch_add(many, Ordering::Relaxed);
        let numbers = first..first + many;
        let client = Client { address, key: shared.key.clone() };
        match shared.send(&client, batch == 1, numbers).await {
            Sent::Accepted => continue,
            Sent::Refused => shared.refused.fetch_add(1, Ordering::Relaxed),
            Sent::Broken => shared.broken.fetch_add(1, Ordering::Relaxed),
        };
        sleep(REFUSED).await;
    }
}

/// How a request ended.
enum Sent {
    Accepted,
    Refused,
    Broken,
}

impl Shared {
    async fn send(&self, client: &Client, alone: bool, numbers: Range<u64>) -> Sent {
        let events: Vec<Value> = numbers.clone().map(order).collect();
        let (path, body) = match alone {
            true => (Acme::path("/events"), events[0].to_string()),
            false => (Acme::path("/events/batch"), json!(events).to_string()),
        };
        let json = [("content-type", "application/json")];
        let sent = client.try_send(Method::POST, &path, &json, body.into());
        let Ok(answer) = sent.await else { return Sent::Broken };
        if answer.status == 503 {
            assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
            return Sent::Refused;
        }
        let made = answer.expect(202);
        let results = match alone {
            true => vec![json!({ "status": 202 })],
            false => made["results"].as_array().unwrap().clone(),
        };
        let mut sent = Sent::Accepted;
        for (number, result) in numbers.zip(&results) {
            if result["status"] == 202 {
                self.acknowledged.lock().unwrap().insert(number);
            } else {
                assert_eq!(result["status"], 503, "{result}");
                sent = Sent::Refused;
            }
        }
        sent
    }
}

/// Waits until every acknowledged number has arrived; patience begins anew with each arrival. Answers how many arrivals
/// there were, beyond the first of each event.
pub async fn all_arrive(receiver: &Receiver, acknowledged: &BTreeSet<u64>) -> usize {
    let mut owed = acknowledged.clone();
    let mut events = BTreeSet::new();
    let mut seen = 0;
    let mut take = |seen: &mut usize, owed: &mut BTreeSet<u64>| {
        for arrival in receiver.from(*seen) {
            owed.remove(&arrival.number());
            events.insert(arrival.event().to_owned());
            *seen += 1;
        }
    };
    while !owed.is_empty() {
        let more = async || (receiver.count() > seen).then_some(());
        until(&format!("{} acknowledged events arrive", owed.len()), more).await;
        take(&mut seen, &mut owed);
    }
    take(&mut seen, &mut owed);
    seen - events.len()
}
