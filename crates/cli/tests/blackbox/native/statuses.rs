//! What becomes of a delivery, as its reader sees it.

use serde_json::{Value, json};

use super::sink::{Sink, sent};
use super::{Home, is_time, text};
use crate::receiver::{Receiver, Reply};
use crate::world::until;

#[tokio::test]
async fn a_delivery_that_arrives_has_succeeded() {
    let home = Home::open().await;
    let tenant = home.tenant("status-succeeded").await;
    let sink = Sink::answering(204).await;
    let endpoint = tenant.endpoint(&sink.url(), json!({})).await;
    let event = tenant.publish("a.b", json!(1)).await;
    let delivery = tenant.delivery_when(&event, "succeeded").await;
    assert!(text(&delivery["id"]).starts_with("dlv_"));
    assert_eq!((&delivery["event_id"], &delivery["endpoint_id"]), (&event["id"], &endpoint["id"]));
    assert_eq!(delivery["event_type"], "a.b");
    assert_eq!((&delivery["attempts"], &delivery["last_status_code"]), (&json!(1), &json!(204)));
    assert_eq!((&delivery["reason"], &delivery["next_attempt_at"]), (&Value::Null, &Value::Null));
    assert_eq!(delivery["trigger"], "automatic");
    is_time(&delivery["created_at"]);
    is_time(&delivery["updated_at"]);
    let path = format!("/deliveries/{}", text(&delivery["id"]));
    assert_eq!(tenant.get(&path).await.expect(200), delivery);
    assert_eq!(tenant.all("/deliveries").await, [delivery]);
    let path = format!("/endpoints/{}", text(&endpoint["id"]));
    let counted = until("it is counted", || async {
        Some(tenant.get(&path).await.expect(200)).filter(|it| it["delivery_count"] == 1)
    })
    .await;
    is_time(&counted["last_delivery_at"]);
    assert_eq!(counted["consecutive_failures"], 0);
}

#[tokio::test]
async fn a_delivery_under_way_is_sending() {
    let home = Home::open().await;
    let tenant = home.tenant("status-sending").await;
    let sink = Sink::holding().await;
    tenant.endpoint(&sink.url(), json!({})).await;
    let event = tenant.publish("a.b", json!(1)).await;
    sink.wait_for(1).await;
    let delivery = tenant.delivery_when(&event, "sending").await;
    assert_eq!(delivery["attempts"], 0);
    let listed = tenant.all("/deliveries").await;
    assert_eq!(listed[0]["status"], "sending");
    sink.let_go();
    tenant.delivery_when(&event, "succeeded").await;
}

#[tokio::test]
async fn a_delivery_that_waits_for_its_retry_is_pending_and_says_when() {
    let home = Home::open().await;
    let tenant = home.tenant("status-pending").await;
    let sink = Sink::answering(503).await;
    let endpoint = tenant.endpoint(&sink.url(), json!({ "retry": { "delays_s": [1000] } })).await;
    let event = tenant.publish("a.b", json!(1)).await;
    let delivery = until("the first attempt is recorded", || async {
        let rows = tenant.all("/deliveries").await;
        Some(rows[0].clone()).filter(|it| it["attempts"] == 1)
    })
    .await;
    assert_eq!(
        (text(&delivery["status"]), &delivery["last_status_code"]),
        ("pending", &json!(503))
    );
    let due: jiff::Timestamp = text(&delivery["next_attempt_at"]).parse().unwrap();
    let made: jiff::Timestamp = text(&delivery["created_at"]).parse().unwrap();
    let wait = due.as_millisecond() - made.as_millisecond();
    assert!((1_000_000..1_030_000).contains(&wait), "{wait} ms");
    assert_eq!(delivery["event_id"], event["id"]);
    let path = format!("/endpoints/{}", text(&endpoint["id"]));
    let read = tenant.get(&path).await.expect(200);
    assert_eq!(read["status"], "active");
}

