//! The portal's sessions: links for a tenant's own customer, held to their capabilities and to their scope.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::follower::Follower;
use crate::receiver::Receiver;
use crate::scene::{Acme, Scene, text};
use crate::world::{Answer, Client, until};

/// A link that was made, and a client with its token.
async fn portal(acme: &Acme, wanted: Value) -> (Value, Acme) {
    let made = acme.0.post(&Acme::path("/portal-sessions"), &wanted).await.expect(201);
    let client = acme.0.with_key(text(&made["token"]));
    (made, Acme(client))
}

async fn get(client: &Client, rest: &str) -> Answer {
    client.get(&Acme::path(rest)).await
}

async fn act(client: &Client, rest: &str) -> Answer {
    client.send(Method::POST, &Acme::path(rest), &[], Bytes::new()).await
}

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|it| text(&it["id"]).to_owned()).collect()
}

/// Two sites of a tenant, each with an endpoint and an event, and an endpoint for all of them.
struct Sites {
    scene: Scene,
    receiver: Receiver,
    endpoints: [String; 3],
    events: [String; 2],
    deliveries: Vec<Value>,
}

impl Sites {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let receiver = Receiver::start().await;
        let mut endpoints = Vec::new();
        for scope in [json!("north"), json!("south"), Value::Null] {
            let settings = json!({ "url": receiver.url(), "events": "*", "scope": scope });
            endpoints.push(text(&scene.acme.endpoint(settings).await["id"]).to_owned());
        }
        let mut events = Vec::new();
        for scope in ["north", "south"] {
            let event = json!({ "type": "order.created", "data": {}, "scope": scope });
            events.push(scene.acme.publish(event).await);
        }
        let deliveries = until("four deliveries have succeeded", async || {
            let all = scene.acme.deliveries("status=succeeded").await;
            (all.len() == 4).then_some(all)
        })
        .await;
        let endpoints = endpoints.try_into().unwrap();
        Self { scene, receiver, endpoints, events: events.try_into().unwrap(), deliveries }
    }

    /// The delivery of an event to an endpoint.
    fn delivery(&self, event: usize, endpoint: usize) -> String {
        let of = |it: &&Value| {
            it["event_id"] == self.events[event] && it["endpoint_id"] == self.endpoints[endpoint]
        };
        text(&self.deliveries.iter().find(of).unwrap()["id"]).to_owned()
    }
}

#[tokio::test]
async fn a_link_leads_to_the_portal_and_its_token_is_a_key() {
    let scene = Scene::new().await;
    let (made, portal) = portal(&scene.acme, json!({ "expires_in": 600 })).await;
    let base = format!("http://{}/portal#token=hkp_", scene.server.address);
    assert!(text(&made["url"]).starts_with(&base), "{made}");
    assert!(text(&made["url"]).ends_with(text(&made["token"])));
    get(&portal.0, "/endpoints").await.expect(200);
    assert_eq!(portal.0.get("/v1/tenants/other/endpoints").await.status, 404);
    for (rest, status) in [("/api-keys", 403), ("/audit", 403)] {
        assert_eq!(get(&portal.0, rest).await.status, status, "{rest}");
    }
    assert_eq!(portal.0.get("/v1/tenants").await.status, 403);
    let event = json!({ "type": "order.created", "data": {} });
    assert_eq!(portal.0.post(&Acme::path("/events"), &event).await.status, 403);
    let more = portal.0.post(&Acme::path("/portal-sessions"), &json!({})).await;
    assert_eq!(more.status, 403, "a link makes no links");
    let audit = get(&scene.acme.0, "/audit").await.expect(200);
    assert_eq!(audit["data"][0]["action"], "portal_session.created");
    assert!(!audit.to_string().contains("hkp_") && !scene.server.log().contains("hkp_"));

    let session = json!({ "key": made["token"] });
    let json_type = ("content-type", "application/json");
    let signed_in = portal.0.with_key("");
    let https = [json_type, ("x-forwarded-proto", "https")];
    let body = Bytes::from(session.to_string());
    let answer = signed_in.send(Method::POST, "/session", &https, body.clone()).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-hookyard-portal=hkp_"), "{cookie}");
    assert!(cookie.ends_with("SameSite=None; Secure; Partitioned"), "{cookie}");
    let answer = signed_in.send(Method::POST, "/session", &[json_type], body).await;
    assert_eq!(answer.expect(200)["session"]["kind"], "portal");
    let cookie = answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let headers = [("cookie", cookie), ("x-hookyard-session", "portal")];
    let path = Acme::path("/endpoints");
    signed_in.send(Method::GET, &path, &headers, Bytes::new()).await.expect(200);
}

