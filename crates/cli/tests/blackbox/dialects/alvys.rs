//! The surface of Alvys, asked as the seed's page tells its users to; facts are cited by their ids of vendors.md §2.

mod catalogue;
mod changing;
mod conformance;
mod limits;
mod logs;
mod order;
mod receiving;
mod seed;
mod wire;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, Scene, text};
use crate::world::{Answer, Client, until};

const BASE: &str = "/api/p/v3/webhooks";
/// The request of the seed, verbatim.
const CREATE: &str = r#"{
  "Name": "Production Integration",
  "SubsidiaryId": "sub-12345",
  "Url": "https://example.com/webhooks",
  "Events": [
    "tender.accepted",
    "tender.cancelled"
  ],
  "IncludePreviousAttributes": false
}"#;
/// The members of a WebhookResponse (vendors.md §2.8), and the seed's own.
const MEMBERS: [&str; 17] = [
    "CompanyCode",
    "ConsecutiveFailures",
    "CreatedAt",
    "CreatedBy",
    "DisabledAt",
    "DisabledReason",
    "Events",
    "Id",
    "IncludePreviousAttributes",
    "LastTriggeredAt",
    "Name",
    "Secret",
    "Status",
    "SubsidiaryId",
    "UpdatedAt",
    "UpdatedBy",
    "Url",
];

/// A receiver that can be told to pass a challenge or not, and how to answer events.
struct Consumer {
    receiver: Receiver,
    ways: Arc<Mutex<(bool, u16)>>,
}

impl Consumer {
    /// It passes its challenge and takes everything.
    async fn good() -> Self {
        Self::with(true, 200).await
    }

    async fn with(passes: bool, status: u16) -> Self {
        let ways = Arc::new(Mutex::new((passes, status)));
        let current = Arc::clone(&ways);
        let receiver = Receiver::scripted(move |arrival: &Arrival, _| {
            let (passes, status) = *current.lock().unwrap();
            match arrival.json()["challenge"].as_str() {
                Some(challenge) if passes => Reply::Full {
                    status: 200,
                    headers: Vec::new(),
                    body: json!({ "challenge": challenge }).to_string(),
                },
                Some(_) => Reply::Status(404),
                None => Reply::Full { status, headers: Vec::new(), body: "so it was".into() },
            }
        })
        .await;
        Self { receiver, ways }
    }

    fn passes(&self, passes: bool) {
        self.ways.lock().unwrap().0 = passes;
    }

    fn answers(&self, status: u16) {
        self.ways.lock().unwrap().1 = status;
    }

    /// The seed's request, to this receiver.
    fn create(&self) -> String {
        CREATE.replace("https://example.com/webhooks", &self.receiver.url())
    }

    /// What came, the challenges left out.
    fn events(&self) -> Vec<Arrival> {
        let is_event = |it: &Arrival| it.header("x-alvys-event") != "webhook.verification";
        self.receiver.arrivals().into_iter().filter(is_event).collect()
    }

    /// Waits for so many events.
    async fn first_events(&self, count: usize) -> Vec<Arrival> {
        until(&format!("{count} events"), async || {
            Some(self.events()).filter(|it| it.len() >= count)
        })
        .await
    }
}

/// A request of this surface, below its base.
async fn ask(client: &Client, method: Method, rest: &str, body: impl Into<Bytes>) -> Answer {
    let json = [("content-type", "application/json")];
    client.send(method, &format!("{BASE}{rest}"), &json, body.into()).await
}

/// Makes a webhook as the seed does, with other members.
async fn webhook(scene: &Scene, consumer: &Consumer, more: Value) -> Value {
    let mut body: Value = serde_json::from_str(&consumer.create()).unwrap();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ask(&scene.acme.0, Method::POST, "", body.to_string()).await.expect(201)
}

async fn get(scene: &Scene, rest: &str) -> Value {
    scene.acme.0.get(&format!("{BASE}{rest}")).await.expect(200)
}

/// A POST without a body, to a webhook.
async fn act(scene: &Scene, webhook: &Value, verb: &str) -> Value {
    let rest = format!("/{}/{verb}", text(&webhook["Id"]));
    ask(&scene.acme.0, Method::POST, &rest, "").await.expect(200)
}

/// Publishes a tender event of the seed's subsidiary; answers its id.
async fn tender(scene: &Scene, event_type: &str) -> String {
    let data = json!({ "tenderId": "t-1", "loadId": "l-1", "loadNumber": "1001" });
    let event = json!({ "type": event_type, "scope": "sub-12345", "data": data });
    scene.acme.publish(event).await
}

