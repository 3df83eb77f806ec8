//! The native API: the table of its routes. One file of handlers per noun.

pub mod api_keys;
pub mod audit;
pub mod batch;
pub mod deliveries;
pub mod endpoints;
pub mod event_types;
pub mod events;
pub mod export;
pub mod extract;
pub mod jobs;
pub mod nodes;
pub mod openapi;
pub mod problem;
pub mod providers;
pub mod publish;
pub mod receive;
pub mod sessions;
pub mod signatures;
pub mod sources;
pub mod statistics;
pub mod stream;
pub mod tenants;
pub mod whoami;

use axum::Router;
use axum::routing::{any, get};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::idempotency::remember;
use crate::state::DoorState;
use problem::Refused;

/// The native API and its document.
pub fn router(state: &DoorState) -> Router {
    let remember = axum::middleware::from_fn_with_state(state.clone(), remember::<Refused>);
    Router::from(remembered().route_layer(remember))
        .merge(Router::from(hot()))
        .merge(Router::from(public()))
        .merge(Router::from(signing_in()))
        // Handshakes come by other methods than the document has; the source says which.
        .route("/in/{source_id}", any(receive::receive))
        .route("/openapi.json", get(openapi::serve))
        .with_state(state.clone())
}

/// Every route whose POST is remembered by its `Idempotency-Key` here at the door.
fn remembered() -> OpenApiRouter<DoorState> {
    OpenApiRouter::new()
        .routes(routes!(tenants::create, tenants::list))
        .routes(routes!(tenants::read, tenants::update, tenants::delete))
        .routes(routes!(nodes::list))
        .routes(routes!(api_keys::create, api_keys::list))
        .routes(routes!(api_keys::delete))
        .routes(routes!(event_types::create, event_types::list))
        .routes(routes!(event_types::import))
        .routes(routes!(event_types::read, event_types::put, event_types::delete))
        .routes(routes!(endpoints::create, endpoints::list))
        .routes(routes!(endpoints::read, endpoints::update, endpoints::delete))
        .routes(routes!(endpoints::enable))
        .routes(routes!(endpoints::disable))
        .routes(routes!(endpoints::pause))
        .routes(routes!(endpoints::resume))
        .routes(routes!(endpoints::verify))
        .routes(routes!(endpoints::test))
        .routes(routes!(endpoints::rotate_secret))
        .routes(routes!(endpoints::reveal_secret))
        .routes(routes!(jobs::recover))
        .routes(routes!(sources::create, sources::list))
        .routes(routes!(sources::read, sources::update, sources::delete))
        .routes(routes!(sources::enable))
        .routes(routes!(sources::disable))
        .routes(routes!(sources::pause))
        .routes(routes!(sources::resume))
        .routes(routes!(sources::rotate_secret))
        .routes(routes!(sources::reveal_secret))
        .routes(routes!(sources::events))
        .routes(routes!(batch::publish_batch))
        .routes(routes!(events::read))
        .routes(routes!(events::deliveries))
        .routes(routes!(events::replay))
        .routes(routes!(deliveries::list))
        .routes(routes!(export::export))
        .routes(routes!(deliveries::read))
        .routes(routes!(deliveries::attempts))
        .routes(routes!(deliveries::retry))
        .routes(routes!(deliveries::cancel))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::read))
        .routes(routes!(jobs::cancel))
        .routes(routes!(stream::follow))
        .routes(routes!(audit::list))
        .routes(routes!(statistics::overview))
        .routes(routes!(statistics::endpoint))
        .routes(routes!(sessions::create_portal))
        .routes(routes!(providers::list))
        .routes(routes!(whoami::read))
        .routes(routes!(signatures::sign))
        .routes(routes!(signatures::verify))
}

/// The hot path: nothing between the router and the handler. Its `Idempotency-Key` goes into the commit itself.
fn hot() -> OpenApiRouter<DoorState> {
    OpenApiRouter::new().routes(routes!(publish::publish, events::list))
}

/// What browsers sign in and out by. Their cookies are set anew each time, so nothing is remembered.
fn signing_in() -> OpenApiRouter<DoorState> {
    OpenApiRouter::new().routes(routes!(sessions::sign_in, sessions::read, sessions::sign_out))
}

/// What providers call. An `Idempotency-Key` there is theirs, and one of the ways to tell a repetition.
fn public() -> OpenApiRouter<DoorState> {
    OpenApiRouter::new().routes(routes!(receive::receive, receive::receive_put))
}
