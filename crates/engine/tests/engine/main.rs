//! The engine over a real store and real sockets, with a clock that is moved by hand: what happens over hours and days.
#![expect(clippy::unwrap_used, reason = "a test says that something is wrong by failing")]

mod disabling;
mod retry_after;
mod schedules;
mod sources;
mod terminal;
mod waking;
mod world;
