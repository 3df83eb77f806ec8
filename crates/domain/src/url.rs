//! The URL of an endpoint, parsed once and used only in its parsed form (standards.md §8.2).

use std::fmt;

use serde::{Deserialize, Serialize};

/// An absolute `http` or `https` URL with a host. Whether it may be called is decided by `rules::egress`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EndpointUrl(::url::Url);

impl EndpointUrl {
    /// Takes a URL that `rules::egress` has passed.
    #[must_use]
    pub fn new(url: ::url::Url) -> Self {
        Self(url)
    }

    /// The parsed URL.
    #[must_use]
    pub fn as_url(&self) -> &::url::Url {
        &self.0
    }

    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}
