//! What tests stand on: nouns made with one call, a clock and dice that obey, a receiver that follows a script, and the
//! conformance suite that every adapter of the store must pass.
//!
//! Used as a dev-dependency by any room. Stands on `domain` and `store` alone: a fake of a room's own trait lives in that
//! room. Start reading at [`make`] and [`conformance`].
//!
//! **Never** here: code that a released binary runs.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected must stop at once"
)]

pub mod chance;
pub mod clock;
pub mod conformance;
pub mod make;
pub mod sink;
