//! The surface of Alvys: its webhook management API over the same service (vendors.md §2.8, contract §5).
//!
//! PascalCase JSON, `Pending` / `Active` / `Disabled`, ETags with `If-Match`, delivery logs of one row per attempt. It shows
//! the endpoints of profile `alvys` of the key's tenant and no others. [`routes`] are the webhooks, [`logs`] what was sent to
//! them, [`wire`] the JSON, [`errors`] the refusals, [`openapi`] the document.

pub mod ask;
pub mod errors;
pub mod logs;
pub mod openapi;
pub mod routes;
pub mod rows;
pub mod wire;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::idempotency::remember;
use crate::state::DoorState;

/// Where the surface stands; the first is the one its documents name (vendors.md §6, 3).
const BASES: [&str; 3] = ["/api/p/v3/webhooks", "/api/p/v1/webhooks", "/api/p/v1.0/webhooks"];

/// The routes, at every place they are known by.
pub fn router(state: &DoorState) -> Router {
    let remember = axum::middleware::from_fn_with_state(state.clone(), remember::<errors::Refused>);
    let webhooks = Router::from(table().route_layer(remember))
        .method_not_allowed_fallback(errors::no_method)
        .fallback(errors::no_route)
        .with_state(state.clone());
    BASES.iter().fold(Router::new(), |router, base| router.nest(base, webhooks.clone()))
}

/// The table of routes below a base.
fn table() -> OpenApiRouter<DoorState> {
    OpenApiRouter::new()
        .routes(routes!(routes::create, routes::list))
        .routes(routes!(routes::event_types))
        .routes(routes!(routes::read, routes::update, routes::delete))
        .routes(routes!(routes::enable))
        .routes(routes!(routes::disable))
        .routes(routes!(routes::verify))
        .routes(routes!(routes::test))
        .routes(routes!(routes::rotate_secret))
        .routes(routes!(routes::reveal_secret))
        .routes(routes!(logs::list))
        .routes(routes!(logs::export))
        .routes(routes!(logs::read))
        .routes(routes!(logs::health))
}
