//! Sources: made, changed, found and taken away.

use std::time::Duration;

use hookyard_domain::endpoint::Endpoint;
use hookyard_domain::id::{EndpointId, EventKey, SourceId};
use hookyard_domain::page::PageRequest;
use hookyard_domain::profile::Profile;
use hookyard_domain::secret::{Sealed, SealedSecrets};
use hookyard_domain::source::{Source, SourceStatus};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::StoreError;
use hookyard_store::sources::Forward;

use super::configuring::actions;
use super::forwarding::forwarding;
use super::world::{Cellar, World, all};
use crate::make;

pub(super) const MAX: u32 = 100;

/// What may have been changed: the version, and how much was audited.
pub(super) async fn traces(world: &World) -> (u64, usize) {
    (world.version().await, actions(world.store(), world.tenant).await.len())
}

pub(super) fn put(endpoint: &Endpoint) -> Forward {
    Forward::Put { endpoint: Box::new(endpoint.clone()), endpoints_max: None }
}

pub(super) async fn forwarder(world: &World, source: &Source) -> Option<Endpoint> {
    let id = EndpointId::from_u128(source.id.as_u128());
    world.store().endpoint(source.tenant, id).await.unwrap()
}

/// A source keeps every field, and its changes move revision and version.
pub async fn a_source_is_kept_as_it_is(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let before = world.version().await;
    let made = make::source(world.tenant);
    let audit = || make::audit("source.made");
    let answer = world.store().create_source(made.clone(), Forward::Keep, MAX, audit()).await;
    assert_eq!(answer.unwrap(), made);
    let created = world.version().await;
    assert!(created > before);
    assert_eq!(world.kept(&made).await, made);
    let mut changed = made.clone();
    changed.settings.name = "Another name".into();
    changed.settings.provider = "a label of the user's own".into();
    changed.settings.profile = Profile::Alumia;
    changed.settings.scope = Some("north".parse().unwrap());
    changed.settings.public_url = Some("https://told.test/hook".into());
    changed.settings.events = vec!["order.*".parse().unwrap(), "a.b".parse().unwrap()];
    changed.settings.description = Some("What it is for".into());
    changed.settings.metadata = Some("{\"a\":1}".into());
    changed.secrets = SealedSecrets {
        current: None,
        previous: Some((Sealed(vec![0, 255]), world.now().plus(Duration::from_secs(60)))),
    };
    changed.verify_token = Some(Sealed(vec![7, 0]));
    changed.status = SourceStatus::Disabled;
    changed.updated_at = world.tick();
    let given = Source { created_at: world.now(), ..changed.clone() };
    let answer = world.store().update_source(given, Forward::Keep, audit()).await.unwrap();
    changed.revision += 1;
    assert_eq!(answer, Some(changed.clone()), "when it was made does not change");
    assert!(world.version().await > created);
    world.cellar.reopen().await;
    assert_eq!(world.kept(&made).await, changed);
    let config = world.store().tenant_config(world.tenant).await.unwrap().unwrap();
    assert_eq!(config.sources, [changed]);
    let expected = ["source.made", "source.made", "tenant.created"];
    assert_eq!(actions(world.store(), world.tenant).await, expected);
}

/// Who changes a source must have seen its last change; what is refused leaves no trace.
pub async fn a_change_of_a_source_of_an_old_revision_is_refused(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let audit = || make::audit("source.updated");
    let old = world.source().await;
    let kept = store.update_source(old.clone(), Forward::Keep, audit()).await.unwrap().unwrap();
    let before = traces(&world).await;
    let mut other = old.clone();
    other.settings.name = "Another name".into();
    let with_endpoint = put(&make::forwarder(&other));
    let refused = store.update_source(other, with_endpoint.clone(), audit()).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    let stranger = world.stranger().await;
    let foreign = Source { tenant: stranger, ..kept.clone() };
    let to_foreign = put(&make::forwarder(&foreign));
    assert_eq!(store.update_source(foreign.clone(), to_foreign, audit()).await.unwrap(), None);
    let unknown = make::source(world.tenant);
    let to_unknown = put(&make::forwarder(&unknown));
    assert_eq!(store.update_source(unknown, to_unknown, audit()).await.unwrap(), None);
    assert_eq!(traces(&world).await, before);
    assert_eq!(world.kept(&old).await, kept);
    assert_eq!(store.source(stranger, old.id).await.unwrap(), None);
    for tenant in [world.tenant, stranger] {
        assert!(store.endpoints(tenant, all()).await.unwrap().rows.is_empty());
    }
}

/// A tenant has no more sources than it may; one too many leaves no trace.
pub async fn no_more_sources_than_may_be(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let stranger = world.stranger().await;
    let create = |source: Source| {
        let forward = put(&make::forwarder(&source));
        store.create_source(source, forward, 2, make::audit("source.created"))
    };
    let one = create(make::source(world.tenant)).await.unwrap();
    create(make::source(world.tenant)).await.unwrap();
    let before = traces(&world).await;
    let refused = create(make::source(world.tenant)).await;
    assert!(matches!(refused, Err(StoreError::Full { limit: 2, .. })), "{refused:?}");
    assert_eq!(traces(&world).await, before);
    assert_eq!(store.endpoints(world.tenant, all()).await.unwrap().rows.len(), 2);
    create(make::source(stranger)).await.unwrap();
    let audit = make::audit("source.deleted");
    assert!(store.delete_source(world.tenant, one.id, audit).await.unwrap());
    create(make::source(world.tenant)).await.unwrap();
}

