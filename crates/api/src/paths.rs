//! Paths of the native API, for links and clients. The table of routes itself stands in `http`.

use std::fmt::Display;

/// The prefix of the native API.
pub const V1: &str = "/v1";

/// A tenant.
#[must_use]
pub fn tenant(tenant: &impl Display) -> String {
    format!("{V1}/tenants/{tenant}")
}

/// A collection of a tenant, such as `endpoints`.
#[must_use]
pub fn collection(of: &impl Display, name: &str) -> String {
    format!("{}/{name}", tenant(of))
}

/// A thing of a tenant's collection.
#[must_use]
pub fn item(of: &impl Display, collection: &str, id: &impl Display) -> String {
    format!("{}/{collection}/{id}", tenant(of))
}
