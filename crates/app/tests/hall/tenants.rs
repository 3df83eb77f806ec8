//! Tenants, and what the audit log says of changes.

use hookyard_app::{LimitsInput, NewTenant, PageQuery, TenantPatch};
use hookyard_domain::profile::Profile;

use crate::world::{World, code, wrong};

#[tokio::test]
async fn a_tenant_starts_with_the_defaults_and_its_name_is_taken_once() {
    let world = World::new().await;
    let tenant = world.app.tenant(&world.operator, "acme").await.unwrap();
    assert_eq!((tenant.profile, tenant.retention_days), (Profile::Standard, 30));
    let again = NewTenant { id: "acme".into(), ..NewTenant::default() };
    assert_eq!(code(world.app.create_tenant(&world.operator, again).await), "tenant_exists");
    let own = world.caller("acme", &["read"]).await;
    assert_eq!(code(world.app.tenant(&own, "acme").await), "forbidden");
    let all = world.app.tenants(&world.operator, PageQuery::default()).await.unwrap();
    assert_eq!(all.rows, [tenant]);
    world.end().await;
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_is_the_default() {
    let world = World::new().await;
    let patch = |patch| world.app.update_tenant(&world.operator, "acme", patch);
    let limits = LimitsInput {
        endpoints: Some(Some(3)),
        publish_per_s: Some(Some(10)),
        ..LimitsInput::default()
    };
    let first = TenantPatch {
        name: Some(Some("Acme".into())),
        profile: Some(Some("aly".into())),
        limits: Some(Some(limits)),
        retention_days: Some(Some(7)),
    };
    patch(first).await.unwrap();
    let limits = LimitsInput { endpoints: Some(None), ..LimitsInput::default() };
    let second = TenantPatch { limits: Some(Some(limits)), ..TenantPatch::default() };
    let tenant = patch(second).await.unwrap();
    assert_eq!((tenant.limits.endpoints, tenant.limits.publish_per_s), (None, Some(10)));
    assert_eq!((tenant.name.as_deref(), tenant.profile), (Some("Acme"), Profile::Aly));
    let third = TenantPatch {
        name: Some(None),
        profile: Some(None),
        limits: Some(None),
        retention_days: Some(None),
    };
    let tenant = patch(third).await.unwrap();
    assert_eq!((tenant.name, tenant.profile, tenant.retention_days), (None, Profile::Standard, 30));
    assert_eq!(tenant.limits, Default::default());
    world.end().await;
}

#[tokio::test]
async fn wrong_fields_of_a_tenant_are_told_at_once() {
    let world = World::new().await;
    let limits = LimitsInput {
        endpoints: Some(Some(0)),
        payload_bytes: Some(Some(i64::MAX)),
        ..LimitsInput::default()
    };
    let new = NewTenant {
        id: "Not A Name".into(),
        name: Some("\u{7}".into()),
        profile: Some("acme".into()),
        limits: Some(limits),
        retention_days: Some(0),
    };
    let mut got = wrong(world.app.create_tenant(&world.operator, new).await);
    got.sort();
    let got: Vec<_> = got.iter().map(|(pointer, code)| (&**pointer, *code)).collect();
    assert_eq!(
        got,
        [
            ("/id", "bad_tenant_id"),
            ("/limits/endpoints", "out_of_range"),
            ("/limits/payload_bytes", "out_of_range"),
            ("/name", "bad_character"),
            ("/profile", "unknown_profile"),
            ("/retention_days", "out_of_range"),
        ]
    );
    let page = PageQuery { limit: Some("0".into()), cursor: Some("x".into()) };
    let got = wrong(world.app.tenants(&world.operator, page).await);
    assert_eq!(got.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_from_where_and_what_changed() {
    let world = World::new().await;
    let patch = TenantPatch { retention_days: Some(Some(7)), ..TenantPatch::default() };
    world.app.update_tenant(&world.operator, "acme", patch).await.unwrap();
    let log = world.audit().await;
    let entry = &log[0];
    assert_eq!((&*entry.actor, &*entry.action), ("operator", "tenant.updated"));
    assert_eq!((entry.origin.as_deref(), &*entry.subject), (Some("192.0.2.7"), "acme"));
    assert!(entry.before.as_ref().unwrap().contains(r#""retention_days":30"#));
    assert!(entry.after.as_ref().unwrap().contains(r#""retention_days":7"#));
    assert_eq!(log.last().unwrap().action, "tenant.created");
    world.end().await;
}

#[tokio::test]
async fn changes_of_a_tenant_at_the_same_time_are_all_kept() {
    let world = World::new().await;
    let limits = |limits| TenantPatch { limits: Some(Some(limits)), ..TenantPatch::default() };
    for n in 1..=20 {
        let endpoints = LimitsInput { endpoints: Some(Some(n)), ..LimitsInput::default() };
        let publish = LimitsInput { publish_per_s: Some(Some(n)), ..LimitsInput::default() };
        let named = TenantPatch { name: Some(Some(format!("n{n}"))), ..TenantPatch::default() };
        let change = |patch| world.app.update_tenant(&world.operator, "acme", patch);
        let (one, two, three) =
            tokio::join!(change(limits(endpoints)), change(limits(publish)), change(named));
        one.and(two).and(three).unwrap();
        let kept = world.app.tenant(&world.operator, "acme").await.unwrap();
        let n = u32::try_from(n).unwrap();
        assert_eq!((kept.limits.endpoints, kept.limits.publish_per_s), (Some(n), Some(n)));
        assert_eq!(kept.name, Some(format!("n{n}")));
    }
    world.end().await;
}
