//! Deliveries and events: looked at, retried, cancelled, replayed, exported; and the signature checker.

use std::collections::BTreeSet;

use bytes::Bytes;
use hookyard_app::{DeliveryQuery, EventQuery, NewEvent, PageQuery, SignInput, VerifyInput};
use hookyard_domain::delivery::DeliveryStatus;

use crate::world::{Receiver, World, code, endpoint, event, wrong};

fn first(limit: u32) -> PageQuery {
    PageQuery { limit: Some(limit.to_string()), cursor: None }
}

#[tokio::test]
async fn a_waiting_delivery_is_retried_by_hand() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    receiver.works(false);
    world.endpoint(endpoint(&receiver.url, &["*"])).await;
    let event = world.publish("order.created").await;
    let waiting = world.delivery_once(&event, |it| it.next_attempt_at.is_some()).await;
    assert_eq!((waiting.status, waiting.attempts), (DeliveryStatus::Pending, 1));
    receiver.works(true);
    let id = waiting.id.to_string();
    world.app.retry_delivery(&world.operator, "acme", &id).await.unwrap();
    let done = world.delivery_in(&event, DeliveryStatus::Succeeded).await;
    assert_eq!(done.attempts, 2);
    let (of, attempts) =
        world.app.attempts(&world.operator, "acme", &id, PageQuery::default()).await.unwrap();
    assert_eq!(of, done.id);
    let numbers: Vec<_> = attempts.rows.iter().map(|it| (it.number, it.status_code)).collect();
    assert_eq!(numbers, [(2, Some(200)), (1, Some(500))]);
    let again = world.app.retry_delivery(&world.operator, "acme", &id).await;
    assert_eq!(code(again), "already_succeeded");
    let entry = world.audit().await.remove(0);
    assert_eq!((&*entry.action, &*entry.subject), ("delivery.retried", &*id));
    world.end().await;
}

#[tokio::test]
async fn a_cancelled_delivery_stays_cancelled_until_it_is_retried() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    receiver.works(false);
    let made = world.endpoint(endpoint(&receiver.url, &["*"])).await;
    let event = world.publish("order.created").await;
    let waiting = world.delivery_once(&event, |it| it.next_attempt_at.is_some()).await;
    let id = waiting.id.to_string();
    let cancelled = world.app.cancel_delivery(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(cancelled.status, DeliveryStatus::Cancelled);
    let again = world.app.cancel_delivery(&world.operator, "acme", &id).await;
    assert_eq!(code(again), "already_ended");
    let endpoint = made.details.endpoint.id.to_string();
    world.app.disable_endpoint(&world.operator, "acme", &endpoint).await.unwrap();
    let off = world.app.retry_delivery(&world.operator, "acme", &id).await;
    assert_eq!(code(off), "endpoint_disabled");
    world.app.delete_endpoint(&world.operator, "acme", &endpoint).await.unwrap();
    let gone = world.app.retry_delivery(&world.operator, "acme", &id).await;
    assert_eq!(code(gone), "endpoint_deleted");
    world.end().await;
}

#[tokio::test]
async fn a_replay_makes_fresh_deliveries_to_who_wants_it_today() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    let old = world.endpoint(endpoint(&receiver.url, &["order.*"])).await.details.endpoint.id;
    let event = world.publish("order.created").await;
    let sent = world.delivery_in(&event, DeliveryStatus::Succeeded).await;
    let new = world.endpoint(endpoint(&receiver.url, &["*"])).await.details.endpoint.id;
    world.endpoint(endpoint(&receiver.url, &["invoice.*"])).await;
    let made = world.app.replay(&world.operator, "acme", &event, None).await.unwrap();
    let to: BTreeSet<_> = made.iter().map(|it| it.endpoint).collect();
    assert_eq!((made.len(), to), (2, BTreeSet::from([old, new])));
    assert!(made.iter().all(|it| it.id != sent.id && it.id.event() == sent.id.event()));
    let only = Some(vec![new.to_string(), new.to_string()]);
    let made = world.app.replay(&world.operator, "acme", &event, only).await.unwrap();
    assert_eq!(made.len(), 1);
    crate::world::until(async || {
        let deliveries = world.deliveries(&event).await;
        assert_eq!(deliveries.len(), 4);
        deliveries.iter().all(|it| it.status == DeliveryStatus::Succeeded).then_some(())
    })
    .await;
    assert_eq!(receiver.bodies().len(), 4);
    world.end().await;
}

