//! The hall over a real store and a real engine, with real sockets at the other end.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what fails in a test's own helpers fails the test"
)]

mod attempt_log;
mod callers;
mod catalogue;
mod deliveries;
mod diff;
mod endpoints;
mod idempotency;
mod publish;
mod receive;
mod sealed;
mod signatures;
mod sources;
mod streams;
mod surfaces;
mod tenants;
mod world;
