//! Sources: inbound receivers, each with a public URL of its own, their settings and states.

use serde::{Deserialize, Serialize};

use crate::id::SourceId;
use crate::profile::Profile;
use crate::secret::{Sealed, SealedSecrets};
use crate::subscription::{Pattern, Scope};
use crate::tenant::TenantNo;
use crate::time::Timestamp;

/// What a source's owner chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSettings {
    /// For people.
    pub name: String,
    /// Who sends: the name of a preset; any other text is a label, and the sender one of the user's own.
    pub provider: String,
    /// The vendor's surface it belongs to, and the profile of the endpoint that forwards its events, if there is one.
    pub profile: Profile,
    /// The scope its events get.
    pub scope: Option<Scope>,
    /// The URL the provider was told, where that is not the receive URL itself: some providers sign it.
    pub public_url: Option<String>,
    /// Types that are passed on, others are recorded only; empty is all.
    pub events: Vec<Pattern>,
    /// For people.
    pub description: Option<String>,
    /// The owner's own JSON object, as text.
    pub metadata: Option<String>,
}

/// The state of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceStatus {
    /// What it receives is recorded and passed on.
    Active,
    /// What it receives is recorded, and passed on when it is active again.
    Paused,
    /// It refuses everything.
    Disabled,
}

impl SourceStatus {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Active, Self::Paused, Self::Disabled];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

/// A source as it is kept. The endpoint that forwards its events, if there is one, goes by the same 16 bytes of id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// Whose it is.
    pub tenant: TenantNo,
    /// What its owner chose.
    pub settings: SourceSettings,
    /// The secrets its requests are verified with; none while a provider has still to hand one over.
    pub secrets: SealedSecrets,
    /// The text the user gave the provider for its handshake.
    pub verify_token: Option<Sealed>,
    /// Its state.
    pub status: SourceStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Counts its changes; an update names the revision it saw.
    pub revision: u64,
}

/// What is counted of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceActivity {
    /// Events it recorded.
    pub event_count: u64,
    /// When it recorded the last one.
    pub last_event_at: Option<Timestamp>,
}
