//! A node that stops for longer than its lease, and goes on as if nothing had happened.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;

use super::metric;
use crate::cluster::Cluster;
use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, quick};
use crate::world::until;

/// Events that the node has under way when it stops.
const UNDER_WAY: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_frozen_node_tells_too_late_is_recognised_as_stale() {
    let cluster = Cluster::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    // What the node under test sends is answered late, and badly.
    let receiver = Receiver::scripted(move |_, number| match number < UNDER_WAY {
        true => Reply::Held(Arc::clone(&held), 500),
        false => Reply::Status(200),
    })
    .await;
    let frozen = cluster.node("frozen").await;
    let other = cluster.node("other").await;
    let acme = Acme(frozen.operator().tenant("acme").await);
    let wanted = json!({
        "url": receiver.url(), "events": "*", "retry": quick(5), "max_in_flight": UNDER_WAY,
    });
    acme.endpoint(wanted).await;
    let events = acme.orders(0..UNDER_WAY as u64).await;
    until("all are under way", async || (receiver.count() >= UNDER_WAY).then_some(())).await;

    frozen.signal("STOP").await;
    let through = Acme(other.client(&acme.0.key));
    until("the other node takes over", async || {
        (metric(&other, "hookyard_takeovers_total").await > 0).then_some(())
    })
    .await;
    through.count_is("status=succeeded", UNDER_WAY).await;
    // Published meanwhile, through the other node.
    through.order(100).await;
    let before = through.count_is("status=succeeded", UNDER_WAY + 1).await;

    // It cannot find out what it owes for now.
    let lock = cluster.hold("LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE").await;
    frozen.signal("CONT").await;
    gate.add_permits(UNDER_WAY);
    until("the late results are recognised", async || {
        (metric(&frozen, "hookyard_stale_results_total").await >= UNDER_WAY as u64).then_some(())
    })
    .await;
    // Until it knows what it owes it accepts nothing, and says so.
    until("it has its place again", async || {
        let status = "SELECT status FROM node WHERE name = 'frozen'";
        (cluster.ask(status).await == ["0"]).then_some(())
    })
    .await;
    assert_eq!(frozen.client("").get("/readyz").await.status, 503);
    drop(lock);
    // It goes on: what it accepts now is delivered, and what was delivered stays so.
    until("it accepts again", async || {
        (frozen.client("").get("/readyz").await.status == 200).then_some(())
    })
    .await;
    let event = acme.order(101).await;
    acme.delivery_is(&event, "succeeded").await;
    for event in &events {
        let delivery = acme.delivery_is(event, "succeeded").await;
        let attempts = acme.attempts(&delivery["id"]).await;
        let outcomes: Vec<_> = attempts.iter().map(|it| &it["outcome"]).collect();
        assert_eq!(outcomes, ["succeeded"], "{event}");
    }
    assert_eq!(receiver.count(), 2 * UNDER_WAY + 2, "something was sent a third time");
    assert_eq!(before.len(), UNDER_WAY + 1);
    for node in [frozen, other] {
        assert!(node.stop().await.success());
    }
}
