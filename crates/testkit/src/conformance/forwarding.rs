//! The endpoints that forward for sources: made, changed and taken away together with them.

use hookyard_domain::endpoint::{Activity, Endpoint, EndpointSettings, EndpointStatus};
use hookyard_domain::secret::Sealed;
use hookyard_domain::source::Source;
use hookyard_store::StoreError;
use hookyard_store::endpoints::PastEndpoint;
use hookyard_store::history::DeliveryFilter;
use hookyard_store::ledger::LaneNote;
use hookyard_store::sources::Forward;

use super::configuring::actions;
use super::sourcing::{MAX, forwarder, put, traces};
use super::world::{Cellar, World, all, first};
use crate::make;

/// A source, and the endpoint that forwards for it.
pub(super) async fn forwarding(world: &World) -> (Source, Endpoint) {
    let source = make::source(world.tenant);
    let forward = put(&make::forwarder(&source));
    let audit = make::audit("source.created");
    let source = world.store().create_source(source, forward, MAX, audit).await.unwrap();
    let endpoint = forwarder(world, &source).await.unwrap();
    (source, endpoint)
}

/// Changes nothing of a source, and its endpoint as told.
async fn forward(world: &World, source: &Source, forward: Forward) -> Result<Source, StoreError> {
    let audit = make::audit("source.updated");
    let changed = world.store().update_source(world.kept(source).await, forward, audit).await?;
    Ok(changed.unwrap())
}

/// The endpoint that forwards is one of those that the tenant may have; one too many leaves no trace.
pub async fn a_forwarder_counts_among_the_endpoints(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let audit = || make::audit("source.changed");
    let put = |endpoint: Endpoint, most| Forward::Put {
        endpoint: Box::new(endpoint),
        endpoints_max: Some(most),
    };
    let is_full =
        |answer: &StoreError| matches!(answer, StoreError::Full { what: "endpoints", limit: 1 });
    world.endpoint().await;
    let before = traces(&world).await;
    let source = make::source(world.tenant);
    let one_too_many = put(make::forwarder(&source), 1);
    let refused = store.create_source(source.clone(), one_too_many, MAX, audit()).await;
    let refused = refused.unwrap_err();
    assert!(is_full(&refused), "{refused:?}");
    assert_eq!(store.source(world.tenant, source.id).await.unwrap(), None);
    assert_eq!(traces(&world).await, before);
    store.create_source(source.clone(), Forward::Keep, MAX, audit()).await.unwrap();
    let wanted = make::forwarder(&source);
    let refused = forward(&world, &source, put(wanted.clone(), 1)).await.unwrap_err();
    assert!(is_full(&refused), "{refused:?}");
    assert_eq!(forwarder(&world, &source).await, None);
    forward(&world, &source, put(wanted, 2)).await.unwrap();
    let made = forwarder(&world, &source).await.unwrap();
    forward(&world, &source, put(made, 1)).await.unwrap();
    forward(&world, &source, Forward::Remove).await.unwrap();
    let again = make::forwarder(&source);
    let refused = forward(&world, &source, put(again, 1)).await.unwrap_err();
    assert!(is_full(&refused), "one that was taken away has no place: {refused:?}");
}

/// The endpoint that forwards for a source is made with it, as one fact.
pub async fn a_forwarder_is_made_with_its_source(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let source = make::source(world.tenant);
    let wanted = make::forwarder(&source);
    let audit = make::audit("source.created");
    world.store().create_source(source.clone(), put(&wanted), MAX, audit).await.unwrap();
    world.cellar.reopen().await;
    let found = forwarder(&world, &source).await.unwrap();
    assert_ne!(found.no.0, 0);
    assert_eq!(found, Endpoint { no: found.no, ..wanted });
    assert_eq!(found.settings.source, Some(source.id));
    let config = world.store().tenant_config(world.tenant).await.unwrap().unwrap();
    assert_eq!((config.sources, config.endpoints), (vec![source], vec![found]));
    let expected = ["source.created", "tenant.created"];
    assert_eq!(actions(world.store(), world.tenant).await, expected);
}

/// The endpoint changes with its source, or stays as it is; one of an old revision lets nothing be changed.
pub async fn a_forwarder_changes_with_its_source(cellar: Cellar) {
    let world = World::new(cellar).await;
    let (source, made) = forwarding(&world).await;
    let before = traces(&world).await;
    let mut wanted = made.clone();
    wanted.settings.url = make::settings("https://other.test/").url;
    wanted.secrets.current = Some(Sealed(vec![9]));
    wanted.status = EndpointStatus::Paused;
    let changed = forward(&world, &source, put(&wanted)).await.unwrap();
    assert_eq!(changed.revision, source.revision + 1);
    let kept = forwarder(&world, &source).await.unwrap();
    assert_eq!(kept, Endpoint { revision: made.revision + 1, ..wanted.clone() });
    let after = traces(&world).await;
    assert!(after.0 > before.0 && after.1 == before.1 + 1, "{before:?} {after:?}");
    forward(&world, &source, Forward::Keep).await.unwrap();
    assert_eq!(forwarder(&world, &source).await, Some(kept.clone()));
    let (before, was) = (traces(&world).await, world.kept(&source).await);
    let refused = forward(&world, &source, put(&made)).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!((traces(&world).await, world.kept(&source).await), (before, was));
    assert_eq!(forwarder(&world, &source).await, Some(kept));
}

