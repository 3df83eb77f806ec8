//! What is changed on one node is obeyed on the other.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use crate::cluster::Cluster;
use crate::inbound::receive::{BODY, Sender};
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, quick, text};
use crate::world::{Server, until};

/// Two nodes, and `acme` through each.
struct Pair {
    // The servers first: they show their logs when a test fails.
    _servers: [Server; 2],
    one: Acme,
    two: Acme,
    _cluster: Cluster,
}

impl Pair {
    async fn new() -> Self {
        let cluster = Cluster::new().await;
        let servers = [cluster.node("one").await, cluster.node("two").await];
        let one = Acme(servers[0].operator().tenant("acme").await);
        let two = Acme(servers[1].client(&one.0.key));
        // Both know the tenant, so that each has something old to go by.
        for acme in [&one, &two] {
            acme.order(0).await;
        }
        Self { _servers: servers, one, two, _cluster: cluster }
    }
}

/// Whether a delivery verifies with a secret.
async fn verifies(acme: &Acme, arrival: &Arrival, secret: &Value) -> bool {
    let headers: Map<String, Value> = arrival
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("webhook-"))
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let payload = std::str::from_utf8(&arrival.body).unwrap();
    let asked =
        json!({ "scheme": "standard", "secret": secret, "headers": headers, "payload": payload });
    acme.0.post("/v1/signatures/verify", &asked).await.expect(200)["valid"] == true
}

#[tokio::test]
async fn the_next_publish_on_the_other_node_obeys_every_change_of_an_endpoint() {
    let pair = Pair::new().await;
    let (first, second) = (Receiver::start().await, Receiver::start().await);
    let made = pair.one.endpoint_at(&first.url()).await;
    let event = pair.two.order(1).await;
    pair.two.delivery_is(&event, "succeeded").await;
    assert_eq!(first.count(), 1, "a new endpoint");

    let path = Acme::path(&format!("/endpoints/{}", text(&made["id"])));
    pair.one.0.patch(&path, &json!({ "url": second.url() })).await.expect(200);
    let event = pair.two.order(2).await;
    pair.two.delivery_is(&event, "succeeded").await;
    assert_eq!((first.count(), second.count()), (1, 1), "a changed URL");

    let rotate = format!("{path}/rotate-secret");
    let rotated = pair.one.0.post(&rotate, &json!({ "overlap_s": 0 })).await.expect(200);
    let event = pair.two.order(3).await;
    pair.two.delivery_is(&event, "succeeded").await;
    let arrival = second.arrivals().pop().unwrap();
    assert!(verifies(&pair.two, &arrival, &rotated["secret"]).await, "not by the new secret");
    assert!(!verifies(&pair.two, &arrival, &made["secret"]).await, "by the old one too");

    pair.one.ask(&made["id"], "pause").await;
    let held = pair.two.order(4).await;
    pair.one.ask(&made["id"], "disable").await;
    let discarded = pair.two.order(5).await;
    pair.two.delivery_is(&discarded, "discarded").await;
    pair.two.delivery_is(&held, "discarded").await;
    pair.one.ask(&made["id"], "enable").await;
    let event = pair.two.order(6).await;
    pair.two.delivery_is(&event, "succeeded").await;

    pair.one.0.delete(&path).await.expect(204);
    let event = pair.two.order(7).await;
    assert!(pair.two.deliveries_of(&event).await.is_empty(), "a deleted endpoint");
    assert_eq!(second.count(), 3);
}

#[tokio::test]
async fn what_a_node_holds_goes_on_when_another_resumes_the_endpoint() {
    let pair = Pair::new().await;
    let receiver = Receiver::start().await;
    let made = pair.one.endpoint_at(&receiver.url()).await;
    pair.one.ask(&made["id"], "pause").await;
    let events = [pair.one.order(1).await, pair.two.order(2).await];
    pair.two.ask(&made["id"], "resume").await;
    for event in &events {
        pair.one.delivery_is(event, "succeeded").await;
    }
}

