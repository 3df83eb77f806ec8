//! Doors: the HTTP side of Hookyard. Translates requests into calls of `app` and its answers into responses, decides nothing.
//!
//! Called by `cli`, which composes a [`DoorState`], asks for a [`router`] and hands it to [`server::serve`].
//! - [`native`]: the API under `/v1`, one file of handlers per noun, and its OpenAPI document;
//! - [`dialects`]: the management APIs of the vendors, one folder each, with a document each;
//! - [`docs`]: the API reference for people, made from that document; [`ops`]: health, readiness, metrics;
//! - [`dashboard`]: the page and its files, which `cli` hands in;
//! - [`body`], [`auth`], [`cookies`]: exact bytes with a limit, JSON with pointers to what is wrong, who is asking;
//! - `ask`, `receiving`: what surfaces share, requests that callers make and requests that providers make;
//! - [`idempotency`]: what a POST answered, answered again;
//! - [`layers`]: what every request passes; [`server`]: connections.
//!
//! **Never** here: a decision about delivery, a store, a database; no cause of an error leaves through a body.
//! Start reading at [`native`] and [`native::publish`], the hot path.

mod ask;
pub mod auth;
pub mod body;
mod budget;
pub mod cookies;
mod csv;
pub mod dashboard;
pub mod dialects;
pub mod docs;
mod faults;
pub mod idempotency;
pub mod layers;
mod linger;
pub mod native;
mod openapi;
pub mod ops;
mod receiving;
pub mod server;
mod state;

use axum::Router;

pub use dashboard::{Asset, Dashboard};
pub use state::{DoorState, Gauge, Gauges, Parts};

/// Every route of this room.
pub fn router(state: DoorState) -> Router {
    router_with(state, Router::new())
}

/// The same with more routes under the same layers. `extra` has no fallback of its own.
pub fn router_with(state: DoorState, extra: Router) -> Router {
    Router::new()
        .merge(native::router(&state))
        .merge(dialects::router(&state))
        .merge(docs::router())
        .merge(ops::router(&state))
        .merge(dashboard::router(&state))
        .merge(extra)
        .method_not_allowed_fallback(native::problem::no_method)
        .fallback(native::problem::no_route)
        // One layer, not four: request id, guard against panics, log line, count. See `layers`.
        .layer(layers::Front::new(state))
}
