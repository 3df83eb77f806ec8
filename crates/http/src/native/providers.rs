//! The providers whose requests a source can receive.

use axum::extract::State;
use hookyard_api::page::Page;
use hookyard_api::providers::{Provider, ProviderPage};
use http::StatusCode;

use super::extract::{Reply, reply};
use crate::auth::Asker;
use crate::state::DoorState;

/// List the providers
///
/// Each with what to paste where. All of them are on this one page.
#[utoipa::path(
    get, path = "/v1/providers", operation_id = "list_providers", tag = "Sources",
    responses((status = 200, description = "All of them.", body = ProviderPage)),
)]
pub async fn list(State(state): State<DoorState>, Asker(caller): Asker) -> Reply {
    let providers = state.app().providers(&caller).into_iter();
    let data = providers.map(|it| Provider {
        name: it.name.to_owned(),
        title: it.title.to_owned(),
        docs_url: it.docs_url.to_owned(),
        setup: it.setup.iter().map(|step| (*step).to_owned()).collect(),
        secret_from: it.secret_from.to_owned(),
        signs_url: it.signs_url,
        handshake: it.handshake,
    });
    reply(StatusCode::OK, &Page { data: data.collect(), next_cursor: None })
}
