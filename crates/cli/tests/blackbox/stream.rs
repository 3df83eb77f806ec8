//! A tenant's stream: what happens, told as it happens, to readers that come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use hookyard_api::client::{Client as TypedClient, calls};
use hookyard_api::stream::StreamData;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::follower::{Follower, Message};
use crate::receiver::Receiver;
use crate::scene::{Acme, Scene, on_both_stores, order, text};
use crate::world::{PATIENCE, until};

on_both_stores!(
    what_happens_is_told_as_it_happens,
    a_reader_goes_on_after_a_power_cut_with_nothing_missed_and_nothing_twice,
    a_thousand_events_a_second_are_told_in_order_as_they_come,
    an_open_stream_does_not_hold_up_the_end_of_its_server,
    a_stream_tells_what_its_reader_asks_for,
    a_reader_is_told_why_there_is_no_stream,
    no_more_streams_are_open_than_may_be_and_a_closed_one_makes_room,
    a_stream_ends_with_the_key_it_was_opened_with,
    the_client_of_the_shell_follows_a_stream_and_goes_on_where_it_was,
);

fn stream(query: &str) -> String {
    Acme::path(&format!("/stream{query}"))
}

const EVENTS: &str = "?kinds=event.accepted";

fn ids(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|it| it.text("id").to_owned()).collect()
}

/// Publishes so many events at once; their ids in order.
async fn publish(scene: &Scene, many: usize) -> Vec<String> {
    let batch: Vec<Value> = (0..many).map(|n| order(n as u64)).collect();
    let answer = scene.acme.0.post(&Acme::path("/events/batch"), &Value::Array(batch)).await;
    let results = answer.expect(202)["results"].as_array().unwrap().clone();
    results.iter().map(|it| text(&it["id"]).to_owned()).collect()
}

async fn what_happens_is_told_as_it_happens(scene: Scene) {
    let receiver = Receiver::start().await;
    let mut follower = Follower::open(&scene.acme.0, &stream("")).await;
    assert_eq!(follower.headers["content-type"], "text/event-stream");
    assert_eq!(follower.headers["cache-control"], "no-store");
    let endpoint = scene.acme.endpoint_at(&receiver.url()).await;
    let made = follower.next().await;
    assert_eq!((&*made.kind, made.text("action")), ("endpoint.changed", "endpoint.created"));
    assert_eq!((made.text("id"), made.text("status")), (text(&endpoint["id"]), "active"));
    let event = publish(&scene, 1).await.remove(0);
    let accepted = follower.next().await;
    assert_eq!((&*accepted.kind, accepted.text("id")), ("event.accepted", &*event));
    assert_eq!((accepted.text("type"), &accepted.data["deliveries"]), ("order.created", &json!(1)));
    assert!(accepted.data.get("payload").is_none(), "{accepted:?}");
    let finished = follower.next().await;
    assert_eq!((&*finished.kind, finished.text("event_id")), ("attempt.finished", &*event));
    assert_eq!(
        (finished.text("outcome"), &finished.data["status_code"]),
        ("succeeded", &json!(200))
    );
    assert_eq!(finished.text("endpoint_id"), text(&endpoint["id"]));
    assert_eq!(
        (finished.text("delivery_status"), &finished.data["number"]),
        ("succeeded", &json!(1))
    );
    scene.acme.ask(&endpoint["id"], "pause").await;
    let paused = follower.next().await;
    assert_eq!((paused.text("action"), paused.text("status")), ("endpoint.paused", "paused"));
}

