//! Active, paused, disabled: what each of them does with what arrives (contract §5).

use serde_json::json;

use super::{Alumia, JSON, data, path, refused, wrong};
use crate::receiver::Receiver;
use crate::scene::{Scene, text};
use crate::world::until;

#[tokio::test]
async fn alu_reg_6_status_and_enabled_follow_each_other() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n" })).await;
    for (change, status, enabled) in [
        (json!({ "status": "paused" }), "paused", false),
        (json!({ "enabled": true }), "active", true),
        (json!({ "enabled": false }), "disabled", false),
        (json!({ "status": "active" }), "active", true),
        (json!({ "status": "disabled" }), "disabled", false),
        (json!({ "status": "paused", "enabled": false }), "paused", false),
        (json!({ "status": "active", "enabled": true }), "active", true),
        (json!({ "name": "m" }), "active", true),
    ] {
        let changed = alumia.patch(&made, change.clone()).await;
        assert_eq!(
            (&changed["status"], &changed["enabled"]),
            (&json!(status), &json!(enabled)),
            "{change}"
        );
        assert_eq!(alumia.now(&made).await, changed);
    }
    for (bad, field) in [
        (json!({ "status": "on" }), "status"),
        (json!({ "status": "Active" }), "status"),
        (json!({ "status": "" }), "status"),
        (json!({ "status": 1 }), "status"),
        (json!({ "enabled": "yes" }), "enabled"),
        (json!({ "status": "paused", "enabled": true }), "enabled"),
        (json!({ "status": "active", "enabled": false }), "enabled"),
    ] {
        wrong(&scene.acme.0.patch(&path(&made, ""), &bad).await, &[field]);
    }
    assert_eq!(alumia.now(&made).await["status"], "active");
}

#[tokio::test]
async fn while_paused_events_are_recorded_and_forwarded_once_in_order_when_it_is_active_again() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    alumia.patch(&made, json!({ "status": "paused" })).await;
    let mut want = Vec::new();
    for n in 0..3 {
        want.push(alumia.bring(&made, &format!("msg_{n}"), "a.b").await);
    }
    let mut listed: Vec<_> =
        alumia.rows(&made, "/events").await.iter().map(|it| text(&it["id"]).to_owned()).collect();
    listed.reverse();
    assert_eq!(listed, want, "recorded, in the order they came");
    assert_eq!(receiver.count(), 0);
    assert!(alumia.rows(&made, "/deliveries").await.is_empty());

    alumia.patch(&made, json!({ "enabled": true })).await;
    let arrivals = receiver.first(3).await;
    let mut got: Vec<_> = arrivals
        .iter()
        .map(|it| it.event().parse::<hookyard_domain::id::EventId>().unwrap().to_uuid())
        .collect();
    got.sort();
    assert_eq!(got, want);
    alumia.bring(&made, "msg_9", "a.b").await;
    receiver.first(4).await;
    until("four attempts, and no more", async || {
        (alumia.rows(&made, "/deliveries").await.len() == 4).then_some(())
    })
    .await;
    assert_eq!(receiver.count(), 4, "each of them once");
}

#[tokio::test]
async fn while_disabled_everything_is_refused_and_nothing_is_kept() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    alumia.patch(&made, json!({ "enabled": false })).await;
    let body = json!({ "type": "a.b" }).to_string();
    let signed = (text(&made["secret"]), "msg_1");
    refused(&alumia.signed(&made, signed, &[JSON], &body).await, 403, "FORBIDDEN");
    assert!(alumia.rows(&made, "/events").await.is_empty());
    let test = json!({ "webhookId": made["id"] });
    refused(&scene.acme.0.post("/api/v1/webhooks/test", &test).await, 409, "CONFLICT");
    alumia.patch(&made, json!({ "status": "active" })).await;
    data(&alumia.signed(&made, signed, &[JSON], &body).await, 200);
    receiver.first(1).await;
    assert_eq!((receiver.count(), alumia.rows(&made, "/events").await.len()), (1, 1));
}

#[tokio::test]
async fn types_that_are_not_allowed_are_recorded_and_not_forwarded() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = Receiver::start().await;
    let new = json!({ "name": "n", "url": receiver.url(), "events": ["invoice.paid", "order.*"] });
    let made = alumia.create(new).await;
    for (n, event_type) in
        ["invoice.sent", "invoice.paid", "orders.made", "order.made"].into_iter().enumerate()
    {
        alumia.bring(&made, &format!("msg_{n}"), event_type).await;
    }
    let got: Vec<_> =
        receiver.first(2).await.iter().map(|it| text(&it.json()["type"]).to_owned()).collect();
    assert!(got.contains(&"invoice.paid".to_owned()) && got.contains(&"order.made".to_owned()));
    let counts: Vec<_> = alumia
        .rows(&made, "/events")
        .await
        .iter()
        .map(|it| (text(&it["eventType"]).to_owned(), it["deliveryCount"].clone()))
        .collect();
    let want = [("order.made", 1), ("orders.made", 0), ("invoice.paid", 1), ("invoice.sent", 0)];
    let want: Vec<_> = want.iter().map(|(name, n)| ((*name).to_owned(), json!(n))).collect();
    assert_eq!(counts, want);
    assert_eq!(receiver.count(), 2);
}