#[tokio::test]
async fn a_link_does_what_its_capabilities_say_and_nothing_else() {
    let sites = Sites::new().await;
    let acme = &sites.scene.acme;
    let endpoint = &sites.endpoints[0];
    let retry = format!("/deliveries/{}/retry", sites.delivery(0, 0));
    let replay = format!("/events/{}/replay", sites.events[0]);
    for (capability, list, manage, again) in
        [("read", 200, 403, 403), ("manage", 403, 200, 403), ("replay", 403, 403, 200)]
    {
        let (_, portal) = portal(acme, json!({ "capabilities": [capability] })).await;
        for rest in
            ["/endpoints", "/events", "/deliveries", "/overview", "/event-types", "/sources"]
        {
            assert_eq!(get(&portal.0, rest).await.status, list, "{capability} {rest}");
        }
        for verb in ["pause", "resume", "test", "rotate-secret", "reveal-secret"] {
            let answer = act(&portal.0, &format!("/endpoints/{endpoint}/{verb}")).await;
            assert_eq!(answer.status, manage, "{capability} {verb}: {answer:?}");
        }
        let new = json!({ "url": sites.receiver.url(), "events": "*" });
        let made = portal.0.post(&Acme::path("/endpoints"), &new).await;
        assert_eq!(made.status, if manage == 200 { 201 } else { 403 }, "{made:?}");
        let answer = act(&portal.0, &retry).await;
        // What has succeeded cannot be tried again: who may try is told so.
        assert_eq!(answer.status, if again == 200 { 409 } else { 403 }, "{capability}: {answer:?}");
        let answer = act(&portal.0, &replay).await;
        let done = if again == 200 { 202 } else { again };
        assert_eq!(answer.status, done, "{capability}: {answer:?}");
        let kind = json!({ "name": format!("made.by.{capability}") });
        let answer = portal.0.post(&Acme::path("/event-types"), &kind).await;
        assert_eq!(answer.status, 403, "the catalogue is the tenant's own");
        let source = portal.0.post(&Acme::path("/sources"), &json!({ "name": "s" })).await;
        assert_eq!(source.status, 403);
    }
}

#[tokio::test]
async fn a_link_for_a_scope_shows_that_scope_alone() {
    let sites = Sites::new().await;
    let (made, portal) = portal(&sites.scene.acme, json!({ "scope": "north" })).await;
    let north = &portal.0;
    assert_eq!(ids(&get(north, "/endpoints").await.expect(200)), [&*sites.endpoints[0]]);
    assert_eq!(ids(&get(north, "/events").await.expect(200)), [&*sites.events[0]]);
    let delivery = sites.delivery(0, 0);
    assert_eq!(ids(&get(north, "/deliveries").await.expect(200)), [&*delivery]);
    for limit in [1, 2, 250] {
        let page = get(north, &format!("/deliveries?limit={limit}")).await.expect(200);
        assert_eq!(ids(&page), [&*delivery], "{limit}");
    }
    let of_event = format!("/events/{}/deliveries", sites.events[0]);
    assert_eq!(ids(&get(north, &of_event).await.expect(200)), [&*delivery]);
    let exported = get(north, "/deliveries/export?format=ndjson").await;
    assert_eq!(String::from_utf8_lossy(&exported.body).lines().count(), 1, "{exported:?}");
    let seen = get(north, "/overview").await.expect(200);
    assert_eq!(seen["numbers"]["totals"]["succeeded"], 1, "{seen}");
    assert_eq!(seen["endpoints"]["active"], 1);
    get(north, "/event-types").await.expect(200);
    for endpoint in &sites.endpoints[1..] {
        for rest in ["", "/stats"] {
            let answer = get(north, &format!("/endpoints/{endpoint}{rest}")).await;
            assert_eq!(answer.status, 404, "{endpoint}{rest}");
        }
        let listed = get(north, &format!("/deliveries?endpoint={endpoint}")).await;
        assert_eq!(listed.status, 422, "as if there were none");
        for verb in ["pause", "test", "reveal-secret", "rotate-secret", "disable"] {
            let answer = act(north, &format!("/endpoints/{endpoint}/{verb}")).await;
            assert_eq!(answer.status, 404, "{endpoint} {verb}");
        }
        let path = Acme::path(&format!("/endpoints/{endpoint}"));
        assert_eq!(north.patch(&path, &json!({ "name": "mine" })).await.status, 404);
        assert_eq!(north.delete(&path).await.status, 404);
    }
    for rest in [
        format!("/events/{}", sites.events[1]),
        format!("/events/{}/deliveries", sites.events[1]),
        format!("/deliveries/{}", sites.delivery(0, 2)),
        format!("/deliveries/{}/attempts", sites.delivery(0, 2)),
        format!("/deliveries/{}/attempts", sites.delivery(1, 1)),
    ] {
        assert_eq!(get(north, &rest).await.status, 404, "{rest}");
    }
    for rest in [
        format!("/events/{}/replay", sites.events[1]),
        format!("/deliveries/{}/retry", sites.delivery(1, 1)),
        format!("/deliveries/{}/cancel", sites.delivery(0, 2)),
    ] {
        assert_eq!(act(north, &rest).await.status, 404, "{rest}");
    }
    let foreign = json!({ "endpoints": [sites.endpoints[2]] });
    let path = Acme::path(&format!("/events/{}/replay", sites.events[0]));
    assert_eq!(north.post(&path, &foreign).await.status, 422);
    let session = north.with_key("");
    let json_type = [("content-type", "application/json")];
    let key = json!({ "key": made["token"] }).to_string();
    let session = session.send(Method::POST, "/session", &json_type, key.into()).await.expect(200);
    assert_eq!(session["session"]["scope"], "north");
}

