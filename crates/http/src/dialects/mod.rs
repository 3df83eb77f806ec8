//! Dialects: the vendors' own management APIs, each a thin translation of the same hall. None knows another, or `native`.

pub mod alumia;
pub mod alvys;
pub mod aly;

use axum::Router;

use crate::state::DoorState;

/// Every dialect's routes.
pub fn router(state: &DoorState) -> Router {
    Router::new().merge(alumia::router(state)).merge(alvys::router(state)).merge(aly::router(state))
}
