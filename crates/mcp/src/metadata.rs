//! How a client finds out about keys: the metadata of a protected resource (RFC 9728).
//!
//! Keys are made by hand, in the dashboard, by the API or on the command line; there is no authorization server, so none is
//! named.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use hookyard_domain::key::KeyScope;
use http::header::CACHE_CONTROL;
use http::request::Parts;
use serde_json::json;

use crate::{Door, names};

/// Where it stands.
pub const PATH: &str = "/.well-known/oauth-protected-resource";
/// Where it stands for a resource that has a path (RFC 9728 §3.1).
pub const PATH_OF_MCP: &str = "/.well-known/oauth-protected-resource/mcp";

/// Where the caller finds it.
pub fn url(door: &Door, parts: &Parts) -> String {
    format!("{}{PATH_OF_MCP}", base(door, parts))
}

/// `GET /.well-known/oauth-protected-resource`.
pub async fn serve(State(door): State<Door>, parts: Parts) -> impl IntoResponse {
    let base = base(&door, &parts);
    let metadata = json!({
        "resource": format!("{base}{}", crate::PATH),
        "resource_name": "Hookyard",
        "resource_documentation": format!("{base}/docs"),
        "bearer_methods_supported": ["header"],
        "scopes_supported": KeyScope::ALL.map(|it| it.as_str()),
    });
    ([(CACHE_CONTROL, "no-cache")], Json(metadata))
}

fn base(door: &Door, parts: &Parts) -> String {
    door.0.public_url.clone().unwrap_or_else(|| names::origin(parts))
}
