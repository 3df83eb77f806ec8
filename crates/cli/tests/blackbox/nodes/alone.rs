//! Endpoints that one node alone sends to: those that keep their order, and those with a rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::cluster::Cluster;
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, quick};
use crate::world::until;

/// Each number arrives after the one before has been taken, and is taken once; those that were answered otherwise come
/// again before the next.
#[track_caller]
fn in_order(arrivals: &[Arrival], taken: impl Fn(usize) -> bool, count: u64) {
    let mut next = 0;
    for (at, arrival) in arrivals.iter().enumerate() {
        assert_eq!(arrival.number(), next, "request {at}");
        next += u64::from(taken(at));
    }
    assert_eq!(next, count);
}

#[tokio::test]
async fn order_is_kept_over_two_nodes_with_failures_between() {
    let cluster = Cluster::new().await;
    let servers = [cluster.node("one").await, cluster.node("two").await];
    let one = Acme(servers[0].operator().tenant("acme").await);
    let two = Acme(servers[1].client(&one.0.key));
    let is_taken = |at: usize| !at.is_multiple_of(13);
    let receiver =
        Receiver::scripted(move |_, at| Reply::Status(if is_taken(at) { 200 } else { 503 })).await;
    let settings =
        json!({ "url": receiver.url(), "events": "*", "ordered": true, "retry": quick(20) });
    one.endpoint(settings).await;
    for n in 0..60 {
        let acme = if n % 3 == 0 { &one } else { &two };
        acme.order(n).await;
    }
    two.count_is("status=succeeded", 60).await;
    in_order(&receiver.arrivals(), is_taken, 60);
    // Replays come in between without a mess: they are older than whatever waits.
    for server in servers {
        assert!(server.stop().await.success());
    }
}

#[tokio::test]
async fn order_is_kept_when_the_node_that_sends_is_killed() {
    let cluster = Cluster::new().await;
    let (one, two) = (cluster.node("one").await, cluster.node("two").await);
    let acme = Acme(one.operator().tenant("acme").await);
    let other = Acme(two.client(&acme.0.key));
    let up = Arc::new(AtomicBool::new(false));
    let is_up = Arc::clone(&up);
    let receiver = Receiver::scripted(move |_, _| {
        Reply::Status(if is_up.load(Ordering::Relaxed) { 200 } else { 503 })
    })
    .await;
    let settings =
        json!({ "url": receiver.url(), "events": "*", "ordered": true, "retry": quick(60) });
    acme.endpoint(settings).await;
    // The first event makes its node the sender.
    for n in 0..10 {
        acme.order(n).await;
        other.order(100 + n).await;
    }
    receiver.first(1).await;
    one.kill_9().await;
    for n in 10..20 {
        other.order(n).await;
    }
    up.store(true, Ordering::Relaxed);
    other.count_is("status=succeeded", 30).await;
    let mut numbers: Vec<u64> = receiver.arrivals().iter().map(Arrival::number).collect();
    numbers.dedup();
    let expected = (0..10).flat_map(|n| [n, 100 + n]).chain(10..20);
    assert!(expected.eq(numbers.iter().copied()), "{numbers:?}");
    until("the other one sends now", async || {
        let sender = cluster.ask("SELECT n.name FROM sender JOIN node n ON n.no = node").await;
        (sender == ["two"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_rate_is_the_same_with_three_nodes() {
    let cluster = Cluster::new().await;
    let mut servers = Vec::new();
    for name in ["one", "two", "three"] {
        servers.push(cluster.node(name).await);
    }
    let first = Acme(servers[0].operator().tenant("acme").await);
    let receiver = Receiver::start().await;
    let rate = json!({ "per_s": 10, "burst": 1 });
    first.endpoint(json!({ "url": receiver.url(), "events": "*", "rate_limit": rate })).await;
    for (server, from) in servers.iter().zip([0, 100, 200]) {
        Acme(server.client(&first.0.key)).orders(from..from + 10).await;
    }
    let arrivals = receiver.first(30).await;
    let took = arrivals[29].at - arrivals[0].at;
    // Twenty-nine tenths of a second, less what two of them may lie closer by.
    assert!(took >= Duration::from_millis(2700), "{took:?}");
    for (early, late) in arrivals.iter().zip(&arrivals[15..]) {
        let span = late.at - early.at;
        assert!(span >= Duration::from_millis(1300), "16 within {span:?}");
    }
}
