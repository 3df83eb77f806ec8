//! Retry policies and the other policies of an endpoint, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// When a delivery is tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// The delay before attempt 2, 3, … in milliseconds, each counted from the end of the attempt before.
    /// Attempt 1 is made at once, so a policy of `n` delays allows `n + 1` attempts.
    pub delays_ms: Vec<u64>,
    /// Each delay is moved by up to this share of itself, either way: 0.0 to 1.0.
    pub jitter: f64,
}

impl RetryPolicy {
    /// How many attempts the policy allows.
    #[must_use]
    pub fn attempts_max(&self) -> u32 {
        u32::try_from(self.delays_ms.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The delay after failed attempt number `made`, before jitter.
    #[must_use]
    pub fn delay_after(&self, made: u32) -> Option<Duration> {
        let at = usize::try_from(made.checked_sub(1)?).ok()?;
        self.delays_ms.get(at).map(|ms| Duration::from_millis(*ms))
    }
}

/// How fast an endpoint may be called.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Attempts per second.
    pub per_s: f64,
    /// Attempts at once after a pause; `None` is one second's worth.
    pub burst: Option<u32>,
}

/// When an endpoint that only fails is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoDisable {
    /// Never.
    Never,
    /// After this many consecutive events whose every attempt failed (vendors.md ALV-DEL-12).
    AfterEvents(u32),
    /// After this many seconds of nothing but failures (contract §4).
    AfterSeconds(u64),
}

/// Whether an endpoint must prove itself before it gets anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verify {
    /// It need not.
    None,
    /// It must echo a challenge (vendors.md §2.3).
    Challenge,
}
