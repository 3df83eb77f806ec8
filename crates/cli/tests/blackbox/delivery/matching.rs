//! Who gets which event: exact types, prefixes, everything; scopes; other tenants.

use std::collections::BTreeMap;

use serde_json::json;

use crate::receiver::Receiver;
use crate::scene::{Acme, Scene, text};

#[tokio::test]
async fn an_endpoint_gets_the_types_and_the_scope_it_asked_for_and_nothing_else() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let mut wanted = BTreeMap::from([
        ("/exact", (json!(["order.created"]), None, vec!["order.created", "order.created@eu"])),
        (
            "/prefix",
            (
                json!(["order.*"]),
                None,
                vec!["order.created", "order.created@eu", "order.item.added"],
            ),
        ),
        (
            "/two",
            (
                json!(["order.item.added", "site.*"]),
                None,
                vec!["order.item.added", "site.published@us"],
            ),
        ),
        (
            "/all",
            (
                json!("*"),
                None,
                vec![
                    "order.created",
                    "order.created@eu",
                    "order.item.added",
                    "orders.created",
                    "site.published@us",
                    "order",
                ],
            ),
        ),
        ("/eu", (json!(["*"]), Some("eu"), vec!["order.created@eu"])),
        ("/us", (json!(["order.*"]), Some("us"), vec![])),
    ]);
    let base = format!("http://{}", receiver.address);
    for (path, (events, scope, _)) in &wanted {
        let url = format!("{base}{path}");
        scene.acme.endpoint(json!({ "url": url, "events": events, "scope": scope })).await;
    }
    let mut expected = 0;
    for name in wanted["/all"].2.clone() {
        let (event_type, scope) = name.split_once('@').unwrap_or((name, ""));
        let scope = (!scope.is_empty()).then_some(scope);
        let targets = wanted.values().filter(|(_, _, names)| names.contains(&name)).count();
        let event = json!({ "type": event_type, "scope": scope, "data": { "name": name } });
        let made = scene.acme.0.post(&Acme::path("/events"), &event).await.expect(202);
        assert_eq!(made["deliveries"], targets, "{name}");
        expected += targets;
    }
    let all = scene.acme.count_is("status=succeeded", expected).await;
    assert_eq!(all.len(), scene.acme.deliveries("").await.len());
    for arrival in receiver.arrivals() {
        let name = text(&arrival.json()["data"]["name"]).to_owned();
        let (_, _, names) = wanted.get_mut(arrival.path.as_str()).unwrap();
        let at = names.iter().position(|it| *it == name);
        names.remove(at.unwrap_or_else(|| panic!("{name} at {}", arrival.path)));
    }
    for (path, (_, _, missing)) in wanted {
        assert_eq!(missing, [""; 0], "did not reach {path}");
    }
}

#[tokio::test]
async fn a_change_of_what_an_endpoint_wants_is_obeyed_by_the_very_next_event() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let made = scene.acme.endpoint(json!({ "url": receiver.url(), "events": ["a"] })).await;
    let path = Acme::path(&format!("/endpoints/{}", text(&made["id"])));
    for n in 0..20 {
        let (wanted, other) = if n % 2 == 0 { ("b", "a") } else { ("a", "b") };
        scene.acme.0.patch(&path, &json!({ "events": [wanted] })).await.expect(200);
        for (event_type, deliveries) in [(wanted, 1), (other, 0)] {
            let event = json!({ "type": event_type, "data": { "n": n } });
            let made = scene.acme.0.post(&Acme::path("/events"), &event).await.expect(202);
            assert_eq!(made["deliveries"], deliveries, "{event_type} in round {n}");
        }
    }
    let arrivals = receiver.first(20).await;
    let mut numbers: Vec<_> = arrivals.iter().map(|it| it.number()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_tenants_events_never_reach_anothers_endpoint() {
    let scene = Scene::new().await;
    let (ours, theirs) = (Receiver::start().await, Receiver::start().await);
    scene.acme.endpoint_at(&ours.url()).await;
    let other = scene.server.operator().tenant("other").await;
    let settings = json!({ "url": theirs.url(), "events": "*" });
    other.post("/v1/tenants/other/endpoints", &settings).await.expect(201);
    let event = scene.acme.order(1).await;
    scene.acme.delivery_is(&event, "succeeded").await;
    assert_eq!((ours.count(), theirs.count()), (1, 0));
}

#[tokio::test]
async fn custom_headers_of_endpoint_and_event_arrive_and_cannot_replace_the_signature() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let headers = json!({ "X-Team": "warehouse", "Authorization": "Bearer of-the-receiver" });
    let settings = json!({ "url": receiver.url(), "events": "*", "headers": headers });
    scene.acme.endpoint(settings.clone()).await;
    let event = json!({ "type": "a", "data": 1, "headers": { "X-Trace": "t-1" } });
    scene.acme.publish(event).await;
    let arrival = receiver.first(1).await.remove(0);
    assert_eq!(arrival.header("x-team"), "warehouse");
    assert_eq!(arrival.header("authorization"), "Bearer of-the-receiver");
    assert_eq!(arrival.header("x-trace"), "t-1");

    for name in ["webhook-signature", "Webhook-Id", "Host", "Content-Length", "Transfer-Encoding"] {
        let mut settings = settings.clone();
        settings["headers"] = json!({ name: "mine" });
        let answer = scene.acme.0.post(&Acme::path("/endpoints"), &settings).await;
        assert_eq!(answer.status, 422, "{name}: {answer:?}");
        let event = json!({ "type": "a", "data": 1, "headers": { name: "mine" } });
        let answer = scene.acme.0.post(&Acme::path("/events"), &event).await;
        assert_eq!(answer.status, 422, "{name}: {answer:?}");
    }
}