/// A refusal in the vendor's form.
#[track_caller]
fn refused(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["Status"], status, "{problem}");
    for member in ["Type", "Title", "Detail"] {
        assert!(!text(&problem[member]).is_empty(), "{problem}");
    }
    problem
}

/// A refusal that names exactly these fields.
#[track_caller]
fn wrong(answer: &Answer, fields: &[&str]) {
    let problem = refused(answer, 400);
    let errors = problem["Errors"].as_object().unwrap_or_else(|| panic!("{problem}"));
    assert_eq!(errors.keys().collect::<Vec<_>>(), fields, "{problem}");
    assert!(errors.values().all(|it| !text(&it[0]).is_empty()), "{problem}");
}

#[tokio::test]
async fn the_request_of_the_seed_makes_an_active_webhook_and_shows_its_secret_once() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let made = ask(&scene.acme.0, Method::POST, "", consumer.create()).await;
    let webhook = made.expect(201);
    let members: Vec<_> = webhook.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, MEMBERS, "{webhook}");
    assert!(text(&webhook["Id"]).starts_with("wh_"));
    assert_eq!(webhook["Name"], "Production Integration");
    assert_eq!(webhook["SubsidiaryId"], "sub-12345");
    assert_eq!(webhook["CompanyCode"], "acme");
    assert_eq!(webhook["Url"], consumer.receiver.url());
    assert_eq!(webhook["Events"], json!(["tender.accepted", "tender.cancelled"]));
    assert_eq!(webhook["IncludePreviousAttributes"], false);
    assert_eq!(webhook["Status"], "Active", "its challenge was passed at once (ALV-VER-4)");
    assert!(text(&webhook["Secret"]).len() > 20);
    assert!(made.headers.contains_key("etag"), "{made:?}");

    let answer = scene.acme.0.get(&format!("{BASE}/{}", text(&webhook["Id"]))).await;
    let read = answer.expect(200);
    assert_eq!(answer.headers["etag"], made.headers["etag"]);
    assert_ne!(read["Secret"], webhook["Secret"], "the secret is masked on reading");
    assert_eq!(get(&scene, "").await["Items"], json!([read]));
    assert_eq!(
        act(&scene, &webhook, "reveal-secret").await,
        json!({ "Secret": webhook["Secret"] })
    );
}

#[tokio::test]
async fn only_events_it_subscribed_to_of_its_subsidiary_arrive() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    webhook(&scene, &consumer, json!({})).await;
    let of = |event_type: &str, scope: Value| json!({ "type": event_type, "scope": scope, "data": { "tenderId": "t-1" } });
    scene.acme.publish(of("tender.accepted", json!("sub-2"))).await;
    scene.acme.publish(of("tender.rejected", json!("sub-12345"))).await;
    let wanted = scene.acme.publish(of("tender.cancelled", json!("sub-12345"))).await;
    let arrivals = consumer.first_events(1).await;
    scene.acme.delivery_is(&wanted, "succeeded").await;
    assert_eq!(arrivals[0].header("x-alvys-event-id"), wanted);
    assert_eq!(consumer.events().len(), 1);
}

#[tokio::test]
async fn a_webhook_that_fails_its_challenge_is_pending_gets_nothing_and_can_be_verified_later() {
    let scene = Scene::new().await;
    let consumer = Consumer::with(false, 200).await;
    let made = webhook(&scene, &consumer, json!({})).await;
    assert_eq!(made["Status"], "Pending", "verified on save (ALV-VER-6), failed (ALV-VER-5)");
    let challenge = &consumer.receiver.arrivals()[0];
    let token = challenge.header("x-alvys-challenge");
    let body = json!({ "type": "webhook.verification", "challenge": token });
    assert_eq!(challenge.json(), body, "ALV-VER-1");
    assert!(!challenge.has("x-alvys-signature"), "ALV-SIG-9");

    let event = tender(&scene, "tender.accepted").await;
    scene.acme.delivery_is(&event, "discarded").await;
    assert_eq!(made["DisabledReason"], "VerificationFailed", "it says so (ALV-VER-5)");
    let failed = act(&scene, &made, "verify").await;
    assert_eq!(failed["DisabledReason"], "VerificationFailed");
    let enable = format!("/{}/enable", text(&made["Id"]));
    wrong(&ask(&scene.acme.0, Method::POST, &enable, "").await, &["Url"]);
    let kept = get(&scene, &format!("/{}", text(&made["Id"]))).await;
    let states = (&kept["Status"], &kept["DisabledReason"], &kept["DisabledAt"]);
    assert_eq!(states, (&json!("Pending"), &json!("VerificationFailed"), &Value::Null));
    let audit = scene.acme.0.get(&Acme::path("/audit")).await.expect(200);
    let actions = audit["data"].as_array().unwrap().iter().map(|it| text(&it["action"]));
    assert!(actions.into_iter().any(|it| it == "endpoint.verification_failed"), "{audit}");
    assert_eq!((&failed["Verified"], &failed["Status"]), (&json!(false), &json!("Pending")));
    assert!(!text(&failed["VerificationError"]).is_empty());

    consumer.passes(true);
    let passed = act(&scene, &made, "verify").await;
    assert_eq!((&passed["Verified"], &passed["Status"]), (&json!(true), &json!("Active")));
    assert_eq!(passed["DisabledReason"], Value::Null);
    tender(&scene, "tender.accepted").await;
    consumer.first_events(1).await;
}

