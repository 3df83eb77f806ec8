//! Requests and answers in Aly's words (vendors.md §1.4, §1.5).

use hookyard_api::attempts::Outcome;
use hookyard_api::deliveries::{DeliveryStatus, EndReason};
use hookyard_api::json::Texts;
use hookyard_api::page::Page;
use hookyard_api::patch::Patch;
use hookyard_app::EndpointDetails;
use hookyard_domain::attempt as domain;
use hookyard_domain::endpoint::EndpointStatus;
use hookyard_domain::id::{AttemptId, DeliveryId};
use hookyard_domain::secret::Secret;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::errors::Refused;
use crate::ask::not_null;

/// The two forms of the types a webhook gets.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum Events {
    /// Exact types of the catalogue, or `*` alone.
    #[schema(example = json!(["order.created", "order.fulfilled"]))]
    List(Vec<String>),
    /// `*`, or one type.
    One(String),
}

/// A webhook to be registered.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where events go.
    #[serde(default)]
    #[schema(
        required = true,
        max_length = 2048,
        format = "uri",
        example = "https://my-app.example/aly/webhooks"
    )]
    pub url: String,
    /// Exact types of the catalogue, or `*` (alone or in a list) for all of them.
    #[serde(default)]
    #[schema(required = true, value_type = Events, example = json!(["order.created", "order.fulfilled"]))]
    pub events: Texts,
    /// Only events of this site; left out is every site of the workspace.
    #[schema(min_length = 1, max_length = 128, example = "acme")]
    pub site_slug: Option<String>,
    /// Whether it is delivered to. While it is not, events are dropped, not queued.
    #[schema(default = true)]
    pub active: Option<bool>,
}

/// Changes of a webhook. What is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookPatch {
    /// Where events go.
    #[serde(default)]
    #[schema(value_type = String, required = false, max_length = 2048, format = "uri")]
    pub url: Patch<String>,
    /// Exact types of the catalogue, or `*` for all of them.
    #[serde(default)]
    #[schema(value_type = Events, required = false)]
    pub events: Patch<Texts>,
    /// Only events of this site; `null` is every site of the workspace.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
    pub site_slug: Patch<String>,
    /// Whether it is delivered to. While it is not, events are dropped, not queued.
    #[serde(default)]
    #[schema(value_type = bool, required = false)]
    pub active: Patch<bool>,
}

/// The body of a request that says nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A webhook.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// Its id.
    #[schema(example = "wh_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// Where events go.
    #[schema(example = "https://my-app.example/aly/webhooks")]
    pub url: String,
    /// The types it gets; `["*"]` is all of them.
    #[schema(example = json!(["order.created", "order.fulfilled"]))]
    pub events: Vec<String>,
    /// The site whose events it gets; `null` is every site of the workspace.
    #[schema(example = "acme")]
    pub site_slug: Option<String>,
    /// Whether it is delivered to.
    pub active: bool,
    /// The signing secret: at registration and rotation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_8a3d")]
    pub secret: Option<String>,
    /// When it was registered.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
}

/// A page of webhooks.
pub type WebhookPage = Page<Webhook>;

/// Which webhooks are listed. Read as texts, so that a wrong one can be named.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WebhookQuery {
    /// Only those of this site; those of every site of the workspace are none of it.
    #[param(example = "acme")]
    pub site_slug: Option<String>,
}

/// Which deliveries of a webhook are listed. Read as texts, so that a wrong one can be named.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Only those in this state.
    #[param(value_type = Option<DeliveryStatus>)]
    pub status: Option<String>,
}

/// One event owed to one webhook, and what came of it so far.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// Its id, the same on every surface.
    #[schema(example = "dlv_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// Its event: `id` of the body and `X-Aly-Event-Id`. A replay has the same.
    #[schema(example = "evt_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub event_id: String,
    /// The event's type.
    #[schema(example = "order.created")]
    pub event_type: String,
    /// Its state.
    pub status: DeliveryStatus,
    /// Why it ended, when it did without success.
    pub reason: Option<EndReason>,
    /// When its event was accepted, or the replay asked for.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
    /// When the next attempt is due.
    #[schema(format = "date-time", example = "2026-05-19T08:35:44.000Z")]
    pub next_attempt_at: Option<String>,
    /// How many attempts were made.
    pub attempt_count: u32,
    /// The last 25 of them, newest first.
    pub attempts: Vec<Attempt>,
}

/// One request of a delivery.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
pub struct Attempt {
    /// What it carried as `X-Aly-Delivery-Id`. The path of a replay takes it as well.
    #[schema(example = "del_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub delivery_id: String,
    /// What it carried as `X-Aly-Attempt`: from 1.
    #[schema(minimum = 1)]
    pub attempt: u32,
    /// When it began.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub attempted_at: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The answer's status code.
    pub status_code: Option<u16>,
    /// How long it took.
    pub latency_ms: u32,
    /// The answer's first 4 KiB.
    pub response_body: String,
    /// Why it failed.
    pub error: Option<String>,
}

