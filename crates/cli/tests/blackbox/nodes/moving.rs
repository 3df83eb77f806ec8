//! `hookyard migrate --from`: out of a folder and into a database, whatever happens on the way.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::cluster::{Cluster, MASTER_KEY};
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, quick};
use crate::world::{OPERATOR_KEY, Server, until};

async fn embedded(cluster: &Cluster) -> Server {
    let env = [("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY), ("HOOKYARD_MASTER_KEY", MASTER_KEY)];
    cluster.world.serve_with(&[], &env).await
}

/// How many events are in the database by now.
async fn arrived(cluster: &Cluster) -> u64 {
    let tables = cluster.ask("SELECT count(*) FROM pg_class WHERE relname = 'event'").await;
    if tables != ["1"] {
        return 0;
    }
    cluster.ask("SELECT count(*) FROM event").await[0].parse().unwrap()
}

#[tokio::test]
async fn a_folder_is_moved_into_a_database_with_all_that_is_owed_though_the_move_is_killed() {
    const DELIVERED: u64 = 100;
    const ALL: u64 = 400;
    let cluster = Cluster::new().await;
    let up = Arc::new(AtomicBool::new(true));
    let is_up = Arc::clone(&up);
    let receiver = Receiver::scripted(move |_, _| {
        Reply::Status(if is_up.load(Ordering::Relaxed) { 200 } else { 503 })
    })
    .await;
    let server = embedded(&cluster).await;
    let acme = Acme(server.operator().tenant("acme").await);
    let endpoint = json!({ "url": receiver.url(), "events": "*", "retry": quick(100) });
    let made = acme.endpoint(endpoint).await;
    acme.orders(0..DELIVERED).await;
    acme.count_is("status=succeeded", DELIVERED as usize).await;
    up.store(false, Ordering::Relaxed);
    let ids = acme.orders(DELIVERED..ALL).await;
    let data = cluster.world.data();
    let from = ["migrate", "--from", data.to_str().unwrap(), "--batch", "5"];
    cluster.run(&from).await.refused(1, &["another Hookyard serves"]);
    assert!(server.stop().await.success());

    let mut command = cluster.world.hookyard(&from);
    command.args(["--to", cluster.url()]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut moving = command.spawn().unwrap();
    until("the move is under way", async || (arrived(&cluster).await > 0).then_some(())).await;
    moving.kill().await.unwrap();
    let half = arrived(&cluster).await;
    assert!(half < ALL, "it had ended before it was killed");
    cluster.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused(1, &["not finished"]);

    let ran = cluster.run(&from).await.ok();
    assert!(ran.stdout.contains("the same on both sides"), "{ran:#?}");
    assert!(ran.stdout.lines().any(|it| it.starts_with("event  ") && it.contains(" 400 ")));
    assert!(ran.stderr.contains("HOOKYARD_MASTER_KEY"), "{ran:#?}");
    let ran = cluster.run(&from).await.ok();
    assert!(ran.stdout.contains("before"), "{ran:#?}");

    up.store(true, Ordering::Relaxed);
    let server = cluster.node("one").await;
    let acme = Acme(server.client(&acme.0.key));
    assert_eq!(acme.endpoint_now(&made["id"]).await["url"], made["url"]);
    acme.count_is("status=succeeded", ALL as usize).await;
    let numbers: BTreeSet<u64> = receiver.arrivals().iter().map(Arrival::number).collect();
    assert!((0..ALL).eq(numbers), "not all arrived");
    acme.delivery_is(&ids[0], "succeeded").await;
    // Signed with the secret that came along sealed.
    let secret = crate::scene::text(&made["secret"]).to_owned();
    acme.orders(ALL..ALL + 1).await;
    let last = until("the next order", async || {
        receiver.arrivals().into_iter().find(|it| it.number() == ALL)
    })
    .await;
    let body = String::from_utf8(last.body.clone()).unwrap();
    let checked = json!({
        "scheme": "standard",
        "secret": secret,
        "payload": body,
        "headers": {
            "webhook-id": last.event(),
            "webhook-timestamp": last.header("webhook-timestamp"),
            "webhook-signature": last.header("webhook-signature"),
        },
    });
    let said = acme.0.post("/v1/signatures/verify", &checked).await.expect(200);
    assert_eq!(said["valid"], true, "{said}");
    server.stop().await;
}

#[tokio::test]
async fn only_a_folder_with_a_store_is_moved_and_only_into_an_empty_database() {
    let cluster = Cluster::new().await;
    let data = cluster.world.data();
    let from = ["migrate", "--from", data.to_str().unwrap()];
    cluster.world.run(&from).await.refused(2, &["--to"]);
    cluster.run(&from).await.refused(2, &["holds no store"]);
    embedded(&cluster).await.stop().await;
    let server = cluster.node("one").await;
    server.operator().tenant("acme").await;
    cluster.run(&from).await.refused(6, &["holds tenants already", "empty"]);
    server.stop().await;
}
