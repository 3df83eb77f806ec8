//! The page "Creating a Webhook (+api)" of the vendor, from its first request to its last, as it shows them. Only host and
//! key are ours.

use http::Method;
use serde_json::{Value, json};

use super::{CREATE, Consumer, refused, tender};
use crate::scene::{Scene, text};
use crate::world::Answer;

/// A request line of the page, for this webhook.
async fn ask(scene: &Scene, line: &str, id: &Value, body: &str) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let path = path.replace("{id}", id.as_str().unwrap_or("{id}"));
    let method: Method = method.parse().unwrap();
    let headers: &[_] = if body.is_empty() { &[] } else { &[("content-type", "application/json")] };
    scene.acme.0.send(method, &path, headers, body.to_owned().into()).await
}

// vendors.md §2.4, §2.7, §2.8.
#[tokio::test]
async fn every_request_of_the_page_does_what_the_page_says() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let body = consumer.create();
    let made = ask(&scene, "POST /api/p/v3/webhooks", &Value::Null, &body).await.expect(201);
    let id = &made["Id"];
    // "Webhook ID, signing secret, status, configuration details".
    let sent: Value = serde_json::from_str(&body).unwrap();
    for (name, value) in sent.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    assert!(text(id).starts_with("wh_") && text(&made["Secret"]).len() > 20, "{made}");
    assert_eq!(made["Status"], "Active");

    let list = ask(&scene, "GET /api/p/v3/webhooks", id, "").await.expect(200);
    assert_eq!((&list["Total"], &list["Items"][0]["Id"]), (&json!(1), id));
    let read = ask(&scene, "GET /api/p/v3/webhooks/{id}", id, "").await.expect(200);
    assert_eq!(list["Items"], json!([read]));
    let put = json!({
        "Name": "Renamed", "Url": consumer.receiver.url(), "Events": ["load.changed", "tender.accepted"],
        "IncludePreviousAttributes": true,
    });
    let line = "PUT /api/p/v3/webhooks/{id}";
    let changed = ask(&scene, line, id, &put.to_string()).await.expect(200);
    for (name, value) in put.as_object().unwrap() {
        assert_eq!(&changed[name], value, "{name}");
    }
    assert_eq!(changed["Status"], "Active", "the URL is the same one: nothing to verify again");

    let off = ask(&scene, "POST /api/p/v3/webhooks/{id}/disable", id, "").await.expect(200);
    assert_eq!(off["Status"], "Disabled");
    let event = tender(&scene, "tender.accepted").await;
    scene.acme.delivery_is(&event, "discarded").await;
    let on = ask(&scene, "POST /api/p/v3/webhooks/{id}/enable", id, "").await.expect(200);
    assert_eq!(on["Status"], "Active");
    let tested = ask(&scene, "POST /api/p/v3/webhooks/{id}/test", id, "").await.expect(200);
    assert_eq!((&tested["Status"], &tested["AttemptNumber"]), (&json!("success"), &json!(1)));
    let rotated = ask(&scene, "POST /api/p/v3/webhooks/{id}/rotate-secret", id, "").await;
    let rotated = rotated.expect(200);
    assert_ne!(rotated["Secret"], made["Secret"]);
    let event = tender(&scene, "tender.accepted").await;
    let arrivals = consumer.first_events(2).await;
    assert_eq!(arrivals[1].header("x-alvys-event-id"), event);
    for secret in [&made["Secret"], &rotated["Secret"]] {
        super::wire::verifies(&scene, text(secret), &arrivals[1]).await;
    }

    let gone = ask(&scene, "DELETE /api/p/v3/webhooks/{id}", id, "").await;
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    refused(&ask(&scene, "GET /api/p/v3/webhooks/{id}", id, "").await, 404);
    assert_eq!(ask(&scene, "GET /api/p/v3/webhooks", id, "").await.expect(200)["Total"], 0);
}

#[tokio::test]
async fn the_fields_the_page_calls_required_are_and_the_optional_one_is_false_when_left_out() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let line = "POST /api/p/v3/webhooks";
    let all: Value = serde_json::from_str(&consumer.create()).unwrap();
    for required in ["Name", "SubsidiaryId", "Url", "Events"] {
        let mut body = all.clone();
        body.as_object_mut().unwrap().remove(required);
        let answer = ask(&scene, line, &Value::Null, &body.to_string()).await;
        super::wrong(&answer, &[required]);
    }
    let mut body = all;
    body.as_object_mut().unwrap().remove("IncludePreviousAttributes");
    let made = ask(&scene, line, &Value::Null, &body.to_string()).await.expect(201);
    assert_eq!(made["IncludePreviousAttributes"], false);
}

#[tokio::test]
async fn the_body_of_the_page_is_taken_to_the_letter_where_nobody_answers_at_its_url() {
    let scene = Scene::new().await;
    // A name that is nobody's, in place of the page's, which is somebody's.
    let body = CREATE.replace("https://example.com", "https://example.invalid");
    let made = ask(&scene, "POST /api/p/v3/webhooks", &Value::Null, &body).await.expect(201);
    assert_eq!(made["Url"], "https://example.invalid/webhooks");
    assert_eq!(made["Status"], "Pending", "no business events until verification succeeds");
    let event = tender(&scene, "tender.accepted").await;
    scene.acme.delivery_is(&event, "discarded").await;
}
