//! Serving over PostgreSQL: one node, then several.

mod config;
mod one;
mod takeover;