async fn a_reader_goes_on_after_a_power_cut_with_nothing_missed_and_nothing_twice(
    mut scene: Scene,
) {
    let receiver = Receiver::start().await;
    scene.acme.endpoint_at(&receiver.url()).await;
    let mut follower =
        Follower::open(&scene.acme.0, &stream("?kinds=event.accepted,attempt.finished")).await;
    let mut published = Vec::new();
    let mut told = Vec::new();
    let mut tried = BTreeSet::new();
    for round in 0..3 {
        published.extend(publish(&scene, 30).await);
        // Somewhere in the middle of what there is to read.
        for message in follower.take(11 + 7 * round).await {
            match &*message.kind {
                "event.accepted" => told.push(message.text("id").to_owned()),
                _ => drop(tried.insert(message.text("event_id").to_owned())),
            }
        }
        let place = follower.id.clone();
        drop(follower);
        scene = scene.after_kill_9().await;
        published.extend(publish(&scene, 5).await);
        follower = Follower::open_behind(
            &scene.acme.0,
            &stream("?kinds=event.accepted,attempt.finished"),
            &place,
        )
        .await;
    }
    while told.len() < published.len() || tried.len() < published.len() {
        let message = follower.next().await;
        match &*message.kind {
            "event.accepted" => told.push(message.text("id").to_owned()),
            _ => drop(tried.insert(message.text("event_id").to_owned())),
        }
    }
    assert_eq!(told, published, "each once, in order");
    assert_eq!(tried, published.into_iter().collect());
}

#[tokio::test]
async fn a_reader_that_does_not_read_costs_little_and_misses_nothing() {
    const EVENTS_ALL: usize = 20_000;
    let scene = Scene::new().await;
    let path = stream("?kinds=event.accepted&payload=true");
    // More than one key may have open.
    let operator = scene.server.operator();
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(Follower::open(&operator, &path).await);
    }
    let before = scene.server.memory_max_mib();
    let filler = "x".repeat(4000);
    let mut published = Vec::new();
    for _ in 0..EVENTS_ALL / 1000 {
        let batch: Vec<_> = (0..1000).map(|_| json!({ "type": "a", "data": filler })).collect();
        let answer = scene.acme.0.post(&Acme::path("/events/batch"), &Value::Array(batch)).await;
        let results = answer.expect(202)["results"].as_array().unwrap().clone();
        published.extend(results.iter().map(|it| text(&it["id"]).to_owned()));
    }
    // Eighty megabytes times ten would have been held for them.
    let grown = scene.server.memory_max_mib() - before;
    assert!(grown < 200, "it grew by {grown} MiB");
    let mut follower = idle.remove(0);
    drop(idle);
    let told = follower.take(EVENTS_ALL).await;
    assert_eq!(ids(&told), published);
    assert_eq!(told[7].data["payload"]["data"]["text"], Value::String(format!("\"{filler}\"")));
}

async fn a_thousand_events_a_second_are_told_in_order_as_they_come(scene: Scene) {
    let receiver = Receiver::start().await;
    scene.acme.endpoint_at(&receiver.url()).await;
    let mut follower = Follower::open(&scene.acme.0, &stream("")).await;
    let publishing = async {
        let mut published = Vec::new();
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        for _ in 0..60 {
            tick.tick().await;
            published.extend(publish(&scene, 50).await);
        }
        (published, Instant::now())
    };
    let following = async {
        let (mut told, mut tried) = (Vec::new(), BTreeSet::new());
        while told.len() < 3000 || tried.len() < 3000 {
            let message = follower.next().await;
            match &*message.kind {
                "event.accepted" => told.push(message.text("id").to_owned()),
                _ => drop(tried.insert(message.text("event_id").to_owned())),
            }
        }
        (told, Instant::now())
    };
    let ((published, end), (told, told_at)) = tokio::join!(publishing, following);
    assert_eq!(told, published);
    assert!(told_at.saturating_duration_since(end) < Duration::from_secs(10));
}

async fn an_open_stream_does_not_hold_up_the_end_of_its_server(scene: Scene) {
    let mut follower = Follower::open(&scene.acme.0, &stream("")).await;
    let began = Instant::now();
    assert!(scene.server.stop().await.success());
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(follower.next_or_end().await.is_none(), "a clean end");
}

