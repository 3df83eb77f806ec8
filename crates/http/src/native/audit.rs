//! The audit log of a tenant.

use axum::extract::State;
use hookyard_api::audit::{AuditEntry, AuditEntryPage};
use hookyard_api::page::{Page, PageQuery};
use http::StatusCode;

use super::extract::{AtTenant, Params, Reply, reply};
use crate::state::DoorState;

/// List the audit log
///
/// Who did what, when, from where, and what was before and after.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/audit", operation_id = "list_audit", tag = "Audit",
    params(PageQuery),
    responses((status = 200, description = "A page, newest first.", body = AuditEntryPage)),
)]
pub async fn list(State(state): State<DoorState>, at: AtTenant, query: Params) -> Reply {
    let page = state.app().audit(&at.caller, &at.tenant, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, AuditEntry::from))
}
