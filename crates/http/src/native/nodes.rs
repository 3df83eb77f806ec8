//! Nodes: for the operator.

use axum::extract::State;
use hookyard_api::nodes::{Node, NodePage};
use hookyard_api::page::Page;
use http::StatusCode;

use super::extract::{Reply, reply};
use crate::auth::Asker;
use crate::state::DoorState;

/// List the nodes
///
/// The processes that serve from the store, by their number; those that are gone too, until a new one gets their number.
/// One process with an embedded store is the one node there is, without a name. All of them are on this one page.
#[utoipa::path(
    get, path = "/v1/nodes", operation_id = "list_nodes", tag = "Nodes",
    responses((status = 200, description = "All of them.", body = NodePage)),
)]
pub async fn list(State(state): State<DoorState>, Asker(caller): Asker) -> Reply {
    let nodes = state.app().nodes(&caller).await?;
    let data = nodes.into_iter().map(Node::from).collect();
    reply(StatusCode::OK, &Page { data, next_cursor: None })
}
