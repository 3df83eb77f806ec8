//! The two pages of the vendor that came with the order of this surface: what they show, as they show it. Only host and key
//! are ours.

use http::Method;
use serde_json::{Value, json};

use super::{Aly, HOOKS, path, published};
use crate::receiver::Receiver;
use crate::scene::{Acme, Scene, text};

/// "Filtering", on the page about event types.
const FILTER: &str = r#"{ "url": "https://my-app.example/aly/webhooks", "events": ["order.created", "order.fulfilled", "order.refunded"], "site_slug": "acme", "active": true}"#;
/// "Sample order.created".
const SAMPLE: &str = r#"{ "id": "evt_8a1...e7c", "type": "order.created", "created_at": "2026-05-19T08:35:14.000Z", "site_slug": "acme", "data": { "order": { "id": "ord_72...4b", "currency": "USD", "totals": { "subtotal": 4200, "shipping": 500, "tax": 376, "discount": 0, "total": 5076 }, "buyer": { "email": "buyer@example.com" }, "items": [ { "id": "li_1", "product_id": "prod_abc", "variant_id": "var_1", "name": "Linen Tote — natural", "quantity": 1, "unit_price": 4200, "subtotal": 4200 } ], "shipping_address": { "country": "US", "state": "CA", "postcode": "94110" }, "payment": { "provider": "stripe", "intent_id": "pi_..." } } }}"#;
/// Every type of that page, with when it happens.
const TYPES: &str = "\
order.created | An order is persisted after successful checkout (Stripe, UCP, or x402). |
order.updated | Buyer info, shipping address, or line items changed post-creation. |
order.fulfilled | All line items have at least one fulfillment row recorded. |
order.partially_fulfilled | Some, not all, line items shipped. |
order.refunded | Full or partial refund processed by Stripe. |
order.cancelled | Cancelled by operator or buyer before fulfillment. |
order.return_requested | Buyer initiated a return. |
order.return_approved | Operator approved; RMA issued. |
order.return_received | Returned goods received in good condition. |
order.exchange_requested | Buyer initiated an exchange. |
order.exchange_approved | Operator approved exchange. |
checkout_session.created | A new session (UCP or hosted) was created. |
checkout_session.updated | Line items, address, shipping option, or coupon changed. |
checkout_session.completed | Buyer paid; order_id populated. |
checkout_session.expired | Session expired without completion. |
checkout_session.cancelled | Explicitly cancelled. |
membership.subscriber.created | New subscription started (Stripe). |
membership.subscriber.updated | Plan changed or status changed. |
membership.subscriber.cancelled | Subscription cancelled. |
membership.subscriber.payment_failed | Renewal payment failed. |
site.published | Site published (or republished). |
site.unpublished | Site taken offline. |
site.domain.attached | Custom domain attached; DNS verification still required. |
site.domain.verified | Domain DNS records verified and live. |";

/// The members of a JSON object in the order of its text.
fn members(object: &str) -> Vec<String> {
    let read: Value = serde_json::from_str(object).unwrap();
    let mut names: Vec<_> = read.as_object().unwrap().keys().cloned().collect();
    names.sort_by_key(|it| object.find(&format!("\"{it}\":")).unwrap());
    names
}

// vendors.md §1.4, POST.
#[tokio::test]
async fn the_body_of_the_page_about_filters_registers_what_it_says() {
    let scene = Scene::new().await;
    let json = [("content-type", "application/json")];
    let made = scene.acme.0.send(Method::POST, HOOKS, &json, FILTER.into()).await;
    let answer = made.expect(201);
    let asked: Value = serde_json::from_str(FILTER).unwrap();
    for (name, value) in asked.as_object().unwrap() {
        assert_eq!(&answer[name], value, "{name}");
    }
    let text = std::str::from_utf8(&made.body).unwrap();
    let shown = ["id", "url", "events", "site_slug", "active", "secret", "created_at"];
    assert_eq!(members(text), shown, "in the order of the page");
}

// vendors.md §1.6.
#[tokio::test]
async fn the_sample_of_the_page_about_event_types_arrives_to_the_letter() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let body = FILTER.replace("https://my-app.example/aly/webhooks", &receiver.url());
    let json = [("content-type", "application/json")];
    scene.acme.0.send(Method::POST, HOOKS, &json, body.into()).await.expect(201);

    let sample: Value = serde_json::from_str(SAMPLE).unwrap();
    let (_, data) = SAMPLE.split_once(r#""data": "#).unwrap();
    let data = data.strip_suffix('}').unwrap();
    let event = format!(
        r#"{{"type":"order.created","occurred_at":"2026-05-19T08:35:14.000Z","scope":"acme","data":{data}}}"#
    );
    let events = Acme::path("/events");
    let id = scene.acme.0.send(Method::POST, &events, &json, event.into()).await.expect(202);
    let arrival = receiver.first(1).await.remove(0);
    let got = std::str::from_utf8(&arrival.body).unwrap();
    assert_eq!(members(got)[..4], ["id", "type", "created_at", "site_slug"]);
    assert!(got.ends_with(&format!(r#""data":{data}}}"#)), "not a byte of it is another: {got}");
    let mut want = sample;
    want["id"] = id["id"].clone();
    assert_eq!(arrival.json(), want);
    assert!(text(&want["id"]).starts_with("evt_"));

    let catalogue = json!({ "catalogue": "aly" });
    scene.acme.0.post(&Acme::path("/event-types/import"), &catalogue).await.expect(200);
    let entry = scene.acme.0.get(&Acme::path("/event-types/order.created")).await.expect(200);
    assert_eq!(entry["sample"], want["data"], "the catalogue shows the same");
}

// vendors.md §1.6.
#[tokio::test]
async fn every_type_of_the_page_about_event_types_is_delivered_under_its_name() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver = Receiver::start().await;
    aly.create(json!({ "url": receiver.url(), "events": ["*"], "active": true })).await;
    let types: Vec<_> = TYPES.lines().map(|it| it.split_once(" | ").unwrap().0).collect();
    assert_eq!(types.len(), 24);
    for event_type in &types {
        published(&scene.acme, event_type, Some("acme")).await;
    }
    let arrivals = receiver.first(24).await;
    let mut got: Vec<_> = arrivals.iter().map(|it| it.header("x-aly-event-type")).collect();
    got.sort_unstable();
    let mut want = types;
    want.sort_unstable();
    assert_eq!(got, want);
    assert!(arrivals.iter().all(|it| it.json()["type"] == it.header("x-aly-event-type")));
}

// vendors.md §1.4: the words of the page on disabling and deleting.
#[tokio::test]
async fn patch_with_active_false_and_delete_are_what_the_page_says() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = aly.webhook_at(&receiver.url()).await;
    published(&scene.acme, "order.created", None).await;
    aly.newest_is(&made, "succeeded").await;
    let json = [("content-type", "application/json")];
    let body = r#"{"active": false}"#;
    let off = scene.acme.0.send(Method::PATCH, &path(&made, ""), &json, body.into()).await;
    assert_eq!(off.expect(200)["active"], false);
    published(&scene.acme, "order.created", None).await;
    aly.newest_is(&made, "discarded").await;
    assert_eq!(receiver.count(), 1, "dropped, not queued");
    assert_eq!(scene.acme.0.delete(&path(&made, "")).await.status, 204);
    let past = aly.deliveries(&made, "").await;
    let states: Vec<_> = past.iter().map(|it| text(&it["status"])).collect();
    assert_eq!(states, ["discarded", "succeeded"], "past deliveries remain visible");
}
