//! Ordered endpoints: one after the other, whatever fails in between.

use serde_json::json;

use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Scene, quick};

/// Fails every third request, whatever it brings.
fn fitful(_: &Arrival, number: usize) -> Reply {
    Reply::Status(if number.is_multiple_of(3) { 503 } else { 200 })
}

/// The orders taken, in order of their success.
fn taken(arrivals: &[Arrival]) -> Vec<u64> {
    let good = arrivals.iter().enumerate().filter(|(number, _)| !number.is_multiple_of(3));
    good.map(|(_, it)| it.number()).collect()
}

#[tokio::test]
async fn an_ordered_endpoint_never_sees_a_later_event_before_an_earlier_one_has_ended() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(fitful).await;
    let settings =
        json!({ "url": receiver.url(), "events": "*", "ordered": true, "retry": quick(5) });
    scene.acme.endpoint(settings).await;
    scene.acme.orders(0..8).await;
    scene.acme.count_is("status=succeeded", 8).await;
    let arrivals = receiver.arrivals();
    assert_eq!(taken(&arrivals), (0..8).collect::<Vec<_>>());
    assert!(arrivals.is_sorted_by_key(Arrival::number), "a later one was tried in between");
}

#[tokio::test]
async fn an_ordered_endpoint_goes_on_after_an_event_that_used_up_its_attempts() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|arrival: &Arrival, _| {
        Reply::Status(if arrival.number() == 1 { 500 } else { 200 })
    })
    .await;
    let settings =
        json!({ "url": receiver.url(), "events": "*", "ordered": true, "retry": quick(1) });
    scene.acme.endpoint(settings).await;
    scene.acme.orders(0..5).await;
    scene.acme.count_is("status=succeeded", 4).await;
    scene.acme.count_is("status=failed", 1).await;
    let seen: Vec<_> = receiver.arrivals().iter().map(Arrival::number).collect();
    assert_eq!(seen, [0, 1, 1, 2, 3, 4]);
}

#[tokio::test]
async fn order_is_kept_over_kill_9_with_a_retry_waiting() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number == 3 { 500 } else { 200 }));
    let receiver = receiver.await;
    let settings =
        json!({ "url": receiver.url(), "events": "*", "ordered": true, "retry": quick(5) });
    scene.acme.endpoint(settings).await;
    scene.acme.orders(0..40).await;
    receiver.first(4).await;
    let scene = scene.after_kill_9().await;
    scene.acme.count_is("status=succeeded", 40).await;
    let arrivals = receiver.arrivals();
    assert!(arrivals.is_sorted_by_key(Arrival::number), "out of order");
    assert!(
        arrivals.len() <= 42,
        "one retry, and at most one that was in flight: {}",
        arrivals.len()
    );
}
