//! Two tenants, route by route from the OpenAPI documents: whatever a path can name, the key of one finds nothing of the
//! other's there, cannot tell it from what is not there at all, and moves nothing. (Alumia's surface has a test of its own.)

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::scene::{Scene, text};
use crate::world::{Answer, Client, until};

const NATIVE: &str = include_str!("../../../../../docs/api/openapi.json");
const ALY: &str = include_str!("../../../../../docs/api/openapi-aly.json");
const ALVYS: &str = include_str!("../../../../../docs/api/openapi-alvys.json");

/// Called by providers, who have no key: a signature stands in its place.
const PUBLIC: &str = "/in/{source_id}";

/// A tenant with one of everything that a path can name: each name in a path with what it stands for.
struct Owner {
    client: Client,
    names: BTreeMap<&'static str, String>,
}

impl Owner {
    async fn new(scene: &Scene, tenant: &str, receiver: &Receiver) -> Self {
        let client = match tenant {
            "acme" => scene.acme.0.clone(),
            other => scene.server.operator().tenant(other).await,
        };
        let base = format!("/v1/tenants/{tenant}");
        let post =
            async |rest: &str, body: Value| client.post(&format!("{base}{rest}"), &body).await;
        let one_type = format!("{tenant}.made");
        let url = receiver.url();
        let endpoint = json!({ "url": url, "events": [one_type] });
        let endpoint = post("/endpoints", endpoint).await.expect(201);
        let aly = json!({ "url": url, "events": "*", "profile": "aly" });
        let aly = post("/endpoints", aly).await.expect(201);
        let alvys =
            json!({ "url": url, "events": [one_type], "profile": "alvys", "verify": "none" });
        let alvys = post("/endpoints", alvys).await.expect(201);
        let key =
            post("/api-keys", json!({ "name": "more", "scopes": ["read"] })).await.expect(201);
        post("/event-types", json!({ "name": one_type })).await.expect(201);
        let source = post("/sources", json!({ "name": "s" })).await.expect(201);
        let event = post("/events", json!({ "type": one_type, "data": {} })).await.expect(202);
        let done = until("its deliveries have succeeded", async || {
            let page = client.get(&format!("{base}/deliveries?status=succeeded")).await.expect(200);
            page["data"].as_array().filter(|it| it.len() == 3).cloned()
        })
        .await;
        let delivery_to = |endpoint: &Value| {
            let found = done.iter().find(|it| it["endpoint_id"] == endpoint["id"]);
            text(&found.unwrap()["id"]).to_owned()
        };
        let alvys_id = text(&alvys["id"]).to_owned();
        let logs = format!("/api/p/v3/webhooks/{alvys_id}/delivery-logs");
        let log = client.get(&logs).await.expect(200)["Items"][0]["Id"].clone();
        let recover = format!("/endpoints/{}/recover", text(&endpoint["id"]));
        let job = post(&recover, json!({ "since": "2026-01-01T00:00:00Z" })).await.expect(202);
        let job_path = format!("{base}/jobs/{}", text(&job["id"]));
        until("the job has ended", async || {
            let job = client.get(&job_path).await.expect(200);
            (job["status"] != "running").then_some(())
        })
        .await;
        let names = BTreeMap::from([
            ("jobs", text(&job["id"]).to_owned()),
            ("tenant", tenant.to_owned()),
            ("endpoints", text(&endpoint["id"]).to_owned()),
            ("events", text(&event["id"]).to_owned()),
            ("deliveries", delivery_to(&endpoint)),
            ("api-keys", text(&key["id"]).to_owned()),
            ("event-types", one_type),
            ("sources", text(&source["id"]).to_owned()),
            ("aly webhooks", text(&aly["id"]).to_owned()),
            ("aly deliveries", delivery_to(&aly)),
            ("alvys webhooks", alvys_id),
            ("alvys delivery-logs", text(&log).to_owned()),
        ]);
        Self { client, names }
    }

    /// Everything its owner can see.
    async fn seen(&self) -> Vec<Value> {
        let tenant = &self.names["tenant"];
        let mut seen = Vec::new();
        for list in [
            "endpoints",
            "events",
            "deliveries",
            "api-keys",
            "event-types",
            "sources",
            "audit",
            "jobs",
        ] {
            let path = format!("/v1/tenants/{tenant}/{list}?limit=250");
            seen.push(self.client.get(&path).await.expect(200));
        }
        seen
    }
}

/// What the placeholders of a path stand for: the segment before each says it, and the surface where that is not enough.
fn places(surface: &str, path: &str) -> Vec<(String, String)> {
    let segments: Vec<_> = path.split('/').collect();
    let named = segments.windows(2).filter(|it| it[1].starts_with('{'));
    let place = |before: &str, name: &str| match (surface, name) {
        ("native", "{tenant}") => "tenant".to_owned(),
        ("native", _) => before.to_owned(),
        _ => format!("{surface} {before}"),
    };
    named.map(|it| (it[1].to_owned(), place(it[0], it[1]))).collect()
}

/// Something of the same form that nobody has.
fn nobodys(name: &str) -> String {
    match name.split_at_checked(name.len().saturating_sub(6)) {
        Some((head, _)) if name.contains('_') => format!("{head}zzzzzz"),
        _ => format!("{name}-nobody"),
    }
}

