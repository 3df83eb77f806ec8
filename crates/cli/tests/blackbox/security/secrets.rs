//! Secrets: shown to their owner once, and to nobody else anywhere.

use serde_json::{Value, json};

use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, Scene, quick, text};
use crate::world::{OPERATOR_KEY, World};

const OWN_SECRET: &str = "a-secret-of-the-receivers-own-choice";
const CREDENTIAL: &str = "Bearer credential-of-the-receiver";

#[track_caller]
fn assert_absent(place: &str, bytes: &[u8], secrets: &[String]) {
    for secret in secrets {
        let found = bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
        assert!(!found, "`{secret}` stands in {place}");
    }
}

/// A source whose secrets were given, rotated and revealed, and one whose provider handed its secret over; the path of the
/// first.
async fn source_with_secrets(acme: &Acme, secrets: &mut Vec<String>) -> String {
    let wanted = json!({
        "name": "A", "provider": "meta", "secret": "the-app-secret-of-the-source",
        "verify_token": "the-token-of-the-source",
    });
    let source = acme.0.post(&Acme::path("/sources"), &wanted).await.expect(201);
    let source = Acme::path(&format!("/sources/{}", text(&source["id"])));
    let rotated = json!({ "secret": "the-next-secret-of-the-source" });
    acme.0.post(&format!("{source}/rotate-secret"), &rotated).await.expect(200);
    acme.0.post(&format!("{source}/reveal-secret"), &json!({})).await.expect(200);
    let made = json!({ "name": "B", "provider": "notion" });
    let notion = acme.0.post(&Acme::path("/sources"), &made).await.expect(201);
    let door = format!("/in/{}", text(&notion["id"]));
    let hello = json!({ "verification_token": "the-token-that-notion-hands-over" });
    assert_eq!(acme.0.with_key("").post(&door, &hello).await.status, 200);
    let fields = [
        &wanted["secret"],
        &wanted["verify_token"],
        &rotated["secret"],
        &hello["verification_token"],
    ];
    secrets.extend(fields.map(|it| text(it).to_owned()));
    source
}