/// An id is one source's alone, in every tenant and for ever, and nothing is made for a tenant that is gone.
pub async fn a_sources_id_is_its_own(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let stranger = world.stranger().await;
    let made = world.source().await;
    let create = |source: Source| {
        let forward = put(&make::forwarder(&source));
        store.create_source(source, forward, MAX, make::audit("source.created"))
    };
    let is_refused = |answer| matches!(answer, Err(StoreError::Conflict { .. }));
    let before = traces(&world).await;
    assert!(is_refused(create(made.clone()).await));
    assert!(is_refused(create(Source { tenant: stranger, ..made.clone() }).await));
    assert_eq!(traces(&world).await, before);
    let audit = make::audit("source.deleted");
    assert!(store.delete_source(world.tenant, made.id, audit).await.unwrap());
    assert!(is_refused(create(made).await));
    store.delete_tenant(stranger, make::audit("tenant.deleted")).await.unwrap();
    assert!(is_refused(create(make::source(stranger)).await));
    assert!(is_refused(create(make::source(TenantNo(999))).await));
    assert!(store.endpoints(world.tenant, all()).await.unwrap().rows.is_empty());
}

/// A tenant's own sources are listed newest first, to the end, whatever goes meanwhile.
pub async fn sources_are_listed_newest_first(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(world.source().await);
        world.source_of(stranger).await;
    }
    let page = |limit, cursor| world.store().sources(world.tenant, PageRequest { limit, cursor });
    let one = page(3, None).await.unwrap();
    for at in [4, 3] {
        let audit = make::audit("source.deleted");
        assert!(world.store().delete_source(world.tenant, made[at].id, audit).await.unwrap());
    }
    world.source().await;
    let two = page(3, one.next).await.unwrap();
    let ids = |rows: &[Source]| rows.iter().map(|row| row.id).collect::<Vec<SourceId>>();
    assert_eq!(ids(&one.rows), [made[6].id, made[5].id, made[4].id]);
    assert_eq!(ids(&two.rows), [made[2].id, made[1].id, made[0].id]);
    assert_eq!((two.next, &two.rows[0]), (None, &made[2]));
    let config = world.store().tenant_config(world.tenant).await.unwrap().unwrap();
    let everything = page(100, None).await.unwrap().rows;
    let mut sources = config.sources;
    sources.sort_by_key(|it| everything.iter().position(|row| row.id == it.id));
    assert_eq!(sources, everything);
}

/// Sealing a source anew replaces what is sealed and nothing else; it is refused for an old revision.
pub async fn a_source_sealed_anew_is_the_same_otherwise(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let stranger = world.stranger().await;
    let mut made = make::source(world.tenant);
    made.secrets.previous = Some((Sealed(vec![1]), make::NOW));
    made.verify_token = Some(Sealed(vec![2]));
    let audit = || make::audit("source.changed");
    store.create_source(made.clone(), Forward::Keep, MAX, audit()).await.unwrap();
    let before = traces(&world).await;
    let mut anew = made.clone();
    anew.secrets.current = Some(Sealed(vec![3]));
    anew.secrets.previous = Some((Sealed(vec![4]), make::NOW));
    anew.verify_token = Some(Sealed(vec![5]));
    assert!(!store.reseal_source(Source { tenant: stranger, ..anew.clone() }).await.unwrap());
    let mut renamed = anew.clone();
    renamed.settings.name = "Another name".into();
    renamed.status = SourceStatus::Disabled;
    assert!(store.reseal_source(renamed).await.unwrap());
    assert_eq!(world.kept(&made).await, anew);
    assert_eq!(traces(&world).await, before, "nobody did anything");
    let changed = store.update_source(anew, Forward::Keep, audit()).await.unwrap().unwrap();
    assert!(!store.reseal_source(made.clone()).await.unwrap(), "it was changed since");
    assert_eq!(world.kept(&made).await, changed);
    assert!(store.delete_source(world.tenant, made.id, audit()).await.unwrap());
    assert!(!store.reseal_source(changed).await.unwrap());
}

