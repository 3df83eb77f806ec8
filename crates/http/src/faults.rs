//! What every surface does with a refusal, whatever form it answers: the log hears of faults, people get sentences.

use std::error::Error;

use hookyard_app::AppError;

/// A text of ours as a sentence: a capital at the beginning, a full stop at the end.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String =
        letters.next().map(|it| it.to_ascii_uppercase()).into_iter().collect();
    sentence.push_str(letters.as_str());
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

/// What somebody here must look at is logged with its causes; everything else is the caller's business.
pub(crate) fn log(error: &AppError) {
    match error {
        AppError::Internal(cause) => {
            tracing::error!(error = %chain(cause.as_ref()), "a request failed");
        }
        AppError::Unavailable(cause) => {
            tracing::warn!(error = %chain(cause.as_ref()), "the store cannot be reached");
        }
        AppError::Unauthenticated
        | AppError::Forbidden { .. }
        | AppError::NotFound { .. }
        | AppError::Invalid(_)
        | AppError::Conflict { .. }
        | AppError::LimitReached { .. }
        | AppError::KeyReused
        | AppError::StillRunning
        | AppError::TooLarge { .. }
        | AppError::TooMany { .. } => {}
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        text.push_str(": ");
        text.push_str(&it.to_string());
        cause = it.source();
    }
    text
}
