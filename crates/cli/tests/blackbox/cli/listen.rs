//! `hookyard listen`, and `events replay --forward-to`: events at a local port, signed, in order, none missed, whatever happens
//! in between.

mod losses;

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Shell;
use crate::follower::Follower;
use crate::inbound::receive::Sender;
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, text};
use crate::world::{OPERATOR_KEY, PATIENCE, until};

/// A listener that runs.
pub struct Listener {
    child: Child,
    stdout: UnboundedReceiver<String>,
    stderr: Lines<BufReader<ChildStderr>>,
    /// Reads what it prints, so that it never waits for the test.
    _reading: JoinSet<()>,
}

impl Listener {
    /// Starts `hookyard listen`, and waits until it is connected.
    pub async fn start(shell: &Shell, args: &[&str]) -> Self {
        let mut listener = Self::run(shell, args);
        listener.says("connected").await;
        listener
    }

    /// Starts it.
    pub fn run(shell: &Shell, args: &[&str]) -> Self {
        let mut command = shell.command(&[&["listen"], args].concat());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, stdout) = unbounded_channel();
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            while let Ok(Some(line)) = printed.next_line().await {
                let _ = sender.send(line);
            }
        });
        Self { child, stdout, stderr, _reading: reading }
    }

    /// Waits until it says something with these words; answers it.
    pub async fn says(&mut self, words: &str) -> String {
        let mut said = Vec::new();
        loop {
            let line = timeout(PATIENCE, self.stderr.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("it does not say `{words}`: {said:?}"));
            let line = line.unwrap().unwrap_or_else(|| panic!("it ended: {said:?}"));
            if line.contains(words) {
                return line;
            }
            said.push(line);
        }
    }

    /// The next line of its own.
    pub async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.stdout.recv()).await.expect("it prints nothing");
        line.expect("it ended")
    }

    pub async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it has ended").to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().await.unwrap().success());
    }

    /// Ends it as somebody at the keyboard would.
    pub async fn stop(mut self) {
        self.signal("INT").await;
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it does not end").unwrap();
        assert_eq!(ended.code(), Some(0));
    }

    /// Ends it as a power cut would.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// The events that arrived, each at its first arrival.
pub fn events(arrivals: &[Arrival]) -> Vec<String> {
    let mut seen = Vec::new();
    for arrival in arrivals {
        if !seen.iter().any(|it| it == arrival.event()) {
            seen.push(arrival.event().to_owned());
        }
    }
    seen
}

/// That the binary itself believes the signature.
async fn verifies(shell: &Shell, secret: &str, arrival: &Arrival, scheme: &str) {
    let body = shell.scene.world.path("body");
    fs::write(&body, &arrival.body).unwrap();
    let body = format!("@{}", body.to_str().unwrap());
    let headers: String =
        arrival.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let args = ["verify", "--scheme", scheme, "--secret", secret, "--data", &body];
    let ran = shell.run_with(&[&args[..], &["--headers", "-"]].concat(), &headers).await.ok();
    assert!(ran.stdout.starts_with("valid"), "{ran:#?}");
}

fn secret_of(said: &str) -> String {
    said.strip_prefix("Signing secret: ").unwrap().to_owned()
}

#[tokio::test]
async fn live_events_come_to_a_local_port_signed_with_a_secret_that_stays() {
    let shell = Shell::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number == 1 { 500 } else { 204 })).await;
    let to = receiver.url();
    let args = ["--forward-to", &to, "--event", "order.*", "--header", "X-Team=blue"];
    let mut listener = Listener::run(&shell, &args);
    listener.says(&format!("Forwarding to {to} as `standard`")).await;
    let secret = secret_of(&listener.says("Signing secret: ").await);
    listener.says("connected to http://").await;
    shell.scene.acme.publish(json!({ "type": "other", "data": 1 })).await;
    let first = shell.scene.acme.order(1).await;
    let second = shell.scene.acme.order(2).await;
    let line = listener.line().await;
    assert!(line.contains("order.created") && line.contains(&first), "{line}");
    assert!(line.contains("  204  ") && line.ends_with(" ms"), "{line}");
    let line = listener.line().await;
    assert!(line.contains(&second) && line.contains("  500  "), "{line}");
    let arrivals = receiver.first(2).await;
    assert_eq!(events(&arrivals), [first, second]);
    verifies(&shell, &secret, &arrivals[0], "standard").await;
    assert_eq!(arrivals[0].header("x-team"), "blue");
    assert_eq!(arrivals[0].json()["data"], json!({ "n": 1 }));
    assert_eq!(arrivals[0].path, "/hook");
    listener.stop().await;

    // The same secret the next time; in JSON, what it prints is JSON Lines alone.
    let mut listener = Listener::run(&shell, &["--forward-to", &to, "--json"]);
    let said: Value = serde_json::from_str(&listener.says("starting").await).unwrap();
    assert_eq!((&said["secret"], &said["forward_to"]), (&json!(secret), &json!(to)));
    assert!(said["resumes_from"].is_string(), "{said}");
    listener.says("\"connected\"").await;
    let third = shell.scene.acme.order(3).await;
    let line: Value = serde_json::from_str(&listener.line().await).unwrap();
    let told = (&line["event"], &line["type"], &line["status"], &line["error"]);
    assert_eq!(told, (&json!(third), &json!("order.created"), &json!(204), &Value::Null));
    assert!(line["duration_ms"].is_u64(), "{line}");
}

