//! Who may do what.

use std::time::Duration;

use hookyard_app::{AppError, Needs, NewKey, NewTenant, PageQuery, TenantPatch};
use hookyard_domain::key::KeyScope;

use crate::world::{World, code, event, wrong};

#[tokio::test]
async fn without_a_valid_key_nobody_gets_in() {
    let world = World::new().await;
    for bearer in [None, Some(""), Some("  "), Some("nonsense"), Some("hk_000")] {
        assert_eq!(code(world.app.authenticate(bearer, None).await), "unauthenticated");
    }
    world.end().await;
}

#[tokio::test]
async fn another_tenant_is_not_found_whatever_the_keys_scopes() {
    let world = World::new().await;
    world.tenant(NewTenant { id: "other".into(), ..NewTenant::default() }).await;
    let admin = world.caller("acme", &["admin"]).await;
    let reader = world.caller("acme", &["read"]).await;
    for tenant in ["other", "nobody", "NOT A NAME"] {
        let page = PageQuery::default();
        assert_eq!(code(world.app.endpoints(&admin, tenant, page.clone()).await), "not_found");
        assert_eq!(code(world.app.keys(&reader, tenant, page.clone()).await), "not_found");
        assert_eq!(code(world.app.publish(&reader, tenant, event("a"), None).await), "not_found");
        let patch = TenantPatch::default();
        assert_eq!(code(world.app.update_tenant(&admin, tenant, patch).await), "not_found");
        assert_eq!(code(world.app.delete_tenant(&admin, tenant).await), "not_found");
    }
    world.end().await;
}

#[tokio::test]
async fn a_missing_scope_is_named_and_admin_holds_them_all() {
    let world = World::new().await;
    let reader = world.caller("acme", &["read"]).await;
    let publisher = world.caller("acme", &["publish"]).await;
    let admin = world.caller("acme", &["admin"]).await;
    let refused = world.app.publish(&reader, "acme", event("a"), None).await;
    let needs = Needs::Scope(KeyScope::Publish);
    assert!(matches!(refused, Err(AppError::Forbidden { needs: it }) if it == needs));
    let page = PageQuery::default();
    assert_eq!(
        code(world.app.events(&publisher, "acme", Default::default(), page).await),
        "forbidden"
    );
    assert!(world.app.publish(&publisher, "acme", event("a"), None).await.is_ok());
    assert!(world.app.publish(&admin, "acme", event("a"), None).await.is_ok());
    assert_eq!(code(world.app.audit(&reader, "acme", PageQuery::default()).await), "forbidden");
    let refused = world.app.tenants(&admin, PageQuery::default()).await;
    assert!(matches!(refused, Err(AppError::Forbidden { needs: Needs::Operator })));
    let refused = world.app.nodes(&admin).await;
    assert!(matches!(refused, Err(AppError::Forbidden { needs: Needs::Operator })));
    let patch = TenantPatch::default();
    assert_eq!(code(world.app.update_tenant(&admin, "acme", patch).await), "forbidden");
    world.end().await;
}

#[tokio::test]
async fn a_revoked_key_stops_at_once() {
    let world = World::new().await;
    let (text, id) = world.key("acme", &["read"]).await;
    let bearer = Some(text.reveal());
    assert!(world.app.authenticate(bearer, None).await.is_ok());
    world.app.delete_key(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(code(world.app.authenticate(bearer, None).await), "unauthenticated");
    assert_eq!(code(world.app.delete_key(&world.operator, "acme", &id).await), "not_found");
    world.end().await;
}

#[tokio::test]
async fn a_deleted_tenants_keys_stop_at_once_and_its_name_is_free() {
    let world = World::new().await;
    let (text, _) = world.key("acme", &["admin"]).await;
    let bearer = Some(text.reveal());
    assert!(world.app.authenticate(bearer, None).await.is_ok());
    assert!(world.app.publish(&world.operator, "acme", event("a"), None).await.is_ok());
    world.app.delete_tenant(&world.operator, "acme").await.unwrap();
    assert_eq!(code(world.app.authenticate(bearer, None).await), "unauthenticated");
    let gone = world.app.publish(&world.operator, "acme", event("a"), None).await;
    assert_eq!(code(gone), "not_found");
    world.tenant(NewTenant { id: "acme".into(), ..NewTenant::default() }).await;
    assert_eq!(code(world.app.authenticate(bearer, None).await), "unauthenticated");
    assert!(world.app.publish(&world.operator, "acme", event("a"), None).await.is_ok());
    world.end().await;
}

#[tokio::test]
async fn a_key_expires_by_the_clock_even_when_it_is_remembered() {
    let world = World::new().await;
    let expires_at = Some(world.app.now().plus(Duration::from_secs(60)).to_string());
    let new = NewKey { name: "short".into(), scopes: vec!["read".into()], expires_at };
    let made = world.app.create_key(&world.operator, "acme", new).await.unwrap();
    let bearer = Some(made.text.reveal());
    assert!(world.app.authenticate(bearer, None).await.is_ok());
    world.clock.forward(Duration::from_secs(60));
    assert_eq!(code(world.app.authenticate(bearer, None).await), "unauthenticated");
    world.end().await;
}

#[tokio::test]
async fn a_keys_text_is_told_once_and_kept_nowhere() {
    let world = World::new().await;
    let (text, id) = world.key("acme", &["read", "read", "write"]).await;
    let keys = world.app.keys(&world.operator, "acme", PageQuery::default()).await.unwrap();
    let [key] = &keys.rows[..] else { panic!("one key") };
    assert_eq!(key.id.to_string(), id);
    assert_eq!(key.scopes, [KeyScope::Read, KeyScope::Write]);
    assert!(text.reveal().starts_with(&key.hint) && key.hint.len() < 12);
    assert!(!format!("{:?}{:?}", keys, world.audit().await).contains(text.reveal()));
    world.end().await;
}

#[tokio::test]
async fn wrong_fields_of_a_key_are_told_at_once() {
    let world = World::new().await;
    let new = NewKey {
        name: String::new(),
        scopes: vec!["read".into(), "root".into()],
        expires_at: Some("2001-01-01T00:00:00Z".into()),
    };
    let made = world.app.create_key(&world.operator, "acme", new).await;
    let want =
        [("/name", "required"), ("/scopes/1", "unknown_value"), ("/expires_at", "in_the_past")];
    let got = wrong(made);
    let got: Vec<_> = got.iter().map(|(pointer, code)| (&**pointer, *code)).collect();
    assert_eq!(got, want);
    world.end().await;
}
