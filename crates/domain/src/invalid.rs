//! "Field F is wrong because R": what the door tells a caller who sent something unusable.

use std::fmt;

/// One wrong field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// JSON pointer (RFC 6901) of the field, such as `/retry/delays_s/0`; the name of a query parameter without slash.
    pub pointer: String,
    /// Stable, machine-readable: `required`, `too_long`, `bad_url`, `private_address` …
    pub code: &'static str,
    /// For people: what is wrong and what to do.
    pub message: String,
}

impl Invalid {
    /// A wrong field.
    pub fn new(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, message: message.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.message)
    }
}

impl std::error::Error for Invalid {}
