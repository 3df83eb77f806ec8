//! Receivers that are written from the vendors' pages on verification, in Python (`tests/verifiers/receivers.py`), and what
//! they must take and refuse.

use std::net::SocketAddr;
use std::process::Stdio;

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::python::python;
use crate::scene::{Acme, Scene, text};
use crate::world::{Answer, Client, OPERATOR_KEY, PATIENCE, World};

const VERIFIERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers");
/// Vectors of vendors.md §1.1, §2.1 and §4.1, and what must not verify: `status` is what the vendor's receiver answers. One
/// that is `stale` is signed well, at another time.
const VECTORS: &str = include_str!("../../verifiers/vectors.json");
const TEN_YEARS_S: i64 = 3_650 * 24 * 3_600;

/// A running receiver of a vendor's customer. It ends when it is dropped.
pub struct PageReceiver {
    pub address: SocketAddr,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl PageReceiver {
    pub async fn start(vendor: &str) -> Self {
        Self::with(vendor, &[]).await
    }

    /// With options of the script.
    pub async fn with(vendor: &str, options: &[&str]) -> Self {
        let mut command = Command::new(python());
        // Old versions of TLS are warned of, and they are what is wanted.
        command.args(["-W", "ignore", &format!("{VERIFIERS}/receivers.py"), vendor]).args(options);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = line(&mut stdout).await;
        let port = said.strip_prefix("listening on ").unwrap_or_else(|| panic!("{said}"));
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        Self { address, stdin, stdout, _child: child }
    }

    /// Verifies with these secrets from now on.
    pub async fn knows(&mut self, secrets: &[&str]) {
        self.stdin.write_all(format!("{}\n", json!(secrets)).as_bytes()).await.unwrap();
        assert_eq!(line(&mut self.stdout).await, "ok");
    }

    pub fn url(&self) -> String {
        format!("http://{}/webhooks", self.address)
    }

    /// Brings it a request as a vendor would.
    async fn post(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        let client = Client { address: self.address, key: String::new() };
        client.send(Method::POST, "/webhooks", headers, body.to_owned().into()).await
    }
}

async fn line(stdout: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = timeout(PATIENCE, stdout.next_line()).await.expect("the receiver says nothing");
    line.unwrap().expect("the receiver has ended")
}

/// What the receiver answered to each attempt of the only delivery of an event, the first one first.
pub async fn said(acme: &Acme, event: &str) -> Vec<(u16, Value)> {
    let [delivery] = &acme.deliveries_of(event).await[..] else {
        panic!("one delivery of {event}")
    };
    let attempts = acme.attempts(&delivery["id"]).await;
    let said = attempts.iter().map(|it| {
        let status = it["status_code"].as_u64().unwrap_or_else(|| panic!("no answer: {it}"));
        (u16::try_from(status).unwrap(), serde_json::from_str(text(&it["response_body"])).unwrap())
    });
    said.collect()
}

/// That the receiver verified it: it answers the id that it read.
pub fn took(event: &str) -> (u16, Value) {
    (200, json!({ "received": event }))
}

#[tokio::test]
async fn every_vector_is_taken_or_refused_by_the_vendors_receiver_and_by_the_checker() {
    let scene = Scene::new().await;
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    let mut running: Option<((String, i64), PageReceiver)> = None;
    for vector in &vectors {
        let what = format!("{}: {}", text(&vector["fact"]), text(&vector["what"]));
        let (vendor, now) = (text(&vector["vendor"]), vector["now"].as_i64().unwrap());
        let at = (vendor.to_owned(), now);
        let mut receiver = match running.take() {
            Some((same, receiver)) if same == at => receiver,
            _ => PageReceiver::with(vendor, &["--now", &now.to_string()]).await,
        };
        receiver.knows(&[text(&vector["secret"])]).await;
        let headers = vector["headers"].as_object().unwrap();
        let pairs: Vec<_> = headers.iter().map(|(name, it)| (name.as_str(), text(it))).collect();
        let answer = receiver.post(&pairs, text(&vector["body"])).await;
        assert_eq!(
            u64::from(answer.status),
            vector["status"].as_u64().unwrap(),
            "{what}: {answer:?}"
        );

        // The checker has the clock of today, so that it is told to look away from the time.
        let check = json!({
            "scheme": vendor, "secret": vector["secret"], "headers": headers,
            "payload": vector["body"], "tolerance_s": TEN_YEARS_S,
        });
        let verdict = scene.acme.0.post("/v1/signatures/verify", &check).await.expect(200);
        let good = vector["status"] == 200 || vector["stale"] == true;
        assert_eq!(verdict["valid"], good, "{what}: {verdict}");
        running = Some((at, receiver));
    }
    for vendor in ["aly", "alvys", "aryeo"] {
        let of: Vec<_> = vectors.iter().filter(|it| it["vendor"] == vendor).collect();
        let refused = of.iter().filter(|it| it["status"] != 200).count();
        assert!(refused >= 5 && of.len() > refused, "{vendor}: {refused} of {}", of.len());
    }
}

/// A server that trusts the authority of these tests, as an operator has it do with one of their own.
async fn trusting() -> Scene {
    let world = World::new();
    let authority = format!("{VERIFIERS}/tls/authority.pem");
    let env = [("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY), ("SSL_CERT_FILE", &authority)];
    let server = world.serve_with(&[], &env).await;
    let acme = Acme(server.operator().tenant("acme").await);
    Scene::of(world, server, acme)
}

// vendors.md ALY-DEL-1, ALV-DEL-1, ARY-DEL-6.
#[tokio::test]
async fn over_tls_every_vendors_receiver_is_reached_if_its_certificate_is_good_and_its_tls_not_old()
{
    let scene = trusting().await;
    for (vendor, event_type) in [("aly", "order.created"), ("alvys", "alvys"), ("aryeo", "aryeo")] {
        let mut good = PageReceiver::with(vendor, &["--tls", "good"]).await;
        let url = format!("https://{}/webhooks", good.address);
        let settings = json!({ "url": url, "events": [event_type], "profile": vendor });
        let made = scene.acme.endpoint(settings).await;
        assert_eq!(made["status"], "active", "{made}");
        good.knows(&[text(&made["secret"])]).await;
        let event = json!({ "type": event_type, "data": { "id": "as-published" } });
        let event = scene.acme.publish(event).await;
        scene.acme.delivery_is(&event, "succeeded").await;
        let id = if vendor == "aryeo" { "as-published" } else { event.as_str() };
        assert_eq!(said(&scene.acme, &event).await, [took(id)], "{vendor}");
    }
    for (kind, event_type) in [("stranger", "order.updated"), ("old", "order.refunded")] {
        let bad = PageReceiver::with("aly", &["--tls", kind]).await;
        let url = format!("https://{}/webhooks", bad.address);
        let retry = json!({ "delays_s": [] });
        let settings =
            json!({ "url": url, "events": [event_type], "profile": "aly", "retry": retry });
        scene.acme.endpoint(settings).await;
        let event = scene.acme.publish(json!({ "type": event_type, "data": {} })).await;
        let failed = scene.acme.delivery_is(&event, "failed").await;
        let attempt = scene.acme.attempts(&failed["id"]).await.remove(0);
        assert_eq!((&attempt["outcome"], &attempt["status_code"]), (&json!("tls"), &Value::Null));
    }
    // The challenge of one that cannot be trusted fails too.
    let bad = PageReceiver::with("alvys", &["--tls", "stranger"]).await;
    let url = format!("https://{}/webhooks", bad.address);
    let settings = json!({ "url": url, "events": "*", "profile": "alvys" });
    assert_eq!(scene.acme.endpoint(settings).await["status"], "pending");
}
