//! Names of the delivery profiles: the bundles of wire format and policy an endpoint follows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The profile of an endpoint (contract §4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Standard Webhooks.
    #[default]
    Standard,
    /// Aly.
    Aly,
    /// Alvys.
    Alvys,
    /// Alumia.
    Alumia,
    /// Aryeo.
    Aryeo,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 5] = [Self::Standard, Self::Aly, Self::Alvys, Self::Alumia, Self::Aryeo];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Aly => "aly",
            Self::Alvys => "alvys",
            Self::Alumia => "alumia",
            Self::Aryeo => "aryeo",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use one of `standard`, `aly`, `alvys`, `alumia`, `aryeo`")]
pub struct BadProfile;

impl FromStr for Profile {
    type Err = BadProfile;

    fn from_str(text: &str) -> Result<Self, BadProfile> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(BadProfile)
    }
}
