//! Where requests never go, whatever an endpoint's URL says.

use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::scene::{Acme, Scene, quick};
use crate::world::{OPERATOR_KEY, Server, World, until};

/// URLs of standards.md §8.1 and §8.2, each of which means a private, local or otherwise special address, or is no URL at all.
const REFUSED: &[&str] = &[
    // Numeric spellings of IPv4.
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://127.0.0.1./",
    "http://017700000001/",
    "http://①②⑦.⓪.⓪.①/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://%31%32%37.0.0.1/",
    "http://127.0.0.1%2e/",
    "HTTP://127.0.0.1/",
    "http:127.0.0.1/",
    "http:///127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "http://127.0.0.1\\@example.com/",
    "http://exa\tmple.com@127.0.0.1/",
    "http://127.0.0\n.1/",
    // Names.
    "http://localhost/",
    "http://localhost./",
    "http://LOCALHOST/",
    "http://a.localhost/",
    "http://metadata/",
    "http://metadata.google.internal/",
    "http://printer.local/",
    "http://db.internal/",
    "http://api.default.svc/",
    "http://kubernetes.default.svc.cluster.local/",
    // Special IPv4.
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/",
    "http://169.254.170.2/",
    "http://100.100.100.200/",
    "http://192.0.0.192/",
    "http://168.63.129.16/",
    "http://192.0.2.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    // Special IPv6.
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001::1]/",
    "http://[2001:2::1]/",
    "http://[2001:10::1]/",
    "http://[2001:20::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    "http://[5f00::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[fe80::1%25eth0]/",
    // Names and passwords, ports, schemes, shapes.
    "http://example.com@127.0.0.1/",
    "https://user:password@example.com/",
    "https://user@example.com/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "//example.com/",
    "/hook",
    "example.com",
    "",
    " ",
    "http://",
    "https://?x",
    "https://exa mple.com/",
    "https://[::1/",
    "https://.example.com/",
    "https://a..b/",
];

