//! What webhooks recorded, and what was forwarded of it.

use axum::extract::State;
use hookyard_app::received::ReceivedEvent;
use hookyard_domain::invalid::Invalid;
use http::StatusCode;

use super::ask::{At, Params, Reply, reply};
use super::envelope::{Items, List};
use super::routes::rows_max;
use super::rows::{WebhookAttempt, WebhookEvent};
use super::wire::{
    PageParams, RecentWebhookEventsAnswer, WebhookAttemptListAnswer, WebhookEventListAnswer,
};
use crate::state::DoorState;

/// Events that are listed over all webhooks (the seed: up to 100).
const RECENT_MAX: u32 = 100;

/// List recent events
///
/// The newest over all webhooks, 100 at most, each with the name of its webhook.
#[utoipa::path(
    get, path = "/events", operation_id = "listRecentEvents", tag = "History",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "How many at most; 100 when not given.")),
    responses((status = 200, description = "The events, newest first.", body = RecentWebhookEventsAnswer)),
)]
pub async fn recent(State(state): State<DoorState>, at: At, Params(mut query): Params) -> Reply {
    let limit = query.take("limit");
    query.end()?;
    let most = match limit.as_deref().map(str::parse) {
        None => RECENT_MAX,
        Some(Ok(most)) if (1..=RECENT_MAX).contains(&most) => most,
        Some(_) => {
            let message = format!("use 1 to {RECENT_MAX}");
            return Err(Invalid::new("limit", "out_of_range", message).into());
        }
    };
    let newest = state.app().newest_received(&at.caller, &at.tenant, most).await?;
    let items = newest.into_iter().map(WebhookEvent::from).collect();
    reply(StatusCode::OK, Items { items })
}

/// List the events of a webhook
#[utoipa::path(
    get, path = "/{id}/events", operation_id = "listWebhookEvents", tag = "History", params(PageParams),
    responses((status = 200, description = "A page, newest first.", body = WebhookEventListAnswer)),
)]
pub async fn events(State(state): State<DoorState>, at: At, Params(query): Params) -> Reply {
    let page = query.page()?;
    let rows_max = rows_max(page.limit.as_deref());
    let (app, id) = (state.app(), at.source()?);
    let source = app.source(&at.caller, &at.tenant, &id).await?.source;
    let page = app.source_events(&at.caller, &at.tenant, &id, page).await?;
    let page = page.map(|listed| ReceivedEvent { source: source.clone(), listed }.into());
    reply(StatusCode::OK, List::<WebhookEvent>::of(page, rows_max))
}

/// List the delivery attempts of a webhook
///
/// Each attempt to forward an event to `url`: the newest event first, its last attempt first. What ended before it was tried,
/// since forwarding was off, is one row too.
#[utoipa::path(
    get, path = "/{id}/deliveries", operation_id = "listWebhookDeliveries", tag = "History", params(PageParams),
    responses((status = 200, description = "A page.", body = WebhookAttemptListAnswer)),
)]
pub async fn deliveries(State(state): State<DoorState>, at: At, Params(query): Params) -> Reply {
    let page = query.page()?;
    let sent = state.app().sent_attempts(&at.caller, &at.tenant, &at.source()?, page).await?;
    let items = sent.rows.into_iter().map(WebhookAttempt::from).collect();
    reply(StatusCode::OK, List::new(items, sent.next, sent.limit))
}