/// An endpoint that was taken away comes back under its old number, with its past and without its failures.
pub async fn a_forwarder_that_was_taken_away_comes_back(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let (source, made) = forwarding(&world).await;
    let delivery = first(world.accepted(&[made.no]).await);
    world.succeeded(made.no, delivery).await;
    let activity = Activity {
        delivery_count: 5,
        last_delivery_at: Some(world.now()),
        consecutive_failures: 4,
        failing_since: Some(world.now()),
    };
    let (mark, tenant) = (delivery.event().key().next(), world.tenant);
    world.note(LaneNote { tenant, endpoint: made.no, mark, activity }).await;
    for by_itself in [false, true] {
        let last = forwarder(&world, &source).await.unwrap();
        if by_itself {
            let audit = make::audit("endpoint.deleted");
            assert!(world.store().delete_endpoint(world.tenant, made.id, audit).await.unwrap());
        } else {
            forward(&world, &source, Forward::Remove).await.unwrap();
        }
        assert_eq!(forwarder(&world, &source).await, None);
        let config = world.store().tenant_config(world.tenant).await.unwrap().unwrap();
        assert_eq!(config.endpoints, []);
        forward(&world, &source, Forward::Remove).await.unwrap();
        let mut wanted = make::forwarder(&source);
        wanted.created_at = world.tick();
        wanted.settings.url = make::settings("https://other.test/").url;
        forward(&world, &source, put(&wanted)).await.unwrap();
        world.cellar.reopen().await;
        let back = forwarder(&world, &source).await.unwrap();
        assert!(back.revision > last.revision);
        assert_eq!(back, Endpoint { no: made.no, revision: back.revision, ..wanted });
        let refused = world.store().update_endpoint(last, make::audit("endpoint.updated")).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    }
    let found = world.store().activity(world.tenant, &[made.no]).await.unwrap();
    let forgotten = Activity { consecutive_failures: 0, failing_since: None, ..activity };
    assert_eq!(found, [forgotten]);
    let next = first(world.accepted(&[made.no]).await);
    assert_eq!(world.owed(made.no, mark).await, [next]);
    let filter = DeliveryFilter { endpoint: Some(made.no), ..DeliveryFilter::default() };
    assert_eq!(world.deliveries(&filter, 10).await, [next, delivery]);
}

/// A source goes with the endpoint of its id, as one fact; what was delivered stays listed.
pub async fn a_source_goes_with_its_forwarder(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let (source, made) = forwarding(&world).await;
    let [other, _] = [world.endpoint().await, world.endpoint().await];
    let delivery = first(world.accepted(&[made.no, other]).await);
    world.succeeded(made.no, delivery).await;
    let before = traces(&world).await;
    let audit = make::audit("source.deleted");
    assert!(store.delete_source(world.tenant, source.id, audit).await.unwrap());
    let after = traces(&world).await;
    assert!(after.0 > before.0 && after.1 == before.1 + 1, "{before:?} {after:?}");
    assert_eq!(forwarder(&world, &source).await, None);
    assert_eq!(store.endpoints(world.tenant, all()).await.unwrap().rows.len(), 2);
    let EndpointSettings { profile, scope, .. } = made.settings.clone();
    assert_eq!(
        store.endpoint_no(world.tenant, made.id).await.unwrap(),
        Some(PastEndpoint { no: made.no, profile, scope })
    );
    let filter = DeliveryFilter { endpoint: Some(made.no), ..DeliveryFilter::default() };
    assert_eq!(world.deliveries(&filter, 10).await, [delivery]);
}

/// A source does not get another tenant's endpoint for its own.
pub async fn a_forwarder_takes_no_foreign_endpoint(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let stranger = world.stranger().await;
    let source = make::source(world.tenant);
    let theirs = Endpoint { tenant: stranger, ..make::forwarder(&source) };
    let audit = || make::audit("made");
    let theirs = store.create_endpoint(theirs, None, audit()).await.unwrap();
    let before = traces(&world).await;
    let forward_it = put(&make::forwarder(&source));
    let refused = store.create_source(source.clone(), forward_it, MAX, audit()).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(store.source(world.tenant, source.id).await.unwrap(), None);
    assert_eq!(traces(&world).await, before);
    store.create_source(source.clone(), Forward::Keep, MAX, audit()).await.unwrap();
    forward(&world, &source, Forward::Remove).await.unwrap();
    let deleted = store.delete_source(world.tenant, source.id, audit()).await;
    assert!(deleted.unwrap());
    assert_eq!(store.endpoint(stranger, theirs.id).await.unwrap(), Some(theirs));
}
