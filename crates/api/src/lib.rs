//! Letter forms: what the native API takes and answers, as types with their documentation.
//!
//! Used by the doors (`http`, `mcp`) and by the command line's remote commands, so that one form is written once. One file
//! per noun, each with its requests, its answers and the way from and to the nouns of `domain`. Times are RFC 3339 texts
//! with milliseconds, ids carry their prefix, unknown fields of a request are refused. Requests keep texts and numbers as
//! the caller wrote them: `app` checks them and names all that is wrong at once.
//!
//! `client` (behind the feature of that name) speaks them with a server.
//!
//! **Never** here: a web server, a use case, a decision about what is allowed; only its form.
//! Start reading at [`events`] and [`endpoints`].

#[macro_use]
mod mirror;

pub mod attempts;
pub mod audit;
#[cfg(feature = "client")]
pub mod client;
pub mod deliveries;
pub mod endpoints;
pub mod event_types;
pub mod events;
pub mod jobs;
pub mod json;
pub mod keys;
pub mod nodes;
pub mod page;
pub mod patch;
pub mod paths;
pub mod policies;
pub mod problem;
pub mod providers;
pub mod sessions;
pub mod signatures;
pub mod sources;
pub mod statistics;
pub mod stream;
pub mod tenants;
pub mod whoami;
