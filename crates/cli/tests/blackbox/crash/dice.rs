//! Chance that can be thrown again: `HOOKYARD_TEST_SEED` replays a run.

/// SplitMix64.
pub struct Dice(u64);

impl Dice {
    /// With the seed of the environment, else a fresh one; says which, which is seen when the test fails.
    #[expect(clippy::disallowed_methods, reason = "a seed to replay is told by the environment")]
    pub fn new() -> Self {
        let seed = std::env::var("HOOKYARD_TEST_SEED").map_or_else(
            |_| {
                let mut bytes = [0; 8];
                getrandom::fill(&mut bytes).unwrap();
                u64::from_be_bytes(bytes)
            },
            |text| text.parse().expect("HOOKYARD_TEST_SEED is a number"),
        );
        eprintln!("replay with HOOKYARD_TEST_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Dice of its own for a task, so that tasks do not take each other's throws.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }
}