/// A body that does something, if the route lets it.
fn body(method: &Method, path: &str) -> Value {
    let url = "https://evil.example/";
    let last = path.rsplit('/').next().unwrap_or_default();
    match (method.as_str(), last) {
        ("POST", "api-keys") => json!({ "name": "stolen", "scopes": ["admin"] }),
        ("POST", "endpoints") => json!({ "url": url, "events": "*" }),
        ("POST", "event-types") => json!({ "name": "stolen.type" }),
        ("POST", "import") => json!({ "catalogue": "aryeo" }),
        ("POST", "events") => json!({ "type": "acme.made", "data": {} }),
        ("POST", "batch") => json!([{ "type": "acme.made", "data": {} }]),
        ("POST", "recover") => json!({ "since": "2026-01-01T00:00:00Z" }),
        ("POST", "sources") => json!({ "name": "stolen" }),
        ("PUT", _) if path.contains("event-types") => json!({ "group": "stolen" }),
        ("PUT", _) => json!({ "Name": "stolen", "Url": url }),
        ("PATCH", _) if path.contains("endpoints") => json!({ "url": url }),
        ("PATCH", _) if path.contains("merchant") => json!({ "active": false, "url": url }),
        ("PATCH", _) => json!({ "name": "stolen" }),
        _ => json!({}),
    }
}

async fn ask(client: &Client, method: &Method, path: &str, body: &Value) -> Answer {
    if matches!(*method, Method::GET | Method::DELETE) {
        return client.send(method.clone(), path, &[], "".into()).await;
    }
    let json = [("content-type", "application/json")];
    client.send(method.clone(), path, &json, body.to_string().into()).await
}

/// Asks for one operation with the thief's key, each placeholder being the owner's or, all but one, the thief's own; answers
/// how many requests that were.
async fn try_all(
    (owner, thief): (&Owner, &Owner),
    (surface, route): (&str, &str),
    method: &Method,
) -> usize {
    let places = places(surface, route);
    let mut asked = 0;
    // Each bit says whose a placeholder is; all of them the thief's is what they may do.
    for whose in 1..(1_u32 << places.len()) {
        let (mut path, mut nobody) = (route.to_owned(), route.to_owned());
        for (at, (placeholder, place)) in places.iter().enumerate() {
            let is_owners = whose & (1 << at) != 0;
            let names = if is_owners { &owner.names } else { &thief.names };
            let name = names.get(place.as_str());
            let name = name.unwrap_or_else(|| panic!("`{place}` of {route} is not known here"));
            path = path.replacen(placeholder.as_str(), name, 1);
            let other = if is_owners { nobodys(name) } else { name.clone() };
            nobody = nobody.replacen(placeholder.as_str(), &other, 1);
        }
        // A type's name is the caller's to choose in their own catalogue.
        if *method == Method::PUT && route.ends_with("{name}") && whose == 0b10 {
            continue;
        }
        let body = body(method, route);
        let answer = ask(&thief.client, method, &path, &body).await;
        assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{method} {path}");
        let same = ask(&thief.client, method, &nobody, &body).await;
        assert_eq!(
            (answer.status, &answer.body),
            (same.status, &same.body),
            "{method} {path} tells that it is there; nobody's: {nobody}"
        );
        asked += 1;
    }
    asked
}

#[tokio::test]
async fn no_route_of_any_document_shows_or_moves_what_is_another_tenants() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let owner = Owner::new(&scene, "acme", &receiver).await;
    let thief = Owner::new(&scene, "other", &receiver).await;
    let (before, own) = (owner.seen().await, thief.seen().await);
    let arrived = receiver.count();
    for (surface, document) in [("native", NATIVE), ("aly", ALY), ("alvys", ALVYS)] {
        let document: Value = serde_json::from_str(document).unwrap();
        let mut asked = 0;
        for (route, item) in document["paths"].as_object().unwrap() {
            if !route.contains('{') || route == PUBLIC {
                continue;
            }
            for method in item.as_object().unwrap().keys() {
                let method: Method = method.to_uppercase().parse().unwrap();
                asked += try_all((&owner, &thief), (surface, route), &method).await;
            }
        }
        assert!(asked >= 8, "{surface}: {asked} requests");
    }
    assert_eq!(owner.seen().await, before, "what is the owner's was not moved");
    assert_eq!(thief.seen().await, own, "nor was anything moved of the other's own");
    assert_eq!(receiver.count(), arrived, "nothing was sent");

    // The same paths are there for their owner, so that this means something.
    for (surface, path) in [
        ("native", "/v1/tenants/{tenant}/endpoints/{id}"),
        ("native", "/v1/tenants/{tenant}/events/{id}"),
        ("native", "/v1/tenants/{tenant}/deliveries/{id}/attempts"),
        ("native", "/v1/tenants/{tenant}/event-types/{name}"),
        ("native", "/v1/tenants/{tenant}/sources/{id}"),
        ("aly", "/api/storefront/v1/merchant/webhooks/{id}/deliveries"),
        ("alvys", "/api/p/v3/webhooks/{webhookId}/delivery-logs/{logId}"),
    ] {
        let filled =
            places(surface, path).into_iter().fold(path.to_owned(), |path, (it, place)| {
                path.replacen(it.as_str(), &owner.names[place.as_str()], 1)
            });
        let answer = owner.client.get(&filled).await;
        assert_eq!(answer.headers["cache-control"], "no-store", "{filled}");
        answer.expect(200);
    }
}
