//! Webhooks made, changed, rotated and taken away (vendors.md §1.4).

use serde_json::{Value, json};
use tokio::process::Command;

use super::{Aly, HOOKS, event_of, names, path, published, refused, wrong};
use crate::delivery::signatures::{record, verified};
use crate::receiver::Receiver;
use crate::scene::{Acme, Scene, text};

/// The 24 types of vendors.md §1.6.
const TYPES: [&str; 24] = [
    "order.created",
    "order.updated",
    "order.fulfilled",
    "order.partially_fulfilled",
    "order.refunded",
    "order.cancelled",
    "order.return_requested",
    "order.return_approved",
    "order.return_received",
    "order.exchange_requested",
    "order.exchange_approved",
    "checkout_session.created",
    "checkout_session.updated",
    "checkout_session.completed",
    "checkout_session.expired",
    "checkout_session.cancelled",
    "membership.subscriber.created",
    "membership.subscriber.updated",
    "membership.subscriber.cancelled",
    "membership.subscriber.payment_failed",
    "site.published",
    "site.unpublished",
    "site.domain.attached",
    "site.domain.verified",
];

/// The seed's own lines; only host and key are ours.
const CREATE: &str = r#"curl -X POST https://aly.store/api/storefront/v1/merchant/webhooks \
  -H "Authorization: Bearer aly_..." \
  -H "Content-Type: application/json" \
  -d '{ "url": "https://my-app.example/aly/webhooks", "events": ["order.created", "order.fulfilled", "order.refunded"], "site_slug": "acme", "active": true }'"#;
const ROTATE: &str = r#"curl -X POST https://aly.store/api/storefront/v1/merchant/webhooks/wh_8c.../rotate-secret \
  -H "Authorization: Bearer aly_...""#;

/// Runs a line of the seed in a shell, against our server with our key.
async fn run(scene: &Scene, line: &str, webhook: &str) -> Value {
    let client = &scene.acme.0;
    let line = line
        .replace("https://aly.store", &format!("http://{}", client.address))
        .replace("aly_...", &client.key)
        .replace("wh_8c...", webhook);
    let output = Command::new("sh").args(["-c", &line]).output().await.unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test]
async fn aly_reg_2_the_curl_lines_of_the_seed_show_the_secret_once() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let made = run(&scene, CREATE, "").await;
    let want = ["active", "created_at", "events", "id", "secret", "site_slug", "url"];
    assert_eq!(names(&made), want);
    assert!(text(&made["id"]).starts_with("wh_"), "{made}");
    assert_eq!(made["url"], "https://my-app.example/aly/webhooks");
    assert_eq!(made["events"], json!(["order.created", "order.fulfilled", "order.refunded"]));
    assert_eq!((&made["site_slug"], &made["active"]), (&json!("acme"), &json!(true)));
    assert!(text(&made["secret"]).starts_with("whsec_"), "{made}");
    let created: jiff::Timestamp = text(&made["created_at"]).parse().unwrap();
    assert_eq!(format!("{created:.3}"), text(&made["created_at"]));

    let mut shown = made.clone();
    shown.as_object_mut().unwrap().remove("secret");
    assert_eq!(aly.get(&made, "").await.expect(200), shown);
    let page = scene.acme.0.get(HOOKS).await.expect(200);
    assert_eq!(page, json!({ "data": [shown], "next_cursor": null }));

    let rotated = run(&scene, ROTATE, text(&made["id"])).await;
    assert_eq!(names(&rotated), want);
    assert!(text(&rotated["secret"]).starts_with("whsec_"), "{rotated}");
    assert_ne!(rotated["secret"], made["secret"]);
}

#[tokio::test]
async fn aly_reg_1_the_native_api_makes_the_same_record_in_a_tenant_of_alys() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let profile = json!({ "profile": "aly" });
    scene.server.operator().patch("/v1/tenants/acme", &profile).await.expect(200);
    let here = aly.webhook_at("https://my-app.example/one").await;
    let there = json!({ "url": "https://my-app.example/one", "events": "*" });
    let there = scene.acme.endpoint(there).await;
    let mut records = Vec::new();
    for made in [&here, &there] {
        let mut record = scene.acme.endpoint_now(&made["id"]).await;
        for own in ["id", "created_at", "updated_at"] {
            record.as_object_mut().unwrap().remove(own).expect("it has one");
        }
        records.push(record);
    }
    assert_eq!(records[0], records[1]);
    assert!(text(&there["secret"]).starts_with("whsec_"), "{there}");
    assert_eq!(aly.get(&there, "").await.expect(200)["active"], true);
}