#[tokio::test]
async fn a_profile_a_scope_and_a_source_are_heeded() {
    let shell = Shell::new().await;
    let receiver = Receiver::start().await;
    let to = receiver.url();
    let args = ["--forward-to", &to, "--profile", "aly", "--scope", "eu", "--verbose"];
    let mut listener = Listener::run(&shell, &args);
    let secret = secret_of(&listener.says("Signing secret: ").await);
    listener.says("connected").await;
    shell.scene.acme.order(1).await;
    let scoped = json!({ "type": "order.created", "scope": "eu", "data": { "é": 1.0 } });
    let event = shell.scene.acme.publish(scoped).await;
    let arrival = receiver.first(1).await.remove(0);
    assert_eq!(arrival.header("x-aly-event-id"), event);
    assert_eq!(arrival.header("x-aly-attempt"), "1");
    assert_eq!(arrival.json()["site_slug"], "eu");
    assert!(String::from_utf8(arrival.body.clone()).unwrap().contains("\"data\":{\"é\":1.0}"));
    verifies(&shell, &secret, &arrival, "aly").await;
    listener.line().await;
    let shown = [listener.line().await, listener.line().await];
    assert_eq!(shown[0], "  > POST /hook");
    assert!(shown[1].starts_with("  > "), "{shown:?}");
}

#[tokio::test]
async fn without_a_profile_it_is_the_tenants_and_what_is_recorded_stays_in_it() {
    for operator in [false, true] {
        let mut shell = Shell::new().await;
        if operator {
            shell = shell.set("HOOKYARD_API_KEY", OPERATOR_KEY);
        }
        let patch = json!({ "profile": "aly" });
        let answer = shell.scene.server.operator().patch("/v1/tenants/acme", &patch).await;
        answer.expect(200);
        let receiver = Receiver::start().await;
        let to = receiver.url();
        let mut listener = Listener::run(&shell, &["--forward-to", &to, "--record", "kept"]);
        listener.says("as `aly`").await;
        let secret = secret_of(&listener.says("Signing secret: ").await);
        listener.says("connected").await;
        let event = shell.scene.acme.order(1).await;
        let arrival = receiver.first(1).await.remove(0);
        assert_eq!(arrival.header("x-aly-event-id"), event);
        verifies(&shell, &secret, &arrival, "aly").await;
        listener.line().await;
        listener.stop().await;
        shell.table(&["events", "replay", &event, "--forward-to", &to]).await;

        shell.unset("HOOKYARD_API_KEY").unset("HOOKYARD_URL");
        shell.table(&["events", "replay", "kept", "--forward-to", &to]).await;
        shell
            .table(&["events", "replay", "kept", "--forward-to", &to, "--profile", "standard"])
            .await;
        let arrivals = receiver.first(4).await;
        for again in &arrivals[1..3] {
            assert_eq!(again.body, arrival.body);
            verifies(&shell, &secret, again, "aly").await;
        }
        assert_eq!(arrivals[3].event(), event);
    }
}

#[tokio::test]
async fn as_a_webhook_gets_them_is_with_its_profile_its_secret_and_its_headers() {
    let shell = Shell::new().await;
    let (remote, local) = (Receiver::start().await, Receiver::start().await);
    let settings = json!({
        "url": remote.url(), "events": ["order.*"], "profile": "aryeo", "secret": "any string",
        "headers": { "X-Team": "red", "X-Api-Key": "of-the-receiver", "Authorization": "Bearer hush" },
    });
    let endpoint = shell.scene.acme.endpoint(settings).await;
    let args = ["--forward-to", &local.url(), "--webhook", text(&endpoint["id"])];
    let args = [&args[..], &["--header", "x-api-key=of-mine"]].concat();
    let mut listener = Listener::run(&shell, &args);
    // What stands in its place is no credential.
    listener.says("without `Authorization`").await;
    listener.says("Signing secret: any string").await;
    listener.says("connected").await;
    shell.scene.acme.publish(json!({ "type": "other", "data": 1 })).await;
    shell.scene.acme.order(7).await;
    let (there, here) = (remote.first(1).await.remove(0), local.first(1).await.remove(0));
    assert_eq!(there.body, here.body);
    assert_eq!(there.header("signature"), here.header("signature"));
    assert_eq!((here.header("x-team"), here.header("x-api-key")), ("red", "of-mine"));
    assert!(here.headers.iter().all(|it| it.0 != "authorization"), "{here:?}");
    // A key that may only read is not shown the secret.
    let made = shell.json(&["keys", "create", "--name", "r", "--scope", "read"]).await;
    let args = ["listen", "--forward-to", "1", "--webhook", text(&endpoint["id"])];
    let refused = [&args[..], &["--name", "other", "--api-key", text(&made["key"])]].concat();
    shell.fails(&refused, 4).await;
}

