//! Signing in: a key exchanged for a cookie that scripts cannot read and other sites cannot use.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::scene::{Acme, Scene};
use crate::world::{Answer, Client, OPERATOR_KEY, World};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Somebody's browser: one cookie, and where its pages come from.
struct Browser {
    client: Client,
    cookie: String,
    origin: String,
}

impl Browser {
    async fn sign_in(client: &Client, key: &str) -> Self {
        let client = client.with_key("");
        let origin = format!("http://{}", client.address);
        let answer = sign_in(&client, key, &[("origin", &origin)]).await;
        answer.expect(200);
        Self { cookie: pair(&answer), client, origin }
    }

    async fn ask(&self, method: Method, path: &str, more: &[(&str, &str)], body: &Value) -> Answer {
        let mut headers = vec![JSON, ("cookie", self.cookie.as_str())];
        headers.extend(more);
        self.client.send(method, path, &headers, Bytes::from(body.to_string())).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.client.send(Method::GET, path, &[("cookie", &self.cookie)], Bytes::new()).await
    }

    /// As a page of ours asks.
    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, &[("origin", &self.origin)], body).await
    }
}

async fn sign_in(client: &Client, key: &str, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![JSON];
    all.extend(headers);
    let body = json!({ "key": key }).to_string();
    client.send(Method::POST, "/session", &all, body.into()).await
}

fn cookie(answer: &Answer) -> &str {
    answer.headers["set-cookie"].to_str().unwrap()
}

