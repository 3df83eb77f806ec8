//! `kill -9` in particular states: a paused backlog, waiting retries, a half-read batch.

use std::collections::HashMap;
use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, Scene, quick, text};

/// How often each number arrived.
fn times(arrivals: &[Arrival]) -> HashMap<u64, usize> {
    let mut times = HashMap::new();
    for arrival in arrivals {
        *times.entry(arrival.number()).or_default() += 1;
    }
    times
}

#[tokio::test]
async fn a_paused_backlog_survives_stays_held_and_is_drained_in_order_each_event_once() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let settings = json!({ "url": receiver.url(), "events": "*", "max_in_flight": 1 });
    let id = scene.acme.endpoint(settings).await["id"].clone();
    scene.acme.ask(&id, "pause").await;
    scene.acme.orders(0..600).await;
    let scene = scene.after_kill_9().await;
    scene.acme.orders(600..1_200).await;
    let scene = scene.after_kill_9().await;
    assert_eq!(scene.acme.endpoint_now(&id).await["status"], "paused");
    assert_eq!(scene.acme.deliveries("status=pending").await.len(), 1_200);
    assert_eq!(receiver.count(), 0);
    scene.acme.ask(&id, "resume").await;
    scene.acme.count_is("status=succeeded", 1_200).await;
    let numbers: Vec<_> = receiver.arrivals().iter().map(Arrival::number).collect();
    assert_eq!(numbers, (0..1_200).collect::<Vec<_>>());
}

#[tokio::test]
async fn retries_that_wait_are_made_after_the_restart_and_attempts_go_on_counting() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number < 100 { 500 } else { 200 })).await;
    let settings = json!({ "url": receiver.url(), "events": "*", "retry": quick(10) });
    scene.acme.endpoint(settings).await;
    let events = scene.acme.orders(0..100).await;
    receiver.first(100).await;
    let scene = scene.after_kill_9().await;
    scene.acme.count_is("status=succeeded", 100).await;
    for (event, number) in events.iter().zip(0..) {
        let delivery = scene.acme.delivery_is(event, "succeeded").await;
        let attempts = scene.acme.attempts(&delivery["id"]).await;
        let numbers: Vec<_> = attempts.iter().map(|it| it["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=attempts.len() as u64).collect::<Vec<_>>(), "{attempts:?}");
        assert!(times(&receiver.arrivals())[&number] >= attempts.len());
    }
}

#[tokio::test]
async fn one_endpoints_trouble_at_the_kill_is_not_anothers() {
    let scene = Scene::new().await;
    let good = Receiver::start().await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let stuck = Receiver::scripted(move |_, _| Reply::Held(Arc::clone(&held), 200)).await;
    let (first, second) =
        (scene.acme.endpoint_at(&good.url()).await, scene.acme.endpoint_at(&stuck.url()).await);
    scene.acme.orders(0..200).await;
    let of = |it: &Value| format!("status=succeeded&endpoint={}", text(&it["id"]));
    scene.acme.count_is(&of(&first), 200).await;
    let scene = scene.after_kill_9().await;
    gate.add_permits(10_000);
    scene.acme.count_is(&of(&second), 200).await;
    assert_eq!(good.count(), 200, "what was recorded is not sent again");
    let times = times(&stuck.arrivals());
    assert_eq!(times.len(), 200);
    let twice = times.values().filter(|it| **it > 1).count();
    assert!(twice <= 64, "{twice} twice, although 64 at most were under way");
}

#[tokio::test]
async fn a_batch_that_a_kill_cuts_off_is_there_whole_or_not_at_all_and_can_be_sent_again() {
    let mut scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.acme.endpoint_at(&receiver.url()).await;
    let mut whole = 0;
    for round in 0..6_u64 {
        // The kill comes a little later in each round, so that it cuts into reading, committing, answering.
        let batches: Vec<_> = (0..8).map(|number| batch(round, number)).collect();
        let mut sending = JoinSet::new();
        for (number, batch) in batches.iter().cloned().enumerate() {
            let acme = scene.acme.clone();
            sending.spawn(async move { (number, send(&acme, batch).await) });
        }
        let mut acknowledged = vec![false; batches.len()];
        for _ in 0..round {
            let (number, sent) = sending.join_next().await.unwrap().unwrap();
            acknowledged[number] = sent.is_some();
        }
        let restart = async { scene.after_kill_9().await };
        let rest = async {
            while let Some(ended) = sending.join_next().await {
                let (number, sent) = ended.unwrap();
                acknowledged[number] = sent.is_some();
            }
        };
        (scene, ()) = tokio::join!(restart, rest);

        for (number, batch) in batches.into_iter().enumerate() {
            let statuses = send(&scene.acme, batch).await.expect("the server is up");
            let first = statuses[0];
            assert!(statuses.iter().all(|it| *it == first), "half a batch: {statuses:?}");
            assert!(first == 200 || !acknowledged[number], "an acknowledged batch was forgotten");
            whole += usize::from(first == 200);
        }
    }
    let all = 6 * 8 * 50;
    scene.acme.count_is("status=succeeded", all).await;
    assert_eq!(times(&receiver.arrivals()).len(), all);
    assert!(whole > 0, "no batch was whole before the kill: the test misses its point");
}

fn batch(round: u64, number: u64) -> Value {
    let event = |place: u64| {
        let n = (round * 8 + number) * 50 + place;
        json!({ "type": "order.created", "id": format!("order-{n}"), "data": { "n": n } })
    };
    json!((0..50).map(event).collect::<Vec<_>>())
}

/// The statuses of a batch's events, if an answer came.
async fn send(acme: &Acme, batch: Value) -> Option<Vec<u64>> {
    let json = [("content-type", "application/json")];
    let path = Acme::path("/events/batch");
    let sent = acme.0.try_send(Method::POST, &path, &json, batch.to_string().into()).await;
    let results = sent.ok()?.expect(202)["results"].as_array().unwrap().clone();
    Some(results.iter().map(|it| it["status"].as_u64().unwrap()).collect())
}
