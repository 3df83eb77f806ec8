//! What can be done with an endpoint: on, off, held, proved, tested; its secret rotated and revealed.

use serde_json::{Value, json};

use super::sink::{Sink, sent};
use super::{Home, Tenant, is_time, refused, text, wrong};
use crate::receiver::{Arrival, Receiver, Reply};
use crate::world::until;

const URL: &str = "http://127.0.0.1:9/hooks";

struct Endpoint<'a> {
    tenant: &'a Tenant,
    path: String,
}

impl<'a> Endpoint<'a> {
    fn of(tenant: &'a Tenant, made: &Value) -> Self {
        Self { tenant, path: format!("/endpoints/{}", text(&made["id"])) }
    }

    async fn act(&self, what: &str) -> crate::world::Answer {
        self.tenant.act(&format!("{}/{what}", self.path)).await
    }

    async fn post(&self, what: &str, body: Value) -> crate::world::Answer {
        self.tenant.post(&format!("{}/{what}", self.path), &body).await
    }

    async fn read(&self) -> Value {
        self.tenant.get(&self.path).await.expect(200)
    }
}

/// A receiver that passes every challenge.
async fn proving() -> Receiver {
    Receiver::scripted(|request, _| {
        let body = json!({ "challenge": request.json()["challenge"] }).to_string();
        Reply::Full { status: 200, headers: Vec::new(), body }
    })
    .await
}

#[tokio::test]
async fn an_endpoint_is_switched_off_and_on() {
    let home = Home::open().await;
    let tenant = home.tenant("act-switch").await;
    let made = tenant.endpoint(URL, json!({})).await;
    let endpoint = Endpoint::of(&tenant, &made);
    for _ in 0..2 {
        let off = endpoint.act("disable").await.expect(200);
        assert_eq!((text(&off["status"]), text(&off["disabled_reason"])), ("disabled", "manual"));
        assert_eq!(endpoint.read().await, off);
    }
    refused(&endpoint.act("pause").await, 409, "endpoint_disabled");
    refused(&endpoint.act("resume").await, 409, "endpoint_disabled");
    for _ in 0..2 {
        let on = endpoint.act("enable").await.expect(200);
        assert_eq!((text(&on["status"]), &on["disabled_reason"]), ("active", &Value::Null));
        assert_eq!(endpoint.read().await, on);
    }
}

#[tokio::test]
async fn an_endpoint_is_held_and_let_go() {
    let home = Home::open().await;
    let tenant = home.tenant("act-hold").await;
    let made = tenant.endpoint(URL, json!({})).await;
    let endpoint = Endpoint::of(&tenant, &made);
    for _ in 0..2 {
        assert_eq!(endpoint.act("pause").await.expect(200)["status"], "paused");
    }
    assert_eq!(endpoint.act("enable").await.expect(200)["status"], "paused", "held, not off");
    for _ in 0..2 {
        assert_eq!(endpoint.act("resume").await.expect(200)["status"], "active");
    }
}

#[tokio::test]
async fn a_deleted_endpoint_is_gone_and_its_deliveries_stay_listed() {
    let home = Home::open().await;
    let tenant = home.tenant("act-delete").await;
    let sink = Sink::answering(200).await;
    let made = tenant.endpoint(&sink.url(), json!({})).await;
    let event = tenant.publish("a.b", json!(1)).await;
    let delivery = tenant.delivery_when(&event, "succeeded").await;
    let endpoint = Endpoint::of(&tenant, &made);
    let answer = tenant.delete(&endpoint.path).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    refused(&tenant.get(&endpoint.path).await, 404, "not_found");
    refused(&tenant.delete(&endpoint.path).await, 404, "not_found");
    assert_eq!(tenant.all("/endpoints").await, [] as [Value; 0]);
    let listed = tenant.all(&format!("/deliveries?endpoint={}", text(&made["id"]))).await;
    assert_eq!(listed, std::slice::from_ref(&delivery));
    let retry = tenant.act(&format!("/deliveries/{}/retry", text(&delivery["id"]))).await;
    assert_eq!(retry.status, 409, "{retry:?}");
    assert_eq!(tenant.publish("a.b", json!(2)).await["deliveries"], 0);
}

