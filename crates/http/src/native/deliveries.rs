//! Deliveries and their attempts.

use axum::extract::State;
use hookyard_api::attempts::{Attempt, AttemptPage};
use hookyard_api::deliveries::{Delivery, DeliveryPage, DeliveryQuery};
use hookyard_api::page::{Page, PageQuery};
use http::StatusCode;

use super::extract::{AtItem, AtTenant, NoBody, Params, Reply, reply};
use crate::state::DoorState;

/// List deliveries
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/deliveries", operation_id = "list_deliveries", tag = "Deliveries",
    params(DeliveryQuery, PageQuery),
    responses((status = 200, description = "A page, newest event first.", body = DeliveryPage)),
)]
pub async fn list(State(state): State<DoorState>, at: AtTenant, mut query: Params) -> Reply {
    let filter = filter(&mut query);
    let page = state.app().deliveries(&at.caller, &at.tenant, filter, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, Delivery::from))
}

/// The filter of a list or an export of deliveries.
pub(super) fn filter(query: &mut Params) -> hookyard_app::DeliveryQuery {
    hookyard_app::DeliveryQuery {
        endpoint: query.take("endpoint"),
        status: query.take("status"),
        event_type: query.take("type"),
        since: query.take("since"),
        until: query.take("until"),
    }
}

/// Get a delivery
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/deliveries/{id}", operation_id = "get_delivery", tag = "Deliveries",
    responses((status = 200, description = "The delivery.", body = Delivery)),
)]
pub async fn read(State(state): State<DoorState>, at: AtItem) -> Reply {
    let delivery = state.app().delivery(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &Delivery::from(delivery))
}

/// List the attempts of a delivery
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/deliveries/{id}/attempts", operation_id = "list_attempts", tag = "Deliveries",
    params(PageQuery),
    responses((status = 200, description = "A page, newest first.", body = AttemptPage)),
)]
pub async fn attempts(State(state): State<DoorState>, at: AtItem, query: Params) -> Reply {
    let app = state.app();
    let (id, page) = app.attempts(&at.caller, &at.tenant, &at.id, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, |it| Attempt::new(id, it)))
}

/// Retry a delivery
///
/// Makes its next attempt due at once, also when it had failed, was cancelled or discarded.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/deliveries/{id}/retry", operation_id = "retry_delivery", tag = "Deliveries",
    responses((status = 202, description = "The delivery as it is now.", body = Delivery)),
)]
pub async fn retry(State(state): State<DoorState>, at: AtItem, _: NoBody) -> Reply {
    let delivery = state.app().retry_delivery(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::ACCEPTED, &Delivery::from(delivery))
}

/// Cancel a delivery
///
/// An attempt that is under way is not called back.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/deliveries/{id}/cancel", operation_id = "cancel_delivery", tag = "Deliveries",
    responses((status = 200, description = "The delivery as it is now.", body = Delivery)),
)]
pub async fn cancel(State(state): State<DoorState>, at: AtItem, _: NoBody) -> Reply {
    let delivery = state.app().cancel_delivery(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &Delivery::from(delivery))
}