#[tokio::test]
async fn what_a_link_for_a_scope_makes_is_of_that_scope() {
    let sites = Sites::new().await;
    let (_, portal) = portal(&sites.scene.acme, json!({ "scope": "north" })).await;
    let new = |more: Value| {
        let mut new = json!({ "url": sites.receiver.url(), "events": "*" });
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        new
    };
    let path = Acme::path("/endpoints");
    for foreign in [json!({ "scope": "south" }), json!({ "scope": "" })] {
        let answer = portal.0.post(&path, &new(foreign.clone())).await;
        assert_eq!(answer.status, 403, "{foreign}: {answer:?}");
    }
    for own in [json!({}), json!({ "scope": "north" }), json!({ "scope": null })] {
        let made = portal.0.post(&path, &new(own)).await.expect(201);
        assert_eq!(made["scope"], "north");
        let path = Acme::path(&format!("/endpoints/{}", text(&made["id"])));
        let moved = portal.0.patch(&path, &json!({ "scope": "south" })).await;
        assert_eq!(moved.status, 403);
        let kept = portal.0.patch(&path, &json!({ "scope": null, "name": "n" })).await.expect(200);
        assert_eq!((&kept["scope"], &kept["name"]), (&json!("north"), &json!("n")));
        assert_eq!(portal.0.delete(&path).await.status, 204);
    }
    // What its deleted endpoints were sent stays listed for it.
    let path = Acme::path(&format!("/endpoints/{}", sites.endpoints[0]));
    assert_eq!(portal.0.delete(&path).await.status, 204);
    let kept = get(&portal.0, "/deliveries").await.expect(200);
    assert_eq!(ids(&kept), [sites.delivery(0, 0)]);
    let audit = get(&sites.scene.acme.0, "/audit").await.expect(200);
    let actor = text(&audit["data"][0]["actor"]).to_owned();
    assert!(actor.starts_with("portal session ") && actor.contains("key_"), "{actor}");
}

#[tokio::test]
async fn a_link_ends_with_its_time_its_key_and_its_tenant() {
    let scene = Scene::new().await;
    let key = json!({ "name": "maker", "scopes": ["read", "write"] });
    let maker = scene.acme.0.post(&Acme::path("/api-keys"), &key).await.expect(201);
    let by_key = Acme(scene.acme.0.with_key(text(&maker["key"])));
    let (_, of_key) = portal(&by_key, json!({})).await;
    let (_, of_operator) = portal(&Acme(scene.server.operator()), json!({})).await;
    get(&of_key.0, "/endpoints").await.expect(200);
    get(&of_operator.0, "/endpoints").await.expect(200);
    let revoke = Acme::path(&format!("/api-keys/{}", text(&maker["id"])));
    assert_eq!(scene.acme.0.delete(&revoke).await.status, 204);
    assert_eq!(get(&of_key.0, "/endpoints").await.status, 401);
    get(&of_operator.0, "/endpoints").await.expect(200);
    let operator = scene.server.operator();
    assert_eq!(operator.delete("/v1/tenants/acme").await.status, 204);
    assert_eq!(get(&of_operator.0, "/endpoints").await.status, 401);
    operator.post("/v1/tenants", &json!({ "id": "acme" })).await.expect(201);
    assert_eq!(get(&of_operator.0, "/endpoints").await.status, 401, "another tenant of that name");
}

