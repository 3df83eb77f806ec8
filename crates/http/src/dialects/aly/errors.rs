//! Refusals in Aly's form, `{"error": {"code", "message", "details"}}`, with its statuses (vendors.md §1.7).

use axum::response::{IntoResponse, Response};
use hookyard_app::{AppError, Needs};
use hookyard_domain::invalid::Invalid;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::BodyError;
use crate::faults;

const VALIDATION_FAILED: &str = "validation_failed";

/// Why a request was not done.
#[derive(Debug)]
pub enum Refused {
    /// The application says so.
    App(AppError),
    /// Its body cannot be used.
    Body(BodyError),
    /// A query parameter is wrong.
    Fields(Vec<Invalid>),
    /// There is no such route.
    NoRoute,
    /// The route does not know the method.
    NoMethod,
}

impl From<AppError> for Refused {
    fn from(it: AppError) -> Self {
        Self::App(it)
    }
}

impl From<BodyError> for Refused {
    fn from(it: BodyError) -> Self {
        Self::Body(it)
    }
}

impl From<Invalid> for Refused {
    fn from(it: Invalid) -> Self {
        Self::Fields(vec![it])
    }
}

/// The answer to a path that is no route.
pub async fn no_route() -> Refused {
    Refused::NoRoute
}

/// The answer to a method that a route does not know; the router adds `Allow`.
pub async fn no_method() -> Refused {
    Refused::NoMethod
}

/// A refusal.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorInfo,
}

/// What went wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorInfo {
    /// Stable, machine-readable.
    #[schema(example = "validation_failed")]
    pub code: &'static str,
    /// For people.
    #[schema(example = "One field is wrong; see `details`.")]
    pub message: String,
    /// Which fields or parameters are wrong; empty when it is about none.
    pub details: Vec<Detail>,
}

/// One wrong field or parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ErrorDetail)]
pub struct Detail {
    /// Its place, with a dot between names and numbers; a parameter's name.
    #[schema(example = "events.0")]
    pub path: String,
    /// Stable, machine-readable.
    #[schema(example = "unknown_event_type")]
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl From<Invalid> for Detail {
    fn from(it: Invalid) -> Self {
        Self { path: path(&it.pointer), code: it.code, message: it.message }
    }
}

/// A pointer in Aly's notation and words.
fn path(pointer: &str) -> String {
    let pointer = pointer.strip_prefix('/').unwrap_or(pointer);
    let segments = pointer.split('/').map(|it| it.replace("~1", "/").replace("~0", "~"));
    let mut segments: Vec<String> = segments.collect();
    if let Some(first) = segments.first_mut()
        && first == "scope"
    {
        "site_slug".clone_into(first);
    }
    segments.join(".")
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if let Self::App(error) = &self {
            faults::log(error);
        }
        let retry_after_s = match &self {
            Self::App(error) => faults::retry_after_s(error),
            Self::Body(_) | Self::Fields(_) | Self::NoRoute | Self::NoMethod => None,
        };
        let (status, error) = self.told();
        let mut response = faults::answer(status, &ErrorBody { error }, retry_after_s);
        if status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
        }
        response
    }
}

impl Refused {
    fn told(self) -> (StatusCode, ErrorInfo) {
        match self {
            Self::App(AppError::Invalid(fields)) | Self::Fields(fields) => wrong(fields),
            Self::Body(BodyError::Form(field)) => wrong(vec![field]),
            Self::App(error) => {
                let (status, code) = of_app(&error);
                (status, info(code, &error.to_string()))
            }
            Self::Body(error) => {
                let (status, code) = of_body(&error);
                (status, info(code, &error.to_string()))
            }
            Self::NoRoute => (StatusCode::NOT_FOUND, info("not_found", "there is no such route")),
            Self::NoMethod => {
                let message = "this path does not know the method; `Allow` lists those it knows";
                (StatusCode::METHOD_NOT_ALLOWED, info("method_not_allowed", message))
            }
        }
    }
}

