//! The native API of the contract's section 3, asked as its users ask: the real binary, a real socket, real receivers.

mod api_keys;
mod audit;
mod batch;
mod conformance;
mod deliveries;
mod endpoint_acts;
mod endpoint_refusals;
mod endpoints;
mod event_types;
mod export;
mod idempotency;
mod lists;
mod ops;
mod publish;
mod refusals;
mod secrets;
mod signatures;
mod sink;
mod sources;
mod statuses;
mod tenants;

use std::sync::{Arc, Weak};

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::world::{Answer, Client, Server, World, until};

/// Whatever tests run at the moment share one server; the last of them ends it.
static SHARED: Mutex<Weak<Shared>> = Mutex::const_new(Weak::new());

struct Shared {
    // Ends before its folder goes away.
    server: Server,
    _world: World,
}

/// A server that other tests use too: a test makes tenants of its own there, and looks at nothing else.
struct Home(Arc<Shared>);

impl Home {
    async fn open() -> Self {
        let mut shared = SHARED.lock().await;
        if let Some(open) = shared.upgrade() {
            return Self(open);
        }
        let world = World::new();
        let opened = Arc::new(Shared { server: world.serve().await, _world: world });
        *shared = Arc::downgrade(&opened);
        Self(opened)
    }

    fn operator(&self) -> Client {
        self.0.server.operator()
    }

    fn client(&self, key: &str) -> Client {
        self.0.server.client(key)
    }

    /// Makes a tenant with a key that may do everything.
    async fn tenant(&self, name: &str) -> Tenant {
        Tenant { name: name.to_owned(), client: self.operator().tenant(name).await }
    }

    /// The same, with more fields.
    async fn tenant_with(&self, name: &str, more: Value) -> Tenant {
        let tenant = self.tenant(name).await;
        let changed = self.operator().patch(&tenant.path(""), &more).await;
        changed.expect(200);
        tenant
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.0.server.log();
            let from = log.len().saturating_sub(4000);
            eprintln!("--- end of the log of the shared server ---\n{}", &log[from..]);
        }
    }
}

/// A tenant, asked with one of its keys. Paths are those below the tenant.
#[derive(Clone)]
struct Tenant {
    name: String,
    client: Client,
}

impl Tenant {
    fn path(&self, rest: &str) -> String {
        format!("/v1/tenants/{}{rest}", self.name)
    }

    async fn get(&self, rest: &str) -> Answer {
        self.client.get(&self.path(rest)).await
    }

    async fn delete(&self, rest: &str) -> Answer {
        self.client.delete(&self.path(rest)).await
    }

    async fn post(&self, rest: &str, body: &Value) -> Answer {
        self.client.post(&self.path(rest), body).await
    }

    async fn patch(&self, rest: &str, body: &Value) -> Answer {
        self.client.patch(&self.path(rest), body).await
    }

    async fn put(&self, rest: &str, body: &Value) -> Answer {
        self.client.put(&self.path(rest), body).await
    }

    /// A POST without a body.
    async fn act(&self, rest: &str) -> Answer {
        self.client.send(Method::POST, &self.path(rest), &[], Bytes::new()).await
    }

    /// A POST of exactly these bytes, as JSON, with more headers.
    async fn post_raw(
        &self,
        rest: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.client.send(Method::POST, &self.path(rest), &all, body.into()).await
    }

    /// The tenant asked with a fresh key of these scopes.
    async fn with_scopes(&self, scopes: &[&str]) -> Self {
        let wanted = json!({ "name": scopes.join(" "), "scopes": scopes });
        let made = self.post("/api-keys", &wanted).await.expect(201);
        Self { name: self.name.clone(), client: self.client.with_key(text(&made["key"])) }
    }

    /// Makes an endpoint for every event, with more fields.
    async fn endpoint(&self, url: &str, more: Value) -> Value {
        let wanted = merged(json!({ "url": url, "events": ["*"] }), more);
        self.post("/endpoints", &wanted).await.expect(201)
    }

    async fn publish(&self, event_type: &str, data: Value) -> Value {
        self.post("/events", &json!({ "type": event_type, "data": data })).await.expect(202)
    }

    /// The only delivery of an event, once it is in this state.
    async fn delivery_when(&self, event: &Value, status: &str) -> Value {
        let list = format!("/events/{}/deliveries", text(&event["id"]));
        until(&format!("{status}: {event}"), || async {
            let page = self.get(&list).await.expect(200);
            assert_eq!(page["data"].as_array().unwrap().len(), 1, "{page}");
            Some(page["data"][0].clone()).filter(|it| it["status"] == status)
        })
        .await
    }

    /// All rows of a list, however many pages it has.
    async fn all(&self, rest: &str) -> Vec<Value> {
        let with = if rest.contains('?') { '&' } else { '?' };
        let mut rows = Vec::new();
        let mut next = format!("{rest}{with}limit=250");
        loop {
            let page = self.get(&next).await.expect(200);
            rows.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => next = format!("{rest}{with}limit=250&cursor={cursor}"),
                None => return rows,
            }
        }
    }
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// An object with the members of another on top.
fn merged(mut base: Value, more: Value) -> Value {
    let members = base.as_object_mut().unwrap();
    if let Value::Object(more) = more {
        members.extend(more);
    }
    base
}

/// The ids of rows, in their order.
fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|it| text(&it["id"])).collect()
}

/// A refusal as RFC 9457 wants it, with its stable code.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{answer:?}");
    let problem = answer.json();
    assert_eq!((&problem["status"], text(&problem["code"])), (&json!(status), code), "{problem}");
    assert!(problem["type"].is_string() && problem["title"].is_string(), "{problem}");
    assert!(!text(&problem["detail"]).is_empty(), "{problem}");
    problem
}

/// A refusal that names exactly these fields, each with its stable code.
#[track_caller]
fn wrong(answer: &Answer, want: &[(&str, &str)]) {
    let problem = refused(answer, 422, "invalid");
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("no errors: {problem}"));
    assert!(errors.iter().all(|it| !text(&it["message"]).is_empty()), "{problem}");
    let mut got: Vec<_> =
        errors.iter().map(|it| (text(&it["pointer"]), text(&it["code"]))).collect();
    let mut want = want.to_vec();
    got.sort_unstable();
    want.sort_unstable();
    assert_eq!(got, want, "{problem}");
}

/// A time as the API writes it: RFC 3339, UTC, milliseconds.
#[track_caller]
fn is_time(value: &Value) {
    let written = text(value);
    let read: jiff::Timestamp = written.parse().unwrap();
    assert_eq!(format!("{read:.3}"), written);
}

/// A time of the server, moved.
#[track_caller]
fn moved(time: &Value, by_ms: i64) -> String {
    let read: jiff::Timestamp = text(time).parse().unwrap();
    let moved = jiff::Timestamp::from_millisecond(read.as_millisecond() + by_ms).unwrap();
    format!("{moved:.3}")
}