#[tokio::test]
async fn an_endpoint_that_must_prove_itself_is_active_when_it_has() {
    let home = Home::open().await;
    let tenant = home.tenant("act-verify").await;
    let sink = proving().await;
    let made = tenant.endpoint(&sink.url(), json!({ "profile": "alvys" })).await;
    assert_eq!(made["status"], "active");
    let asked = &sink.arrivals()[0];
    let body = asked.json();
    assert_eq!(body["type"], "webhook.verification");
    assert_eq!(asked.header("x-alvys-event"), "webhook.verification");
    assert_eq!(asked.header("x-alvys-challenge"), text(&body["challenge"]));
    assert!(!asked.has("x-alvys-signature"), "a challenge is not signed");

    let endpoint = Endpoint::of(&tenant, &made);
    let other = proving().await;
    let changed = tenant.patch(&endpoint.path, &json!({ "url": other.url() })).await.expect(200);
    assert_eq!((text(&changed["status"]), other.count()), ("active", 1), "asked again");
    tenant.patch(&endpoint.path, &json!({ "name": "x" })).await.expect(200);
    assert_eq!(other.count(), 1, "only a new URL is asked");
    let verified = endpoint.act("verify").await.expect(200);
    assert_eq!((&verified["verified"], &verified["status_code"]), (&json!(true), &json!(200)));
    assert_eq!(
        (&verified["reason"], &verified["endpoint"]["status"]),
        (&Value::Null, &json!("active"))
    );
}

#[tokio::test]
async fn an_endpoint_that_does_not_prove_itself_gets_nothing() {
    let home = Home::open().await;
    let tenant = home.tenant("act-unproved").await;
    let sink = Sink::answering(200).await;
    let wanted = json!({ "verify": "challenge" });
    let made = tenant.endpoint(&sink.url(), wanted).await;
    assert_eq!(made["status"], "pending");
    let endpoint = Endpoint::of(&tenant, &made);
    let verified = endpoint.act("verify").await.expect(200);
    assert_eq!((&verified["verified"], &verified["status_code"]), (&json!(false), &json!(200)));
    assert!(text(&verified["reason"]).contains("challenge"), "{verified}");
    assert_eq!(verified["endpoint"]["status"], "pending");
    refused(&endpoint.act("pause").await, 409, "endpoint_pending");
    let asked = sink.received().len();
    let event = tenant.publish("a.b", json!(1)).await;
    let delivery = tenant.delivery_when(&event, "discarded").await;
    assert_eq!(delivery["reason"], "endpoint_pending");
    assert_eq!(sink.received().len(), asked, "nothing but challenges");

    sink.answer_with(500);
    let verified = endpoint.act("verify").await.expect(200);
    assert_eq!((&verified["verified"], &verified["status_code"]), (&json!(false), &json!(500)));
    let freed = tenant.patch(&endpoint.path, &json!({ "verify": "none" })).await.expect(200);
    assert_eq!(freed["status"], "active", "it need not prove itself any more");
}

#[tokio::test]
async fn a_test_is_one_signed_request_in_whatever_state() {
    let home = Home::open().await;
    let tenant = home.tenant("act-test").await;
    let sink = Sink::answering(503).await;
    let made = tenant.endpoint(&sink.url(), json!({ "events": ["order.created"] })).await;
    let endpoint = Endpoint::of(&tenant, &made);
    endpoint.act("disable").await.expect(200);
    let tested = endpoint.act("test").await.expect(200);
    assert_eq!(tested["succeeded"], false);
    let attempt = &tested["attempt"];
    assert_eq!((&attempt["status_code"], &attempt["trigger"]), (&json!(503), &json!("test")));
    let event = json!({ "id": tested["event_id"] });
    let delivery = tenant.delivery_when(&event, "failed").await;
    assert_eq!(delivery["id"], tested["delivery_id"]);
    assert_eq!((&delivery["attempts"], &delivery["next_attempt_at"]), (&json!(1), &Value::Null));
    assert_eq!(delivery["event_id"], tested["event_id"]);
    let got = &sink.received()[0];
    assert_eq!(got.header("webhook-id"), text(&tested["event_id"]));
    let body = got.json();
    assert_eq!(body["type"], "order.created");

    sink.answer_with(200);
    let body = json!({ "type": "x.y", "data": { "n": 1 } });
    let tested = endpoint.post("test", body).await.expect(200);
    assert_eq!(tested["succeeded"], true);
    let got = sink.received()[1].json();
    assert_eq!((&got["type"], &got["data"]), (&json!("x.y"), &json!({ "n": 1 })));
    assert_eq!(endpoint.read().await["status"], "disabled", "a test changes no state");

    let bad = endpoint.post("test", json!({ "type": "two words" })).await;
    wrong(&bad, &[("/type", "bad_event_type")]);
    wrong(&endpoint.post("test", json!({ "kind": "x" })).await, &[("/kind", "unknown_field")]);
}

