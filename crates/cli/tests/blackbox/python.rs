//! Where the programs in Python are that check what ours does, independently of it.

use std::path::PathBuf;

/// The interpreter of the environment they are installed in.
#[expect(clippy::disallowed_methods, reason = "where the verifiers are is told by the environment")]
pub fn python() -> PathBuf {
    let given = std::env::var("HOOKYARD_TEST_PYTHON").unwrap_or_else(|_| {
        panic!(
            "HOOKYARD_TEST_PYTHON is not set: run `cargo xtask test`, which sets it, or \
             `export $(cargo xtask verifiers | tail -n 1)` before `cargo test -p hookyard-cli`"
        )
    });
    PathBuf::from(given)
}
