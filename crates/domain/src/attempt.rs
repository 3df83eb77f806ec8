//! Attempts: one HTTP request of a delivery, and what came of it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::headers::Headers;
use crate::time::Timestamp;

/// What came of an attempt (contract §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The receiver answered with success.
    Succeeded,
    /// The receiver answered something else.
    HttpError,
    /// No whole answer within the time-out.
    Timeout,
    /// No connection, or it broke.
    Connect,
    /// The receiver's certificate or its TLS is not acceptable.
    Tls,
    /// The host's name could not be resolved.
    Dns,
    /// The address policy forbids the address.
    Blocked,
    /// The answer's head was larger than is read.
    TooLarge,
}

impl OutcomeKind {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::HttpError => "http_error",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Dns => "dns",
            Self::Blocked => "blocked",
            Self::TooLarge => "too_large",
        }
    }
}

/// What set an attempt off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The schedule.
    #[default]
    Automatic,
    /// Somebody asked: retry or replay.
    Manual,
    /// A test of the endpoint.
    Test,
}

impl Trigger {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
            Self::Test => "test",
        }
    }
}

/// One attempt as it is kept. Secrets are already taken out of its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// What came of it.
    pub outcome: OutcomeKind,
    /// The answer's status code.
    pub status_code: Option<u16>,
    /// What was sent; signatures shown, secrets never.
    pub request_headers: Headers,
    /// What was answered.
    pub response_headers: Headers,
    /// The answer's first 4 KiB.
    pub response_body: Bytes,
    /// For people: why it failed.
    pub error: Option<String>,
    /// What set it off.
    pub trigger: Trigger,
}