#[tokio::test]
async fn a_delivery_whose_attempts_are_used_up_has_failed() {
    let home = Home::open().await;
    let tenant = home.tenant("status-failed").await;
    let sink = Sink::answering(500).await;
    let endpoint = tenant.endpoint(&sink.url(), json!({ "retry": { "delays_s": [1] } })).await;
    let event = tenant.publish("a.b", json!(1)).await;
    let delivery = tenant.delivery_when(&event, "failed").await;
    assert_eq!((text(&delivery["reason"]), &delivery["attempts"]), ("exhausted", &json!(2)));
    let path = format!("/endpoints/{}", text(&endpoint["id"]));
    until("the failure is counted", || async {
        let read = tenant.get(&path).await.expect(200);
        (read["consecutive_failures"] == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_final_answer_ends_a_delivery() {
    let home = Home::open().await;
    let tenant = home.tenant("status-terminal").await;
    let gone = Sink::answering(410).await;
    let made = tenant.endpoint(&gone.url(), json!({})).await;
    let event = tenant.publish("a.b", json!(1)).await;
    let delivery = tenant.delivery_when(&event, "failed").await;
    assert_eq!((text(&delivery["reason"]), &delivery["attempts"]), ("terminal", &json!(1)));
    let path = format!("/endpoints/{}", text(&made["id"]));
    let off = until("410 switches the endpoint off", || async {
        Some(tenant.get(&path).await.expect(200)).filter(|it| it["status"] == "disabled")
    });
    assert_eq!(off.await["disabled_reason"], "gone");

    let tenant = home.tenant("status-terminal-alvys").await;
    let missing = Sink::answering(404).await;
    let wanted = json!({ "profile": "alvys", "verify": "none" });
    tenant.endpoint(&missing.url(), wanted).await;
    let event = tenant.publish("a.b", json!(1)).await;
    let delivery = tenant.delivery_when(&event, "failed").await;
    assert_eq!(delivery["reason"], "terminal");
}

#[tokio::test]
async fn while_an_endpoint_is_disabled_its_events_are_discarded_and_listed_with_the_reason() {
    let home = Home::open().await;
    let tenant = home.tenant("status-discarded").await;
    let sink = Sink::answering(503).await;
    let made = tenant.endpoint(&sink.url(), json!({ "retry": { "delays_s": [1000] } })).await;
    let waiting = tenant.publish("a.b", json!(0)).await;
    sink.wait_for(1).await;
    tenant.delivery_when(&waiting, "pending").await;
    let path = format!("/endpoints/{}", text(&made["id"]));
    tenant.act(&format!("{path}/disable")).await.expect(200);
    let event = tenant.publish("a.b", json!(1)).await;
    assert_eq!(event["deliveries"], 1, "it is listed");
    for event in [&waiting, &event] {
        let delivery = tenant.delivery_when(event, "discarded").await;
        assert_eq!(delivery["reason"], "endpoint_disabled");
        assert_eq!(delivery["next_attempt_at"], Value::Null);
    }
    assert_eq!(tenant.all("/deliveries?status=discarded").await.len(), 2);
    tenant.act(&format!("{path}/enable")).await.expect(200);
    sink.answer_with(200);
    let after = tenant.publish("a.b", json!(2)).await;
    tenant.delivery_when(&after, "succeeded").await;
    assert_eq!(sink.received().len(), 2, "what was discarded stays so");
}

#[tokio::test]
async fn what_a_deleted_endpoint_was_owed_is_discarded() {
    let home = Home::open().await;
    let tenant = home.tenant("status-deleted").await;
    let sink = Sink::answering(503).await;
    let made = tenant.endpoint(&sink.url(), json!({ "retry": { "delays_s": [1000] } })).await;
    let event = tenant.publish("a.b", json!(0)).await;
    sink.wait_for(1).await;
    tenant.delivery_when(&event, "pending").await;
    assert_eq!(tenant.delete(&format!("/endpoints/{}", text(&made["id"]))).await.status, 204);
    let delivery = tenant.delivery_when(&event, "discarded").await;
    assert_eq!(delivery["reason"], "endpoint_deleted");
}

#[tokio::test]
async fn while_an_endpoint_is_paused_its_events_are_held_and_then_sent_in_order() {
    let home = Home::open().await;
    let tenant = home.tenant("status-paused").await;
    let sink = Sink::answering(200).await;
    let wanted = json!({ "profile": "aryeo", "max_in_flight": 1 });
    let made = tenant.endpoint(&sink.url(), wanted).await;
    let path = format!("/endpoints/{}", text(&made["id"]));
    tenant.act(&format!("{path}/pause")).await.expect(200);
    let mut events = Vec::new();
    for n in 0..20 {
        events.push(tenant.publish("a.b", json!(n)).await);
    }
    for event in &events {
        let delivery = tenant.delivery_when(event, "pending").await;
        assert_eq!(delivery["attempts"], 0);
    }
    assert_eq!(tenant.all("/deliveries?status=pending").await.len(), 20);
    assert_eq!(sink.received().len(), 0);
    // A test goes out all the same.
    let tested = tenant.act(&format!("{path}/test")).await.expect(200);
    assert_eq!(tested["succeeded"], true);
    tenant.act(&format!("{path}/resume")).await.expect(200);
    let got: Vec<_> = sink.wait_for(21).await[1..].iter().map(|it| sent(it).to_owned()).collect();
    let want: Vec<_> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(got, want);
    for event in &events {
        tenant.delivery_when(event, "succeeded").await;
    }
}

#[tokio::test]
async fn an_attempt_tells_what_was_sent_and_what_was_answered() {
    let home = Home::open().await;
    let tenant = home.tenant("status-attempt").await;
    let long = "x".repeat(10_000);
    let sink = Receiver::scripted(move |_, _| {
        let headers = vec![("x-seen", "yes".into()), ("set-cookie", "session=hush".into())];
        Reply::Full { status: 500, headers, body: long.clone() }
    })
    .await;
    let headers = json!({ "Authorization": "Bearer hush", "X-Team": "blue" });
    let retry = json!({ "delays_s": [1] });
    tenant.endpoint(&sink.url(), json!({ "headers": headers, "retry": retry })).await;
    let event = tenant.publish("a.b", json!(1)).await;
    let delivery = tenant.delivery_when(&event, "failed").await;
    let path = format!("/deliveries/{}/attempts", text(&delivery["id"]));
    let attempts = tenant.all(&path).await;
    let numbers: Vec<_> = attempts.iter().map(|it| it["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 1], "newest first");
    for attempt in &attempts {
        assert!(text(&attempt["id"]).starts_with("att_"));
        assert_eq!(attempt["delivery_id"], delivery["id"]);
        is_time(&attempt["started_at"]);
        assert!(attempt["duration_ms"].is_u64());
        assert_eq!(
            (text(&attempt["outcome"]), &attempt["status_code"]),
            ("http_error", &json!(500))
        );
        assert_eq!(attempt["trigger"], "automatic");
        assert!(text(&attempt["error"]).contains("500"), "{attempt}");
        assert_eq!(text(&attempt["response_body"]).len(), 4096);
        assert_eq!(attempt["response_headers"]["x-seen"], "yes");
        let sent = attempt["request_headers"].to_string().to_lowercase();
        assert!(sent.contains("webhook-signature") && sent.contains("v1,"), "{sent}");
        assert!(sent.contains("blue") && sent.contains("user-agent"), "{sent}");
        assert!(!attempt.to_string().contains("hush"), "{attempt}");
    }
    let got = sink.arrivals();
    let (first, second) = (&got[0], &got[1]);
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.body, second.body);
    assert_ne!(
        first.header("webhook-timestamp"),
        second.header("webhook-timestamp"),
        "signed afresh"
    );
    let page = tenant.get(&format!("{path}?limit=1")).await.expect(200);
    assert!(page["next_cursor"].is_string(), "{page}");
}
