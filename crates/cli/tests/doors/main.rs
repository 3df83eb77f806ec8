//! The native API through its doors: every answer a caller can get, over real sockets, with the real house behind it.
//!
//! It stands here because only this room may compose the house.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says that something is wrong by failing"
)]

mod events;
mod management;
mod ops;
mod pages;
mod world;
