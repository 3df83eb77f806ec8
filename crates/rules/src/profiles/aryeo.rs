//! Aryeo (vendors.md §4.1, §4.2).

use bytes::Bytes;
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::{AutoDisable, Verify};
use hookyard_domain::scheme::Scheme;

use super::{ProfileRules, Terminal};

pub(super) const RULES: ProfileRules = ProfileRules {
    profile: Profile::Aryeo,
    scheme: Scheme::Aryeo,
    // vendors.md ARY-DEL-3.
    retry_delays_ms: &[10_000, 100_000],
    retry_jitter: 0.0,
    timeout_s: 3,
    overlap: None,
    terminal: Terminal::Never,
    auto_disable: AutoDisable::Never,
    verify: Verify::None,
    endpoints_max: None,
    events_max: None,
    secret_required: false,
};

/// The published `data` as it is.
pub(super) fn body(data: &Bytes) -> Bytes {
    data.clone()
}
