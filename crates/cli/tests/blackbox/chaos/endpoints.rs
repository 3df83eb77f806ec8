//! What an endpoint is promised holds over all nodes together: its order, and its rate.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::Stage;
use crate::cluster::Cluster;
use crate::crash::dice::Dice;
use crate::receiver::Arrival;
use crate::scene::{Acme, quick};
use crate::world::until;

/// Events published one after the other, before and after a node is killed.
const ORDERED: u64 = 60;

/// The stage's endpoint, with more settings.
async fn set(stage: &Stage, settings: serde_json::Value) {
    let listed = stage.acme.0.get(&Acme::path("/endpoints")).await.expect(200);
    let id = listed["data"][0]["id"].as_str().unwrap().to_owned();
    stage.acme.0.patch(&Acme::path(&format!("/endpoints/{id}")), &settings).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordered_endpoint_keeps_its_order_over_two_nodes_and_a_take_over() {
    let mut dice = Dice::new();
    let mut stage = Stage::new(Cluster::new().await, 2, &[]).await;
    set(&stage, json!({ "ordered": true, "retry": quick(100) })).await;
    let through: Vec<Acme> = stage.nodes.iter().map(|it| Acme(it.client(stage.key()))).collect();
    for number in 0..ORDERED {
        through[usize::try_from(dice.below(2)).unwrap()].order(number).await;
    }
    let half = ORDERED as usize / 2;
    until("half of them arrive", async || (stage.receiver.count() >= half).then_some(())).await;
    let victim = usize::try_from(dice.below(2)).unwrap();
    stage.nodes.remove(victim).kill_9().await;
    let left = Acme(stage.nodes[0].client(stage.key()));
    for number in ORDERED..2 * ORDERED {
        left.order(number).await;
    }
    until("all arrive", async || {
        let arrivals = stage.receiver.arrivals();
        let seen: BTreeSet<u64> = arrivals.iter().map(Arrival::number).collect();
        (seen.len() as u64 == 2 * ORDERED).then_some(())
    })
    .await;
    let mut first = Vec::new();
    let mut known = BTreeSet::new();
    for arrival in stage.receiver.arrivals() {
        if known.insert(arrival.number()) {
            first.push(arrival.number());
        }
    }
    assert!((0..2 * ORDERED).eq(first.iter().copied()), "out of order: {first:?}");
    for node in stage.nodes {
        assert!(node.stop().await.success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_a_second_is_ten_a_second_with_three_nodes() {
    const EVENTS: usize = 60;
    let stage = Stage::new(Cluster::new().await, 3, &[]).await;
    set(&stage, json!({ "rate_limit": { "per_s": 10, "burst": 1 } })).await;
    for (at, node) in (0..).zip(&stage.nodes) {
        let first = at * EVENTS as u64 / 3;
        Acme(node.client(stage.key())).orders(first..first + EVENTS as u64 / 3).await;
    }
    let arrivals = stage.receiver.first(EVENTS).await;
    let took = arrivals[EVENTS - 1].at - arrivals[0].at;
    // The last of sixty leaves 5.9 s after the first; the receiver's clock is not the gateway's.
    assert!(took > Duration::from_millis(5_500), "all within {took:?}");
    assert!(took < Duration::from_secs(20), "slower than it may be: {took:?}");
    for second in arrivals.windows(22) {
        let took = second[21].at - second[0].at;
        assert!(took > Duration::from_millis(1_700), "22 arrivals within {took:?}");
    }
    for node in stage.nodes {
        assert!(node.stop().await.success());
    }
}
