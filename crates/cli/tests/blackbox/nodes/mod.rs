//! Serving over PostgreSQL: one node, then several.

mod alone;
mod config;
mod one;
mod takeover;
