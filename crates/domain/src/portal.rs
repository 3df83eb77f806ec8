//! The portal: a customer's short-lived view of one tenant, or of one scope of it.

use serde::{Deserialize, Serialize};

/// One power of a portal session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Look at endpoints, events, deliveries and numbers.
    Read,
    /// Make, change, test and delete endpoints; see and rotate their secrets.
    Manage,
    /// Retry and cancel deliveries, replay events, recover endpoints.
    Replay,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 3] = [Self::Read, Self::Manage, Self::Replay];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Manage => "manage",
            Self::Replay => "replay",
        }
    }
}
