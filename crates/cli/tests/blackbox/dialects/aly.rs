//! Aly's surface: every fact of vendors.md §1 about registering, delivering and looking back, by its id.

mod conformance;
mod delivering;
mod receiving;
mod refusals;
mod registering;
mod seed;

use http::Method;
use serde_json::{Value, json};

use crate::receiver::Arrival;
use crate::scene::{Acme, text};
use crate::world::{Answer, Client, until};

const HOOKS: &str = "/api/storefront/v1/merchant/webhooks";

/// A surface, asked with a tenant's key.
struct Aly<'a>(&'a Client);

impl Aly<'_> {
    async fn create(&self, webhook: Value) -> Value {
        self.0.post(HOOKS, &webhook).await.expect(201)
    }

    /// A webhook for everything.
    async fn webhook_at(&self, url: &str) -> Value {
        self.create(json!({ "url": url, "events": "*" })).await
    }

    async fn get(&self, webhook: &Value, rest: &str) -> Answer {
        self.0.get(&path(webhook, rest)).await
    }

    async fn patch(&self, webhook: &Value, change: Value) -> Value {
        self.0.patch(&path(webhook, ""), &change).await.expect(200)
    }

    /// A POST without a body.
    async fn act(&self, webhook: &Value, rest: &str) -> Answer {
        self.0.send(Method::POST, &path(webhook, rest), &[], "".into()).await
    }

    /// Deliveries of a webhook, newest event first.
    async fn deliveries(&self, webhook: &Value, query: &str) -> Vec<Value> {
        let page = self.get(webhook, &format!("/deliveries?{query}")).await.expect(200);
        page["data"].as_array().unwrap().clone()
    }

    /// The newest delivery of a webhook, once it is in this state.
    async fn newest_is(&self, webhook: &Value, status: &str) -> Value {
        until(&format!("the newest delivery is {status}"), async || {
            let newest = self.deliveries(webhook, "limit=1").await.pop()?;
            (newest["status"] == status).then_some(newest)
        })
        .await
    }
}

fn path(webhook: &Value, rest: &str) -> String {
    format!("{HOOKS}/{}{rest}", text(&webhook["id"]))
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Tries again as told, which only the native API can say.
async fn retries(acme: &Acme, webhook: &Value, delays_s: Value) {
    let path = Acme::path(&format!("/endpoints/{}", text(&webhook["id"])));
    let retry = json!({ "retry": { "delays_s": delays_s } });
    acme.0.patch(&path, &retry).await.expect(200);
}

async fn published(acme: &Acme, event_type: &str, site: Option<&str>) -> String {
    acme.publish(json!({ "type": event_type, "data": { "n": 1 }, "scope": site })).await
}

/// A refusal in Aly's form.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/json", "{answer:?}");
    let body = answer.json();
    assert_eq!(names(&body), ["error"], "{body}");
    let error = body["error"].clone();
    assert_eq!(error["code"], code, "{error}");
    assert!(!text(&error["message"]).is_empty() && error["details"].is_array(), "{error}");
    error
}

/// A refusal that names exactly these fields, each with its code.
#[track_caller]
fn wrong(answer: &Answer, want: &[(&str, &str)]) {
    let error = refused(answer, 400, "validation_failed");
    let details = error["details"].as_array().unwrap();
    let mut got: Vec<_> = details.iter().map(|it| (text(&it["path"]), text(&it["code"]))).collect();
    got.sort_unstable();
    assert_eq!(got, want, "{error}");
}

fn event_of(arrival: &Arrival) -> &str {
    arrival.header("x-aly-event-id")
}
