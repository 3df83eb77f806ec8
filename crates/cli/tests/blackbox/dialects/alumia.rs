//! The surface of Alumia, asked as the seed's page tells its users to; facts are cited by their ids of vendors.md §3.

mod conformance;
mod forwarding;
mod isolation;
mod linear;
mod lists;
mod managing;
mod receiving;
mod refusals;
mod seed;
mod states;
mod trials;

use http::Method;
use serde_json::{Value, json};

use crate::scene::text;
use crate::world::{Answer, Client, until};

const HOOKS: &str = "/api/v1/webhooks";
/// The members of a webhook in a list, as the seed has them.
const MEMBERS: [&str; 13] = [
    "createdAt",
    "deliveryCount",
    "description",
    "enabled",
    "events",
    "id",
    "lastDeliveryAt",
    "name",
    "receiveUrl",
    "source",
    "status",
    "updatedAt",
    "url",
];

/// The surface, asked with a tenant's key.
struct Alumia<'a>(&'a Client);

impl Alumia<'_> {
    /// Makes a webhook; answers it with its secret.
    async fn create(&self, webhook: Value) -> Value {
        data(&self.0.post(HOOKS, &webhook).await, 201)
    }

    /// A webhook that forwards.
    async fn forwarding_to(&self, url: &str) -> Value {
        self.create(json!({ "name": "forwards", "url": url })).await
    }

    async fn get(&self, rest: &str) -> Value {
        data(&self.0.get(&format!("{HOOKS}{rest}")).await, 200)
    }

    /// The webhook as it is now.
    async fn now(&self, webhook: &Value) -> Value {
        data(&self.0.get(&path(webhook, "")).await, 200)
    }

    async fn patch(&self, webhook: &Value, change: Value) -> Value {
        data(&self.0.patch(&path(webhook, ""), &change).await, 200)
    }

    /// Rotates; answers the new secret.
    async fn rotate(&self, webhook: &Value) -> String {
        let answer = self.0.send(Method::POST, &path(webhook, "/rotate"), &[], "".into()).await;
        text(&data(&answer, 200)["secret"]).to_owned()
    }

    /// The rows of a list of a webhook.
    async fn rows(&self, webhook: &Value, rest: &str) -> Vec<Value> {
        let list = data(&self.0.get(&path(webhook, rest)).await, 200);
        list["items"].as_array().unwrap().clone()
    }

    /// Waits until so many attempts of a webhook are listed.
    async fn attempts(&self, webhook: &Value, count: usize) -> Vec<Value> {
        until(&format!("{count} attempts"), async || {
            Some(self.rows(webhook, "/deliveries").await).filter(|it| it.len() >= count)
        })
        .await
    }

    /// What a third party sends to the receive URL.
    async fn send(&self, webhook: &Value, headers: &[(&str, &str)], body: &str) -> Answer {
        let path = path_of(&webhook["receiveUrl"]);
        let stranger = self.0.with_key("");
        stranger.send(Method::POST, path, headers, body.to_owned().into()).await
    }

    /// The same, signed with a secret by Standard Webhooks under the id `id`, and more headers.
    async fn signed(
        &self,
        webhook: &Value,
        (secret, id): (&str, &str),
        more: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let signed = signature(self.0, secret, id, body).await;
        let mut headers: Vec<_> =
            signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        headers.extend(more);
        self.send(webhook, &headers, body).await
    }

    /// Brings an event of this type in; answers its id.
    async fn bring(&self, webhook: &Value, id: &str, event_type: &str) -> String {
        let body = json!({ "type": event_type, "n": 1 }).to_string();
        let answer = self.signed(webhook, (text(&webhook["secret"]), id), &[JSON], &body).await;
        text(&data(&answer, 200)["id"]).to_owned()
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

/// The headers of Standard Webhooks for a body, made by the gateway's signing tool.
async fn signature(client: &Client, secret: &str, id: &str, body: &str) -> Vec<(String, String)> {
    let sign = json!({ "scheme": "standard", "secret": secret, "id": id, "payload": body });
    let signed = client.post("/v1/signatures/sign", &sign).await.expect(200);
    let headers = signed["headers"].as_object().unwrap();
    headers.iter().map(|(name, value)| (name.clone(), text(value).to_owned())).collect()
}

/// The bare hex of HMAC-SHA256 over a body.
async fn hex(client: &Client, secret: &str, body: &str) -> String {
    let sign = json!({ "scheme": "aryeo", "secret": secret, "payload": body });
    let signed = client.post("/v1/signatures/sign", &sign).await.expect(200);
    let headers = signed["headers"].as_object().unwrap();
    text(headers.values().next().unwrap()).to_owned()
}

fn path(webhook: &Value, rest: &str) -> String {
    format!("{HOOKS}/{}{rest}", text(&webhook["id"]))
}

/// A URL without its scheme and host.
fn path_of(url: &Value) -> &str {
    let url = text(url);
    let (_, rest) = url.split_once("://").unwrap();
    &rest[rest.find('/').unwrap()..]
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap_or_else(|| panic!("{object}")).keys().map(String::as_str).collect()
}

/// What stands in the envelope of a success.
#[track_caller]
fn data(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/json", "{answer:?}");
    let body = answer.json();
    assert_eq!(names(&body), ["data", "success"], "{body}");
    assert_eq!(body["success"], true, "{body}");
    body["data"].clone()
}

/// A refusal in Alumia's form; answers what it says.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/json", "{answer:?}");
    let body = answer.json();
    assert_eq!(names(&body), ["error", "success"], "{body}");
    assert_eq!(body["success"], false, "{body}");
    assert_eq!(names(&body["error"]), ["code", "message"], "{body}");
    assert_eq!(body["error"]["code"], code, "{body}");
    let message = text(&body["error"]["message"]);
    assert!(message.ends_with('.'), "{body}");
    message.to_owned()
}

/// A refusal of wrong fields, that names all of them.
#[track_caller]
fn wrong(answer: &Answer, fields: &[&str]) {
    let message = refused(answer, 400, "BAD_REQUEST");
    let named = message.matches("` is wrong: ").count();
    assert_eq!(named, fields.len(), "{message}");
    for field in fields {
        assert!(message.contains(&format!("`{field}` is wrong: ")), "{message}");
    }
}

/// A time as the API writes it: RFC 3339, UTC, milliseconds.
#[track_caller]
fn is_time(value: &Value) {
    let read: jiff::Timestamp = text(value).parse().unwrap();
    assert_eq!(format!("{read:.3}"), text(value));
}

/// A UUID in small letters.
#[track_caller]
fn is_uuid(value: &Value) {
    let id = text(value);
    let parts: Vec<_> = id.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
    let small = |it: char| matches!(it, '0'..='9' | 'a'..='f' | '-');
    assert!(id.chars().all(small), "{id}");
}
