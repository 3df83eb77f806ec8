//! Nodes are killed with -9 and started again at random, under load.

use std::time::Duration;

use tokio::time::Instant;

use super::load::{Load, all_arrive};
use super::{Stage, metric, name};
use crate::cluster::{Cluster, LEASE_S};
use crate::crash::dice::Dice;
use crate::world::until;

/// Events that are acknowledged in the end.
const EVENTS: usize = 50_000;
const NODES: usize = 3;
/// Events of one request at most.
const BATCH: u64 = 100;
/// Attempts of a node under way at once.
const IN_FLIGHT: &str = "16";
/// Deliveries that may arrive twice for one kill: those under way, and those that ended but were not recorded: the commit
/// that was being written and the one that was filling up meanwhile.
const TWICE_MAX: usize = 16 * 8;
/// How long after the lease a silent node may be found: the others look now and then, on a machine that is busy.
const LOOKED_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_thousand_events_arrive_though_nodes_are_killed_and_started_again_at_random() {
    let mut dice = Dice::new();
    let args = ["--max-in-flight", IN_FLIGHT];
    let mut stage = Stage::new(Cluster::new().await, NODES, &args).await;
    let load = Load::start((4, BATCH), EVENTS, stage.key(), stage.addresses(), &mut dice);
    let (mut kills, mut waited) = (0, 0);
    let mut longest = Duration::ZERO;
    while !load.is_done() || waited == 0 {
        load.more(usize::try_from(dice.below(1_500)).unwrap() + 100).await;
        let victim = usize::try_from(dice.below(NODES as u64)).unwrap();
        let others = (victim + 1) % NODES;
        let before = takeovers(&stage, victim).await;
        let address = stage.nodes[others].address;
        let killed = Instant::now();
        stage.nodes.remove(victim).kill_9().await;
        kills += 1;
        load.nodes(stage.addresses());
        // Now and then it stays away until the others have noticed.
        if waited == 0 || dice.below(3) == 0 {
            until("the others take over", async || {
                let mut now = 0;
                for node in &stage.nodes {
                    now += metric(node, "hookyard_takeovers_total").await;
                }
                (now > before).then_some(())
            })
            .await;
            waited += 1;
            longest = longest.max(killed.elapsed());
        }
        let node = stage.cluster.node_with(&name(victim), &args, &[]).await;
        stage.nodes.insert(victim, node);
        assert_eq!(stage.nodes[others].address, address);
        load.nodes(stage.addresses());
    }
    let lease = Duration::from_secs(LEASE_S.parse().unwrap());
    assert!(longest < lease + LOOKED_WITHIN, "a take-over began only after {longest:?}");
    let acknowledged = load.stop().await;
    let twice = all_arrive(&stage.receiver, &acknowledged).await;
    eprintln!(
        "{} acknowledged, {kills} kills, {waited} take-overs waited for, the slowest begun after {longest:?}; {twice} arrivals \
         more than events",
        acknowledged.len()
    );
    assert!(acknowledged.len() >= EVENTS);
    assert!(twice <= kills * TWICE_MAX, "{twice} twice for {kills} kills");
    stage.nothing_is_pending().await;
    for node in stage.nodes {
        assert!(node.stop().await.success());
    }
}

/// Take-overs that nodes other than this one have counted.
async fn takeovers(stage: &Stage, but: usize) -> u64 {
    let mut all = 0;
    for (at, node) in stage.nodes.iter().enumerate() {
        if at != but {
            all += metric(node, "hookyard_takeovers_total").await;
        }
    }
    all
}