#[tokio::test]
async fn a_test_sends_the_sample_of_its_type() {
    let home = Home::open().await;
    let tenant = home.tenant("act-sample").await;
    let sink = Sink::answering(200).await;
    let sample = r#"{ "n" : 1.10 }"#;
    let entry = format!(r#"{{"name":"a.b","sample":{sample}}}"#);
    tenant.post_raw("/event-types", &[], entry).await.expect(201);
    let made = tenant.endpoint(&sink.url(), json!({ "events": ["a.*"] })).await;
    let endpoint = Endpoint::of(&tenant, &made);
    endpoint.post("test", json!({ "type": "a.b" })).await.expect(200);
    assert!(sent(&sink.received()[0]).contains(sample), "{:?}", sink.received());
}

/// Verifies as an independent receiver would, with the API's own checker.
async fn verifies(tenant: &Tenant, secret: &str, scheme: &str, got: &Arrival) -> Value {
    let headers: serde_json::Map<_, _> =
        got.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let body =
        json!({ "scheme": scheme, "secret": secret, "headers": headers, "payload": sent(got) });
    tenant.client.post("/v1/signatures/verify", &body).await.expect(200)["valid"].clone()
}

#[tokio::test]
async fn a_rotated_secret_signs_beside_the_old_one_until_the_overlap_is_over() {
    let home = Home::open().await;
    let tenant = home.tenant("act-rotate").await;
    let sink = Sink::answering(200).await;
    let made = tenant.endpoint(&sink.url(), json!({})).await;
    let endpoint = Endpoint::of(&tenant, &made);
    let rotated = endpoint.act("rotate-secret").await.expect(200);
    let (old, new) = (text(&made["secret"]), text(&rotated["secret"]));
    assert!(new.starts_with("whsec_") && new != old);
    assert_eq!(rotated["status"], "active");
    // Whoever looks later is told until when, and never by what.
    assert_eq!(made["previous_secret_expires_at"], Value::Null);
    is_time(&rotated["previous_secret_expires_at"]);
    let shown = endpoint.read().await;
    assert_eq!(shown["previous_secret_expires_at"], rotated["previous_secret_expires_at"]);
    assert!(!shown.to_string().contains("whsec_"), "{shown}");
    tenant.publish("a.b", json!(1)).await;
    let got = &sink.wait_for(1).await[0];
    assert_eq!(got.header("webhook-signature").split(' ').count(), 2);
    for secret in [old, new] {
        assert_eq!(verifies(&tenant, secret, "standard", got).await, true);
    }
    let at_once = endpoint.post("rotate-secret", json!({ "overlap_s": 0 })).await.expect(200);
    assert_eq!(at_once["previous_secret_expires_at"], Value::Null);
    tenant.publish("a.b", json!(2)).await;
    let got = &sink.wait_for(2).await[1];
    assert_eq!(got.header("webhook-signature").split(' ').count(), 1);
    assert_eq!(verifies(&tenant, text(&at_once["secret"]), "standard", got).await, true);
    assert_eq!(verifies(&tenant, new, "standard", got).await, false);

    // `overlap_s` is seconds, and they pass.
    endpoint.post("rotate-secret", json!({ "overlap_s": 1 })).await.expect(200);
    until("the overlap ends", || async {
        let before = sink.received().len();
        tenant.publish("a.b", json!(3)).await;
        let got = sink.wait_for(before + 1).await;
        let signatures = got[before].header("webhook-signature").split(' ').count();
        (signatures == 1).then_some(())
    })
    .await;
    // What signs no more is not announced either.
    assert_eq!(endpoint.read().await["previous_secret_expires_at"], Value::Null);
}

#[tokio::test]
async fn a_secret_of_ones_own_can_be_rotated_in_and_bad_rotations_are_refused() {
    let home = Home::open().await;
    let tenant = home.tenant("act-rotate-own").await;
    let made = tenant.endpoint(URL, json!({})).await;
    let endpoint = Endpoint::of(&tenant, &made);
    let own = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let rotated = endpoint.post("rotate-secret", json!({ "secret": own })).await.expect(200);
    assert_eq!(rotated["secret"], own);
    assert_eq!(endpoint.act("reveal-secret").await.expect(200), json!({ "secret": own }));
    for (body, pointer, code) in [
        (json!({ "secret": "whsec_!" }), "/secret", "bad_secret"),
        (json!({ "overlap_s": -1 }), "/overlap_s", "out_of_range"),
        (json!({ "overlap_s": 604_801 }), "/overlap_s", "out_of_range"),
        (json!({ "overlap": 1 }), "/overlap", "unknown_field"),
    ] {
        wrong(&endpoint.post("rotate-secret", body).await, &[(pointer, code)]);
    }
    assert_eq!(endpoint.act("reveal-secret").await.expect(200)["secret"], own);
}

#[tokio::test]
async fn aly_rotates_at_once_and_alvys_signs_with_both() {
    let home = Home::open().await;
    let tenant = home.tenant("act-rotate-vendors").await;
    let sink = proving().await;
    for (profile, header, scheme, parts) in
        [("aly", "x-aly-signature", "aly", 2), ("alvys", "x-alvys-signature", "alvys", 3)]
    {
        let before = sink.count();
        let made =
            tenant.endpoint(&sink.url(), json!({ "profile": profile, "verify": "none" })).await;
        let endpoint = Endpoint::of(&tenant, &made);
        let rotated = endpoint.act("rotate-secret").await.expect(200);
        tenant.publish("a.b", json!(1)).await;
        let got = &sink.first(before + 1).await[before];
        assert_eq!(got.header(header).split(',').count(), parts, "{profile}");
        assert_eq!(verifies(&tenant, text(&rotated["secret"]), scheme, got).await, true);
        let old = verifies(&tenant, text(&made["secret"]), scheme, got).await;
        assert_eq!(old, profile == "alvys", "{profile}");
        assert_eq!(tenant.delete(&endpoint.path).await.status, 204);
    }
}

#[tokio::test]
async fn a_secret_is_revealed_as_often_as_it_is_asked_for() {
    let home = Home::open().await;
    let tenant = home.tenant("act-reveal").await;
    let made = tenant.endpoint(URL, json!({})).await;
    let endpoint = Endpoint::of(&tenant, &made);
    for _ in 0..2 {
        let shown = endpoint.act("reveal-secret").await.expect(200);
        assert_eq!(shown, json!({ "secret": made["secret"] }));
    }
}

#[tokio::test]
async fn a_profile_can_be_changed_only_to_one_that_the_secret_suits() {
    let home = Home::open().await;
    let tenant = home.tenant("act-profile").await;
    let made = tenant.endpoint(URL, json!({ "profile": "aryeo", "secret": "short" })).await;
    let endpoint = Endpoint::of(&tenant, &made);
    let refused = tenant.patch(&endpoint.path, &json!({ "profile": "standard" })).await;
    wrong(&refused, &[("/profile", "secret_mismatch")]);
    let changed = tenant.patch(&endpoint.path, &json!({ "profile": "aly" })).await.expect(200);
    assert_eq!((text(&changed["profile"]), &changed["policy"]["timeout_s"]), ("aly", &json!(5)));
}
