//! What is refused: wrong fields, and more than the vendor allows.

use http::Method;
use serde_json::json;

use super::{BASE, Consumer, act, ask, get, refused, webhook, wrong};
use crate::scene::{Scene, text};

// vendors.md §2.8.
#[tokio::test]
async fn wrong_fields_are_named_all_at_once_in_the_words_of_this_surface() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let url = consumer.receiver.url();
    let post = async |body: String| ask(&scene.acme.0, Method::POST, "", body).await;
    wrong(&post("{}".into()).await, &["Events", "Name", "SubsidiaryId", "Url"]);
    let good =
        json!({ "Name": "n", "SubsidiaryId": "s", "Url": url, "Events": ["tender.accepted"] });
    let with = |field: &str, value: serde_json::Value| {
        let mut body = good.clone();
        body[field] = value;
        body.to_string()
    };
    wrong(&post(with("Events", json!([]))).await, &["Events"]);
    wrong(&post(with("Events", json!(["tender.accepted", "load.updated"]))).await, &["Events[1]"]);
    wrong(&post(with("Events", json!(["webhook.verification"]))).await, &["Events[0]"]);
    wrong(&post(with("Events", json!("tender.accepted"))).await, &["Events"]);
    wrong(&post(with("Name", json!(""))).await, &["Name"]);
    wrong(&post(with("SubsidiaryId", json!(null))).await, &["SubsidiaryId"]);
    wrong(&post(with("Url", json!("no url"))).await, &["Url"]);
    wrong(&post(with("Url", json!(format!("{url}{}", "x".repeat(2048))))).await, &["Url"]);
    wrong(&post(with("Url", json!("http://10.0.0.1/"))).await, &["Url"]);
    wrong(&post(with("name", json!("camel case is another field"))).await, &["name"]);
    wrong(
        &post(with("IncludePreviousAttributes", json!("yes"))).await,
        &["IncludePreviousAttributes"],
    );
    refused(&post("{".into()).await, 400);
    refused(&post(String::new()).await, 400);
    let text_plain = [("content-type", "text/plain")];
    let answer = scene.acme.0.send(Method::POST, BASE, &text_plain, good.to_string().into()).await;
    refused(&answer, 415);
    assert_eq!(get(&scene, "").await["Total"], 0);

    let made = post(good.to_string()).await.expect(201);
    let put = async |body: &str| {
        ask(&scene.acme.0, Method::PUT, &format!("/{}", text(&made["Id"])), body.to_owned()).await
    };
    wrong(&put(r#"{"Url":"ftp://example.com/"}"#).await, &["Url"]);
    wrong(&put(r#"{"Status":"Disabled"}"#).await, &["Status"]);
}

// vendors.md §2.9.
#[tokio::test]
async fn the_fifty_first_webhook_is_refused_until_one_is_deleted() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let mut last = json!(null);
    // Endpoints of other profiles are none of the vendor's fifty.
    scene.acme.endpoint(json!({ "url": consumer.receiver.url(), "events": "*" })).await;
    for _ in 0..50 {
        last = webhook(&scene, &consumer, json!({})).await;
    }
    let answer = ask(&scene.acme.0, Method::POST, "", consumer.create()).await;
    wrong(&answer, &["Webhooks"]);
    let problem = refused(&answer, 400);
    assert!(text(&problem["Detail"]).contains("50"), "{problem}");
    ask(&scene.acme.0, Method::DELETE, &format!("/{}", text(&last["Id"])), "").await.expect(204);
    webhook(&scene, &consumer, json!({})).await;
}

// vendors.md §2.9.
#[tokio::test]
async fn more_than_fifty_event_types_are_refused() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let types: Vec<_> = (0..51).map(|n| format!("load.custom{n}")).collect();
    let body = json!({ "Name": "n", "SubsidiaryId": "s", "Url": consumer.receiver.url(), "Events": types });
    refused(&ask(&scene.acme.0, Method::POST, "", body.to_string()).await, 400);
    // Natively any type may be named, and the profile's limit holds all the same.
    let native = json!({ "url": consumer.receiver.url(), "events": types, "profile": "alvys" });
    let answer = scene.acme.0.post("/v1/tenants/acme/endpoints", &native).await;
    assert_eq!(answer.expect(422)["code"], "limit_reached");
}

#[tokio::test]
async fn ten_failed_events_in_a_row_disable_a_webhook_and_enabling_it_starts_anew() {
    let scene = Scene::new().await;
    // Final at once, and counted all the same (ALV-DEL-13).
    let consumer = Consumer::with(true, 400).await;
    let made = webhook(&scene, &consumer, json!({})).await;
    let rest = format!("/{}", text(&made["Id"]));
    for n in 1..=9 {
        let event = super::tender(&scene, "tender.accepted").await;
        scene.acme.delivery_is(&event, "failed").await;
        assert_eq!(get(&scene, &rest).await["ConsecutiveFailures"], n);
    }
    consumer.answers(200);
    let event = super::tender(&scene, "tender.accepted").await;
    scene.acme.delivery_is(&event, "succeeded").await;
    assert_eq!(get(&scene, &rest).await["ConsecutiveFailures"], 0, "a success resets it");
    consumer.answers(400);
    for _ in 0..10 {
        let event = super::tender(&scene, "tender.accepted").await;
        scene.acme.delivery_is(&event, "failed").await;
    }
    let off = crate::world::until("disabled (ALV-DEL-12)", async || {
        Some(get(&scene, &rest).await).filter(|it| it["Status"] == "Disabled")
    })
    .await;
    assert_eq!(off["DisabledReason"], "ConsecutiveFailures");
    assert_eq!(off["ConsecutiveFailures"], 10);
    let on = act(&scene, &made, "enable").await;
    assert_eq!((&on["Status"], &on["ConsecutiveFailures"]), (&json!("Active"), &json!(0)));
}
