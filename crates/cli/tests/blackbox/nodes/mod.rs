//! Serving over PostgreSQL: one node, then several.

mod moving;
mod one;
mod takeover;
