//! Endpoints: made, changed, proved, switched on and off.

use hookyard_app::{
    AutoDisableInput, EndpointPatch, LimitsInput, NewEndpoint, NewTenant, PageQuery, RetryInput,
    RotateInput, TenantPatch, TestInput,
};
use hookyard_domain::delivery::{DeliveryStatus, EndReason};
use hookyard_domain::endpoint::{DisabledReason, EndpointStatus};
use hookyard_domain::headers::Headers;
use hookyard_domain::retry::Verify;

use crate::world::{Receiver, World, code, endpoint, until, wrong};

const URL: &str = "https://example.com/hooks";
/// Nothing listens there.
const CLOSED: &str = "http://127.0.0.1:9/";

fn alvys(url: &str) -> NewEndpoint {
    NewEndpoint { profile: Some("alvys".into()), ..endpoint(url, &["load.changed"]) }
}

#[tokio::test]
async fn the_secret_is_told_at_creation_and_never_shown_again() {
    let world = World::new().await;
    let made = world.endpoint(endpoint(URL, &["order.*"])).await;
    let secret = made.secret.unwrap();
    assert!(secret.reveal().starts_with("whsec_"));
    let id = made.details.endpoint.id.to_string();
    let shown = world.app.endpoint(&world.operator, "acme", &id).await.unwrap();
    let log = world.audit().await;
    assert!(!format!("{shown:?} {log:?}").contains(secret.reveal()));
    let revealed = world.app.reveal_secret(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(revealed, secret);
    let entry = world.audit().await.remove(0);
    assert_eq!((&*entry.action, &*entry.subject), ("endpoint.secret_revealed", &*id));
    world.end().await;
}

#[tokio::test]
async fn a_secret_of_ones_own_must_suit_the_profile() {
    let world = World::new().await;
    let with = |profile: &str, secret: &str| NewEndpoint {
        profile: Some(profile.into()),
        secret: Some(secret.into()),
        ..endpoint(URL, &["*"])
    };
    let made = world.app.create_endpoint(&world.operator, "acme", with("standard", "short")).await;
    assert_eq!(wrong(made), [("/secret".to_owned(), "bad_secret")]);
    let made = world.endpoint(with("aryeo", "any text")).await;
    assert_eq!(made.secret.unwrap().reveal(), "any text");
    let made = world.endpoint(with("aryeo", "")).await;
    assert!(made.secret.is_none());
    let id = made.details.endpoint.id.to_string();
    assert_eq!(code(world.app.reveal_secret(&world.operator, "acme", &id).await), "no_secret");
    world.end().await;
}

#[tokio::test]
async fn header_values_that_may_be_credentials_are_masked() {
    let world = World::new().await;
    let pairs = |list: [(&str, &str); 2]| {
        Headers(list.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
    };
    let new = NewEndpoint {
        headers: Some(pairs([("Authorization", "Bearer abc"), ("X-Team", "core")])),
        ..endpoint(URL, &["*"])
    };
    let made = world.endpoint(new).await;
    let shown = Some(pairs([("Authorization", "[redacted]"), ("X-Team", "core")]));
    assert_eq!(made.details.headers, shown);
    let id = made.details.endpoint.id.to_string();
    let patch = EndpointPatch {
        headers: Some(Some(pairs([("Authorization", "[redacted]"), ("X-Team", "web")]))),
        ..EndpointPatch::default()
    };
    let details = world.app.update_endpoint(&world.operator, "acme", &id, patch).await.unwrap();
    let shown = Some(pairs([("Authorization", "[redacted]"), ("X-Team", "web")]));
    assert_eq!(details.headers, shown);
    let log = format!("{:?}", world.audit().await);
    assert!(log.contains("Authorization") && !log.contains("Bearer abc"));
    world.end().await;
}

#[tokio::test]
async fn a_patch_with_null_goes_back_to_the_profiles_value() {
    let world = World::new().await;
    let new = NewEndpoint { timeout_s: Some(3), name: Some("A".into()), ..endpoint(URL, &["*"]) };
    let made = world.endpoint(new).await;
    assert_eq!(made.details.policy.timeout_s, 3);
    let id = made.details.endpoint.id.to_string();
    let patch = EndpointPatch {
        timeout_s: Some(None),
        name: Some(None),
        events: Some(vec!["a".into()]),
        ..EndpointPatch::default()
    };
    let details = world.app.update_endpoint(&world.operator, "acme", &id, patch).await.unwrap();
    assert_eq!((details.policy.timeout_s, details.endpoint.settings.timeout_s), (15, None));
    assert_eq!(details.endpoint.settings.name, None);
    assert_eq!(details.endpoint.settings.url.as_str(), URL);
    assert_eq!(details.policy.verify, Verify::None);
    let entry = world.audit().await.remove(0);
    assert_eq!(entry.action, "endpoint.updated");
    assert!(entry.before.unwrap().contains(r#""timeout_s":3"#));
    world.end().await;
}

#[tokio::test]
async fn another_profile_needs_a_secret_that_suits_it() {
    let world = World::new().await;
    let new = NewEndpoint {
        profile: Some("aryeo".into()),
        secret: Some("plain".into()),
        ..endpoint(URL, &["*"])
    };
    let id = world.endpoint(new).await.details.endpoint.id.to_string();
    let patch = EndpointPatch { profile: Some(None), ..EndpointPatch::default() };
    let answer = world.app.update_endpoint(&world.operator, "acme", &id, patch).await;
    assert_eq!(wrong(answer), [("/profile".to_owned(), "secret_mismatch")]);
    world.end().await;
}

#[tokio::test]
async fn a_change_of_profile_keeps_to_the_new_ones_limits() {
    let world = World::new().await;
    // Those of other profiles do not count: the vendor's limit is of its own.
    let other = world.endpoint(endpoint(CLOSED, &["load.changed"])).await;
    let alvys = || NewEndpoint {
        profile: Some("alvys".into()),
        verify: Some("none".into()),
        ..endpoint(CLOSED, &["load.changed"])
    };
    for _ in 0..50 {
        world.endpoint(alvys()).await;
    }
    let one_more = world.app.create_endpoint(&world.operator, "acme", alvys()).await;
    let told = one_more.map(|_| ()).unwrap_err();
    assert!(
        matches!(told, hookyard_app::AppError::LimitReached { what: "endpoints", limit: 50 }),
        "{told}"
    );
    let id = other.details.endpoint.id.to_string();
    let change = |patch| world.app.update_endpoint(&world.operator, "acme", &id, patch);
    let profile =
        |name: &str| EndpointPatch { profile: Some(Some(name.into())), ..EndpointPatch::default() };
    assert_eq!(code(change(profile("alvys")).await), "limit_reached");
    change(profile("standard")).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_limit_that_was_lowered_stands_in_nobodys_way_who_changes_something_else() {
    let world = World::new().await;
    let made = world.endpoint(endpoint(URL, &["a", "b", "c"])).await;
    let id = made.details.endpoint.id.to_string();
    let limits = LimitsInput { event_types_per_endpoint: Some(Some(2)), ..LimitsInput::default() };
    let patch = TenantPatch { limits: Some(Some(limits)), ..TenantPatch::default() };
    world.app.update_tenant(&world.operator, "acme", patch).await.unwrap();
    let change = |patch| world.app.update_endpoint(&world.operator, "acme", &id, patch);
    let named = EndpointPatch { name: Some(Some("A".into())), ..EndpointPatch::default() };
    assert_eq!(change(named).await.unwrap().endpoint.settings.name.as_deref(), Some("A"));
    let events = |types: &[&str]| EndpointPatch {
        events: Some(types.iter().map(|it| (*it).to_owned()).collect()),
        ..EndpointPatch::default()
    };
    assert_eq!(code(change(events(&["a", "b", "d"])).await), "limit_reached");
    change(events(&["a", "b"])).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn limits_of_the_tenant_and_of_the_profile_hold() {
    let world = World::new().await;
    let limits = LimitsInput {
        endpoints: Some(Some(1)),
        event_types_per_endpoint: Some(Some(2)),
        ..LimitsInput::default()
    };
    let patch = TenantPatch { limits: Some(Some(limits)), ..TenantPatch::default() };
    world.app.update_tenant(&world.operator, "acme", patch).await.unwrap();
    let create = |new| world.app.create_endpoint(&world.operator, "acme", new);
    assert_eq!(code(create(endpoint(URL, &["a", "b", "c"])).await), "limit_reached");
    let made = create(endpoint(URL, &["a", "b"])).await.unwrap();
    assert_eq!(code(create(endpoint(URL, &["a"])).await), "limit_reached");
    let id = made.details.endpoint.id.to_string();
    let events = Some(["a", "b", "c"].map(str::to_owned).to_vec());
    let patch = EndpointPatch { events, ..EndpointPatch::default() };
    let answer = world.app.update_endpoint(&world.operator, "acme", &id, patch).await;
    assert_eq!(code(answer), "limit_reached");

    world.tenant(NewTenant { id: "freight".into(), ..NewTenant::default() }).await;
    let types: Vec<_> = (0..51).map(|it| format!("type.{it}")).collect();
    let new = NewEndpoint { events: types, ..alvys(CLOSED) };
    let answer = world.app.create_endpoint(&world.operator, "freight", new).await;
    assert_eq!(code(answer), "limit_reached");
    world.end().await;
}

#[tokio::test]
async fn an_endpoint_that_must_prove_itself_is_active_once_it_did() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    receiver.echoes(false);
    let made = world.endpoint(alvys(&receiver.url)).await;
    assert_eq!(made.details.endpoint.status, EndpointStatus::Pending);
    let id = made.details.endpoint.id.to_string();
    let pause = world.app.pause_endpoint(&world.operator, "acme", &id).await;
    assert_eq!(code(pause), "endpoint_pending");
    let verified = world.app.verify_endpoint(&world.operator, "acme", &id).await.unwrap();
    assert!(!verified.passed && verified.reason.is_some());
    assert_eq!(verified.details.endpoint.status, EndpointStatus::Pending);
    receiver.echoes(true);
    let verified = world.app.verify_endpoint(&world.operator, "acme", &id).await.unwrap();
    assert!(verified.passed);
    assert_eq!(verified.details.endpoint.status, EndpointStatus::Active);

    let patch = |url: &str| EndpointPatch { url: Some(url.into()), ..EndpointPatch::default() };
    let moved = world.app.update_endpoint(&world.operator, "acme", &id, patch(CLOSED)).await;
    assert_eq!(moved.unwrap().endpoint.status, EndpointStatus::Pending);
    let back = world.app.update_endpoint(&world.operator, "acme", &id, patch(&receiver.url)).await;
    assert_eq!(back.unwrap().endpoint.status, EndpointStatus::Active);
    let asked = receiver.bodies().len();
    let patch = EndpointPatch { events: Some(vec!["*".into()]), ..EndpointPatch::default() };
    world.app.update_endpoint(&world.operator, "acme", &id, patch).await.unwrap();
    assert_eq!(receiver.bodies().len(), asked, "only a new URL is challenged");
    world.end().await;
}

#[tokio::test]
async fn who_need_not_prove_itself_any_more_need_not_wait() {
    let world = World::new().await;
    let made = world.endpoint(alvys(CLOSED)).await;
    assert_eq!(made.details.endpoint.status, EndpointStatus::Pending);
    let id = made.details.endpoint.id.to_string();
    let patch = EndpointPatch { verify: Some(Some("none".into())), ..EndpointPatch::default() };
    let details = world.app.update_endpoint(&world.operator, "acme", &id, patch).await.unwrap();
    assert_eq!(details.endpoint.status, EndpointStatus::Active);
    world.end().await;
}

#[tokio::test]
async fn a_disabled_endpoint_discards_and_an_enabled_one_gets_what_comes_after() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    receiver.works(false);
    let made = world.endpoint(endpoint(&receiver.url, &["*"])).await;
    let id = made.details.endpoint.id.to_string();
    let waiting = world.publish("order.created").await;
    world.delivery_once(&waiting, |it| it.attempts == 1).await;
    let off = world.app.disable_endpoint(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(off.endpoint.status, EndpointStatus::Disabled);
    assert_eq!(off.endpoint.disabled_reason, Some(DisabledReason::Manual));
    assert!(off.endpoint.disabled_at.is_some());
    let discarded = world.delivery_in(&waiting, DeliveryStatus::Discarded).await;
    assert_eq!(discarded.reason, Some(EndReason::EndpointDisabled));
    let late = world.publish("order.created").await;
    world.delivery_in(&late, DeliveryStatus::Discarded).await;
    for answer in [
        world.app.pause_endpoint(&world.operator, "acme", &id).await,
        world.app.resume_endpoint(&world.operator, "acme", &id).await,
    ] {
        assert_eq!(code(answer), "endpoint_disabled");
    }
    receiver.works(true);
    let on = world.app.enable_endpoint(&world.operator, "acme", &id).await.unwrap();
    assert_eq!((on.endpoint.status, on.endpoint.disabled_reason), (EndpointStatus::Active, None));
    let fresh = world.publish("order.created").await;
    world.delivery_in(&fresh, DeliveryStatus::Succeeded).await;
    world.end().await;
}

#[tokio::test]
async fn a_paused_endpoint_holds_and_a_resumed_one_gets_it_all() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    let made = world.endpoint(endpoint(&receiver.url, &["*"])).await;
    let id = made.details.endpoint.id.to_string();
    for _ in 0..2 {
        let held = world.app.pause_endpoint(&world.operator, "acme", &id).await.unwrap();
        assert_eq!(held.endpoint.status, EndpointStatus::Paused);
    }
    let event = world.publish("order.created").await;
    assert_eq!(world.deliveries(&event).await[0].status, DeliveryStatus::Pending);
    assert!(receiver.bodies().is_empty());
    let going = world.app.resume_endpoint(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(going.endpoint.status, EndpointStatus::Active);
    world.delivery_in(&event, DeliveryStatus::Succeeded).await;
    let log = world.audit().await;
    let pauses = log.iter().filter(|it| it.action == "endpoint.paused").count();
    assert_eq!(pauses, 1, "what changes nothing is not written down");
    world.end().await;
}

#[tokio::test]
async fn a_deleted_endpoint_is_gone_and_its_deliveries_stay_listed() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    let made = world.endpoint(endpoint(&receiver.url, &["*"])).await;
    let id = made.details.endpoint.id.to_string();
    let event = world.publish("order.created").await;
    world.delivery_in(&event, DeliveryStatus::Succeeded).await;
    world.app.delete_endpoint(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(code(world.app.endpoint(&world.operator, "acme", &id).await), "not_found");
    assert_eq!(code(world.app.delete_endpoint(&world.operator, "acme", &id).await), "not_found");
    assert_eq!(world.deliveries(&event).await[0].endpoint.to_string(), id);
    let list = world.app.endpoints(&world.operator, "acme", PageQuery::default()).await.unwrap();
    assert!(list.rows.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_rotation_overlaps_as_long_as_the_profile_or_the_caller_says() {
    let world = World::new().await;
    let made = world.endpoint(endpoint(URL, &["*"])).await;
    let id = made.details.endpoint.id.to_string();
    let rotate = |input| world.app.rotate_secret(&world.operator, "acme", &id, input);
    let day = rotate(RotateInput::default()).await.unwrap();
    assert_ne!(day.secret, made.secret);
    let (_, until) = day.details.endpoint.secrets.previous.unwrap();
    assert_eq!(until.since(world.app.now()).as_secs(), 24 * 3600);
    let none = RotateInput { overlap_s: Some(0), secret: None };
    assert!(rotate(none).await.unwrap().details.endpoint.secrets.previous.is_none());
    let bad = RotateInput { overlap_s: Some(-1), secret: Some("x".into()) };
    assert_eq!(wrong(rotate(bad).await).len(), 2);
    let log = format!("{:?}", world.audit().await);
    assert!(log.contains("endpoint.secret_rotated") && !log.contains("whsec_"));

    let aly = NewEndpoint { profile: Some("aly".into()), ..endpoint(URL, &["*"]) };
    let id = world.endpoint(aly).await.details.endpoint.id.to_string();
    let rotated =
        world.app.rotate_secret(&world.operator, "acme", &id, RotateInput::default()).await;
    assert!(rotated.unwrap().details.endpoint.secrets.previous.is_none());
    world.end().await;
}

#[tokio::test]
async fn a_test_is_one_signed_request_whatever_the_state() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    receiver.works(false);
    let made = world.endpoint(endpoint(&receiver.url, &["order.*"])).await;
    let id = made.details.endpoint.id.to_string();
    world.app.disable_endpoint(&world.operator, "acme", &id).await.unwrap();
    let test = TestInput::default();
    let tested = world.app.test_endpoint(&world.operator, "acme", &id, test).await.unwrap();
    assert_eq!(tested.attempt.status_code, Some(500));
    assert!(tested.attempt.request_headers.get("webhook-signature").is_some());
    let bodies = receiver.bodies();
    assert_eq!(bodies.len(), 1);
    assert!(bodies[0].contains(r#""type":"order.test""#), "{}", bodies[0]);
    let bad = TestInput { event_type: Some("a b".into()), data: None };
    let answer = world.app.test_endpoint(&world.operator, "acme", &id, bad).await;
    assert_eq!(wrong(answer), [("/type".to_owned(), "bad_event_type")]);
    world.end().await;
}

#[tokio::test]
async fn an_endpoint_that_was_switched_off_for_failing_starts_anew_when_it_is_enabled() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    receiver.works(false);
    let new = NewEndpoint {
        retry: Some(RetryInput { delays_s: Some(vec![]), ..RetryInput::default() }),
        auto_disable: Some(AutoDisableInput::On { after_events: Some(2), after_s: None }),
        ..endpoint(&receiver.url, &["*"])
    };
    let id = world.endpoint(new).await.details.endpoint.id.to_string();
    let status = async || {
        let shown = world.app.endpoint(&world.operator, "acme", &id).await.unwrap();
        (shown.endpoint.status, shown.endpoint.disabled_reason)
    };
    for _ in 0..2 {
        let event = world.publish("a").await;
        world.delivery_in(&event, DeliveryStatus::Failed).await;
    }
    let off = (EndpointStatus::Disabled, Some(DisabledReason::Failures));
    until(async || (status().await == off).then_some(())).await;
    world.app.enable_endpoint(&world.operator, "acme", &id).await.unwrap();
    let event = world.publish("a").await;
    world.delivery_in(&event, DeliveryStatus::Failed).await;
    receiver.works(true);
    let event = world.publish("a").await;
    world.delivery_in(&event, DeliveryStatus::Succeeded).await;
    assert_eq!(status().await, (EndpointStatus::Active, None));
    world.end().await;
}
