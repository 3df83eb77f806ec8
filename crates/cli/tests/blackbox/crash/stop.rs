//! A stop in good order: nothing is lost, nothing is sent twice.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;

use super::dice::Dice;
use super::load::Load;
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, Scene};
use crate::world::until;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_nothing_and_sends_nothing_twice() {
    let mut dice = Dice::new();
    let mut scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.acme.endpoint_at(&receiver.url()).await;
    let load = Load::start(8, &scene.acme.0.key, &mut dice);
    for _ in 0..5 {
        load.go_on_at(scene.server.address);
        load.more(100 + usize::try_from(dice.below(100)).unwrap()).await;
        scene = scene.after_stop().await;
    }
    let acknowledged: HashSet<_> = load.stop().await.into_iter().collect();
    until("everything acknowledged has arrived", async || {
        let arrivals = receiver.arrivals();
        let seen: HashSet<_> = arrivals.iter().map(Arrival::event).collect();
        acknowledged.iter().all(|it| seen.contains(it.as_str())).then_some(())
    })
    .await;
    scene.acme.count_is("status=pending", 0).await;
    let arrivals = receiver.arrivals();
    let mut times: HashMap<_, usize> = HashMap::new();
    for arrival in &arrivals {
        *times.entry(arrival.event()).or_default() += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[tokio::test]
async fn waiting_retries_and_a_backlog_beyond_memory_survive_a_stop() {
    let scene = Scene::new().await;
    let stopped = Receiver::start().await;
    let (address, url) = (stopped.address, stopped.url());
    drop(stopped);
    let retry = json!({ "delays_s": vec![1; 100] });
    scene.acme.endpoint(json!({ "url": url, "events": "*", "retry": retry })).await;
    let oldest = scene.acme.orders(0..1_000).await.remove(0);
    scene.acme.orders(1_000..2_000).await;
    scene.acme.orders(2_000..3_000).await;
    until("a retry waits", async || {
        let delivery = scene.acme.delivery_is(&oldest, "pending").await;
        (delivery["attempts"].as_u64() > Some(0)).then_some(())
    })
    .await;
    let scene = scene.after_stop().await;
    let receiver = Receiver::start_at(address).await;
    scene.acme.count_is("status=succeeded", 3_000).await;
    let mut seen: Vec<_> = receiver.arrivals().iter().map(Arrival::number).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..3_000).collect::<Vec<_>>(), "each once");
}

#[tokio::test]
async fn attempts_under_way_at_a_stop_finish_and_are_recorded_and_the_rest_follows_later() {
    let scene = Scene::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let receiver = Receiver::scripted(move |_, _| Reply::Held(Arc::clone(&held), 200)).await;
    let settings = json!({ "url": receiver.url(), "events": "*", "max_in_flight": 4 });
    scene.acme.endpoint(settings).await;
    scene.acme.orders(0..20).await;
    receiver.first(4).await;
    let Scene { world, mut server, acme, .. } = scene;
    server.signal("TERM").await;
    until("it is stopping", async || server.log().contains("stopping").then_some(())).await;
    gate.add_permits(4);
    assert!(server.ended().await.success());
    assert_eq!(receiver.count(), 4, "nothing new was begun");
    gate.add_permits(1_000);
    let server = world.serve().await;
    let acme = Acme(server.client(&acme.0.key));
    acme.count_is("status=succeeded", 20).await;
    assert_eq!(receiver.count(), 20, "each once");
}