/// A deleted source is gone from everywhere, once.
pub async fn a_deleted_source_is_gone(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let made = world.source().await;
    let delete = async |tenant| {
        world.store().delete_source(tenant, made.id, make::audit("gone")).await.unwrap()
    };
    assert!(!delete(stranger).await);
    assert_eq!(world.kept(&made).await, made);
    let before = world.version().await;
    assert!(delete(world.tenant).await);
    assert!(world.version().await > before);
    let after = traces(&world).await;
    assert!(!delete(world.tenant).await);
    assert_eq!(traces(&world).await, after);
    world.cellar.reopen().await;
    let store = world.store();
    assert_eq!(store.source(world.tenant, made.id).await.unwrap(), None);
    assert_eq!(store.source_tenant(made.id).await.unwrap(), None);
    assert_eq!(store.sources_of_provider("custom", 10, 10).await.unwrap(), []);
    assert_eq!(store.sources(world.tenant, all()).await.unwrap().rows, []);
    assert_eq!(store.tenant_config(world.tenant).await.unwrap().unwrap().sources, []);
    let updated = store.update_source(made, Forward::Keep, make::audit("source.updated")).await;
    assert_eq!(updated.unwrap(), None);
    let expected = ["gone", "source.created", "tenant.created"];
    assert_eq!(actions(store, world.tenant).await, expected);
    assert_eq!(actions(store, stranger).await, ["tenant.created"]);
}

/// A source is found by its id alone, and by what its provider is at the moment.
pub async fn sources_are_found_without_their_tenant(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let stranger = world.stranger().await;
    let mut made = Vec::new();
    for (tenant, provider) in [
        (stranger, "linear"),
        (world.tenant, "linear"),
        (world.tenant, "github"),
        (world.tenant, "Linear"),
        (stranger, "linear"),
    ] {
        let mut source = make::source(tenant);
        source.settings.provider = provider.into();
        let audit = make::audit("source.created");
        made.push(store.create_source(source, Forward::Keep, MAX, audit).await.unwrap());
    }
    for source in &made {
        assert_eq!(store.source_tenant(source.id).await.unwrap(), Some(source.tenant));
    }
    assert_eq!(store.source_tenant(make::id()).await.unwrap(), None);
    let of =
        async |provider: &str, limit| store.sources_of_provider(provider, 10, limit).await.unwrap();
    let these = |ats: &[usize]| -> Vec<(TenantNo, SourceId)> {
        ats.iter().map(|at| (made[*at].tenant, made[*at].id)).collect()
    };
    assert_eq!(of("linear", 10).await, these(&[0, 1, 4]));
    assert_eq!(of("linear", 2).await, these(&[0, 1]));
    assert_eq!(of("nobody", 10).await, []);
    let mut changed = made[2].clone();
    changed.settings.provider = "linear".into();
    let audit = make::audit("source.updated");
    store.update_source(changed, Forward::Keep, audit).await.unwrap().unwrap();
    world.set_source(&made[1], SourceStatus::Disabled).await;
    assert_eq!(of("linear", 10).await, these(&[0, 2, 4]), "one that is off takes nothing");
    world.set_source(&made[1], SourceStatus::Paused).await;
    assert_eq!(of("linear", 10).await, these(&[0, 1, 2, 4]));
    assert_eq!(of("github", 10).await, []);
    store.delete_tenant(stranger, make::audit("tenant.deleted")).await.unwrap();
    assert_eq!(of("linear", 10).await, these(&[1, 2]));
}

/// However many sources a tenant has, the look-up that names no tenant finds the others' as well.
pub async fn no_tenant_takes_anothers_place(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let stranger = world.stranger().await;
    let mut made = Vec::new();
    for tenant in [world.tenant, world.tenant, world.tenant, world.tenant, stranger, stranger] {
        made.push(world.source_of(tenant).await);
    }
    let of = async |each, limit| store.sources_of_provider("custom", each, limit).await.unwrap();
    let these = |ats: &[usize]| -> Vec<(TenantNo, SourceId)> {
        ats.iter().map(|at| (made[*at].tenant, made[*at].id)).collect()
    };
    assert_eq!(of(3, 10).await, these(&[0, 4, 1, 5, 2]));
    assert_eq!(of(3, 2).await, these(&[0, 4]));
    assert_eq!(of(1, 10).await, these(&[0, 4]));
    world.set_source(&made[0], SourceStatus::Disabled).await;
    assert_eq!(of(2, 10).await, these(&[1, 4, 2, 5]), "its rank is the next one's");
}

/// Sources go with their tenant, and with what is held of them.
pub async fn sources_go_with_their_tenant(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let (source, _) = forwarding(&world).await;
    let mut held = world.received(&source).await;
    held.held = true;
    world.accept(held).await;
    store.delete_tenant(world.tenant, make::audit("tenant.deleted")).await.unwrap();
    assert_eq!(store.source(world.tenant, source.id).await.unwrap(), None);
    assert_eq!(forwarder(&world, &source).await, None);
    assert_eq!(store.source_tenant(source.id).await.unwrap(), None);
    assert_eq!(store.sources_of_provider("custom", 10, 10).await.unwrap(), []);
    assert!(store.held(10).await.unwrap().is_empty());
    let end = EventKey::at(world.tick());
    assert_eq!(
        store.prune(world.tenant, EventKey(0)..end, 10).await.unwrap().dropped,
        1,
        "nothing keeps its event"
    );
    let next = make::tenant("acme");
    let next = store.create_tenant(next, make::audit("tenant.created")).await.unwrap();
    assert_eq!(store.tenant_config(next.no).await.unwrap().unwrap().sources, []);
}
