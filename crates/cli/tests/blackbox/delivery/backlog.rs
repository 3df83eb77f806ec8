//! A backlog far beyond what is held in memory. (100,000 events in the release build: `hookyard bench backlog`.)

use std::collections::HashSet;

use serde_json::json;

use crate::receiver::Receiver;
use crate::scene::Scene;
use crate::world::until;

const EVENTS: u64 = 20_000;
const MEMORY_MAX_MIB: u64 = 150;

#[tokio::test]
async fn twenty_thousand_events_to_a_stopped_receiver_all_arrive_when_it_starts() {
    let scene = Scene::new().await;
    let stopped = Receiver::start().await;
    let (address, url) = (stopped.address, stopped.url());
    drop(stopped);
    let retry = json!({ "delays_s": vec![1; 100], "jitter": 0.5 });
    scene.acme.endpoint(json!({ "url": url, "events": "*", "retry": retry })).await;
    let mut owed = HashSet::new();
    for from in (0..EVENTS).step_by(1_000) {
        owed.extend(scene.acme.orders(from..from + 1_000).await);
    }
    assert_eq!(owed.len(), 20_000);
    let receiver = Receiver::start_at(address).await;
    let mut seen = 0;
    until_progress_ends(&receiver, &mut owed, &mut seen).await;
    assert!(owed.is_empty(), "{} of {EVENTS} are missing", owed.len());
    until("all is recorded", async || {
        let metrics = scene.acme.0.get("/metrics").await;
        let text = String::from_utf8(metrics.body.to_vec()).unwrap();
        let queued = text.lines().find(|it| it.starts_with("hookyard_engine_unrecorded ")).unwrap();
        queued.ends_with(" 0").then_some(())
    })
    .await;
    assert_eq!(receiver.count(), 20_000, "each once");
    let memory = scene.server.memory_max_mib();
    assert!(memory <= MEMORY_MAX_MIB, "{memory} MiB");
}

/// Crosses off what arrives, as long as something new arrives in every stretch of patience.
async fn until_progress_ends(receiver: &Receiver, owed: &mut HashSet<String>, seen: &mut usize) {
    while !owed.is_empty() {
        let before = *seen;
        until("another arrival", async || (receiver.count() > before).then_some(())).await;
        for arrival in receiver.from(before) {
            owed.remove(arrival.event());
            *seen += 1;
        }
    }
}
