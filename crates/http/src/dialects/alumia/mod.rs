//! The surface of Alumia: inbound webhooks under `/api/v1/webhooks` (vendors.md §3, contract §5).
//!
//! An organisation is the tenant whose key is sent. A webhook here is a source of the profile `alumia` plus, when it has a
//! `url`, the endpoint that forwards what it receives; both go by the one UUID.
//! - [`routes`]: the management; [`lists`]: what was recorded and forwarded; [`inbound`]: what providers call, and its trials;
//! - [`ask`]: what handlers take from a request; [`wire`]: requests and answers in Alumia's words, [`envelope`]
//!   around them; [`errors`]: its refusals;
//! - [`openapi`]: its document.
//!
//! **Never** here: a rule about signatures or forwarding, the native API, another vendor's.

pub mod ask;
pub mod envelope;
pub mod errors;
pub mod inbound;
pub mod lists;
pub mod openapi;
pub mod routes;
pub mod rows;
pub mod wire;

use axum::Router;
use axum::routing::any;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::idempotency::remember;
use crate::state::DoorState;

/// Where the surface stands.
const BASE: &str = "/api/v1/webhooks";

/// Every route, and Alumia's form of error for the paths below.
pub fn router(state: &DoorState) -> Router {
    let remember = axum::middleware::from_fn_with_state(state.clone(), remember::<errors::Refused>);
    let managed = Router::from(managed().route_layer(remember))
        .method_not_allowed_fallback(errors::no_method)
        .fallback(errors::no_route);
    Router::from(public())
        // The seed has the POST alone; some providers begin with a handshake by another method.
        .route(&format!("{BASE}/receive/{{webhookId}}"), any(inbound::receive))
        .method_not_allowed_fallback(errors::no_method)
        // A prefix does not catch the slash behind it.
        .route(&format!("{BASE}/"), any(errors::no_route))
        .nest(BASE, managed)
        .with_state(state.clone())
}

/// The routes that take a key. Literal ones go before `{id}` by themselves.
fn managed() -> OpenApiRouter<DoorState> {
    OpenApiRouter::new()
        .routes(routes!(routes::create, routes::list))
        .routes(routes!(lists::recent))
        .routes(routes!(inbound::test))
        .routes(routes!(inbound::verify))
        .routes(routes!(routes::read, routes::update, routes::delete))
        .routes(routes!(routes::rotate))
        .routes(routes!(lists::events))
        .routes(routes!(lists::deliveries))
}

/// The routes that providers call, by their whole paths, since some of them sign it. An `Idempotency-Key` is theirs, and says
/// what a repetition is.
fn public() -> OpenApiRouter<DoorState> {
    OpenApiRouter::new().routes(routes!(inbound::receive)).routes(routes!(inbound::linear))
}
