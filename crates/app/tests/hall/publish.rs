//! Publishing: what is accepted, once, within limits.

use std::time::Duration;

use bytes::Bytes;
use hookyard_app::{AppError, IdempotencyKey, LimitsInput, NewEvent, Repeat, TenantPatch};
use hookyard_domain::delivery::DeliveryStatus;
use hookyard_domain::invalid::Invalid;

use crate::world::{Receiver, World, code, endpoint, event, wrong};

fn key(text: &str) -> Option<IdempotencyKey> {
    Some(IdempotencyKey::from_header(text.as_bytes()).unwrap())
}

async fn limited(world: &World, limits: LimitsInput) {
    let patch = TenantPatch { limits: Some(Some(limits)), ..TenantPatch::default() };
    world.app.update_tenant(&world.operator, "acme", patch).await.unwrap();
}

#[tokio::test]
async fn a_published_event_reaches_who_wants_it_and_can_be_read_back() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    world.endpoint(endpoint(&receiver.url, &["order.*"])).await;
    world.endpoint(endpoint(&receiver.url, &["invoice.*"])).await;
    let event = event("order.created");
    let accepted = world.app.publish(&world.operator, "acme", event, None).await.unwrap();
    assert_eq!((accepted.deliveries, accepted.repeat), (1, Repeat::First));
    let id = accepted.id.to_string();
    let listed = world.app.event(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(listed.event.content.data, Bytes::from_static(br#"{"order":1}"#));
    let delivery = world.delivery_in(&id, DeliveryStatus::Succeeded).await;
    assert_eq!((delivery.attempts, delivery.last_status_code), (1, Some(200)));
    assert!(receiver.bodies()[0].contains(r#""data":{"order":1}"#));
    world.end().await;
}

#[tokio::test]
async fn the_publishers_own_id_counts_once_whatever_the_rest_says() {
    let world = World::new().await;
    let with_id =
        |event_type: &str| NewEvent { publisher_id: Some("p-1".into()), ..event(event_type) };
    let first = world.app.publish(&world.operator, "acme", with_id("a"), None).await.unwrap();
    let again = world.app.publish(&world.operator, "acme", with_id("b"), None).await.unwrap();
    assert_eq!((again.id, again.repeat), (first.id, Repeat::SameId));
    world.end().await;
}

#[tokio::test]
async fn an_idempotency_key_counts_once_for_one_content() {
    let world = World::new().await;
    let publish = |event_type: &str, it: &str| {
        world.app.publish(&world.operator, "acme", event(event_type), key(it))
    };
    let first = publish("a", "k-1").await.unwrap();
    let again = publish("a", "\"k-1\"").await.unwrap();
    assert_eq!((again.id, again.repeat), (first.id, Repeat::SameKey));
    assert_eq!(code(publish("b", "k-1").await), "idempotency_key_reused");
    assert_ne!(publish("a", "k-2").await.unwrap().id, first.id);
    world.end().await;
}

#[tokio::test]
async fn payloads_over_the_tenants_limit_are_too_large() {
    let world = World::new().await;
    let most = LimitsInput { payload_bytes: Some(Some(100)), ..LimitsInput::default() };
    limited(&world, most).await;
    assert_eq!(world.app.payload_bytes_max(&world.operator, "acme").await.unwrap(), 100);
    let sized = |bytes: usize| NewEvent { data: Bytes::from(vec![b'1'; bytes]), ..event("a") };
    assert!(world.app.publish(&world.operator, "acme", sized(100), None).await.is_ok());
    let large = world.app.publish(&world.operator, "acme", sized(101), None).await;
    assert!(matches!(large, Err(AppError::TooLarge { limit_bytes: 100 })));
    world.end().await;
}

#[tokio::test]
async fn more_than_the_tenant_may_publish_has_to_wait() {
    let world = World::new().await;
    let most = LimitsInput { publish_per_s: Some(Some(2)), ..LimitsInput::default() };
    limited(&world, most).await;
    let publish = || world.app.publish(&world.operator, "acme", event("a"), None);
    assert!(publish().await.is_ok() && publish().await.is_ok());
    let Err(AppError::TooMany { retry_after }) = publish().await else { panic!("too many") };
    world.clock.forward(retry_after);
    assert!(publish().await.is_ok());
    world.clock.forward(Duration::from_secs(5));
    let batch = vec![Ok(event("a")), Ok(event("a"))];
    assert!(world.app.publish_batch(&world.operator, "acme", batch, None).await.is_ok());
    assert_eq!(code(publish().await), "too_many_requests");
    world.end().await;
}

#[tokio::test]
async fn a_bad_item_of_a_batch_fails_alone() {
    let world = World::new().await;
    let unread = vec![Invalid::new("/data", "required", "this field is required")];
    let batch = vec![Ok(event("a")), Err(unread), Ok(event("a b")), Ok(event("b")), Ok(event("c"))];
    let results = world.app.publish_batch(&world.operator, "acme", batch, None).await.unwrap();
    let good: Vec<_> = results.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, false, false, true, true]);
    let mut ids = Vec::new();
    for (place, result) in results.into_iter().enumerate() {
        match result {
            Ok(accepted) => ids.push((place, accepted.id)),
            Err(error) => assert_eq!(wrong::<()>(Err(error)).len(), 1),
        }
    }
    for (place, id) in ids {
        let listed = world.app.event(&world.operator, "acme", &id.to_string()).await.unwrap();
        let want = ["a", "", "", "b", "c"][place];
        assert_eq!(listed.event.content.event_type.as_str(), want);
    }
    world.end().await;
}

#[tokio::test]
async fn a_batch_with_a_key_can_be_sent_again() {
    let world = World::new().await;
    let batch = || vec![Ok(event("a")), Ok(event("b"))];
    let send = || world.app.publish_batch(&world.operator, "acme", batch(), key("b-1"));
    let ids = |results: Vec<Result<hookyard_app::Accepted, AppError>>| -> Vec<_> {
        results.into_iter().map(|it| it.unwrap().id).collect()
    };
    let first = ids(send().await.unwrap());
    assert_eq!(ids(send().await.unwrap()), first);
    assert_ne!(first[0], first[1]);
    world.end().await;
}

#[tokio::test]
async fn batches_have_bounds() {
    let world = World::new().await;
    let send = |events: usize| {
        let batch = (0..events).map(|_| Ok(event("a"))).collect();
        world.app.publish_batch(&world.operator, "acme", batch, None)
    };
    assert_eq!(wrong(send(0).await), [(String::new(), "required")]);
    assert_eq!(wrong(send(1001).await), [(String::new(), "too_many")]);
    assert_eq!(send(1000).await.unwrap().len(), 1000);
    world.end().await;
}
