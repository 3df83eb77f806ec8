//! Why a request to a source is not taken.

use std::time::Duration;

use hookyard_engine::EngineError;
use hookyard_rules::inbound::Rejection;
use hookyard_store::StoreError;

use crate::error::{AppError, Cause};

/// Why nothing was recorded. Its text may be shown to the sender; its source may not.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// There is no such source at this door.
    #[error("no such source")]
    NotFound,
    /// The source is disabled.
    #[error("the source is disabled")]
    Disabled,
    /// The provider never sends such a request.
    #[error("the source does not take this method; it takes {allow}")]
    BadMethod {
        /// What it takes.
        allow: &'static str,
    },
    /// It is not believed.
    #[error("{0}")]
    Rejected(Rejection),
    /// The body is larger than may be.
    #[error("the payload is too large; {limit_bytes} bytes are allowed")]
    TooLarge {
        /// What may be.
        limit_bytes: u64,
    },
    /// More than the tenant may take.
    #[error("too many requests; try again later")]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The store cannot be reached, or the process is on its way out.
    #[error("the service is not available at the moment; try again later")]
    Unavailable(#[source] Cause),
    /// A fault of ours.
    #[error("something went wrong on our side")]
    Internal(#[source] Cause),
}

impl From<AppError> for ReceiveError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::NotFound { .. } => Self::NotFound,
            AppError::TooLarge { limit_bytes } => Self::TooLarge { limit_bytes },
            AppError::TooMany { retry_after } => Self::RateLimited { retry_after },
            AppError::Unavailable(cause) => Self::Unavailable(cause),
            AppError::Internal(cause) => Self::Internal(cause),
            AppError::Unauthenticated
            | AppError::Forbidden { .. }
            | AppError::Invalid(_)
            | AppError::Conflict { .. }
            | AppError::LimitReached { .. }
            | AppError::KeyReused
            | AppError::StillRunning => Self::Internal(error.into()),
        }
    }
}

impl From<StoreError> for ReceiveError {
    fn from(error: StoreError) -> Self {
        AppError::from(error).into()
    }
}

impl From<EngineError> for ReceiveError {
    fn from(error: EngineError) -> Self {
        AppError::from(error).into()
    }
}
