//! Retries come by themselves when their time has come, neither before nor never, over a restart too.

use std::time::Duration;

use hookyard_domain::delivery::DeliveryStatus;
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::RetryPolicy;
use hookyard_domain::time::Clock as _;
use hookyard_testkit::make;
use hookyard_testkit::sink::{Reply, Sink};

use crate::world::{World, only};

#[tokio::test]
async fn a_retry_is_made_when_the_clock_says_so_without_a_poke() {
    let world = World::new().await;
    world.sink.script([Reply::status(500), Reply::status(500)]);
    world
        .endpoint(|it| {
            it.profile = Profile::Alvys;
            it.events = vec!["order.created".parse().unwrap()];
        })
        .await;
    let earlier = Sink::start().await;
    earlier.script([Reply::status(500)]);
    world
        .endpoint_at(&earlier, |it| {
            it.retry = Some(RetryPolicy { delays_ms: vec![9_500], jitter: 0.0 });
            it.events = vec!["other".parse().unwrap()];
        })
        .await;
    let delivery = only(world.publish().await);
    let other = only(world.publish_of("other").await);
    world.attempted(delivery, 1).await;
    world.attempted(other, 1).await;

    world.clock.advance(Duration::from_millis(9_999));
    // The other endpoint's retry shows that the engine has looked at the clock.
    world.ended(other, DeliveryStatus::Succeeded).await;
    assert_eq!(world.sink.received().len(), 1, "a millisecond early");
    world.clock.advance(Duration::from_millis(1));
    world.attempted(delivery, 2).await;
    world.clock.advance(Duration::from_secs(30));
    world.ended(delivery, DeliveryStatus::Succeeded).await;
    assert_eq!(world.sink.received().len(), 3);
}

#[tokio::test]
async fn retries_that_came_due_while_nobody_was_there_are_made_at_the_start() {
    let world = World::new().await;
    world.sink.script(vec![Reply::status(500); 20]);
    world.endpoint(|_| {}).await;
    let mut deliveries = Vec::new();
    for _ in 0..20 {
        deliveries.push(only(world.publish().await));
    }
    for delivery in &deliveries {
        world.attempted(*delivery, 1).await;
    }
    world.clock.advance(Duration::from_secs(3_600));
    let world = world.restarted().await;
    for delivery in deliveries {
        let done = world.ended(delivery, DeliveryStatus::Succeeded).await;
        assert_eq!(done.attempts, 2);
    }
    assert_eq!(world.sink.received().len(), 40);
}

#[tokio::test]
async fn what_no_lane_was_told_of_is_found_when_it_is_overdue() {
    let world = World::new().await;
    world.sink.script([Reply::status(500)]);
    world.endpoint(|it| it.retry = Some(RetryPolicy { delays_ms: Vec::new(), jitter: 0.0 })).await;
    let delivery = only(world.publish().await);
    world.ended(delivery, DeliveryStatus::Failed).await;
    // As if the answer to it had been lost.
    let audit = make::audit("delivery.retried");
    world.store.requeue(world.tenant, delivery, world.clock.now(), audit).await.unwrap();
    world.clock.advance(Duration::from_secs(60));
    world.ended(delivery, DeliveryStatus::Succeeded).await;
}
