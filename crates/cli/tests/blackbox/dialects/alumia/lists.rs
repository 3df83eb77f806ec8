//! Lists: webhooks, what they recorded, and the newest over all of them (vendors.md §3.2, §3.6).

use serde_json::{Value, json};

use super::{Alumia, HOOKS, data, is_time, names, refused, wrong};
use crate::scene::{Acme, Scene, text};

/// The cursor of every page of a list, and all its rows.
async fn all(alumia: &Alumia<'_>, path: &str, limit: usize) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = alumia.get(&format!("{path}?limit={limit}{cursor}")).await;
        assert_eq!(names(&page), ["hasMore", "items", "limit", "nextCursor"]);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit && page["limit"] == limit, "{page}");
        assert_eq!(page["hasMore"], page["nextCursor"].is_string(), "{page}");
        rows.extend(items.clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

#[tokio::test]
async fn webhooks_are_listed_newest_first_in_pages() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let mut want = Vec::new();
    for n in 0..5 {
        let made = alumia.create(json!({ "name": format!("n{n}") })).await;
        want.insert(0, alumia.now(&made).await);
        scene.acme.endpoint(json!({ "url": "https://a.example", "events": "*" })).await;
    }
    assert_eq!(alumia.get("").await["items"], json!(want));
    for limit in [1, 2, 5, 250] {
        assert_eq!(all(&alumia, "", limit).await, want, "{limit} a page");
    }
    let created: Vec<_> = want.iter().map(|it| text(&it["createdAt"])).collect();
    assert!(created.is_sorted_by(|a, b| a >= b), "{created:?}");
    for bad in ["limit=0", "limit=251", "limit=x", "limit=-1"] {
        wrong(&scene.acme.0.get(&format!("{HOOKS}?{bad}")).await, &["limit"]);
    }
    wrong(&scene.acme.0.get(&format!("{HOOKS}?cursor=x")).await, &["cursor"]);
    // A page that is not known must not look like the first one for ever.
    wrong(&scene.acme.0.get(&format!("{HOOKS}?page=2")).await, &["page"]);
}

#[tokio::test]
async fn events_of_a_webhook_are_listed_newest_first_in_pages() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "Stripe events", "source": "shop" })).await;
    let other = alumia.create(json!({ "name": "other" })).await;
    let mut want = Vec::new();
    for n in 0..5 {
        want.insert(0, alumia.bring(&made, &format!("msg_{n}"), "a.b").await);
        alumia.bring(&other, &format!("msg_{n}"), "c.d").await;
    }
    let path = format!("/{}/events", text(&made["id"]));
    for limit in [1, 2, 5, 250] {
        let rows = all(&alumia, &path, limit).await;
        let ids: Vec<_> = rows.iter().map(|it| text(&it["id"])).collect();
        assert_eq!(ids, want, "{limit} a page");
    }
    let row = alumia.get(&path).await["items"][0].clone();
    let members = [
        "contentType",
        "createdAt",
        "deliveryCount",
        "eventType",
        "headers",
        "id",
        "payload",
        "source",
        "webhookId",
        "webhookName",
    ];
    assert_eq!(names(&row), members);
    assert_eq!(row["payload"], json!({ "type": "a.b", "n": 1 }));
    assert_eq!(
        (&row["webhookId"], &row["webhookName"], &row["source"]),
        (&made["id"], &json!("Stripe events"), &json!("shop"))
    );
    assert_eq!(
        (&row["eventType"], &row["contentType"], &row["deliveryCount"]),
        (&json!("a.b"), &json!("application/json"), &json!(0))
    );
    is_time(&row["createdAt"]);
}

#[tokio::test]
async fn a_payload_is_shown_as_json_where_it_is_and_as_text_where_not() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n" })).await;
    for (n, (content_type, body, want)) in [
        ("application/json", r#"[1, {"a": null}]"#, json!([1, { "a": null }])),
        ("text/plain", "a=1&b=\"2\"", json!("a=1&b=\"2\"")),
        ("text/plain", r#"{"broken": "#, json!(r#"{"broken": "#)),
        ("text/plain", "", json!("")),
    ]
    .into_iter()
    .enumerate()
    {
        let (id, secret) = (format!("msg_{n}"), text(&made["secret"]));
        let headers = [("content-type", content_type), ("x-api-key", "credential")];
        data(&alumia.signed(&made, (secret, &id), &headers, body).await, 200);
        let row = alumia.rows(&made, "/events?limit=1").await.remove(0);
        assert_eq!((&row["payload"], &row["contentType"]), (&want, &json!(content_type)));
        assert!(!row.to_string().contains("credential"), "{row}");
    }
}

#[tokio::test]
async fn the_newest_events_over_all_webhooks_are_a_hundred_at_most_with_their_webhooks_names() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    assert_eq!(alumia.get("/events").await, json!({ "items": [] }));
    let mut webhooks = Vec::new();
    for n in 0..3 {
        webhooks.push(alumia.create(json!({ "name": format!("n{n}") })).await);
    }
    let mut want = Vec::new();
    for n in 0..102 {
        // The last one is alone with the oldest events.
        let at = if n < 10 { 2 } else { n % 2 };
        let id = alumia.bring(&webhooks[at], &format!("msg_{n}"), "a.b").await;
        want.insert(0, (id, format!("n{at}")));
    }
    // Neither published events nor those of other profiles' sources are among them.
    scene.acme.publish(json!({ "type": "a.b", "data": {} })).await;
    scene.acme.0.post(&Acme::path("/sources"), &json!({ "name": "s" })).await.expect(201);
    want.truncate(100);
    let recent = alumia.get("/events").await;
    assert_eq!(names(&recent), ["items"]);
    let got: Vec<_> = recent["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (text(&it["id"]).to_owned(), text(&it["webhookName"]).to_owned()))
        .collect();
    assert_eq!(got, want);
    let few = alumia.get("/events?limit=3").await["items"].as_array().unwrap().clone();
    assert_eq!(few, recent["items"].as_array().unwrap()[..3]);
    for bad in ["limit=0", "limit=101", "limit=x", "cursor=1"] {
        let answer = scene.acme.0.get(&format!("{HOOKS}/events?{bad}")).await;
        refused(&answer, 400, "BAD_REQUEST");
    }
    // A renamed webhook is shown by the name it has; those of a deleted one are gone with it.
    alumia.patch(&webhooks[0], json!({ "name": "renamed" })).await;
    scene.acme.0.delete(&super::path(&webhooks[1], "")).await.expect(200);
    let items = alumia.get("/events").await["items"].as_array().unwrap().clone();
    let of: std::collections::BTreeSet<_> =
        items.iter().map(|it| text(&it["webhookName"])).collect();
    assert_eq!(of.into_iter().collect::<Vec<_>>(), ["n2", "renamed"]);
    assert_eq!(items.len(), 56);
}
