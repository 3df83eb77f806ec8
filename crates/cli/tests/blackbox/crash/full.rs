//! A disk that takes no more: publishers are told, and all is well when there is room again.

use std::collections::HashSet;

use http::Method;
use tokio::process::Command;

use crate::receiver::{Arrival, Receiver};
use crate::scene::{Acme, Scene, order, text};
use crate::world::{OPERATOR_KEY, Server, World, until};

/// Starts a server that survives the signal which comes with a limit on the size of files, so that its writes fail instead,
/// as they do on a full disk.
async fn limitable(world: &World) -> Server {
    let data = world.data();
    let plain = world.hookyard(&[]);
    let mut command = world.hookyard_through("sh", &["-c", r#"trap '' XFSZ; exec "$@""#, "sh"]);
    command.arg(plain.as_std().get_program());
    command.args(["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    command.args(["--allow-http", "--allow-network", "127.0.0.0/8"]);
    command.env("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY);
    Server::start(command, world.path("stderr.log")).await
}

/// Limits the size of its files; what lies beyond cannot be written.
async fn limit(server: &Server, bytes: &str) {
    let pid = server.pid().to_string();
    let soft = format!("--fsize={bytes}:");
    let mut command = Command::new("prlimit");
    let output = command.args(["--pid", &pid, &soft]).output().await;
    let output = output.expect("`prlimit` of util-linux is needed");
    assert!(output.status.success(), "{output:?}");
}

async fn publish(acme: &Acme, n: u64) -> Option<String> {
    let json = [("content-type", "application/json")];
    let body = order(n).to_string().into();
    let answer = acme.0.send(Method::POST, &Acme::path("/events"), &json, body).await;
    if answer.status == 202 {
        return Some(text(&answer.json()["id"]).to_owned());
    }
    let problem = answer.expect(503);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(problem["code"], "unavailable", "{problem}");
    assert!(!problem.to_string().contains("disk"), "a cause is shown: {problem}");
    None
}

#[tokio::test]
async fn a_full_disk_is_told_to_publishers_and_forgotten_when_there_is_room() {
    let world = World::new();
    let server = limitable(&world).await;
    let acme = Acme(server.operator().tenant("acme").await);
    let receiver = Receiver::start().await;
    acme.endpoint_at(&receiver.url()).await;
    let mut acknowledged = HashSet::new();
    for n in 0..20 {
        acknowledged.insert(publish(&acme, n).await.expect("there is room"));
    }
    acme.count_is("status=succeeded", 20).await;

    // Not even the log can be written to, which lies on the same disk more often than not.
    limit(&server, "1").await;
    for n in 20..30 {
        assert_eq!(publish(&acme, n).await, None, "acknowledged, but on no disk");
    }
    assert_eq!(acme.0.get("/readyz").await.status, 503);
    assert_eq!(acme.0.get("/healthz").await.status, 200, "it is alive, and to be left alone");
    assert_eq!(acme.deliveries("").await.len(), 20, "what is there can still be read");

    limit(&server, "unlimited").await;
    let next = until("it takes events again", async || publish(&acme, 30).await).await;
    acknowledged.insert(next);
    until("it says so", async || (acme.0.get("/readyz").await.status == 200).then_some(())).await;
    acme.count_is("status=succeeded", acknowledged.len()).await;
    let arrived: HashSet<_> =
        receiver.arrivals().iter().map(|it: &Arrival| it.event().to_owned()).collect();
    assert_eq!(arrived, acknowledged, "exactly what was acknowledged is delivered");

    let scene = Scene::of(world, server, acme).after_kill_9().await;
    let listed = scene.acme.deliveries("status=succeeded").await;
    let listed: HashSet<_> = listed.iter().map(|it| text(&it["event_id"]).to_owned()).collect();
    assert_eq!(listed, acknowledged);
}

#[tokio::test]
async fn what_happened_while_the_disk_was_full_is_recorded_when_there_is_room() {
    let world = World::new();
    let server = limitable(&world).await;
    let acme = Acme(server.operator().tenant("acme").await);
    let receiver = Receiver::start().await;
    let id = acme.endpoint_at(&receiver.url()).await["id"].clone();
    acme.ask(&id, "pause").await;
    acme.orders(0..200).await;
    acme.ask(&id, "resume").await;
    receiver.first(1).await;
    limit(&server, "1").await;
    receiver.first(200).await;
    limit(&server, "unlimited").await;
    acme.count_is("status=succeeded", 200).await;
    let scene = Scene::of(world, server, acme).after_kill_9().await;
    assert_eq!(scene.acme.deliveries("status=succeeded").await.len(), 200);
    assert_eq!(receiver.count(), 200, "each once, since each was recorded in the end");
}