#[tokio::test]
async fn secrets_stand_in_no_log_no_list_no_metric_and_not_readable_on_disk() {
    let world = World::new();
    let args = ["--log", "trace"];
    let server = world.serve_with(&args, &[("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY)]).await;
    let acme = Acme(server.operator().tenant("acme").await);
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number < 2 { 500 } else { 200 }));
    let receiver = receiver.await;
    let headers = json!({ "Authorization": CREDENTIAL, "X-Api-Key": "credential-in-a-header" });
    let wanted = |settings: Value| {
        let mut all =
            json!({ "url": receiver.url(), "events": "*", "retry": quick(3), "headers": headers });
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        all
    };
    let standard = acme.endpoint(wanted(json!({}))).await;
    let own = acme.endpoint(wanted(json!({ "profile": "aryeo", "secret": OWN_SECRET }))).await;
    assert_eq!(own["secret"], OWN_SECRET);
    let mut secrets: Vec<String> = vec![OPERATOR_KEY.into(), acme.0.key.clone(), OWN_SECRET.into()];
    secrets.push(text(&standard["secret"]).to_owned());
    secrets.push(text(&acme.ask(&standard["id"], "rotate-secret").await["secret"]).to_owned());
    acme.ask(&standard["id"], "reveal-secret").await;
    let source = source_with_secrets(&acme, &mut secrets).await;
    secrets
        .push(std::fs::read_to_string(world.data().join("master.key")).unwrap().trim().to_owned());
    let mut with_headers = secrets.clone();
    with_headers.extend([CREDENTIAL.to_owned(), "credential-in-a-header".to_owned()]);

    acme.order(1).await;
    acme.count_is("status=succeeded", 2).await;
    acme.ask(&standard["id"], "test").await;
    acme.0.with_key("hy_wrong-key-of-somebody").get(&Acme::path("/events")).await.expect(401);

    assert_eq!(receiver.arrivals()[0].header("authorization"), CREDENTIAL, "they do go out");
    let mut shown = vec![
        acme.0.get(&Acme::path("/endpoints")).await.expect(200),
        acme.0.get(&Acme::path("/audit?limit=250")).await.expect(200),
        acme.0.get(&Acme::path("/api-keys")).await.expect(200),
        acme.0.get(&Acme::path("/sources")).await.expect(200),
        acme.0.get(&source).await.expect(200),
        acme.endpoint_now(&standard["id"]).await,
        acme.endpoint_now(&own["id"]).await,
    ];
    for delivery in acme.deliveries("").await {
        let attempts = acme.attempts(&delivery["id"]).await;
        let to_standard = delivery["endpoint_id"] == standard["id"];
        let signature = if to_standard { "webhook-signature" } else { "Signature" };
        let request = attempts[0]["request_headers"].as_object().unwrap();
        let found = request.iter().find(|(name, _)| name.eq_ignore_ascii_case(signature));
        assert!(
            found.is_some_and(|(_, value)| text(value).len() > 40),
            "the signature is shown: {request:?}"
        );
        shown.push(json!([delivery, attempts]));
    }
    for document in &shown {
        assert_absent("an answer", document.to_string().as_bytes(), &with_headers);
    }
    let metrics = acme.0.get("/metrics").await;
    assert_absent("the metrics", &metrics.body, &with_headers);
    assert_absent("the log", server.log().as_bytes(), &with_headers);
    assert!(
        server.log().contains("an attempt ended"),
        "the log tells enough to make this mean something"
    );
    assert!(server.stop().await.success());
    for file in std::fs::read_dir(world.data()).unwrap() {
        let file = file.unwrap().path();
        if file.file_name().is_some_and(|it| it != "master.key") {
            let name = file.display().to_string();
            assert_absent(&name, &std::fs::read(file).unwrap(), &with_headers);
        }
    }
}

#[tokio::test]
async fn a_delivery_of_one_tenant_is_not_there_for_another() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let endpoint = scene.acme.endpoint_at(&receiver.url()).await;
    let event = scene.acme.order(1).await;
    let delivery = scene.acme.delivery_is(&event, "succeeded").await;
    let other = scene.server.operator().tenant("other").await;
    let (event, delivery, endpoint) = (&event, text(&delivery["id"]), text(&endpoint["id"]));
    for tenant in ["acme", "other"] {
        for rest in [
            format!("events/{event}"),
            format!("events/{event}/deliveries"),
            format!("deliveries/{delivery}"),
            format!("deliveries/{delivery}/attempts"),
            format!("endpoints/{endpoint}"),
        ] {
            let answer = other.get(&format!("/v1/tenants/{tenant}/{rest}")).await;
            assert_eq!(answer.status, 404, "{tenant}/{rest}: {answer:?}");
        }
        for rest in [
            format!("events/{event}/replay"),
            format!("deliveries/{delivery}/retry"),
            format!("deliveries/{delivery}/cancel"),
            format!("endpoints/{endpoint}/test"),
            format!("endpoints/{endpoint}/disable"),
            format!("endpoints/{endpoint}/reveal-secret"),
            format!("endpoints/{endpoint}/rotate-secret"),
        ] {
            let answer = other.post(&format!("/v1/tenants/{tenant}/{rest}"), &json!({})).await;
            assert_eq!(answer.status, 404, "{tenant}/{rest}: {answer:?}");
        }
    }
    assert_eq!(receiver.count(), 1);
}

#[tokio::test]
async fn a_credential_that_a_receiver_gives_back_is_not_shown() {
    let scene = Scene::new().await;
    let acme = &scene.acme;
    let receiver = Receiver::scripted(|_, _| Reply::Full {
        status: 200,
        headers: vec![("x-echo", format!("<{CREDENTIAL}>"))],
        body: format!("your head was: authorization: {CREDENTIAL}; thank you"),
    })
    .await;
    let headers = json!({ "Authorization": CREDENTIAL });
    let endpoint =
        acme.endpoint(json!({ "url": receiver.url(), "events": "*", "headers": headers })).await;
    let event = acme.order(1).await;
    let delivery = acme.delivery_is(&event, "succeeded").await;
    let shown = acme.attempts(&delivery["id"]).await.remove(0);
    assert_eq!(
        shown["response_body"],
        "your head was: authorization: Bearer [redacted]; thank you"
    );
    assert_eq!(shown["response_headers"]["x-echo"], "<Bearer [redacted]>");
    let tested = acme.ask(&endpoint["id"], "test").await;
    assert!(!tested.to_string().contains("credential-of"), "{tested}");
}
