//! Numbers, sessions and links where several nodes serve.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::receiver::Receiver;
use crate::scene::{Acme, text};
use crate::world::{Answer, Client, until};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Signs in; the cookie.
async fn cookie(client: &Client, key: &str) -> String {
    let body = json!({ "key": key }).to_string();
    let answer = client.with_key("").send(Method::POST, "/session", &[JSON], body.into()).await;
    answer.expect(200);
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn by_cookie(client: &Client, cookie: &str) -> Answer {
    let (client, path) = (client.with_key(""), Acme::path("/endpoints"));
    client.send(Method::GET, &path, &[("cookie", cookie)], Bytes::new()).await
}

#[tokio::test]
async fn a_session_works_on_every_node_and_ends_on_all_of_them_with_its_key() {
    let cluster = Cluster::new().await;
    let servers = [cluster.node("one").await, cluster.node("two").await];
    let one = Acme(servers[0].operator().tenant("acme").await);
    let two = servers[1].client("");
    let scopes = json!({ "name": "maker", "scopes": ["read", "write"] });
    let made = one.0.post(&Acme::path("/api-keys"), &scopes).await.expect(201);
    let maker = one.0.with_key(text(&made["key"]));
    let session = cookie(&one.0, text(&made["key"])).await;
    let link = maker.post(&Acme::path("/portal-sessions"), &json!({})).await.expect(201);
    let portal = two.with_key(text(&link["token"]));
    by_cookie(&two, &session).await.expect(200);
    portal.get(&Acme::path("/endpoints")).await.expect(200);
    let key = Acme::path(&format!("/api-keys/{}", text(&made["id"])));
    one.0.delete(&key).await.expect(204);
    until("the session has ended on the other node", async || {
        (by_cookie(&two, &session).await.status == 401).then_some(())
    })
    .await;
    assert_eq!(portal.get(&Acme::path("/endpoints")).await.status, 401);
}

#[tokio::test]
async fn the_numbers_of_all_nodes_add_up() {
    let cluster = Cluster::new().await;
    let servers = [cluster.node("one").await, cluster.node("two").await];
    let one = Acme(servers[0].operator().tenant("acme").await);
    let two = Acme(servers[1].client(&one.0.key));
    let receiver = Receiver::start().await;
    let endpoint = one.endpoint_at(&receiver.url()).await["id"].clone();
    one.orders(0..3).await;
    two.orders(3..7).await;
    let totals = async |acme: &Acme, rest: &str| -> Value {
        acme.0.get(&Acme::path(rest)).await.expect(200)["numbers"]["totals"].clone()
    };
    for acme in [&one, &two] {
        until("all are counted", async || {
            let totals = totals(acme, "/overview?range=1h").await;
            ((&totals["events"], &totals["succeeded"]) == (&json!(7), &json!(7))).then_some(())
        })
        .await;
    }
    let stats = format!("/endpoints/{}/stats", text(&endpoint));
    assert_eq!(totals(&two, &stats).await["succeeded"], 7);
}
