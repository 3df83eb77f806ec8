//! Dice that fall the same way each time.

use std::sync::atomic::{AtomicU64, Ordering};

use hookyard_domain::time::Chance;

/// Chance that follows from a seed (SplitMix64).
#[derive(Debug)]
pub struct SeededChance(AtomicU64);

impl SeededChance {
    /// Dice of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        for piece in bytes.chunks_mut(8) {
            let mut value = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
            value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            value ^= value >> 31;
            piece.copy_from_slice(&value.to_le_bytes()[..piece.len()]);
        }
    }
}
