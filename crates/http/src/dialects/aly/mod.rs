//! Aly's management API: the webhooks of a workspace under `/api/storefront/v1/merchant/webhooks` (vendors.md §1.4, §1.7).
//!
//! A workspace is the tenant whose key is sent. Only endpoints of the profile `aly` are there.
//! - [`routes`]: the handlers; [`wire`]: requests and answers in Aly's words; [`errors`]: its refusals;
//! - [`openapi`]: its document.
//!
//! **Never** here: a rule about webhooks, the native API, another vendor's.

pub mod errors;
pub mod openapi;
pub mod routes;
pub mod wire;

use axum::Router;
use axum::routing::any;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::idempotency::remember;
use crate::state::DoorState;

/// Every route, and Aly's form of error for the paths beside them.
pub fn router(state: &DoorState) -> Router {
    let remember = axum::middleware::from_fn_with_state(state.clone(), remember::<errors::Refused>);
    Router::from(table().route_layer(remember))
        .method_not_allowed_fallback(errors::no_method)
        .route("/api/storefront/v1/{*rest}", any(errors::no_route))
        .with_state(state.clone())
}

fn table() -> OpenApiRouter<DoorState> {
    OpenApiRouter::new()
        .routes(routes!(routes::create, routes::list))
        .routes(routes!(routes::read, routes::update, routes::delete))
        .routes(routes!(routes::rotate_secret))
        .routes(routes!(routes::deliveries))
        .routes(routes!(routes::replay))
}
