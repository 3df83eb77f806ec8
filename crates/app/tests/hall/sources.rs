//! Sources: made, changed, switched on and off, taken away; the endpoint that forwards for them goes with them.

use std::time::Duration;

use hookyard_app::{
    App, Caller, ForwardInput, LimitsInput, NewSource, NewTenant, PageQuery, RotateInput,
    SourcePatch, TenantPatch,
};
use hookyard_domain::endpoint::EndpointStatus;
use hookyard_domain::profile::Profile;
use hookyard_domain::source::SourceStatus;
use hookyard_store::sources::Sources;

use crate::receive::{Sent, receive};
use crate::world::{Receiver, World, code, until, wrong};

const URL: &str = "http://127.0.0.1:9/hooks";

fn of(provider: &str, secret: Option<&str>) -> NewSource {
    NewSource {
        name: "Shop".into(),
        provider: Some(provider.into()),
        secret: secret.map(Into::into),
        ..NewSource::default()
    }
}

fn patch() -> SourcePatch {
    SourcePatch::default()
}

/// A caller through Alumia's surface.
async fn alumia(world: &World) -> Caller {
    world.caller("acme", &["admin"]).await.through(Profile::Alumia)
}

async fn created(app: &App, caller: &Caller, new: NewSource) -> (String, Option<String>) {
    let made = app.create_source(caller, "acme", new).await.unwrap();
    let secret = made.secret.map(|it| it.reveal().to_owned());
    (made.details.source.id.to_string(), secret)
}

