//! Why a call came to nothing.

use std::time::Duration;

use crate::problem::Problem;

/// Why a call came to nothing. No text of it holds the key or anything that was sent.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server answered that it will not.
    #[error("the server answered {}", .0.status)]
    Refused(Box<Refusal>),
    /// No connection: nothing was sent.
    #[error("{0}")]
    Connect(String),
    /// The connection broke before the answer was whole: it may have been done, or not.
    #[error("{0}")]
    Broken(String),
    /// No answer in time: it may have been done, or not.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// A success, but not in the form it should have.
    #[error("the answer is not one of Hookyard's native API: {0}")]
    Strange(String),
    /// It cannot stand in a request's head.
    #[error("{0} holds characters that no HTTP header can carry")]
    Unsendable(&'static str),
}

/// An answer that is no success.
#[derive(Debug)]
pub struct Refusal {
    /// Its status.
    pub status: u16,
    /// What it says; `None` when somebody else answered, such as a proxy.
    pub problem: Option<Problem>,
    /// How many seconds to wait.
    pub retry_after: Option<u64>,
    /// Where a redirect points to.
    pub location: Option<String>,
}
