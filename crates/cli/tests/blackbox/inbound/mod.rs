//! Receiving, asked as the providers ask: the real binary, a real socket, requests that others have signed.

pub mod receive;
mod receive_handshakes;
mod receive_keys;
mod receive_passing;
mod receive_states;
mod sdks;
