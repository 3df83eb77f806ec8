//! Signatures, verified by other people's code: `tests/verifiers/verify.py` over the raw bytes that arrived.

use std::collections::BTreeMap;
use std::process::Stdio;

use http::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::python::python;
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, Scene, text};

/// A 64-byte Ed25519 key in the form of standards.md §1.1 (the vector of §1.4).
const WHSK: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
/// Its public half, by the same vector.
const WHPK: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
/// Bytes that any re-serialising would change.
const DATA: &str = r#"{"n": 1.10, "e":1E2,"name":"Linen Tote — natural\u00e9 😀","url":"https:\/\/a.b\/c", "a" :[ ]}"#;

/// A delivery as the script takes it: it must hold `entries` signatures and verify with every one of `secrets`.
pub fn record(scheme: &str, secrets: &[&str], entries: usize, arrival: &Arrival) -> Value {
    let headers: BTreeMap<_, _> = arrival.headers.iter().cloned().collect();
    assert_eq!(headers.len(), arrival.headers.len(), "a header twice: {:?}", arrival.headers);
    let hex: String = arrival.body.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "scheme": scheme, "secrets": secrets, "entries": entries, "headers": headers, "body": hex })
}

/// Runs the script; it must verify all of them.
pub async fn verified(records: &[Value]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/verify.py");
    let mut command = Command::new(python());
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().unwrap_or_else(|error| panic!("{}: {error}", python().display()));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(json!(records).to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), records.len().to_string());
}

async fn publish_raw(acme: &Acme) {
    let body = format!(r#"{{"type":"order.created","data":{DATA}}}"#);
    let json = [("content-type", "application/json")];
    acme.0.send(Method::POST, &Acme::path("/events"), &json, body.into()).await.expect(202);
}

async fn rotated(acme: &Acme, endpoint: &Value) -> String {
    text(&acme.ask(&endpoint["id"], "rotate-secret").await["secret"]).to_owned()
}

#[track_caller]
fn carries_the_exact_data(arrival: &Arrival) {
    let body = std::str::from_utf8(&arrival.body).unwrap();
    assert!(body.contains(DATA), "{body}");
    assert_eq!(arrival.header("content-type"), "application/json");
}

/// An endpoint of a profile gets an event, its secret is rotated, and it gets another: `(record, record)`.
async fn around_a_rotation(
    scene: &Scene,
    profile: &str,
    overlaps: bool,
    settings: Value,
) -> Vec<Value> {
    let receiver = Receiver::scripted(echo).await;
    let mut wanted = json!({ "url": receiver.url(), "events": "*", "profile": profile });
    wanted.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let endpoint = scene.acme.endpoint(wanted).await;
    let handshakes = receiver.count();
    let old = text(&endpoint["secret"]).to_owned();
    let scheme = if profile == "alumia" { "standard" } else { profile };
    publish_raw(&scene.acme).await;
    let first = receiver.first(handshakes + 1).await.pop().unwrap();
    carries_the_exact_data(&first);
    let mut records = vec![record(scheme, &[&old], 1, &first)];

    let new = rotated(&scene.acme, &endpoint).await;
    assert_ne!(old, new);
    publish_raw(&scene.acme).await;
    let second = receiver.first(handshakes + 2).await.pop().unwrap();
    records.push(if overlaps {
        record(scheme, &[&old, &new], 2, &second)
    } else {
        record(scheme, &[&new], 1, &second)
    });
    let path = Acme::path(&format!("/endpoints/{}", text(&endpoint["id"])));
    assert_eq!(scene.acme.0.delete(&path).await.status, 204);
    records
}

/// Takes everything, and passes the challenge.
fn echo(arrival: &Arrival, _: usize) -> Reply {
    match arrival.json().get("challenge") {
        Some(challenge) => {
            let body = json!({ "challenge": challenge }).to_string();
            Reply::Full { status: 200, headers: Vec::new(), body }
        }
        None => Reply::Status(200),
    }
}

#[tokio::test]
async fn every_profile_verifies_with_independent_code_before_and_while_a_secret_is_rotated() {
    let scene = Scene::new().await;
    let mut records = Vec::new();
    let none = json!({});
    records.extend(around_a_rotation(&scene, "standard", true, none.clone()).await);
    records.extend(around_a_rotation(&scene, "alvys", true, none.clone()).await);
    records.extend(around_a_rotation(&scene, "aly", false, none.clone()).await);
    records.extend(around_a_rotation(&scene, "alumia", false, none.clone()).await);
    records.extend(around_a_rotation(&scene, "aryeo", false, none).await);
    let own = json!({ "secret": "any string at all, with spaces / é" });
    records.extend(around_a_rotation(&scene, "aryeo", false, own).await);
    assert_eq!(records.len(), 12);
    verified(&records).await;
}

#[tokio::test]
async fn an_ed25519_key_signs_v1a_and_both_kinds_sign_while_one_takes_over_from_the_other() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let settings = json!({ "url": receiver.url(), "events": "*", "secret": WHSK });
    let endpoint = scene.acme.endpoint(settings).await;
    // Its receiver's key is no secret: whoever may look sees it, as long as it is in force.
    assert_eq!(endpoint["public_key"], WHPK);
    assert_eq!(scene.acme.endpoint_now(&endpoint["id"]).await["public_key"], WHPK);
    publish_raw(&scene.acme).await;
    receiver.first(1).await;
    let new = rotated(&scene.acme, &endpoint).await;
    assert_eq!(scene.acme.endpoint_now(&endpoint["id"]).await["public_key"], Value::Null);
    publish_raw(&scene.acme).await;
    let arrivals = receiver.first(2).await;
    let signature = arrivals[0].header("webhook-signature");
    assert!(signature.starts_with("v1a,"), "{signature}");
    let mut records =
        vec![record("v1a", &[WHSK], 1, &arrivals[0]), record("v1a", &[WHSK], 2, &arrivals[1])];
    records.push(record("standard", &[&new], 2, &arrivals[1]));
    verified(&records).await;
}

#[tokio::test]
async fn every_retry_replay_and_test_is_signed_afresh_and_verifies() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number < 2 { 500 } else { 200 })).await;
    let endpoint = scene.acme.endpoint_at(&receiver.url()).await;
    let event = scene.acme.order(1).await;
    receiver.first(3).await;
    let replay = Acme::path(&format!("/events/{event}/replay"));
    scene.acme.0.post(&replay, &json!({})).await.expect(202);
    receiver.first(4).await;
    scene.acme.ask(&endpoint["id"], "test").await;
    let arrivals = receiver.first(5).await;
    let secret = text(&endpoint["secret"]);
    let records: Vec<_> = arrivals.iter().map(|it| record("standard", &[secret], 1, it)).collect();
    verified(&records).await;
    let times: Vec<u64> =
        arrivals.iter().map(|it| it.header("webhook-timestamp").parse().unwrap()).collect();
    assert!(times[0] < times[1] && times[1] < times[2], "each attempt has its own time: {times:?}");
    assert!(arrivals[..4].iter().all(|it| it.event() == event), "one event, one id");
    assert_ne!(arrivals[4].event(), event);
}
