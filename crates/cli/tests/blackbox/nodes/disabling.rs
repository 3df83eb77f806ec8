//! Endpoints that only fail, tried by two nodes.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, quick};
use crate::world::{Server, until};

struct Pair {
    _servers: [Server; 2],
    one: Acme,
    two: Acme,
    endpoint: Value,
    receiver: Receiver,
    _cluster: Cluster,
}

impl Pair {
    /// An endpoint that is switched off after four events that failed.
    async fn new() -> Self {
        let cluster = Cluster::new().await;
        let servers = [cluster.node("one").await, cluster.node("two").await];
        let one = Acme(servers[0].operator().tenant("acme").await);
        let two = Acme(servers[1].client(&one.0.key));
        let receiver = Receiver::scripted(|arrival, _| {
            Reply::Status(if arrival.number() < 100 { 500 } else { 200 })
        })
        .await;
        let settings = json!({
            "url": receiver.url(), "events": "*", "retry": quick(0), "auto_disable": { "after_events": 4 }
        });
        let endpoint = one.endpoint(settings).await["id"].clone();
        Self { _servers: servers, one, two, endpoint, receiver, _cluster: cluster }
    }

    async fn fails(&self, acme: &Acme, n: u64) {
        let event = acme.order(n).await;
        acme.delivery_is(&event, "failed").await;
    }
}

#[tokio::test]
async fn failures_that_two_nodes_saw_are_counted_together() {
    let pair = Pair::new().await;
    for n in 0..4 {
        pair.fails(if n % 2 == 0 { &pair.one } else { &pair.two }, n).await;
    }
    until("it is switched off", async || {
        let now = pair.two.endpoint_now(&pair.endpoint).await;
        (now["status"] == "disabled" && now["disabled_reason"] == "failures").then_some(())
    })
    .await;
    assert_eq!(pair.receiver.count(), 4);
}

#[tokio::test]
async fn a_success_on_one_node_wipes_the_failures_of_the_other() {
    let pair = Pair::new().await;
    for n in 0..3 {
        pair.fails(&pair.one, n).await;
    }
    let event = pair.two.order(100).await;
    pair.two.delivery_is(&event, "succeeded").await;
    for n in 3..6 {
        pair.fails(&pair.one, n).await;
    }
    let now = pair.one.endpoint_now(&pair.endpoint).await;
    assert_eq!(now["status"], "active", "{now}");
    // The count began anew, and what fails on is switched off after all.
    until("it is switched off", async || {
        if pair.one.endpoint_now(&pair.endpoint).await["status"] == "disabled" {
            return Some(());
        }
        pair.one.order(6).await;
        None
    })
    .await;
}
