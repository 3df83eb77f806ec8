//! The one place that reads the time and throws real dice; everybody else is handed these.

use std::sync::Arc;

use anyhow::Context as _;
use hookyard_domain::time::{Chance, Clock, Timestamp};

/// The computer's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
    }
}

/// The operating system's random numbers.
pub struct SystemChance(());

impl SystemChance {
    /// Tries the source once, so that a machine without one is noticed at start.
    pub fn open() -> anyhow::Result<Arc<dyn Chance>> {
        let mut probe = [0_u8; 16];
        getrandom::fill(&mut probe).context("asking the operating system for random numbers")?;
        Ok(Arc::new(Self(())))
    }
}

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            // Keys and nonces made of anything else would be a silent disaster; a restart loses nothing.
            tracing::error!(%error, "the operating system gives no random numbers any more; stopping");
            std::process::abort();
        }
    }
}
