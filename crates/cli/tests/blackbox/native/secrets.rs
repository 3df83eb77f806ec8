//! Secrets that were answered once, and answers that are remembered: none of them stands readable on disk or in the log.

use serde_json::{Value, json};

use super::{Tenant, text};
use crate::world::{OPERATOR_KEY, World};

/// Every file below the folder but the master key, as it is while the server runs.
fn files(world: &World) -> Vec<(String, Vec<u8>)> {
    let all = std::fs::read_dir(world.data()).unwrap().map(|it| it.unwrap().path());
    let kept = all.filter(|it| it.file_name().is_some_and(|it| it != "master.key"));
    kept.map(|it| (it.display().to_string(), std::fs::read(&it).unwrap())).collect()
}

#[track_caller]
fn absent(place: &str, bytes: &[u8], secrets: &[String]) {
    for secret in secrets {
        let found = bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
        assert!(!found, "{secret} stands readable in {place}");
    }
}

#[tokio::test]
async fn an_answer_that_is_remembered_for_its_key_keeps_its_secrets() {
    let world = World::new();
    let env = [("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY)];
    let server = world.serve_with(&["--log", "trace"], &env).await;
    let client = server.operator().tenant("acme").await;
    let tenant = Tenant { name: "acme".into(), client };
    let with_key = async |rest: &str, body: Value| {
        let key = [("idempotency-key", rest)];
        tenant.post_raw(rest, &key, body.to_string()).await
    };
    let wanted = json!({
        "url": "http://127.0.0.1:9/", "events": ["*"], "metadata": { "note": "this-may-be-read" },
        "headers": { "Authorization": "Bearer credential-one", "X-Api-Key": "credential-two" },
    });
    let made = with_key("/endpoints", wanted).await.expect(201);
    let rotate = format!("/endpoints/{}/rotate-secret", text(&made["id"]));
    let rotated =
        with_key(&rotate, json!({ "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" })).await;
    let rotated = rotated.expect(200);
    let reveal = format!("/endpoints/{}/reveal-secret", text(&made["id"]));
    with_key(&reveal, json!({})).await.expect(200);
    let key = with_key("/api-keys", json!({ "name": "k", "scopes": ["read"] })).await.expect(201);
    let sign =
        json!({ "scheme": "aly", "secret": "secret-of-a-check", "payload": "body-of-a-check" });
    let signed = tenant.client.post("/v1/signatures/sign", &sign).await.expect(200);
    let bad = json!({ "url": "https://user:password-in-a-url@example.com/", "events": ["*"], "secret": "whsec_bad-secret" });
    assert_eq!(with_key("/endpoints", bad).await.status, 422);
    tenant.publish("a.b", json!("payload-of-an-event")).await;

    let after_prefix = |secret: &Value| text(secret).trim_start_matches("whsec_").to_owned();
    let mut secrets = vec![
        after_prefix(&made["secret"]),
        after_prefix(&rotated["secret"]),
        text(&key["key"]).to_owned(),
        tenant.client.key.clone(),
        OPERATOR_KEY.to_owned(),
    ];
    let fixed = [
        "credential-one",
        "credential-two",
        "secret-of-a-check",
        "bad-secret",
        "password-in-a-url",
    ];
    secrets.extend(fixed.map(ToOwned::to_owned));
    let signed = signed["headers"].as_object().unwrap().values().map(|it| text(it).to_owned());
    secrets.extend(signed.filter(|it| it.len() > 20));
    let on_disk = files(&world);
    assert!(on_disk.iter().any(|(name, _)| name.ends_with("-wal")), "{:?}", on_disk.len());
    let all: Vec<u8> = on_disk.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    let readable = |it: &str| all.windows(it.len()).any(|bytes| bytes == it.as_bytes());
    assert!(
        readable("this-may-be-read") && readable("payload-of-an-event"),
        "the search finds what is there"
    );
    for (name, bytes) in on_disk {
        absent(&name, &bytes, &secrets);
    }
    absent("the log", server.log().as_bytes(), &secrets);
    absent(
        "the log",
        server.log().as_bytes(),
        &["payload-of-an-event".into(), "body-of-a-check".into()],
    );
    assert!(server.stop().await.success());
    for (name, bytes) in files(&world) {
        absent(&name, &bytes, &secrets);
    }
}
