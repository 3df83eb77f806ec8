//! The database is restarted in the midst, or is gone for good and its standby takes its place.

use std::collections::BTreeSet;

use super::Stage;
use super::load::{Load, all_arrive};
use super::postgres::Postgres;
use crate::cluster::Cluster;
use crate::crash::dice::Dice;
use crate::scene::text;
use crate::world::until;

/// Waits until every node says that it can accept.
async fn all_ready(stage: &Stage) {
    for node in &stage.nodes {
        until("the node is ready again", async || {
            (node.client("").get("/readyz").await.status == 200).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_restarts_at_once_costs_503s_and_nothing_acknowledged() {
    let mut dice = Dice::new();
    let postgres = Postgres::start("").await;
    let stage = Stage::new(Cluster::on(&postgres.url()).await, 2, &[]).await;
    let load = Load::start((8, 1), usize::MAX, stage.key(), stage.addresses(), &mut dice);
    for _ in 0..3 {
        load.more(usize::try_from(dice.below(200)).unwrap() + 100).await;
        let refused = load.refused();
        postgres.restart_immediately().await;
        all_ready(&stage).await;
        load.more(50).await;
        assert!(load.refused() > refused, "nobody was told to come back later");
    }
    let broken = load.broken();
    assert_eq!(broken, 0, "requests that nobody answered");
    let acknowledged = load.stop().await;
    let twice = all_arrive(&stage.receiver, &acknowledged).await;
    eprintln!("{} acknowledged, {twice} arrivals more", acknowledged.len());
    stage.nothing_is_pending().await;
    for node in stage.nodes {
        assert!(node.stop().await.success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_primary_is_killed_and_its_standby_promoted_nothing_acknowledged_is_missing() {
    let mut dice = Dice::new();
    let primary = Postgres::start("-c synchronous_standby_names=standby").await;
    // Until the standby is there, nothing that is written is confirmed.
    let standby = primary.standby().await;
    primary.is_confirmed().await;
    let server = format!(
        "postgres://hookyard@{},{}/postgres?target_session_attrs=read-write",
        primary.host(),
        standby.host()
    );
    let stage = Stage::new(Cluster::on(&server).await, 2, &[]).await;
    let told = stage.cluster.run(&["doctor"]).await.stdout;
    for part in ["standby (synchronous", "serving: node-0, node-1", "`fsync` is off"] {
        assert!(told.contains(part), "`{part}` is missing in {told}");
    }
    let load = Load::start((8, 1), usize::MAX, stage.key(), stage.addresses(), &mut dice);
    load.more(usize::try_from(dice.below(300)).unwrap() + 200).await;
    primary.kill_9().await;
    standby.promote().await;
    all_ready(&stage).await;
    load.more(200).await;
    let acknowledged = load.stop().await;
    all_arrive(&stage.receiver, &acknowledged).await;
    stage.nothing_is_pending().await;
    // The history of the promoted one has all of it too.
    let listed = stage.acme.deliveries("status=succeeded").await;
    let listed: BTreeSet<&str> = listed.iter().map(|it| text(&it["event_id"])).collect();
    assert!(listed.len() >= acknowledged.len(), "{} of {}", listed.len(), acknowledged.len());
    for node in stage.nodes {
        assert!(node.stop().await.success());
    }
}