async fn a_stream_tells_what_its_reader_asks_for(scene: Scene) {
    let receiver = Receiver::start().await;
    let narrow = json!({ "url": receiver.url(), "events": ["order.paid"] });
    let narrow = scene.acme.endpoint(narrow).await;
    let of_endpoint = format!("endpoint={}", text(&narrow["id"]));
    let mut followers = Vec::new();
    for (query, types) in [
        ("type=order.*", vec!["order.created", "order.paid"]),
        ("type=refund.paid,order.created", vec!["order.created", "refund.paid"]),
        ("scope=north", vec!["order.paid"]),
        (&of_endpoint, vec!["order.paid"]),
    ] {
        let path = stream(&format!("{EVENTS}&{query}"));
        followers.push((Follower::open(&scene.acme.0, &path).await, types));
    }
    for (event_type, scope) in [
        ("order.created", None),
        ("order.paid", Some("north")),
        ("refund.paid", None),
        ("end", None),
    ] {
        let event = json!({ "type": event_type, "data": {}, "scope": scope });
        scene.acme.0.post(&Acme::path("/events"), &event).await.expect(202);
    }
    for (mut follower, types) in followers {
        for expected in types {
            assert_eq!(follower.next().await.text("type"), expected);
        }
    }
    let changes = stream(&format!("?kinds=endpoint.changed&{of_endpoint}"));
    let mut follower = Follower::open(&scene.acme.0, &changes).await;
    let other = scene.acme.endpoint_at(&receiver.url()).await;
    scene.acme.ask(&other["id"], "pause").await;
    scene.acme.ask(&narrow["id"], "pause").await;
    assert_eq!(follower.next().await.text("id"), text(&narrow["id"]));
}