#[tokio::test]
async fn a_retry_by_hand_on_the_other_node_goes_out_at_once() {
    let pair = Pair::new().await;
    let receiver = Receiver::scripted(|_, n| Reply::Status(if n == 0 { 500 } else { 200 })).await;
    let retry = json!({ "delays_s": [3600], "jitter": 0.0 });
    pair.one.endpoint(json!({ "url": receiver.url(), "events": "*", "retry": retry })).await;
    let event = pair.one.order(1).await;
    let delivery = until("a failure is on disk", async || {
        let delivery = pair.two.deliveries_of(&event).await.pop()?;
        (delivery["attempts"] == 1).then_some(delivery)
    })
    .await;
    let path = Acme::path(&format!("/deliveries/{}/retry", text(&delivery["id"])));
    pair.two.0.post(&path, &json!({})).await;
    pair.one.delivery_is(&event, "succeeded").await;
    assert_eq!(receiver.count(), 2);
}

#[tokio::test]
async fn what_is_cancelled_on_the_other_node_is_not_sent() {
    let pair = Pair::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let receiver = Receiver::scripted(move |_, _| Reply::Held(Arc::clone(&held), 200)).await;
    let settings = json!({ "url": receiver.url(), "events": "*", "max_in_flight": 1 });
    pair.one.endpoint(settings).await;
    let first = pair.one.order(1).await;
    receiver.first(1).await;
    let second = pair.one.order(2).await;
    let delivery = pair.two.deliveries_of(&second).await.pop().unwrap();
    let path = Acme::path(&format!("/deliveries/{}/cancel", text(&delivery["id"])));
    assert!(pair.two.0.post(&path, &json!({})).await.status < 300);
    pair.one.delivery_is(&second, "cancelled").await;
    // A change that is heard after it shows that it was heard too.
    let key = json!({ "name": "k", "scopes": ["read"] });
    pair.two.0.post(&Acme::path("/api-keys"), &key).await.expect(201);
    let third = pair.one.order(3).await;
    gate.add_permits(3);
    pair.one.delivery_is(&first, "succeeded").await;
    pair.one.delivery_is(&third, "succeeded").await;
    let numbers: Vec<u64> = receiver.arrivals().iter().map(Arrival::number).collect();
    assert_eq!(numbers, [1, 3]);
}

#[tokio::test]
async fn keys_count_on_every_node_and_revoked_ones_on_none() {
    let pair = Pair::new().await;
    let wanted = json!({ "name": "k", "scopes": ["publish"] });
    let made = pair.one.0.post(&Acme::path("/api-keys"), &wanted).await.expect(201);
    let client = pair.two.0.with_key(text(&made["key"]));
    let publish = async || {
        let event = json!({ "type": "a.b", "data": {} });
        client.post(&Acme::path("/events"), &event).await.status
    };
    assert_eq!(publish().await, 202);
    let path = Acme::path(&format!("/api-keys/{}", text(&made["id"])));
    pair.one.0.delete(&path).await.expect(204);
    until("the key is refused", async || (publish().await == 401).then_some(())).await;
}

#[tokio::test]
async fn a_source_is_the_same_on_every_node_at_the_next_request() {
    let pair = Pair::new().await;
    let sender = Sender::of(&pair.one, json!({})).await;
    let other = sender.at(&pair.two);
    other.send(&[], BODY).await.expect(200);
    let path = Acme::path(&format!("/sources/{}", text(&sender.source["id"])));
    assert_eq!(pair.one.0.post(&format!("{path}/disable"), &json!({})).await.status, 200);
    other.send(&[], "{\"n\":1}").await.expect(403);
    assert_eq!(pair.one.0.post(&format!("{path}/enable"), &json!({})).await.status, 200);
    until("it takes again", async || {
        (other.send(&[], "{\"n\":2}").await.status == 200).then_some(())
    })
    .await;
    let rotate = format!("{path}/rotate-secret");
    pair.one.0.post(&rotate, &json!({ "overlap_s": 0 })).await.expect(200);
    other.send(&[], "{\"n\":3}").await.expect(401);
    pair.one.0.delete(&path).await.expect(204);
    other.send(&[], "{\"n\":4}").await.expect(404);
}

#[tokio::test]
async fn one_idempotency_key_is_one_event_on_two_nodes() {
    let pair = Pair::new().await;
    let receiver = Receiver::start().await;
    pair.one.endpoint(json!({ "url": receiver.url(), "events": "*", "retry": quick(3) })).await;
    let event = json!({ "type": "a.b", "data": { "n": 1 }, "id": "order-1" });
    let path = Acme::path("/events");
    let (first, second) =
        tokio::join!(pair.one.0.post(&path, &event), pair.two.0.post(&path, &event));
    let statuses = [first.status.min(second.status), first.status.max(second.status)];
    assert_eq!(statuses, [200, 202]);
    assert_eq!(first.json()["id"], second.json()["id"]);
}
