//! The log of an endpoint's attempts, and changes that name the revision they were decided on.

use hookyard_app::{EndpointPatch, LogQuery};
use hookyard_domain::delivery::DeliveryStatus;

use crate::world::{Receiver, World, code, endpoint};

#[tokio::test]
async fn a_log_holds_what_was_tried_counts_what_was_discarded_and_says_where_it_was_cut() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    let made = world.endpoint(endpoint(&receiver.url, &["order.*"])).await.details.endpoint;
    let id = made.id.to_string();
    let mut sent = Vec::new();
    for event_type in ["order.created", "order.updated", "order.created"] {
        let event = world.publish(event_type).await;
        sent.push(world.delivery_in(&event, DeliveryStatus::Succeeded).await.id);
    }
    let (app, operator) = (&world.app, &world.operator);
    app.disable_endpoint(operator, "acme", &id).await.unwrap();
    let event = world.publish("order.created").await;
    world.delivery_in(&event, DeliveryStatus::Discarded).await;

    let query = |event_types: &[&str]| LogQuery {
        endpoint: id.clone(),
        event_types: event_types.iter().map(|it| (*it).to_owned()).collect(),
        ..LogQuery::default()
    };
    let whole = app.attempt_log(operator, "acme", query(&[]), 3).await.unwrap();
    let ids: Vec<_> = whole.tried.iter().map(|it| it.id).collect();
    assert_eq!(ids, [sent[2], sent[1], sent[0]]);
    assert_eq!((whole.discarded, whole.cut_at), (1, None));
    let logged = app.logged_attempts(operator, "acme", &whole.tried).await.unwrap();
    assert_eq!(logged.iter().map(|it| it.delivery).collect::<Vec<_>>(), ids);
    assert!(logged.iter().all(|it| it.number == 1 && it.status_code == Some(200)));

    let cut = app.attempt_log(operator, "acme", query(&[]), 2).await.unwrap();
    assert_eq!(cut.tried.len(), 2);
    assert_eq!(cut.cut_at, Some(whole.tried[1].created_at));
    let created = app.attempt_log(operator, "acme", query(&["order.created"]), 9).await.unwrap();
    assert_eq!(created.tried.len(), 2);
    let both = query(&["order.created", "order.updated"]);
    assert_eq!(app.attempt_log(operator, "acme", both, 9).await.unwrap().tried.len(), 3);
    let bad = app.attempt_log(operator, "acme", query(&["order.*", "!"]), 9).await;
    assert_eq!(code(bad), "invalid");
    app.delete_endpoint(operator, "acme", &id).await.unwrap();
    assert_eq!(code(app.attempt_log(operator, "acme", query(&[]), 9).await), "not_found");
    world.end().await;
}

#[tokio::test]
async fn a_change_at_another_revision_than_was_seen_is_refused() {
    let world = World::new().await;
    let made = world.endpoint(endpoint("https://example.com", &["*"])).await.details.endpoint;
    let id = made.id.to_string();
    let (app, operator) = (&world.app, &world.operator);
    let patch = |name: &str, revision| EndpointPatch {
        if_revision: Some(vec![revision]),
        name: Some(Some(name.to_owned())),
        ..EndpointPatch::default()
    };
    let first = app.update_endpoint(operator, "acme", &id, patch("one", made.revision)).await;
    let now = first.unwrap().endpoint.revision;
    assert_ne!(now, made.revision);
    let stale = app.update_endpoint(operator, "acme", &id, patch("two", made.revision)).await;
    assert_eq!(code(stale), "revision_mismatch");
    let seen = [made.revision];
    let stale = app.delete_endpoint_if(operator, "acme", &id, Some(&seen)).await;
    assert_eq!(code(stale), "revision_mismatch");
    let name = app.endpoint(operator, "acme", &id).await.unwrap().endpoint.settings.name;
    assert_eq!(name.as_deref(), Some("one"));
    app.delete_endpoint_if(operator, "acme", &id, Some(&[made.revision, now])).await.unwrap();
    world.end().await;
}