#[tokio::test]
async fn a_replay_names_what_is_wrong_with_its_endpoints() {
    let world = World::new().await;
    let made = world.endpoint(endpoint("https://example.com", &["*"])).await;
    let id = made.details.endpoint.id.to_string();
    let paused = world.app.pause_endpoint(&world.operator, "acme", &id).await;
    assert!(paused.is_ok());
    let event = world.publish("a").await;
    let to = |ids: &[&str]| Some(ids.iter().map(|it| (*it).to_owned()).collect());
    let stranger = format!("wh_{}", "0".repeat(26));
    let replay = |ids| world.app.replay(&world.operator, "acme", &event, ids);
    let got = wrong(replay(to(&[&id, "nonsense", &stranger])).await);
    let got: Vec<_> = got.iter().map(|(pointer, code)| (&**pointer, *code)).collect();
    assert_eq!(got, [("/endpoints/1", "bad_id"), ("/endpoints/2", "not_found")]);
    assert_eq!(wrong(replay(to(&[])).await).len(), 1);
    world.app.disable_endpoint(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(code(replay(to(&[&id])).await), "endpoint_disabled");
    assert!(replay(None).await.unwrap().is_empty());
    let nothing = format!("evt_{}", "0".repeat(26));
    let answer = world.app.replay(&world.operator, "acme", &nothing, None).await;
    assert_eq!(code(answer), "not_found");
    world.end().await;
}

#[tokio::test]
async fn lists_are_filtered_and_bad_filters_are_pointed_out() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    let made = world.endpoint(endpoint(&receiver.url, &["order.*"])).await;
    let order = world.publish("order.created").await;
    world.publish("invoice.sent").await;
    world.delivery_in(&order, DeliveryStatus::Succeeded).await;
    let events = |query| world.app.events(&world.operator, "acme", query, PageQuery::default());
    assert_eq!(events(EventQuery::default()).await.unwrap().rows.len(), 2);
    let query = EventQuery { event_type: Some("order.*".into()), ..EventQuery::default() };
    let found = events(query).await.unwrap().rows;
    assert_eq!((found.len(), found[0].deliveries), (1, 1));
    let bad = EventQuery {
        event_type: Some("a b".into()),
        source: Some("x".into()),
        since: Some("x".into()),
        until: Some("1h".into()),
        ..EventQuery::default()
    };
    assert_eq!(wrong(events(bad).await).len(), 4);

    let deliveries =
        |query| world.app.deliveries(&world.operator, "acme", query, PageQuery::default());
    let query = DeliveryQuery {
        endpoint: Some(made.details.endpoint.id.to_string()),
        status: Some("succeeded".into()),
        ..DeliveryQuery::default()
    };
    assert_eq!(deliveries(query).await.unwrap().rows.len(), 1);
    let bad = DeliveryQuery {
        endpoint: Some(format!("wh_{}", "0".repeat(26))),
        status: Some("lost".into()),
        ..DeliveryQuery::default()
    };
    let got = wrong(deliveries(bad).await);
    let got: Vec<_> = got.iter().map(|(pointer, code)| (&**pointer, *code)).collect();
    assert_eq!(got, [("endpoint", "not_found"), ("status", "unknown_value")]);
    world.end().await;
}

#[tokio::test]
async fn an_export_gives_every_delivery_once_over_all_its_pages() {
    let world = World::new().await;
    let made = world.endpoint(endpoint("https://example.com", &["*"])).await;
    let id = made.details.endpoint.id.to_string();
    world.app.pause_endpoint(&world.operator, "acme", &id).await.unwrap();
    let batch = (0..600).map(|_| Ok(event("a"))).collect();
    world.app.publish_batch(&world.operator, "acme", batch, None).await.unwrap();
    let query = DeliveryQuery::default();
    let mut export = world.app.export_deliveries(&world.operator, "acme", query).await.unwrap();
    let mut ids = Vec::new();
    let mut pages = 0;
    while let Some(rows) = world.app.next_export_page(&mut export).await.unwrap() {
        ids.extend(rows.into_iter().map(|it| it.id));
        pages += 1;
    }
    assert!(pages >= 3);
    assert!(ids.is_sorted_by(|a, b| a > b), "newest first, none twice");
    assert_eq!(ids.len(), 600);
    world.end().await;
}

#[tokio::test]
async fn pages_go_on_where_the_one_before_ended() {
    let world = World::new().await;
    for number in 0..5 {
        let new = NewEvent { scope: Some(format!("s{number}")), ..event("a") };
        world.app.publish(&world.operator, "acme", new, None).await.unwrap();
    }
    let mut scopes = Vec::new();
    let mut page = first(2);
    loop {
        let query = EventQuery::default();
        let found = world.app.events(&world.operator, "acme", query, page).await.unwrap();
        scopes.extend(
            found
                .rows
                .iter()
                .map(|it| it.event.content.scope.as_ref().unwrap().as_str().to_owned()),
        );
        let Some(next) = found.next else { break };
        page = PageQuery { cursor: Some(next.to_string()), ..first(2) };
    }
    assert_eq!(scopes, ["s4", "s3", "s2", "s1", "s0"]);
    world.end().await;
}

#[tokio::test]
async fn what_the_checker_signs_it_verifies_and_says_why_when_it_does_not() {
    let world = World::new().await;
    let caller = world.caller("acme", &["read"]).await;
    let secret = format!("whsec_{}", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    for (scheme, secret) in
        [("standard", &*secret), ("aly", &*secret), ("alvys", "x"), ("aryeo", "x")]
    {
        let input = SignInput {
            scheme: scheme.into(),
            secret: secret.into(),
            payload: Bytes::from_static(b"{}"),
            ..SignInput::default()
        };
        let headers = world.app.sign(&caller, input).unwrap();
        let input = |payload: &'static [u8]| VerifyInput {
            scheme: scheme.into(),
            secret: secret.into(),
            headers: headers.clone(),
            payload: Bytes::from_static(payload),
            ..VerifyInput::default()
        };
        assert!(world.app.verify_signature(&caller, input(b"{}")).unwrap().valid, "{scheme}");
        let verdict = world.app.verify_signature(&caller, input(b"{ }")).unwrap();
        assert!(!verdict.valid && verdict.reason.is_some(), "{scheme}");
        assert!(verdict.checks.iter().any(|it| !it.ok), "{scheme}");
    }
    let bad = SignInput { timestamp: Some("-1".into()), ..SignInput::default() };
    assert_eq!(wrong(world.app.sign(&caller, bad)).len(), 3);
    world.end().await;
}