#[tokio::test]
async fn a_port_is_found_on_either_address_of_the_machine() {
    let Ok(listener) = tokio::net::TcpListener::bind("[::1]:0").await else {
        println!("this machine has no IPv6: nothing was tried");
        return;
    };
    let address = listener.local_addr().unwrap();
    drop(listener);
    let receiver = Receiver::start_at(address).await;
    let shell = Shell::new().await;
    let to = format!("localhost:{}/hook", address.port());
    let mut listener = Listener::start(&shell, &["--forward-to", &to]).await;
    shell.scene.acme.order(1).await;
    assert!(listener.line().await.contains("  200  "));
    assert_eq!(receiver.arrivals()[0].header("host"), format!("localhost:{}", address.port()));
}

#[tokio::test]
async fn what_is_recorded_is_replayed_without_a_server_and_an_event_with_one() {
    let mut shell = Shell::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number < 4 { 200 } else { 418 })).await;
    let to = receiver.url();
    let mut listener =
        Listener::start(&shell, &["--forward-to", &to, "--record", "kept", "--name", "r"]).await;
    let ids = [shell.scene.acme.order(1).await, shell.scene.acme.order(2).await];
    listener.line().await;
    listener.line().await;
    listener.stop().await;
    let folder = shell.scene.world.path("kept");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    let one = ["events", "replay", &ids[0], "--forward-to", &to];
    assert!(shell.table(&one).await.contains("  200  "));
    shell.unset("HOOKYARD_API_KEY").unset("HOOKYARD_URL");
    let kept = ["events", "replay", folder.to_str().unwrap(), "--forward-to", &to];
    let ran = shell.run(&kept).await;
    assert_eq!(ran.code, Some(1), "the last answer was 418: {ran:#?}");
    let arrivals = receiver.first(5).await;
    let arrived: Vec<_> = arrivals.iter().map(Arrival::event).collect();
    assert_eq!(arrived, [&*ids[0], &ids[1], &ids[0], &ids[0], &ids[1]]);
    assert_eq!((&arrivals[3].body, &arrivals[4].body), (&arrivals[0].body, &arrivals[1].body));
    let rows: Vec<Value> = {
        let ran = shell.run(&[&kept[..], &["--json"]].concat()).await;
        ran.stdout.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    };
    assert_eq!((&rows[0]["event"], &rows[1]["status"]), (&json!(ids[0]), &json!(418)));
    let nobody = ["events", "replay", folder.to_str().unwrap(), "--forward-to", "1"];
    assert_eq!(shell.run(&nobody).await.code, Some(8));
    shell.fails(&["events", "replay", "none", "--forward-to", "1"], 2).await;
}

#[tokio::test]
async fn what_is_too_large_to_be_told_is_fetched_and_brought_exactly() {
    let shell = Shell::new().await;
    let receiver = Receiver::start().await;
    shell
        .scene
        .server
        .operator()
        .patch("/v1/tenants/acme", &json!({ "limits": { "payload_bytes": 4_000_000 } }))
        .await
        .expect(200);
    let _listener = Listener::start(&shell, &["--forward-to", &receiver.url()]).await;
    let data = format!("{{ \"n\": 1.10, \"filler\": \"{}\" }}", "é".repeat(700_000));
    let body = format!("{{\"type\": \"order.created\", \"data\": {data}}}");
    let path = Acme::path("/events");
    let answer = shell.scene.acme.0.send(
        http::Method::POST,
        &path,
        &[("content-type", "application/json")],
        body.into(),
    );
    answer.await.expect(202);
    let arrival = receiver.first(1).await.remove(0);
    let arrived = String::from_utf8(arrival.body).unwrap();
    assert!(arrived.ends_with(&format!("\"data\":{data}}}")), "{}", &arrived[..200]);
}

