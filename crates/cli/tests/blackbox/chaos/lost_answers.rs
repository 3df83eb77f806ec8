//! The database does what it was asked, and its answer is lost, with every connection to it: whatever it made due is sent by
//! itself when it is there again, and nothing that a publisher may repeat is swallowed.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::inbound::receive::Sender;
use crate::proxy::Proxy;
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Acme, text};
use crate::world::{Server, until};

/// A node that reaches its database by a way that can be lost, and a receiver that fails at first.
struct Stage {
    // In this order: what a node needs goes after it.
    node: Server,
    acme: Acme,
    proxy: Proxy,
    receiver: Receiver,
    cluster: Cluster,
}

/// Where a database is, and its address by way of a proxy.
async fn proxied(url: &str) -> (Proxy, String) {
    let (before, rest) = url.split_once('@').expect("a user");
    let (address, rest) = rest.split_once('/').expect("a database");
    let target: SocketAddr = address.parse().expect("an address of numbers");
    let proxy = Proxy::start(target).await;
    let and = if rest.contains('?') { '&' } else { '?' };
    let url = format!("{before}@{}/{rest}{and}sslmode=disable", proxy.address);
    (proxy, url)
}

impl Stage {
    /// The receiver answers its first `failures` requests with 500.
    async fn new(failures: usize) -> Self {
        let cluster = Cluster::new().await;
        let (proxy, url) = proxied(cluster.url()).await;
        let reply =
            move |_: &Arrival, number| Reply::Status(if number < failures { 500 } else { 200 });
        let receiver = Receiver::scripted(reply).await;
        // It is asked what came of a commit for as long as a statement may take.
        let env = [("HOOKYARD_DATABASE_URL", url.as_str())];
        let node = cluster.node_with("one", &["--database-statement-timeout", "2"], &env).await;
        let acme = Acme(node.operator().tenant("acme").await);
        Self { node, acme, proxy, receiver, cluster }
    }

    async fn endpoint(&self, delays_s: &[u64]) -> Value {
        let retry = json!({ "delays_s": delays_s, "jitter": 0.0 });
        let wanted = json!({ "url": self.receiver.url(), "events": "*", "retry": retry });
        self.acme.endpoint(wanted).await
    }

    /// An event whose delivery failed for good.
    async fn failed(&self) -> (Value, Value) {
        let endpoint = self.endpoint(&[]).await;
        let event = self.acme.order(1).await;
        (endpoint, self.acme.delivery_is(&event, "failed").await)
    }

    /// Asks for something; the answer of the commit in which that is said is lost, and the database with it for a while.
    async fn lost(&self, said: &'static str, path: &str) {
        self.proxy.cut_behind_commit_of(said);
        let (path, nothing) = (Acme::path(path), json!({}));
        let asking = self.acme.0.post(&path, &nothing);
        let (answer, ()) = tokio::join!(asking, self.proxy.is_cut());
        assert!(answer.status >= 500, "{answer:?}");
        self.proxy.open();
    }

