//! The real binary on real ports: what a user of `hookyard` can see.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says that something is wrong by failing"
)]

mod backup;
mod dev;
mod operator_key;
mod refusals;
mod shutdown;
mod tools;
mod walk;
mod world;