#[tokio::test]
async fn what_a_source_received_is_brought_byte_for_byte_however_large_it_is() {
    let shell = Shell::new().await;
    let receiver = Receiver::start().await;
    let limits = json!({ "limits": { "payload_bytes": 4_000_000 } });
    let answer = shell.scene.server.operator().patch("/v1/tenants/acme", &limits).await;
    answer.expect(200);
    let to = receiver.url();
    let args = ["--forward-to", &to, "--profile", "aryeo", "--secret", "any", "--record", "kept"];
    let listener = Listener::start(&shell, &args).await;
    let sender = Sender::new(&shell.scene, json!({})).await;
    let spaced = format!(" {{\"a\": \"{}\"}}\n", "b".repeat(1_100_000));
    let bodies: [(&str, Vec<u8>); 3] = [
        ("application/x-www-form-urlencoded", [b"a=%20&b=", &*b"x".repeat(1_500_000)].concat()),
        ("application/octet-stream", (0..1_500_000_u32).map(|it| it as u8).collect()),
        ("application/vnd.other+json", spaced.into_bytes()),
    ];
    let mut events = Vec::new();
    for (kind, body) in &bodies {
        events.push(sender.event(&[("content-type", kind)], body.clone()).await);
    }

    let arrivals = receiver.first(3).await;
    listener.stop().await;
    shell.table(&["events", "replay", "kept", "--forward-to", &to, "--secret", "any"]).await;
    for id in &events {
        let live = ["events", "replay", id, "--forward-to", &to, "--profile", "aryeo"];
        shell.table(&[&live[..], &["--secret", "any"]].concat()).await;
    }
    for (at, arrival) in receiver.first(9).await.iter().enumerate() {
        let (kind, body) = &bodies[at % 3];
        assert!(arrival.body == *body, "{at}: {} bytes of {kind}", arrival.body.len());
        assert_eq!(arrival.header("content-type"), *kind);
    }
    assert_eq!(arrivals.len(), 3);
}

#[tokio::test]
async fn a_listener_for_whom_there_is_no_room_ends_with_7_and_says_when_to_try_again() {
    let shell = Shell::new().await;
    let mut open = Vec::new();
    while let Ok(follower) =
        Follower::try_open(&shell.scene.acme.0, &Acme::path("/stream"), None).await
    {
        open.push(follower);
    }
    for command in [&["listen", "--forward-to", "3000"][..], &["tail"]] {
        let ran = shell.run(command).await;
        let last = ran.stderr.lines().last().unwrap();
        assert!(last.starts_with("error: ") && last.contains("Try again in"), "{ran:#?}");
        assert_eq!(ran.code, Some(7), "{ran:#?}");
        let ran = shell.run(&[command, &["--json"]].concat()).await;
        let last: Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap();
        assert_eq!((ran.code, &last["error"]["exit"]), (Some(7), &json!(7)), "{ran:#?}");
        assert_eq!(
            (&last["error"]["status"], &last["error"]["code"]),
            (&json!(429), &json!("too_many_streams"))
        );
        assert!(last["error"]["retry_after_s"].as_u64() > Some(0), "{last}");
    }
    // With room again, it begins.
    open.clear();
    until("there is room again", async || {
        Follower::try_open(&shell.scene.acme.0, &Acme::path("/stream"), None).await.ok()
    })
    .await;
    Listener::start(&shell, &["--forward-to", "3000"]).await.stop().await;
}

#[tokio::test]
async fn a_listener_that_cannot_begin_says_why_by_its_code() {
    let shell = Shell::new().await;
    // Its words before it fails stand on stderr as well, so only the codes are looked at.
    let code = async |args: &[&str]| {
        let all = [&["listen", "--forward-to", "3000"], args].concat();
        let plain = shell.run(&all).await;
        let json = shell.run(&[&all[..], &["--json"]].concat()).await;
        let last: Value = serde_json::from_str(json.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(last["error"]["exit"], json.code.unwrap(), "{json:#?}");
        assert!(plain.stderr.lines().last().unwrap().starts_with("error: "), "{plain:#?}");
        assert_eq!(plain.code, json.code);
        plain.code.unwrap()
    };
    assert_eq!(code(&["--api-key", "hk_wrong"]).await, 3);
    let made = shell.json(&["keys", "create", "--name", "p", "--scope", "publish"]).await;
    assert_eq!(code(&["--api-key", text(&made["key"])]).await, 4);
    assert_eq!(code(&["--tenant", "nobody"]).await, 5);
    assert_eq!(code(&["--webhook", "wh_00000000000000000000000005"]).await, 5);
    assert_eq!(code(&["--event", "a b"]).await, 6);
    assert_eq!(code(&["--server", "http://127.0.0.1:1"]).await, 8);
    assert_eq!(shell.run(&["listen", "--forward-to", "https://localhost"]).await.code, Some(2));
    assert_eq!(code(&["--secret", "not base64!"]).await, 2);
    let _first = Listener::start(&shell, &["--forward-to", "3000"]).await;
    assert_eq!(code(&[]).await, 6);
}
