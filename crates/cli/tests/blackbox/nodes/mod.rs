//! Serving over PostgreSQL: one node, then several.

mod config;
mod moving;
mod one;
mod takeover;