fn of_app(error: &AppError) -> (StatusCode, &'static str) {
    let status = match error {
        AppError::Unauthenticated => StatusCode::UNAUTHORIZED,
        AppError::Forbidden { needs: Needs::OwnTenant } => {
            return (StatusCode::FORBIDDEN, "forbidden_workspace");
        }
        AppError::Forbidden { .. } => StatusCode::FORBIDDEN,
        AppError::NotFound { .. } => StatusCode::NOT_FOUND,
        AppError::Invalid(_) => return (StatusCode::BAD_REQUEST, VALIDATION_FAILED),
        AppError::LimitReached { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        AppError::Conflict { .. } | AppError::KeyReused | AppError::StillRunning => {
            StatusCode::CONFLICT
        }
        AppError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        AppError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        AppError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, error.code())
}

fn of_body(error: &BodyError) -> (StatusCode, &'static str) {
    match error {
        BodyError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        BodyError::TimedOut => (StatusCode::REQUEST_TIMEOUT, "body_timed_out"),
        BodyError::BrokeOff => (StatusCode::BAD_REQUEST, "body_broke_off"),
        BodyError::ContentType { .. } | BodyError::Packed => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
        }
        BodyError::Missing => (StatusCode::BAD_REQUEST, "body_required"),
        BodyError::Malformed { .. } => (StatusCode::BAD_REQUEST, "malformed_json"),
        BodyError::TooDeep => (StatusCode::BAD_REQUEST, "nested_too_deep"),
        BodyError::Form(_) => (StatusCode::BAD_REQUEST, VALIDATION_FAILED),
    }
}

fn wrong(fields: Vec<Invalid>) -> (StatusCode, ErrorInfo) {
    let details: Vec<_> = fields.into_iter().map(Detail::from).collect();
    let message = match details.as_slice() {
        [one] if one.path.is_empty() => faults::sentence(&one.message),
        [one] => format!("`{}` is wrong: {}.", one.path, one.message.trim_end_matches('.')),
        several => format!("{} fields are wrong; see `details`.", several.len()),
    };
    (StatusCode::BAD_REQUEST, ErrorInfo { code: VALIDATION_FAILED, message, details })
}

fn info(code: &'static str, message: &str) -> ErrorInfo {
    ErrorInfo { code, message: faults::sentence(message), details: Vec::new() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hookyard_domain::key::KeyScope;

    use super::*;

    #[track_caller]
    fn check(refused: impl Into<Refused>, status: u16, code: &str) -> ErrorInfo {
        let (told, error) = refused.into().told();
        assert_eq!((told.as_u16(), error.code), (status, code), "{error:?}");
        assert!(error.message.ends_with('.'), "{error:?}");
        error
    }

    #[test]
    fn each_refusal_has_alys_status() {
        check(AppError::Unauthenticated, 401, "unauthenticated");
        let scope = AppError::Forbidden { needs: Needs::Scope(KeyScope::Write) };
        check(scope, 403, "forbidden");
        let operator = AppError::Forbidden { needs: Needs::OwnTenant };
        check(operator, 403, "forbidden_workspace");
        check(AppError::NotFound { what: "endpoint" }, 404, "not_found");
        let off = AppError::Conflict { code: "endpoint_disabled", message: "off".into() };
        check(off, 409, "endpoint_disabled");
        check(AppError::KeyReused, 409, "idempotency_key_reused");
        check(AppError::StillRunning, 409, "idempotency_key_in_use");
        check(AppError::LimitReached { what: "endpoints", limit: 5 }, 422, "limit_reached");
        check(AppError::TooMany { retry_after: Duration::ZERO }, 429, "too_many_requests");
        check(BodyError::Missing, 400, "body_required");
        check(Refused::NoRoute, 404, "not_found");
        check(Refused::NoMethod, 405, "method_not_allowed");
    }

    #[test]
    fn wrong_fields_are_named_in_alys_words() {
        let fields = vec![
            Invalid::new("/events/0", "unknown_event_type", "use exact types"),
            Invalid::new("/scope", "bad_scope", "use fewer characters"),
            Invalid::new("/a~1b", "unknown_field", "there is no such field"),
            Invalid::new("limit", "out_of_range", "use 1 to 250"),
        ];
        let error = check(AppError::Invalid(fields), 400, "validation_failed");
        let paths: Vec<_> = error.details.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["events.0", "site_slug", "a/b", "limit"]);
    }

    #[test]
    fn a_cause_never_leaves_the_house() {
        for refused in
            [AppError::Internal("/secret".into()), AppError::Unavailable("/secret".into())]
        {
            let (_, error) = Refused::App(refused).told();
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }
}
