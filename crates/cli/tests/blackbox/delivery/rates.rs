//! Bounds of an endpoint: attempts per second, attempts at once.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;

use crate::receiver::{Receiver, Reply};
use crate::scene::Scene;
use crate::world::until;

#[tokio::test]
async fn a_rate_limit_is_kept_over_every_second() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let limit = json!({ "per_s": 20, "burst": 5 });
    scene.acme.endpoint(json!({ "url": receiver.url(), "events": "*", "rate_limit": limit })).await;
    scene.acme.orders(0..50).await;
    let arrivals = receiver.first(50).await;
    for (first, it) in arrivals.iter().enumerate() {
        let second = arrivals[first..].iter();
        let within = second.take_while(|other| other.at.duration_since(it.at).as_millis() < 1_000);
        let count = within.count();
        assert!(count <= 27, "{count} in the second after arrival {first}");
    }
    let took = arrivals[49].at.duration_since(arrivals[0].at).as_secs_f64();
    assert!((2.0..6.0).contains(&took), "45 after a burst of 5, at 20 per second, in {took} s");
}

#[tokio::test]
async fn no_more_attempts_are_under_way_than_the_endpoint_allows() {
    let scene = Scene::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let receiver = Receiver::scripted(move |_, _| Reply::Held(Arc::clone(&held), 200)).await;
    scene.acme.endpoint(json!({ "url": receiver.url(), "events": "*", "max_in_flight": 3 })).await;
    scene.acme.orders(0..12).await;
    for done in 0..9 {
        receiver.first(done + 3).await;
        let sending = until("three are listed as under way", async || {
            let all = scene.acme.deliveries("").await;
            let sending = all.iter().filter(|it| it["status"] == "sending").count();
            (sending == 3).then_some(sending)
        })
        .await;
        assert_eq!((sending, receiver.count()), (3, done + 3));
        gate.add_permits(1);
    }
    gate.add_permits(100);
    scene.acme.count_is("status=succeeded", 12).await;
    assert_eq!(receiver.count(), 12);
}
