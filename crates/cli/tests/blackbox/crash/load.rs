//! Publishers that go on and on, over servers that come and go, and remember what was acknowledged.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::dice::Dice;
use crate::scene::{Acme, order, text};
use crate::world::{Client, until};

/// Publishers at work.
pub struct Load {
    address: watch::Sender<Option<SocketAddr>>,
    acknowledged: Arc<Mutex<Vec<String>>>,
    publishers: JoinSet<()>,
}

impl Load {
    /// So many publishers, each of which waits for its answer before it publishes again: one event, or now and then a batch.
    pub fn start(publishers: usize, key: &str, dice: &mut Dice) -> Self {
        let (address, server) = watch::channel(None);
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for _ in 0..publishers {
            let publisher = Publisher {
                server: server.clone(),
                key: key.to_owned(),
                acknowledged: Arc::clone(&acknowledged),
                dice: dice.fork(),
            };
            tasks.spawn(publisher.run());
        }
        Self { address, acknowledged, publishers: tasks }
    }

    /// Lets them publish to this server.
    pub fn go_on_at(&self, address: SocketAddr) {
        self.address.send_replace(Some(address));
    }

    /// How many events were acknowledged so far.
    pub fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits until so many more are acknowledged.
    pub async fn more(&self, count: usize) {
        let wanted = self.count() + count;
        until(&format!("{count} more acknowledged"), async || {
            (self.count() >= wanted).then_some(())
        })
        .await;
    }

    /// Ends; answers the ids of what was acknowledged.
    pub async fn stop(mut self) -> Vec<String> {
        self.publishers.shutdown().await;
        std::mem::take(&mut self.acknowledged.lock().unwrap())
    }
}

struct Publisher {
    server: watch::Receiver<Option<SocketAddr>>,
    key: String,
    acknowledged: Arc<Mutex<Vec<String>>>,
    dice: Dice,
}

impl Publisher {
    async fn run(mut self) {
        loop {
            let address = *self.server.borrow_and_update();
            let published = match address {
                None => false,
                Some(address) => self.publish(&Client { address, key: self.key.clone() }).await,
            };
            if !published && self.server.changed().await.is_err() {
                return;
            }
        }
    }

    /// False when the server is gone, or going.
    async fn publish(&mut self, client: &Client) -> bool {
        let batch = if self.dice.below(8) == 0 { self.dice.below(30) + 1 } else { 0 };
        let (path, body) = if batch == 0 {
            ("/events", order(self.dice.below(1_000)))
        } else {
            ("/events/batch", json!((0..batch).map(order).collect::<Vec<_>>()))
        };
        let json = [("content-type", "application/json")];
        let path = Acme::path(path);
        let sent = client.try_send(Method::POST, &path, &json, body.to_string().into());
        let Ok(answer) = sent.await else { return false };
        if answer.status == 503 {
            return false;
        }
        let made = answer.expect(202);
        let ids = match made["results"].as_array() {
            None => vec![id(&made)],
            Some(results) => results.iter().map(id).collect(),
        };
        self.acknowledged.lock().unwrap().extend(ids);
        true
    }
}

fn id(made: &Value) -> String {
    text(&made["id"]).to_owned()
}
