//! Callers who come through a vendor's surface.

use hookyard_app::{Caller, DeliveryQuery, EndpointPatch, NewEndpoint, PageQuery};
use hookyard_domain::delivery::DeliveryStatus;
use hookyard_domain::endpoint::EndpointStatus;
use hookyard_domain::profile::Profile;

use crate::world::{Receiver, World, code, endpoint, wrong};

const URL: &str = "https://example.com/hooks";

async fn aly(world: &World) -> Caller {
    world.caller("acme", &["read", "write"]).await.through(Profile::Aly)
}

#[tokio::test]
async fn they_make_see_and_change_only_endpoints_of_its_profile() {
    let world = World::new().await;
    let aly = aly(&world).await;
    let app = &world.app;
    let other = world.endpoint(endpoint(URL, &["*"])).await.details.endpoint;
    let own = app.create_endpoint(&aly, "acme", endpoint(URL, &["*"])).await.unwrap();
    let own = own.details.endpoint;
    assert_eq!((other.settings.profile, own.settings.profile), (Profile::Standard, Profile::Aly));
    world.endpoint(endpoint(URL, &["*"])).await;

    let page = PageQuery { limit: Some("1".into()), cursor: None };
    let page = app.endpoints(&aly, "acme", page).await.unwrap();
    let seen: Vec<_> = page.rows.iter().map(|it| it.endpoint.id).collect();
    assert_eq!(seen, [own.id], "a page is filled with what they see");

    let other = other.id.to_string();
    let patch = EndpointPatch::default();
    assert_eq!(code(app.endpoint(&aly, "acme", &other).await), "not_found");
    assert_eq!(code(app.update_endpoint(&aly, "acme", &other, patch).await), "not_found");
    assert_eq!(code(app.delete_endpoint(&aly, "acme", &other).await), "not_found");
    let query = DeliveryQuery { endpoint: Some(other), ..DeliveryQuery::default() };
    let page = PageQuery::default();
    assert_eq!(code(app.deliveries_to(&aly, "acme", query, page).await), "not_found");
    world.end().await;
}

#[tokio::test]
async fn they_name_types_of_its_catalogue() {
    let world = World::new().await;
    let aly = aly(&world).await;
    let bad = endpoint(URL, &["order.created", "order.*", "order.shipped"]);
    let refused = wrong(world.app.create_endpoint(&aly, "acme", bad).await);
    let want = ["/events/1", "/events/2"].map(|it| (it.to_owned(), "unknown_event_type"));
    assert_eq!(refused, want);
    world.end().await;
}

#[tokio::test]
async fn only_a_tenants_key_says_which_tenant_is_meant() {
    let world = World::new().await;
    assert_eq!(aly(&world).await.own_tenant().unwrap().as_str(), "acme");
    assert_eq!(code(world.operator.own_tenant()), "forbidden");
    world.end().await;
}

#[tokio::test]
async fn an_endpoint_may_begin_switched_off() {
    let world = World::new().await;
    let off = NewEndpoint { off: true, ..endpoint(URL, &["*"]) };
    let made = world.endpoint(off).await.details.endpoint;
    assert_eq!(made.status, EndpointStatus::Disabled);
    assert!(made.disabled_at.is_some() && made.disabled_reason.is_some());
    let event = world.publish("order.created").await;
    world.delivery_in(&event, DeliveryStatus::Discarded).await;
    world.end().await;
}

#[tokio::test]
async fn a_delivery_is_replayed_to_its_own_endpoint_alone() {
    let world = World::new().await;
    let (app, operator) = (&world.app, &world.operator);
    let receiver = Receiver::start().await;
    let first = world.endpoint(endpoint(&receiver.url, &["*"])).await.details.endpoint;
    let event = world.publish("order.created").await;
    let old = world.delivery_in(&event, DeliveryStatus::Succeeded).await;
    let second = world.endpoint(endpoint(&receiver.url, &["*"])).await.details.endpoint;

    let (first, second, id) = (first.id.to_string(), second.id.to_string(), old.id.to_string());
    let fresh = app.replay_delivery(operator, "acme", &first, &id).await.unwrap();
    assert_eq!((fresh.id.event(), fresh.endpoint), (old.id.event(), old.endpoint));
    assert_ne!(fresh.id, old.id);
    assert_eq!(code(app.replay_delivery(operator, "acme", &second, &id).await), "not_found");
    app.delete_endpoint(operator, "acme", &first).await.unwrap();
    let gone = app.replay_delivery(operator, "acme", &first, &id).await;
    assert_eq!(code(gone), "endpoint_deleted");
    let query = DeliveryQuery { endpoint: Some(first), ..DeliveryQuery::default() };
    let listed = app.deliveries_to(operator, "acme", query, PageQuery::default()).await.unwrap();
    assert_eq!(listed.rows.len(), 2, "a deleted endpoint's deliveries stay listed");
    world.end().await;
}
