//! The door for agents: the tools of the Model Context Protocol, over HTTP and, for programs that speak on stdin and
//! stdout, through a relay to a server's HTTP.
//!
//! One truth: a tool is a call of the native API, made in this process through the very routes that `/v1` has, so that
//! checks, refusals, idempotency and audit are theirs. Here stand only what an agent needs besides: names, descriptions,
//! schemas, hints, bounds, and how results and refusals are told.
//! - `streamable`: `POST /mcp`, who may come in; `message`: what has come; `metadata`: how a client finds out about keys;
//! - `server`: the protocol's two questions, which tools there are and what one answers;
//! - `tools`: the list, one file per noun; `asking`: one call of the API; `arguments`, `schema`: what goes in;
//!   `shown`, `told`: what comes out;
//! - [`stdio`]: the relay.
//!
//! **Never** here: a rule of the product, the store, a session: each message stands for itself.
//! Start reading at `tools`, then `streamable`.

mod arguments;
mod asking;
mod message;
mod metadata;
mod names;
mod refused;
mod schema;
mod server;
mod shown;
pub mod stdio;
mod streamable;
mod told;
mod tools;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use hookyard_app::App;
use rmcp::transport::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;

use names::Public;
use server::Tools;

/// Where the protocol is spoken.
pub const PATH: &str = "/mcp";

/// What the door stands on.
pub struct Parts {
    /// Says who is asking.
    pub app: App,
    /// The native API, which the tools call.
    pub api: Router,
    /// Where callers reach this server, without a slash at the end; `None` is wherever each of them did.
    pub public_url: Option<String>,
}

#[derive(Clone)]
struct Door(Arc<Inner>);

struct Inner {
    app: App,
    api: Router,
    public_url: Option<String>,
    public: Option<Public>,
    protocol: StreamableHttpService<Tools, NeverSessionManager>,
}

/// The routes of this room.
pub fn router(parts: Parts) -> Router {
    let Parts { app, api, public_url } = parts;
    let public = public_url.as_deref().and_then(Public::read);
    let protocol = streamable::protocol();
    let door = Door(Arc::new(Inner { app, api, public_url, public, protocol }));
    Router::new()
        .route(PATH, post(streamable::call))
        .route(metadata::PATH, get(metadata::serve))
        .route(metadata::PATH_OF_MCP, get(metadata::serve))
        .with_state(door)
}