// vendors.md §2.4.
#[tokio::test]
async fn a_disabled_webhook_gets_nothing_until_it_is_enabled() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let made = webhook(&scene, &consumer, json!({})).await;
    let off = act(&scene, &made, "disable").await;
    assert_eq!((&off["Status"], &off["DisabledReason"]), (&json!("Disabled"), &json!("Manual")));
    assert!(off["DisabledAt"].is_string());
    let event = tender(&scene, "tender.accepted").await;
    scene.acme.delivery_is(&event, "discarded").await;
    let on = act(&scene, &made, "enable").await;
    assert_eq!((&on["Status"], &on["DisabledReason"]), (&json!("Active"), &Value::Null));
    let event = tender(&scene, "tender.accepted").await;
    assert_eq!(consumer.first_events(1).await[0].header("x-alvys-event-id"), event);
}

#[tokio::test]
async fn a_webhook_that_is_paused_elsewhere_shows_as_disabled_and_enabling_lets_it_go() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let made = webhook(&scene, &consumer, json!({})).await;
    scene.acme.ask(&made["Id"], "pause").await;
    let paused = get(&scene, &format!("/{}", text(&made["Id"]))).await;
    assert_eq!(
        (&paused["Status"], &paused["DisabledReason"]),
        (&json!("Disabled"), &json!("Paused"))
    );
    let event = tender(&scene, "tender.accepted").await;
    assert_eq!(act(&scene, &made, "enable").await["Status"], "Active");
    scene.acme.delivery_is(&event, "succeeded").await;
}

// vendors.md §2.7.
#[tokio::test]
async fn a_test_is_one_signed_post_even_while_it_is_pending() {
    let scene = Scene::new().await;
    let consumer = Consumer::with(false, 500).await;
    let made = webhook(&scene, &consumer, json!({})).await;
    let row = act(&scene, &made, "test").await;
    assert_eq!((&row["Status"], &row["HttpStatusCode"]), (&json!("failed"), &json!(500)));
    assert_eq!((&row["EventType"], &row["AttemptNumber"]), (&json!("tender.accepted"), &json!(1)));
    let arrival = &consumer.events()[0];
    assert_eq!(arrival.header("x-alvys-event-id"), text(&row["EventId"]));
    let delivery = scene.acme.delivery_is(text(&row["EventId"]), "failed").await;
    assert_eq!(delivery["next_attempt_at"], Value::Null, "no retries");
    let secret = act(&scene, &made, "reveal-secret").await["Secret"].clone();
    wire::verifies(&scene, text(&secret), arrival).await;
    assert_eq!(consumer.events().len(), 1);
    assert_eq!(get(&scene, &format!("/{}", text(&made["Id"]))).await["Status"], "Pending");
}

#[tokio::test]
async fn the_event_types_are_27_and_the_handshake_that_nobody_subscribes_to() {
    let scene = Scene::new().await;
    let types = get(&scene, "/event-types").await;
    let types = types.as_array().unwrap();
    let subscribable = types.iter().filter(|it| it["Subscribable"] == true).count();
    assert_eq!((types.len(), subscribable), (28, 27));
    let handshake = types.iter().find(|it| it["Name"] == "webhook.verification").unwrap();
    assert_eq!(handshake["Subscribable"], false);
    assert!(types.iter().any(|it| it["Name"] == "trailer.document.deleted"));
}

