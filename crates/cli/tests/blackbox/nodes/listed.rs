//! The list of nodes: who serves, who was lost, who left, who is gone; and who may read it.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, Scene, text};
use crate::world::{Server, until};

/// The nodes as one of them tells.
async fn nodes(teller: &Server) -> Vec<Value> {
    let page = teller.operator().get("/v1/nodes").await.expect(200);
    assert!(page["next_cursor"].is_null(), "{page}");
    page["data"].as_array().unwrap().clone()
}

fn named<'a>(nodes: &'a [Value], name: &str) -> &'a Value {
    nodes.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name}: {nodes:?}"))
}

async fn is(teller: &Server, name: &str, status: &str) -> Value {
    until(&format!("{name} is {status}"), async || {
        let found = named(&nodes(teller).await, name).clone();
        (found["status"] == status).then_some(found)
    })
    .await
}

/// Takes what is owed an endpoint and keeps it, so that whoever takes over gets no further than to it.
fn take(endpoint: &str) -> String {
    format!(
        "SELECT 1 FROM delivery d JOIN endpoint e ON e.no = d.endpoint
         WHERE e.settings::json ->> 'name' = '{endpoint}' AND d.due_ms IS NOT NULL FOR UPDATE OF d"
    )
}

#[tokio::test]
async fn a_killed_node_is_lost_until_it_owes_nothing_and_a_stopped_one_has_left() {
    let cluster = Cluster::new().await;
    let down = Receiver::scripted(|_, _| Reply::Status(503)).await;
    let one = cluster.node("one").await;
    let mut others = vec![cluster.node("two").await, cluster.node("three").await];
    let acme = Acme(one.operator().tenant("acme").await);
    let retry = json!({ "delays_s": [86_400], "jitter": 0.0 });
    for (name, event_type) in [("many", "order.created"), ("last", "last.one")] {
        let to = json!({ "url": down.url(), "events": [event_type], "name": name, "retry": retry });
        acme.endpoint(to).await;
    }
    // More than is taken over at once, so that it goes on beyond the first piece.
    for first in [0, 800] {
        acme.orders(first..first + 800).await;
    }
    let last = acme.publish(json!({ "type": "last.one", "data": {} })).await;
    until("it waits for its second attempt", async || {
        (cluster.ask(&format!("SELECT count(*)::text FROM ({}) d", take("last"))).await == ["1"])
            .then_some(())
    })
    .await;

    let all = nodes(&others[0]).await;
    for (at, name) in ["one", "two", "three"].into_iter().enumerate() {
        let node = &all[at];
        assert_eq!(
            (&node["id"], &node["name"]),
            (&json!(format!("node_{}", at + 1)), &json!(name))
        );
        assert_eq!((&node["status"], &node["answering"]), (&json!("serving"), &json!(at == 1)));
        assert!(node["silent_ms"].as_u64().unwrap() < 60_000, "{node}");
        assert!(text(&node["started_at"]) <= text(&node["heartbeat_at"]), "{node}");
    }

    let held = cluster.hold(&take("last")).await;
    one.kill_9().await;
    for teller in &others {
        let lost = is(teller, "one", "lost").await;
        assert!(lost["silent_ms"].as_u64().unwrap() >= 3000, "{lost}");
        assert_eq!(lost["answering"], false);
    }
    drop(held);
    for teller in &others {
        is(teller, "one", "gone").await;
    }

    let owner = cluster
        .ask(
            "SELECT n.name FROM delivery d JOIN node n ON n.no = d.owner
             JOIN endpoint e ON e.no = d.endpoint WHERE e.settings::json ->> 'name' = 'last'",
        )
        .await;
    let stopped = if owner == ["two"] { others.remove(0) } else { others.remove(1) };
    let held = cluster.hold(&take("last")).await;
    assert!(stopped.stop().await.success());
    is(&others[0], &owner[0], "left").await;
    drop(held);
    is(&others[0], &owner[0], "gone").await;

    // Under its name it is what it was before.
    let one = cluster.node("one").await;
    let all = nodes(&one).await;
    let back = named(&all, "one");
    assert_eq!((&back["status"], &back["id"]), (&json!("serving"), &json!("node_1")));
    assert_eq!(back["answering"], true);
    let acme = Acme(one.client(&acme.0.key));
    assert_eq!(acme.deliveries_of(&last).await[0]["attempts"], 1);
}

#[tokio::test]
async fn an_embedded_store_has_one_node_which_is_this() {
    let scene = Scene::new().await;
    let [node] = &nodes(&scene.server).await[..] else { panic!("one node") };
    assert_eq!((&node["id"], &node["name"]), (&json!("node_0"), &Value::Null));
    assert_eq!((&node["status"], &node["answering"]), (&json!("serving"), &json!(true)));
    assert_eq!(node["silent_ms"], 0);
    assert!(text(&node["started_at"]) <= text(&node["heartbeat_at"]), "{node}");
}

#[tokio::test]
async fn the_nodes_are_the_operators_to_see_and_nobody_elses() {
    let scene = Scene::new().await;
    let link = scene.acme.0.post(&Acme::path("/portal-sessions"), &json!({})).await.expect(201);
    for key in [&scene.acme.0.key, text(&link["token"])] {
        let answer = scene.server.client(key).get("/v1/nodes").await;
        assert_eq!(answer.expect(403)["code"], "forbidden");
    }
    for key in ["", "nonsense"] {
        let answer = scene.server.client(key).get("/v1/nodes").await;
        assert_eq!(answer.expect(401)["code"], "unauthenticated");
    }
}
