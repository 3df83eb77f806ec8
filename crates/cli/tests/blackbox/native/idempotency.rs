//! `Idempotency-Key` on every POST but publishing one event, which has its own tests.

use serde_json::{Value, json};

use super::sink::Sink;
use super::{Home, Tenant, refused, text, wrong};
use crate::world::{Answer, World, until};

async fn with_key(tenant: &Tenant, rest: &str, key: &str, body: &Value) -> Answer {
    tenant.post_raw(rest, &[("idempotency-key", key)], body.to_string()).await
}

#[track_caller]
fn replayed(again: &Answer, first: &Answer) {
    assert!(first.headers.get("idempotency-replayed").is_none(), "{first:?}");
    assert_eq!(again.headers["idempotency-replayed"], "true", "{again:?}");
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.headers.get("content-type"), first.headers.get("content-type"));
}

#[tokio::test]
async fn the_same_request_with_the_same_key_happens_once() {
    let home = Home::open().await;
    let tenant = home.tenant("once-post").await;
    let endpoint = json!({ "url": "http://127.0.0.1:9/", "events": ["*"] });
    let key = json!({ "name": "k", "scopes": ["read"] });
    let event_type = json!({ "name": "a.b" });
    for (rest, body, status) in [
        ("/endpoints", &endpoint, 201),
        ("/api-keys", &key, 201),
        ("/event-types", &event_type, 201),
    ] {
        let first = with_key(&tenant, rest, &format!("k {rest}"), body).await;
        assert_eq!(first.status, status, "{first:?}");
        let before = tenant.all(rest).await.len();
        for form in [format!("k {rest}"), format!("\"k {rest}\"")] {
            replayed(&with_key(&tenant, rest, &form, body).await, &first);
        }
        assert_eq!(tenant.all(rest).await.len(), before, "{rest}");
    }
    let made = tenant.all("/endpoints").await;
    let rotate = format!("/endpoints/{}/rotate-secret", text(&made[0]["id"]));
    let first = with_key(&tenant, &rotate, "rotate", &json!({})).await;
    replayed(&with_key(&tenant, &rotate, "rotate", &json!({})).await, &first);
    let revealed = tenant.act(&rotate.replace("rotate", "reveal")).await.expect(200);
    assert_eq!(revealed["secret"], first.json()["secret"], "it was rotated once");
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let home = Home::open().await;
    let tenant = home.tenant("once-refused").await;
    let first = with_key(&tenant, "/event-types", "k", &json!({ "name": "two words" })).await;
    wrong(&first, &[("/name", "bad_event_type")]);
    let good = json!({ "name": "two.words" });
    let made = with_key(&tenant, "/event-types", "k", &good).await;
    assert_eq!(made.status, 201, "{made:?}");
    replayed(&with_key(&tenant, "/event-types", "k", &good).await, &made);
    let missing = "/endpoints/wh_00000000000000000000000000/pause";
    for _ in 0..2 {
        let answer = with_key(&tenant, missing, "j", &json!({})).await;
        refused(&answer, 404, "not_found");
        assert!(answer.headers.get("idempotency-replayed").is_none(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let home = Home::open().await;
    let tenant = home.tenant("once-reused").await;
    let body = json!({ "name": "a" });
    with_key(&tenant, "/event-types", "k", &body).await.expect(201);
    let other_body = with_key(&tenant, "/event-types", "k", &json!({ "name": "b" })).await;
    refused(&other_body, 422, "idempotency_key_reused");
    refused(&with_key(&tenant, "/endpoints", "k", &body).await, 422, "idempotency_key_reused");
    assert_eq!(tenant.all("/event-types").await.len(), 1);

    // Of its tenant: another one's keys are others.
    let neighbour = home.tenant("once-reused-neighbour").await;
    with_key(&neighbour, "/event-types", "k", &json!({ "name": "b" })).await.expect(201);
    for bad in ["", "\"open", &*"k".repeat(256)] {
        let answer = with_key(&tenant, "/event-types", bad, &body).await;
        wrong(&answer, &[("Idempotency-Key", "bad_idempotency_key")]);
    }
}

#[tokio::test]
async fn while_the_first_request_runs_the_second_is_told_so() {
    let home = Home::open().await;
    let tenant = home.tenant("once-running").await;
    let sink = Sink::holding().await;
    let made = tenant.endpoint(&sink.url(), json!({})).await;
    let test = format!("/endpoints/{}/test", text(&made["id"]));
    let body = json!({});
    let (first, ()) = tokio::join!(with_key(&tenant, &test, "k", &body), async {
        sink.wait_for(1).await;
        refused(&with_key(&tenant, &test, "k", &body).await, 409, "idempotency_key_in_use");
        sink.let_go();
    });
    assert_eq!(first.status, 200, "{first:?}");
    replayed(&with_key(&tenant, &test, "k", &body).await, &first);
    assert_eq!(sink.received().len(), 1);
}

#[tokio::test]
async fn what_a_crash_left_open_is_not_done_again_by_itself() {
    let world = World::new();
    let server = world.serve().await;
    let client = server.operator().tenant("acme").await;
    let tenant = Tenant { name: "acme".into(), client };
    let sink = Sink::holding().await;
    let made = tenant.endpoint(&sink.url(), json!({})).await;
    let test = format!("/endpoints/{}/test", text(&made["id"]));
    let body = json!({ "type": "a.b" });
    let path = tenant.path(&test);
    let key = [("idempotency-key", "k"), ("content-type", "application/json")];
    let asked = tenant.client.try_send(http::Method::POST, &path, &key, body.to_string().into());
    let (answer, ()) = tokio::join!(asked, async {
        sink.wait_for(1).await;
        server.kill_9().await;
    });
    assert!(answer.is_err());

    let server = world.serve().await;
    let client = server.client(&tenant.client.key);
    let tenant = Tenant { client, ..tenant };
    for _ in 0..2 {
        let again = with_key(&tenant, &test, "k", &body).await;
        refused(&again, 409, "idempotency_outcome_unknown");
    }
    refused(&with_key(&tenant, &test, "k", &json!({})).await, 422, "idempotency_key_reused");
    sink.let_go();
    with_key(&tenant, &test, "another", &body).await.expect(200);
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn a_caller_that_goes_away_finds_the_answer_when_it_asks_again() {
    let home = Home::open().await;
    let tenant = home.tenant("once-impatient").await;
    let sink = Sink::holding().await;
    let made = tenant.endpoint(&sink.url(), json!({})).await;
    let test = format!("/endpoints/{}/test", text(&made["id"]));
    let body = json!({});
    tokio::select! {
        answer = with_key(&tenant, &test, "k", &body) => panic!("nobody answered: {answer:?}"),
        _ = sink.wait_for(1) => {}
    }
    sink.let_go();
    let answer = until("the first request has ended", async || {
        let answer = with_key(&tenant, &test, "k", &body).await;
        (answer.status != 409).then_some(answer)
    });
    let answer = answer.await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers["idempotency-replayed"], "true");
    assert_eq!(sink.received().len(), 1, "it was done once");
}

#[tokio::test]
async fn an_operators_post_is_remembered_as_well() {
    let home = Home::open().await;
    let operator = home.operator();
    let key = [("idempotency-key", "once-operator"), ("content-type", "application/json")];
    let body = r#"{"id":"once-operator"}"#;
    let create = || operator.send(http::Method::POST, "/v1/tenants", &key, body.into());
    let first = create().await;
    assert_eq!(first.status, 201);
    replayed(&create().await, &first);
}

#[tokio::test]
async fn a_stranger_learns_nothing_from_a_key() {
    let home = Home::open().await;
    let tenant = home.tenant("once-stranger").await;
    let body = json!({ "name": "k", "scopes": ["read"] });
    with_key(&tenant, "/api-keys", "k", &body).await.expect(201);
    let stranger = Tenant { client: home.client("nobody's key"), ..tenant.clone() };
    refused(&with_key(&stranger, "/api-keys", "k", &body).await, 401, "unauthenticated");
    // Nor does a key of the same tenant that may not see what was answered.
    let limited = tenant.with_scopes(&["publish"]).await;
    refused(&with_key(&limited, "/api-keys", "k", &body).await, 403, "forbidden");
}

#[tokio::test]
async fn other_methods_take_no_notice() {
    let home = Home::open().await;
    let tenant = home.tenant("once-methods").await;
    let made = tenant.endpoint("http://127.0.0.1:9/", json!({})).await;
    let path = tenant.path(&format!("/endpoints/{}", text(&made["id"])));
    let key = [("idempotency-key", "k"), ("content-type", "application/json")];
    for name in ["A", "B"] {
        let body = json!({ "name": name }).to_string();
        let changed = tenant.client.send(http::Method::PATCH, &path, &key, body.into()).await;
        assert_eq!(changed.expect(200)["name"], name);
    }
}
