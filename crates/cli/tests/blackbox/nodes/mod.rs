//! Serving over PostgreSQL: one node, then several.

mod one;
