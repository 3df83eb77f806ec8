//! Nodes that die, stop, hang, or lose their name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::cluster::Cluster;
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, order, quick};
use crate::world::{Client, Server, until};

/// A receiver that is down until it is told to be up.
async fn down() -> (Receiver, Arc<AtomicBool>) {
    let up = Arc::new(AtomicBool::new(false));
    let is_up = Arc::clone(&up);
    let receiver = Receiver::scripted(move |_, _| {
        Reply::Status(if is_up.load(Ordering::Relaxed) { 200 } else { 503 })
    });
    (receiver.await, up)
}

/// How often each number arrived, from request `from` on.
fn numbers(receiver: &Receiver, from: usize) -> BTreeMap<u64, u32> {
    let mut all = BTreeMap::new();
    for arrival in receiver.from(from) {
        *all.entry(Arrival::number(&arrival)).or_default() += 1;
    }
    all
}

/// The value of a metric without labels.
pub async fn metric(server: &Server, name: &str) -> f64 {
    let answer = server.client("").get("/metrics").await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let line = text.lines().find_map(|it| it.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |it| it.trim().parse().unwrap())
}

/// The same tenant through another node.
fn through(server: &Server, acme: &Acme) -> Acme {
    Acme(server.client(&acme.0.key))
}

async fn has_failed(acme: &Acme, events: &[String]) {
    for event in events {
        until("a first attempt", async || {
            let [delivery] = &acme.deliveries_of(event).await[..] else { return None };
            (!acme.attempts(&delivery["id"]).await.is_empty()).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn what_a_killed_node_owed_is_delivered_by_another() {
    let cluster = Cluster::new().await;
    let (receiver, up) = down().await;
    let (one, two) = (cluster.node("one").await, cluster.node("two").await);
    let acme = Acme(one.operator().tenant("acme").await);
    let retry = json!({ "delays_s": vec![2; 50], "jitter": 0.0 });
    acme.endpoint(json!({ "url": receiver.url(), "events": "*", "retry": retry })).await;
    let events = acme.orders(0..3).await;
    has_failed(&acme, &events).await;
    // More than lanes hold, so that most of it has no row yet.
    for first in [100, 1000, 2000] {
        acme.orders(first..first + 900).await;
    }
    let before = receiver.count();
    one.kill_9().await;
    up.store(true, Ordering::Relaxed);
    let acme = through(&two, &acme);
    acme.count_is("status=succeeded", 2703).await;
    let arrived = numbers(&receiver, before);
    let twice = arrived.values().filter(|it| **it > 1).count();
    assert!(twice <= 8, "sent twice, more than was in flight: {twice}");
    until("it shows in the metrics", async || {
        (metric(&two, "hookyard_takeovers_total").await == 1.0).then_some(())
    })
    .await;
    assert!(metric(&two, "hookyard_taken_over_deliveries_total").await >= 2600.0);
    until("one node is left", async || (metric(&two, "hookyard_nodes").await == 1.0).then_some(()))
        .await;
    until("the number is free", async || {
        let free = cluster.ask("SELECT status::text FROM node WHERE name = 'one'").await;
        (free == ["3"]).then_some(())
    })
    .await;
    // Under its name it takes up where it was.
    let one = cluster.node("one").await;
    let event = through(&one, &acme).order(9000).await;
    acme.delivery_is(&event, "succeeded").await;
    let names = cluster.ask("SELECT name FROM node ORDER BY no").await;
    assert_eq!(names, ["one", "two"]);
    drop(two);
}

#[tokio::test]
async fn what_a_stopped_node_owes_is_taken_over_without_waiting() {
    let cluster = Cluster::new().await;
    let (receiver, up) = down().await;
    let patient = ["--node-lease", "3600"];
    let one = cluster.node_with("one", &patient, &[]).await;
    // It looks at the others a few times within a lease; the hint must wake it.
    let two = cluster.node_with("two", &["--node-lease", "5"], &[]).await;
    let acme = Acme(one.operator().tenant("acme").await);
    acme.endpoint_at(&receiver.url()).await;
    let events = acme.orders(0..20).await;
    has_failed(&acme, &events[..3]).await;
    assert!(one.stop().await.success());
    up.store(true, Ordering::Relaxed);
    through(&two, &acme).count_is("status=succeeded", 20).await;
    assert!(metric(&two, "hookyard_takeovers_total").await == 0.0, "it was not lost, it left");
}

#[tokio::test]
async fn a_node_that_is_stopping_leaves_to_the_others_what_one_that_left_owed() {
    let cluster = Cluster::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    // The first attempt keeps its node from ending; all others fail until the next node serves.
    let up = Arc::new(AtomicBool::new(false));
    let is_up = Arc::clone(&up);
    let receiver = Receiver::scripted(move |_, number| match number {
        0 => Reply::Held(Arc::clone(&held), 200),
        _ if is_up.load(Ordering::Relaxed) => Reply::Status(200),
        _ => Reply::Status(503),
    })
    .await;
    let mut one = cluster.node_with("one", &["--shutdown-grace", "600"], &[]).await;
    let two = cluster.node("two").await;
    let acme = Acme(one.operator().tenant("acme").await);
    let retry = json!({ "delays_s": vec![2; 50], "jitter": 0.0 });
    let settings = json!({ "url": receiver.url(), "events": "*", "timeout_s": 30, "retry": retry });
    acme.endpoint(settings).await;
    let first = acme.order(0).await;
    receiver.first(1).await;
    let events = through(&two, &acme).orders(1..21).await;
    has_failed(&through(&two, &acme), &events).await;
    one.signal("TERM").await;
    // Its door is shut after its lanes are.
    until("it takes nothing new", async || TcpStream::connect(one.address).await.err()).await;
    assert!(two.stop().await.success());
    up.store(true, Ordering::Relaxed);
    let three = cluster.node("three").await;
    let other = through(&three, &acme);
    other.count_is("status=succeeded", 20).await;
    let [delivery] = &other.deliveries_of(&first).await[..] else { panic!("one endpoint") };
    let attempts = other.attempts(&delivery["id"]).await;
    assert!(attempts.is_empty(), "the node that is stopping has ended its attempt: {attempts:?}");
    gate.add_permits(1);
    assert!(one.ended().await.success());
    other.count_is("status=succeeded", 21).await;
}

#[tokio::test]
async fn the_late_results_of_a_node_that_hung_are_stale_and_it_comes_back() {
    let cluster = Cluster::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    // The first ones hang; whoever comes later is answered.
    let receiver = Receiver::scripted(move |_, number| {
        if number < 4 { Reply::Held(Arc::clone(&held), 200) } else { Reply::Status(200) }
    })
    .await;
    let (one, two) = (cluster.node("one").await, cluster.node("two").await);
    let acme = Acme(one.operator().tenant("acme").await);
    let settings = json!({ "url": receiver.url(), "events": "*", "timeout_s": 30 });
    acme.endpoint(settings).await;
    acme.orders(0..4).await;
    receiver.first(4).await;
    one.signal("STOP").await;
    let other = through(&two, &acme);
    other.count_is("status=succeeded", 4).await;
    assert_eq!(receiver.count(), 8);
    one.signal("CONT").await;
    gate.add_permits(4);
    until("its results are stale", async || {
        (metric(&one, "hookyard_stale_results_total").await >= 4.0).then_some(())
    })
    .await;
    // It serves on, and nothing is sent again.
    until("it accepts again", async || {
        let path = Acme::path("/events");
        let answer = acme.0.post(&path, &order(4)).await;
        if answer.status == 503 {
            return None;
        }
        Some(answer.expect(202))
    })
    .await;
    other.count_is("status=succeeded", 5).await;
    assert_eq!(receiver.count(), 9);
    for delivery in other.deliveries("status=succeeded").await {
        assert_eq!(delivery["attempts"], 1, "{delivery}");
    }
}

#[tokio::test]
async fn a_process_whose_name_is_taken_ends_and_says_why() {
    let cluster = Cluster::new().await;
    let mut first = cluster.node("one").await;
    let second = cluster.node("one").await;
    let status = first.ended().await;
    assert_eq!(status.code(), Some(1));
    assert!(first.log().contains("--node-name"), "{}", first.log());
    second.operator().get("/readyz").await.expect(200);
}

#[tokio::test]
async fn a_rolling_restart_loses_nothing_and_leaves_nothing_waiting() {
    let cluster = Cluster::new().await;
    let receiver = Receiver::start().await;
    let (mut one, mut two) = (cluster.node("one").await, cluster.node("two").await);
    let acme = Acme(one.operator().tenant("acme").await);
    acme.endpoint(json!({ "url": receiver.url(), "events": "*", "retry": quick(5) })).await;
    let mut next = 0;
    for round in 0..2 {
        for _ in 0..30 {
            for server in [&one, &two] {
                through(server, &acme).order(next).await;
                next += 1;
            }
        }
        let stopped = if round == 0 { &mut one } else { &mut two };
        let name = if round == 0 { "one" } else { "two" };
        stopped.signal("TERM").await;
        assert!(stopped.ended().await.success());
        *stopped = cluster.node(name).await;
    }
    through(&one, &acme).count_is("status=succeeded", usize::try_from(next).unwrap()).await;
    let arrived = numbers(&receiver, 0);
    assert!((0..next).eq(arrived.keys().copied()));
    let _: Client = two.operator();
    tokio::time::timeout(Duration::from_secs(5), two.stop()).await.unwrap();
}
