//! Events as they are looked at, and replayed.

use axum::extract::State;
use hookyard_api::deliveries::{Delivery, DeliveryPage};
use hookyard_api::events::{Event, EventPage, EventQuery, Replay, Replayed};
use hookyard_api::page::{Page, PageQuery};
use http::StatusCode;

use super::extract::{AtItem, AtTenant, MaybeJson, Params, Reply, reply};
use crate::state::DoorState;

/// List events
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/events", operation_id = "list_events", tag = "Events",
    params(EventQuery, PageQuery),
    responses((status = 200, description = "A page, newest first.", body = EventPage)),
)]
pub async fn list(State(state): State<DoorState>, at: AtTenant, mut query: Params) -> Reply {
    let filter = hookyard_app::EventQuery {
        event_type: query.take("type"),
        scope: query.take("scope"),
        source: query.take("source"),
        since: query.take("since"),
        until: query.take("until"),
        q: query.take("q"),
    };
    let page = state.app().events(&at.caller, &at.tenant, filter, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, |it| Event::new(it.event, it.deliveries)))
}

/// Get an event
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/events/{id}", operation_id = "get_event", tag = "Events",
    responses((status = 200, description = "The event.", body = Event)),
)]
pub async fn read(State(state): State<DoorState>, at: AtItem) -> Reply {
    let listed = state.app().event(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &Event::whole(listed.event, listed.deliveries))
}

/// List the deliveries of an event
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/events/{id}/deliveries", operation_id = "list_event_deliveries", tag = "Events",
    params(PageQuery),
    responses((status = 200, description = "A page, newest first.", body = DeliveryPage)),
)]
pub async fn deliveries(State(state): State<DoorState>, at: AtItem, query: Params) -> Reply {
    let app = state.app();
    let page = app.deliveries_of_event(&at.caller, &at.tenant, &at.id, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, Delivery::from))
}

/// Replay an event
///
/// Makes a fresh delivery to each endpoint that wants it by its settings of today and is not off, or to those named.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/events/{id}/replay", operation_id = "replay_event", tag = "Events",
    request_body(content = Option<Replay>),
    responses((status = 202, description = "The fresh deliveries.", body = Replayed)),
)]
pub async fn replay(
    State(state): State<DoorState>,
    at: AtItem,
    MaybeJson(form): MaybeJson<Replay>,
) -> Reply {
    let fresh = state.app().replay(&at.caller, &at.tenant, &at.id, form.endpoints).await?;
    let deliveries = fresh.into_iter().map(Delivery::from).collect();
    reply(StatusCode::ACCEPTED, &Replayed { deliveries })
}