#[tokio::test]
async fn the_list_is_newest_first_in_pages_and_by_subsidiary() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    for n in 0..5 {
        let more = json!({ "Name": format!("n{n}"), "SubsidiaryId": format!("sub-{}", n % 2) });
        webhook(&scene, &consumer, more).await;
    }
    let names = |page: &Value| -> Vec<String> {
        page["Items"].as_array().unwrap().iter().map(|it| text(&it["Name"]).to_owned()).collect()
    };
    let all = get(&scene, "").await;
    assert_eq!((&all["Page"], &all["PageSize"], &all["Total"]), (&json!(0), &json!(50), &json!(5)));
    assert_eq!(names(&all), ["n4", "n3", "n2", "n1", "n0"]);
    let second = get(&scene, "?Page=1&PageSize=2").await;
    assert_eq!((names(&second), &second["Total"]), (vec!["n2".into(), "n1".into()], &json!(5)));
    assert_eq!(names(&get(&scene, "?Page=9").await), [""; 0]);
    let of_one = get(&scene, "?SubsidiaryId=sub-1").await;
    assert_eq!((names(&of_one), &of_one["Total"]), (vec!["n3".into(), "n1".into()], &json!(2)));
    for bad in ["PageSize=101", "PageSize=0", "Page=-1", "page=1"] {
        refused(&scene.acme.0.get(&format!("{BASE}?{bad}")).await, 400);
    }
}

// vendors.md §2.8.
#[tokio::test]
async fn the_same_webhooks_stand_below_every_version_of_the_path() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let made = webhook(&scene, &consumer, json!({})).await;
    for version in ["v1", "v1.0", "v3"] {
        let path = format!("/api/p/{version}/webhooks/{}", text(&made["Id"]));
        assert_eq!(scene.acme.0.get(&path).await.expect(200)["Id"], made["Id"]);
    }
    assert_eq!(scene.acme.0.get("/api/p/v2/webhooks").await.status, 404);
}

#[tokio::test]
async fn only_webhooks_of_this_surface_and_of_the_keys_own_tenant_are_there() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    let made = webhook(&scene, &consumer, json!({})).await;
    let native = json!({ "url": consumer.receiver.url(), "events": "*" });
    let standard = scene.acme.endpoint(native.clone()).await;
    assert_eq!(get(&scene, "").await["Total"], 1, "the native endpoint is not listed");
    let globex = scene.server.operator().tenant("globex").await;
    for (client, id) in [(&scene.acme.0, &standard["id"]), (&globex, &made["Id"])] {
        let id = text(id);
        for rest in ["", "/delivery-logs", "/delivery-logs/export", "/health"] {
            refused(&client.get(&format!("{BASE}/{id}{rest}")).await, 404);
        }
        for verb in ["enable", "disable", "test", "verify", "rotate-secret", "reveal-secret"] {
            refused(&ask(client, Method::POST, &format!("/{id}/{verb}"), "").await, 404);
        }
        refused(&ask(client, Method::PUT, &format!("/{id}"), r#"{"Name":"x"}"#).await, 404);
        refused(&ask(client, Method::DELETE, &format!("/{id}"), "").await, 404);
    }
    // One made natively with the profile is the same record.
    let mut native = native;
    native["profile"] = json!("alvys");
    let native = scene.acme.endpoint(native).await;
    let read = get(&scene, &format!("/{}", text(&native["id"]))).await;
    assert_eq!((&read["Status"], &read["Events"]), (&json!("Active"), &json!(["*"])));
    // What it was made without is shown as something that is legal here.
    assert_eq!((&read["Name"], &read["SubsidiaryId"]), (&json!("127.0.0.1"), &json!("acme")));
    let of_all = get(&scene, "?SubsidiaryId=acme").await;
    assert_eq!((&of_all["Total"], &of_all["Items"][0]["Id"]), (&json!(1), &native["id"]));
}

// vendors.md §2.10.
#[tokio::test]
async fn who_has_no_key_or_not_the_right_one_is_told_so() {
    let scene = Scene::new().await;
    let answer = scene.server.client("").get(BASE).await;
    refused(&answer, 401);
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    refused(&scene.server.client("hk_nonsense").get(BASE).await, 401);
    refused(&scene.server.operator().get(BASE).await, 403);
    let wanted = json!({ "name": "reader", "scopes": ["read"] });
    let key = scene.acme.0.post(&Acme::path("/api-keys"), &wanted).await.expect(201);
    let reader = scene.server.client(text(&key["key"]));
    reader.get(BASE).await.expect(200);
    refused(&ask(&reader, Method::POST, "", CREATE).await, 403);
    refused(&scene.acme.0.get(&format!("{BASE}/wh_nonsense")).await, 404);
    refused(&scene.acme.0.get(&format!("{BASE}/x/y/z")).await, 404);
    refused(&ask(&scene.acme.0, Method::PATCH, "", "{}").await, 405);
}
