//! What must not happen: calls into private networks, secrets in logs and lists.

mod egress;
mod secrets;
