//! Changing webhooks: revisions, re-verification, rotation.

use http::Method;
use serde_json::{Value, json};

use super::{BASE, Consumer, act, ask, get, refused, tender, webhook};
use crate::delivery::signatures::{record, verified};
use crate::scene::{Scene, text};
use crate::world::Answer;

/// A change with `If-Match`.
async fn change(scene: &Scene, method: Method, id: &Value, seen: &str, body: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("if-match", seen)];
    let path = format!("{BASE}/{}", text(id));
    scene.acme.0.send(method, &path, &headers, body.to_owned().into()).await
}

async fn etag(scene: &Scene, id: &Value) -> String {
    let answer = scene.acme.0.get(&format!("{BASE}/{}", text(id))).await;
    answer.headers["etag"].to_str().unwrap().to_owned()
}

// vendors.md §2.8, §2.10.
#[tokio::test]
async fn a_change_is_done_only_at_the_revision_that_was_seen() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let made = webhook(&scene, &consumer, json!({})).await;
    let id = made["Id"].clone();
    let first = etag(&scene, &id).await;
    act(&scene, &made, "reveal-secret").await;
    assert_eq!(etag(&scene, &id).await, first, "looking changes nothing");
    let changed = change(&scene, Method::PUT, &id, &first, r#"{"Name":"Renamed"}"#).await;
    assert_eq!(changed.expect(200)["Name"], "Renamed");
    let second = changed.headers["etag"].to_str().unwrap().to_owned();
    assert_ne!(first, second);
    let weak = format!("W/{second}");
    for stale in [first.as_str(), weak.as_str(), "nonsense"] {
        let answer = change(&scene, Method::PUT, &id, stale, r#"{"Name":"Lost"}"#).await;
        refused(&answer, 412);
        refused(&change(&scene, Method::DELETE, &id, stale, "").await, 412);
    }
    let read = get(&scene, &format!("/{}", text(&id))).await;
    assert_eq!(read["Name"], "Renamed");
    assert!(read["UpdatedAt"].is_string());
    let either = format!("{first}, {second}");
    change(&scene, Method::PUT, &id, &either, r#"{"Name":"Again"}"#).await.expect(200);
    change(&scene, Method::PUT, &id, "*", r#"{"Name":"And again"}"#).await.expect(200);
    let now = etag(&scene, &id).await;
    let gone = change(&scene, Method::DELETE, &id, &now, "").await;
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    refused(&scene.acme.0.get(&format!("{BASE}/{}", text(&id))).await, 404);
    refused(&ask(&scene.acme.0, Method::DELETE, &format!("/{}", text(&id)), "").await, 404);
    assert_eq!(get(&scene, "").await["Total"], 0);
}

#[tokio::test]
async fn what_was_read_can_be_sent_back_and_what_cannot_be_changed_is_named() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let made = webhook(&scene, &consumer, json!({})).await;
    let rest = format!("/{}", text(&made["Id"]));
    let put = async |body: &Value| ask(&scene.acme.0, Method::PUT, &rest, body.to_string()).await;
    let read = get(&scene, &rest).await;
    let tag = etag(&scene, &made["Id"]).await;
    assert_eq!(put(&read).await.expect(200), read);
    assert_eq!(etag(&scene, &made["Id"]).await, tag, "nothing was changed");
    // The request that made it, and a body read before something else happened to it.
    let create: Value = serde_json::from_str(&consumer.create()).unwrap();
    assert_eq!(put(&create).await.expect(200)["SubsidiaryId"], "sub-12345");
    tender(&scene, "tender.accepted").await;
    consumer.first_events(1).await;
    let mut renamed = read.clone();
    renamed["Name"] = json!("Renamed");
    assert_eq!(put(&renamed).await.expect(200)["Name"], "Renamed");
    for (field, value) in [
        ("Id", json!("wh_other")),
        ("SubsidiaryId", json!("sub-2")),
        ("CompanyCode", json!("globex")),
        ("Secret", json!("mine")),
        ("Status", json!("Disabled")),
        ("CreatedAt", json!("2020-01-01T00:00:00.000Z")),
    ] {
        let mut other = read.clone();
        other[field] = value;
        super::wrong(&put(&other).await, &[field]);
    }
    super::wrong(&put(&json!({ "Nonsense": 1 })).await, &["Nonsense"]);
}

#[tokio::test]
async fn a_put_changes_what_it_names_and_nothing_else() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let made = webhook(&scene, &consumer, json!({})).await;
    let rest = format!("/{}", text(&made["Id"]));
    let body = json!({ "IncludePreviousAttributes": true, "Events": ["load.changed"] }).to_string();
    let changed = ask(&scene.acme.0, Method::PUT, &rest, body).await.expect(200);
    assert_eq!(changed["IncludePreviousAttributes"], true);
    assert_eq!(changed["Events"], json!(["load.changed"]));
    for same in ["Name", "Url", "SubsidiaryId", "Status", "CreatedAt"] {
        assert_eq!(changed[same], made[same], "{same}");
    }
    assert_eq!(consumer.receiver.count(), 1, "not challenged again (ALV-VER-8)");
}

#[tokio::test]
async fn another_url_must_prove_itself_before_anything_goes_there() {
    let scene = Scene::new().await;
    let old = Consumer::good().await;
    let new = Consumer::with(false, 200).await;
    let made = webhook(&scene, &old, json!({})).await;
    let rest = format!("/{}", text(&made["Id"]));
    let body = json!({ "Url": new.receiver.url() }).to_string();
    let moved = ask(&scene.acme.0, Method::PUT, &rest, body).await.expect(200);
    assert_eq!(moved["Status"], "Pending", "ALV-VER-7");
    let event = tender(&scene, "tender.accepted").await;
    scene.acme.delivery_is(&event, "discarded").await;
    new.passes(true);
    assert_eq!(act(&scene, &made, "enable").await["Status"], "Active");
    let event = tender(&scene, "tender.accepted").await;
    assert_eq!(new.first_events(1).await[0].header("x-alvys-event-id"), event);
    assert_eq!(old.events().len(), 0);
}

// vendors.md §2.6.
#[tokio::test]
async fn after_a_rotation_both_secrets_sign_and_after_a_second_one_the_oldest_is_out() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let made = webhook(&scene, &consumer, json!({})).await;
    let first = text(&made["Secret"]).to_owned();
    tender(&scene, "tender.accepted").await;
    let one = consumer.first_events(1).await.pop().unwrap();
    assert!(
        !one.header("x-alvys-signature").contains(",v0="),
        "ALV-SIG-2: only v1 without a rotation"
    );

    let rotated = act(&scene, &made, "rotate-secret").await;
    let second = text(&rotated["Secret"]).to_owned();
    assert_ne!(first, second);
    assert_eq!(rotated["Status"], "Active", "ALV-VER-9");
    assert_eq!(consumer.receiver.count(), 2, "a challenge and an event: not verified again");
    tender(&scene, "tender.accepted").await;
    let two = consumer.first_events(2).await.pop().unwrap();
    assert!(two.header("x-alvys-signature").contains(",v0="), "ALV-SIG-2");
    // A receiver that knows either secret accepts it (ALV-SIG-7).
    super::wire::verifies(&scene, &second, &two).await;
    super::wire::verifies(&scene, &first, &two).await;
    verified(&[record("alvys", &[&second, &first], 2, &two)]).await;

    let third = text(&act(&scene, &made, "rotate-secret").await["Secret"]).to_owned();
    tender(&scene, "tender.accepted").await;
    let three = consumer.first_events(3).await.pop().unwrap();
    assert_eq!(three.header("x-alvys-signature").matches("v0=").count(), 1);
    super::wire::verifies(&scene, &third, &three).await;
    super::wire::verifies(&scene, &second, &three).await;
    assert!(!super::wire::verdict(&scene, &first, &three).await);
}

#[tokio::test]
async fn a_post_with_an_idempotency_key_happens_once() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
    let post =
        async |body: String| scene.acme.0.send(Method::POST, BASE, &headers, body.into()).await;
    let first = post(consumer.create()).await.expect(201);
    let again = post(consumer.create()).await;
    assert_eq!(again.expect(201), first);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    refused(&post(consumer.create().replace("sub-12345", "sub-2")).await, 409);
    assert_eq!(get(&scene, "").await["Total"], 1);
}