#[tokio::test]
async fn aly_reg_3_and_6_a_webhook_gets_the_types_it_named_of_its_site_or_of_every_site() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let (one, every) = (Receiver::start().await, Receiver::start().await);
    let events = ["order.created"];
    let site = json!({ "url": one.url(), "events": events, "site_slug": "acme" });
    let site = aly.create(site).await;
    let all = aly.create(json!({ "url": every.url(), "events": events })).await;
    assert_eq!((&site["site_slug"], &all["site_slug"]), (&json!("acme"), &json!(null)));
    published(&scene.acme, "order.updated", Some("acme")).await;
    published(&scene.acme, "order.created", Some("other")).await;
    published(&scene.acme, "order.created", None).await;
    let own = published(&scene.acme, "order.created", Some("acme")).await;
    assert_eq!(one.first(1).await[0].header("x-aly-event-id"), own);
    let mut sites: Vec<_> =
        every.first(3).await.iter().map(|it| it.json()["site_slug"].clone()).collect();
    sites.sort_by_key(Value::to_string);
    assert_eq!(sites, [json!("acme"), json!("other"), json!(null)]);
    aly.newest_is(&site, "succeeded").await;
    aly.newest_is(&all, "succeeded").await;
    let counts = (aly.deliveries(&site, "").await.len(), aly.deliveries(&all, "").await.len());
    assert_eq!(counts, (1, 3), "nothing else was ever attempted");
    assert_eq!((one.count(), every.count()), (1, 3));
}

#[tokio::test]
async fn aly_reg_4_and_5_events_are_exact_types_of_the_catalogue_or_a_star() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let url = "https://my-app.example/aly";
    for star in [json!("*"), json!(["*"])] {
        let made = aly.create(json!({ "url": url, "events": star })).await;
        assert_eq!(made["events"], json!(["*"]));
    }
    let made = aly.create(json!({ "url": url, "events": TYPES })).await;
    assert_eq!(made["events"], json!(TYPES), "all 24 of them");
    let bad = json!({ "url": url, "events": ["order.created", "order.*", "order.shipped"] });
    let unknown = [("events.1", "unknown_event_type"), ("events.2", "unknown_event_type")];
    wrong(&scene.acme.0.post(HOOKS, &bad).await, &unknown);
    let change = json!({ "events": ["order.*"] });
    let answer = scene.acme.0.patch(&path(&made, ""), &change).await;
    wrong(&answer, &[("events.0", "unknown_event_type")]);
    wrong(
        &scene.acme.0.post(HOOKS, &json!({})).await,
        &[("events", "required"), ("url", "required")],
    );
    let catalogue = json!({ "catalogue": "aly" });
    let imported = scene.acme.0.post(&Acme::path("/event-types/import"), &catalogue).await;
    assert_eq!(imported.expect(200)["names"], json!(TYPES));
}

#[tokio::test]
async fn the_list_can_be_of_one_site() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let url = "https://my-app.example/aly";
    let of = |site: Value| json!({ "url": url, "events": "*", "site_slug": site });
    let mut of_acme = Vec::new();
    for site in [json!("acme"), json!("other"), json!(null), json!("acme")] {
        let made = aly.create(of(site.clone())).await;
        if site == "acme" {
            of_acme.insert(0, made["id"].clone());
        }
    }
    let ids = |page: &Value| -> Vec<Value> {
        page["data"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect()
    };
    let page = scene.acme.0.get(&format!("{HOOKS}?site_slug=acme")).await.expect(200);
    assert_eq!(ids(&page), of_acme);
    let first = scene.acme.0.get(&format!("{HOOKS}?site_slug=acme&limit=1")).await.expect(200);
    assert_eq!(ids(&first), of_acme[..1]);
    let next = text(&first["next_cursor"]);
    let rest = scene.acme.0.get(&format!("{HOOKS}?site_slug=acme&cursor={next}")).await;
    assert_eq!(ids(&rest.expect(200)), of_acme[1..]);
    let none = scene.acme.0.get(&format!("{HOOKS}?site_slug=nobody")).await.expect(200);
    assert_eq!(ids(&none), [json!(null); 0]);
    let answer = scene.acme.0.get(&format!("{HOOKS}?site_slug=")).await;
    wrong(&answer, &[("site_slug", "bad_scope")]);
}