async fn a_reader_is_told_why_there_is_no_stream(scene: Scene) {
    let acme = &scene.acme.0;
    let refused = async |query: &str, id: Option<&str>| {
        let answer = Follower::try_open(acme, &stream(query), id).await.err().expect("a refusal");
        let problem = answer.json();
        let field = problem["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        (answer.status, text(&problem["code"]).to_owned(), field)
    };
    let want = |status: u16, code: &str, field: &str| (status, code.to_owned(), field.to_owned());
    for (query, field) in [
        ("?kinds=event.accepted,x", "kinds"),
        ("?type=a..b", "type"),
        ("?source=x", "source"),
        ("?endpoint=wh_00000000000000000000000005", "endpoint"),
        ("?payload=yes", "payload"),
        ("?last_event_id=x", "last_event_id"),
        ("?what=x", "what"),
    ] {
        assert_eq!(refused(query, None).await, want(422, "invalid", field), "{query}");
    }
    assert_eq!(refused("", Some("garbage")).await, want(422, "invalid", "last_event_id"));
    let mut follower = Follower::open(acme, &stream("")).await;
    let published = publish(&scene, 1).await;
    let told = follower.next().await;
    let (here, now) =
        (told.id.clone(), told.text("accepted_at").parse::<jiff::Timestamp>().unwrap());
    // Ahead of everything, as after a backup was put back.
    let node = here.split(['-', '.']).nth(2).unwrap();
    let ahead = here.replace(&format!("-{node}."), &format!("-{node}.7"));
    assert_ne!(ahead, here);
    assert_eq!(refused("", Some(&ahead)).await, want(410, "cursor_unknown", ""));
    assert_eq!(refused("", Some(&format!("0.0-{node}.1"))).await, want(410, "cursor_expired", ""));
    // Events alone are kept for as long as the tenant wants.
    let days = json!({ "retention_days": 3650 });
    scene.server.operator().patch("/v1/tenants/acme", &days).await.expect(200);
    let day = |ago: i64| (now.as_millisecond() - ago * 24 * 3_600_000) << 12;
    let old = format!("0.0-{node}.{:x}", day(5));
    assert_eq!(refused("", Some(&old)).await, want(410, "cursor_expired", ""));
    let mut since = Follower::open_behind(acme, &stream(EVENTS), &old).await;
    assert_eq!(since.next().await.text("id"), published[0]);
    let writes = json!({ "name": "w", "scopes": ["write"] });
    let made = acme.post(&Acme::path("/api-keys"), &writes).await.expect(201);
    let writer = acme.with_key(text(&made["key"]));
    assert_eq!(Follower::try_open(&writer, &stream(""), None).await.err().unwrap().status, 403);
    let other = scene.server.operator().tenant("other").await;
    assert_eq!(Follower::try_open(&other, &stream(""), None).await.err().unwrap().status, 404);
}

async fn no_more_streams_are_open_than_may_be_and_a_closed_one_makes_room(scene: Scene) {
    let mut open = Vec::new();
    // One key alone has no more than some of them.
    let operator = scene.server.operator();
    let refused = loop {
        match Follower::try_open(&operator, &stream(""), None).await {
            Ok(follower) => open.push(follower),
            Err(refused) => break refused,
        }
    };
    assert_eq!((refused.status, open.len()), (429, 32));
    assert_eq!(refused.json()["code"], "too_many_streams");
    assert!(refused.headers.contains_key("retry-after"));
    open.pop();
    until("there is room again", async || {
        Follower::try_open(&scene.acme.0, &stream(""), None).await.ok()
    })
    .await;
}

async fn a_stream_ends_with_the_key_it_was_opened_with(scene: Scene) {
    let reads = json!({ "name": "r", "scopes": ["read"] });
    let made = scene.acme.0.post(&Acme::path("/api-keys"), &reads).await.expect(201);
    let reader = scene.acme.0.with_key(text(&made["key"]));
    let mut follower = Follower::open(&reader, &stream("")).await;
    let mut other = Follower::open(&scene.acme.0, &stream("")).await;
    let path = Acme::path(&format!("/api-keys/{}", text(&made["id"])));
    scene.acme.0.delete(&path).await.expect(204);
    let end = tokio::time::timeout(PATIENCE, follower.next_or_end()).await;
    assert!(end.expect("it goes on").is_none());
    publish(&scene, 1).await;
    assert_eq!(other.next().await.kind, "event.accepted", "whoever may goes on");
}

async fn the_client_of_the_shell_follows_a_stream_and_goes_on_where_it_was(scene: Scene) {
    let server = format!("http://{}", scene.server.address).parse().unwrap();
    let key = hookyard_domain::secret::Secret::new(scene.acme.0.key.clone());
    let client = TypedClient::new(server, key);
    let call = calls::stream("acme").query("payload", Some(true));
    let mut following = client.follow(&call, None).await.unwrap();
    let published = publish(&scene, 2).await;
    let mut place = String::new();
    for (at, expected) in published.iter().enumerate() {
        let told = loop {
            let message = following.next().await.unwrap().expect("it goes on");
            place = message.id;
            if let Some(StreamData::Accepted(event)) = message.data {
                break event;
            }
        };
        assert_eq!(told.id, *expected);
        let data = told.payload.unwrap().data.bytes().unwrap();
        assert_eq!(data, format!("{{\"n\":{at}}}").as_bytes());
    }
    drop(following);
    let more = publish(&scene, 1).await;
    let mut following = client.follow(&call, Some(&place)).await.unwrap();
    loop {
        let message = following.next().await.unwrap().expect("it goes on");
        if let Some(StreamData::Accepted(event)) = message.data {
            assert_eq!(event.id, more[0]);
            break;
        }
    }
    let node = place.split(['-', '.']).nth(2).unwrap();
    let old = format!("0.0-{node}.1");
    let Err(refused) = client.follow(&call, Some(&old)).await else { panic!("it is too old") };
    let hookyard_api::client::ClientError::Refused(refused) = refused else { panic!("{refused}") };
    assert_eq!((refused.status, &*refused.problem.unwrap().code), (410, "cursor_expired"));
    assert!(scene.server.stop().await.success());
    while following.next().await.unwrap().is_some() {}
}
