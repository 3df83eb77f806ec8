//! Deliveries by hand: tried again, cancelled, replayed.

use serde_json::{Value, json};

use super::sink::{Sink, sent};
use super::{Home, Tenant, ids, refused, text, wrong};
use crate::world::until;

const ONCE: &str = r#"{"retry":{"delays_s":[]}}"#;

fn once() -> Value {
    serde_json::from_str(ONCE).unwrap()
}

async fn state(tenant: &Tenant, delivery: &Value) -> Value {
    tenant.get(&format!("/deliveries/{}", text(&delivery["id"]))).await.expect(200)
}

async fn when(tenant: &Tenant, delivery: &Value, status: &str) -> Value {
    until(&format!("{status}: {delivery}"), || async {
        Some(state(tenant, delivery).await).filter(|it| it["status"] == status)
    })
    .await
}

/// The only delivery of the tenant, once its first attempt is recorded and it waits for the next.
async fn waiting(tenant: &Tenant) -> Value {
    until("it waits for its retry", || async {
        let rows = tenant.all("/deliveries").await;
        Some(rows[0].clone()).filter(|it| it["attempts"] == 1 && it["status"] == "pending")
    })
    .await
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_at_once_by_hand() {
    let home = Home::open().await;
    let tenant = home.tenant("delivery-retry").await;
    let sink = Sink::answering(500).await;
    tenant.endpoint(&sink.url(), once()).await;
    let event = tenant.publish("a.b", json!(1)).await;
    let failed = tenant.delivery_when(&event, "failed").await;
    let path = format!("/deliveries/{}/retry", text(&failed["id"]));
    sink.answer_with(200);
    let queued = tenant.act(&path).await.expect(202);
    assert_eq!((&queued["id"], &queued["trigger"]), (&failed["id"], &json!("manual")));
    let delivery = when(&tenant, &failed, "succeeded").await;
    assert_eq!((&delivery["attempts"], &delivery["reason"]), (&json!(2), &Value::Null));
    let attempts = tenant.all(&format!("/deliveries/{}/attempts", text(&failed["id"]))).await;
    let seen: Vec<_> = attempts
        .iter()
        .map(|it| (text(&it["trigger"]), it["status_code"].as_u64().unwrap()))
        .collect();
    assert_eq!(seen, [("manual", 200), ("automatic", 500)]);
    refused(&tenant.act(&path).await, 409, "already_succeeded");
    assert_eq!(sink.received().len(), 2);
}

#[tokio::test]
async fn a_waiting_delivery_need_not_wait_when_it_is_retried() {
    let home = Home::open().await;
    let tenant = home.tenant("delivery-hurry").await;
    let sink = Sink::answering(503).await;
    tenant.endpoint(&sink.url(), json!({ "retry": { "delays_s": [3600] } })).await;
    tenant.publish("a.b", json!(1)).await;
    let waiting = waiting(&tenant).await;
    sink.answer_with(200);
    tenant.act(&format!("/deliveries/{}/retry", text(&waiting["id"]))).await.expect(202);
    when(&tenant, &waiting, "succeeded").await;
}

#[tokio::test]
async fn a_delivery_to_an_endpoint_that_is_off_is_not_retried() {
    let home = Home::open().await;
    let tenant = home.tenant("delivery-off").await;
    let sink = Sink::answering(500).await;
    let made = tenant.endpoint(&sink.url(), once()).await;
    let event = tenant.publish("a.b", json!(1)).await;
    let failed = tenant.delivery_when(&event, "failed").await;
    let endpoint = format!("/endpoints/{}", text(&made["id"]));
    tenant.act(&format!("{endpoint}/disable")).await.expect(200);
    let retry = format!("/deliveries/{}/retry", text(&failed["id"]));
    refused(&tenant.act(&retry).await, 409, "endpoint_disabled");
    assert_eq!(tenant.delete(&endpoint).await.status, 204);
    refused(&tenant.act(&retry).await, 409, "endpoint_deleted");
}

#[tokio::test]
async fn a_waiting_delivery_can_be_cancelled_and_revived() {
    let home = Home::open().await;
    let tenant = home.tenant("delivery-cancel").await;
    let sink = Sink::answering(503).await;
    tenant.endpoint(&sink.url(), json!({ "retry": { "delays_s": [3600] } })).await;
    tenant.publish("a.b", json!(1)).await;
    let waiting = waiting(&tenant).await;
    let cancel = format!("/deliveries/{}/cancel", text(&waiting["id"]));
    let cancelled = tenant.act(&cancel).await.expect(200);
    assert_eq!(
        (text(&cancelled["status"]), text(&cancelled["reason"])),
        ("cancelled", "cancelled")
    );
    assert_eq!(cancelled["next_attempt_at"], Value::Null);
    refused(&tenant.act(&cancel).await, 409, "already_ended");
    assert_eq!(state(&tenant, &waiting).await["status"], "cancelled");
    sink.answer_with(200);
    tenant.act(&format!("/deliveries/{}/retry", text(&waiting["id"]))).await.expect(202);
    when(&tenant, &waiting, "succeeded").await;
    refused(&tenant.act(&cancel).await, 409, "already_ended");
}

#[tokio::test]
async fn a_held_delivery_can_be_cancelled_and_is_never_sent() {
    let home = Home::open().await;
    let tenant = home.tenant("delivery-cancel-held").await;
    let sink = Sink::answering(200).await;
    let made = tenant.endpoint(&sink.url(), json!({ "profile": "aryeo" })).await;
    let endpoint = format!("/endpoints/{}", text(&made["id"]));
    tenant.act(&format!("{endpoint}/pause")).await.expect(200);
    let unwanted = tenant.publish("a.b", json!(1)).await;
    let wanted = tenant.publish("a.b", json!(2)).await;
    let held = tenant.delivery_when(&unwanted, "pending").await;
    tenant.act(&format!("/deliveries/{}/cancel", text(&held["id"]))).await.expect(200);
    tenant.act(&format!("{endpoint}/resume")).await.expect(200);
    tenant.delivery_when(&wanted, "succeeded").await;
    assert_eq!(state(&tenant, &held).await["status"], "cancelled");
    let got: Vec<_> = sink.received().iter().map(|it| sent(it).to_owned()).collect();
    assert_eq!(got, ["2"]);
}

#[tokio::test]
async fn a_replayed_event_is_delivered_again_under_its_own_id() {
    let home = Home::open().await;
    let tenant = home.tenant("delivery-replay").await;
    let sink = Sink::answering(200).await;
    tenant.endpoint(&sink.url(), json!({})).await;
    let event = tenant.publish("a.b", json!({ "n": 1 })).await;
    let first = tenant.delivery_when(&event, "succeeded").await;
    let replay = format!("/events/{}/replay", text(&event["id"]));
    let replayed = tenant.act(&replay).await.expect(202);
    let fresh = &replayed["deliveries"][0];
    assert_eq!(replayed["deliveries"].as_array().unwrap().len(), 1);
    assert_ne!(fresh["id"], first["id"]);
    assert_eq!((&fresh["event_id"], &fresh["trigger"]), (&event["id"], &json!("manual")));
    when(&tenant, fresh, "succeeded").await;
    let got = sink.wait_for(2).await;
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
    assert_eq!(got[0].body, got[1].body);
    let of_event = tenant.all(&format!("/events/{}/deliveries", text(&event["id"]))).await;
    assert_eq!(ids(&of_event), [text(&fresh["id"]), text(&first["id"])], "replays first");
    let read = tenant.get(&format!("/events/{}", text(&event["id"]))).await.expect(200);
    assert_eq!(read["deliveries"], 2, "replays are counted");
    let attempts = tenant.all(&format!("/deliveries/{}/attempts", text(&fresh["id"]))).await;
    assert_eq!(attempts[0]["trigger"], "manual");
}

#[tokio::test]
async fn a_replay_may_name_its_endpoints() {
    let home = Home::open().await;
    let tenant = home.tenant("delivery-replay-named").await;
    let (one, two) = (Sink::answering(200).await, Sink::answering(200).await);
    tenant.endpoint(&one.url(), json!({})).await;
    let second = tenant.endpoint(&two.url(), json!({})).await;
    let event = tenant.publish("a.b", json!(1)).await;
    two.wait_for(1).await;
    one.wait_for(1).await;
    let replay = format!("/events/{}/replay", text(&event["id"]));
    let named = json!({ "endpoints": [second["id"]] });
    tenant.post(&replay, &named).await.expect(202);
    two.wait_for(2).await;
    assert_eq!(one.received().len(), 1);
    for (endpoints, pointer, code) in [
        (json!([]), "/endpoints", "too_short"),
        (json!(["x"]), "/endpoints/0", "bad_id"),
        (json!([second["id"], "wh_01jv0g6xwre3zb0g8v4q5n6m7k"]), "/endpoints/1", "not_found"),
    ] {
        let answer = tenant.post(&replay, &json!({ "endpoints": endpoints })).await;
        wrong(&answer, &[(pointer, code)]);
    }
    wrong(
        &tenant.post(&replay, &json!({ "endpoint": 1 })).await,
        &[("/endpoint", "unknown_field")],
    );
    let path = format!("/endpoints/{}/disable", text(&second["id"]));
    tenant.act(&path).await.expect(200);
    refused(&tenant.post(&replay, &named).await, 409, "endpoint_disabled");
}

#[tokio::test]
async fn what_is_not_there_cannot_be_looked_at_or_changed() {
    let home = Home::open().await;
    let tenant = home.tenant("delivery-none").await;
    for id in ["dlv_01jv0g6xwre3zb0g8v4q5n6m7k", "dlv_1", "x"] {
        refused(&tenant.get(&format!("/deliveries/{id}")).await, 404, "not_found");
        refused(&tenant.get(&format!("/deliveries/{id}/attempts")).await, 404, "not_found");
        refused(&tenant.act(&format!("/deliveries/{id}/retry")).await, 404, "not_found");
        refused(&tenant.act(&format!("/deliveries/{id}/cancel")).await, 404, "not_found");
    }
    for id in ["evt_01jv0g6xwre3zb0g8v4q5n6m7k", "evt_1", "x"] {
        refused(&tenant.get(&format!("/events/{id}")).await, 404, "not_found");
        refused(&tenant.get(&format!("/events/{id}/deliveries")).await, 404, "not_found");
        refused(&tenant.act(&format!("/events/{id}/replay")).await, 404, "not_found");
    }
}
