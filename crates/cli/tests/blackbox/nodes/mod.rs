//! Serving over PostgreSQL: one node, then several.

mod alone;
mod config;
mod moving;
mod one;
mod takeover;