#[tokio::test]
async fn the_secret_is_told_at_creation_and_stands_in_no_answer_after() {
    let world = World::new().await;
    let token = "the-verify-token".to_owned();
    let new = NewSource { verify_token: Some(token.clone()), ..of("custom", None) };
    let (id, secret) = created(&world.app, &world.operator, new).await;
    let secret = secret.unwrap();
    assert!(secret.starts_with("whsec_"));
    let shown = world.app.source(&world.operator, "acme", &id).await.unwrap();
    let kept = world.store.source(shown.source.tenant, shown.source.id).await.unwrap();
    let log = world.audit().await;
    let all = format!("{shown:?} {log:?} {kept:?}");
    assert!(!all.contains(&secret) && !all.contains(&token), "{all}");
    let revealed = world.app.reveal_source_secret(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(revealed.reveal(), secret);
    let entry = world.audit().await.remove(0);
    assert_eq!((&*entry.action, &*entry.subject), ("source.secret_revealed", &*id));
    world.end().await;
}

#[tokio::test]
async fn the_provider_decides_whether_a_secret_is_made_and_what_it_may_be() {
    let world = World::new().await;
    let make = async |new| world.app.create_source(&world.operator, "acme", new).await;
    let none = make(of("stripe", None)).await.unwrap();
    assert!(none.secret.is_none() && none.details.source.secrets.current.is_none());
    assert!(make(of("asana", None)).await.unwrap().secret.is_none());
    let telegram = make(of("telegram", None)).await.unwrap().secret.unwrap();
    let plain = telegram.reveal().bytes().all(|it| it.is_ascii_alphanumeric());
    assert!(plain && telegram.reveal().len() <= 256, "{}", telegram.reveal());
    for (provider, secret) in [
        ("standard", "not base64 at all"),
        ("adyen", "not hex"),
        ("discord", "abcd"),
        ("sendgrid", "abcd"),
        ("custom", ""),
        ("custom", "pasted with a newline\n"),
        ("custom", &"x".repeat(513)),
    ] {
        let made = make(of(provider, Some(secret))).await;
        assert_eq!(wrong(made), [("/secret".to_owned(), "bad_secret")], "{provider} {secret}");
    }
    for (provider, secret) in [("custom", "any text"), ("adyen", "00ff"), ("stripe", "whsec_x")] {
        assert!(make(of(provider, Some(secret))).await.is_ok(), "{provider}");
    }
    world.end().await;
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let world = World::new().await;
    let new = NewSource {
        name: String::new(),
        provider: Some("nobody".into()),
        scope: Some(String::new()),
        public_url: Some("/in/x".into()),
        events: Some(vec!["a".into(), "a*".into()]),
        description: Some(String::new()),
        metadata: Some("[]".into()),
        verify_token: Some(String::new()),
        ..NewSource::default()
    };
    let made = world.app.create_source(&world.operator, "acme", new).await;
    let mut wrong = wrong(made);
    wrong.sort();
    let want = [
        ("/description", "too_short"),
        ("/events/1", "bad_event_type"),
        ("/metadata", "not_an_object"),
        ("/name", "required"),
        ("/provider", "unknown_provider"),
        ("/public_url", "bad_url"),
        ("/scope", "bad_scope"),
        ("/verify_token", "too_short"),
    ];
    assert_eq!(wrong, want.map(|(pointer, code)| (pointer.to_owned(), code)));
    world.end().await;
}

#[tokio::test]
async fn a_source_of_another_tenant_is_not_there_and_scopes_hold() {
    let world = World::new().await;
    world.tenant(NewTenant { id: "other".into(), ..NewTenant::default() }).await;
    let (id, _) = created(&world.app, &world.operator, of("custom", None)).await;
    let other = world.caller("other", &["admin"]).await;
    for tenant in ["acme", "other"] {
        assert_eq!(code(world.app.source(&other, tenant, &id).await), "not_found");
        let changed = world.app.change_source(&other, tenant, &id, patch()).await;
        assert_eq!(code(changed), "not_found");
        assert_eq!(code(world.app.delete_source(&other, tenant, &id).await), "not_found");
        let rotated = world.app.rotate_source_secret(&other, tenant, &id, RotateInput::default());
        assert_eq!(code(rotated.await), "not_found");
        let events = world.app.source_events(&other, tenant, &id, PageQuery::default()).await;
        assert_eq!(code(events), "not_found");
    }
    let reader = world.caller("acme", &["read"]).await;
    assert!(world.app.source(&reader, "acme", &id).await.is_ok());
    assert_eq!(code(world.app.pause_source(&reader, "acme", &id).await), "forbidden");
    let revealed = world.app.reveal_source_secret(&reader, "acme", &id).await;
    assert_eq!(code(revealed), "forbidden");
    let publisher = world.caller("acme", &["publish"]).await;
    assert_eq!(code(world.app.source(&publisher, "acme", &id).await), "forbidden");
    world.end().await;
}

#[tokio::test]
async fn what_is_patched_changes_and_the_same_again_writes_nothing() {
    let world = World::new().await;
    let (id, _) = created(&world.app, &world.operator, of("custom", None)).await;
    let change = async |patch| world.app.change_source(&world.operator, "acme", &id, patch).await;
    let new = || SourcePatch {
        name: Some("Till".into()),
        scope: Some(Some("north".into())),
        events: Some(Some(vec!["order.*".into(), "order.*".into()])),
        secret: Some("own secret".into()),
        status: Some("paused".into()),
        ..patch()
    };
    let source = change(new()).await.unwrap().source;
    assert_eq!((&*source.settings.name, source.status), ("Till", SourceStatus::Paused));
    assert_eq!(source.settings.events.len(), 1, "repetitions are left out");
    let entries = world.audit().await.len();
    let again = change(new()).await.unwrap().source;
    assert_eq!((again.revision, world.audit().await.len()), (source.revision, entries));
    let cleared = SourcePatch { scope: Some(None), events: Some(None), ..patch() };
    let cleared = change(cleared).await.unwrap().source.settings;
    assert!(cleared.scope.is_none() && cleared.events.is_empty());
    let status = SourcePatch { status: Some("pending".into()), ..patch() };
    assert_eq!(wrong(change(status).await), [("/status".to_owned(), "unknown_value")]);
    world.end().await;
}

#[tokio::test]
async fn another_provider_needs_a_secret_that_suits_it() {
    let world = World::new().await;
    let (id, _) = created(&world.app, &world.operator, of("custom", Some("some text"))).await;
    let change = async |provider: &str, secret: Option<&str>| {
        let secret = secret.map(Into::into);
        let patch = SourcePatch { provider: Some(Some(provider.into())), secret, ..patch() };
        world.app.change_source(&world.operator, "acme", &id, patch).await
    };
    assert_eq!(wrong(change("adyen", None).await), [("/secret".to_owned(), "secret_mismatch")]);
    assert_eq!(wrong(change("adyen", Some("zz")).await), [("/secret".to_owned(), "bad_secret")]);
    assert_eq!(change("adyen", Some("00ff")).await.unwrap().source.settings.provider, "adyen");
    assert!(change("github", None).await.is_ok(), "any text does for it");
    world.end().await;
}

#[tokio::test]
async fn a_rotation_believes_both_secrets_until_its_overlap_has_passed() {
    let world = World::new().await;
    let (id, old) = created(&world.app, &world.operator, of("custom", None)).await;
    let old = old.unwrap();
    let rotate = async |overlap_s, secret: Option<&str>| {
        let input = RotateInput { overlap_s, secret: secret.map(Into::into) };
        let made = world.app.rotate_source_secret(&world.operator, "acme", &id, input).await;
        made.unwrap().secret.unwrap().reveal().to_owned()
    };
    let new = rotate(None, None).await;
    assert_ne!(old, new);
    let is_taken = async |secret: &str| {
        receive(&world, &id, Sent::signed(&world, "custom", secret, r#"{"type":"a"}"#))
            .await
            .is_ok()
    };
    assert!(is_taken(&old).await && is_taken(&new).await);
    world.clock.forward(Duration::from_secs(24 * 3600));
    assert!(!is_taken(&old).await && is_taken(&new).await, "a day is the profile's overlap");
    let own = rotate(Some(0), Some("a secret of ones own")).await;
    assert!(!is_taken(&new).await && is_taken(&own).await);
    world.end().await;
}

#[tokio::test]
async fn a_rotation_without_a_secret_asks_for_one_where_the_provider_makes_it() {
    let world = World::new().await;
    let (id, _) = created(&world.app, &world.operator, of("stripe", Some("whsec_a"))).await;
    let rotate = async |id: &str| {
        let input = RotateInput::default();
        world.app.rotate_source_secret(&world.operator, "acme", id, input).await
    };
    assert_eq!(wrong(rotate(&id).await), [("/secret".to_owned(), "required")]);
    let (id, _) = created(&world.app, &world.operator, of("notion", Some("kept"))).await;
    let made = rotate(&id).await.unwrap();
    assert!(made.secret.is_none() && made.details.source.secrets.current.is_none());
    world.end().await;
}

#[tokio::test]
async fn pausing_and_resuming_what_is_disabled_is_refused() {
    let world = World::new().await;
    let (id, _) = created(&world.app, &world.operator, of("custom", None)).await;
    let (app, caller) = (&world.app, &world.operator);
    let status = |details: hookyard_app::SourceDetails| details.source.status;
    let disabled = app.disable_source(caller, "acme", &id).await.unwrap();
    assert_eq!(status(disabled), SourceStatus::Disabled);
    assert_eq!(code(app.pause_source(caller, "acme", &id).await), "source_disabled");
    assert_eq!(code(app.resume_source(caller, "acme", &id).await), "source_disabled");
    let enabled = app.enable_source(caller, "acme", &id).await.unwrap();
    assert_eq!(status(enabled), SourceStatus::Active);
    assert_eq!(status(app.pause_source(caller, "acme", &id).await.unwrap()), SourceStatus::Paused);
    let enabled = app.enable_source(caller, "acme", &id).await.unwrap();
    assert_eq!(status(enabled), SourceStatus::Paused, "what is held is resumed, not enabled");
    assert_eq!(status(app.resume_source(caller, "acme", &id).await.unwrap()), SourceStatus::Active);
    world.end().await;
}

#[tokio::test]
async fn a_surface_has_only_the_sources_of_its_profile_and_takes_any_label() {
    let world = World::new().await;
    let surface = alumia(&world).await;
    let (native, _) = created(&world.app, &world.operator, of("custom", None)).await;
    let (own, secret) = created(&world.app, &surface, of("Händler 7", None)).await;
    assert!(secret.is_some(), "it is always shown there");
    assert!(created(&world.app, &surface, of("stripe", None)).await.1.is_some());
    assert_eq!(code(world.app.source(&surface, "acme", &native).await), "not_found");
    let page = PageQuery { limit: Some("1".into()), cursor: None };
    let listed = world.app.sources(&surface, "acme", page).await.unwrap();
    assert_eq!(listed.rows[0].source.settings.provider, "stripe");
    let all = world.app.sources(&world.operator, "acme", PageQuery::default()).await.unwrap();
    assert_eq!(all.rows.len(), 3, "the native API has all of them");
    let same = SourcePatch { provider: Some(Some("Händler 7".into())), ..patch() };
    assert!(world.app.change_source(&world.operator, "acme", &own, same).await.is_ok());
    world.end().await;
}

#[tokio::test]
async fn the_endpoint_that_forwards_is_made_changed_and_taken_away_with_its_source() {
    let world = World::new().await;
    let surface = alumia(&world).await;
    let forward = |url: &str| Some(ForwardInput { url: url.into() });
    let new = NewSource { forward: forward(URL), ..of("custom", None) };
    let (id, secret) = created(&world.app, &surface, new).await;
    let details = world.app.source(&surface, "acme", &id).await.unwrap();
    let endpoint = details.forward.unwrap().0;
    assert_eq!(endpoint.id.to_uuid(), details.source.id.to_uuid());
    assert_eq!(endpoint.settings.source, Some(details.source.id));
    let of_endpoint = endpoint.id.to_string();
    let secret_of_endpoint = async || {
        let secret = world.app.reveal_secret(&world.operator, "acme", &of_endpoint).await.unwrap();
        secret.reveal().to_owned()
    };
    assert_eq!(Some(secret_of_endpoint().await), secret);

    let change = async |patch| {
        let changed = world.app.change_source(&surface, "acme", &id, patch).await.unwrap();
        changed.forward.map(|it| it.0)
    };
    let to = async |status: &str| {
        change(SourcePatch { status: Some(status.into()), ..patch() }).await.unwrap().status
    };
    assert_eq!(to("paused").await, EndpointStatus::Paused);
    assert_eq!(to("disabled").await, EndpointStatus::Disabled);
    assert_eq!(to("active").await, EndpointStatus::Active);
    world.app.disable_endpoint(&world.operator, "acme", &of_endpoint).await.unwrap();
    assert_eq!(to("active").await, EndpointStatus::Active, "it follows, whoever switched it off");
    let own = SourcePatch { secret: Some("no base64".into()), ..patch() };
    change(own).await.unwrap();
    assert_eq!(secret_of_endpoint().await, "whsec_bm8gYmFzZTY0", "its bytes are the key");
    let rotated = world.app.rotate_source_secret(&surface, "acme", &id, RotateInput::default());
    let rotated = rotated.await.unwrap();
    assert!(rotated.details.source.secrets.previous.is_none(), "this profile has no overlap");
    assert_eq!(secret_of_endpoint().await, rotated.secret.unwrap().reveal());

    let moved = change(SourcePatch { forward: Some(forward("https://a.example/")), ..patch() });
    assert_eq!(moved.await.unwrap().settings.url.as_str(), "https://a.example/");
    let bad = SourcePatch { forward: Some(forward("https://10.0.0.1/")), ..patch() };
    let bad = world.app.change_source(&surface, "acme", &id, bad).await;
    assert_eq!(wrong(bad), [("/url".to_owned(), "private_address")]);
    assert!(change(SourcePatch { forward: Some(None), ..patch() }).await.is_none());
    let again = change(SourcePatch { forward: Some(forward(URL)), ..patch() }).await.unwrap();
    assert_eq!(again.no, endpoint.no, "it comes back under its old number");
    world.app.delete_source(&surface, "acme", &id).await.unwrap();
    let gone = world.app.endpoint(&world.operator, "acme", &of_endpoint).await;
    assert_eq!(code(gone), "not_found");
    world.end().await;
}

#[tokio::test]
async fn a_forward_that_was_switched_off_follows_its_source_again_when_its_url_changes() {
    let world = World::new().await;
    let surface = alumia(&world).await;
    let gone = Receiver::start().await;
    gone.works(false);
    let new = NewSource {
        forward: Some(ForwardInput { url: gone.url.clone() }),
        ..of("custom", Some("some secret"))
    };
    let (id, _) = created(&world.app, &surface, new).await;
    let sent = |n: u32| Sent::signed(&world, "custom", "some secret", &format!(r#"{{"n":{n}}}"#));
    receive(&world, &id, sent(1)).await.unwrap();
    let now = async || world.app.source(&surface, "acme", &id).await.unwrap();
    let forward = async || now().await.forward.unwrap().0;
    until(async || (!gone.bodies().is_empty()).then_some(())).await;
    let endpoint = id.replace("src_", "wh_");
    world.app.disable_endpoint(&world.operator, "acme", &endpoint).await.unwrap();
    let to = async |url: &str| {
        let forward = Some(Some(ForwardInput { url: url.into() }));
        world.app.change_source(&surface, "acme", &id, SourcePatch { forward, ..patch() }).await
    };
    to(&gone.url).await.unwrap();
    assert_eq!(forward().await.status, EndpointStatus::Disabled, "it is the same URL");
    assert_eq!(now().await.source.status, SourceStatus::Active);

    let good = Receiver::start().await;
    to(&good.url).await.unwrap();
    let endpoint = forward().await;
    assert_eq!((endpoint.status, endpoint.disabled_reason), (EndpointStatus::Active, None));
    receive(&world, &id, sent(2)).await.unwrap();
    until(async || good.bodies().contains(&r#"{"n":2}"#.to_owned()).then_some(())).await;
    world.end().await;
}

#[tokio::test]
async fn a_forward_counts_among_the_endpoints_that_the_tenant_may_have() {
    let world = World::new().await;
    let surface = alumia(&world).await;
    let limits = LimitsInput { endpoints: Some(Some(1)), ..LimitsInput::default() };
    let limits = TenantPatch { limits: Some(Some(limits)), ..TenantPatch::default() };
    world.app.update_tenant(&world.operator, "acme", limits).await.unwrap();
    let forward = || Some(ForwardInput { url: URL.into() });
    let new = || NewSource { forward: forward(), ..of("custom", None) };
    let (first, _) = created(&world.app, &surface, new()).await;
    let second = world.app.create_source(&surface, "acme", new()).await;
    assert_eq!(code(second), "limit_reached");
    let page = PageQuery::default();
    assert_eq!(world.app.sources(&surface, "acme", page).await.unwrap().rows.len(), 1);
    let (plain, _) = created(&world.app, &surface, of("custom", None)).await;
    let change = async |id: &str, patch| world.app.change_source(&surface, "acme", id, patch).await;
    let forwarded = || SourcePatch { forward: Some(forward()), ..patch() };
    assert_eq!(code(change(&plain, forwarded()).await), "limit_reached");
    let renamed = SourcePatch { name: Some("B".into()), ..patch() };
    assert!(change(&first, renamed).await.is_ok(), "its own is there already");
    change(&first, SourcePatch { forward: Some(None), ..patch() }).await.unwrap();
    assert!(change(&plain, forwarded()).await.unwrap().forward.is_some());
    world.end().await;
}

#[test]
fn what_is_printed_of_inputs_holds_no_secret() {
    let new = NewSource { verify_token: Some("hidden".into()), ..of("custom", Some("hidden")) };
    let token = Some(Some("hidden".into()));
    let patch = SourcePatch { secret: Some("hidden".into()), verify_token: token, ..patch() };
    let test = hookyard_app::TestSource { event_type: None, payload: Some("hidden".into()) };
    let all = format!("{new:?} {patch:?} {test:?}");
    assert!(!all.contains("hidden") && all.contains("Shop"), "{all}");
}

#[tokio::test]
async fn a_public_key_is_no_secret_to_forward_with() {
    let world = World::new().await;
    let surface = alumia(&world).await;
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let forward = Some(ForwardInput { url: URL.into() });
    let (id, _) =
        created(&world.app, &surface, NewSource { forward, ..of("discord", Some(public)) }).await;
    let endpoint = id.replace("src_", "wh_");
    let secret = world.app.reveal_secret(&world.operator, "acme", &endpoint).await.unwrap();
    assert!(secret.reveal().starts_with("whsec_") && !secret.reveal().contains(public));
    world.end().await;
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_with_what_was_before_and_after() {
    let world = World::new().await;
    let (id, _) = created(&world.app, &world.operator, of("custom", None)).await;
    let (app, caller) = (&world.app, &world.operator);
    app.change_source(caller, "acme", &id, SourcePatch { name: Some("B".into()), ..patch() })
        .await
        .unwrap();
    app.pause_source(caller, "acme", &id).await.unwrap();
    app.rotate_source_secret(caller, "acme", &id, RotateInput::default()).await.unwrap();
    app.delete_source(caller, "acme", &id).await.unwrap();
    let log = world.audit().await;
    let acts: Vec<_> = log.iter().rev().map(|it| it.action.as_str()).collect();
    let want = [
        "source.created",
        "source.updated",
        "source.paused",
        "source.secret_rotated",
        "source.deleted",
    ];
    assert_eq!(acts[acts.len() - 5..], want);
    let updated = log.iter().find(|it| it.action == "source.updated").unwrap();
    let (before, after) = (updated.before.as_ref().unwrap(), updated.after.as_ref().unwrap());
    assert!(before.contains(r#""name":"Shop""#) && after.contains(r#""name":"B""#));
    world.end().await;
}
