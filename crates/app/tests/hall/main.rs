//! The hall over a real store and a real engine, with real sockets at the other end.

mod callers;
mod catalogue;
mod deliveries;
mod endpoints;
mod idempotency;
mod publish;
mod tenants;
mod world;