#[tokio::test]
async fn nobody_makes_a_link_that_may_do_more_than_they_may() {
    let scene = Scene::new().await;
    let path = Acme::path("/portal-sessions");
    for (scopes, wanted, status) in [
        (json!(["read"]), json!({ "capabilities": ["read"] }), 403),
        (json!(["publish"]), json!({}), 403),
        (json!(["write"]), json!({}), 403),
        (json!(["write"]), json!({ "capabilities": ["manage", "replay"] }), 201),
        (json!(["read", "write"]), json!({}), 201),
    ] {
        let key = json!({ "name": "k", "scopes": scopes });
        let made = scene.acme.0.post(&Acme::path("/api-keys"), &key).await.expect(201);
        let answer = scene.acme.0.with_key(text(&made["key"])).post(&path, &wanted).await;
        assert_eq!(answer.status, status, "{scopes} {wanted}: {answer:?}");
    }
    for wrong in [
        json!({ "expires_in": 59 }),
        json!({ "expires_in": 86_401 }),
        json!({ "scope": "" }),
        json!({ "capabilities": [] }),
        json!({ "capabilities": ["admin"] }),
        json!({ "tenant": "other" }),
    ] {
        let answer = scene.acme.0.post(&path, &wrong).await;
        assert_eq!(answer.status, 422, "{wrong}: {answer:?}");
    }
}

#[tokio::test]
async fn a_link_limited_to_a_scope_follows_and_recovers_what_is_of_that_scope_alone() {
    let sites = Sites::new().await;
    let acme = &sites.scene.acme;
    let (_, north) =
        portal(acme, json!({ "scope": "north", "capabilities": ["read", "replay"] })).await;
    let mut follower = Follower::open(&north.0, &Acme::path("/stream")).await;
    for scope in ["south", "north"] {
        let event = json!({ "type": "order.created", "data": {}, "scope": scope });
        acme.publish(event).await;
    }
    let accepted = follower.next().await;
    assert_eq!((&*accepted.kind, accepted.text("scope")), ("event.accepted", "north"));
    let finished = follower.next().await;
    let of_north = (&*finished.kind, finished.text("endpoint_id"));
    assert_eq!(of_north, ("attempt.finished", &*sites.endpoints[0]));
    for endpoint in [1, 2, 0] {
        acme.ask(&json!(sites.endpoints[endpoint]), "pause").await;
    }
    let changed = follower.next().await;
    assert_eq!(
        (changed.text("action"), changed.text("id")),
        ("endpoint.paused", &*sites.endpoints[0])
    );
    for query in ["?scope=south", &format!("?endpoint={}", sites.endpoints[1])] {
        let refused =
            Follower::try_open(&north.0, &Acme::path(&format!("/stream{query}")), None).await;
        assert_eq!(refused.err().map(|it| it.status), Some(422), "{query}");
    }
    let recover = async |client: &Client, endpoint: usize| {
        let path = Acme::path(&format!("/endpoints/{}/recover", sites.endpoints[endpoint]));
        client.post(&path, &json!({ "since": "2020-01-01T00:00:00Z" })).await
    };
    assert_eq!(recover(&north.0, 1).await.status, 404);
    let own = recover(&north.0, 0).await.expect(202);
    let foreign = recover(&acme.0, 1).await.expect(202);
    let page = get(&north.0, "/jobs").await.expect(200);
    assert_eq!(ids(&page), [text(&own["id"])]);
    for (job, status) in [(&own, 200), (&foreign, 404)] {
        let rest = format!("/jobs/{}", text(&job["id"]));
        assert_eq!(get(&north.0, &rest).await.status, status);
        assert_eq!(act(&north.0, &format!("{rest}/cancel")).await.status, status);
    }
    let (_, reader) = portal(acme, json!({ "scope": "north", "capabilities": ["read"] })).await;
    assert_eq!(recover(&reader.0, 0).await.status, 403);
}
