//! What befalls nodes and their database, under load: nothing acknowledged is missing, nothing is delivered out of turn, and
//! all goes on by itself. Chance comes from a seed that a failed test shows.

mod database;
mod endpoints;
mod frozen;
mod kills;
mod load;
mod lost_answers;
mod pooler;
mod postgres;
mod tls;

use serde_json::json;

use crate::cluster::Cluster;
use crate::receiver::Receiver;
use crate::scene::{Acme, quick};
use crate::world::Server;

/// Nodes over one database, a tenant, and an endpoint for everything.
struct Stage {
    nodes: Vec<Server>,
    acme: Acme,
    receiver: Receiver,
    cluster: Cluster,
}

impl Stage {
    /// `many` nodes, started with more arguments.
    async fn new(cluster: Cluster, many: usize, args: &[&str]) -> Self {
        let receiver = Receiver::start().await;
        let mut nodes = Vec::new();
        for at in 0..many {
            nodes.push(cluster.node_with(&name(at), args, &[]).await);
        }
        let acme = Acme(nodes[0].operator().tenant("acme").await);
        let endpoint = json!({ "url": receiver.url(), "events": "*", "retry": quick(100) });
        acme.endpoint(endpoint).await;
        Self { nodes, acme, receiver, cluster }
    }

    fn addresses(&self) -> Vec<std::net::SocketAddr> {
        self.nodes.iter().map(|it| it.address).collect()
    }

    fn key(&self) -> &str {
        &self.acme.0.key
    }

    /// Waits until no delivery waits for anything, asked through a node that is there.
    async fn nothing_is_pending(&self) {
        let acme = Acme(self.nodes[0].client(self.key()));
        acme.count_is("status=pending", 0).await;
    }
}

/// A number among a node's metrics; 0 where it has none of that name.
async fn metric(node: &Server, name: &str) -> u64 {
    let answer = node.client("").get("/metrics").await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

/// The name of a node.
fn name(at: usize) -> String {
    format!("node-{at}")
}
