//! Tenants: who owns everything else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::profile::Profile;
use crate::time::Timestamp;

/// The name a tenant's operator gave it: `^[a-z0-9][a-z0-9_-]{0,63}$`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(String);

impl TenantId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text cannot name a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use 1 to 64 of `a-z 0-9 _ -`, beginning with a letter or a digit")]
pub struct BadTenantId;

impl FromStr for TenantId {
    type Err = BadTenantId;

    fn from_str(text: &str) -> Result<Self, BadTenantId> {
        let plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
        let bytes = text.as_bytes();
        let good = (1..=64).contains(&bytes.len())
            && plain(bytes[0])
            && bytes.iter().all(|it| plain(*it) || matches!(it, b'_' | b'-'));
        if good { Ok(Self(text.to_owned())) } else { Err(BadTenantId) }
    }
}

/// The number the store gave a tenant; never shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantNo(pub u32);

/// What a tenant may use. `None` is the product's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantLimits {
    /// Endpoints at most.
    pub endpoints: Option<u32>,
    /// Entries of one endpoint's `events` at most.
    pub event_types_per_endpoint: Option<u32>,
    /// Bytes of one event's `data` at most.
    pub payload_bytes: Option<u64>,
    /// Events published per second at most.
    pub publish_per_s: Option<u32>,
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The store's number.
    pub no: TenantNo,
    /// The operator's name for it.
    pub id: TenantId,
    /// For people.
    pub name: Option<String>,
    /// The profile of endpoints that name none.
    pub profile: Profile,
    /// What it may use.
    pub limits: TenantLimits,
    /// Days that its events and deliveries are kept.
    pub retention_days: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_contract() {
        for good in ["a", "0", "acme", "a-b_c", &"x".repeat(64)] {
            assert!(good.parse::<TenantId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "_a", "A", "a b", "a.b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad}");
        }
    }
}
