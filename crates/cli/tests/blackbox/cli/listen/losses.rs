//! What a listener lives through: nothing missed, order kept.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, interval, sleep};

use super::{Listener, events};
use crate::cli::Shell;
use crate::cluster::Cluster;
use crate::proxy::Proxy;
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::Acme;
use crate::world::{Server, until};

/// Somebody at a shell whose way to the server can be lost.
async fn through_a_proxy() -> (Shell, Proxy) {
    let shell = Shell::new().await;
    let proxy = Proxy::start(shell.scene.server.address).await;
    let url = format!("http://{}", proxy.address);
    (shell.set("HOOKYARD_URL", &url), proxy)
}

/// Waits until all of these have arrived, and looks whether they came in this order.
async fn all_arrive(receiver: &Receiver, published: &[String]) -> Vec<Arrival> {
    let last = published.last().unwrap();
    let what = format!("all of {} events", published.len());
    until(&what, async || {
        let fresh = receiver.from(receiver.count().saturating_sub(100));
        fresh.iter().any(|it| it.event() == last).then_some(())
    })
    .await;
    let arrivals = receiver.arrivals();
    assert_eq!(events(&arrivals), published, "each, in order");
    arrivals
}

#[tokio::test]
async fn a_server_that_restarts_costs_nothing_and_is_told_of() {
    let (mut shell, proxy) = through_a_proxy().await;
    let receiver = Receiver::start().await;
    let mut listener = Listener::start(&shell, &["--forward-to", &receiver.url()]).await;
    let mut published = shell.scene.acme.orders(0..20).await;
    // In the middle of things as a power cut, then in good order.
    shell.scene = shell.scene.after_kill_9().await;
    let said = listener.says("not connected").await;
    assert!(said.contains("trying again in"), "{said}");
    published.extend(shell.scene.acme.orders(20..40).await);
    proxy.lead_to(shell.scene.server.address);
    listener.says("connected again").await;
    published.extend(shell.scene.acme.orders(40..60).await);
    shell.scene = shell.scene.after_stop().await;
    published.extend(shell.scene.acme.orders(60..80).await);
    proxy.lead_to(shell.scene.server.address);
    listener.says("connected again").await;
    let arrivals = all_arrive(&receiver, &published).await;
    assert_eq!(arrivals.len(), published.len(), "and none twice");
}

#[tokio::test]
async fn a_rolling_upgrade_of_three_nodes_costs_nothing() {
    const NAMES: [&str; 3] = ["one", "two", "three"];
    let cluster = Cluster::new().await;
    let mut nodes = Vec::new();
    for name in NAMES {
        nodes.push(cluster.node(name).await);
    }
    let acme = Acme(nodes[0].operator().tenant("acme").await);
    let proxy = Proxy::start(nodes[0].address).await;
    let shell = Shell::new().await;
    let shell = shell.set("HOOKYARD_URL", &format!("http://{}", proxy.address));
    let shell = shell.set("HOOKYARD_API_KEY", &acme.0.key);
    let receiver = Receiver::start().await;
    let mut listener = Listener::start(&shell, &["--forward-to", &receiver.url()]).await;
    // What each node accepted, in order.
    let mut published: [Vec<String>; 3] = Default::default();
    let mut next = 0;
    let mut publish = async |by: usize, node: &Server, published: &mut [Vec<String>; 3]| {
        for _ in 0..5 {
            let acme = Acme(node.client(&acme.0.key));
            published[by].extend(acme.orders(next..next + 4).await);
            next += 4;
        }
    };
    for at in 0..NAMES.len() {
        for (by, node) in nodes.iter().enumerate() {
            publish(by, node, &mut published).await;
        }
        let address = nodes[at].address;
        nodes[at].signal("TERM").await;
        // While it stops and is away, the others accept; then the one behind the address is another.
        for by in [(at + 1) % 3, (at + 2) % 3] {
            publish(by, &nodes[by], &mut published).await;
        }
        assert!(nodes[at].ended().await.success());
        listener.says("not connected").await;
        proxy.lead_to(nodes[(at + 1) % 3].address);
        let said = listener.says("connected again").await;
        assert!(said.contains("nothing is missed"), "{said}");
        publish((at + 1) % 3, &nodes[(at + 1) % 3], &mut published).await;
        let listen = address.to_string();
        nodes[at] = cluster.node_with(NAMES[at], &["--listen", &listen], &[]).await;
        publish(at, &nodes[at], &mut published).await;
    }
    let all: usize = published.iter().map(Vec::len).sum();
    let arrivals = receiver.first(all).await;
    // Among what one node accepted there is an order, and it is kept.
    let arrived = events(&arrivals);
    for (by, published) in published.iter().enumerate() {
        let of_node: Vec<_> = arrived.iter().filter(|it| published.contains(it)).collect();
        assert!(of_node.into_iter().eq(published), "of {}: each, in order", NAMES[by]);
    }
    listener.stop().await;
    assert_eq!((arrived.len(), receiver.count()), (all, all), "and none twice");
}

#[tokio::test]
async fn a_listener_that_dies_goes_on_where_it_stopped() {
    let shell = Shell::new().await;
    let receiver = Receiver::start().await;
    let args = ["--forward-to", &receiver.url()];
    let listener = Listener::start(&shell, &args).await;
    let mut published = shell.scene.acme.orders(0..30).await;
    receiver.first(10).await;
    listener.kill().await;
    published.extend(shell.scene.acme.orders(30..60).await);
    let mut listener = Listener::run(&shell, &args);
    listener.says("Going on behind").await;
    all_arrive(&receiver, &published).await;
    listener.stop().await;
    // What happens while it is away is brought as well, unless it is to begin now.
    published.extend(shell.scene.acme.orders(60..70).await);
    let listener = Listener::start(&shell, &args).await;
    let before = all_arrive(&receiver, &published).await.len();
    listener.stop().await;
    shell.scene.acme.orders(70..80).await;
    let _listener =
        Listener::start(&shell, &["--forward-to", &receiver.url(), "--from", "now"]).await;
    published.extend(shell.scene.acme.orders(80..81).await);
    let arrivals = all_arrive(&receiver, &published).await;
    assert_eq!(arrivals.len(), before + 1);
}

