//! Serving over PostgreSQL: one node, then several.

mod alone;
mod bench;
mod config;
mod disabling;
mod listed;
mod moving;
mod one;
mod takeover;
