//! Where the packages in JavaScript are that check what ours does, independently of it.

use std::path::PathBuf;

/// The folder with the libraries in JavaScript.
#[expect(clippy::disallowed_methods, reason = "where the verifiers are is told by the environment")]
pub fn packages() -> PathBuf {
    let given = std::env::var("HOOKYARD_TEST_NODE").unwrap_or_else(|_| {
        panic!(
            "HOOKYARD_TEST_NODE is not set: run `cargo xtask test`, which sets it, or \
             `export $(cargo xtask verifiers | tail -n 1)` before `cargo test -p hookyard-cli`"
        )
    });
    PathBuf::from(given)
}
