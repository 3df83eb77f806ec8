//! The demonstration: everything a newcomer would do by hand, through the real API over a real socket.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use hookyard_domain::secret::Secret;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::inbox::{self, Inbox};
use super::sample;
use crate::exit::Exit;
use crate::local::Local;

/// The tenant it plays with.
pub const TENANT: &str = "demo";
/// How its key is recognised.
const KEY_NAME: &str = "hookyard dev";
/// How the endpoint at the inbox is recognised when a data folder is used again.
const ENDPOINT_NAME: &str = "Built-in inbox";
/// How long the delivery may take (the brief look of a newcomer, not a property of the product).
const WITHIN: Duration = Duration::from_secs(10);
/// How often the attempt is looked for; it is recorded right after it was received.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What happened.
pub struct Story {
    /// The tenant's API key.
    pub key: String,
    /// The sample event.
    pub event: String,
    /// Its delivery to the inbox.
    pub delivery: String,
    /// Why the signature did not verify; `None` when it did.
    pub refused: Option<String>,
    /// How the attempt ended.
    pub outcome: String,
    /// The inbox's answer.
    pub status_code: Option<u64>,
    /// How long the attempt took.
    pub took_ms: u64,
}

/// Plays it. `operator` speaks with the operator's key.
pub async fn play(operator: &Local, inbox: &Inbox) -> anyhow::Result<Story> {
    let key = tenant_and_key(operator).await.context("preparing the tenant `demo`")?;
    let api = operator.with_key(key.clone());
    let endpoint = endpoint(&api, inbox).await.context("preparing the endpoint at /dev/inbox")?;
    let event = api.post(&path("events"), &sample::event()).await?.ok().context("publishing")?;
    let event = text(&event, "id")?;
    let late =
        |_| anyhow!("the sample event did not arrive at /dev/inbox within {} s", WITHIN.as_secs());
    let received = timeout(WITHIN, inbox.wait_for(&event)).await.map_err(late)?;
    let late = |_| anyhow!("the attempt was not recorded within {} s", WITHIN.as_secs());
    let (delivery, attempt) =
        timeout(WITHIN, first_attempt(&api, &event, &endpoint)).await.map_err(late)??;
    Ok(Story {
        key,
        event,
        delivery,
        refused: received.refused,
        outcome: text(&attempt, "outcome")?,
        status_code: attempt["status_code"].as_u64(),
        took_ms: attempt["duration_ms"].as_u64().unwrap_or(0),
    })
}

/// The tenant may be there from the time before; its key is made afresh, since nobody can read the old one, which is
/// revoked.
async fn tenant_and_key(operator: &Local) -> anyhow::Result<String> {
    let made = operator.post("/v1/tenants", &json!({ "id": TENANT, "name": "Demo" })).await?;
    if made.status != 409 {
        made.ok()?;
    }
    let old = old_keys(operator).await?;
    let wanted = json!({ "name": KEY_NAME, "scopes": ["read", "write", "publish", "admin"] });
    let key = operator.post(&path("api-keys"), &wanted).await?.ok()?;
    for id in old {
        let gone = operator.delete(&path(&format!("api-keys/{id}"))).await?;
        if gone.status != 404 {
            gone.ok()?;
        }
    }
    text(&key, "key")
}

/// The keys of the times before.
async fn old_keys(operator: &Local) -> anyhow::Result<Vec<String>> {
    let rows = rows(operator, "api-keys").await?;
    rows.iter().filter(|it| it["name"] == KEY_NAME).map(|it| text(it, "id")).collect()
}

/// Makes the endpoint at the inbox, or puts the one from the time before in order.
async fn endpoint(api: &Local, inbox: &Inbox) -> anyhow::Result<String> {
    let url = format!("{}{}", api.base(), inbox::PATH);
    let Some(old) = old_endpoint(api).await? else {
        let wanted =
            json!({ "url": url, "events": ["*"], "name": ENDPOINT_NAME, "profile": "standard" });
        let made = api.post(&path("endpoints"), &wanted).await?.ok()?;
        inbox.know(Secret::new(text(&made, "secret")?));
        return text(&made, "id");
    };
    let id = text(&old, "id")?;
    let its = |act: &str| path(&format!("endpoints/{id}/{act}"));
    let secret = api.post(&its("reveal-secret"), &json!({})).await?.ok()?;
    inbox.know(Secret::new(text(&secret, "secret")?));
    if old["url"] != url.as_str() {
        api.patch(&path(&format!("endpoints/{id}")), &json!({ "url": url })).await?.ok()?;
    }
    match old["status"].as_str() {
        Some("paused") => drop(api.post(&its("resume"), &json!({})).await?.ok()?),
        Some("disabled") => drop(api.post(&its("enable"), &json!({})).await?.ok()?),
        _ => {}
    }
    Ok(id)
}

async fn old_endpoint(api: &Local) -> anyhow::Result<Option<Value>> {
    Ok(rows(api, "endpoints").await?.into_iter().find(|it| it["name"] == ENDPOINT_NAME))
}

/// Every row of a list.
async fn rows(api: &Local, list: &str) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&path(&format!("{list}?limit=250{cursor}"))).await?.ok()?;
        all.extend(page["data"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}

async fn first_attempt(
    api: &Local,
    event: &str,
    endpoint: &str,
) -> anyhow::Result<(String, Value)> {
    loop {
        let deliveries =
            api.get(&path(&format!("events/{event}/deliveries?limit=250"))).await?.ok()?;
        let ours = deliveries["data"]
            .as_array()
            .and_then(|rows| rows.iter().find(|it| it["endpoint_id"] == endpoint));
        if let Some(delivery) = ours {
            let id = text(delivery, "id")?;
            let attempts = api.get(&path(&format!("deliveries/{id}/attempts"))).await?.ok()?;
            if let Some(attempt) = attempts["data"].as_array().and_then(|it| it.last()) {
                return Ok((id, attempt.clone()));
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

fn path(rest: &str) -> String {
    format!("/v1/tenants/{TENANT}/{rest}")
}

fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    value[field]
        .as_str()
        .map(ToOwned::to_owned)
        .ok_or_else(|| Exit::Failure.because(format!("the server's answer has no `{field}`")))
}
