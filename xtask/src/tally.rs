//! Counts tests by what the test runner says of them.

use std::fmt;

/// Tests that were run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that were there and were not run.
    pub skipped: u64,
}

impl Tally {
    /// Adds up a line of `cargo test`; only its `test result:` lines count.
    pub fn see(&mut self, line: &str) {
        let Some((_, result)) = line.split_once("test result: ") else { return };
        // `ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what)) = (words.next(), words.next()) else { continue };
            let Ok(count) = count.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.skipped += count,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    /// The runner's summary line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|it| tally.see(it));
        tally
    }

    #[test]
    fn the_result_lines_of_all_test_binaries_are_added_up() {
        let tally = seen(&[
            "running 3 tests",
            "test a_204_ends_it ... ok",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 4 filtered out; finished in 1.50s",
        ]);
        assert_eq!(tally, Tally { passed: 13, failed: 2, skipped: 1 });
        assert_eq!(tally.to_string(), "13 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn lines_of_tests_do_not_count() {
        let tally = seen(&["5 passed; 3 failed", "test the_result ... ok", ""]);
        assert_eq!(tally.to_string(), "0 passed, 0 failed");
    }
}
