//! What must not happen: calls into private networks, one tenant among another's things, secrets in logs and lists.

mod bodies;
mod egress;
mod isolation;
mod secrets;
mod sources;
