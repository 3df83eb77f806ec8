//! One node over PostgreSQL.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::cluster::{Cluster, MASTER_KEY};
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, quick};
use crate::world::World;

#[tokio::test]
async fn what_is_accepted_over_postgres_is_delivered_and_nothing_is_lost_by_restarts() {
    let cluster = Cluster::new().await;
    let up = Arc::new(AtomicBool::new(false));
    let is_up = Arc::clone(&up);
    let receiver = Receiver::scripted(move |_, _| {
        Reply::Status(if is_up.load(Ordering::Relaxed) { 200 } else { 503 })
    })
    .await;
    let server = cluster.node("one").await;
    let acme = Acme(server.operator().tenant("acme").await);
    let key = acme.0.key.clone();
    let endpoint = json!({ "url": receiver.url(), "events": "*", "retry": quick(100) });
    acme.endpoint(endpoint).await;
    acme.orders(0..50).await;
    server.kill_9().await;

    let server = cluster.node("one").await;
    let acme = Acme(server.client(&key));
    acme.orders(50..100).await;
    assert!(server.stop().await.success());

    up.store(true, Ordering::Relaxed);
    let server = cluster.node("one").await;
    let acme = Acme(server.client(&key));
    acme.orders(100..150).await;
    acme.count_is("status=succeeded", 150).await;
    let numbers: BTreeSet<u64> = receiver.arrivals().iter().map(Arrival::number).collect();
    assert!((0..150).eq(numbers), "not all arrived");
    assert_eq!(cluster.ask("SELECT name FROM node").await, ["one"]);
    server.stop().await;
}

#[tokio::test]
async fn a_server_without_a_master_key_does_not_start_over_postgres() {
    let world = World::new();
    let args = ["serve", "--database-url", "postgres://me:hunter2@127.0.0.1:1/x"];
    let ran = world.run(&args).await;
    ran.refused(2, &["HOOKYARD_MASTER_KEY", "--database-url"]);
    assert!(!ran.stderr.contains("hunter2"), "{ran:#?}");
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_said_without_its_password() {
    let world = World::new();
    let args = ["serve", "--listen", "127.0.0.1:0"];
    let env = [
        ("HOOKYARD_DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/x"),
        ("HOOKYARD_MASTER_KEY", MASTER_KEY),
    ];
    let ran = world.run_with(&args, &env).await;
    ran.refused(8, &["--database-url", "refused"]);
    assert!(!ran.stderr.contains("hunter2"), "{ran:#?}");
    let env = [
        ("HOOKYARD_DATABASE_URL", "postgres://me:hunter2@host:port/x"),
        ("HOOKYARD_MASTER_KEY", MASTER_KEY),
    ];
    let ran = world.run_with(&args, &env).await;
    ran.refused(2, &["database URL"]);
    assert!(!ran.stderr.contains("hunter2"), "{ran:#?}");
}

#[tokio::test]
async fn migrate_and_doctor_know_the_database_and_backup_does_not() {
    let cluster = Cluster::new().await;
    let doctor = async || -> Value {
        let ran = cluster.run(&["doctor", "--json"]).await;
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        // A server for tests may run without `fsync`, which is nothing to overlook in another.
        for check in report["checks"].as_array().unwrap() {
            let is_testing = check["check"] == "database settings"
                && check["message"].as_str().unwrap().contains("fsync");
            assert!(check["state"] != "fail" || is_testing, "{check}");
        }
        report
    };
    let message = |report: &Value, what: &str| {
        let checks = report["checks"].as_array().unwrap();
        let found = checks.iter().find(|it| it["check"] == what);
        found.map(|it| it["message"].as_str().unwrap().to_owned()).unwrap_or_default()
    };
    let before = doctor().await;
    assert!(message(&before, "store").contains("none yet"), "{before}");
    let ran = cluster.run(&["migrate"]).await.ok();
    assert!(ran.stdout.contains("from version 0"), "{ran:#?}");
    let ran = cluster.world.run(&["migrate", "--database-url", cluster.url()]).await.ok();
    assert!(ran.stdout.contains("already at version"), "{ran:#?}");
    let after = doctor().await;
    assert!(message(&after, "database").contains("PostgreSQL"), "{after}");
    assert!(message(&after, "master key").contains("opens"), "{after}");
    assert!(message(&after, "oldest due delivery").contains("none"), "{after}");
    assert!(message(&after, "partitions").contains("in each table"), "{after}");
    assert!(message(&after, "standbys").contains("none"), "{after}");
    assert!(!message(&after, "database settings").is_empty(), "{after}");
    let one = cluster.node("one").await;
    assert_eq!(message(&doctor().await, "nodes"), "serving: one");
    assert!(one.stop().await.success());
    assert!(message(&doctor().await, "nodes").contains("next start: one"));
    for command in ["backup", "restore"] {
        cluster.run(&[command, "x.db"]).await.refused(2, &[command, "embedded store"]);
    }
}

#[tokio::test]
async fn the_operators_key_that_the_first_node_made_is_every_nodes() {
    let cluster = Cluster::new().await;
    let start = async |name| {
        let mut command = cluster.command(name, &[]);
        command.env_remove("HOOKYARD_OPERATOR_KEY");
        cluster.start(name, command).await
    };
    let (one, two) = (start("one").await, start("two").await);
    let key = one.greeting[0].rsplit(' ').next().unwrap();
    assert_eq!(two.greeting.len(), 1, "a second key was made: {:?}", two.greeting);
    one.client(key).tenant("acme").await;
    two.client(key).get("/v1/tenants/acme").await.expect(200);
}
