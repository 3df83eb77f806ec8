//! What a caller can be told instead of an answer: one closed list, with stable codes.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use hookyard_domain::invalid::Invalid;
use hookyard_domain::key::KeyScope;
use hookyard_domain::portal::Capability;
use hookyard_engine::EngineError;
use hookyard_store::StoreError;

/// A cause, for the log only.
pub type Cause = Box<dyn Error + Send + Sync>;

/// What a caller would have needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// A key with this scope.
    Scope(KeyScope),
    /// The operator's key.
    Operator,
    /// A key that says by itself which tenant is meant.
    OwnTenant,
    /// A portal session that may do this.
    Capability(Capability),
    /// A key, or a session, that is not limited to a scope of the tenant.
    WholeTenant,
    /// Proof that a request with a cookie comes from our own page.
    SameOrigin,
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(scope) => write!(f, "a key with the scope `{}`", scope.as_str()),
            Self::Operator => f.write_str("the operator's key"),
            Self::OwnTenant => f.write_str("a key of the tenant; the operator's key names none"),
            Self::Capability(it) => {
                write!(f, "a portal session with the capability `{}`", it.as_str())
            }
            Self::WholeTenant => f.write_str("a key or session that is not limited to a scope"),
            Self::SameOrigin => f.write_str(
                "a request from a page of this server, or the header `X-Hookyard-Session`, since a cookie signed it in",
            ),
        }
    }
}

/// Why a wish was not granted. Its text may be shown to the caller; its source may not.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// No key, or one that is not valid (any more).
    #[error("no valid API key was given; send `Authorization: Bearer KEY`")]
    Unauthenticated,
    /// The key is good, but not for this.
    #[error("this needs {needs}")]
    Forbidden {
        /// What would have done.
        needs: Needs,
    },
    /// It is not there, or belongs to somebody else.
    #[error("no such {what}")]
    NotFound {
        /// The thing.
        what: &'static str,
    },
    /// Fields of the request are wrong.
    #[error("{}", count(.0.len()))]
    Invalid(Vec<Invalid>),
    /// The state of things does not allow it.
    #[error("{message}")]
    Conflict {
        /// Stable, machine-readable.
        code: &'static str,
        /// For people.
        message: String,
    },
    /// A limit of the tenant or of the profile is reached.
    #[error("the limit of {limit} {what} is reached")]
    LimitReached {
        /// The things counted.
        what: &'static str,
        /// How many may be.
        limit: u32,
    },
    /// The `Idempotency-Key` was used with another request.
    #[error(
        "this `Idempotency-Key` was used with another request; use a new key for a new request"
    )]
    KeyReused,
    /// The first request with this `Idempotency-Key` has not ended.
    #[error(
        "the first request with this `Idempotency-Key` is still running; try again in a moment"
    )]
    StillRunning,
    /// The payload is larger than may be.
    #[error("the payload is too large; {limit_bytes} bytes are allowed")]
    TooLarge {
        /// What may be.
        limit_bytes: u64,
    },
    /// More requests than the tenant may send.
    #[error("too many requests; try again in {} s", whole_seconds(*.retry_after))]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The store cannot be reached, or the process is on its way out. Nothing was done.
    #[error("the service is not available at the moment; try again later")]
    Unavailable(#[source] Cause),
    /// A fault of ours.
    #[error("something went wrong on our side")]
    Internal(#[source] Cause),
}

fn count(fields: usize) -> String {
    match fields {
        1 => "one field of the request is wrong".into(),
        more => format!("{more} fields of the request are wrong"),
    }
}

/// Seconds, rounded up, at least one: as `Retry-After` wants them.
#[must_use]
pub fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl AppError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound { .. } => "not_found",
            Self::Invalid(_) => "invalid",
            Self::Conflict { code, .. } => code,
            Self::LimitReached { .. } => "limit_reached",
            Self::KeyReused => "idempotency_key_reused",
            Self::StillRunning => "idempotency_key_in_use",
            Self::TooLarge { .. } => "too_large",
            Self::TooMany { .. } => "too_many_requests",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    pub(crate) fn invalid(
        pointer: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::Invalid(vec![Invalid::new(pointer, code, message)])
    }

    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Fenced => Self::Unavailable(error.into()),
            StoreError::Conflict { what } => Self::Conflict {
                code: "changed_meanwhile",
                message: format!(
                    "{what} exists already or was changed by somebody else; try again"
                ),
            },
            StoreError::Full { what, limit } => Self::LimitReached { what, limit },
            StoreError::Corrupt { .. } | StoreError::TooNew { .. } => Self::Internal(error.into()),
        }
    }
}

impl From<EngineError> for AppError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::NoEndpoint => Self::NotFound { what: "endpoint" },
            EngineError::Unwritten(_) | EngineError::Busy | EngineError::Draining => {
                Self::Unavailable(error.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_of_the_store_reads_as_a_sentence() {
        let error = AppError::from(StoreError::Conflict { what: "the endpoint" });
        assert_eq!(error.code(), "changed_meanwhile");
        let text = error.to_string();
        assert_eq!(text, "the endpoint exists already or was changed by somebody else; try again");
    }
}