/// A server that may not call this machine.
async fn strict(world: &World, args: &[&str]) -> Server {
    let data = world.data();
    let mut all = vec!["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    all.extend(args);
    let mut command = world.hookyard(&all);
    command.env("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY);
    Server::start(command, world.path("stderr.log")).await
}

#[tokio::test]
async fn urls_that_mean_a_private_or_special_address_are_refused_in_every_spelling() {
    let world = World::new();
    let server = strict(&world, &["--allow-http"]).await;
    let acme = Acme(server.operator().tenant("acme").await);
    let good = json!({ "url": "https://example.com/hook", "events": "*" });
    let made = acme.endpoint(good).await;
    let patch = Acme::path(&format!("/endpoints/{}", made["id"].as_str().unwrap()));
    for url in REFUSED {
        let wanted = json!({ "url": url, "events": "*" });
        let answer = acme.0.post(&Acme::path("/endpoints"), &wanted).await;
        refused(url, answer.status, &answer.json());
        let answer = acme.0.patch(&patch, &json!({ "url": url })).await;
        refused(url, answer.status, &answer.json());
    }
    let all = acme.0.get(&Acme::path("/endpoints")).await.expect(200);
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
}

#[track_caller]
fn refused(url: &str, status: u16, problem: &Value) {
    assert_eq!(status, 422, "{url:?}: {problem}");
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|it| &it["pointer"]).collect();
    assert_eq!(pointers, ["/url"], "{url:?}: {problem}");
}

#[tokio::test]
async fn plain_http_is_refused_unless_allowed_and_metadata_even_when_its_network_is() {
    let world = World::new();
    let server = strict(&world, &["--allow-network", "0.0.0.0/0", "--allow-network", "::/0"]).await;
    let acme = Acme(server.operator().tenant("acme").await);
    for (url, code) in [
        ("http://example.com/", "http_not_allowed"),
        ("https://169.254.169.254/", "private_address"),
        ("https://[fd00:ec2::254]/", "private_address"),
        ("https://[::ffff:169.254.169.254]/", "private_address"),
        ("https://[64:ff9b::a9fe:a9fe]/", "private_address"),
        ("https://metadata.google.internal/", "private_address"),
        ("https://168.63.129.16/", "private_address"),
    ] {
        let wanted = json!({ "url": url, "events": "*" });
        let problem = acme.0.post(&Acme::path("/endpoints"), &wanted).await.expect(422);
        assert_eq!(problem["errors"][0]["code"], code, "{url}: {problem}");
    }
}

/// Endpoints that were made while this machine was allowed are sent to when it is not any more.
#[tokio::test]
async fn the_address_is_judged_again_at_every_send_literal_or_by_name() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let port = receiver.address.port();
    let hosts = ["127.0.0.1", "localhost", "localhost.", "2130706433"];
    let mut endpoints = Vec::new();
    for host in hosts {
        let url = format!("http://{host}:{port}/");
        let settings = json!({ "url": url, "events": "*", "retry": quick(1) });
        endpoints.push(scene.acme.endpoint(settings).await["id"].clone());
    }
    scene.acme.order(1).await;
    scene.acme.count_is("status=succeeded", hosts.len()).await;
    assert_eq!(receiver.count(), hosts.len(), "while it is allowed");

    let Scene { world, server, acme, .. } = scene;
    assert!(server.stop().await.success());
    let server = strict(&world, &["--allow-http", "--allow-network", "10.0.0.0/8"]).await;
    let acme = Acme(server.client(&acme.0.key));
    let event = acme.order(2).await;
    let failed = until("every delivery has failed", async || {
        let all = acme.deliveries_of(&event).await;
        all.iter().all(|it| it["status"] == "failed").then_some(all)
    })
    .await;
    assert_eq!(failed.len(), hosts.len());
    for delivery in failed {
        let attempts = acme.attempts(&delivery["id"]).await;
        assert_eq!(attempts.len(), 2, "{attempts:?}");
        for attempt in attempts {
            assert_eq!(attempt["outcome"], "blocked", "{attempt}");
            assert_eq!(attempt["status_code"], Value::Null);
            let error = attempt["error"].as_str().unwrap();
            assert!(!error.contains("127."), "it tells what the name resolves to: {error}");
        }
    }
    for endpoint in &endpoints {
        let tested = acme.ask(endpoint, "test").await;
        assert_eq!(tested["attempt"]["outcome"], "blocked", "a test is no way around it: {tested}");
        let verified = acme.ask(endpoint, "verify").await;
        assert_eq!(verified["verified"], false, "a challenge is no way around it: {verified}");
    }
    assert_eq!(receiver.count(), hosts.len(), "nothing more came");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_fails_as_dns_and_is_tried_again() {
    let scene = Scene::new().await;
    let url = "http://no-such-host.invalid/";
    let settings = json!({ "url": url, "events": "*", "retry": quick(1), "timeout_s": 10 });
    scene.acme.endpoint(settings).await;
    let event = scene.acme.order(1).await;
    let failed = scene.acme.delivery_is(&event, "failed").await;
    let attempts = scene.acme.attempts(&failed["id"]).await;
    let outcomes: Vec<_> = attempts.iter().map(|it| it["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["dns", "dns"], "{attempts:?}");
}

#[tokio::test]
async fn proxy_variables_of_the_environment_are_not_obeyed() {
    let world = World::new();
    let (proxy, receiver) = (Receiver::start().await, Receiver::start().await);
    let proxy_url = format!("http://{}", proxy.address);
    let names =
        ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    let mut env = vec![("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY)];
    env.extend(names.map(|it| (it, proxy_url.as_str())));
    let server = world.serve_with(&[], &env).await;
    let acme = Acme(server.operator().tenant("acme").await);
    acme.endpoint_at(&receiver.url()).await;
    let event = acme.order(1).await;
    acme.delivery_is(&event, "succeeded").await;
    assert_eq!((proxy.count(), receiver.count()), (0, 1));
}
