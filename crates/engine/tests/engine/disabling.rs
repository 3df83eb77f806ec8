//! Endpoints that do nothing but fail are switched off by their profile's rule.

use std::time::Duration;

use hookyard_domain::delivery::{DeliveryStatus, EndReason};
use hookyard_domain::endpoint::{DisabledReason, Endpoint, EndpointStatus};
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::{AutoDisable, RetryPolicy};
use hookyard_domain::time::Clock as _;
use hookyard_testkit::sink::Reply;

use crate::world::{World, only};

/// Publishes an event whose every attempt gets the sink's answer.
async fn one_event(world: &World, endpoint: &Endpoint) -> DeliveryStatus {
    world.breathe();
    let delivery = only(world.publish().await);
    world.run_out(delivery, endpoint).await;
    world.delivery_when(delivery, "it has ended", |it| it.status.is_ended()).await.status
}

async fn consecutive_failures(world: &World, endpoint: &Endpoint) -> u32 {
    // What is counted of an attempt goes to disk with its record.
    world.store.activity(world.tenant, &[endpoint.no]).await.unwrap()[0].consecutive_failures
}

/// Waits until the endpoint is off; then the next event is discarded.
async fn assert_off(world: &World, endpoint: &Endpoint) {
    let now = world.off(endpoint).await;
    assert_eq!(now.disabled_reason, Some(DisabledReason::Failures));
    assert_eq!(now.disabled_at, Some(world.clock.now()));
    let next = only(world.publish().await);
    let discarded = world.ended(next, DeliveryStatus::Discarded).await;
    assert_eq!(discarded.reason, Some(EndReason::EndpointDisabled));
}

#[tokio::test]
async fn alvys_switches_off_after_ten_failed_events_in_a_row_each_counted_once() {
    let world = World::new().await;
    let endpoint = world.endpoint(|it| it.profile = Profile::Alvys).await;
    world.sink.otherwise(Reply::status(500));
    for count in 1..=9 {
        assert_eq!(one_event(&world, &endpoint).await, DeliveryStatus::Failed);
        assert_eq!(consecutive_failures(&world, &endpoint).await, count);
    }
    world.sink.otherwise(Reply::status(200));
    assert_eq!(one_event(&world, &endpoint).await, DeliveryStatus::Succeeded);
    assert_eq!(consecutive_failures(&world, &endpoint).await, 0);
    world.sink.otherwise(Reply::status(500));
    for _ in 0..9 {
        assert_eq!(one_event(&world, &endpoint).await, DeliveryStatus::Failed);
    }
    assert_eq!(world.endpoint_now(&endpoint).await.status, EndpointStatus::Active);
    assert_eq!(one_event(&world, &endpoint).await, DeliveryStatus::Failed);
    assert_off(&world, &endpoint).await;
}

#[tokio::test]
async fn alvys_counts_an_event_that_ends_on_a_permanent_answer_too() {
    let world = World::new().await;
    let endpoint = world.endpoint(|it| it.profile = Profile::Alvys).await;
    world.sink.otherwise(Reply::status(404));
    for _ in 0..10 {
        let delivery = only(world.publish().await);
        let failed = world.ended(delivery, DeliveryStatus::Failed).await;
        assert_eq!(failed.attempts, 1);
    }
    assert_off(&world, &endpoint).await;
}

#[tokio::test]
async fn the_count_of_failures_survives_a_restart() {
    let world = World::new().await;
    let endpoint = world.endpoint(|it| it.profile = Profile::Alvys).await;
    world.sink.otherwise(Reply::status(404));
    for _ in 0..9 {
        world.ended(only(world.publish().await), DeliveryStatus::Failed).await;
    }
    let world = world.restarted().await;
    assert_eq!(consecutive_failures(&world, &endpoint).await, 9);
    world.ended(only(world.publish().await), DeliveryStatus::Failed).await;
    assert_off(&world, &endpoint).await;
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// One event a day, beginning now, whose only attempt gets the sink's answer.
async fn days(world: &World, endpoint: &Endpoint, days: u32) {
    for _ in 0..days {
        assert_eq!(world.endpoint_now(endpoint).await.status, EndpointStatus::Active);
        let delivery = only(world.publish().await);
        world.delivery_when(delivery, "it has ended", |it| it.attempts == 1).await;
        world.go_to(world.clock.now().plus(DAY), endpoint).await;
    }
}

#[tokio::test]
async fn standard_switches_off_after_five_days_of_nothing_but_failures() {
    let world = World::new().await;
    let once = RetryPolicy { delays_ms: Vec::new(), jitter: 0.0 };
    let endpoint = world.endpoint(|it| it.retry = Some(once)).await;
    world.sink.otherwise(Reply::status(500));
    // Failing since day 0: the failure of day 5 is the one that shows it.
    days(&world, &endpoint, 5).await;
    assert_eq!(world.endpoint_now(&endpoint).await.status, EndpointStatus::Active);
    world.ended(only(world.publish().await), DeliveryStatus::Failed).await;
    assert_off(&world, &endpoint).await;
}

#[tokio::test]
async fn a_success_in_between_begins_the_five_days_anew() {
    let world = World::new().await;
    let once = RetryPolicy { delays_ms: Vec::new(), jitter: 0.0 };
    let endpoint = world.endpoint(|it| it.retry = Some(once)).await;
    let mut replies = vec![Reply::status(500); 4];
    replies.push(Reply::status(200));
    replies.extend(vec![Reply::status(500); 5]);
    world.sink.script(replies);
    days(&world, &endpoint, 10).await;
    assert_eq!(world.endpoint_now(&endpoint).await.status, EndpointStatus::Active);
}

#[tokio::test]
async fn aly_and_aryeo_are_never_switched_off_and_nobody_whose_owner_says_so() {
    for (profile, own) in [
        (Profile::Aly, None),
        (Profile::Aryeo, None),
        (Profile::Standard, Some(AutoDisable::Never)),
        (Profile::Alvys, Some(AutoDisable::Never)),
    ] {
        let world = World::new().await;
        let once = RetryPolicy { delays_ms: Vec::new(), jitter: 0.0 };
        let endpoint = world
            .endpoint(|it| {
                it.profile = profile;
                it.auto_disable = own;
                it.retry = Some(once);
            })
            .await;
        world.sink.otherwise(Reply::status(500));
        days(&world, &endpoint, 12).await;
        let status = world.endpoint_now(&endpoint).await.status;
        assert_eq!(status, EndpointStatus::Active, "{profile}");
    }
}

#[tokio::test]
async fn what_is_discarded_since_its_endpoint_is_off_is_not_looked_through_at_the_next_start() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    world.sink.otherwise(Reply::status(410));
    only(world.publish().await);
    world.off(&endpoint).await;
    for _ in 0..3 {
        world.ended(only(world.publish().await), DeliveryStatus::Discarded).await;
    }
    let world = world.restarted().await;
    let owed = world.store.owed().await.unwrap();
    let owed = owed.iter().find(|it| it.endpoint == endpoint.no).unwrap();
    assert!(owed.last < owed.from, "{owed:?}");
}
