//! `hookyard nodes`.

use serde_json::json;

use super::{Shell, cells};
use crate::cluster::Cluster;
use crate::world::OPERATOR_KEY;

#[tokio::test]
async fn the_one_node_of_an_embedded_store_is_listed() {
    let shell = Shell::operator().await;
    let table = shell.table(&["nodes", "list"]).await;
    let lines: Vec<_> = table.lines().map(cells).collect();
    let heads = ["ID", "NAME", "STATUS", "SILENT FOR", "LAST HEARD", "STARTED", "ANSWERED"];
    assert_eq!(lines[0], heads);
    assert_eq!(&lines[1][..4], ["node_0", "-", "serving", "0.0 s"]);
    assert_eq!((lines[1][6], lines.len()), ("this one", 2));
    let node = shell.json(&["nodes", "list"]).await;
    assert_eq!((&node["name"], &node["answering"]), (&json!(null), &json!(true)));
}

#[tokio::test]
async fn the_nodes_of_a_database_are_listed_with_those_that_are_gone() {
    let cluster = Cluster::new().await;
    let (one, two) = (cluster.node("one").await, cluster.node("two").await);
    assert!(one.stop().await.success());
    crate::world::until("it owes nothing", async || {
        let free = cluster.ask("SELECT status::text FROM node WHERE name = 'one'").await;
        (free == ["3"]).then_some(())
    })
    .await;
    let url = format!("http://{}", two.address);
    let shell =
        Shell::operator().await.set("HOOKYARD_URL", &url).set("HOOKYARD_API_KEY", OPERATOR_KEY);
    let table = shell.table(&["nodes", "list"]).await;
    let lines: Vec<_> = table.lines().map(cells).collect();
    assert_eq!(&lines[1][..3], ["node_1", "one", "gone"]);
    assert_eq!(&lines[2][..3], ["node_2", "two", "serving"]);
    assert_eq!((lines[1][6], lines[2][6]), ("-", "this one"));
    let nodes = shell.lines(&["nodes", "list"]).await;
    let seen: Vec<_> = nodes.iter().map(|it| (&it["name"], &it["status"])).collect();
    assert_eq!(seen, [(&json!("one"), &json!("gone")), (&json!("two"), &json!("serving"))]);
}

#[tokio::test]
async fn a_tenants_key_may_not_see_them() {
    let shell = Shell::new().await;
    assert_eq!(shell.fails(&["nodes", "list"], 4).await["status"], 403);
    let shell = shell.set("HOOKYARD_URL", "http://127.0.0.1:9");
    shell.fails(&["nodes", "list"], 8).await;
}