    /// Waits until the receiver has taken so many requests, and nothing waits for anything.
    async fn arrived(&self, many: usize) {
        self.receiver.first(many).await;
        until("nothing waits", async || {
            let waiting = "SELECT count(*) FROM delivery WHERE due_ms IS NOT NULL";
            (self.cluster.ask(waiting).await == ["0"]).then_some(())
        })
        .await;
        assert_eq!(self.receiver.count(), many);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_was_refused_and_is_written_is_delivered_when_it_is_repeated() {
    let stage = Stage::new(0).await;
    stage.endpoint(&[]).await;
    stage.acme.order(0).await;
    stage.receiver.first(1).await;

    let publish = async |n: u64| {
        let body = Bytes::from(json!({ "type": "lost", "data": { "n": n } }).to_string());
        let (json, key) = (("content-type", "application/json"), format!("lost-{n}"));
        let headers = [json, ("idempotency-key", key.as_str())];
        stage.acme.0.send(Method::POST, &Acme::path("/events"), &headers, body).await
    };
    stage.proxy.cut_behind_commit_of("lost-7");
    let (refused, ()) = tokio::join!(publish(7), stage.proxy.is_cut());
    assert_eq!(refused.status, 503, "{refused:?}");
    stage.proxy.open();
    // Whoever is refused says it again, and others say more.
    for n in [7, 8] {
        until("it is accepted", async || {
            let answer = publish(n).await;
            assert!([202, 503].contains(&answer.status), "{answer:?}");
            (answer.status == 202).then_some(())
        })
        .await;
    }
    let arrivals = stage.receiver.first(3).await;
    let numbers: BTreeSet<u64> = arrivals.iter().map(Arrival::number).collect();
    assert_eq!(numbers, BTreeSet::from([0, 7, 8]));
    stage.acme.count_is("status=succeeded", 3).await;
    assert!(stage.node.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_by_hand_whose_answer_is_lost_is_made() {
    let stage = Stage::new(1).await;
    let (_, delivery) = stage.failed().await;
    let path = format!("/deliveries/{}/retry", text(&delivery["id"]));
    stage.lost("due_ms = $5, updated_ms = $5", &path).await;
    stage.arrived(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_whose_answer_is_lost_is_delivered() {
    let stage = Stage::new(1).await;
    let (_, delivery) = stage.failed().await;
    let path = format!("/events/{}/replay", text(&delivery["event_id"]));
    stage.lost("INSERT INTO replayed", &path).await;
    stage.arrived(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_step_of_a_job_whose_answer_is_lost_is_delivered() {
    let stage = Stage::new(1).await;
    let (endpoint, _) = stage.failed().await;
    stage.proxy.cut_behind_commit_of("done = done + $2");
    let path = Acme::path(&format!("/endpoints/{}/recover", text(&endpoint["id"])));
    let wanted = json!({ "since": "2020-01-01T00:00:00Z" });
    let (job, ()) = tokio::join!(stage.acme.0.post(&path, &wanted), stage.proxy.is_cut());
    stage.proxy.open();
    let job = job.expect(202);
    stage.arrived(2).await;
    until("the job has ended", async || {
        let path = Acme::path(&format!("/jobs/{}", text(&job["id"])));
        let job = stage.acme.0.get(&path).await;
        (job.status == 200 && job.json()["status"] == "done").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_whose_answer_is_lost_is_delivered() {
    let stage = Stage::new(0).await;
    stage.endpoint(&[]).await;
    let sender = Sender::of(&stage.acme, json!({})).await;
    let act = |verb| Acme::path(&format!("/sources/{}/{verb}", text(&sender.source["id"])));
    stage.acme.0.post(&act("pause"), &json!({})).await.expect(200);
    sender.event(&[], json!({ "type": "order.created", "n": 1 }).to_string()).await;
    stage.proxy.cut_behind_commit_of("DELETE FROM held");
    // Its answer may be lost in what follows.
    let (resume, wanted) = (act("resume"), json!({}));
    let (_, ()) = tokio::join!(stage.acme.0.post(&resume, &wanted), stage.proxy.is_cut());
    stage.proxy.open();
    stage.arrived(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_take_over_whose_answer_is_lost_is_delivered_by_whoever_took_over() {
    let stage = Stage::new(1).await;
    // This one dies with a retry that it would make.
    let other = stage.cluster.node("two").await;
    let acme = Acme(other.client(&stage.acme.0.key));
    stage.endpoint(&[2]).await;
    let event = acme.order(1).await;
    until("a first attempt", async || {
        let owned = "SELECT count(*) FROM delivery WHERE due_ms IS NOT NULL AND owner = 2";
        (stage.cluster.ask(owned).await == ["1"]).then_some(())
    })
    .await;
    // In what ends the only piece.
    stage.proxy.cut_behind_commit_of("UPDATE node SET status = $2 WHERE no = $1");
    other.kill_9().await;
    stage.proxy.is_cut().await;
    until("it is taken over", async || {
        let owner = "SELECT owner::text FROM delivery WHERE attempts = 1";
        (stage.cluster.ask(owner).await == ["1"]).then_some(())
    })
    .await;
    stage.proxy.open();
    stage.arrived(2).await;
    stage.acme.delivery_is(&event, "succeeded").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_and_no_lane_was_told_of_is_found() {
    let stage = Stage::new(1).await;
    stage.failed().await;
    let due = "UPDATE delivery SET status = 0, reason = NULL, due_ms = updated_ms - 60000";
    stage.cluster.ask(due).await;
    stage.arrived(2).await;
}