// vendors.md §1.4.
#[tokio::test]
async fn while_active_is_false_events_are_dropped_not_queued() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver = Receiver::start().await;
    let off = json!({ "url": receiver.url(), "events": ["order.created"], "active": false });
    let made = aly.create(off).await;
    assert_eq!(made["active"], false);
    published(&scene.acme, "order.created", None).await;
    let dropped = aly.newest_is(&made, "discarded").await;
    assert_eq!(
        (&dropped["reason"], &dropped["attempts"]),
        (&json!("endpoint_disabled"), &json!([]))
    );

    assert_eq!(aly.patch(&made, json!({ "active": true })).await["active"], true);
    published(&scene.acme, "order.created", None).await;
    aly.newest_is(&made, "succeeded").await;
    assert_eq!(aly.patch(&made, json!({ "active": false })).await["active"], false);
    published(&scene.acme, "order.created", None).await;
    let dropped = aly.newest_is(&made, "discarded").await;
    let refusal = aly.act(&made, &format!("/deliveries/{}/replay", text(&dropped["id"]))).await;
    refused(&refusal, 409, "endpoint_disabled");

    let change = json!({ "active": true, "events": ["order.updated"], "site_slug": "acme" });
    let changed = aly.patch(&made, change).await;
    let got = json!([changed["active"], changed["events"], changed["site_slug"]]);
    assert_eq!(got, json!([true, ["order.updated"], "acme"]));
    published(&scene.acme, "order.created", Some("acme")).await;
    let last = published(&scene.acme, "order.updated", Some("acme")).await;
    let arrivals = receiver.first(2).await;
    assert_eq!(event_of(&arrivals[1]), last, "what was dropped is not sent later");
    assert_eq!(aly.patch(&made, json!({ "site_slug": null })).await["site_slug"], json!(null));
    assert_eq!(aly.patch(&made, json!({})).await["active"], true);
    let nulls = json!({ "url": null, "active": null });
    let answer = scene.acme.0.patch(&path(&made, ""), &nulls).await;
    wrong(&answer, &[("active", "required"), ("url", "required")]);
}

#[tokio::test]
async fn a_webhook_that_was_paused_elsewhere_is_not_active_and_can_be_made_so() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = aly.webhook_at(&receiver.url()).await;
    scene.acme.ask(&made["id"], "pause").await;
    assert_eq!(aly.get(&made, "").await.expect(200)["active"], false);
    published(&scene.acme, "order.created", None).await;
    assert_eq!(aly.patch(&made, json!({ "active": true })).await["active"], true);
    receiver.first(1).await;
}

// vendors.md §1.4.
#[tokio::test]
async fn a_deleted_webhook_is_gone_with_204_and_its_deliveries_stay_listed() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = aly.webhook_at(&receiver.url()).await;
    published(&scene.acme, "order.created", None).await;
    let done = aly.newest_is(&made, "succeeded").await;
    let answer = scene.acme.0.delete(&path(&made, "")).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    refused(&aly.get(&made, "").await, 404, "not_found");
    refused(&scene.acme.0.delete(&path(&made, "")).await, 404, "not_found");
    assert_eq!(aly.deliveries(&made, "").await, std::slice::from_ref(&done));
    let refusal = aly.act(&made, &format!("/deliveries/{}/replay", text(&done["id"]))).await;
    refused(&refusal, 409, "endpoint_deleted");
    published(&scene.acme, "order.created", None).await;
    assert_eq!(scene.acme.0.get(HOOKS).await.expect(200)["data"], json!([]));
    assert_eq!(aly.deliveries(&made, "").await, [done]);
}

#[tokio::test]
async fn an_endpoint_of_another_profile_is_unknown_even_when_it_is_deleted() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let settings = json!({ "url": receiver.url(), "events": "*", "profile": "standard" });
    let other = scene.acme.endpoint(settings).await;
    published(&scene.acme, "order.created", None).await;
    receiver.first(1).await;
    let deliveries = path(&other, "/deliveries");
    refused(&scene.acme.0.get(&deliveries).await, 404, "not_found");
    let native = format!("/v1/tenants/acme/endpoints/{}", text(&other["id"]));
    assert_eq!(scene.acme.0.delete(&native).await.status, 204);
    refused(&scene.acme.0.get(&deliveries).await, 404, "not_found");
}

#[tokio::test]
async fn aly_reg_10_a_rotation_is_immediate_and_one_signature_goes_out() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = aly.webhook_at(&receiver.url()).await;
    published(&scene.acme, "order.created", None).await;
    receiver.first(1).await;
    let rotated = aly.act(&made, "/rotate-secret").await.expect(200);
    published(&scene.acme, "order.created", None).await;
    let arrivals = receiver.first(2).await;
    let (old, new) = (text(&made["secret"]), text(&rotated["secret"]));
    assert_ne!(old, new);
    verified(&[record("aly", &[old], 1, &arrivals[0]), record("aly", &[new], 1, &arrivals[1])])
        .await;
    let overlap = json!({ "overlap_s": 60 });
    let answer = scene.acme.0.post(&path(&made, "/rotate-secret"), &overlap).await;
    wrong(&answer, &[("overlap_s", "unknown_field")]);
}
