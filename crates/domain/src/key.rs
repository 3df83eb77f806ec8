//! API keys: kept as hashes, with scopes.

use serde::{Deserialize, Serialize};

use crate::id::KeyId;
use crate::tenant::TenantNo;
use crate::time::Timestamp;

/// One power of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Look at everything of the tenant.
    Read,
    /// Change endpoints, sources and event types; retry, replay, cancel.
    Write,
    /// Publish events.
    Publish,
    /// All of these, and keys.
    Admin,
}

impl KeyScope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Publish, Self::Admin];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Publish => "publish",
            Self::Admin => "admin",
        }
    }
}

/// SHA-256 of a key's text. Keys are 256 random bits, so a slow hash would buy nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

/// A tenant's API key, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub tenant: TenantNo,
    /// For people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// The hash it is found by.
    pub hash: KeyHash,
    /// The first characters of its text, to recognise it by.
    pub hint: String,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}
