//! Tenants, keys, endpoints and the catalogue: made, changed and taken away together with their audit entries.

use std::time::Duration;

use hookyard_domain::endpoint::{DisabledReason, Endpoint, EndpointSettings, EndpointStatus};
use hookyard_domain::id::EventKey;
use hookyard_domain::page::PageRequest;
use hookyard_domain::profile::Profile;
use hookyard_domain::secret::{Sealed, SealedSecrets};
use hookyard_domain::tenant::{Tenant, TenantLimits, TenantNo};
use hookyard_domain::url::EndpointUrl;
use hookyard_store::endpoints::{PastEndpoint, StatusChange};
use hookyard_store::tenants::Retained;
use hookyard_store::{Store, StoreError};

use super::world::{Cellar, World, all};
use crate::make;

pub(super) async fn actions(store: &dyn Store, tenant: TenantNo) -> Vec<String> {
    let page = store.audit(tenant, all()).await.unwrap();
    page.rows.into_iter().map(|row| row.action).collect()
}

/// A tenant is made, found, changed and listed.
pub async fn a_tenant_is_kept_as_it_is(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let mut tenant = world.store().tenant(&"acme".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(tenant, Tenant { no: world.tenant, ..make::tenant("acme") });
    let old = tenant.clone();
    tenant.name = None;
    tenant.profile = Profile::Alvys;
    tenant.limits = TenantLimits { endpoints: Some(3), ..TenantLimits::default() };
    tenant.retention_days = 7;
    tenant.updated_at = world.tick();
    let before = world.version().await;
    let audit = make::audit("tenant.updated");
    assert!(world.store().update_tenant(old.clone(), tenant.clone(), audit).await.unwrap());
    assert!(world.version().await > before);
    // Who looked at it before that change does not undo it.
    let renamed = Tenant { name: Some("by somebody else".into()), ..old.clone() };
    let before = world.version().await;
    let late = world.store().update_tenant(old, renamed, make::audit("tenant.updated")).await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
    assert_eq!(world.version().await, before);
    world.cellar.reopen().await;
    let found = world.store().tenant(&tenant.id).await.unwrap();
    assert_eq!(found, Some(tenant.clone()));
    let config = world.store().tenant_config(world.tenant).await.unwrap().unwrap();
    assert_eq!(config.tenant, tenant);
    assert_eq!(world.store().tenant(&"nobody".parse().unwrap()).await.unwrap(), None);
    assert_eq!(actions(world.store(), world.tenant).await, ["tenant.updated", "tenant.created"]);
}

/// A name is one tenant's alone, until that tenant is deleted.
pub async fn a_tenants_name_is_its_own_until_it_is_deleted(cellar: Cellar) {
    let world = World::new(cellar).await;
    let create =
        || world.store().create_tenant(make::tenant("acme"), make::audit("tenant.created"));
    assert!(matches!(create().await, Err(StoreError::Conflict { .. })));
    world.endpoint().await;
    world.store().create_key(make::key(world.tenant, 1), make::audit("key.created")).await.unwrap();
    let audit = make::audit("tenant.deleted");
    assert!(world.store().delete_tenant(world.tenant, audit.clone()).await.unwrap());
    assert!(!world.store().delete_tenant(world.tenant, audit).await.unwrap());
    assert_eq!(world.store().tenant(&"acme".parse().unwrap()).await.unwrap(), None);
    assert!(world.store().tenant_config(world.tenant).await.unwrap().is_none());
    let next = create().await.unwrap();
    assert!(next.no > world.tenant, "a number is never used again");
    let config = world.store().tenant_config(next.no).await.unwrap().unwrap();
    assert!(config.endpoints.is_empty());
    let hash = make::key(world.tenant, 1).hash;
    assert!(world.store().key_by_hash(hash).await.unwrap().is_none());
    let gone = make::tenant("acme");
    let gone = Tenant { no: world.tenant, ..gone };
    let audit = make::audit("tenant.updated");
    assert!(!world.store().update_tenant(gone.clone(), gone, audit).await.unwrap());
}

/// Nothing is made for a tenant that is gone.
pub async fn a_deleted_tenant_gets_nothing_new(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    store.delete_tenant(world.tenant, make::audit("tenant.deleted")).await.unwrap();
    let audit = || make::audit("made");
    assert!(store.create_endpoint(make::endpoint(world.tenant), None, audit()).await.is_err());
    assert!(store.create_key(make::key(world.tenant, 1), audit()).await.is_err());
    let entries = vec![make::catalogue_entry("order.created")];
    assert!(store.put_event_types(world.tenant, entries, true, audit()).await.is_err());
    let endpoints = store.endpoints(world.tenant, all()).await.unwrap();
    assert!(endpoints.rows.is_empty());
}

/// Lists of configured things: newest first, to the end, whatever goes meanwhile.
pub async fn configured_things_are_listed_newest_first(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let mut names = vec!["acme".to_owned()];
    let mut keys = Vec::new();
    let mut endpoints = Vec::new();
    let mut types = Vec::new();
    for number in 0..9_u8 {
        let name = format!("tenant-{number}");
        store.create_tenant(make::tenant(&name), make::audit("tenant.created")).await.unwrap();
        names.push(name);
        let key = make::key(world.tenant, number);
        store.create_key(key.clone(), make::audit("key.created")).await.unwrap();
        keys.push(key.id);
        let endpoint = make::endpoint(world.tenant);
        store
            .create_endpoint(endpoint.clone(), None, make::audit("endpoint.created"))
            .await
            .unwrap();
        endpoints.push(endpoint.id);
        let name = format!("type.n{number}");
        let entry = vec![make::catalogue_entry(&name)];
        store.put_event_types(world.tenant, entry, false, make::audit("made")).await.unwrap();
        types.push(name);
    }
    let mut found = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut cursors = (None, None, None, None);
    for _ in 0..5 {
        let request = |cursor| PageRequest { limit: 2, cursor };
        let page = store.tenants(request(cursors.0)).await.unwrap();
        found.0.extend(page.rows.iter().map(|row| row.id.to_string()));
        cursors.0 = page.next;
        let page = store.keys(world.tenant, request(cursors.1)).await.unwrap();
        found.1.extend(page.rows.iter().map(|row| row.id));
        cursors.1 = page.next;
        let page = store.endpoints(world.tenant, request(cursors.2)).await.unwrap();
        found.2.extend(page.rows.iter().map(|row| row.id));
        cursors.2 = page.next;
        let page = store.event_types(world.tenant, request(cursors.3)).await.unwrap();
        found.3.extend(page.rows.iter().map(|row| row.name.to_string()));
        cursors.3 = page.next;
    }
    assert_eq!(cursors, (None, None, None, None));
    for list in [&mut names, &mut types] {
        list.reverse();
    }
    keys.reverse();
    endpoints.reverse();
    assert_eq!(found, (names, keys, endpoints, types));
}

/// Retention is told of every tenant, and of a deleted one until its events are gone.
pub async fn retention_is_told_of_every_tenant(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let event = world.accepted(&[]).await;
    let both = [
        Retained { tenant: world.tenant, days: Some(30) },
        Retained { tenant: stranger, days: Some(30) },
    ];
    assert_eq!(world.store().retained().await.unwrap(), both);
    world.store().delete_tenant(world.tenant, make::audit("tenant.deleted")).await.unwrap();
    let deleted = Retained { tenant: world.tenant, days: None };
    assert_eq!(world.store().retained().await.unwrap(), [deleted, both[1]]);
    let pruned = world
        .store()
        .prune(world.tenant, EventKey(0)..event.key().next(), 100)
        .await
        .unwrap()
        .dropped;
    assert_eq!(pruned, 1);
    assert_eq!(world.store().retained().await.unwrap(), [both[1]]);
}

/// The operator's key is there once it was kept, and no other takes its place.
pub async fn the_operators_key_is_kept(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    assert_eq!(world.store().operator_key().await.unwrap(), None);
    assert_eq!(world.store().keep_operator_key([7; 32]).await.unwrap(), [7; 32]);
    assert_eq!(world.store().keep_operator_key([8; 32]).await.unwrap(), [7; 32]);
    world.cellar.reopen().await;
    assert_eq!(world.store().operator_key().await.unwrap(), Some([7; 32]));
}

/// A key is found by its hash with its tenant, until it is taken away.
pub async fn a_key_is_found_by_its_hash(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let store = world.store();
    let mut key = make::key(world.tenant, 1);
    key.expires_at = Some(world.now());
    store.create_key(key.clone(), make::audit("key.created")).await.unwrap();
    let (tenant, found) = store.key_by_hash(key.hash).await.unwrap().unwrap();
    assert_eq!((tenant.no, &found), (world.tenant, &key));
    assert_eq!(store.key(world.tenant, key.id).await.unwrap(), Some(key.clone()));
    assert_eq!(store.key(stranger, key.id).await.unwrap(), None);
    assert!(store.key_by_hash(make::key(stranger, 2).hash).await.unwrap().is_none());
    let audit = make::audit("key.deleted");
    assert!(!store.delete_key(stranger, key.id, audit.clone()).await.unwrap());
    assert!(store.delete_key(world.tenant, key.id, audit.clone()).await.unwrap());
    assert!(!store.delete_key(world.tenant, key.id, audit).await.unwrap());
    assert!(store.key_by_hash(key.hash).await.unwrap().is_none());
    let expected = ["key.deleted", "key.created", "tenant.created"];
    assert_eq!(actions(store, world.tenant).await, expected);
    assert_eq!(actions(store, stranger).await, ["tenant.created"]);
}

/// An endpoint keeps every field, and its changes move revision and version.
pub async fn an_endpoint_is_kept_as_it_is(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let made = make::endpoint(world.tenant);
    let audit = make::audit("endpoint.created");
    let made = world.store().create_endpoint(made, None, audit).await.unwrap();
    assert_ne!(made.no.0, 0);
    let before = world.version().await;
    let mut changed = made.clone();
    changed.settings = make::settings("http://other.test:8080/x?y=z");
    changed.settings.events = vec!["order.*".parse().unwrap(), "a.b".parse().unwrap()];
    changed.settings.scope = Some("north".parse().unwrap());
    changed.settings.metadata = Some("{\"a\":1}".into());
    changed.headers = Some(Sealed(vec![9, 0, 255]));
    changed.secrets = SealedSecrets {
        current: None,
        previous: Some((Sealed(vec![4]), world.now().plus(Duration::from_secs(60)))),
    };
    changed.status = EndpointStatus::Disabled;
    changed.disabled_reason = Some(DisabledReason::Gone);
    changed.disabled_at = Some(world.now());
    changed.updated_at = world.tick();
    let audit = make::audit("endpoint.updated");
    let answer = world.store().update_endpoint(changed.clone(), audit).await.unwrap().unwrap();
    changed.revision += 1;
    assert_eq!(answer, changed);
    assert!(world.version().await > before);
    world.cellar.reopen().await;
    let found = world.store().endpoint(world.tenant, changed.id).await.unwrap();
    assert_eq!(found, Some(changed.clone()));
    let config = world.store().tenant_config(world.tenant).await.unwrap().unwrap();
    assert_eq!(config.endpoints, [changed]);
    let expected = ["endpoint.updated", "endpoint.created", "tenant.created"];
    assert_eq!(actions(world.store(), world.tenant).await, expected);
}

/// Who changes an endpoint must have seen its last change.
pub async fn a_change_of_an_old_revision_is_refused(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let audit = || make::audit("endpoint.updated");
    let made = store.create_endpoint(make::endpoint(world.tenant), None, audit()).await.unwrap();
    store.update_endpoint(made.clone(), audit()).await.unwrap().unwrap();
    let before = (world.version().await, actions(store, world.tenant).await.len());
    let refused = store.update_endpoint(made.clone(), audit()).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
    assert_eq!((world.version().await, actions(store, world.tenant).await.len()), before);
    let unknown = make::endpoint(world.tenant);
    assert_eq!(store.update_endpoint(unknown, audit()).await.unwrap(), None);
    let stranger = world.stranger().await;
    let foreign = hookyard_domain::endpoint::Endpoint { tenant: stranger, revision: 2, ..made };
    assert_eq!(store.update_endpoint(foreign, audit()).await.unwrap(), None);
}

/// A tenant has no more endpoints than it may.
pub async fn no_more_endpoints_than_may_be(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let create = || {
        let audit = make::audit("endpoint.created");
        store.create_endpoint(make::endpoint(world.tenant), Some(2), audit)
    };
    let one = create().await.unwrap();
    create().await.unwrap();
    assert!(matches!(create().await, Err(StoreError::Full { limit: 2, .. })));
    let audit = make::audit("endpoint.deleted");
    assert!(store.delete_endpoint(world.tenant, one.id, audit).await.unwrap());
    assert!(create().await.unwrap().no > one.no, "a deleted one makes room, not its number");
}

/// A change of state happens from the named state alone.
pub async fn a_state_changes_from_the_named_one_alone(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let audit = || make::audit("endpoint.changed");
    let made = store.create_endpoint(make::endpoint(world.tenant), None, audit()).await.unwrap();
    let at = world.tick();
    let change = |from, to, reason| StatusChange { from, url: None, to, reason, at };
    let set = |tenant, change| store.set_endpoint_status(tenant, made.no, change, audit());
    let from_paused = change(Some(EndpointStatus::Paused), EndpointStatus::Active, None);
    assert_eq!(set(world.tenant, from_paused).await.unwrap(), None);
    let elsewhere = EndpointUrl::new("https://elsewhere.example/".parse().unwrap());
    let of_another_url =
        StatusChange { url: Some(elsewhere), ..change(None, EndpointStatus::Paused, None) };
    assert_eq!(set(world.tenant, of_another_url).await.unwrap(), None);
    let disable = change(None, EndpointStatus::Disabled, Some(DisabledReason::Failures));
    let stranger = world.stranger().await;
    assert_eq!(set(stranger, disable.clone()).await.unwrap(), None);
    let before = world.version().await;
    let disabled = set(world.tenant, disable).await.unwrap().unwrap();
    assert_eq!(disabled.status, EndpointStatus::Disabled);
    assert_eq!(disabled.disabled_reason, Some(DisabledReason::Failures));
    assert_eq!((disabled.disabled_at, disabled.updated_at), (Some(at), at));
    assert!(disabled.revision > made.revision && world.version().await > before);
    let enable = change(Some(EndpointStatus::Disabled), EndpointStatus::Active, None);
    let enabled = set(world.tenant, enable).await.unwrap().unwrap();
    assert_eq!((enabled.disabled_reason, enabled.disabled_at), (None, None));
    assert_eq!(store.endpoint(world.tenant, made.id).await.unwrap(), Some(enabled));
}

/// Sealing anew replaces what is sealed and nothing else; it is refused for an old revision.
pub async fn what_is_sealed_anew_is_the_same_otherwise(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let stranger = world.stranger().await;
    let audit = || make::audit("endpoint.changed");
    let mut wanted = make::endpoint(world.tenant);
    wanted.headers = Some(Sealed(vec![1]));
    wanted.secrets.previous = Some((Sealed(vec![2]), make::NOW));
    let made = store.create_endpoint(wanted, None, audit()).await.unwrap();
    let version = world.version().await;
    let mut anew = made.clone();
    anew.headers = Some(Sealed(vec![3]));
    anew.secrets.current = Some(Sealed(vec![4]));
    anew.secrets.previous = Some((Sealed(vec![5]), make::NOW));
    let foreign = Endpoint { tenant: stranger, ..anew.clone() };
    assert!(!store.reseal_endpoint(foreign).await.unwrap());
    assert!(store.reseal_endpoint(anew.clone()).await.unwrap());
    assert_eq!(store.endpoint(world.tenant, made.id).await.unwrap(), Some(anew.clone()));
    assert_eq!(world.version().await, version);
    assert_eq!(actions(store, world.tenant).await.len(), 2, "nobody did anything");
    let changed = store.update_endpoint(anew.clone(), audit()).await.unwrap();
    assert!(!store.reseal_endpoint(made).await.unwrap(), "it was changed since");
    assert_eq!(store.endpoint(world.tenant, anew.id).await.unwrap(), changed);
}

/// A deleted endpoint is gone from everything but its deliveries.
pub async fn a_deleted_endpoint_is_gone(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let stranger = world.stranger().await;
    let audit = || make::audit("endpoint.deleted");
    let made = store.create_endpoint(make::endpoint(world.tenant), None, audit()).await.unwrap();
    assert!(!store.delete_endpoint(stranger, made.id, audit()).await.unwrap());
    assert_eq!(store.endpoint(stranger, made.id).await.unwrap(), None);
    let before = world.version().await;
    assert!(store.delete_endpoint(world.tenant, made.id, audit()).await.unwrap());
    assert!(!store.delete_endpoint(world.tenant, made.id, audit()).await.unwrap());
    assert!(world.version().await > before);
    assert_eq!(store.endpoint(world.tenant, made.id).await.unwrap(), None);
    assert_eq!(store.update_endpoint(made.clone(), audit()).await.unwrap(), None);
    assert!(store.endpoints(world.tenant, all()).await.unwrap().rows.is_empty());
    let EndpointSettings { profile, scope, .. } = made.settings.clone();
    assert_eq!(
        store.endpoint_no(world.tenant, made.id).await.unwrap(),
        Some(PastEndpoint { no: made.no, profile, scope })
    );
    assert_eq!(store.endpoint_no(stranger, made.id).await.unwrap(), None);
}

/// The catalogue takes all entries or none, and replaces when told to.
pub async fn the_catalogue_takes_all_or_none(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let audit = || make::audit("event_types.put");
    let put = |names: &[&str], replace| {
        let entries = names.iter().map(|name| make::catalogue_entry(name)).collect();
        store.put_event_types(world.tenant, entries, replace, audit())
    };
    put(&["a", "b"], false).await.unwrap();
    assert!(matches!(put(&["c", "b"], false).await, Err(StoreError::Conflict { .. })));
    assert_eq!(store.event_type(world.tenant, &"c".parse().unwrap()).await.unwrap(), None);
    let mut changed = make::catalogue_entry("b");
    changed.deprecated = true;
    changed.schema = Some("{}".into());
    changed.updated_at = world.tick();
    store.put_event_types(world.tenant, vec![changed.clone()], true, audit()).await.unwrap();
    let name = changed.name.clone();
    assert_eq!(store.event_type(world.tenant, &name).await.unwrap(), Some(changed));
    let stranger = world.stranger().await;
    assert_eq!(store.event_type(stranger, &name).await.unwrap(), None);
    assert!(!store.delete_event_type(stranger, &name, audit()).await.unwrap());
    assert!(store.delete_event_type(world.tenant, &name, audit()).await.unwrap());
    assert!(!store.delete_event_type(world.tenant, &name, audit()).await.unwrap());
    let left = store.event_types(world.tenant, all()).await.unwrap().rows;
    assert_eq!(left, [make::catalogue_entry("a")]);
    assert_eq!(actions(store, world.tenant).await.len(), 4, "a refusal is not audited");
}

/// A note is written to the audit log, and nothing is changed by it.
pub async fn a_note_changes_nothing_but_the_audit_log(cellar: Cellar) {
    let world = World::new(cellar).await;
    let store = world.store();
    let (before, version) = (actions(store, world.tenant).await.len(), world.version().await);
    let entry = make::audit("endpoint.secret_revealed");
    store.note(world.tenant, entry.clone()).await.unwrap();
    let log = store.audit(world.tenant, all()).await.unwrap().rows;
    assert_eq!((log.len(), log.first()), (before + 1, Some(&entry)));
    assert_eq!(world.version().await, version);
}

/// An audit entry keeps every field.
pub async fn an_audit_entry_is_kept_as_it_is(cellar: Cellar) {
    let world = World::new(cellar).await;
    let mut entry = make::audit("tenant.updated");
    entry.origin = None;
    entry.before = Some("{\"a\":1}".into());
    entry.after = None;
    let tenant = world.store().tenant(&"acme".parse().unwrap()).await.unwrap().unwrap();
    world.store().update_tenant(tenant.clone(), tenant, entry.clone()).await.unwrap();
    let request = PageRequest::first(1);
    let page = world.store().audit(world.tenant, request).await.unwrap();
    assert_eq!(page.rows, [entry]);
    let request = PageRequest { limit: 1, cursor: page.next };
    let page = world.store().audit(world.tenant, request).await.unwrap();
    assert_eq!((page.rows[0].action.as_str(), page.next), ("tenant.created", None));
}

/// A store that works says so.
pub async fn a_working_store_answers(cellar: Cellar) {
    let world = World::new(cellar).await;
    world.store().ping().await.unwrap();
    world.store().tidy().await.unwrap();
}