/// A page of deliveries.
pub type DeliveryPage = Page<Delivery>;

impl From<NewWebhook> for hookyard_app::NewEndpoint {
    fn from(it: NewWebhook) -> Self {
        Self {
            url: it.url,
            events: it.events.0,
            scope: it.site_slug,
            off: it.active == Some(false),
            ..Self::default()
        }
    }
}

impl WebhookPatch {
    /// The change, and whether it is to be switched on or off.
    ///
    /// # Errors
    /// When a field is `null` that has no default.
    pub fn read(self) -> Result<(hookyard_app::EndpointPatch, Option<bool>), Refused> {
        let mut wrong = Vec::new();
        let url = not_null(&mut wrong, "/url", self.url);
        let events = not_null(&mut wrong, "/events", self.events).map(|it| it.0);
        let active = not_null(&mut wrong, "/active", self.active);
        if !wrong.is_empty() {
            return Err(Refused::Fields(wrong));
        }
        let scope = self.site_slug.into_option();
        Ok((hookyard_app::EndpointPatch { url, events, scope, ..Default::default() }, active))
    }
}

impl From<EndpointDetails> for Webhook {
    fn from(it: EndpointDetails) -> Self {
        let settings = it.endpoint.settings;
        Self {
            id: it.endpoint.id.to_string(),
            url: settings.url.as_str().to_owned(),
            events: settings.events.iter().map(ToString::to_string).collect(),
            site_slug: settings.scope.map(|it| it.as_str().to_owned()),
            active: it.endpoint.status == EndpointStatus::Active,
            secret: None,
            created_at: it.endpoint.created_at.to_string(),
        }
    }
}

impl Webhook {
    /// The same, with the one chance to see its secret.
    #[must_use]
    pub fn with_secret(self, secret: Option<&Secret>) -> Self {
        Self { secret: secret.map(|it| it.reveal().to_owned()), ..self }
    }
}

impl Delivery {
    /// A delivery with its latest attempts, newest first.
    #[must_use]
    pub fn new(it: hookyard_domain::delivery::Delivery, attempts: Vec<domain::Attempt>) -> Self {
        Self {
            id: it.id.to_string(),
            event_id: it.id.event().to_string(),
            event_type: it.event_type.as_str().to_owned(),
            status: it.status.into(),
            reason: it.reason.map(Into::into),
            created_at: it.created_at.to_string(),
            next_attempt_at: it.next_attempt_at.map(|at| at.to_string()),
            attempt_count: it.attempts,
            attempts: attempts.into_iter().map(|attempt| Attempt::new(it.id, attempt)).collect(),
        }
    }
}

impl Attempt {
    fn new(delivery: DeliveryId, it: domain::Attempt) -> Self {
        Self {
            delivery_id: sent_id(delivery.attempt(it.number)),
            attempt: it.number,
            attempted_at: it.started_at.to_string(),
            outcome: it.outcome.into(),
            status_code: it.status_code,
            latency_ms: it.took_ms,
            response_body: String::from_utf8_lossy(&it.response_body).into_owned(),
            error: it.error,
        }
    }
}

/// What receivers know a delivery by, `X-Aly-Delivery-Id`: new for every attempt, so it is the attempt's id.
const SENT: &str = "del_";

fn sent_id(attempt: AttemptId) -> String {
    let text = attempt.to_string();
    format!("{SENT}{}", text.split_once('_').map_or(text.as_str(), |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use hookyard_domain::id::{EventId, EventKey, TargetNo};

    use super::*;
    use crate::body;

    #[test]
    fn an_attempt_is_named_by_what_was_sent_with_it() {
        let delivery = EventId::of(EventKey(7 << 12), 0).delivery(TargetNo(3));
        let sent = sent_id(delivery.attempt(5));
        assert!(sent.starts_with("del_") && sent.len() == 30, "{sent}");
    }

    #[test]
    fn events_may_be_a_star_alone_or_in_a_list() {
        for text in [r#""*""#, r#"["*"]"#] {
            let body = format!(r#"{{"url":"https://a.example","events":{text}}}"#);
            let new: NewWebhook = body::json(body.as_bytes()).unwrap();
            let new = hookyard_app::NewEndpoint::from(new);
            assert_eq!((new.events, new.off), (vec!["*".to_owned()], false));
        }
    }

    #[test]
    fn null_clears_the_site_and_nothing_else() {
        let read = |text: &str| body::json::<WebhookPatch>(text.as_bytes()).unwrap().read();
        let (patch, active) = read(r#"{"site_slug":null,"active":false}"#).unwrap();
        assert_eq!((patch.scope, active), (Some(None), Some(false)));
        let refused = read(r#"{"url":null,"events":null,"active":null}"#).unwrap_err();
        assert!(matches!(refused, Refused::Fields(fields) if fields.len() == 3));
    }
}
