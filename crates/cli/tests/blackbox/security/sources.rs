//! What proves a sender to a source, kept from whoever may read or manage endpoints but not sources.

use hookyard_domain::id::{EndpointId, SourceId};
use http::Method;
use serde_json::{Value, json};

use crate::follower::Follower;
use crate::receiver::Receiver;
use crate::scene::{Acme, Scene, text};
use crate::world::Client;

const BODY: &str = r#"{"action":"opened"}"#;

/// A source that takes what `GitHub` signs and forwards it, with the endpoint that does.
struct Forwarding {
    scene: Scene,
    receiver: Receiver,
    secret: String,
    source: String,
    endpoint: String,
    webhook: String,
}

impl Forwarding {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let receiver = Receiver::start().await;
        let wanted = json!({ "name": "n", "source": "github", "url": receiver.url() });
        let made = scene.acme.0.post("/api/v1/webhooks", &wanted).await.json();
        let made = &made["data"];
        let webhook = text(&made["id"]).to_owned();
        let endpoint = EndpointId::from_uuid(&webhook).unwrap().to_string();
        let source = SourceId::from_uuid(&webhook).unwrap().to_string();
        let secret = text(&made["secret"]).to_owned();
        Self { scene, receiver, secret, source, endpoint, webhook }
    }

    /// The bare hex of HMAC-SHA256 over the body, by the source's secret.
    async fn hex(&self) -> String {
        let sign = json!({ "scheme": "aryeo", "secret": self.secret, "payload": BODY });
        let signed = self.scene.acme.0.post("/v1/signatures/sign", &sign).await.expect(200);
        text(signed["headers"].as_object().unwrap().values().next().unwrap()).to_owned()
    }

    /// Brings a request in, as the provider does; answers the event's id.
    async fn bring(&self, hex: &str) -> String {
        let signature = format!("sha256={hex}");
        let headers = [
            ("content-type", "application/json"),
            ("x-github-event", "issues"),
            ("x-github-delivery", "d-1"),
            ("x-hub-signature-256", signature.as_str()),
        ];
        let stranger = self.scene.acme.0.with_key("");
        let door = format!("/in/{}", self.source);
        let answer = stranger.send(Method::POST, &door, &headers, BODY.into()).await;
        text(&answer.expect(200)["id"]).to_owned()
    }

    async fn portal(&self, capabilities: Value) -> Client {
        let wanted = json!({ "capabilities": capabilities });
        let made = self.scene.acme.0.post(&Acme::path("/portal-sessions"), &wanted).await;
        self.scene.acme.0.with_key(text(&made.expect(201)["token"]))
    }
}

#[tokio::test]
async fn a_link_that_manages_endpoints_gets_nothing_signed_with_a_sources_secret() {
    let forwarding = Forwarding::new().await;
    let elsewhere = Receiver::start().await;
    let portal = forwarding.portal(json!(["read", "manage"])).await;
    let path = Acme::path(&format!("/endpoints/{}", forwarding.endpoint));
    let before = portal.get(&path).await.expect(200);
    let refused = |answer: crate::world::Answer, what: &str| {
        assert_eq!(answer.status, 403, "{what}: {answer:?}");
        assert_eq!(answer.json()["code"], "forbidden", "{what}");
    };
    for verb in
        ["reveal-secret", "rotate-secret", "test", "verify", "pause", "resume", "disable", "enable"]
    {
        refused(portal.post(&format!("{path}/{verb}"), &json!({})).await, verb);
    }
    refused(portal.patch(&path, &json!({ "url": elsewhere.url() })).await, "patch");
    refused(portal.delete(&path).await, "delete");
    assert_eq!(portal.get(&path).await.expect(200), before);
    assert_eq!((elsewhere.count(), forwarding.receiver.count()), (0, 0));
    // Whoever may write sources may.
    let revealed = forwarding.scene.acme.0.post(&format!("{path}/reveal-secret"), &json!({})).await;
    assert_eq!(revealed.expect(200)["secret"], json!(forwarding.secret));
    // Endpoints of the link's own are managed as ever.
    let own = json!({ "url": elsewhere.url(), "events": "*" });
    let own = portal.post(&Acme::path("/endpoints"), &own).await.expect(201);
    let own = Acme::path(&format!("/endpoints/{}", text(&own["id"])));
    portal.post(&format!("{own}/reveal-secret"), &json!({})).await.expect(200);
}

#[tokio::test]
async fn no_reader_is_shown_what_would_be_believed_if_it_were_sent_again() {
    let forwarding = Forwarding::new().await;
    let (acme, other) = (&forwarding.scene.acme, Receiver::start().await);
    let plain = acme.endpoint_at(&other.url()).await;
    let portal = forwarding.portal(json!(["read"])).await;
    let mut stream =
        Follower::open(&portal, &Acme::path("/stream?kinds=event.accepted&payload=true")).await;
    let hex = forwarding.hex().await;
    let event = forwarding.bring(&hex).await;
    let arrival = forwarding.receiver.first(1).await.remove(0);
    let ours = arrival.header("webhook-signature").to_owned();
    let theirs = other.first(1).await.remove(0).header("webhook-signature").to_owned();
    let done = acme.count_is("status=succeeded", 2).await;

    let told = stream.next().await;
    assert_eq!(told.data["payload"]["headers"]["x-github-event"], "issues", "{told:?}");
    assert_eq!(told.data["payload"]["headers"]["x-hub-signature-256"], "[redacted]", "{told:?}");
    let mut shown = told.data.to_string();
    for delivery in &done {
        let attempts = format!("/deliveries/{}/attempts", text(&delivery["id"]));
        let page = portal.get(&Acme::path(&attempts)).await.expect(200);
        let headers = &page["data"][0]["request_headers"];
        assert_eq!(headers["x-hub-signature-256"], "[redacted]", "{page}");
        let is_plain = delivery["endpoint_id"] == plain["id"];
        let want = if is_plain { theirs.as_str() } else { "[redacted]" };
        assert_eq!(headers["webhook-signature"], want, "{page}");
        shown += &page.to_string();
    }
    for path in [
        format!("/events/{event}"),
        "/events".into(),
        format!("/sources/{}/events", forwarding.source),
    ] {
        shown += &portal.get(&Acme::path(&path)).await.expect(200).to_string();
    }
    for list in [
        format!("/{}/events", forwarding.webhook),
        format!("/{}/deliveries", forwarding.webhook),
        "/events".into(),
    ] {
        shown += &acme.0.get(&format!("/api/v1/webhooks{list}")).await.expect(200).to_string();
    }
    assert!(shown.contains("x-hub-signature-256"), "{shown}");
    assert!(!shown.contains(&hex) && !shown.contains(&ours), "{shown}");
}