/// What a browser sends back of it.
fn pair(answer: &Answer) -> String {
    cookie(answer).split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_session_that_may_do_what_the_key_may() {
    let scene = Scene::new().await;
    let scopes = json!({ "name": "reader", "scopes": ["read"] });
    let made = scene.acme.0.post(&Acme::path("/api-keys"), &scopes).await.expect(201);
    let reader = made["key"].as_str().unwrap();
    let browser = Browser::sign_in(&scene.acme.0, reader).await;
    let session = browser.get("/session").await;
    assert_eq!(session.headers["cache-control"], "no-store");
    let session = session.expect(200)["session"].clone();
    assert_eq!(session["kind"], "key");
    assert_eq!((&session["tenant"]["id"], &session["scopes"]), (&json!("acme"), &json!(["read"])));
    assert_eq!(session["tenant"]["profile"], "standard");
    assert_eq!(session["capabilities"], json!(["read"]));
    browser.get(&Acme::path("/endpoints")).await.expect(200);
    let refused = browser.post(&Acme::path("/events"), &json!({ "type": "a", "data": {} })).await;
    assert_eq!(refused.expect(403)["code"], "forbidden");
    assert_eq!(browser.get("/v1/tenants/other/endpoints").await.status, 404);
    assert_eq!(browser.get("/v1/tenants").await.status, 403);

    let operator = Browser::sign_in(&scene.acme.0, OPERATOR_KEY).await;
    let session = operator.get("/session").await.expect(200)["session"].clone();
    assert_eq!((&session["kind"], &session["tenant"]), (&json!("operator"), &Value::Null));
    operator.get("/v1/tenants").await.expect(200);
    let event = json!({ "type": "order.created", "data": {} });
    operator.post(&Acme::path("/events"), &event).await.expect(202);
    let made = operator.post("/v1/tenants", &json!({ "id": "third" })).await;
    made.expect(201);
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites() {
    let scene = Scene::new().await;
    let client = scene.acme.0.with_key("");
    let plain = sign_in(&client, OPERATOR_KEY, &[]).await;
    assert!(cookie(&plain).starts_with("hookyard=hks_"), "{plain:?}");
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=86"] {
        assert!(cookie(&plain).contains(part), "{part}");
    }
    assert!(!cookie(&plain).contains("Secure"), "plain http could not keep it");
    assert!(
        !cookie(&plain).contains(OPERATOR_KEY)
            && !String::from_utf8_lossy(&plain.body).contains("hks_")
    );
    let secure = sign_in(&client, OPERATOR_KEY, &[("x-forwarded-proto", "https")]).await;
    assert!(cookie(&secure).starts_with("__Host-hookyard=hks_"), "{secure:?}");
    assert!(cookie(&secure).ends_with("; SameSite=Strict; Secure"), "{secure:?}");
    assert!(!scene.server.log().contains("hks_"), "a session is not logged");
}

#[tokio::test]
async fn a_change_needs_to_come_from_our_own_page() {
    let scene = Scene::new().await;
    let browser = Browser::sign_in(&scene.acme.0, OPERATOR_KEY).await;
    let path = Acme::path("/event-types");
    let body = |n: u32| json!({ "name": format!("order.n{n}") });
    for (n, more) in [
        &[][..],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://evil.example"), ("x-hookyard-session", "dashboard")],
    ]
    .into_iter()
    .enumerate()
    {
        let answer = browser.ask(Method::POST, &path, more, &body(n as u32)).await;
        assert_eq!(answer.expect(403)["code"], "forbidden", "{more:?}");
        let mut keyed = vec![("idempotency-key", "k1")];
        keyed.extend(more);
        let answer = browser.ask(Method::POST, &path, &keyed, &body(n as u32)).await;
        assert_eq!(answer.status, 403, "{more:?}");
    }
    let own = browser.origin.clone();
    for (n, more) in [
        &[("origin", own.as_str())][..],
        &[("x-hookyard-session", "dashboard")],
        &[("origin", own.as_str()), ("x-hookyard-session", "dashboard")],
    ]
    .into_iter()
    .enumerate()
    {
        let answer = browser.ask(Method::POST, &path, more, &body(10 + n as u32)).await;
        answer.expect(201);
    }
    let delete = Acme::path("/event-types/order.n10");
    assert_eq!(browser.ask(Method::DELETE, &delete, &[], &json!({})).await.status, 403);
    // Who sends a key means it, wherever they stand.
    let headers = [JSON, ("origin", "https://evil.example")];
    let sent = Bytes::from(body(20).to_string());
    let keyed = scene.acme.0.send(Method::POST, &path, &headers, sent).await;
    keyed.expect(201);
    let stranger = sign_in(&browser.client, OPERATOR_KEY, &[("origin", "https://evil.example")]);
    assert_eq!(stranger.await.status, 403, "nobody is signed in from elsewhere");
}

#[tokio::test]
async fn a_session_ends_with_its_key_and_with_signing_out() {
    let scene = Scene::new().await;
    let scopes = json!({ "name": "mine", "scopes": ["read"] });
    let made = scene.acme.0.post(&Acme::path("/api-keys"), &scopes).await.expect(201);
    let browser = Browser::sign_in(&scene.acme.0, made["key"].as_str().unwrap()).await;
    let list = Acme::path("/endpoints");
    browser.get(&list).await.expect(200);
    let out = [("x-hookyard-session", "dashboard")];
    let answer = browser.ask(Method::DELETE, "/session", &out, &Value::Null).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert!(cookie(&answer).starts_with("hookyard=; ") && cookie(&answer).contains("Max-Age=0"));
    let key = format!("/api-keys/{}", made["id"].as_str().unwrap());
    assert_eq!(scene.acme.0.delete(&Acme::path(&key)).await.status, 204);
    assert_eq!(browser.get(&list).await.status, 401);
    assert_eq!(browser.get("/session").await.expect(200)["session"], Value::Null);
}

#[tokio::test]
async fn sessions_outlive_a_restart_but_not_another_operators_key() {
    let world = World::new();
    let server = world.serve().await;
    let mut browser = Browser::sign_in(&server.operator(), OPERATOR_KEY).await;
    assert!(server.stop().await.success());
    let server = world.serve().await;
    browser.client.address = server.address;
    browser.get("/v1/tenants").await.expect(200);
    assert!(server.stop().await.success());
    let env = [("HOOKYARD_OPERATOR_KEY", "another-key-of-another-operator")];
    let server = world.serve_with(&[], &env).await;
    browser.client.address = server.address;
    assert_eq!(browser.get("/v1/tenants").await.status, 401);
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn what_is_no_key_and_no_session_signs_nobody_in() {
    let scene = Scene::new().await;
    let client = scene.acme.0.with_key("");
    for key in ["nonsense", "hk_0000", "hks_AAAA", "hkp_AAAA", "key_01jv0g6xwre3zb0g8v4q5n6m7k"] {
        let answer = sign_in(&client, key, &[]).await;
        assert_eq!(answer.expect(401)["code"], "unauthenticated", "{key}");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    for body in [json!({}), json!({ "key": "" }), json!({ "key": 7 }), json!({ "kye": "x" })] {
        let answer = client.send(Method::POST, "/session", &[JSON], body.to_string().into()).await;
        assert_eq!(answer.status, 422, "{body}: {answer:?}");
    }
    assert_eq!(client.get("/session").await.expect(200)["session"], Value::Null);
    let session = sign_in(&client, OPERATOR_KEY, &[]).await;
    let pass = pair(&session).split_once('=').unwrap().1.to_owned();
    let as_key = client.with_key(&pass).get("/v1/tenants").await;
    assert_eq!(as_key.status, 401, "a session is no key");
    let mut broken = pass.clone();
    broken.replace_range(20..21, if &pass[20..21] == "A" { "B" } else { "A" });
    for value in [broken.as_str(), "hks_", "x", ""] {
        let headers = [("cookie", format!("hookyard={value}"))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = client.send(Method::GET, "/v1/tenants", &headers, Bytes::new()).await;
        assert_eq!(answer.status, 401, "{value}");
    }
    // A key's id is no key, also after its session was looked up by it.
    let keys = scene.acme.0.get(&Acme::path("/api-keys")).await.expect(200);
    let id = keys["data"][0]["id"].as_str().unwrap();
    let browser = Browser::sign_in(&scene.acme.0, &scene.acme.0.key).await;
    browser.get(&Acme::path("/endpoints")).await.expect(200);
    assert_eq!(client.with_key(id).get(&Acme::path("/endpoints")).await.status, 401);
}
