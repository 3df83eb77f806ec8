//! Pure decisions: who wants an event, what a delivery looks like, how it is signed, when it is tried again, what an
//! answer means, which address may be called.
//!
//! Called by the engine (the flow), the app (settings, the signature checker) and the front door (keys, offline signing).
//! Everything a decision depends on is an argument: the time, the dice, the secrets.
//!
//! **Never** here: I/O, async, a clock, chance, logging, the store. Start reading at [`profiles`] and [`judge`].

pub mod custom_headers;
pub mod diff;
pub mod egress;
pub mod health;
pub mod inbound;
pub mod judge;
pub mod keys;
pub mod matching;
pub mod profiles;
pub mod redact;
pub mod schedule;
pub mod seal;
pub mod signing;
pub mod tokens;
