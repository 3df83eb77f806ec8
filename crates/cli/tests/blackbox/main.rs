//! The real binary on real ports: what a user of `hookyard` can see.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says that something is wrong by failing"
)]

mod backup;
mod chaos;
mod cli;
mod cluster;
mod crash;
mod delivery;
mod dev;
mod dialects;
mod docs;
mod follower;
mod inbound;
mod javascript;
mod master_key;
mod mcp;
mod native;
mod nodes;
mod operator_key;
mod packaging;
mod panel;
mod proxy;
mod python;
mod receiver;
mod recover;
mod refusals;
mod scene;
mod security;
mod shutdown;
mod stream;
mod tools;
mod walk;
mod world;
