//! What receivers see: which events, in which order, when, signed how, and what is listed of it.

mod backlog;
mod handshake;
mod matching;
mod neighbours;
mod off;
mod ordered;
mod pausing;
mod rates;
mod replays;
mod retries;
pub mod signatures;