/// The network is gone for so long, without a word; events go on.
async fn lost_for(span: Duration, silence: Option<&str>) {
    let (shell, proxy) = through_a_proxy().await;
    let receiver = Receiver::start().await;
    let to = receiver.url();
    let mut args = vec!["--forward-to", &to];
    args.extend(silence.iter().flat_map(|it| ["--silence", it]));
    let mut listener = Listener::start(&shell, &args).await;
    let mut published = shell.scene.acme.orders(0..5).await;
    receiver.first(5).await;
    proxy.fall_silent();
    let began = Instant::now();
    let mut n = 5;
    let mut tick = interval(Duration::from_millis(200));
    while began.elapsed() < span {
        tick.tick().await;
        published.extend(shell.scene.acme.orders(n..n + 5).await);
        n += 5;
    }
    assert_eq!(receiver.count(), 5);
    proxy.open();
    published.extend(shell.scene.acme.orders(n..n + 5).await);
    let said = listener.says("connected again").await;
    assert!(said.contains("nothing is missed"), "{said}");
    all_arrive(&receiver, &published).await;
}

#[tokio::test]
async fn a_network_that_falls_silent_is_noticed_and_nothing_is_missed() {
    lost_for(Duration::from_secs(5), Some("2s")).await;
}

#[tokio::test]
async fn a_minute_without_a_network_costs_nothing() {
    lost_for(Duration::from_secs(60), None).await;
}

#[tokio::test]
async fn a_way_that_is_cut_is_taken_again_when_it_is_there() {
    let (shell, proxy) = through_a_proxy().await;
    let receiver = Receiver::start().await;
    let args = ["--forward-to", &receiver.url(), "--json"];
    let mut listener = Listener::start(&shell, &args).await;
    let mut published = Vec::new();
    for round in 0..3 {
        published.extend(shell.scene.acme.orders(round * 20..round * 20 + 10).await);
        proxy.cut();
        let said: Value = serde_json::from_str(&listener.says("not connected").await).unwrap();
        assert_eq!(said["state"], "not connected");
        published.extend(shell.scene.acme.orders(round * 20 + 10..round * 20 + 20).await);
        proxy.open();
        listener.says("connected again").await;
    }
    all_arrive(&receiver, &published).await;
}

#[tokio::test]
async fn a_listener_that_is_stopped_and_wakes_up_misses_nothing() {
    let shell = Shell::new().await;
    let receiver = Receiver::start().await;
    let listener = Listener::start(&shell, &["--forward-to", &receiver.url()]).await;
    let mut published = shell.scene.acme.orders(0..10).await;
    receiver.first(5).await;
    listener.signal("STOP").await;
    published.extend(shell.scene.acme.orders(10..500).await);
    // Longer than anything that could bring it to it while it sleeps.
    sleep(Duration::from_secs(1)).await;
    assert!(receiver.count() < 50);
    listener.signal("CONT").await;
    all_arrive(&receiver, &published).await;
}

#[tokio::test]
async fn a_local_port_that_is_down_is_waited_for() {
    let shell = Shell::new().await;
    let receiver = Receiver::start().await;
    let address = receiver.address;
    let to = receiver.url();
    let mut listener = Listener::start(&shell, &["--forward-to", &to]).await;
    let mut published = shell.scene.acme.orders(0..5).await;
    let first = receiver.first(5).await;
    assert_eq!(events(&first), published);
    drop(receiver);
    published.extend(shell.scene.acme.orders(5..50).await);
    let said = listener.says("nobody listens at").await;
    assert!(said.contains("waiting for it"), "{said}");
    let receiver = Receiver::start_at(address).await;
    listener.says("is there again").await;
    all_arrive(&receiver, &published[5..]).await;
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_told_and_what_comes_after_is_brought() {
    let shell = Shell::new().await;
    let receiver = Receiver::scripted(|_, number| match number {
        0 => Reply::Hang,
        1 | 2 => Reply::Break,
        3 => Reply::Flood,
        _ => Reply::Status(200),
    })
    .await;
    let args = ["--forward-to", &receiver.url(), "--timeout", "1s"];
    let mut listener = Listener::start(&shell, &args).await;
    let published = shell.scene.acme.orders(0..5).await;
    for (id, words) in published.iter().zip(["no answer within 1 s", "", "", "  200  ", "  200  "])
    {
        let line = listener.line().await;
        assert!(line.contains(id) && line.contains(words), "{line}");
    }
    assert_eq!(receiver.count(), 5);
}

#[tokio::test]
async fn a_thousand_events_a_second_are_brought_in_order() {
    let shell = Shell::new().await;
    let receiver = Receiver::start().await;
    let _listener = Listener::start(&shell, &["--forward-to", &receiver.url()]).await;
    let mut published = Vec::new();
    let mut tick = interval(Duration::from_millis(100));
    for round in 0..50 {
        tick.tick().await;
        published.extend(shell.scene.acme.orders(round * 100..round * 100 + 100).await);
    }
    let arrivals = all_arrive(&receiver, &published).await;
    assert_eq!(arrivals.len(), published.len());
}
